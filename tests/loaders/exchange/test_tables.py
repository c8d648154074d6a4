"""The knowledge kept in tables: events, layouts, statuses."""

from __future__ import annotations

import pyarrow as pa
import pytest

from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import fields, sniff, spans, statuses
from forensics.loaders.exchange.rows import host_key
from forensics.native.exchange import codes, slots

DOCUMENTED = """AGENTINFO BADMAIL CLIENTSUBMISSION DEFER DELIVER DELIVERFAIL DROP DSN DUPLICATEDELIVER DUPLICATEEXPAND
DUPLICATEREDIRECT EXPAND FAIL HADISCARD HARECEIVE HAREDIRECT HAREDIRECTFAIL INITMESSAGECREATED LOAD MODERATIONEXPIRE
MODERATORAPPROVE MODERATORREJECT MODERATORSALLNDR NOTIFYMAPI NOTIFYSHADOW POISONMESSAGE PROCESS PROCESSMEETINGMESSAGE
RECEIVE REDIRECT RESOLVE RESUBMIT RESUBMITDEFER RESUBMITFAIL SEND SUBMIT SUBMITDEFER SUBMITFAIL SUPPRESSED THROTTLE
TRANSFER"""
"""Event types of Microsoft Learn, "Message tracking" (Exchange 2016/2019)."""


def test_every_documented_event_has_a_meaning_with_its_source() -> None:
    for event in [*DOCUMENTED.split(), "SENDEXTERNAL"]:
        found = ids.lookup(event, "SMTP")
        assert found is not None and found.says and found.origin, event
        assert codes.ENTER <= found.effect < codes.TRACE_DELIVERED
    assert ids.lookup("NOSUCHEVENT", "SMTP") is None
    assert len({(row.event, row.source) for row in ids.TABLE}) == len(ids.TABLE)


def test_layouts_have_the_documented_columns() -> None:
    assert sorted(fields.LAYOUTS) == [21, 26, 27, 30]
    assert set(fields.LAYOUTS[30]) - set(fields.LAYOUTS[27]) == {"transport-traffic-type", "log-id", "schema-version"}
    assert set(fields.LAYOUTS[27]) - set(fields.LAYOUTS[26]) == {"network-message-id"}
    assert fields.LAYOUTS[26][:21] == fields.LAYOUTS[21]
    assert all(name in fields.LAYOUTS[30] for name in slots.SLOTS)


def test_columns_are_found_by_name() -> None:
    columns = fields.positions(["recipient_address", "x", "Date-Time_UTC"])
    assert columns[slots.RECIPIENT] == 0 and columns[slots.TIME] == 2 and columns[slots.EVENT] == -1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("550 4.4.7 QUEUE.Expired;message expired", "expired"),
        ("[{LED=550 4.4.7 QUEUE.Expired; message expired};{MSG=};{FQDN=};{IP=};{LRT=}]", "expired"),
        ("550 5.1.1 User unknown", "bounced"),
        ("[{LED=550 5.7.1 refused};{MSG=4.4.7};{FQDN=};{IP=};{LRT=}]", "bounced"),
        ("250 2.1.5 RESOLVER.MSGTYPE.AF; handled AutoForward addressed to external recipient", "discarded"),
        ("550 5.2.1 Content Filter agent quarantined this message", "held"),
        ("[{LED=550 5.7.1 quarantined};{MSG=};{FQDN=mx.navy.example};{IP=203.0.113.5};{LRT=}]", "bounced"),
        ("550 5.1.1 no such user; see QUEUE.Expired or 4.4.7", "bounced"),
        ("[{LED=550 QUEUE.Expired; message expired};{MSG=451 4.7.1 later};{FQDN=mx.x};{IP=192.0.2.1}]", "expired"),
        ("", "bounced"),
        (None, "bounced"),
    ],
)
def test_what_a_failure_says(status: str | None, kind: str) -> None:
    assert statuses.failure(status) == kind


@pytest.mark.parametrize(
    ("status", "context", "expected"),
    [
        ("To", None, (None, None, None, None, None)),
        ("250 2.1.5 Recipient OK", None, ("2.1.5", "250 2.1.5 Recipient OK", None, None, None)),
        (
            "250 2.1.5 Recipient OK",
            "08DB;250 2.0.0 Ok: queued as 4jYb1P5bQbzL5LJ;ClientSubmitTime:",
            ("2.0.0", "250 2.0.0 Ok: queued as 4jYb1P5bQbzL5LJ", None, None, "4jYb1P5bQbzL5LJ"),
        ),
        (
            None,
            "250 2.6.0 <m@x> [InternalId=4711, Hostname=EX02] Queued mail for delivery",
            ("2.6.0", "250 2.6.0 <m@x> [InternalId=4711, Hostname=EX02] Queued mail for delivery", None, None, "4711"),
        ),
        (
            "[{LED=550 5.1.1 <u@x>: unknown};{MSG=};{FQDN=mx.x};{IP=192.0.2.1};{LRT=1/1/2023}]",
            None,
            ("5.1.1", "550 5.1.1 <u@x>: unknown", "mx.x", "192.0.2.1", None),
        ),
        ("550 refused, see queued as BAIT", None, (None, "550 refused, see queued as BAIT", None, None, None)),
        (None, None, (None, None, None, None, None)),
    ],
)
def test_answers(status: str | None, context: str | None, expected: tuple[str | None, ...]) -> None:
    data, span = spans.of(pa.array([context], pa.string()))
    told = statuses.answers(pa.array([status], pa.string()), data, span)
    code, response, name, address, identity = (column[0].as_py() for column in told)
    assert (code or None, response, name, address, identity) == expected


def test_addresses_and_numbers() -> None:
    data, span = spans.of(pa.array(["fe80::1%3", "[::1]", "10.0.0.1", None]))
    assert spans.text(data, spans.unscoped(data, span)).to_pylist() == ["fe80::1", "::1", "10.0.0.1", None]
    assert statuses.integers(pa.array(["12", "x", "", None, "9" * 30]), pa.int64()).to_pylist() == [12] + [None] * 4
    assert host_key("EX01.albion-defence.uk") == host_key("ex01")


OTHERS = (
    b"",
    b"Jun  1 07:50:00 gw1 postfix/smtpd[2252]: connect from x",
    b"a,b,c\n1,2,3\n",
    b'{"level": "info"}\n',
    b"\xff\xfe",
    b"\x1f\x8b\x08",
    b"[1, 2, 3]",
    b'"Received","Subject"\n',
)


@pytest.mark.parametrize("head", OTHERS)
def test_other_files_are_not_taken(head: bytes) -> None:
    assert sniff.detect(head) == 0.0
