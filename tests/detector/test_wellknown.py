"""First contacts: the domain meant never appears; and the list that suggests it, itself free of slips."""

from __future__ import annotations

import re
from typing import Any

import pytest

from forensics import domains
from forensics.casefile import CaseFile
from forensics.detector import detect, wellknown
from forensics.detector.candidates import find
from tests.detector.material import Row, everyday, mail, view

CASE = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}})
GONE = {"outcome": "bounced", "status_code": "5.4.4", "response": "Host or domain name not found"}


def test_no_entry_is_a_slip_of_another() -> None:
    names = wellknown.names()
    near = {frozenset((c.typed, c.meant)) for c in find(sorted(names), names) if c.slip.kind in wellknown.KINDS}
    assert [sorted(pair) for pair in near if not pair <= wellknown.siblings()] == []
    assert wellknown.siblings() <= names


def test_entries_are_registered_or_registries_own_names_and_the_list_is_dated() -> None:
    assert all(domains.split(name).suffix and domains.a_label(name) == name for name in wellknown.names())
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", wellknown.reviewed())
    for typo in ("gmial.com", "hotmial.com", "hotmail.co", "gmail.co", "yaho.com", "outlok.com"):
        assert typo not in wellknown.names()


def findings(rows: list[Row]) -> dict[str, dict[str, Any]]:
    return {f["observed_domain"]: f for f in detect(view(rows), CASE).findings.to_pylist()}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("hotmal.com", "hotmail.com"),
        ("havrard.edu", "harvard.edu"),
        ("yahooo.com", "yahoo.com"),
    ],
)
def test_a_first_contact_at_a_name_that_everybody_knows(typed: str, meant: str) -> None:
    one = findings(everyday() + mail("ada@albion.example", f"kim.lee@{typed}", day=5, **GONE))[typed]
    assert one["intended_domain"] == meant and one["score"] >= 0.5
    assert {"unseen", "listed"} <= {r["name"] for r in one["reasons"]}


def test_people_of_its_own_that_write_are_no_first_contact() -> None:
    rows = everyday()
    for n in range(4):
        rows += mail(f"p{n}@gmaul.com", "ada@albion.example", day=n) + mail(
            "ada@albion.example", f"p{n}@gmaul.com", day=n + 1
        )
    assert "gmaul.com" not in {name for name, one in findings(rows).items() if one["level"] != "low"}


@pytest.mark.parametrize("typed", ["gmail.org", "outlook.at", "mod.uk", "cam.uk", "fastmail.fm"])
def test_another_suffix_or_a_short_name_is_somebodys(typed: str) -> None:
    assert typed not in findings(everyday() + mail("ada@albion.example", f"kim.lee@{typed}", day=5))
