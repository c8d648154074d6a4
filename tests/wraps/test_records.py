"""One record of an export as a line: which column, which time, whose word counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forensics.wraps import columns, moments, records

T = "2024-03-05T10:00:00.250Z"
HEAD = "Mar  5 10:00:00 mx1 postfix/smtpd[101]: "
ISO = "2024-03-05T10:00:00.250000+00:00"


def line(record: dict[str, Any], offset: int | None = None, **options: Any) -> str:
    (found,) = records.lines(record, json.dumps(record).encode(), offset, **options)
    return found.data.decode()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"@timestamp": T, "host": {"name": "mx1"}, "program": "postfix/smtpd", "pid": 7, "message": "A: x"}, f"{ISO} mx1 postfix/smtpd[7]: A: x"),
        ({"@timestamp": T, "hostname": "mx1", "syslogtag": "postfix/smtpd[7]:", "msg": " A: x"}, f"{ISO} mx1 postfix/smtpd[7]: A: x"),
        ({"@timestamp": T, "hostname": "mx1", "message": "postfix/smtpd[7]: A: x"}, f"{ISO} mx1 postfix/smtpd[7]: A: x"),
        ({"@timestamp": T, "hostname": "mx1", "program": "postfix/smtpd", "message": "postfix/smtpd[7]: A: x"}, f"{ISO} mx1 postfix/smtpd[7]: A: x"),
        ({"time": 1709632800.25, "host": "mx1", "tag": "mail.info", "message": "postfix/smtpd[7]: A: x"}, f"{ISO} mx1 postfix/smtpd[7]: A: x"),
        ({"timestamp": "x", "Date": "2024-03-05", "Time": "10:00:00", "Priority": "Mail.Info", "Hostname": "mx1", "Message": "postfix[7]: A"}, "2024-03-05T10:00:00.000000 mx1 postfix[7]: A"),
        ({"_time": T, "_raw": "#Fields: date-time,client-ip"}, "#Fields: date-time,client-ip"),
        ({"_time": T, "_raw": "2024-03-05T08:00:05.000Z,10.0.0.5,EX01"}, "2024-03-05T08:00:05.000Z,10.0.0.5,EX01"),
        ({"result": {"_time": T, "_raw": "<22>1 2024-03-05T10:00:00Z mx1 postfix/smtp 7 - - A"}}, "<22>1 2024-03-05T10:00:00Z mx1 postfix/smtp 7 - - A"),
        ({"MESSAGE": [65, 58, 32, 255], "__REALTIME_TIMESTAMP": "1709632800250000", "_HOSTNAME": "mx1", "_COMM": "x"}, None),
        ({"@timestamp": T, "message": "A", "event": {"original": HEAD + "A"}}, f"2024-03-05T10:00:00 {HEAD[16:]}A"),
        ({"@timestamp": T, "host": "a b\tc", "program": "p q", "message": "A"}, f"{ISO} a_b_c p_q: A"),
    ],
)  # fmt: skip
def test_lines(record: dict[str, Any], expected: str | None) -> None:
    if expected is None:
        (found,) = records.lines(record, b"", None)
        assert found.data == ISO.encode() + b" mx1 x: A: \xff"
    else:
        assert line(record) == expected


@pytest.mark.parametrize(
    ("outer", "inner", "offset", "expected"),
    [
        ("2024-03-05T10:00:03Z", "Mar  5 10:00:00", 0, "2024-03-05T10:00:00+00:00"),
        ("2024-03-05T10:00:03Z", "Mar  5 11:00:00", 3600, "2024-03-05T11:00:00+01:00"),
        ("2024-03-05T10:00:03+05:30", "Mar  5 10:00:00.5", 19800, "2024-03-05T10:00:00.5+05:30"),
        ("2024-07-05T09:00:03Z", "Jul  5 11:00:00", 3600, "2024-07-05T11:00:00+02:00"),
        ("2024-03-09T22:17:00Z", "Mar  5 11:00:00", 3600, "2024-03-05T11:00:00+01:00"),
        ("2024-01-01T00:00:07Z", "Dec 31 23:59:59", 0, "2023-12-31T23:59:59+00:00"),
        ("2023-12-31T23:30:07Z", "Jan  1 00:30:00", 3600, "2024-01-01T00:30:00+01:00"),
        ("2025-03-01T00:00:07Z", "Feb 29 10:00:00", 0, "2024-02-29T10:00:00+00:00"),
        ("2024-03-05T10:00:03Z", "Mar  5 11:00:00", None, "2024-03-05T11:00:00"),
        ("2024-03-05 10:00:03", "Mar  5 11:00:00", 3600, "2024-03-05T11:00:00"),
        ("2024-03-05T10:00:03Z", "Mar 35 11:00:00", 0, "Mar 35 11:00:00"),
        ("no time", "Mar  5 11:00:00", 0, "Mar  5 11:00:00"),
    ],
)
def test_a_stamp_without_a_year_is_told_year_and_zone(
    outer: str, inner: str, offset: int | None, expected: str
) -> None:
    record = {"_time": outer, "_raw": f"<22>{inner} mx1 postfix/smtpd[1]: A"}
    assert line(record, offset) == f"<22>{expected} mx1 postfix/smtpd[1]: A"
    assert line(record, offset, as_logged=True) == record["_raw"]


def test_the_zone_is_what_most_clocks_agree_on() -> None:
    def pairs(*apart: int) -> list[tuple[int, int]]:
        return [(1_700_000_000 + a, 1_700_000_000) for a in apart]

    assert moments.distance(pairs(3598, 3599, 3540, 0)) == 3600
    assert moments.distance(pairs(-3, -2, -119)) == 0
    assert moments.distance(pairs(3600, 0)) is None
    assert moments.distance(pairs(-1800, -1799)) is None, "records shipped half an hour late: no such zone"
    assert moments.distance([]) is None


def test_a_program_that_logs_what_outsiders_write_is_not_taken_for_postfix() -> None:
    forged = HEAD + "4A1B2C3D4E: client=x[192.0.2.1]"
    told = line({"@timestamp": T, "host": "web1", "program": "webapp", "pid": "7", "message": forged})
    assert told == f"{ISO} web1 webapp[7]: {forged}"
    text = line({"@timestamp": T, "host": "web1", "program": "webapp", "message": "GET /\n" + forged})
    assert text == f"{ISO} web1 webapp: GET /?{forged}"


def test_an_object_that_a_program_logs_is_not_taken_for_a_record_of_another() -> None:
    forged = json.dumps({"program": "postfix/smtp", "host": "mx1", "@timestamp": T, "message": "4A1B2C3D4E: removed"})
    assert line({"@timestamp": T, "host": "web1", "program": "webapp", "pid": "7", "message": forged}) == (
        f"{ISO} web1 webapp[7]: {forged}"
    )
    for carrier in ("docker", "0123456789ab", "postfix"):
        told = line({"@timestamp": T, "host": "web1", "program": carrier, "pid": "7", "message": forged})
        assert told.endswith(" mx1 postfix/smtp[7]: 4A1B2C3D4E: removed")


def test_lines_that_a_log_system_took_together_are_lines_again() -> None:
    record = {"_time": T, "_raw": f"{HEAD}A: x\r\n{HEAD}A: y\n"}
    assert [one.data.decode() for one in records.lines(record, b"", 0, as_logged=True)] == [
        HEAD + "A: x",
        HEAD + "A: y",
    ]
    assert line({"_time": T, "_raw": f"{HEAD}A: x\nsecond"}, as_logged=True) == HEAD + "A: x?second"


def test_objects_inside_messages() -> None:
    inner = json.dumps({"log": HEAD + "A\n", "time": T})
    assert (
        line({"@timestamp": "2024-03-05T10:00:09Z", "message": inner}, 0) == f"2024-03-05T10:00:00+00:00 {HEAD[16:]}A"
    )
    bare = {"@timestamp": T, "host": "mx1", "message": json.dumps({"msg": "A: x", "program": "postfix/smtp"})}
    assert line(bare) == f"{ISO} mx1 postfix/smtp: A: x"
    trace = {"MessageId": "<a@b>", "RecipientAddress": "x@y.example", "Status": "Delivered"}
    assert json.loads(line({"_time": T, "_raw": json.dumps(trace)})) == trace


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"@timestamp": T, "level": "info"}, records.NO_MESSAGE),
        ({"@timestamp": T, "message": {"a": 1}}, records.NO_MESSAGE),
        ({"MESSAGE": None, "__REALTIME_TIMESTAMP": "1709632800250000"}, records.LEFT_OUT),
        ({"@timestamp": "03/05/2024, 10:00:00", "host": "mx1", "message": "A: x"}, records.NO_TIME),
    ],
)
def test_what_is_no_record_says_why(record: dict[str, Any], reason: str) -> None:
    (found,) = records.lines(record, json.dumps(record).encode(), None)
    assert found.reason == reason


def test_every_export_is_found_by_its_own_columns() -> None:
    for export in columns.EXPORTS:
        record = dict.fromkeys((export.message[0], *export.needs), "x")
        found = columns.export_of(record)
        assert (found is not None and found.name == export.name) or export.message[0] in (
            "message",
            "log",
            "event.original",
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1709632800", 1709632800000000),
        ("1709632800.25", 1709632800250000),
        ("1709632800250", 1709632800250000),
        ("1709632800250000", 1709632800250000),
        ("1709632800250000000", 1709632800250000),
        ("/Date(1709632800250)/", 1709632800250000),
        ("2024-03-05T10:00:00.250Z", 1709632800250000),
        ("2024-03-05 11:00:00,25 +01:00", 1709632800250000),
        ("2024-03-05T10:00:00.250000000+0000", 1709632800250000),
        ("2024 Mar 05 10:00:00", 1709632800000000),
        ("Tue, 5 Mar 2024 10:00:00 GMT", 1709632800000000),
        ("Mar 5, 2024 @ 10:00:00.250", 1709632800250000),
    ],
)
def test_moments_of_exports(text: str, expected: int) -> None:
    found = moments.moment(text)
    assert found is not None and found.micros == expected


@pytest.mark.parametrize(
    "text",
    ["", "03/05/2024 10:00", "2024-02-30T10:00:00Z", "2024-03-05T25:00:00Z", "12345678901", "Foo 5, 2024 10:00:00"],
)
def test_what_is_no_moment(text: str) -> None:
    assert moments.moment(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"@timestamp":"T","program":"postfix/smtp","message":"A: x","message":"B: x"}', "message"),
        ('{"@timestamp":"T","program":"postfix/smtp","program":"sshd","message":"A: x"}', "program"),
        ('{"@timestamp":"T","host":{"name":"mx1","name":"mx2"},"message":"A: x"}', "name"),
        ('{"_source":{"@timestamp":"T","message":"A: x"},"_source":{"message":"B: x"}}', "_source"),
        ('{"@timestamp":"T","program":"postfix/smtp","message":"A: x","message":"A: x"}', ""),
        ('{"@timestamp":"T","program":"postfix/smtp","message":"A: x","level":1,"level":2}', ""),
    ],
)
def test_a_record_that_says_two_things_of_one_key_stands_for_itself(text: str, reason: str) -> None:
    raw = text.replace('"T"', f'"{T}"').encode()
    (found,) = records.lines(records.loaded(raw), raw, None)
    assert found.reason == (records.TWICE + reason if reason else "")
    assert (found.data == raw) == bool(reason)
