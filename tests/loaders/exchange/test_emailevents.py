"""EmailEvents of Defender and Sentinel: what its words tell, its forms, and a message that a trace shows as well."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import loaders, pipeline, workbench
from forensics.loaders import exchange
from forensics.loaders.exchange import emailevents

from .driver import read

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "exchange-samples"
FILES = ("email-events.csv", "email-events-sentinel.csv", "email-events.json", "email-events.ndjson")
HEADER = (
    "Timestamp,NetworkMessageId,InternetMessageId,SenderMailFromAddress,RecipientEmailAddress,Subject,DeliveryAction,"
    "DeliveryLocation\n"
)
ROW = "{at},{id},<m@contoso.example>,anna@contoso.example,{to},Hi,{action},{location}\n"
ID = "0badc0de-0000-4000-8000-0000000000{:02x}"


def row(at: str = "2024-03-13T08:00:00Z", id: str = ID.format(1), to: str = "x@fabrikam.example", **words: str) -> str:
    words = {"action": "Delivered", "location": "On-premises/external", **words}
    return ROW.format(at=at, id=id, to=to, **words)


def told(text: str) -> list[tuple[str, str]]:
    return sorted((d["recipient"], d["outcome"]) for d in read(text.encode()).deliveries())


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (("Delivered", "Inbox/Folder"), "delivered"),
        (("Delivered", "On-premises/External"), "delivered"),
        (("Junked", "Junk"), "delivered"),
        (("Junked", "On-premises/external"), "delivered"),
        (("Replaced", "Inbox/folder"), "delivered"),
        (("Delivered", "Deleted items"), "delivered"),
        (("Delivered", "Forwarded"), "delivered"),
        (("Delivered", ""), "delivered"),
        (("", "Junk folder"), "delivered"),
        (("Blocked", "Quarantine"), "quarantined"),
        (("", "Quarantine"), "quarantined"),
        (("Blocked", "Failed"), "failed"),
        (("Blocked", "Dropped"), "dropped"),
        (("Blocked", ""), "unknown"),
        (("", ""), "unknown"),
        (("Blocked", "Forwarded"), "unknown"),
        (("Delivered", "Quarantine"), "unknown"),
        (("Blocked", "Inbox/folder"), "unknown"),
        (("something new", "somewhere new"), "unknown"),
        (("Blocked", "Quarantine", "Quarantine release", "Inbox/folder"), "delivered"),
        (("Delivered", "Inbox/folder", "Moved to quarantine", "Quarantine"), "delivered"),
        (("Blocked", "Quarantine", "Blocked", "Failed"), "failed"),
        (("Blocked", "Quarantine", "", ""), "quarantined"),
        (("Blocked", "Quarantine", "something new", ""), "quarantined"),
        (("Blocked", "Quarantine", "Delivered", ""), "delivered"),
    ],
)
def test_what_the_words_tell(words: tuple[str, ...], outcome: str) -> None:
    assert emailevents.status(*words) == outcome
    assert emailevents.status(*(word.upper() for word in words)) == outcome


def test_the_portals_own_way_of_writing_times() -> None:
    assert emailevents.stamp("Mar 13, 2024 12:00:05 AM") == "2024-03-13T00:00:05"
    assert emailevents.stamp("Mar 3, 2024, 12:00:05.125 PM") == "2024-03-03T12:00:05.125"
    for odd in ("Foo 13, 2024 1:00:05 AM", "Mar 13, 2024 13:00:05 AM", "2024-03-13T08:00:00Z", ""):
        assert emailevents.stamp(odd) == odd
    got = read((HEADER + row(at='"Mar 13, 2024 8:00:00 PM"') + row(at='"Mar 44, 2024 8:00:00 PM"')).encode())
    assert [str(d["first_at"]) for d in got.deliveries()] == ["2024-03-13 20:00:00+00:00"]
    assert [one["reason"] for one in got.unread] == ["no time that could be read in '2024-03-44T20:00:00'"]
    assert got.surveys[0].notes["zone"] == "stamps without a zone read as UTC"


@pytest.mark.parametrize("name", FILES)
def test_it_is_recognised_and_labelled(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    assert loaders.recognise(data[: 64 << 10]) == "exchange"
    if name.endswith(".csv"):
        assert read(data).surveys[0].notes["layout"] == ["Defender EmailEvents"]


def test_all_forms_tell_the_same() -> None:
    """But for the times of Log Analytics, which have three decimals, and for the columns that streaming leaves out."""
    rows = [
        sorted(
            (
                d["message_id"],
                d["recipient"],
                d["outcome"],
                d["sender"],
                d["subject"],
                d["size_bytes"],
                d["client_address"],
            )
            for d in read((SAMPLES / name).read_bytes()).deliveries()
            if d["message_id"] != "e7@contoso.example"
        )
        for name in FILES
    ]
    assert len(rows[0]) == 12
    assert all(one == rows[0] for one in rows[1:])


def test_rows_and_files_in_any_order_give_the_same() -> None:
    header, *lines = (SAMPLES / "email-events.csv").read_bytes().splitlines(keepends=True)
    whole = told_all(header + b"".join(lines))
    for turn in (lines[::-1], lines[5:] + lines[:5], sorted(lines), lines + lines):
        assert told_all(header + b"".join(turn)) == whole
        assert told_all(header + b"".join(turn[::2]), header + b"".join(turn[1::2])) == whole


def told_all(*contents: bytes) -> list[tuple[str, ...]]:
    columns = ("network_message_id", "message_id", "sender", "recipient", "outcome", "first_at")
    return sorted(tuple(str(d[name]) for name in columns) for d in read(*contents).deliveries())


def test_a_message_that_a_trace_shows_too_is_one_delivery_for_each_recipient() -> None:
    trace = (
        "MessageTraceId,Received,SenderAddress,RecipientAddress,Subject,Status,ToIP,FromIP,Size,MessageId\n"
        f"{ID.format(1)},2024-03-13T07:59:58Z,anna@contoso.example,x@fabrikam.example,Hi,Delivered,198.51.100.9,"
        "192.0.2.7,1000,<m@contoso.example>\n"
    )
    events = HEADER + row() + row(to="y@fabrikam.example", action="Blocked", location="Quarantine")
    for order in itertools.permutations([trace.encode(), events.encode()]):
        got = read(*order)
        (hop,) = got.hops
        assert hop["network_message_id"] == ID.format(1)
        assert [(leg["recipient"], leg["outcome"]) for leg in sorted(got.legs, key=lambda leg: leg["recipient"])] == [
            ("x@fabrikam.example", "delivered"),
            ("y@fabrikam.example", "held"),
        ]
        assert len(got.deliveries()[0]["records"]) >= 1


def test_messages_without_a_network_id_are_told_apart_by_their_own() -> None:
    text = HEADER.replace("NetworkMessageId,", "") + row().replace(ID.format(1) + ",", "")
    assert told(text) == [("x@fabrikam.example", "delivered")]


def test_words_that_tell_nothing_are_kept() -> None:
    got = read(
        (HEADER + row(action="Blocked", location="Inbox/folder") + row(to="y@fabrikam.example", action="New")).encode()
    )
    assert {d["recipient"]: (d["outcome"], d["response"]) for d in got.deliveries()} == {
        "x@fabrikam.example": ("unknown", "Blocked, Inbox/folder"),
        "y@fabrikam.example": ("delivered", None),
    }


def test_rows_of_other_tables_are_no_deliveries() -> None:
    header = HEADER.strip() + ",Type\n"
    text = (
        header + row().strip() + ",EmailEvents\n" + row(to="y@fabrikam.example").strip() + ",EmailPostDeliveryEvents\n"
    )
    got = read(text.encode())
    assert [d["recipient"] for d in got.deliveries()] == ["x@fabrikam.example"]
    assert [one["reason"] for one in got.unread] == ["a row of the table 'EmailPostDeliveryEvents', not of EmailEvents"]


@pytest.mark.parametrize(
    ("left_out", "name"),
    [
        ("SenderMailFromAddress", "EmailEvents without the columns"),
        ("RecipientEmailAddress", "EmailEvents without the columns"),
        ("Timestamp", "EmailEvents without the columns"),
    ],
)
def test_without_a_column_that_is_needed_it_is_refused(left_out: str, name: str) -> None:
    names = HEADER.strip().split(",")
    at = names.index(left_out)
    text = "".join(
        ",".join(c for i, c in enumerate(one.split(",")) if i != at) + "\n" for one in (HEADER.strip(), "a" + ",a" * 7)
    )
    assert loaders.recognise(text.encode()) is None
    reason = loaders.refusal(text.encode())
    assert reason
    assert name in reason
    assert left_out in reason


def test_times_of_a_browser_are_refused() -> None:
    text = HEADER.replace("Timestamp", "TimeGenerated [Local Time]") + row(at='"3/13/2024, 8:00:00.000 AM"')
    assert exchange.detect(text.encode()) == 0
    reason = loaders.refusal(text.encode())
    assert reason
    assert reason.startswith("EmailEvents with times of the browser's own zone, ")


@pytest.mark.parametrize("names", [FILES, [name for name in FILES if not name.endswith(".json")]], ids=["all", "lines"])
def test_a_case_adds_up_and_leads_back_to_its_records(tmp_path: Path, names: list[str]) -> None:
    done = pipeline.ingest([SAMPLES / name for name in names], tmp_path / "case", org=["contoso.example"])
    assert done.records == done.used + done.ignored + done.unread
    assert done.unread == 0
    assert done.deliveries == 13
    answer = workbench.sql(
        tmp_path / "case", "select direction, count(*) from deliveries where sender <> '' group by 1 order by 1"
    )
    assert answer.rows == (("inbound", 4), ("internal", 1), ("outbound", 7))
    if "email-events.json" not in names:
        checked = workbench.verify(tmp_path / "case", all_records=True)
        assert [check for check in checked.checks if check.ok is False] == []


@pytest.mark.parametrize("size", [1 << 20, 700])
@pytest.mark.parametrize("form", ["pages", "lower", "schema", "streaming", "streaming lines", "value", "array"])
def test_every_page_that_rows_come_in_is_unwrapped(form: str, size: int) -> None:
    """Advanced hunting's answers, Defender's streaming (`properties`), and what scripts keep of them."""
    lines = (SAMPLES / "email-events.ndjson").read_text("utf-8-sig").splitlines()
    streamed = [json.loads(line) for line in lines]
    rows = [one["properties"] for one in streamed]
    schema = [{"Name": name, "Type": "String"} for name in rows[0]]
    pages = {
        "pages": [{"Results": rows[:5]}, {"Results": rows[5:]}],
        "lower": [{"results": rows}],
        "schema": [{"@odata.context": "x", "schema": schema, "results": rows}],
        "streaming": [{"records": streamed}],
        "streaming lines": streamed,
        "value": [{"value": rows, "@odata.nextLink": "x"}],
        "array": [rows],
    }[form]
    got = read("\n".join(json.dumps(page) for page in pages).encode(), size=size)
    plain = read("\n".join(lines).encode())
    assert (got.account["used"], got.account["unread"]) == (plain.account["used"], plain.account["unread"])
    assert got.outcomes() == plain.outcomes()


FIELD = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)


@given(st.lists(st.tuples(FIELD, FIELD, FIELD, FIELD), min_size=1, max_size=8))
def test_no_text_costs_a_row_or_makes_one(rows: list[tuple[str, str, str, str]]) -> None:
    """Whatever stands in subject and words, each row is used, and is the delivery of its own recipient."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER.strip().split(","))
    for n, (subject, action, location, message_id) in enumerate(rows):
        to = f"to{n}@fabrikam.example"
        at, sender = "2024-03-13T08:00:00Z", "a@contoso.example"
        writer.writerow([at, ID.format(n), message_id, sender, to, subject, action, location])
    got = read(out.getvalue().encode())
    assert got.account["used"] == len(rows)
    assert sorted(d["recipient"] for d in got.deliveries()) == sorted(
        f"to{n}@fabrikam.example" for n in range(len(rows))
    )
