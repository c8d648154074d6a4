"""The whole detector on small logs: who is accused, why, and who is not."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest

from forensics import casefile, domains, schema
from forensics.casefile import CaseFile
from forensics.detector import Detection, detect, weighing
from tests.detector.material import START, Row, everyday, mail, view

CASE = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}})


def run(rows: list[Row], **more: Any) -> Detection:
    return detect(view(rows), CASE.model_copy(update=more.pop("case", {})), **more)


def slip() -> list[Row]:
    """ada writes to officer1@navy.ml, is told by nobody, and sends it again to navy.mil three minutes later."""
    return mail("ada@albion.example", "officer1@navy.ml", day=10.5, message="slip", subject="Berth plan") + mail(
        "ada@albion.example", "officer1@navy.mil", day=10.5 + 3 / 1440, message="again", subject="Berth plan"
    )


def findings(found: Detection) -> list[dict[str, Any]]:
    return list(found.findings.to_pylist())


def test_a_slip_is_found_with_its_reasons_and_by_hand() -> None:
    found = run(everyday() + slip())
    (one,) = findings(found)
    assert (one["delivery_id"], one["observed_domain"], one["intended_domain"]) == (
        "slip>officer1@navy.ml",
        "navy.ml",
        "navy.mil",
    )
    assert (one["intended_address"], one["slip"], one["origin"], one["exposure"]) == (
        "officer1@navy.mil", "omitted-letter", "typed", "exposed",
    )  # fmt: skip
    assert one["level"] == "high"
    weights = [r["weight"] for r in one["reasons"]]
    assert sum(weights) == pytest.approx(one["weight"], abs=1e-9)
    assert one["score"] == pytest.approx(1 / (1 + 10 ** -(one["prior"] + one["weight"])), abs=1e-6)
    texts = {r["name"]: r["text"] for r in one["reasons"]}
    assert texts["resent"] == "ada sent a message with the same subject to officer1@navy.mil 3 minutes later."
    assert texts["wrote-before"].startswith("ada had written to officer1@navy.mil ")
    assert texts["slip"] == "navy.ml is navy.mil with one slip: the letter i left out of .mil."
    assert all(text.endswith(".") for text in texts.values())


def test_reasons_say_whether_only_the_other_side_could_have_made_them() -> None:
    written = mail("officer1@navy.ml", "ben@albion.example", day=3)
    (one,) = findings(run(everyday() + written + slip(), case={"detection": casefile.Detection(prior=0.5)}))
    sources = {r["name"]: r["source"] for r in one["reasons"]}
    assert {name for name, source in sources.items() if source == "theirs"} == {"answered", "own-mail"}
    assert set(sources.values()) <= set(schema.SOURCES)
    heard = [row for row in everyday() if row["recipient"] != "officer1@navy.mil"] + slip()[:1]
    one = next(
        f
        for f in findings(run(heard, case={"detection": casefile.Detection(prior=0.5)}))
        if f["observed_domain"] == "navy.ml"
    )
    assert {r["name"]: r["source"] for r in one["reasons"]}["address-known"] == "theirs"


def test_schemas_and_parameters() -> None:
    found = run(everyday() + slip())
    assert found.findings.schema.equals(schema.FINDINGS)
    assert found.incidents.schema.equals(schema.INCIDENTS)
    assert found.correspondents.schema.equals(schema.CORRESPONDENTS)
    using = found.parameters
    (one,) = findings(found)
    assert using["prior"]["log10_odds"] == one["prior"]
    assert [row["prior_odds_times"] for row in using["sensitivity"]] == [0.1, 1.0, 10.0]
    assert set(using["weights"]) == set(using["signals"])
    # Every part is a stored weight times what the log shows.
    by = {r["name"]: r["weight"] for r in one["reasons"]}
    assert by["resent"] == pytest.approx(using["weights"]["resent"], abs=1e-4)
    assert by["newcomer"] == pytest.approx(using["weights"]["newcomer"], abs=1e-4)
    assert set(using["writer_weights"]) == set(using["writer_signals"])


def test_prior_of_the_case_file_is_taken_as_it_is() -> None:
    rows = everyday() + slip()
    scores = []
    for prior in (1e-6, 1e-4, 1e-2):
        case = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}, "detection": {"prior": prior}})
        found = detect(view(rows), case)
        assert found.parameters["prior"]["used"] == prior
        (one,) = findings(found)
        assert one["prior"] == pytest.approx(weighing.log_odds(prior), abs=1e-6)
        scores.append(one["score"])
    assert scores == sorted(scores) and scores[0] < scores[2]


def test_an_ordinary_office_accuses_nobody() -> None:
    assert findings(run(everyday())) == []
    assert run([]).findings.num_rows == 0 and run([]).incidents.num_rows == 0


def test_a_correspondent_that_answers_is_genuine_however_odd_its_name() -> None:
    rows = everyday()
    for day in range(0, 14, 3):
        rows += mail("ben@albion.example", "moussa@navy.ml", day=day + 0.4) + mail(
            "moussa@navy.ml", "ben@albion.example", day=day + 0.6
        )
    assert [f for f in findings(run(rows)) if f["level"] != "low"] == []
    # And a slip to the same domain stands out among its mail.
    (one,) = [f for f in findings(run(rows + slip())) if f["level"] != "low"]
    assert one["delivery_id"] == "slip>officer1@navy.ml"


def test_names_that_only_look_foreign() -> None:
    rows = everyday()
    for n, address in enumerate(
        ("cabinet@diplomatie.gouv.ml", "sales@orangemali.ml", "info@shipyard.fr", "x@harbour.ml")
    ):
        rows += mail("cyd@albion.example", address, day=3 + n)
    case = {"domains": CASE.domains.model_copy(update={"watched": ("*.mil",)})}
    assert [f for f in findings(run(rows, case=case)) if f["level"] != "low"] == []


def test_watched_domain_and_own_domain_are_meant_even_if_unseen() -> None:
    rows = (
        everyday()
        + mail("ben@albion.example", "ada@albion.exmple", day=5)
        + mail("ben@albion.example", "ada@albion.example", day=1)
    )
    (one,) = findings(run(rows))
    assert (one["intended_domain"], one["intended_address"]) == ("albion.example", "ada@albion.example")
    # Mail to a watched domain is never accused.
    watched = {"domains": CASE.domains.model_copy(update={"watched": ("navy.ml",)})}
    assert findings(run(everyday() + slip(), case=watched)) == []


def test_known_good_is_never_accused() -> None:
    assert findings(run(everyday() + slip(), known_good=["navy.ml"])) == []
    case = {"domains": CASE.domains.model_copy(update={"known_good": ("ml",)})}
    assert findings(run(everyday() + slip(), case=case)) == []


def test_only_outbound_mail_with_a_sender_is_scored() -> None:
    rows = everyday() + slip()
    rows += mail("", "officer2@navy.ml", day=11) + mail("far@other.example", "officer2@navy.ml", day=11)
    rows += mail("stranger@navy.ml", "ada@albion.example", day=-3)
    assert {f["delivery_id"] for f in findings(run(rows))} <= {"slip>officer1@navy.ml"}


def test_list_member_beside_the_right_address() -> None:
    rows = everyday()
    for day in range(4):
        rows += mail(
            f"{'abcd'[day]}@albion.example",
            "officer1@navy.mil",
            "officer1@navy.ml",
            day=day + 0.3,
            via="ops@albion.example",
            message=f"ops{day}",
        )
    found = findings(run(rows))
    assert [f["origin"] for f in found] == ["list"] * 4
    assert {f["level"] for f in found} <= {"high", "medium"}
    texts = {r["name"]: r["text"] for r in found[0]["reasons"]}
    assert texts["beside-same"] == "officer1@navy.mil is a recipient of 4 of the same 4 messages."


def test_reply_all_address_book_and_machines() -> None:
    company = ("officer1@navy.ml", "clerk0@shipyard.co.uk", "officer2@navy.mil")
    rows = everyday() + mail(
        "ada@albion.example", "ben@albion.example", *company, day=10.5, subject="Plan", message="first"
    )
    rows += mail("ben@albion.example", "ada@albion.example", *company, day=10.6, subject="Re: Plan", message="answer")
    rows += mail("ada@albion.example", "officer1@navy.ml", day=12, subject="Other", message="later")
    rows += mail("noreply@albion.example", "officer3@navy.ml", day=12.5, message="machine")
    by = {f["delivery_id"].partition(">")[0]: f for f in findings(run(rows))}
    assert by["first"]["origin"] == "typed"
    assert by["answer"]["origin"] == "reply-all"
    assert by["later"]["origin"] == "address-book"
    assert by["machine"]["origin"] == "automated"
    assert by["answer"]["score"] >= 0.9 * by["first"]["score"]


def test_exposure_by_outcome_and_relay() -> None:
    outcomes = {
        "delivered": "exposed",
        "bounced": "not-exposed",
        "expired": "not-exposed",
        "rejected": "not-exposed",
        "deferred": "unsettled",
    }
    rows = everyday()
    for n, outcome in enumerate(outcomes):
        rows += mail("ada@albion.example", f"officer{n}@navy.ml", day=10 + n / 10, message=outcome, outcome=outcome)
    found = {f["delivery_id"].partition(">")[0]: f["exposure"] for f in findings(run(rows))}
    assert found == outcomes
    relayed = {"domains": CASE.domains.model_copy(update={"shared_relays": ("mx.navy.ml",)})}
    assert {f["exposure"] for f in findings(run(rows, case=relayed))} == {"handed-on", "not-exposed", "unsettled"}


def test_a_smart_host_hands_on() -> None:
    rows = everyday() + slip()
    for n in range(12):
        rows += mail("dan@albion.example", f"x@partner{n}-and-sons.example", day=n)
    for row in rows:
        row["relay_name"] = "smarthost.provider.example"
    (one,) = findings(run(rows))
    assert one["exposure"] == "handed-on"


def test_since_and_until_choose_what_is_scored_not_what_counts() -> None:
    rows = everyday() + slip()
    at = START + timedelta(days=10.5)
    assert len(findings(run(rows, since=at))) == 1
    assert findings(run(rows, since=at + timedelta(minutes=1))) == []
    assert findings(run(rows, until=at)) == []


def test_order_of_rows_does_not_matter() -> None:
    rows = everyday() + slip() + mail("ben@albion.example", "clerk1@shipyard.co", day=6)
    first = run(rows)
    random.Random(3).shuffle(rows)
    again = run(rows)
    for name in ("findings", "incidents", "correspondents"):
        assert getattr(first, name).equals(getattr(again, name)), name
    assert first.parameters == again.parameters


def test_incidents_count_once_and_tell_their_story() -> None:
    rows = everyday() + slip() + mail("ben@albion.example", "officer2@navy.ml", day=11, outcome="bounced")
    found = run(rows)
    (one,) = found.incidents.to_pylist()
    assert (one["observed_domain"], one["intended_domain"], one["story"]) == ("navy.ml", "navy.mil", ".mil → .ml")
    assert (one["observed_jurisdiction"], one["intended_jurisdiction"]) == ("ML", "US")
    assert (one["messages"], one["recipients"], one["senders"], one["exposed"], one["not_exposed"]) == (2, 2, 2, 1, 1)
    assert {f["incident_id"] for f in findings(found)} == {one["incident_id"]}


def test_competing_candidates_are_kept() -> None:
    rows = everyday()
    for day in range(10):
        rows += mail("ada@albion.example", f"a{day % 3}@anlogix.com", f"b{day % 3}@amlogix.com", day=day)
    rows += mail("ada@albion.example", "a1@alogix.com", day=11)
    (one,) = findings(run(rows))
    assert one["intended_domain"] == "anlogix.com"
    assert [a["domain"] for a in one["alternatives"]] == ["amlogix.com"]
    assert any(r["name"] == "rivals" for r in one["reasons"])
    assert sum(r["weight"] for r in one["reasons"]) == pytest.approx(one["weight"], abs=1e-9)


def test_what_no_registry_has_is_never_meant() -> None:
    rows = everyday() + mail("ada@albion.example", "officer1@navy.mi", "officer2@navy.mi", day=2)
    assert {f["intended_domain"] for f in findings(run(rows))} == {"navy.mil"}
    assert not any(f["observed_domain"] == "navy.mil" for f in findings(run(rows)))


def test_nulls_and_odd_rows_are_survived() -> None:
    rows = everyday() + slip()
    rows += mail("ada@albion.example", "bare", day=1, recipient_domain=None) + mail("ada@albion.example", "a@", day=1)
    rows += mail("ada@albion.example", "x@" + "n" * 250 + ".com", day=1, message_id=None, queue_id=None, host=None)
    rows += mail("ada@albion.example", "quote'; drop table@navy.ml", day=1, subject=None, size_bytes=None)
    assert "slip>officer1@navy.ml" in {f["delivery_id"] for f in findings(run(rows))}


def test_empty_table_of_the_right_schema() -> None:
    found = run([])
    assert found.findings.schema == schema.FINDINGS and isinstance(found.correspondents, pa.Table)


def test_what_is_said_of_an_address_is_true() -> None:
    """Messages are counted and not deliveries, received mail is not written mail, and a list is no sender."""
    rows = everyday()
    rows += mail("officer9@navy.mil", "ada@albion.example", "ben@albion.example", day=1, message="both")
    rows += mail("cyd@albion.example", "officer9@navy.mil", day=2)
    rows += mail("cyd@albion.example", "officer9@navy.mil", day=3, via="ops@albion.example")
    rows += mail("dan@albion.example", "officer9@navy.ml", day=11)
    rows += mail("officer1@navy.mil", "eve@albion.example", day=1)
    rows += mail("ada@albion.example", "eve@albion.exmaple", day=12)
    texts = {f["intended_address"]: {r["name"]: r["text"] for r in f["reasons"]} for f in findings(run(rows))}
    assert texts["officer9@navy.mil"]["address-known"] == (
        "officer9@navy.mil exists in the organisation's mail: 1 sender and 1 list have written to it "
        "and it has written once."
    )
    assert texts["eve@albion.example"]["address-known"] == "eve@albion.example exists in the organisation's mail."
    assert texts["officer9@navy.mil"]["newcomer"] == "navy.mil was in use before navy.ml first appeared in this log."


@pytest.mark.parametrize("writer", ["ada", "newcomer"])
def test_a_homograph_of_a_known_address_is_sure_whoever_wrote(writer: str) -> None:
    """Letters of another script that look the same: of a known domain and a known address."""
    typed = domains.a_label("sh\u0456pyard.co.uk")
    (one,) = detect(
        view(everyday() + mail(f"{writer}@albion.example", f"clerk1@{typed}", day=10)), CASE
    ).findings.to_pylist()
    assert one["intended_domain"] == "shipyard.co.uk" and one["level"] == "high"
    assert "homograph" in {r["name"] for r in one["reasons"]}


def test_a_name_with_an_accent_is_no_homograph() -> None:
    typed = domains.a_label("sh\u00efpyard.co.uk")
    found = detect(view(everyday() + mail("ada@albion.example", f"clerk1@{typed}", day=10)), CASE).findings.to_pylist()
    assert all("homograph" not in {r["name"] for r in one["reasons"]} for one in found)
