"""Exports as people make and keep them: each gives exactly its expected deliveries, and verifies."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.errors import AmbiguousTime, EvidenceError
from forensics.loaders.exchange import addresses
from forensics.loaders.settings import Settings
from forensics.unread import remedy

from .driver import read

EXPORTS = Path(__file__).resolve().parents[2] / "data" / "exchange-exports"
NAMES = sorted(p.name for p in EXPORTS.iterdir() if p.suffix not in (".tsv", ".md"))
COLUMNS = ("submitted_at", "sender", "recipient", "recipient_role", "outcome", "response", "relay_name", "attempts")
HEADER = "Received,SenderAddress,RecipientAddress,Subject,Status,MessageId,MessageTraceId\r\n"
GUID = "11111111-2222-3333-4444-00000000000"


def shown(case: Case) -> list[list[str]]:
    rows = store.read(case, "deliveries").to_pylist()

    def text(value: object) -> str:
        return (
            "" if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)
        )

    unread = store.read(case, "unread").num_rows
    return [*sorted([text(row[name]) for name in COLUMNS] for row in rows), [f"{unread} unread"]]


@pytest.mark.parametrize("name", NAMES)
def test_an_export_gives_its_expected_rows_and_verifies(name: str, tmp_path: Path) -> None:
    with (EXPORTS / f"{name}.expected.tsv").open(newline="", encoding="utf-8") as file:
        expected = list(csv.reader(file, delimiter="\t"))
    zone = "Europe/Berlin" if name.startswith(("trackinglog-", "trace-timezone-")) else None
    pipeline.ingest([EXPORTS / name], tmp_path, org=["contoso.com"], timezone=zone)
    assert [list(COLUMNS), *shown(Case(tmp_path))] == expected
    checked = workbench.verify(tmp_path, all_records=True)
    assert checked.ok, [check.text for check in checked.checks if check.ok is False]


def trace(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row}\r\n" for row in rows)).encode()


def test_what_is_assumed_of_an_export_is_noted() -> None:
    zoneless = trace(f"2024-03-13T08:00:00,a@contoso.com,x@fabrikam.com,Hi,Delivered,<m1@contoso.com>,{GUID}1")
    (note,) = read(zoneless).surveys[0].notes["noted"]
    assert "read as UTC" in note and "--timezone" in note
    got = read(zoneless, settings=Settings(timezone="Europe/Berlin"))
    assert got.surveys[0].notes["noted"] == [
        "its times name no zone and are read as Europe/Berlin, as --timezone or case.toml says"
    ]
    assert got.hops[0]["first_at"].hour == 7
    named = zoneless.replace(b"Received,", b"ReceivedUtc,")
    got = read(named, settings=Settings(timezone="Europe/Berlin"))
    (note,) = got.surveys[0].notes["noted"]
    assert "says UTC" in note and got.hops[0]["first_at"].hour == 8
    assert "noted" not in read(zoneless.replace(b"08:00:00,", b"08:00:00Z,")).surveys[0].notes
    (note,) = read(zoneless.replace(b"08:00:00,", b"08:00:00Z,").replace(b",Status", b",X")).surveys[0].notes["noted"]
    assert note.startswith("no column Status") and "Get-MessageTraceV2" in note


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ('"a##Fail"@fabrikam.com##Receive, Send', [('"a##Fail"@fabrikam.com', "delivered")]),
        (
            '"a##Send;b"@fabrikam.com##Receive, Fail;x@fabrikam.com##Send',
            [('"a##Send;b"@fabrikam.com', "bounced"), ("x@fabrikam.com", "delivered")],
        ),
        ("a#b@fabrikam.com##Receive, Send", [("a#b@fabrikam.com", "delivered")]),
        ('"a@fabrikam.com##Receive, Send', [('"a@fabrikam.com', "delivered")]),
    ],
)
def test_marks_inside_the_quotes_of_an_address_end_none(status: str, expected: list[tuple[str, str]]) -> None:
    heading = "origin_timestamp_utc,sender_address,recipient_status,message_id\r\n"
    row = f'2024-03-13T08:00:00.0000000Z,a@contoso.com,"{status.replace(chr(34), chr(34) * 2)}",<m1@contoso.com>\r\n'
    legs = read((heading + row).encode()).legs
    assert sorted((leg["recipient"], leg["outcome"]) for leg in legs) == expected


def test_a_zone_applies_to_logs_and_extended_reports_whose_times_have_none() -> None:
    log = (
        b"#Fields: date-time,source,event-id,message-id,network-message-id,recipient-address,recipient-status,"
        b"sender-address,return-path,server-hostname\r\n"
        b"2023-06-13T08:00:00.000,STOREDRIVER,RECEIVE,<m1@contoso.com>,11111111-2222-3333-4444-000000000001,"
        b"x@fabrikam.com,To,a@contoso.com,a@contoso.com,EX01\r\n"
    )
    assert read(log).hops[0]["first_at"].hour == 8
    got = read(log, settings=Settings(timezone="Europe/Berlin"))
    assert got.hops[0]["first_at"].hour == got.surveys[0].first // 3_600_000_000 % 24 == 6
    assert read(log.replace(b":00.000,", b":00.000Z,"), settings=Settings(timezone="Europe/Berlin")).unread == []


@pytest.mark.parametrize("stamp", ["########", '"########"', "45364.33333", "45364,5", "45364"])
def test_what_a_spreadsheet_wrote_for_a_time_is_told_as_that(stamp: str) -> None:
    separator = ";" if "," in stamp else ","
    cells = (stamp, "a@contoso.com", "x@fabrikam.com", "Hi", "Delivered", "<m1@contoso.com>", f"{GUID}1")
    content = HEADER.replace(",", separator) + separator.join(cells) + "\r\n"
    (unread,) = read(content.encode()).unread
    assert unread["reason"].startswith("what a spreadsheet wrote in place of a time")
    assert remedy(unread["reason"]).startswith("export it anew and hand it in unopened")


SELECTED = ("Timestamp", "EventId", "Source", "Sender", "Recipients", "MessageId", "ServerIp")
WHOLE = (
    *SELECTED, "ClientIp", "ClientHostname", "ServerHostname", "SourceContext", "ConnectorId", "InternalMessageId",
    "RecipientStatus", "TotalBytes", "RecipientCount", "RelatedRecipientAddress", "Reference", "MessageSubject",
    "ReturnPath", "MessageInfo",
)  # fmt: skip
"""What Get-MessageTrackingLog of Exchange 2007 gives."""


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize(
    ("columns", "address", "then", "expected"),
    [
        (SELECTED, "", "", "unknown"),
        (SELECTED, "", "FAIL", "bounced"),
        (SELECTED, "", "SENDEXTERNAL", "delivered"),
        (SELECTED, "10.0.0.7", "", "unknown"),
        (SELECTED, "mx.far.example", "", "unknown"),
        (SELECTED, "203.0.113.9", "", "delivered"),
        (SELECTED, "203.0.113.9", "FAIL", "delivered"),
        (WHOLE, "", "", "delivered"),
        ((*SELECTED, "NetworkMessageId"), "203.0.113.9", "", "unknown"),
    ],
)
def test_a_hand_over_says_that_a_message_left_only_where_that_can_be_told(
    form: str, columns: tuple[str, ...], address: str, then: str, expected: str
) -> None:
    """SEND was every hand-over before Exchange 2013 and is one between own servers since then; an export from which
    columns are left out is of either."""
    rows = [
        dict.fromkeys(columns, "")
        | {
            "Timestamp": f"2023-06-01T10:00:0{n}.000Z", "EventId": event, "Source": "SMTP", "Sender": "a@contoso.com",
            "Recipients": "x@fabrikam.com", "MessageId": "<m1@contoso.com>", "ServerIp": address if n == 0 else "",
        }
        | ({"NetworkMessageId": f"{GUID}1"} if "NetworkMessageId" in columns else {})
        for n, event in enumerate(filter(None, ("SEND", then)))
    ]  # fmt: skip
    lines = [list(columns), *([row[name] for name in columns] for row in rows)]
    text = (
        json.dumps(rows) if form == "json" else "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines)
    )
    got = read(text.encode())
    assert [leg["outcome"] for leg in got.legs] == [expected]
    assert bool(got.noted) == (columns == SELECTED and address != "203.0.113.9")


def test_years_of_another_calendar_are_asked_about_or_unread() -> None:
    row = "13/3/{} 20:00:00,a@contoso.com,x@fabrikam.com,Hi,Delivered,<m{}@contoso.com>," + GUID + "{}"
    for year in (2567, 1403, 1445, 113):
        stamped = trace(*[row.format(year, n, n) for n in range(3)])
        if year > 999:
            with pytest.raises(AmbiguousTime, match="another calendar"):
                read(stamped)
        else:
            assert len(read(stamped).unread) == 3
    few = read(trace(*[row.format(2024, n, n) for n in range(4)], row.format(2567, 9, 9)))
    assert len(few.legs) == 4 and "2567" in few.unread[0]["reason"]


def test_a_stamp_far_off_is_unread_and_ends_nothing() -> None:
    for stamp in ("0023-03-13T08:00:00Z", "9999-12-31T23:59:59-12:00", "/Date(253402300799999)/", "/Date(-99)/"):
        got = read(trace(f"{stamp},a@contoso.com,x@fabrikam.com,Hi,Delivered,<m@contoso.com>,{GUID}1"))
        assert len(got.unread) == 1 and got.surveys[0].first is None


@pytest.mark.parametrize(
    ("header", "lacks", "command"),
    [
        ("SenderAddress,RecipientAddress,Status,ToIP,MessageTraceId", "Received", "Get-MessageTraceV2"),
        ("Received,SenderAddress,Status,FromIP,MessageTraceId", "RecipientAddress", "Get-MessageTraceV2"),
        ("Timestamp,Sender,MessageSubject,EventId,SourceContext", "Recipients", "Get-MessageTrackingLog"),
        ("date_time_utc,source,network_message_id,recipient_address,return_path", "event-id", "MSGTRK"),
    ],
)
def test_what_an_export_lacks_is_said_with_the_command(header: str, lacks: str, command: str) -> None:
    with pytest.raises(EvidenceError) as caught:
        read(header.encode() + b"\r\n" + b",".join([b"x"] * (header.count(",") + 1)) + b"\r\n")
    assert f"without {lacks};" in caught.value.what and command in caught.value.what


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16"])
def test_columns_may_be_separated_by_any_sign_of_excel_s(separator: str, said: bool, coding: str) -> None:
    rows = [
        HEADER.strip().split(","),
        [
            "2024-03-13T08:00:00Z",
            "a@contoso.com",
            "x@fabrikam.com",
            "a, b; c",
            "Delivered",
            "<m@contoso.com>",
            GUID + "1",
        ],
    ]
    text = "".join(separator.join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    got = read(((f"sep={separator}\r\n" if said else "") + text).encode(coding), size=64)
    assert [leg["recipient"] for leg in got.legs] == ["x@fabrikam.com"] and got.hops[0]["subject"] == "a, b; c"
    assert got.account == {"used": 1, "header": 2 if said else 1}


def test_a_first_column_that_an_outsider_chose_hides_nothing() -> None:
    """Excel leaves a subject without commas unquoted, and a line that begins with `#` looks like a comment."""
    text = "Subject,Received,SenderAddress,RecipientAddress,Status,MessageId,MessageTraceId\r\n"
    text += f"#TYPE offer,2024-03-13T08:00:00Z,a@contoso.com,x@fabrikam.com,Delivered,<m@contoso.com>,{GUID}1\r\n"
    text += f"Received;RecipientAddress;Status,2024-03-13T08:00:00Z,a@contoso.com,y@fabrikam.com,Delivered,<m@c>,{GUID}2\r\n"
    got = read(text.encode())
    assert [leg["recipient"] for leg in got.legs] == ["y@fabrikam.com"]
    assert "begins with `#`" in got.unread[0]["reason"]


def test_a_semicolon_file_too_long_to_be_read_whole_is_unread_with_the_reason() -> None:
    from forensics.loaders import exchange
    from forensics.loaders.base import ScanContext

    from .driver import Block, array

    text = trace(
        *[f"2024-03-13T08:00:00Z,a@contoso.com,x@fabrikam.com,Hi,Delivered,<m{n}@x>,{GUID}{n}" for n in range(9)]
    )
    text = text.replace(b",", b";")
    cut = text.index(b"2024", 300)
    surveyor = exchange.surveyor("f", Settings())
    parts = [Block(array(text[:cut]), 0, False), Block(array(text[cut:]), cut, True)]
    for part in parts:
        surveyor.feed(part)
    survey = surveyor.result()
    scans = [exchange.scan(part, ScanContext(0, survey.blocks[part.offset], survey.plan)) for part in parts]
    assert sum(scan.records for scan in scans) == survey.records
    assert scans[0].used and not scans[1].used
    assert all("separated by ';'" in row["reason"] for row in scans[1].unread.to_pylist())


def test_an_id_that_several_messages_share_joins_none_of_them() -> None:
    for shared in (
        "NULL",
        "",
        "-",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        GUID + "1",
    ):
        rows = trace(
            f"2024-03-13T08:00:00Z,anna@contoso.com,x@fabrikam.com,Hi,Delivered,<m1@contoso.com>,{shared}",
            f"2024-03-13T08:00:00Z,carl@contoso.com,x@fabrikam.com,Hi,Failed,<m2@contoso.com>,{shared}",
        )
        for size in (1 << 20, 120):
            assert read(rows, size=size).outcomes(original=False) == {
                ("m1@contoso.com", "anna@contoso.com", "x@fabrikam.com", "delivered"): 1,
                ("m2@contoso.com", "carl@contoso.com", "x@fabrikam.com", "bounced"): 1,
            }, shared


def test_a_message_id_that_was_copied_or_sent_again_joins_nothing() -> None:
    got = read(
        trace(
            "2024-03-13T08:00:00Z,anna@contoso.com,x@fabrikam.com,Hi,Delivered,<m1@contoso.com>,NULL",
            "2024-03-13T08:00:00Z,anna@contoso.com,y@fabrikam.com,Hi,Delivered,<m1@contoso.com>,NULL",
            "2024-03-14T08:00:00Z,anna@contoso.com,x@fabrikam.com,Hi,Failed,<m1@contoso.com>,NULL",
            "2024-03-13T09:00:00Z,eve@fabrikam.com,anna@contoso.com,Hi,Delivered,<m1@contoso.com>,NULL",
        )
    )
    assert sorted((d["sender"], d["recipient"], d["outcome"]) for d in got.deliveries()) == [
        ("anna@contoso.com", "x@fabrikam.com", "bounced"),
        ("anna@contoso.com", "x@fabrikam.com", "delivered"),
        ("anna@contoso.com", "y@fabrikam.com", "delivered"),
        ("eve@fabrikam.com", "anna@contoso.com", "delivered"),
    ]


def test_a_trace_without_senders_has_none() -> None:
    text = trace(f"2024-03-13T08:00:00Z,,x@fabrikam.com,Hi,Delivered,<m1@contoso.com>,{GUID}1")
    assert read(text).hops[0]["sender"] == ""
    assert read(text.replace(b"SenderAddress", b"Other")).hops[0]["sender"] is None


SAMPLES = EXPORTS.parent / "exchange-samples"
PAGES = {
    "brackets": lambda address: f"&lt;{address}&gt;",
    "at": lambda address: address.replace("@", "&#64;"),
    "an ampersand": lambda address: f"r&amp;{address}",
}


@pytest.mark.parametrize("change", PAGES)
@pytest.mark.parametrize("name", ["trace-v2.csv", "online-summary-utf8.csv", "online-extended.csv", "2016-2019.log",
                                  "tracking-export.json", "graph.ndjson", "email-events.csv"])  # fmt: skip
def test_an_address_of_which_a_copy_made_html_is_no_address(name: str, change: str, tmp_path: Path) -> None:
    """As lines of Postfix: what copied the file has changed it, so that nothing of such a record is believed."""
    raw = (SAMPLES / name).read_bytes()
    text = raw.decode("utf-16" if raw[:2] == b"\xff\xfe" else "utf-8-sig")
    text = re.sub(r"[a-z0-9.]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", lambda found: PAGES[change](found[0]), text)
    (tmp_path / name).write_text(text)
    pipeline.ingest([tmp_path / name], tmp_path / "case", org=["contoso.com"])
    case = Case(tmp_path / "case")
    rows = store.read(case, "deliveries").to_pylist()
    assert not [row for row in rows if "&" in row["recipient"] + row["sender"]]
    reasons = store.read(case, "unread")["reason"].to_pylist()
    assert reasons and all("`&lt;`" in one for one in reasons if "heading" not in one)
    assert rows == []


@pytest.mark.parametrize("brackets", [("&lt;", "&gt;"), ("&#60;", "&#62;"), ("&#x3C;", "&#x3E;")])
def test_a_message_id_of_which_a_copy_made_html_is_none(brackets: tuple[str, str]) -> None:
    """Else one message would have two ids, in files of which one was copied."""
    row = f"2024-03-13T08:00:00Z,a@contoso.com,x@fabrikam.com,Hi,Delivered,<m1@contoso.com>,{GUID}1"
    made = row.replace("<", brackets[0]).replace(">", brackets[1])
    names = HEADER.strip().split(",")
    for content in (trace(made), (json.dumps(dict(zip(names, made.split(","), strict=True))) + "\n").encode()):
        got = read(content)
        assert not got.legs and [one["reason"] for one in got.unread] == [addresses.CHANGED]
    assert len(read(trace(row.replace("m1@", "&lt;m1@"))).legs) == 1


def test_html_elsewhere_and_unusual_addresses_are_no_such_sign(tmp_path: Path) -> None:
    """Subjects are their senders' own; `&` and, in quotes, `;` may stand in an address."""
    rows = (
        f"2024-03-13T08:00:00Z,r&d@contoso.com,x@fabrikam.com,&lt;b&gt; &#64;,Delivered,<m1@contoso.com>,{GUID}1",
        f'2024-03-13T08:00:00Z,"""a&lt;b""@contoso.com",y@fabrikam.com,Hi,Delivered,<m2@contoso.com>,{GUID}2',
    )
    (tmp_path / "trace.csv").write_bytes(trace(*rows))
    done = pipeline.ingest([tmp_path / "trace.csv"], tmp_path / "case", org=["contoso.com"])
    assert (done.deliveries, done.unread) == (2, 0)


@pytest.mark.parametrize("width", range(37, 140, 17))
@pytest.mark.parametrize("name", ["trace-v2.csv", "online-extended.csv", "online-summary-utf8.csv"])
def test_a_file_whose_lines_a_terminal_has_broken_gives_no_address_that_was_not_there(
    name: str, width: int, tmp_path: Path
) -> None:
    """A line end in quotes is text: what it breaks in two is neither another address nor another message."""
    raw = (SAMPLES / name).read_bytes()
    header, *lines = raw.decode("utf-16" if raw[:2] == b"\xff\xfe" else "utf-8-sig").splitlines()
    broken = [line[i : i + width] for line in lines for i in range(0, len(line), width)]
    addresses = set(re.findall(r"[a-z0-9.]+@[a-z0-9.-]+", "\n".join(lines)))
    (tmp_path / name).write_text("\n".join([header, *broken]) + "\n")
    pipeline.ingest([tmp_path / name], tmp_path / "case", org=["contoso.com"])
    for row in store.read(Case(tmp_path / "case"), "deliveries").to_pylist():
        assert {row["sender"], row["recipient"]} - {None, ""} <= addresses
        assert "\n" not in str(row["message_id"])
