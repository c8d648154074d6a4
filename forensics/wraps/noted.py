"""What is said of a wrap: for manifest and report, and as sentences for people."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from forensics.wraps import moments
from forensics.wraps.wrap import CSV, EXPORT, JSON, LINES, NO_STAMP, VERBOSE, Unwrapped, Wrap

_FORMS: Final = {
    CSV: "CSV", JSON: "JSON", LINES: "a record a line",
    EXPORT: "journalctl -o export", VERBOSE: "journalctl -o verbose",
}  # fmt: skip
ORDERLY: Final = 20
"""Steps in one direction for each one in the other, from which a file runs in that direction."""


class Notes:
    """Takes the blocks of one evidence in order; `result` says what was taken away."""

    def __init__(self, wrap: Wrap) -> None:
        self.wrap = wrap
        self._forms: Counter[tuple[str, str, str]] = Counter()
        self._zones: Counter[int | None] = Counter()
        self._forward = self._back = self._damaged = 0
        self._before = NO_STAMP

    def feed(self, block: Any) -> None:
        if not isinstance(block, Unwrapped):
            return
        self._forms.update(block.taken.forms)
        self._zones.update(block.taken.offsets)
        self._damaged += block.damaged
        if block.stamps is None:
            return
        stamps = block.stamps[block.stamps != NO_STAMP]
        if len(stamps):
            steps = np.diff(np.concatenate([[self._before if self._before != NO_STAMP else stamps[0]], stamps]))
            self._forward += int(np.count_nonzero(steps > 0))
            self._back += int(np.count_nonzero(steps < 0))
            self._before = int(stamps[-1])

    @property
    def clean(self) -> bool:
        """As `Wrap.clean`, when all blocks were fed."""
        return not self._damaged

    def result(self) -> dict[str, Any]:
        """`encoding`; `export`: form, message column, time column, order, zone; `noted`: sentences."""
        wrap = self.wrap
        notes: dict[str, Any] = {}
        said: list[str] = []
        if wrap.coding != "utf-8":
            notes["encoding"] = wrap.coding
            said.append(f"the text is {wrap.coding.upper().replace('UTF-16-', 'UTF-16')}")
        if wrap.bare_cr:
            said.append("lines end in carriage returns alone")
        if self._damaged:
            places = f"{self._damaged:,} places" if self._damaged > 1 else "one place"
            said.append(f"NUL bytes, escape sequences of a terminal or byte order marks were left out at {places}")
        if wrap.carriers:
            said.append(f"what {' and '.join(wrap.carriers)} hands on counts as others' own records, as case.toml says")
        if self._forms:
            notes["export"] = self._export()
            said.append(self._sentence(notes["export"]))
        if wrap.coding != "utf-8" or wrap.bare_cr or wrap.form in (JSON, CSV):
            said.append(_command(wrap))
        if said:
            notes["noted"] = said
        return notes

    def _export(self) -> dict[str, Any]:
        forms = sorted(self._forms, key=lambda one: (-self._forms[one], one))
        (name, message, time), *_ = forms
        found: dict[str, Any] = {
            "form": f"{name} ({_FORMS[self.wrap.form]})",
            "message column": message,
            "time column": next((one[2] for one in forms if one[2]), time),
            "order": self._order(),
            "zone": self._zone(),
        }
        if len(forms) > 1:
            found["also"] = [" ".join(part for part in one if part) for one in forms[1:]]
        if self.wrap.offset is not None:
            found["zone inside"] = moments.zone(self.wrap.offset)
        return found

    def _order(self) -> str | None:
        forward, back = self._forward, self._back
        if not forward and not back:
            return None
        if back > forward * ORDERLY:
            return "newest first"
        return "oldest first" if forward > back * ORDERLY else "mixed"

    def _zone(self) -> str | None:
        named = sorted(zone for zone in self._zones if zone is not None)
        words = ["UTC" if not zone else f"UTC{moments.zone(zone)}" for zone in named]
        if None in self._zones:
            words.append("none named")
        return " and ".join(words[:4]) + (" and others" if len(words) > 4 else "") if words else None

    def _sentence(self, export: dict[str, Any]) -> str:
        column = export["message column"]
        what = f"each record was taken from {column}" if column else "what stands before each record was left out"
        parts = [f"an export, {export['form']}: {what}"]
        if export["time column"]:
            parts.append(f"its own times are in {export['time column']}")
        if export["zone"]:
            parts.append(
                "they name no time zone, so that of the settings holds (UTC where there is none)"
                if export["zone"] == "none named"
                else f"their time zone: {export['zone']}"
            )
        if export["order"]:
            order = export["order"]
            parts.append(f"it runs {order}" if order != "mixed" else "it runs neither oldest nor newest first")
        if self.wrap.offset is not None:
            parts.append(
                f"stamps inside the records are UTC{moments.zone(self.wrap.offset)}, compared with those times"
            )
        return "; ".join(parts)


def _command(wrap: Wrap) -> str:
    """How a person prints a record whose offset and length are known, where it is no line that `sed -n` prints."""
    name = wrap.coding.replace("-le", "LE").replace("-be", "BE")
    recode = "" if wrap.coding == "utf-8" else f" | iconv -f {name} -t utf-8"
    command = f"tail -c +$((OFFSET+1)) FILE | head -c LENGTH{recode}"
    return f"a record at byte OFFSET, LENGTH bytes long, is printed by `{command}`"
