"""Public statements, claim by claim: what logs can know of them, and what they cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from forensics.errors import CaseError
from forensics.report.facts import Facts, Statement, silence, statements
from forensics.report.facts.questionnaire import Claim, Supplied
from forensics.report.text import grids, onepage, passages
from forensics.report.text.blocks import plain
from forensics.report.text.wording import load
from tests.report import made

LONDON = ZoneInfo("Europe/London")
WORDS = load()
FIRST, LAST = date(2023, 3, 20), date(2023, 4, 20)
EVERY_DAY = frozenset(FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
SUPPLIED = Supplied(all_gateways="yes", stated_by="Head of mail", stated_on=date(2023, 5, 2), since=FIRST, until=LAST)
CHECKS: dict[str, Any] = {
    "messages-at-most": 1000,
    "deliveries-at-most": 1000,
    "senders-at-most": 1000,
    "accepted-at-most": 1000,
    "not-before": made.START,
    "not-after": date(2023, 4, 10),
    "only-domains": ("ml", "mli", "com"),
    "only-countries": ("ML", "CO"),
    "only-encrypted": None,
    "none-accepted": None,
    "no-marking-above": ("OFFICIAL SENSITIVE",),
}


def settled(facts: Facts) -> Facts:
    """With what was handed on taken for accepted."""
    here = (replace(x, exposure="exposed" if x.exposure == "handed-on" else x.exposure) for x in facts.findings)
    return replace(facts, findings=tuple(here))


FACTS = settled(made.facts(40))
CONFIRMED = settled(made.facts(40, verdicts=[made.CONFIRM]))


def checked(
    check: str,
    value: Any,
    *,
    facts: Facts = FACTS,
    supplied: Supplied = SUPPLIED,
    running: Mapping[str, frozenset[date]] | None = None,
    **claim: Any,
) -> Statement:
    coverage = replace(facts.coverage, unread_touches=False)
    grounds = statements.Grounds(coverage, {"mx1": EVERY_DAY} if running is None else running, supplied)
    made_claim = Claim.model_validate({"claim": "x", "check": check, "value": value} | claim)
    return statements.check([made_claim], facts.findings, grounds, LONDON)[0]


def test_six_silent_days_of_ten_support_nothing() -> None:
    """The logs of four days of ten show seven messages; that no more than nineteen were sent they cannot know."""
    begin = date(2023, 3, 20)
    days = {"mx1": frozenset(begin + timedelta(days=n) for n in (0, 1, 2, 9))}
    told = replace_supplied(since=begin, until=begin + timedelta(days=9))
    facts = made.facts(7)
    one = checked("messages-at-most", 19, facts=facts, running=days, supplied=told)
    assert (one.result, one.lacks, one.silent) == ("not-contradicted", ("silent",), 6)
    said = plain(passages.statement(facts, one, WORDS))
    assert "on 6 days of the period a server is not shown to have logged" in said
    assert "mx1" in said and "20 March 2023 to 29 March 2023" in said
    whole = checked("messages-at-most", 19, facts=facts, supplied=told)
    assert (whole.result, whole.lacks) == ("supported", ())
    assert "Head of mail stated on 2 May 2023" in plain(passages.statement(facts, whole, WORDS))


def replace_supplied(**more: Any) -> Supplied:
    return SUPPLIED.model_copy(update=more)


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ({"all_gateways": None}, ("unstated",)),
        ({"all_gateways": "no"}, ("unstated",)),
        ({"stated_by": None}, ("unstated",)),
        ({"stated_on": None}, ("unstated",)),
        ({"since": None}, ("unstated",)),
    ],
)
def test_nothing_is_supported_without_somebody_who_answers_for_the_gateways(
    more: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    for check, value in CHECKS.items():
        one = checked(check, value, facts=nothing(), supplied=replace_supplied(**more))
        assert one.result != "supported"
        if one.result == "not-contradicted":
            assert one.lacks == lacks or check in ("not-before", "not-after")


def nothing() -> Facts:
    """A case that was read and in which nothing was found."""
    return made.facts(0)


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in ("not-before", "not-after")])
def test_a_second_server_that_is_silent_for_a_day_takes_the_support(check: str) -> None:
    both = {"mx1": EVERY_DAY, "mx2": EVERY_DAY - {date(2023, 4, 2)}}
    assert checked(check, CHECKS[check], facts=nothing(), running={"mx1": EVERY_DAY}).result == "supported"
    one = checked(check, CHECKS[check], facts=nothing(), running=both)
    assert (one.result, one.lacks, one.silent) == ("not-contradicted", ("silent",), 1)


def test_a_claim_of_another_period_than_the_one_vouched_for() -> None:
    one = checked("messages-at-most", 1000, since=date(2022, 1, 1), until=LAST)
    assert one.result == "not-contradicted"
    assert one.lacks == ("outside", "silent")


def test_only_findings_of_its_period_count() -> None:
    day = made.START.date()
    own = sum(x.submitted_at.date() == day and x.state == "suspected" for x in FACTS.findings)
    assert dict(checked("deliveries-at-most", 1000, since=day, until=day).values)["count"] == own < 40


def test_unread_and_lost_records_take_the_support() -> None:
    for change, lacking in (({"unread_touches": True}, "unread"), ({"losses_touching": 2}, "losses")):
        coverage = replace(FACTS.coverage, **({"unread_touches": False} | change))
        grounds = statements.Grounds(coverage, {"mx1": EVERY_DAY}, SUPPLIED)
        (one,) = statements.check(
            [Claim(claim="x", check="messages-at-most", value=1000)], FACTS.findings, grounds, LONDON
        )
        assert (one.result, one.lacks) == ("not-contradicted", (lacking,))


def test_a_limit_is_kept_contradicted_or_open_until_reviewed() -> None:
    confirmed = CONFIRMED.groups.confirmed.messages.value
    assert checked("messages-at-most", 1000).result == "supported"
    assert checked("messages-at-most", 5).result == "not-determinable"
    assert checked("messages-at-most", confirmed, facts=CONFIRMED).result == "not-determinable"
    assert checked("messages-at-most", confirmed - 1, facts=CONFIRMED).result == "contradicted"


@pytest.mark.parametrize("check", list(CHECKS))
def test_suspected_findings_alone_contradict_nothing(check: str) -> None:
    strict: dict[str, Any] = {
        "not-before": date(2024, 1, 1), "not-after": date(2023, 3, 19), "only-domains": ("example.com",),
        "only-countries": ("FR",), "none-accepted": None, "only-encrypted": None,
        "no-marking-above": ("OFFICIAL",),
    }  # fmt: skip
    value = strict.get(check, 0)
    marked = tuple(replace(x, tls=False, subject="SECRET: plan") for x in FACTS.findings)
    plain_text = replace(FACTS, findings=marked)
    one = checked(check, value, facts=plain_text)
    assert (one.result, one.basis.endswith("-unreviewed")) == ("not-determinable", True)
    sure = replace(plain_text, findings=tuple(replace(x, state="confirmed") for x in plain_text.findings))
    assert checked(check, value, facts=sure).result == "contradicted"
    held = replace(plain_text, findings=tuple(replace(x, state="review") for x in plain_text.findings))
    left = checked(check, value, facts=held)
    assert (left.result, left.basis.startswith("review-open")) == ("not-determinable", True)
    gone = replace(plain_text, findings=tuple(replace(x, state="dismissed") for x in plain_text.findings))
    assert checked(check, value, facts=gone).result in ("supported", "not-determinable")
    for facts, row in ((plain_text, one), (sure, checked(check, value, facts=sure)), (held, left)):
        assert plain(passages.statement(facts, row, WORDS))


def test_findings_held_for_review_keep_a_limit_open() -> None:
    head, held = FACTS.groups.headline.messages.value, FACTS.groups.review.messages.value
    assert held > 0
    at_limit = checked("messages-at-most", head)
    assert (at_limit.result, at_limit.basis) == ("not-determinable", "review-open")
    assert "await review" in plain(passages.statement(FACTS, at_limit, WORDS))
    assert checked("messages-at-most", head + held).result == "supported"


def test_ends_are_told_only_where_the_logs_reach() -> None:
    assert checked("not-after", date(2023, 4, 10)).result == "supported"
    assert checked("not-after", date(2030, 1, 1)).result == "not-determinable"
    assert checked("not-after", date(2023, 3, 19), facts=CONFIRMED).result == "contradicted"
    assert checked("not-before", made.START).result == "supported"
    assert checked("not-before", date(2022, 1, 1)).result == "not-determinable"


def test_nothing_is_said_where_much_was_not_read() -> None:
    partly = replace(CONFIRMED, coverage=replace(CONFIRMED.coverage, search="partly"))
    many, few = (checked("messages-at-most", value, facts=partly) for value in (1000, 1))
    assert (many.result, many.basis) == ("not-determinable", "not-read")
    assert "could be read" in plain(passages.statement(partly, many, WORDS))
    assert few.result == "contradicted", "what was read contradicts all the same"


def test_words_that_no_check_covers_are_not_tested() -> None:
    whole = "We assess fewer than 20 emails were mistakenly forwarded, with no breach of operational security."
    claim = {
        "claim": whole,
        "by": "Press office",
        "parts": [
            {"words": "fewer than 20 emails", "check": "messages-at-most", "value": 19},
            {"words": "mistakenly forwarded"},
        ],
    }
    facts = made.facts(5, case=made.casefile(questionnaire={**made.QUESTIONNAIRE, "statements": [claim]}))
    count, mistaken, rest = facts.statements
    assert (count.result, count.claim, count.statement, count.limit_chosen) == (
        "not-contradicted", "fewer than 20 emails", whole, False,
    )  # fmt: skip
    assert (mistaken.result, rest.result) == ("not-tested", "not-tested")
    assert rest.claim == "We assess … were … with no breach of operational security"
    rows = grids.statements(facts, WORDS).rows
    assert [plain(row[1]) for row in rows] == ["not contradicted by the logs supplied", "not tested", "not tested"]
    assert whole in plain(rows[0][0]) and whole not in plain(rows[1][0])
    point = next(p for p in onepage.points(facts, WORDS) if p.anchor == "statements")
    assert "1 claim made in public: 1 not contradicted by the logs supplied." in plain(point.spans)


def test_a_limit_that_the_words_do_not_name_is_the_investigators() -> None:
    for words, chosen in (
        ("a small number of emails", True), ("fewer than 20 emails", False), ("at most 19", False),
        ("fewer than twenty", False), ("nineteen mails", False), ("in 2019", True),
    ):  # fmt: skip
        one = checked("messages-at-most", 19, claim=words, facts=nothing())
        assert one.limit_chosen is chosen, words
        said = plain(passages.statement(nothing(), one, WORDS))
        assert ("the investigator’s reading" in said) is chosen


def test_words_of_a_part_stand_in_the_statement() -> None:
    with pytest.raises(CaseError, match="are not in the statement"):
        checked("none", None, claim="a few mails", parts=[{"words": "many mails"}])
    with pytest.raises(CaseError, match="a check beside them"):
        checked("messages-at-most", 5, claim="a few mails", parts=[{"words": "a few"}])


@pytest.mark.parametrize(
    ("check", "value"), [("messages-at-most", None), ("not-after", 5), ("only-domains", 5), ("only-countries", None)]
)
def test_a_check_without_its_value_is_an_error(check: str, value: Any) -> None:
    with pytest.raises(CaseError, match=check):
        checked(check, value)


def test_a_limit_in_time_reads_like_one() -> None:
    one = checked("not-after", date(2023, 3, 19), facts=CONFIRMED)
    assert "after 20 March 2023, 00:00 UTC" in plain(passages.statement(CONFIRMED, one, WORDS))


def test_what_was_handed_on_leaves_claims_of_acceptance_open() -> None:
    facts = made.facts(40)
    own = [x for x in facts.findings if x.state == "suspected"]
    accepted, on = (sum(x.exposure == kind for x in own) for kind in ("exposed", "handed-on"))
    assert accepted and on
    one = checked("accepted-at-most", accepted, facts=facts)
    assert (one.result, one.basis, dict(one.values)["n"]) == ("not-determinable", "handed-on-open", on)
    assert f"{accepted} accepted deliveries; {on} more" in plain(passages.statement(facts, one, WORDS))
    only = replace(facts, findings=tuple(x for x in facts.findings if x.exposure == "handed-on"))
    for check in ("none-accepted", "only-encrypted"):
        one = checked(check, None, facts=only)
        assert (one.result, one.basis) == ("not-determinable", "handed-on-open-any")
        assert plain(passages.statement(only, one, WORDS))


def test_a_marking_that_is_not_seen_or_does_not_compare_leaves_the_claim_open() -> None:
    def with_subjects(*subjects: str | None) -> Statement:
        found = tuple(replace(x, subject=subjects[n % len(subjects)]) for n, x in enumerate(FACTS.findings))
        return checked("no-marking-above", ("OFFICIAL SENSITIVE",), facts=replace(FACTS, findings=found))

    assert with_subjects("OFFICIAL: plan", "no marking").result == "supported"
    assert with_subjects("OFFICIAL: plan", None).basis == "marking-open"
    assert with_subjects("OFFICIAL: plan", "NATO SECRET annex").basis == "marking-open"
    assert with_subjects("SECRET plan").basis == "marking-above-unreviewed"
    with pytest.raises(CaseError, match="one marking"):
        checked("no-marking-above", ("very hush",))


def test_where_tls_is_not_logged_nobody_can_tell() -> None:
    silent = replace(FACTS, findings=tuple(replace(x, tls=None) for x in FACTS.findings))
    assert checked("only-encrypted", None, facts=silent).basis == "tls-not-logged"
    assert checked("only-encrypted", None).result == "supported"


def test_days_on_which_logging_is_shown() -> None:
    """A settled delivery and a file's first and last record show that logging ran; a file of two servers does not."""

    def row(host: str, evidence: str, sent: str, settled: str) -> tuple[Any, ...]:
        return host, datetime.fromisoformat(sent + "+00:00"), datetime.fromisoformat(settled + "+00:00"), evidence

    connection = duckdb.connect()
    connection.execute("CREATE TABLE made (host VARCHAR, submitted_at TIMESTAMPTZ, resolved_at TIMESTAMPTZ, e VARCHAR)")
    for values in (
        row("mx1", "a", "2023-06-01T10:00:00", "2023-06-03T00:00:01"),
        row("mx2", "b", "2023-06-01T10:00:00", "2023-06-01T10:00:00"),
        row("mx3", "b", "2023-06-01T10:00:00", "2023-06-01T10:00:00"),
    ):
        connection.execute("INSERT INTO made VALUES (?, ?, ?, ?)", values)
    connection.execute(
        "CREATE VIEW deliveries AS SELECT host, submitted_at, resolved_at, [{'evidence': e}] AS records FROM made"
    )
    base = made.evidence()[0]
    ends = {"first": datetime.fromisoformat("2023-06-01T00:00:00+00:00"),
            "last": datetime.fromisoformat("2023-06-09T23:00:00+00:00")}  # fmt: skip
    files = (replace(base, ref="E1", **ends), replace(base, ref="E2", **ends))
    days = silence.running(connection, files, {"a": "E1", "b": "E2"})
    assert {host: sorted(day.day for day in own) for host, own in days.items()} == {
        "mx1": [1, 3, 9], "mx2": [1], "mx3": [1],
    }  # fmt: skip


AFTER = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"


def test_what_was_sent_before_a_refusal_leaves_claims_of_acceptance_open() -> None:
    """A server that refused a message after its end may have kept it: no log supports that it did not."""
    facts = made.facts(40, refused=True, refused_with=AFTER)
    sent = sum(x.state == "suspected" for x in facts.findings)
    for check, value in (("none-accepted", None), ("only-encrypted", None)):
        one = checked(check, value, facts=facts)
        assert (one.result, one.basis, dict(one.values)["n"]) == ("not-determinable", "content-sent-open-any", sent)
        assert "had been sent to the server" in plain(passages.statement(facts, one, WORDS))
    one = checked("accepted-at-most", 0, facts=facts)
    assert (one.result, one.basis, dict(one.values)["n"]) == ("not-determinable", "content-sent-open", sent)
    assert f"0 accepted deliveries; {sent} more" in plain(passages.statement(facts, one, WORDS))
    assert checked("accepted-at-most", sent, facts=facts).result == "not-determinable", "those held for review"
    assert checked("accepted-at-most", len(facts.findings), facts=facts).result == "supported"
    encrypted = replace(facts, findings=tuple(replace(x, tls=True) for x in facts.findings))
    assert checked("only-encrypted", None, facts=encrypted).result == "supported"
    assert checked("messages-at-most", 1000, facts=facts).result == "supported", "it does not look at acceptance"


def test_where_it_is_not_known_what_was_sent_nothing_is_supported() -> None:
    facts = made.facts(40, refused=True, refused_with="554 by policy")
    for check, value in (("none-accepted", None), ("accepted-at-most", 0), ("only-encrypted", None)):
        one = checked(check, value, facts=facts)
        assert (one.result, one.lacks) == ("not-contradicted", ("stages",)), check
        assert "it is not known of every delivery" in plain(passages.statement(facts, one, WORDS))
    assert checked("none-accepted", None, facts=made.facts(40, refused=True)).result == "supported"
