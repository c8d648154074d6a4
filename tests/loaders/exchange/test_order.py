"""The order of rows, of files, of an index column decides nothing; and an acceptance outside wins in any order."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.casefile import SourceSettings
from forensics.errors import AmbiguousTime
from forensics.loaders import exchange
from forensics.loaders.exchange import blocks, sniff
from forensics.loaders.settings import Settings
from forensics.native.exchange import codes

from .driver import Block, Read, array, read
from .test_tracking import OK, A, B, log, row, submitted

DATA = Path(__file__).resolve().parents[2] / "data"
SAMPLES = sorted(
    path
    for folder in ("exchange-samples", "exchange-exports")
    for path in (DATA / folder).iterdir()
    if path.suffix in (".log", ".csv", ".json", ".ndjson")
)
SAID = {
    "trace-with-type.csv": Settings(sources=(SourceSettings(file="*", date_order="mdy"),)),
    "tracking-export.csv": Settings(timezone="Europe/London", sources=(SourceSettings(file="*", date_order="dmy"),)),
}
LOCAL = Settings(timezone="Europe/Berlin", sources=(SourceSettings(file="*", date_order="dmy"),))


def said(path: Path) -> Settings:
    local = path.name.startswith(("trackinglog-", "trace-day", "trace-time", "trace-semi", "extended-saved"))
    return SAID.get(path.name, LOCAL if local else Settings())


def table(got: Read) -> Counter[tuple[Any, ...]]:
    """All that deliveries say but where their records stand."""
    return Counter(
        (*((k, str(v)) for k, v in sorted(d.items()) if k not in ("records", "hop")), len(d["records"]))
        for d in got.deliveries()
    )


def pieces(content: bytes, settings_: Settings) -> tuple[bytes, list[tuple[bytes, list[bytes]]]]:
    """(what the file begins with, for each heading its lines and the records below it), as UTF-8."""
    wide = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le" if content[1] == 0 else None
    text = content.decode(wide).encode() if wide else content.removeprefix(b"\xef\xbb\xbf")
    block = Block(array(text), 0, True)
    surveyor = exchange.surveyor("f", settings_)
    surveyor.feed(block)
    heads = {layout.offset for layout in surveyor.result().plan.layouts}
    records = blocks.read(block, sniff.separator_of(text[:4096]))
    parts: list[tuple[bytes, list[bytes]]] = [(b"", [])]
    for offset, length, kind in zip(records.offsets, records.lengths, records.kinds, strict=True):
        raw = text[int(offset) : int(offset + length)] + b"\r\n"
        if int(offset) in heads or kind == codes.COMMENT or (not parts[-1][0] and sniff.is_separator_line(raw[:-2])):
            if parts[-1][1]:
                parts.append((b"", []))
            parts[-1] = (parts[-1][0] + raw, parts[-1][1])
        elif kind == codes.DATA:
            parts[-1][1].append(raw)
    return text[: int(records.offsets[0])], parts


def shuffled(content: bytes, settings_: Settings, chance: random.Random) -> list[bytes]:
    """The records in another order, in one to three files."""
    files = chance.randrange(1, 4)
    if content.lstrip()[:1] in (b"{", b"["):
        decoder, at, values = json.JSONDecoder(), 0, []
        text = content.decode()
        while at < len(text):
            value, at = decoder.raw_decode(text, at)
            at += len(text[at:]) - len(text[at:].lstrip())
            inner = value.get("d", value) if isinstance(value, dict) else value
            inner = (
                next((inner[k] for k in ("results", "value", "Results") if k in inner), [inner])
                if isinstance(inner, dict)
                else inner
            )
            values += inner if isinstance(inner, list) else [inner]
        chance.shuffle(values)
        return [json.dumps(values[n::files]).encode() for n in range(files) if values[n::files]]
    mark, parts = pieces(content, settings_)
    out = [mark] * files
    for heading, rows in parts:
        places = [chance.randrange(files) for _ in rows]
        chance.shuffle(rows)
        for n in range(files):
            mine = [one for one, place in zip(rows, places, strict=True) if place == n]
            out[n] += heading + b"".join(mine) if mine else b""
    return [one for one in out if len(one) > len(mark)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_no_order_of_rows_and_files_changes_a_delivery(path: Path) -> None:
    content, settings_ = path.read_bytes(), said(path)
    whole = read(content, settings=settings_)
    chance = random.Random(path.name)
    compared = 0
    for _ in range(4):
        files = shuffled(content, settings_, chance)
        try:
            got = read(*files, settings=settings_)
        except AmbiguousTime:
            # a file of its own may not say what its dates mean
            continue
        assert table(got) == table(whole)
        assert Counter(one["reason"] for one in got.unread) == Counter(one["reason"] for one in whole.unread)
        compared += 1
    assert compared


ENDS = {
    "DELIVER": {},
    "SENDEXTERNAL": {"status": OK, "server_hostname": "mx.fabrikam.example"},
    "DROP": {},
    "BADMAIL": {},
    "SPAM": {},
    "MODERATORREJECT": {},
    "MODERATIONEXPIRE": {},
    "INITMESSAGECREATED": {},
    "MODERATORAPPROVE": {},
    "POISONMESSAGE": {},
    "SUPPRESSED": {},
    "NOSUCHEVENT": {},
    "FAIL": {"status": "550 5.1.1 no"},
    "DEFER": {"status": "451 4.4.0 later"},
    "SEND": {"status": OK, "server_hostname": "EX02"},
    "RECEIVE": {"server_hostname": "EX02", "client_hostname": "EX01"},
    "EXPAND": {"related_recipient_address": "list@contoso.example"},
}
EVENTS = st.lists(
    st.tuples(st.sampled_from(sorted(ENDS)), st.integers(0, 2), st.sampled_from(["7", "8"])), min_size=1, max_size=6
)


@settings(max_examples=60)
@given(EVENTS, st.randoms(use_true_random=False), st.booleans())
def test_events_of_one_time_come_to_the_same_in_any_order(
    events: list[tuple[str, int, str]], chance: random.Random, split: bool
) -> None:
    rows = [submitted()] + [row(at, name, internal_message_id=copy, **ENDS[name]) for name, at, copy in events]
    first = read(log(*rows))
    chance.shuffle(rows)
    cut = chance.randrange(len(rows) + 1) if split else len(rows)
    again = read(*[log(*part) for part in (rows[:cut], rows[cut:]) if part])
    assert table(again) == table(first)
    if {"DELIVER", "SENDEXTERNAL"} & {name for name, _, _ in events}:
        assert {leg["outcome"] for leg in first.legs if leg["recipient"] == B} == {"delivered"}


STATUSES = ["Delivered", "Failed", "Pending", "Quarantined", "FilteredAsSpam", "GettingStatus", "None", "Odd", ""]
TRACE = "Received,SenderAddress,RecipientAddress,Status,MessageId,MessageTraceId,Index\r\n"


@settings(max_examples=40)
@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_best_status_of_a_trace_counts(statuses: list[str], chance: random.Random) -> None:
    rows = [f"2024-03-13T08:00:00Z,{A},{B},{status},<m@x>,0badc0de-0000-4000-8000-000000000001," for status in statuses]
    first = read((TRACE + "".join(f"{one}{n}\r\n" for n, one in enumerate(rows))).encode())
    chance.shuffle(rows)
    again = read(*[(TRACE + f"{one}{n}\r\n").encode() for n, one in enumerate(rows)])
    assert table(again) == table(first)
    (leg,) = first.legs
    best = next((s for s in ("Delivered", "Quarantined", "Failed", "Pending") if s in statuses), "")
    expected = {"Delivered": "delivered", "Quarantined": "held", "Failed": "bounced", "Pending": "deferred"}
    assert leg["outcome"] == expected.get(best, "unknown")


@settings(max_examples=40)
@given(st.permutations(["Receive", "Fail", "Quarantine", "Defer", "Drop", "FilteredAsSpam", "Odd"]), st.booleans())
def test_the_best_word_of_a_summary_counts(words: list[str], sent: bool) -> None:
    heading = "origin_timestamp_utc,sender_address,recipient_status,message_id\r\n"
    told = ", ".join([*words[:3], *(["Send"] if sent else []), *words[3:]])
    (leg,) = read(f'{heading}2024-03-13T08:00:00Z,{A},"{B}##{told}",<m@x>\r\n'.encode()).legs
    assert leg["outcome"] == ("delivered" if sent else "held")


OUT = {"status": OK, "server_hostname": "mx.fabrikam.example"}
TRACED = "2023-05-05T10:00:0{},a@contoso.example,b@fabrikam.example,{},<m1@contoso.example>,0badc0de-0000-4000-8000-000000000001,1\r\n"


@pytest.mark.parametrize(
    ("rows", "traced", "outcome"),
    [
        # the server outside took it, whatever became of a copy in the cloud
        ([row(1, "SENDEXTERNAL", **OUT)], (2, "Failed"), "delivered"),
        # handed to the cloud, and to nobody else: the cloud has the last word
        (
            [row(1, "SENDEXTERNAL", status=OK, server_hostname="fabrikam-example.mail.protection.outlook.com")],
            (2, "Failed"),
            "bounced",
        ),
        (
            [
                row(1, "SENDEXTERNAL", status=OK, server_hostname="fabrikam-example.mail.protection.outlook.com"),
                row(1, "SENDEXTERNAL", **OUT),
            ],
            (2, "Failed"),
            "delivered",
        ),
        # a copy failed here, another was delivered from the cloud
        ([row(1, "FAIL", status="550 5.1.1 no")], (2, "Delivered"), "delivered"),
        ([row(1, "DROP")], (2, "Delivered"), "delivered"),
        # the cloud handed it to this server, which gave it up
        ([row(9, "FAIL", status="550 5.1.1 no")], (-1, "Delivered"), "bounced"),
    ],
)
def test_logs_and_traces_of_several_copies(rows: list[dict[str, str]], traced: tuple[int, str], outcome: str) -> None:
    at, status = traced
    trace = TRACE + TRACED.format(at, status).replace("10:00:0-1", "09:59:59")
    content = log(submitted(), *rows), trace.encode()
    for files in (content, content[::-1]):
        (leg,) = read(*files).legs
        assert leg["outcome"] == outcome


def test_a_name_that_the_other_side_chose_does_not_make_a_delivery_unknown() -> None:
    """The server of a lookalike may call itself as one of ours; only what our server logs afterwards makes it so."""
    evil = row(2, "SENDEXTERNAL", status=OK, server_hostname="EX02.fabrikan.example")
    before = row(1, "RECEIVE", server_hostname="EX02", client_hostname="ws7")
    copy = row(3, "FAIL", status="550 5.1.1 no", server_hostname="EX02", client_hostname="EX02")
    assert [leg["outcome"] for leg in read(log(submitted(), before, evil, copy)).legs] == ["delivered"]
    late = {**before, "date-time": "2023-05-05T10:00:02.500Z"}  # its clock is ahead
    assert [leg["outcome"] for leg in read(log(submitted(), late, evil, copy)).legs] == ["delivered"]
    own = row(2, "SENDEXTERNAL", status=OK, server_hostname="EX01.fabrikan.example")
    again = row(3, "RECEIVE", internal_message_id="9")
    assert [leg["outcome"] for leg in read(log(submitted(), own, again)).legs] == ["delivered"]


@pytest.mark.parametrize("received", [1.5, 2, 2.5])
def test_what_the_next_server_of_ours_took_is_for_it_to_settle(received: float) -> None:
    """It logs the message before or after the one that handed it over."""
    out = row(2, "SENDEXTERNAL", status=OK, server_hostname="EDGE01.contoso.example")
    taken = row(received, "RECEIVE", server_hostname="EDGE01", client_hostname="EX01.contoso.example")
    end = row(9, "FAIL", status="550 5.1.1 no", server_hostname="EDGE01", client_hostname="EDGE01")
    assert [leg["outcome"] for leg in read(log(submitted(), out, taken)).legs] == ["unknown"]
    assert [leg["outcome"] for leg in read(log(submitted(), out, taken, end)).legs] == ["bounced"]


@pytest.mark.parametrize("received", [1.5, 2.5])
def test_what_exchange_online_took_is_for_its_report_to_settle(received: float) -> None:
    cloud = "fabrikam-example.mail.protection.outlook.com"
    out = row(2, "SENDEXTERNAL", status=OK, server_hostname=cloud)
    taken = row(received, "RECEIVE", server_hostname="AM0PR01MB1", client_hostname="mail.contoso.example")
    end = row(9, "FAIL", status="550 5.1.1 no", server_hostname="AM0PR01MB1", client_hostname="AM0PR01MB1")
    names = log(taken, end).split(b"\r\n", 2)
    extended = names[1].removeprefix(b"#Fields: ").replace(b"-", b"_") + b"\r\n" + names[2]
    assert [leg["outcome"] for leg in read(log(submitted(), out), extended).legs] == ["bounced"]
    elsewhere = row(1, "SENDEXTERNAL", **OUT)
    assert [leg["outcome"] for leg in read(log(submitted(), elsewhere, out), extended).legs] == ["delivered"]


def test_an_attempt_counts_once_in_however_many_forms_it_lies() -> None:
    """In a log twice, in its export with whole seconds, in a trace of the same message."""
    rows = [submitted(), row(1.2, "DEFER"), row(1.8, "DEFER"), row(60.5, "DEFER"), row(61.5, "SENDEXTERNAL", **OUT)]
    few = [{**one, "date-time": one["date-time"][:19] + "Z"} for one in rows]
    names = "Received,SenderAddress,RecipientAddress,Subject,Status,MessageId,MessageTraceId\r\n"
    told = f"2023-05-05T10:00:00Z,{A},{B},x,Delivered,<m1@contoso.example>,{rows[0]['network-message-id']}\r\n"
    trace = (names + told).encode()
    for contents in (
        [log(*rows)],
        [log(*rows), log(*rows)],
        [log(*rows, *rows)],
        [log(*rows), log(*few)],
        [log(*rows), trace],
    ):
        assert [leg["attempts"] for leg in read(*contents).legs] == [3]
    assert [leg["attempts"] for leg in read(trace).legs] == [leg["attempts"] for leg in read(trace, trace).legs] == [1]


def test_of_an_old_server_send_is_a_departure() -> None:
    old = [{**one, "network-message-id": ""} for one in (submitted(), row(1, "SEND", status=OK, server_hostname="mx"))]
    assert [leg["outcome"] for leg in read(log(*old, columns=26)).legs] == ["delivered"]
    assert [leg["outcome"] for leg in read(log(*old, columns=30)).legs] == ["unknown"]
