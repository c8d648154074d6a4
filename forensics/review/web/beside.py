"""What stands beside a pair at the desk: page one of the report, the letters, the block rules.

All of it is made by the code that writes the report, the letters and the rules, from the case as it stands, so that the
desk says what would be filed, in the same words. Nothing is written. It takes seconds with many findings: it is asked
for apart from the page, and kept until findings, verdicts or case.toml are others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from forensics import casefile, domains, store
from forensics.case import Case
from forensics.custody import manifest, parameters, told
from forensics.report import writing
from forensics.report.facts import Facts
from forensics.report.formats import letters
from forensics.report.text import blocks, onepage, prose, wording
from forensics.report.text.wording import Words
from forensics.review import verdicts
from forensics.review.web.book import Pair

KINDS = ("page", "letters", "rules")
LETTERS = 60
"""Letters of a pair that are shown; the rest is counted."""


@dataclass(frozen=True)
class Refusals:
    """The block rules of one pair. `files`: name → content, as they would be written today; `left`: what gets no rule,
    and why, a sentence each."""

    files: Mapping[str, str]
    left: Sequence[str]


Rules = Callable[[Case], Callable[[str], Refusals]]
"""A case → a typed domain → its rules."""


class Beside:
    """Holds what was made last. Its methods are called by several threads."""

    def __init__(self, case: Case, rules: Rules | None) -> None:
        self.case = case
        self._rules = rules
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Hashable, Any]] = {}

    def values(self, kind: str, pair: Pair | None) -> dict[str, Any]:
        """What the template of a kind is handed. Raises what writing the report raises."""
        if kind == "page":
            return _page(*self._facts())
        if pair is None:
            return {"pair": None}
        if kind == "letters":
            return {"pair": pair, **_letters(*self._facts(), pair)}
        rules = self._once("rules", self._rules) if self._rules else None
        return {"pair": pair, "rules": rules(pair.observed) if rules else Refusals({}, ())}

    def _facts(self) -> tuple[Facts, Words]:
        return self._once("facts", facts), wording.load()

    def _once(self, name: str, make: Callable[[Case], Any]) -> Any:
        """Made anew where the case has changed; also when it changed while it was being read."""
        with self._lock:
            while True:
                mark = _mark(self.case)
                if name in self._kept and self._kept[name][0] == mark:
                    return self._kept[name][1]
                made = make(self.case)
                if _mark(self.case) == mark:
                    self._kept[name] = mark, made


def _mark(case: Case) -> Hashable:
    return verdicts.state(case), case.toml.read_bytes() if case.toml.exists() else b""


def facts(case: Case) -> Facts:
    """What a report written now would be laid out from. Raises as `pipeline.report` does."""
    read, inventory = casefile.read(case), manifest.read(case)
    manifest.intact(case, inventory, (*store.TABLES, case.detection.name))
    told.alike(case, read, inventory)
    parameters.weighed_alike(case)
    with store.connect(case, read.organisation.domains) as connection:
        return writing.gathered(case, connection, read, inventory, verdicts.read(case))


def _page(made: Facts, words: Words) -> dict[str, Any]:
    return {
        "title": prose.title(made, words),
        "heading": words("html.section.position"),
        "position": _plain(prose.position(made, words)),
        "figures": onepage.figures(made, words),
        "points": [replace(one, spans=_plain(one.spans)) for one in onepage.points(made, words)],
    }


def _plain(spans: blocks.Spans) -> blocks.Spans:
    """Without links: what they lead to stands behind page one."""
    return tuple(replace(one, kind="text") if one.kind == "ref" else one for one in spans)


def _letters(made: Facts, words: Words, pair: Pair) -> dict[str, Any]:
    own = [draft for draft in letters.drafts(made) if any(_of(one.slip, pair) for one in draft.found)]
    shown = [(draft.kind, *letters.written(made, words, draft)) for draft in islice(own, LETTERS)]
    return {"letters": shown, "letters_total": len(own)}


def _of(slip: Any, pair: Pair) -> bool:
    return (domains.a_label(slip.typed), domains.a_label(slip.meant)) == pair.pair
