"""Records in any order: as they were logged, within a second in any, newest first, in blocks, in none."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.loaders import base, timing
from forensics.loaders.postfix import assembling, read
from forensics.loaders.settings import Settings
from forensics.loaders.years import Clock
from tests.ingesting import line, message, to

ID = "4B1C2D3E4F"
YEAR = Settings(year=2024)


class Lines:
    """A block of lines."""

    offset = 0
    last = True

    def __init__(self, lines: list[str]) -> None:
        self.data = np.frombuffer("".join(lines).encode(), np.uint8)


def legs(lines: list[str]) -> list[Any]:
    """What the lines of one block say, without the places of records."""
    scan = read.scan(Lines(lines), base.ScanContext(evidence=0, number=1, plan=timing.Plan(Clock(2024))))
    waiting = assembling.assemble(scan.events, final=False)
    assert waiting.fragments is not None
    resumed = told(assembling.assemble(read.resume(waiting.fragments), final=True))
    assert told(assembling.assemble(scan.events, final=True)) == resumed
    return resumed


def told(made: base.Assembled) -> list[Any]:
    """Hops and legs without what numbers them."""
    hops = {row["hop"]: row for row in made.hops.drop_columns(["records"]).to_pylist()}
    rows = [(leg, hops[leg["hop"]]) for leg in made.legs.drop_columns(["records"]).to_pylist()]
    return sorted(
        (
            tuple(str(v) for k, v in hop.items() if k not in ("hop", "born")),
            tuple(str(v) for k, v in leg.items() if k != "hop"),
        )
        for leg, hop in rows
    )


def test_any_order_of_five_lines_of_one_second() -> None:
    lines = message(ID, to("x@navy.example")).splitlines(keepends=True)
    expected = legs(lines)
    assert len(lines) == 5 and len(expected) == 1
    for order in itertools.permutations(lines):
        assert legs(list(order)) == expected


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_any_order_of_five_lines_of_two_seconds(cut: int) -> None:
    lines = message(ID, to("x@navy.example")).splitlines(keepends=True)
    lines[cut:] = [one.replace("10:00:00", "10:00:01") for one in lines[cut:]]
    expected = legs(lines)
    for order in itertools.permutations(lines):
        assert legs(list(order)) == expected


SENT = st.sampled_from(["sent (250 ok)", "sent (250 2.0.0 Ok: queued as 9F8E7D6C5B)"])
TRIES = st.lists(
    st.tuples(
        st.sampled_from(["a@navy.example", "A@navy.example", "b@navy.example"]),
        SENT | st.sampled_from(["deferred (later)", "deferred (busy)", "bounced (no)"]),
        st.sampled_from([None, "list@albion.example", "all@albion.example"]),
    ),
    min_size=1,
    max_size=5,
)


@given(TRIES, st.sampled_from(["removed", "expired", "goes on"]), st.randoms(use_true_random=False))
def test_any_order_of_one_second(tries: Any, end: str, rng: random.Random) -> None:
    """Several recipients, spelled and expanded in several ways, tried several times."""
    texts = [to(address, status, orig_to=original) for address, status, original in tries]
    lines = message(ID, *texts, removed=False).splitlines(keepends=True)
    if end == "expired":
        lines.append(line(f"postfix/qmgr[4]: {ID}: from=<ann@albion.example>, status=expired, returned to sender"))
    if end != "goes on" and any("bounced" in one for one in lines):
        lines.append(line(f"postfix/bounce[6]: {ID}: sender non-delivery notification: 8B1C2D3E4F"))
    if end != "goes on":
        lines.append(line(f"postfix/qmgr[4]: {ID}: removed"))
    shuffled = list(lines)
    rng.shuffle(shuffled)
    assert legs(shuffled) == legs(lines)


def test_record_order_tells_two_uses_of_an_id_apart() -> None:
    """The id is given anew in the second in which the message before was removed."""
    first = message(ID, to("x@navy.example"), message_id="m1").splitlines(keepends=True)
    second = message(ID, to("y@navy.example"), sender="ben@albion.example", message_id="m2").splitlines(keepends=True)
    first[3:] = [one.replace("10:00:00", "10:00:01") for one in first[3:]]
    second = [one.replace("10:00:00", "10:00:01") for one in second]
    found = legs(first + second)
    assert [leg[0] for _, leg in found] == ["x@navy.example", "y@navy.example"]
    assert ["ann@albion.example" in found[0][0], "ben@albion.example" in found[1][0]] == [True, True]


def test_an_id_given_anew_where_a_second_stands_in_no_order() -> None:
    """What was removed in that second is the message before."""
    first = message(ID, to("x@navy.example", "deferred (later)"), message_id="m1").splitlines(keepends=True)
    first[4] = first[4].replace("10:00:00", "10:00:05")
    again = message(ID, to("y@navy.example"), sender="ben@albion.example", message_id="m2", removed=False)
    second = [one.replace("10:00:00", "10:00:05") for one in again.splitlines(keepends=True)]
    expected = legs(first + second)
    assert len(expected) == 2
    mixed = [second[2], first[4], second[1], second[0], second[3]]
    assert legs(first[:4] + mixed) == expected


def test_a_late_line_behind_the_next_use_of_its_queue_id() -> None:
    """The first message is whole within the block, the second goes on elsewhere: what is put in order stays with its
    message, and comes to rows once."""

    def of(id: str, clock: str, recipient: str, **more: Any) -> list[str]:
        stamp = f"2024-03-01T{clock}.000000+00:00"
        return message(id, to(f"{recipient}@navy.example"), at=stamp, **more).splitlines(keepends=True)

    client, named, queued, late, removed = of(ID, "10:00:01", "x")
    second = of(ID, "10:00:04", "y", removed=False)
    around = [
        [one for n in range(read.NEAR // 4) for one in of(f"{hour}{n:08X}", f"{hour}:00:00", "z")]
        for hour in ("08", "12")
    ]
    lines = [*around[0], named, client, queued, removed, second[0], late, *second[1:], *around[1]]
    scan = read.scan(Lines(lines), base.ScanContext(evidence=0, number=1, plan=timing.Plan(Clock(2024))))
    whole = told(assembling.assemble(scan.events, final=True))
    parts = assembling.assemble(scan.events, final=False)
    assert parts.fragments is not None
    rest = told(assembling.assemble(read.resume(parts.fragments), final=True))
    assert len(whole) == 2 + 2 * (read.NEAR // 4)
    assert [leg for leg in told(parts) if "x@navy.example" in leg[1]]
    assert sorted([*told(parts), *rest]) == whole
