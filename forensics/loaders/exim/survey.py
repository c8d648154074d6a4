"""The first pass over an Exim log: how many lines, when, on which hosts; and whether it is the mainlog at all."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from forensics.errors import EvidenceError, ForeignLog
from forensics.loaders import base, timing, years
from forensics.loaders.exim import lines
from forensics.loaders.exim.read import event
from forensics.loaders.sequence import Seen
from forensics.loaders.settings import Settings

_MAINLOG = ("<=", "=>", "->", "Completed")
"""Lines that Exim's other logs never have."""
_DUMP = re.compile(rb"Envelope-(?:from|to): <|-{60,}$")


class Surveyor:
    """See `forensics.loaders.base.Surveyor`."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.host = settings.host(name)
        self.blocks: dict[int, int] = {}
        self.records = self.messages = self.others = self.dumps = 0
        self.hosts: set[bytes | None] = set()
        self.seen = Seen()

    def feed(self, block: base.Block) -> None:
        self.blocks[block.offset] = self.records + 1
        stamps = []
        for _, _, raw in base.lines(block):
            self.records += 1
            line = lines.read(raw)
            if line.kind == years.NO_TIME:
                self.dumps += _DUMP.match(raw) is not None
                continue
            stamps.append((line.kind, line.time, host_key((line.host or b"").decode("latin-1")), self.records))
            if line.program is None or line.program.startswith(b"exim"):
                self.hosts.add(line.host)
                self.messages += (event(line) or ("", b""))[0] in _MAINLOG
                self.others += 1
        self.seen.follow(stamps)

    def result(self) -> base.Survey:
        """Raises EvidenceError for Exim's other logs, ForeignLog for logs of other programs only."""
        self._refuse()
        notes: dict[str, Any] = {}
        if None in self.hosts:
            notes["host"] = {"name": self.host, "by": "setting"} if self.host else {"by": "evidence id"}
        named = {one.decode("utf-8", "backslashreplace") if one else self.host for one in self.hosts}
        hosts = None if None in named else frozenset(host_key(one) for one in named)
        rest = base.Survey(self.records, None, None, self.blocks, hosts, notes=notes)
        return timing.surveyed(self.name, self.settings, self.seen.stamps(), rest, self.host)

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


@cache
def host_key(name: str | None) -> int:
    """The hash by which the survey knows a host."""
    return base.key_of((name or "").lower()) or 1
