"""Facts: every number rests on the deliveries behind it, and groups add up."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from forensics import schema
from forensics.errors import CaseError
from forensics.report.facts import Facts, Number, Tally, coverage, destinations, incidents, slipmarks, tallies
from forensics.report.text import blocks as b
from forensics.report.text import passages
from tests.report import made

FACTS = made.facts(60, verdicts=[made.CONFIRM])
DISMISS = replace(made.CONFIRM, observed_domain="army.ml", intended_domain="army.mil", verdict="dismissed")


def numbers(value: Any) -> list[Number]:
    if isinstance(value, Number):
        return [value]
    if isinstance(value, tuple):
        return [n for part in value for n in numbers(part)]
    if is_dataclass(value) and not isinstance(value, type):
        return [n for field in fields(value) for n in numbers(getattr(value, field.name))]
    return []


def test_every_number_rests_on_findings_or_on_a_query() -> None:
    ids = {x.delivery_id for x in FACTS.findings}
    found = numbers(FACTS)
    assert len(found) > 200
    for number in found:
        if number.deliveries is None:
            assert number.query or number.value == 0
        else:
            assert number.value <= len(number.deliveries)
            assert set(number.deliveries) <= ids
            assert len(set(number.deliveries)) == len(number.deliveries)


def parts(tally: Tally) -> dict[str, int]:
    return {f.name: getattr(tally, f.name).value for f in fields(tally) if isinstance(getattr(tally, f.name), Number)}


def test_groups_add_up() -> None:
    groups = FACTS.groups
    for name in ("deliveries", "exposed", "handed_on", "not_exposed", "unsettled"):
        head = parts(groups.headline)[name]
        assert head == parts(groups.confirmed)[name] + parts(groups.suspected)[name]
        assert head == parts(groups.people)[name] + parts(groups.automated)[name]
    head = groups.headline
    assert head.deliveries.value == sum(
        n.value for n in (head.exposed, head.handed_on, head.not_exposed, head.unsettled)
    )
    assert head.exposed.value == head.encrypted.value + head.unencrypted.value + head.encryption_unknown.value
    assert head.deliveries.value == sum(n.value for _, n in head.origins)
    everything = head.deliveries.value + groups.review.deliveries.value + groups.dismissed.deliveries.value
    assert everything == len(FACTS.findings) == 60


def test_incidents_places_days_flows_and_stories_hold_the_same_deliveries() -> None:
    head = FACTS.groups.headline.deliveries
    assert head.deliveries is not None
    for total in (
        sum(i.tally.deliveries.value for i in FACTS.incidents),
        sum(s.tally.deliveries.value for s in FACTS.stories),
        sum(p.deliveries.value for p in FACTS.places),
        sum(d.exposed + d.not_exposed for d in FACTS.days),
        sum(f.deliveries.value for f in FACTS.flows),
    ):
        assert total == head.value
    accepted = FACTS.groups.headline.exposed.value
    assert sum(p.accepted.value for p in FACTS.places) == accepted
    assert sum(d.exposed for d in FACTS.days) == accepted
    assert sum(d.legitimate + d.exposed + d.not_exposed for d in FACTS.days) == FACTS.coverage.outbound.value


def test_days_that_no_log_covers_are_told() -> None:
    """Two servers whose logs do not meet: what was sent between them is unknown, and nothing is held to be proved."""

    def at(month: int, day: int) -> datetime:
        return datetime(2023, month, day, 12, tzinfo=UTC)

    assert coverage.uncovered([]) == ()
    assert coverage.uncovered([(at(3, 1), at(3, 4)), (at(3, 5), at(3, 9)), (at(3, 2), at(3, 3))]) == ()
    assert coverage.uncovered([(at(3, 1), at(3, 4)), (at(3, 6), at(3, 9))]) == ((date(2023, 3, 5), date(2023, 3, 5)),)
    words = made.context(FACTS).words
    whole = [b.plain(said) for said in passages.unseen(FACTS, words)]
    assert not any("covered by no log" in said for said in whole)
    hole = ((date(2023, 4, 1), date(2023, 4, 5)), (date(2023, 4, 10), date(2023, 4, 10)))
    torn = replace(FACTS, coverage=replace(FACTS.coverage, uncovered=hole))
    said = " ".join(b.plain(one) for one in passages.unseen(torn, words))
    assert "6 days within that period (1 April 2023 to 5 April 2023 and 10 April 2023) are covered by no log" in said
    assert passages.uncovered_days(torn, at(4, 4)) == 3
    assert "3 days after it are covered by no log." in b.plain(passages.containment(torn, words)[0])


def test_mail_to_the_address_meant_is_the_same_message_or_a_later_one() -> None:
    """A list may hold both addresses: that is no correction by the sender."""
    first, second, third = (row for row in made.findings(3)[0])

    def again(row: dict[str, Any], number: int, **more: Any) -> dict[str, Any]:
        meant = row["recipient"].replace(".ml", ".mil")
        named = {"delivery_id": f"e{number}", "recipient": meant, "recipient_domain": meant.rpartition("@")[2]}
        return row | named | more

    later = third["submitted_at"] + timedelta(hours=1)
    before = third["submitted_at"] - timedelta(hours=1)
    facts = made.facts(
        3,
        more=[
            again(first, 1),
            again(second, 2, queue_id="4Xz1", submitted_at=second["submitted_at"] + timedelta(days=2)),
            again(third, 3),
            again(third, 4, queue_id="4Xz2", submitted_at=before),
            again(third, 5, queue_id="4Xz3", submitted_at=later),
        ],
    )
    assert [(x.also_to_meant, x.resent_at) for x in facts.findings] == [
        (True, None),
        (False, second["submitted_at"] + timedelta(days=2)),
        (True, later),
    ]
    assert sum(i.also_to_meant.value for i in facts.incidents) == 2
    assert sum(i.resent.value for i in facts.incidents) == 2


def test_who_writes_to_a_list_again_has_not_written_to_the_address_meant() -> None:
    """A list that holds both addresses: a later message to it corrects nothing, and its sender wrote to neither."""
    first, second = (row for row in made.findings(2)[0])

    def later(row: dict[str, Any], number: int, through: str | None) -> dict[str, Any]:
        meant = row["recipient"].replace(".ml", ".mil")
        at = row["submitted_at"] + timedelta(days=2)
        named = {"delivery_id": f"e{number}", "queue_id": f"4Xz{number}", "submitted_at": at}
        return row | named | {"recipient": meant, "recipient_domain": "navy.mil", "original_recipient": through}

    facts = made.facts(2, more=[later(first, 1, "ops-desk@albion-logistics.example"), later(second, 2, None)])
    assert [x.resent_at for x in facts.findings] == [None, second["submitted_at"] + timedelta(days=2)]


def test_what_went_to_a_name_of_one_label_is_counted_among_all_sent_there() -> None:
    """`ann@navy`: the domain is its own last label, with no dot before it."""
    connection = duckdb.connect()
    rows = [made.delivery(n, made.START, to) for n, to in enumerate(("ann@marine", "bob@sub.marine", "cy@submarine"))]
    table = pa.Table.from_pylist(rows, schema.DELIVERIES)
    connection.register("made", table)
    connection.execute("CREATE VIEW deliveries AS SELECT *, 'outbound' AS direction FROM made")
    one = replace(made.facts(1).findings[0], slip=slipmarks.slip("truncated-tail", "marine", "marine.example"))
    (place,) = destinations.where(connection, (one,), (), {}, "en-GB")
    assert (place.suffix, place.all_deliveries.value, place.all_messages.value) == ("marine", 2, 2)


def test_low_findings_are_in_no_headline_number_unless_confirmed() -> None:
    unreviewed = made.facts(60)
    low = {x.delivery_id for x in unreviewed.findings if x.level == "low"}
    assert low
    assert not low & set(unreviewed.groups.headline.deliveries.deliveries or ())
    assert low == set(unreviewed.groups.review.deliveries.deliveries or ())
    confirmed = {x.delivery_id for x in FACTS.findings if x.level == "low" and x.slip.typed == "navy.ml"}
    assert confirmed
    assert confirmed <= set(FACTS.groups.headline.deliveries.deliveries or ())


def test_a_dismissed_pair_leaves_the_headline_and_stays_in_the_report() -> None:
    facts = made.facts(60, verdicts=[DISMISS])
    assert all(x.state == "dismissed" for x in facts.findings if x.slip.typed == "army.ml")
    assert facts.groups.dismissed.deliveries.value == sum(x.slip.typed == "army.ml" for x in facts.findings)
    incident = next(i for i in facts.incidents if i.slip.typed == "army.ml")
    assert incident.tally.deliveries.value == 0
    assert incident.state == "dismissed"


def test_a_ruling_on_one_delivery_outweighs_that_on_the_pair_and_the_later_one_counts() -> None:
    one = next(x.delivery_id for x in FACTS.findings if x.slip.typed == "army.ml")
    facts = made.facts(60, verdicts=[replace(DISMISS, verdict="confirmed", deliveries=(one,)), DISMISS])
    states = {x.delivery_id: x.state for x in facts.findings if x.slip.typed == "army.ml"}
    assert states.pop(one) == "confirmed"
    assert set(states.values()) == {"dismissed"}
    later = made.facts(60, verdicts=[DISMISS, replace(DISMISS, verdict="undecided")])
    assert "dismissed" not in {x.state for x in later.findings}


def test_a_ruling_without_finding_is_orphaned_not_lost() -> None:
    facts = made.facts(5, verdicts=[replace(made.CONFIRM, observed_domain="gone.ml")])
    assert [o.reason for o in facts.orphaned] == [made.CONFIRM.reason]


def test_suffix_slips_are_one_story_first_then_apart() -> None:
    story = FACTS.stories[0]
    assert story.suffixes == ("mil", "ml")
    assert set(story.observed) == {"navy.ml", "army.ml", "us.af.ml"}
    apart = [i for i in FACTS.incidents if i.story == story.ref]
    assert len(apart) == 3
    assert sum(i.tally.deliveries.value for i in apart) == story.tally.deliveries.value
    assert [s.suffixes for s in FACTS.stories if s.observed == ("contoso-marin.com",)] == [None]


def test_a_suffix_without_registry_is_told_apart() -> None:
    by = {place.suffix: place for place in FACTS.places}
    assert by["ml"].exists
    assert by["ml"].country_name == "Mali"
    assert by["ml"].operator_then == "a private company under contract"
    assert not by["mli"].exists
    assert by["mli"].country is None
    assert by["com"].country is None


def test_jurisdictions_of_concern_are_the_cases_own() -> None:
    assert not any(place.of_concern for place in FACTS.places)
    named = made.facts(20, case=made.casefile(domains={"jurisdictions_of_concern": ["ml"]}))
    assert [p.suffix for p in named.places if p.of_concern] == ["ml"]


def test_nothing_found_is_a_whole_report() -> None:
    facts = made.facts(0)
    assert not facts.header.found
    assert facts.groups.headline.deliveries.value == 0
    assert facts.coverage.outbound.value == 200
    assert facts.days


def test_a_finding_without_its_delivery_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = made.findings

    def torn(*asked: Any) -> Any:
        deliveries, found = real(*asked)
        return deliveries[1:], found

    monkeypatch.setattr(made, "findings", torn)
    with pytest.raises(CaseError, match="d000000"):
        made.facts(3)


def test_facts_do_not_depend_on_the_order_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    real = made.findings
    monkeypatch.setattr(made, "findings", lambda *asked: tuple(part[::-1] for part in real(*asked)))
    turned: Facts = made.facts(60, verdicts=[made.CONFIRM])
    assert turned == FACTS


def test_who_writes_to_a_list_is_not_counted_for_its_wrong_member() -> None:
    """The wrong address stands in the list; who wrote to the list entered none."""
    through = tuple(
        replace(x, origin="list", original_recipient="ops@albion-logistics.example") for x in FACTS.findings
    )
    assert tallies.own(through) == []
    assert tallies.own(FACTS.findings) == [x for x in FACTS.findings if x.origin != "list"]
    behind = {id_ for person in FACTS.repeat_senders for id_ in person.deliveries.deliveries or ()}
    assert behind
    assert not behind & {x.delivery_id for x in FACTS.findings if x.origin == "list"}
    assert incidents._incident("I1", through, {}).followups.value == 0
