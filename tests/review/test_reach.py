"""What a pair reaches is counted over every finding that a ruling on it is on, each outcome once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forensics.review.reach import reach
from forensics.schema import EXPOSURES

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "message": st.integers(0, 3),
            "sender": st.sampled_from(("", None, "a@example.org", "A@Example.org", "b@example.org")),
            "recipient": st.sampled_from(("x@navy.ml", "X@NAVY.ML", "y@navy.ml")),
            "exposure": st.sampled_from(EXPOSURES),
            "content_sent": st.sampled_from((True, False, None)),
        }
    ),
    min_size=1,
)


@given(ROWS)
def test_outcomes_add_up_to_the_findings(rows):
    told = reach(rows)
    assert told["exposed"] + told["handed_on"] + told["not_exposed"] == len(rows)
    assert told["content_sent"] <= told["not_exposed"]
    assert all(1 <= told[name] <= len(rows) for name in ("messages", "senders", "recipients"))


def test_one_person_written_in_two_ways_is_one():
    rows = [
        {"message": n, "sender": sender, "recipient": "x@navy.ml", "exposure": exposure, "content_sent": True}
        for n, (sender, exposure) in enumerate(
            [("a@example.org", "exposed"), ("A@Example.org", "handed-on"), ("b@example.org", "unsettled")]
        )
    ]
    assert reach(rows) == {
        "messages": 3, "senders": 2, "recipients": 1, "exposed": 1, "handed_on": 1, "not_exposed": 1,
        "content_sent": 1,
    }  # fmt: skip
