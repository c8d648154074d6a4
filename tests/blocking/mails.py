"""Deliveries with their rulings, and a small case with one mistyped domain, for tests of block rules."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from forensics import pipeline
from forensics.case import Case
from forensics.review.verdicts import NewVerdict, record
from tests.ingesting import slipped

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
    (folder / "mail.log").write_text(slipped())
    place = folder / "harbour"
    pipeline.ingest([folder / "mail.log"], place, org=[ORG])
    pipeline.detect(place)
    if confirm:
        record(Case(place), NewVerdict("contoso-marnie.com", "contoso-marine.com", "confirmed", "asked"), "R. Examiner")
    return place
