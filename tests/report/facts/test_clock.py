"""The 72 hours, the block, and public claims: computed from what is stated, never assumed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from forensics.errors import CaseError
from forensics.report.facts import Statement, clock, statements
from forensics.report.facts.questionnaire import Claim, Questionnaire
from forensics.report.text import passages
from forensics.report.text.blocks import plain
from forensics.report.text.wording import load
from tests.report import made

LONDON = ZoneInfo("Europe/London")
AWARE = datetime(2023, 4, 3, 14, 30, tzinfo=UTC)
WORDS = load()


def answers(**sections: Any) -> Questionnaire:
    return Questionnaire.model_validate(sections)


def test_no_clock_without_an_answer() -> None:
    told = clock.clock(answers(), LONDON, AWARE)
    assert (told.state, told.aware_at, told.deadline, told.remaining_seconds) == ("not-answered", None, None, None)


@pytest.mark.parametrize(
    ("as_of", "notified", "state"),
    [
        (None, None, "deadline"),
        (AWARE + timedelta(hours=71), None, "running"),
        (AWARE + timedelta(hours=72), None, "running"),
        (AWARE + timedelta(hours=73), None, "passed"),
        (AWARE + timedelta(hours=73), AWARE + timedelta(hours=72), "notified-in-time"),
        (None, AWARE + timedelta(hours=72, seconds=1), "notified-late"),
    ],
)
def test_states_of_the_clock(as_of: datetime | None, notified: datetime | None, state: str) -> None:
    given = answers(discovery={"aware_at": AWARE}, notification={"notified_at": notified} if notified else {})
    told = clock.clock(given, LONDON, as_of)
    assert told.state == state
    assert told.deadline == AWARE + timedelta(hours=72)
    assert clock.delayed(told) == (state in ("passed", "notified-late"))


def test_a_time_without_offset_is_the_organisations() -> None:
    told = clock.clock(answers(discovery={"aware_at": "2023-07-01T10:00:00"}), LONDON, None)
    assert told.aware_at == datetime(2023, 7, 1, 9, 0, tzinfo=UTC)


def test_reasons_for_delay_become_required_when_late() -> None:
    late = made.facts(5, as_of=AWARE + timedelta(hours=100))
    early = made.facts(5, as_of=AWARE + timedelta(hours=1))
    assert late.questionnaire["discovery.delay_reasons"].required
    assert not early.questionnaire["discovery.delay_reasons"].required
    assert late.questionnaire.required == early.questionnaire.required + 1
    said = " ".join(plain(p) for p in passages.clock(late, WORDS))
    assert "NOT YET ANSWERED" in said


def facts_blocked(at: str) -> Any:
    questionnaire = {**made.QUESTIONNAIRE, "measures": {"blocked_at": at}}
    return made.facts(60, case=made.casefile(questionnaire=questionnaire))


def test_the_block_holds_only_as_far_as_the_logs_run() -> None:
    last = made.facts(60).findings[-1].resolved_at
    assert last is not None
    held = facts_blocked((last + timedelta(minutes=1)).isoformat()).containment
    assert held.state == "holds"
    assert held.legitimate_after.value > 0
    broken = facts_blocked((last - timedelta(hours=3)).isoformat()).containment
    assert broken.state == "broken"
    assert broken.accepted_after.value >= 1
    assert facts_blocked("2031-01-01T00:00:00Z").containment.state == "not-covered"


def checked(check: str, value: Any, *, confirmed: bool = False) -> Statement:
    facts = made.facts(40, verdicts=[made.CONFIRM] if confirmed else [])
    claim = Claim(claim="x", check=check, value=value)  # type: ignore[arg-type]
    return statements.check([claim], facts.findings, facts.coverage.first, facts.coverage.last, LONDON)[0]


def test_a_limit_is_supported_contradicted_or_open_until_reviewed() -> None:
    confirmed = sum(x.slip.typed == "navy.ml" for x in made.facts(40).findings)
    assert checked("messages-at-most", 1000).result == "supported"
    assert checked("messages-at-most", 5).result == "not-determinable"
    assert checked("messages-at-most", confirmed, confirmed=True).result == "not-determinable"
    assert checked("messages-at-most", confirmed - 1, confirmed=True).result == "contradicted"


def test_findings_held_for_review_keep_a_limit_open() -> None:
    facts = made.facts(40)
    head, held = facts.groups.headline.messages.value, facts.groups.review.messages.value
    assert held > 0
    at_limit = checked("messages-at-most", head)
    assert (at_limit.result, at_limit.basis) == ("not-determinable", "review-open")
    assert "await review" in plain(passages.statement(facts, at_limit, WORDS))
    assert checked("messages-at-most", head + held).result == "supported"


def test_ends_are_supported_only_where_the_logs_reach() -> None:
    assert checked("not-after", date(2023, 4, 10)).result == "supported"
    assert checked("not-after", date(2030, 1, 1)).result == "not-determinable"
    assert checked("not-after", date(2023, 3, 19), confirmed=True).result == "contradicted"
    assert checked("not-before", made.START).result == "supported"
    assert checked("not-before", date(2022, 1, 1)).result == "not-determinable"


def test_nothing_is_supported_where_much_was_not_read() -> None:
    facts = made.facts(40, verdicts=[made.CONFIRM])
    claims = [Claim(claim="x", check="messages-at-most", value=value) for value in (1000, 1)]
    span = facts.coverage.first, facts.coverage.last
    many, few = statements.check(claims, facts.findings, *span, LONDON, read=False)
    assert (many.result, many.basis) == ("not-determinable", "not-read")
    assert "could be read" in plain(passages.statement(facts, many, WORDS))
    assert few.result == "contradicted", "what was read contradicts all the same"


def test_what_logs_cannot_tell_is_said_to_be_so() -> None:
    assert checked("none", None).result == "not-determinable"
    assert checked("only-encrypted", None).result == "supported"
    assert checked("only-domains", ("ml", "mli", "com")).result == "supported"
    assert checked("only-domains", ("navy.ml",)).result == "not-determinable"


@pytest.mark.parametrize(("check", "value"), [("messages-at-most", None), ("not-after", 5), ("only-domains", 5)])
def test_a_check_without_its_value_is_an_error(check: str, value: Any) -> None:
    with pytest.raises(CaseError, match=check):
        checked(check, value)


def test_a_limit_in_time_reads_like_one() -> None:
    said = plain(passages.statement(made.facts(5), checked("not-after", date(2023, 3, 19), confirmed=True), WORDS))
    assert "after 20 March 2023, 00:00 UTC" in said


def test_every_basis_has_its_sentence() -> None:
    for check, value in (("messages-at-most", 5), ("messages-at-most", 900), ("not-after", date(2030, 1, 1)),
                         ("not-after", date(2023, 3, 19)), ("only-encrypted", None), ("none", None)):  # fmt: skip
        for confirmed in (False, True):
            assert plain(passages.statement(made.facts(5), checked(check, value, confirmed=confirmed), WORDS))
    claims = [key for key in WORDS.entries if key.startswith("statement.")]
    assert len(claims) > 20
