"""What one evidence says beside its deliveries, for its notes in the manifest: other lines by shape, losses that the
log itself confesses, and sentences that a reader must know.

    other_lines   [{program, shape, count, number, offset, length, text}]  the commonest shapes, each with its first
                  line; `shape` is empty where further shapes are counted together
    losses        [{kind, host, at, count, number, offset, text}]  the earliest of each kind; `at` ISO 8601 UTC
    loss_totals   {kind: {records, count, first, last}}  exact: how many such rows, the sum of their counts
    noted         [sentence]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.loaders.base import LOSSES, Example
from forensics.loaders.losses import KINDS

SHAPES = 50
"""Shapes of other lines that are listed."""
LISTED = 50
"""Losses of one kind that are listed."""
_HELD = 5_000
"""Shapes that are counted apart while an evidence is read."""

SENTENCES = {
    "lost": "the logging daemon says that {count} records were lost ({records} such notices{when})",
    "begins to drop": "the logging daemon began to drop records {records} times, without saying how many{when}",
    "suppressed": "the journal suppressed {count} records for its rate limit ({records} such notices{when})",
    "missed": "{count} records were missed between journal and syslog ({records} such notices{when})",
    "repeated": "{count} repeated records were not logged one by one ({records} such notices{when})",
    "not written": "the logging daemon could not write {records} times{when}",
    "logger stopped": (
        "the logging daemon was stopped {records} times{when}: what happened until it ran again is missing"
    ),
    "journal replaced": "a damaged journal was put aside {records} times{when}",
    "journal vacuumed": "old journal files were removed {records} times{when}",
    "journal begins": "the journal says from when on it has records ({records} such notices{when})",
    "reboot": "the machine was started anew {records} times{when}",
    "runs on": (
        "{records} records hold, in a reply or a subject, what looks like a further record{when}; it was not read as "
        "one, since whoever wrote that text can have made it up"
    ),
    "sequence gap": (
        "the records' own numbers leave out {count} records ({records} gaps{when}): they are lost, or were not given "
        "with the others"
    ),
    "recipients": (
        "{count} recipients of {records} messages are not in the log, though their messages left the queue{when}"
    ),
    "letters": (
        "{count} recipients have a domain with a sign in it (`?` or U+FFFD) that stands for a letter which was "
        "lost{when}: what was logged cannot be told, and such domains are compared with no other; hand in the file "
        "before it was converted"
    ),
    "begins outside": "{records} messages begin outside the evidence{when}",
    "ends outside": "{records} messages end outside the evidence, or waited when it ended{when}",
    "shared id": (
        "{records} times a message got a queue id while another still had it{when}: two servers log under one name; "
        "whose the recipients are that follow is not known, so they are told without a sender"
    ),
}
"""What is said of each kind of loss."""


class Remarks:
    """Of one evidence; pieces may come in any order, as long as there are no more shapes than are counted apart."""

    def __init__(self) -> None:
        self._examples: dict[tuple[str, str], Example] = {}
        self._totals: dict[str, list[int | None]] = {}
        self._losses: pa.Table | None = None
        self._noted: set[str] = set()

    def add(self, examples: Iterable[Example], losses: pa.Table | None, noted: Iterable[str]) -> None:
        """`losses`: of this evidence alone."""
        for one in examples:
            known = len(self._examples) < _HELD or (one.program, one.shape) in self._examples
            self._count(one if known else _of(one, shape=""))
        self._noted.update(noted)
        if losses is not None and len(losses):
            self._sum(losses)
            held = losses if self._losses is None else pa.concat_tables([self._losses, losses])
            self._losses = _earliest(held)

    def _count(self, one: Example) -> None:
        before = self._examples.get((one.program, one.shape))
        if before is None:
            self._examples[one.program, one.shape] = one
        else:
            first = min(before, one, key=lambda e: e.number)
            self._examples[one.program, one.shape] = _of(first, count=before.count + one.count)

    def _sum(self, losses: pa.Table) -> None:
        grouped = losses.group_by("kind").aggregate(
            [([], "count_all"), ("count", "sum"), ("count", "count"), ("at", "min"), ("at", "max")]
        )
        for row in grouped.to_pylist():
            told = row["count_sum"] if row["count_count"] else None
            total = self._totals.setdefault(row["kind"], [0, None, None, None])
            total[0] = (total[0] or 0) + row["count_all"]
            total[1] = _both(total[1], told, lambda a, b: a + b)
            total[2] = _both(total[2], row["at_min"], min)
            total[3] = _both(total[3], row["at_max"], max)

    def notes(self) -> dict[str, Any]:
        """Keys only for what there is."""
        out: dict[str, Any] = {}
        if self._examples:
            out["other_lines"] = _listed(self._examples.values())
        if self._losses is not None:
            columns = [name for name in LOSSES.names if name != "evidence"]
            rows = self._losses.select(columns).to_pylist()
            out["losses"] = [{**row, "at": _iso(row["at"])} for row in rows]
            out["loss_totals"] = {
                kind: {"records": total[0], "count": total[1], "first": _iso(total[2]), "last": _iso(total[3])}
                for kind, total in sorted(self._totals.items())
            }
            self._noted.update(self._sentences(out["losses"]))
        if self._noted:
            out["noted"] = sorted(self._noted)
        return out

    def _sentences(self, losses: list[dict[str, Any]]) -> Iterable[str]:
        for kind in KINDS:
            if kind not in self._totals:
                continue
            records, count, first, last = self._totals[kind]
            if kind == "recipients" and records == 1:
                text = next(one["text"] for one in losses if one["kind"] == kind)
                yield f"{text}, though the message left the queue{_when(first, last)}"
                continue
            sentence = SENTENCES[kind].format(records=f"{records:,}", count=f"{count or 0:,}", when=_when(first, last))
            yield _singular(sentence) if records == 1 else sentence


def of_evidence(table: pa.Table | None) -> Mapping[int, pa.Table]:
    """Rows of `LOSSES` by the evidence's position."""
    if table is None or not len(table):
        return {}
    named = sorted(table["evidence"].unique().to_pylist())
    return {one: table.filter(pc.equal(table["evidence"], one)) for one in named}


def _earliest(losses: pa.Table) -> pa.Table:
    """The earliest rows of each kind, in order of time, then record."""
    order = ("kind", "at", "number", "text", "count", "host", "offset")
    ordered = losses.sort_by([(name, "ascending") for name in order])
    kinds = ordered["kind"].unique().to_pylist()
    parts = [ordered.filter(pc.equal(ordered["kind"], kind)).slice(0, LISTED) for kind in kinds]
    return pa.concat_tables(parts).combine_chunks()


def _listed(examples: Iterable[Example]) -> list[dict[str, Any]]:
    """The commonest shapes; the others together, by program."""
    ordered = sorted(examples, key=lambda e: (e.shape == "", -e.count, e.program, e.shape))
    rest: dict[str, Example] = {}
    for one in ordered[SHAPES:]:
        before = rest.get(one.program)
        first = one if before is None else min(before, one, key=lambda e: e.number)
        rest[one.program] = _of(first, shape="", count=one.count + (before.count if before else 0))
    kept = ordered[:SHAPES]
    return [dict(vars(one)) for one in (*kept, *(rest[program] for program in sorted(rest)))]


def _of(one: Example, **changes: Any) -> Example:
    return Example(**{**vars(one), **changes})


def _both(a: int | None, b: int | None, join: Any) -> int | None:
    return b if a is None else a if b is None else join(a, b)


def _iso(micros: int | None) -> str | None:
    if micros is None:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _when(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return ""
    start, end = (str(_iso(one))[:19].replace("T", " ") for one in (first, last))
    return f", {start} UTC" if start == end else f", {start} to {end} UTC"


def _singular(sentence: str) -> str:
    for many, one in (
        ("1 such notices", "1 such notice"), ("1 times", "once"), ("1 messages begin ", "1 message begins "),
        ("1 records hold", "1 record holds"), ("1 messages end ", "1 message ends "), ("(1 gaps", "(1 gap"),
        ("that 1 records were", "that 1 record was"),
    ):  # fmt: skip
        sentence = sentence.replace(many, one)
    return sentence
