"""The sheets that readers fill in: the same domains for both, without score or candidate; kappa by hand."""

from __future__ import annotations

from forensics.detector import history
from tests.bench import labelling
from tests.detector.material import everyday, mail, view


def test_both_readers_get_the_same_silent_domains_in_another_order() -> None:
    rows = everyday()
    for n in range(9):
        rows += mail("ada@albion.example", f"x@quiet{n}.example", "clerk1@shipyard.co.uk", day=n)
    connection = view(rows)
    history.build(connection)
    one, other = (labelling.drawn(connection, 6, "seed", reader) for reader in "AB")
    assert [row["domain"] for row in one] != [row["domain"] for row in other]
    assert sorted(map(str, one)) == sorted(map(str, other)) and len(one) == 6
    assert all(tuple(row) == labelling.COLUMNS and row["domain"].startswith("quiet") for row in one)
    assert one[0]["beside"] == "shipyard.co.uk"


def test_kappa_of_two_readings() -> None:
    one = dict(zip("abcdefghij", ["mistyped"] * 5 + ["genuine"] * 5, strict=True))
    other = one | {"e": "genuine", "j": "unknowable"}
    told = labelling.compare(one, other | {"z": "genuine"})
    # Agreed .8; by chance .5 · .4 + .5 · .5 + 0 · .1 = .45.
    assert told["kappa"] == 0.6364 and told["differ"] == ["e", "j"] and told["read by both"] == 10
    assert labelling.compare({}, {})["kappa"] is None and labelling.compare(one, one)["kappa"] == 1.0


def test_what_two_readers_agree_on_is_scored() -> None:
    one = {
        "gmial.com": ("mistyped", "gmail.com"), "navy.ml": ("mistyped", "navy.mil"), "a.example": ("genuine", ""),
        "b.example": ("genuine", ""), "c.example": ("unknowable", ""), "d.example": ("mistyped", "e.example"),
    }  # fmt: skip
    other = one | {"d.example": ("mistyped", "f.example"), "a.example": ("unknowable", "")}
    found = {"gmial.com": (0.99, "gmail.com"), "navy.ml": (0.2, "navy.mil"), "b.example": (0.6, "c.example")}
    told = labelling.scored(found, [one, other])
    assert (told["mistyped"], told["right domain"], told["genuine"]) == (2, 1, 1)
    assert (told["missed"], told["false"]) == (["navy.ml"], ["b.example"])
