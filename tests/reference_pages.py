"""docs/tables.md, docs/settings.md, docs/report-fields.md, docs/commands.md, docs/licences.md and man/missent.1: what the code itself says, as pages.

python -m tests.reference_pages     # writes them anew; tests/test_reference.py says when that is due
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from forensics import casefile, schema, views
from forensics.report.facts import questionnaire
from forensics.report.formats import data
from tests import commands_page, licences_page, man_page
from tests.conftest import ROOT

DOCS = ROOT / "docs"
MADE = "written by `python -m tests.reference_pages`"
TABLES = ("deliveries", "findings", "incidents", "correspondents", "lookalikes", "unread")
VIEWS = {
    "evidence": (views._EVIDENCE, "one row for each evidence file, from manifest.json"),
    "ignored": (views._IGNORED, "records that are known and irrelevant, counted by kind"),
    "verdicts": (views._VERDICTS, "every ruling, in its order; `deliveries` is empty for one on the whole pair"),
}
DERIVED = {
    "citations": "one row for each record that a delivery rests on",
    "rulings": "the ruling that holds for each finding that has one: on the delivery before on its pair, the latest counts",
    "findings_open": "findings that nobody dismissed, with the ruling that holds",
}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join("| " + " | ".join(_cell(one) for one in row) + " |\n" for row in lines)


def _type(name: str) -> str:
    """Arrow's name of a type, without how it is packed."""
    name = name.replace("dictionary<values=string, indices=int32, ordered=0>", "string").replace(" not null", "")
    return f"`{name}`"


def tables() -> str:
    """The tables of a case and the views over them."""
    parts = [f"# Tables\n\nThe columns of a case's tables and views, {MADE}. The files are Parquet; times are UTC, digests lower-case\n"
             "hexadecimal SHA-256. `missent sql` queries them, `missent sql --print-views` prints SQL that makes the views in another DuckDB.\n"]  # fmt: skip
    for name in TABLES:
        rows = [(f"`{column}`", _type(kind), meaning) for column, kind, meaning in schema.describe(getattr(schema, name.upper()))]  # fmt: skip
        parts.append(f"## {name}\n\n" + _table(("column", "type", "meaning"), rows))
    parts.append(
        "## Views\n\nThe view `deliveries` has one column more than its table: `direction` ("
        + ", ".join(schema.DIRECTIONS)
        + "), computed from the organisation's domains.\n"
    )
    for name, (held, says) in VIEWS.items():
        columns = [(f"`{field.name}`", _type(str(field.type))) for field in pa.schema(held)]
        parts.append(f"### {name}\n\nIt has {says}.\n\n" + _table(("column", "type"), columns))
    for name, says in DERIVED.items():
        parts.append(f"### {name}\n\nIt has {says}.\n\n```sql\n{views._DERIVED[name].strip()}\n```\n")
    return "\n".join(parts)


def _said(model: type[BaseModel]) -> dict[str, str]:
    """What the source says of each field, in the text below it."""
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        before.target.id: after.value.value
        for before, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }


def _default(model: type[BaseModel], name: str) -> str:
    value = model.model_fields[name].get_default(call_default_factory=True)
    if isinstance(value, str | int | float) and value != "":
        return f"`{value}`"
    return "–"


SETTINGS: Mapping[str, type[BaseModel]] = {
    "organisation": casefile.Organisation,
    "domains": casefile.Domains,
    "[sources]": casefile.SourceSettings,
    "detection": casefile.Detection,
    "custody.acquisition": casefile.Stated,
    "custody.clock": casefile.Stated,
}


def settings() -> str:
    """case.toml: settings, and the items of the questionnaire."""
    parts = [f"# Settings: case.toml\n\nWhat people say of a case, {MADE}. `missent init` writes the file with remarks; commands add only what\n"
             "they are asked to remember. An unknown key is an error.\n"]  # fmt: skip
    for name, model in SETTINGS.items():
        said = _said(model)
        rows = [(f"`{field}`", _default(model, field), said.get(field, "")) for field in model.model_fields]
        what = (
            _said(casefile.Custody)[name.partition(".")[2]]
            if model is casefile.Stated
            else (model.__doc__ or "").strip()
        )
        parts.append(f"## [{name}]\n\n{what}\n\n" + _table(("key", "default", "meaning"), rows))
    parts.append("## [questionnaire]\n\nWhat logs cannot know; `missent ask` asks it item by item. “Required” is what a report shows as NOT YET ANSWERED.\n")  # fmt: skip
    rows = [
        (f"`{one.key}`", one.kind + (": " + ", ".join(one.choices) if one.choices else ""),
         "yes" if one.ask.required else "", ", ".join(one.ask.by))
        for one in questionnaire.entries()
    ]  # fmt: skip
    parts.append(_table(("key", "kind", "required", "asked for by"), rows))
    return "\n".join(parts)


def _kind(found: Mapping[str, Any]) -> str:
    """A type of the JSON schema in a few words."""
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in found:
        return " or ".join(_kind(one) for one in found["anyOf"])
    if "const" in found:
        return f"`{found['const']}`"
    if found.get("type") == "array":
        if "items" in found and isinstance(found["items"], Mapping):
            return f"list of {_kind(found['items'])}"
        return "list (" + ", ".join(_kind(one) for one in found.get("prefixItems", ())) + ")"
    if found.get("type") == "object" and isinstance(found.get("additionalProperties"), Mapping):
        return f"object of {_kind(found['additionalProperties'])}"
    return str(found.get("format", found.get("type", "any")))


def report_fields() -> str:
    """incident.json, by its schema."""
    whole = data.schema()
    parts = [f"# Report fields: incident.json\n\nEvery field of the JSON report, by its JSON Schema, {MADE}. The schema itself is in the package:\n"
             "`forensics/report/formats/incident.schema.json`. The other formats show the same facts.\n"]  # fmt: skip
    for name, found in [("The report", whole), *sorted(whole["$defs"].items())]:
        if "properties" in found:
            rows = [(f"`{field}`", _kind(kind)) for field, kind in found["properties"].items()]
            parts.append(f"## {name}\n\n" + _table(("field", "type"), rows))
        else:
            parts.append(f"## {name}\n\n{_kind(found)}\n")
    return "\n".join(parts)


PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "tables.md": tables,
    DOCS / "settings.md": settings,
    DOCS / "report-fields.md": report_fields,
    commands_page.PAGE: commands_page.page,
    licences_page.PAGE: licences_page.page,
    man_page.PAGE: man_page.page,
}


if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), "utf-8")
