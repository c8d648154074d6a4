"""Zones that people named, and one sender with many wrong addresses."""

from __future__ import annotations

from forensics.casefile import CaseFile
from forensics.detector import detect, signals
from tests.detector.material import everyday, mail, view

CASE = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}, "domains": {"watched": ["*.mil"]}})


def test_a_watched_domain_is_not_meant_for_something_outside() -> None:
    rows = everyday()
    for n in range(12):
        rows += mail("eve@albion.example", f"person{n}@navy.ml", day=n)
    found = detect(view(rows), CASE)
    assert not [row for row in found.findings.to_pylist() if row["observed_domain"].endswith(".mil")]


def test_a_slip_inside_the_zone_is_still_found() -> None:
    found = detect(view(everyday() + mail("ada@albion.example", "officer1@nvay.mil", day=11)), CASE)
    assert [(row["observed_domain"], row["intended_domain"]) for row in found.findings.to_pylist()] == [
        ("nvay.mil", "navy.mil")
    ]


def test_one_writer_of_many_addresses_is_one_writer() -> None:
    rows = everyday()
    for n in range(12):
        rows += mail("eve@albion.example", f"person{n}@navy.ml", day=n)
    found = detect(view(rows), CASE)
    texts = [r["text"] for row in found.findings.to_pylist() for r in row["reasons"]]
    assert not [text for text in texts if "senders came to use navy.ml" in text]
    assert signals.APART == "30 days"


def test_a_slip_into_somebodys_domain_is_found_and_its_people_are_left_alone() -> None:
    """`.ml` cannot be a second name of `.mil`: what is known there is judged on its own merits."""
    rows = everyday()
    for day, local in enumerate(("a.keita", "o.diallo", "m.traore", "s.kone")):
        rows += mail("cyd@albion.example", f"{local}@navy.ml", day=2 + day)
        rows += mail(f"{local}@navy.ml", "cyd@albion.example", day=2.3 + day)
        rows += mail("dan@albion.example", f"{local}@navy.ml", day=6 + day)
    rows += mail("ada@albion.example", "officer1@navy.ml", day=11, message="slip")
    found = detect(view(rows), CASE)
    (one,) = found.findings.to_pylist()
    assert (one["delivery_id"], one["intended_address"]) == ("slip>officer1@navy.ml", "officer1@navy.mil")
    assert one["level"] in ("medium", "high")
    assert not {r["name"] for r in one["reasons"]} & {"strangers", "established", "own-mail", "writers"}
