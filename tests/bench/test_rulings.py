"""Rulings on unlabelled findings: well formed, and no name of other people's material in them."""

from __future__ import annotations

import re

from tests.bench import labelled


def test_rulings_are_whole_and_name_nobody() -> None:
    found = labelled.rows(labelled.RULINGS)
    assert found
    assert len({(r["log"], r["pair"]) for r in found}) == len(found)
    for r in found:
        assert re.fullmatch(r"[0-9a-f]{16}", r["pair"])
        assert r["verdict"] in ("mistyped", "genuine", "undecided")
        assert r["reviewer"] == "project" and len(r["reason"]) > 20
        assert not re.search(r"\w\.\w|@", r["reason"])


def test_a_ruling_is_found_by_its_pair() -> None:
    assert labelled.digest("a.example", "b.example") == "3d61161230f01c68"
    assert set(labelled.ruled("replay-intel").values()) <= {"mistyped", "genuine", "undecided"}
    assert labelled.ruled("no such log") == {}
