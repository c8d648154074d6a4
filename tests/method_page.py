"""The figures of docs/method.md and of README.md, out of evaluation.json.

python -m tests.method_page     # writes them into the pages; tests/test_reference.py says when that is due
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.bench import categories
from tests.conftest import ROOT

PAGES = (ROOT / "docs" / "method.md", ROOT / "README.md")
MEASURED = ROOT / "forensics" / "detector" / "evaluation.json"
MARKED = re.compile(r"<!-- (?P<name>[\w-]+) -->(?P<gap>\n?).*?<!-- /(?P=name) -->", re.S)
LOGS = {
    "folds_real": "four real logs, on parts that were not fitted on",
    "left_out_real": "three real logs, each scored by a detector fitted without it",
    "frozen": "simulated organisations, never fitted on",
    "hard": "simulated hospital, ministry and law firm with many twins",
    "ministries": "20 simulated ministries, their mail to `.ml`",
}


def share(rate: Mapping[str, Any]) -> str:
    """A rate as counted, with its interval in per cent."""
    return f"{rate['hits']} of {rate['of']} [{rate['low']:.0%} to {rate['high']:.0%}]".replace("%", " %")


def parts() -> dict[str, str]:
    """Each part of the page that holds figures, by its name."""
    found = json.loads(MEASURED.read_text("utf-8"))
    rates = [
        "| logs | called mistyped, and were | mistyped, and called so | intended domain right |",
        "|---|---|---|---|",
    ]
    for key, name in LOGS.items():
        one = found[key]
        rates.append(f"| {name} | {share(one['pairs']['precision'])} | {share(one['pairs']['recall'])} | {share(one['intended'])} |")  # fmt: skip
    levels = ["| level | were slips | mean score | earned |", "|---|---|---|---|"]
    for level, one in found["left_out_real"]["levels"].items():
        earned = {True: "yes", False: "no", None: "no: too few"}[one["earned"]]
        levels.append(
            f"| {level} | {share(one)} | {one['mean']:.3f} | {earned if level != 'low' else 'never counts'} |"
        )
    counted = found["ministries"]
    ministries = [
        f"- Misdirected deliveries found: {share(counted['misdirected_found'])}. Genuine ones accused: {share(counted['genuine_accused'])}.",
        f"- The target, all misdirected ones found and at most one genuine one accused, was met in {share(counted['target'])} ministries.",
    ]
    delivered = found["hard"]["deliveries"]["precision"]
    return {
        "rates": "\n".join(rates),
        "levels": "\n".join(levels),
        "peers": _rules(found["peers"]),
        "peers-frozen": _rules(found["peers_frozen"]),
        "peers-hard": _rules(found["peers_hard"]),
        "kinds": _by(found, "by_kind"),
        "categories": _by(found, "by_category"),
        "relays": _relays(found["relays"]),
        "deliveries": f"{delivered['hits']:,} of {delivered['of']:,} accused deliveries were slips",
        "high": share(found["left_out_real"]["levels"]["high"]),
        "ministries": "\n".join(ministries),
        "readme": _sentences(found),
    }


def _rules(rules: Mapping[str, Any]) -> str:
    rows = ["| rule | called mistyped, and were | mistyped, and called so |", "|---|---|---|"]
    rows += [f"| {name} | {share(one['precision'])} | {share(one['recall'])} |" for name, one in rules.items()]
    return "\n".join(rows)


COLUMNS = {
    "left_out_real": "three real logs",
    "frozen": "simulated organisations",
    "hard": "hospital, ministry, law firm",
}


def _by(found: Mapping[str, Any], what: str) -> str:
    """Recall by kind or category on real logs, each left out, and on simulations; by category on hand-made cases too."""
    columns = {name: found[key][what] for key, name in COLUMNS.items()}
    if what == "by_category":
        columns["hand-made cases"] = found["relays"]["handmade_categories"]
    # Of genuine domains the kind is that of the candidate: without a slip of it there is nothing to recall.
    told = {
        name: [one.get(name, {}).get("recall", one.get(name, {})) for one in columns.values()]
        for name in (categories.CATEGORIES if what == "by_category" else sorted(set().union(*columns.values())))
    }
    rows = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, cells in told.items():
        if any(cell.get("of") for cell in cells):
            shown = "without a candidate" if name == "none" else name
            rows.append(f"| {shown} | {' | '.join(share(cell) if cell.get('of') else '' for cell in cells)} |")
    return "\n".join(rows)


def _relays(found: Mapping[str, Any]) -> str:
    columns = {"albion": "two real gateways", "simulated": "simulated organisations", "handmade": "hand-made cases"}
    rows = [f"| | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    for name in found["albion"]:
        cells = []
        for one in (found[column][name] for column in columns):
            told, were = one["precision"], one["recall"]
            cells.append(
                f"{told['hits']} of {told['of']}; {were['hits']} of {were['of']}; {one['contested']['of']}; {one['log_loss']:.1f}"
            )
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _between(rate: Mapping[str, Any]) -> str:
    return f"between {rate['low']:.0%} and {rate['high']:.0%}".replace("%", " %")


def _sentences(found: Mapping[str, Any]) -> str:
    """What was measured, for those who read no tables."""
    real, fresh = found["left_out_real"]["pairs"], found["frozen"]["pairs"]
    high, medium = (found["left_out_real"]["levels"][level] for level in ("high", "medium"))
    told, were = real["precision"], real["recall"]
    return f"""- On three real logs that the detector had not seen, it called {told["of"]} domains mistyped, and {told["hits"]} of them were. With 95 % confidence, the rate on logs of
  that kind lies {_between(told)}.
- Of the {were["of"]} domains that were mistyped there, it found {were["hits"]} ({_between(were)}).
- Of level `high`, which alone counts in headlines, {high["hits"]} of {high["of"]} were right ({_between(high)}). Of level `medium`, {medium["hits"]} of {medium["of"]}: too few
  to say, so these are listed for review.
- On simulated organisations that it had never met, {fresh["precision"]["hits"]} of the {fresh["precision"]["of"]} domains that it called mistyped were, and it found {fresh["recall"]["hits"]} of {fresh["recall"]["of"]}."""


def filled(page: str) -> str:
    """The page with the figures between its marks."""
    told = parts()

    def put(found: re.Match[str]) -> str:
        gap = "\n" if found["gap"] else ""
        return f"<!-- {found['name']} -->{gap}{told[found['name']]}{gap}<!-- /{found['name']} -->"

    return MARKED.sub(put, page)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(filled(path.read_text("utf-8")), "utf-8")
