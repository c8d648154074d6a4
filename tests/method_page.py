"""The figures of docs/method.md, out of evaluation.json.

python -m tests.method_page     # writes them into the page; tests/test_reference.py says when that is due
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "method.md"
MEASURED = ROOT / "forensics" / "detector" / "evaluation.json"
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
    peers = ["| rule | called mistyped, and were | mistyped, and called so |", "|---|---|---|"]
    peers += [
        f"| {name} | {share(one['precision'])} | {share(one['recall'])} |" for name, one in found["peers"].items()
    ]
    delivered = found["hard"]["deliveries"]["precision"]
    return {
        "rates": "\n".join(rates),
        "levels": "\n".join(levels),
        "peers": "\n".join(peers),
        "deliveries": f"{delivered['hits']:,} of {delivered['of']:,} accused deliveries were slips",
        "high": share(found["left_out_real"]["levels"]["high"]),
    }


def filled(page: str) -> str:
    """The page with the figures between its marks."""
    for name, text in parts().items():
        mark = rf"(<!-- {name} -->\n?)(.*?)(\n?<!-- /{name} -->)"
        assert re.search(mark, page, re.S), name
        page = re.sub(mark, lambda found, text=text: found[1] + text + found[3], page, flags=re.S)  # type: ignore[misc]
    return page


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
