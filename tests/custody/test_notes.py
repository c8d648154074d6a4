"""What loaders noted, read back from manifests of this version, of others, and of people."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.custody import notes

LOSS = {
    "kind": "rate-limit",
    "host": "mx1",
    "at": "2024-03-05T11:00:00+01:00",
    "count": 245,
    "number": 5,
    "offset": 512,
    "text": "imuxsock lost 245 messages",
}


def test_losses_in_order_of_time() -> None:
    found = notes.losses({"losses": [LOSS, {"kind": "rotated", "at": None, "count": None, "number": 9}]})
    assert [(one.kind, one.at, one.count, one.number) for one in found] == [
        ("rotated", None, None, 9),
        ("rate-limit", datetime(2024, 3, 5, 10, tzinfo=UTC), 245, 5),
    ]
    assert (found[1].host, found[1].offset, found[1].text) == ("mx1", 512, "imuxsock lost 245 messages")


@pytest.mark.parametrize(
    "at", ["2024-03-05T10:00:00", "2024-03-05T10:00:00Z", "2024-03-05 10:00:00+00:00", 1_709_632_800_000_000]
)
def test_a_time_however_it_was_written(at: Any) -> None:
    (one,) = notes.losses({"losses": [LOSS | {"at": at}]})
    assert one.at == datetime(2024, 3, 5, 10, tzinfo=UTC)


def test_totals_are_of_all_where_the_list_is_cut() -> None:
    totals = {"rate-limit": {"records": 900, "count": 9_000, "first": "2024-03-05T10:00:00Z", "last": None}}
    (one, two) = notes.loss_totals({"losses": [LOSS, {"kind": "rotated"}], "loss_totals": totals})
    assert (one.kind, one.records, one.count) == ("rate-limit", 900, 9_000)
    assert one.first == one.last == datetime(2024, 3, 5, 10, tzinfo=UTC)
    assert (two.kind, two.records, two.count, two.first) == ("rotated", 1, None, None)
    assert notes.loss_totals({}) == notes.loss_totals({"loss_totals": {"x": 3, "y": {}}}) == ()


def test_other_lines_and_sentences() -> None:
    found = notes.other_lines(
        {"other_lines": [{"program": "b", "count": 1}, {"program": "a", "count": 7, "text": "x"}]}
    )
    assert [(one.program, one.count, one.text) for one in found] == [("a", 7, "x"), ("b", 1, "")]
    assert notes.noted({"noted": ["one", "two", "one", "", 3]}) == ("one", "two")
    assert notes.noted({}) == notes.noted({"noted": None}) == ()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(LOSS)) | st.text(), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["noted", "losses", "loss_totals", "other_lines"]), values))
def test_whatever_stands_there_is_no_error(found: dict[str, Any]) -> None:
    for one in notes.losses(found):
        assert one.at is None or one.at.tzinfo is not None
        assert one.count is None or one.count >= 0
    assert all(total.records > 0 for total in notes.loss_totals(found))
    notes.other_lines(found)
    notes.noted(found)
