"""The other ministries hold what the public record counts, and are what they were when they were frozen."""

from __future__ import annotations

import hashlib

import pytest

from forensics import domains
from tests.bench import ministries
from tests.bench.mail import Message


@pytest.mark.parametrize("seed", ministries.DEVELOPMENT[:3])
def test_composition_of_the_public_record(seed: int) -> None:
    drawn = ministries.draw(seed)
    to_mali = [(m, g) for m in drawn.messages for g in m.legs if g.recipient.endswith(".ml")]
    wrong = [g for _, g in to_mali if g.label == "misdirected"]
    genuine = {domains.parts(g.recipient)[1] for _, g in to_mali if g.label == "genuine"}
    assert len({m.message_id for m, _ in to_mali}) == len(to_mali) == 55
    assert len(wrong) == 15 and all(g.intended == g.recipient[:-2] + "mil" for g in wrong)
    sends = {m.sender.rpartition("@")[2] for m in drawn.messages if not m.user}
    assert len(genuine - sends) >= 2 and genuine & sends
    written = {g.recipient.rpartition("@")[2] for m in drawn.messages for g in m.legs}
    assert any(name[:-2] + "mil" in written for name in genuine)


def digest(messages: list[Message]) -> str:
    said = "\n".join(
        f"{m.at:.3f} {m.sender} {g.recipient} {g.label} {g.intended} {g.outcome}" for m in messages for g in m.legs
    )
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def test_seeds_are_apart_and_the_cases_are_what_they_were() -> None:
    """Changing what the evaluation was reported on must not happen unnoticed."""
    sets = [set(s) for s in (ministries.FIRST, ministries.SECOND, ministries.FROZEN, ministries.DEVELOPMENT)]
    assert len(set.union(*sets)) == sum(map(len, sets)) == 110
    assert digest(ministries.draw(ministries.FIRST[0]).messages) == "c498f4e6ff9bdfdb"
    assert digest(ministries.draw(ministries.SECOND[0]).messages) == "6eb92fdec9c13e33"
    assert digest(ministries.draw(ministries.FROZEN[0]).messages) == "a0ff83ba08bc5864"
