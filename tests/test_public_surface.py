"""What programs may rely on, held by a list: names, and the parameters of functions with their kinds.

After httpx's `test_exported_members`: a name that comes or goes, or a parameter that is renamed, is a decision.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import click
import pytest

import forensics
from forensics import errors, opened, pipeline, proof, results, workbench
from tests.commands_page import commands
from tests.conftest import ROOT

ABOUT = "org=, watch=, known_good="
AGAIN = "org=, org_add=, org_replace=, watch=, known_good="
READING = "year=, timezone=, workers=, memory=, cluster=, follow_links=, max_expanded="
REPORTING = "formats=, edition=, out=, as_of="
CALLER = "progress=, command="
SAYING = "examiner=, note="
HOLDING = "wait=, break_lock="
FUNCTIONS = {
    "forensics.pipeline": {
        "create_or_update": f"case, *, {AGAIN}",
        "detect": f"case_dir=, *, {AGAIN}, since=, until=, memory=, {CALLER}, {SAYING}, {HOLDING}",
        "ingest": f"logs, case_dir=, *, {AGAIN}, {READING}, {CALLER}, {SAYING}, {HOLDING}",
        "moment": "text, *, end=",
        "report": f"case_dir=, *, {REPORTING}, templates=, logo=, language=, since_report=, {CALLER}, {SAYING}, {HOLDING}",
        "withdraw": f"case_dir, names, *, because, {SAYING}",
        "run": f"logs, case_dir=, *, {AGAIN}, {READING}, since=, until=, {REPORTING}, {CALLER}, {SAYING}, {HOLDING}",
    },
    "forensics.proof": {
        "custody_add": f"case_dir, *, given_by, taken_by, at, what, place=, why=, {SAYING}",
        "custody_show": "case_dir",
        "sign": "case_dir, *, key, examiner, note=",
        "stamp": f"case_dir, *, query=, reply=, ca=, {SAYING}",
        "export": "case_dir, *, out, with_evidence=, evidence=, edition=, as_of=, progress=",
        "verify": "path, *, case=, evidence=, all_records=, ca=, signers=, rerun=, progress=",
    },
    "forensics.workbench": {
        "ask": f"case_dir, *, everything=, {SAYING}",
        "block": "case_dir, *, formats=, out=, days=, as_of=",
        "demo": f"out, reports=, *, {CALLER}",
        "doctor": "*, compile_now=, case_dir=, progress=",
        "explain": "case_dir, subject",
        "formats": "",
        "identity": "case_dir, delivery_id",
        "init": f"case_dir, *, {ABOUT}",
        "lookups": "case_dir",
        "review": "case_dir, *, reviewer=, export_to=, import_from=, remember=, web=, port=, browser=, read_only=, "
        f"show=, rule=, on=, reason=, {SAYING}",
        "sql": "case_dir, query",
        "status": "case_dir",
        "verify": "path, *, case=, evidence=, all_records=, ca=, signers=, rerun=, progress=",
        "views_sql": "case_dir",
        "watch_list": "names, *, limit=, case_dir=",
        "watch_rules": "names, case_dir, *, limit=, formats=, out=, days=, as_of=",
        "worksheet": "case_dir, sheet, *, examiner=, note=",
    },
}
"""`name=` has a default; what stands behind `*` is given by name only."""
CLASSES = {
    "forensics.proof": {
        "Attested": "kind, entry, digest, file, at=, by=, verified=",
        "Shown": "case, statements, handed_over, gaps, entries, faults",
    },
    "forensics.results": {
        "Detected": "case, verdict, scored, findings, messages, exposed, handed_on, not_exposed, unsettled, "
        "content_sent, stage_unknown, kept_for_review, not_measured, headline, contested, impersonating, no_such_domain, first, last, incidents, "
        "organisation, covering, unseen_domains, since, until, "
        "not_read",
        "Ingested": "case, evidence, already, records, used, ignored, duplicates, unread, deliveries, first, last, "
        "skipped, notes, first_delivery, last_delivery, organisation, unseen_domains, not_read, losses, "
        "read_again=, resumed=, moved=, unmatched=",
        "NotRead": "records, of, first, last, files, systems, damaged, reasons, skipped",
        "Reported": "case, files, answered, required, notes, unknown=",
        "Run": "ingested, detected, reported",
        "UnreadReason": "reason, records, file, number, offset, text, remedy",
    },
    "forensics.workbench": {
        "Answer": "columns, rows",
        "Blocked": "files, rules, left, expires",
        "Explanation": "weighed, quotes",
        "Formats": "read, refused",
        "Status": "case, in_use, doing, evidence, records, unread, deliveries, findings, incidents, ruled, detected, reports, "
        "entries, last_action, last_at, changed, following",
        "Questions": "names, not_askable, script",
        "Health": "python, system, processors, memory, versions, compiled, folder, fault, kept, parts, promises",
        "Kept": "what, folder, owner, size, fault",
        "Part": "name, there, needed_for",
        "Promise": "name, holds, text",
    },
}
CLASSES["forensics.opened"] = {
    "Case": "folder",
    "Finding": "delivery_id, submitted_at, sender, recipient, outcome, observed_domain, intended_domain, slip, score, "
    "level, exposure, incident_id, reasons, verdict, case",
    "Incident": "incident_id, observed_domain, intended_domain, slip, story, observed_jurisdiction, "
    "intended_jurisdiction, first_seen, last_seen, messages, recipients, senders, exposed, not_exposed, score, case",
    "Reason": "name, weight, text, source",
    "Rows": "case, query, row=",
}
FUNCTIONS["forensics.opened"] = {"open": "folder=", "run": "logs, folder=, **"}
VALUES = {"forensics.workbench": {"BLOCK_FORMATS", "DEMOS"}}
MODULES = {"errors", "opened", "pipeline", "proof", "results", "workbench"}
NAMES = {"__version__", "open", "run"}
"""What `forensics` offers; every other module may change without notice."""


def parameters(function: object) -> str:
    """`a, b=, *, c=` for (a, b=1, *, c=2)."""
    parts: list[str] = []
    for name, one in inspect.signature(function).parameters.items():  # type: ignore[arg-type]
        if one.kind is one.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        if one.kind is one.VAR_KEYWORD:
            parts[parts.index("*") if "*" in parts else len(parts) :] = ["**"]
            continue
        assert one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY), f"{name}: {one.kind}"
        parts.append(name if one.default is one.empty else f"{name}=")
    return ", ".join(parts)


@pytest.mark.parametrize("module", [opened, pipeline, proof, results, workbench], ids=lambda module: module.__name__)
def test_each_module_offers_these_names(module: ModuleType) -> None:
    name = module.__name__
    functions, classes = FUNCTIONS.get(name, {}), CLASSES.get(name, {})
    assert set(module.__all__) == {*functions, *classes, *VALUES.get(name, ())}
    assert {n: parameters(getattr(module, n)) for n in functions} == functions
    assert {n: parameters(getattr(module, n)) for n in classes} == classes
    for offered in functions:
        assert inspect.getdoc(getattr(module, offered)), f"{name}.{offered} says nothing of itself"


def test_the_package_offers_these_modules() -> None:
    assert set(forensics.__all__) == MODULES | NAMES
    assert all(getattr(forensics, name) for name in NAMES)
    assert {one.name for one in pkgutil.iter_modules(forensics.__path__)} >= MODULES
    for name in MODULES:
        assert f"forensics.{name}" in (forensics.__doc__ or ""), name
        importlib.import_module(f"forensics.{name}")


def test_every_command_is_a_function_that_takes_its_options() -> None:
    """The command only parses and prints; --json and --fail-on-findings are about printing and the exit code."""
    written_otherwise = {
        "sql": {"form", "print_views"},
        "explain": {"as_bytes"},
        "report": {"withdraw", "because"},
        "verify": {"case_dir"},
        "status": {"place"},  # CASE in place of --case
        "lookups": {"out"},
        "watch-list": {"formats", "out", "days", "as_of"},  # of watch_rules
    }
    for name, command in commands().items():
        if name == "completion":  # for a shell, which is no program of Python
            continue
        function = re.sub("[- ]", "_", name)
        module = next(one for one in (pipeline, proof, workbench) if function in one.__all__)
        takes = set(inspect.signature(getattr(module, function)).parameters)
        options = {
            str(one.name) for one in command.params if not isinstance(one, click.core.Option) or one.expose_value
        }
        options -= {"as_json", "fail_on_findings", *written_otherwise.get(name, set())}
        assert options <= takes, f"{name}: {sorted(options - takes)}"


def test_every_name_is_in_an_example() -> None:
    """docs/python.md: its blocks are run by tests/test_docs.py."""
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text("utf-8"), re.S))
    for module in (opened, pipeline, proof, results, workbench):
        short = module.__name__.rpartition(".")[2]
        for name in {*module.__all__} - {"NotRead", "UnreadReason"}:
            said = rf"\bmf\.{name}\b" if name in ("open", "run") and module is opened else rf"\b{short}\.{name}\b"
            if module is opened and name in ("Rows", "Case"):
                said = r"\bcase\b"
            assert re.search(said, blocks), f"{short}.{name} is in no example of docs/python.md"
    for name, one in vars(opened.Case).items():
        if not name.startswith("_"):
            assert re.search(rf"\bcase\.{name}\b", blocks), f"Case.{name} is in no example"
            assert inspect.getdoc(one), f"Case.{name} says nothing of itself"


def test_errors_and_their_exit_codes() -> None:
    found = {name: one.exit_code for name, one in vars(errors).items() if isinstance(one, type)}
    assert found == {
        "MissentError": 2,
        "UsageError": 2,
        "CaseError": 2,
        "OrganisationDiffers": 2,
        "CaseChanged": 2,
        "AmbiguousTime": 2,
        "EvidenceError": 3,
        "ForeignLog": 3,
        "CaseInUse": 7,
        "VerificationFailed": 4,
        "MachineError": 6,
        "ClusterLost": 6,
        "EvidenceChanged": 6,
    }
    assert set(errors.EXIT_CODES) == {0, 1, 5, errors.CANNOT_TELL, 130, errors.UNHEARD, *found.values()}
