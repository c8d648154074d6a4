"""Deliveries with their rulings, and a small case with one mistyped domain, for tests of block rules."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from forensics import pipeline
from forensics.case import Case
from forensics.review.verdicts import NewVerdict, record
from tests.ingesting import message, to

ORG = "albion.example"


class Mail(NamedTuple):
    recipient: str
    state: str
    """confirmed, dismissed, undecided, open (a finding without ruling) or none (no finding)."""
    meant: str = "navy.mil"
    level: str = "high"
    direction: str = "outbound"


def case(folder: Path, *, confirm: bool) -> Path:
    """Two deliveries to contoso-marnie.com among 38 to contoso-marine.com; the pair confirmed or not."""
    text = ""
    for n in range(40):
        name = "contoso-marnie" if n in (21, 33) else "contoso-marine"
        relay = f"mx.{name}.com[203.0.113.{9 if n in (21, 33) else 5}]:25"
        at = f"2024-03-{n // 4 + 1:02}T10:{n:02}:00.000000+00:00"
        text += message(f"4{n:02}C2D3E4F", to(f"x@{name}.com", relay=relay), sender=f"{'ab'[n % 2]}@{ORG}", at=at)
    (folder / "mail.log").write_text(text)
    place = folder / "harbour"
    pipeline.ingest([folder / "mail.log"], place, org=[ORG])
    pipeline.detect(place)
    if confirm:
        record(Case(place), NewVerdict("contoso-marnie.com", "contoso-marine.com", "confirmed", "asked"), "R. Examiner")
    return place
