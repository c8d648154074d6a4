"""A relay of the organisation's own takes mail for everybody: that it took mail for two domains ties them no closer."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import pipeline, store
from forensics.case import Case
from tests.ingesting import message, to

ORG = "albion.example"
DOMAINS = (*(f"partner-{word}.com" for word in ("alpha", "bravo", "charlie", "delta")), "contoso-marine.com")


def score(folder: Path, relay: str) -> float:
    """The score of one slip among mail to five domains; `relay`: who takes it, with the recipient's domain in place of
    `DOMAIN`."""
    folder.mkdir()
    text = ""
    for n in range(41):
        domain = "contoso-marnie.com" if n == 33 else DOMAINS[n % 5] if n % 2 else DOMAINS[-1]
        who = f"x@{domain}"
        text += message(
            f"4{n:02}C2D3E4F",
            to(who, relay=relay.replace("DOMAIN", domain)),
            sender=f"{'ab'[n % 2]}@{ORG}",
            at=f"2024-03-{n // 4 + 1:02}T10:{n:02}:00.000000+00:00",
        )
    (folder / "mail.log").write_text(text)
    pipeline.ingest([folder / "mail.log"], folder / "case", org=[ORG])
    pipeline.detect(folder / "case")
    found = store.read(Case(folder / "case"), "findings").to_pylist()
    return max((f["score"] for f in found if f["observed_domain"] == "contoso-marnie.com"), default=0.0)


@pytest.mark.parametrize(
    "relay",
    [
        "smarthost.provider.net[203.0.113.40]:25",  # took mail for every domain
        "eu-smtp-outbound-1.mimecast.com[203.0.113.41]:25",  # a listed service for outgoing mail
        "relay.albion.example[10.0.0.9]:25",  # inside
    ],
)
def test_a_next_hop_changes_nothing(tmp_path: Path, relay: str) -> None:
    apart = score(tmp_path / "apart", "mx.DOMAIN[203.0.113.5]:25")
    through = score(tmp_path / "through", relay)
    assert apart > 0.5
    assert through == pytest.approx(apart, abs=0.05)
