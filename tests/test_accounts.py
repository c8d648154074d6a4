"""What counts as read, and shares that never round something to nothing or a part to the whole."""

from __future__ import annotations

import doctest
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import accounts, cells, results, unread, verdict


@dataclass(frozen=True)
class One:
    loader: str
    used: int = 0
    unread: int = 0
    duplicates: int = 0


READ, LACKING, NOT_READ = One("a", 9), One("a", 9, 1), One("a", 0, 3)


@pytest.mark.parametrize("module", [accounts, cells, unread, results, verdict], ids=lambda module: module.__name__)
def test_examples(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted and not found.failed


@pytest.mark.parametrize(
    ("evidence", "systems"),
    [
        ([], ()),
        ([READ], ()),
        ([LACKING], ()),
        # the only evidence, or a system of two files
        ([NOT_READ], ("a",)),
        ([NOT_READ, NOT_READ], ("a",)),
        ([NOT_READ, READ], ()),
        ([NOT_READ, One("b", 5)], ()),
        ([NOT_READ, NOT_READ, One("b", 5)], ("a",)),
        ([NOT_READ, One("b", 0, 5)], ()),
        # nothing of it bears on deliveries: it was understood
        ([One("a")], ()),
        # what an earlier evidence holds too was read there
        ([One("a", 0, 1, duplicates=9)], ()),
    ],
)
def test_a_system_is_wholly_unread(evidence: list[One], systems: tuple[str, ...]) -> None:
    assert accounts.unread_systems(evidence) == systems


@given(st.integers(1, 10**9).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_is_not_rounded_away(numbers: tuple[int, int]) -> None:
    part, whole = numbers
    bound, value, _ = accounts.percentage(part, whole)
    assert (value == 0) == (part == 0)
    assert (value == 100) == (part == whole)
    assert bound or abs(value - 100 * part / whole) <= 0.5
