"""The first pass over an Exim log: how many lines, when, on which hosts; and whether it is the mainlog at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from forensics.errors import EvidenceError, ForeignLog
from forensics.loaders import base, years
from forensics.loaders.exim import lines
from forensics.loaders.exim.read import event

BACK = 600_000_000
"""A stamp so much (microseconds) before the one before it: the clock was set back, or summer time ended."""
_MAINLOG = ("<=", "=>", "->", "Completed")
"""Lines that Exim's other logs never have."""
_DUMP = re.compile(rb"Envelope-(?:from|to): <|-{60,}$")


@dataclass(frozen=True)
class ScanPlan:
    """`clock`: how stamps become UTC; `host`: the server that wrote a plain file, if anybody says."""

    clock: years.Clock
    host: str | None


class Surveyor:
    """See `forensics.loaders.base.Surveyor`."""

    def __init__(self, name: str, settings: base.Settings) -> None:
        self.name = name
        self.year, self.timezone = settings.for_source(name)
        self.host = settings.host(name)
        self.blocks: dict[int, int] = {}
        self.records = self.messages = self.others = self.dumps = 0
        self.hosts: set[bytes | None] = set()
        self.ends: dict[int, tuple[int, int]] = {}
        """Kind of stamp → least and greatest time; NO_YEAR times with the relative year in front."""
        self.last: dict[int, int] = {}
        self.relative = 0
        self.rolls: list[tuple[int, int]] = []
        self.steps: list[tuple[int, int, int, int]] = []

    def feed(self, block: base.Block) -> None:
        self.blocks[block.offset] = self.records + 1
        for _, raw in base.lines(block):
            self.records += 1
            line = lines.read(raw)
            if line.kind == years.NO_TIME:
                self.dumps += _DUMP.match(raw) is not None
                continue
            self._time(line.kind, line.time)
            if line.program is None or line.program.startswith(b"exim"):
                self.hosts.add(line.host)
                self.messages += (event(line) or ("", b""))[0] in _MAINLOG
                self.others += 1

    def _time(self, kind: int, time: int) -> None:
        last = self.last.get(kind)
        if kind != years.ABSOLUTE and last is not None and last - time >= BACK:
            change = 1 if kind == years.NO_YEAR and last - time > years.MONTH_UNIT else 0
            if change:
                self.rolls.append((self.records, change))
            else:
                self.steps.append((self.records, last, time, self.relative))
            self.relative += change
        self.last[kind] = time
        if kind == years.NO_YEAR:
            time += self.relative * years.YEAR_UNIT
        least, greatest = self.ends.get(kind, (time, time))
        self.ends[kind] = min(least, time), max(greatest, time)

    def result(self) -> base.Survey:
        """Raises EvidenceError for Exim's other logs, ForeignLog for logs of other programs only."""
        self._refuse()
        packed, local = self.ends.get(years.NO_YEAR), self.ends.get(years.LOCAL)
        clock, notes = years.clock(
            self.name, self.year, self.timezone, packed=packed, local=local, rolls=self.rolls, steps=self.steps[:4096]
        )
        if None in self.hosts:
            given = {"name": self.host, "by": "setting"} if self.host else {"by": "evidence id"}
            notes["host"] = given
        named = {one.decode("utf-8", "backslashreplace") if one else self.host for one in self.hosts}
        ends = [end for kind, pair in self.ends.items() for end in self._utc(kind, pair, clock)]
        return base.Survey(
            records=self.records,
            first=min(ends, default=None),
            last=max(ends, default=None),
            blocks=self.blocks,
            hosts=None if None in named else frozenset(base.key_of(one) for one in named),
            plan=ScanPlan(clock, self.host),
            notes=notes,
        )

    def _refuse(self) -> None:
        """Exim's three logs look alike: where no line is about a message, the file's name or its dumps of headers
        tell."""
        if self.messages:
            return
        base_name = re.split(r"[/\\!]", self.name)[-1].lower()
        if self.dumps or ("reject" in base_name):
            raise EvidenceError("Exim's rejectlog, all of whose rejections stand in the mainlog too: give the mainlog")
        if "panic" in base_name:
            raise EvidenceError("Exim's paniclog, which tells of Exim's own failures: give the mainlog")
        if not self.others:
            raise ForeignLog(f"a log of other programs: none of its {self.records:,} lines is of Exim")

    @staticmethod
    def _utc(kind: int, pair: tuple[int, int], clock: years.Clock) -> list[int]:
        none = np.zeros(0, np.int64)
        found: list[int] = []
        for time in pair:
            year, rest = divmod(time, years.YEAR_UNIT) if kind == years.NO_YEAR else (0, time)
            fixed = years.Clock(clock.year + year, none, none, clock.zone)
            out, _ = years.resolve(np.array([kind], np.int32), np.array([rest]), np.zeros(1, np.int64), fixed)
            found.append(int(out[0]))
        return found
