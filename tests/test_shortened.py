"""Ids of deliveries by their beginning: never another delivery than the one that was named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import shortened
from forensics.errors import UsageError

ID = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.sets(ID, min_size=1, max_size=8), st.integers(0, 40), st.data())
def test_a_beginning_names_the_one_that_begins_so_or_none(ids: set[str], length: int, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(ids)))[:length]
    fit = [one for one in ids if one.startswith(name)]
    if length < shortened.LEAST:
        assert shortened.whole(name, ids) is None
    elif len(fit) > 1:
        with pytest.raises(UsageError, match="several deliveries begin so"):
            shortened.whole(name, ids)
    else:
        assert [shortened.whole(form, ids) for form in (name, name.upper(), f" {name}\n")] == fit * 3


def test_a_whole_id_wins_over_a_longer_one() -> None:
    assert shortened.whole("deadbeef", ["deadbeef", "deadbeef00"]) == "deadbeef"


def test_what_is_none_is_none() -> None:
    assert [shortened.whole(name, ["deadbeef00"]) for name in ("", "  ", "deadbee", "feedbeef", "%eadbeef")] == [
        None
    ] * 5


def test_of_many_the_first_five_are_listed() -> None:
    with pytest.raises(UsageError, match=r"deadbeef4 and others\s+expected: more of the id"):
        shortened.whole("deadbeef", [f"deadbeef{n}" for n in range(9)])
