"""What was answered about the domains that mail went to: a table of section 5, with the day of asking."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text.pieces import columns, cut_note, stamp
from forensics.report.text.wording import Words

ROWS = 100
"""Rows that are printed; incident.json has all."""
SERVERS = 3
"""Mail servers of one domain that are printed."""
_LAYOUT = "looked.domain:3 looked.at looked.state:2 looked.mail:3 looked.registered looked.registrant:2"


def grid(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """The table and what it cannot say; nothing where nobody asked."""
    rows = facts.looked
    if not rows:
        return
    yield from cut_note(words, ROWS, len(rows), "incident.json")
    yield b.Table(
        columns(words, _LAYOUT),
        tuple(
            b.cells(
                [
                    b.code(one.domain),
                    stamp(one.at),
                    words(f"looked.states.{one.state}"),
                    b.code(", ".join(one.mail[:SERVERS]) or "–"),
                    one.registered or "–",
                    b.code(one.registrant or "–"),
                ]
            )
            for one in rows[:ROWS]
        ),
        words("looked.caption"),
        small=True,
    )
    yield b.Para(b.text(words("looked.note")), "note")
