"""The script that asks the DNS and RDAP for an investigator, on another machine: `missent lookups` writes it.

Only askable names stand in it, as JSON text inside the script; nothing of the evidence is run. It needs Python 3.9 and
`dig`, prints one JSON object (`forensics.lookups`), and asks each question once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from forensics import lookups

SCRIPT = "questions.txt"
"""The script's text, with marks that are filled in. It is data here: this package starts no program."""


def script(names: Iterable[str]) -> str:
    """The script for those of these names that may be asked for, sorted."""
    wanted = sorted({name for name in names if lookups.askable(name)})
    filled = {
        "@NAMES@": str(len(wanted)),
        "@QUOTED@": repr(json.dumps(wanted)),
        "@TYPES@": repr(lookups.TYPES),
        "@VERSION@": str(lookups.VERSION),
    }
    text = files("forensics").joinpath(SCRIPT).read_text("utf-8")
    for mark, value in filled.items():
        text = text.replace(mark, value)
    return text
