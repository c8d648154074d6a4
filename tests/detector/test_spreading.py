"""Reply-all: who made the slip, who only answered."""

from __future__ import annotations

from datetime import timedelta

from forensics.detector.spreading import Sent, carried_on, clusters
from tests.detector.material import START


def sent(name: str, writer: str, day: float, subject: str | None = None, co_recipients: str = "") -> Sent:
    others = frozenset(co_recipients.split())
    return Sent(name, writer, writer, START + timedelta(days=day), name, subject, others)


def test_reply_to_all_leads_back_to_the_first() -> None:
    messages = [
        sent("1", "ada@a", 0, "Visit", "ben@a x@navy.mil"),
        sent("2", "ben@a", 0.1, "Re: Visit", "ada@a x@navy.mil"),
        sent("3", "cyd@a", 0.2, "RE: re: visit", "ada@a ben@a x@navy.mil"),
    ]
    links = carried_on(messages)
    assert links == {"2": "1", "3": "2"}
    assert clusters(messages, links) == [{"ada@a", "ben@a", "cyd@a"}]


def test_same_company_without_subjects() -> None:
    co_recipients = "p@x q@x r@x s@x"
    assert carried_on([sent("1", "ada@a", 0, None, co_recipients), sent("2", "ben@a", 1, None, co_recipients)]) == {
        "2": "1"
    }


def test_strangers_and_late_writers_are_their_own() -> None:
    assert carried_on([sent("1", "ada@a", 0, "Visit", "x@y"), sent("2", "ben@a", 1, "Lunch", "z@y")]) == {}
    assert carried_on([sent("1", "ada@a", 0, "Visit", "ben@a"), sent("2", "ben@a", 40, "Re: Visit", "ada@a")]) == {}
    # The same subject by chance, to nobody in common.
    assert carried_on([sent("1", "ada@a", 0, "Hello", "x@y"), sent("2", "ben@a", 1, "Hello", "z@y")]) == {}


def test_one_writer_never_carries_on_from_oneself() -> None:
    assert carried_on([sent("1", "ada@a", 0, "Visit", "ben@a"), sent("2", "ada@a", 1, "Re: Visit", "ben@a")]) == {}
