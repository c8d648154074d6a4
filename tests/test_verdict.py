"""The verdict line: what became of the deliveries that it counts, and no more than the logs tell."""

from __future__ import annotations

import pytest

from forensics import verdict

COUNTED = {
    "findings": 5, "messages": 4, "exposed": 0, "handed_on": 0, "not_exposed": 5, "unsettled": 0, "not_measured": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "unknown", "said"),
    [
        (0, 0, "5 refused or not delivered."),
        (2, 0, "not delivered (2 of those not accepted had been sent to the server, in whole or in part)."),
        (2, 3, "had been sent to the server, in whole or in part; of 3 it is not known)."),
        (0, 3, "not delivered (of 3 of those not accepted it is not known whether anything had been sent)."),
    ],
)
def test_a_refusal_does_not_say_that_nothing_left(sent: int, unknown: int, said: str) -> None:
    assert verdict.found(COUNTED | {"content_sent": sent, "stage_unknown": unknown}, 90).endswith(said)
