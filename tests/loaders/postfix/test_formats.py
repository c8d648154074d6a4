"""The same message in every stamp and wrapping gives the same delivery, addressed where it stands."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.errors import AmbiguousTime
from forensics.loaders.settings import Settings
from tests.ingesting import read, to

TEXTS = [
    ("smtpd", "client=ws1.albion.example[10.0.0.1]"),
    ("cleanup", "message-id=<m@albion.example>"),
    ("qmgr", "from=<ann@albion.example>, size=1000, nrcpt=1 (queue active)"),
    ("smtp", to("x@navy.example")),
    ("qmgr", "removed"),
]
LINES = [(f"postfix/{program}", f"4B1C2D3E4F: {text}") for program, text in TEXTS]
WHEN = datetime(2024, 3, 1, 10, 0, 5, tzinfo=UTC)
MICROS = 1709287205000000

SYSLOG = {
    "rfc3164": "Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "rfc3164 with year": "Mar  1 2024 10:00:05 mx1 {p}[7]: {t}",
    "year first": "2024 Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "year behind": "Mar  1 10:00:05 2024 mx1 {p}[7]: {t}",
    "weekday": "Fri Mar  1 10:00:05 2024 mx1 {p}[7]: {t}",
    "a day of one digit behind one blank": "Mar 1 10:00:05 mx1 {p}[7]: {t}",
    "zero-padded day, fraction": "Mar 01 10:00:05.000 mx1 {p}[7]: {t}",
    "pri": "<22>Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "no pid": "Mar  1 10:00:05 mx1 {p}: {t}",
    "solaris": "Mar  1 10:00:05 mx1 {p}[7]: [ID 197553 mail.info] {t}",
    "busybox": "Mar  1 10:00:05 mx1 mail.info {p}[7]: {t}",
    "rsyslog iso": "2024-03-01T12:00:05.000000+02:00 mx1 {p}[7]: {t}",
    "offset without colon": "2024-03-01T04:30:05-0530 mx1 {p}[7]: {t}",
    "iso z": "2024-03-01T10:00:05Z mx1 {p}[7]: {t}",
    "iso with space": "2024-03-01 10:00:05 mx1 {p}[7]: {t}",
    "rfc5424": "<22>1 2024-03-01T10:00:05.000Z mx1 {p} 7 - - {t}",
    "rfc5424 without pri": '1 2024-03-01T10:00:05Z mx1 {p} 7 - [meta s="a\\]b"][x y="]"] \ufeff{t}',
    "programname of rsyslog": "<22>Mar  1 10:00:05 mx1 postfix[7]: {t}",
    "app-name of rsyslog": "<22>1 2024-03-01T10:00:05.000Z mx1 postfix 7 - -  {t}",
    "kubernetes": "2024-03-01T10:00:05.000000001Z stdout F Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "docker -t": "2024-03-01T10:00:05.000000001Z Mar  1 11:00:05 mx1 {p}[7]: {t}",
    "compose": "mail_1  | Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "blanks behind the tag": "Mar  1 10:00:05 mx1 {p}[7]:   {t}",
    "a tab behind the tag": "Mar  1 10:00:05 mx1 {p}[7]:\t{t}",
    "blanks behind the stamp": "Mar  1 10:00:05   mx1  {p}[7]: {t}",
    "blanks behind rfc5424's fields": "<22>1 2024-03-01T10:00:05Z mx1 {p} 7 - -   {t}",
    "rfc5424's fields without its version": "2024-03-01T10:00:05Z mx1 {p} 7 - - {t}",
    "a byte order mark": "Mar  1 10:00:05 mx1 {p}[7]: \ufeff{t}",
    "no blank behind the tag": "Mar  1 10:00:05 mx1 {p}[7]:{t}",
    "no colon": "Mar  1 10:00:05 mx1 {p}[7] {t}",
    "aix": "Mar  1 10:00:05 mx1 mail:info {p}[7]: {t}",
    "freebsd": "Mar  1 10:00:05 <mail.info> mx1 {p}[7]: {t}",
    "freebsd, numbers": "Mar  1 10:00:05 <2.6> mx1 {p}[7]: {t}",
    "macos": "Mar  1 10:00:05 mx1 {p}[7] <Info>: {t}",
    "solaris, blanks": "Mar  1 10:00:05 mx1 {p}[7]: [ID 197553 mail.info]  {t}",
    "zone's name": "Mar  1 10:00:05 UTC mx1 {p}[7]: {t}",
    "zone's name, date(1)": "Fri Mar  1 10:00:05 UTC 2024 mx1 {p}[7]: {t}",
    "zone's name and year": "Mar  1 2024 11:00:05 CET mx1 {p}[7]: {t}",
    "zone behind a blank": "2024-03-01 12:00:05.000 +02:00 mx1 {p}[7]: {t}",
    "zone behind a blank, no colon": "2024-03-01T04:30:05 -0530 mx1 {p}[7]: {t}",
    "journalctl -o short-full": "Fri 2024-03-01 11:00:05 CET mx1 {p}[7]: {t}",
    "journalctl -o short-unix": "1709287205.000000 mx1 {p}[7]: {t}",
    "two heads": "Mar  1 10:00:09 192.0.2.1 Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "two heads with priorities": "<22>Mar  1 10:00:09 relay <22>Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "two heads, rfc5424 within": "Mar  1 10:00:09 relay <22>1 2024-03-01T10:00:05Z mx1 {p} 7 - - {t}",
    "two heads, rfc5424 around": "<22>1 2024-03-01T10:00:05Z relay - - - - Mar  1 11:00:05 mx1 {p}[7]: {t}",
    "three heads": "Mar  1 10:00:11 hub Mar  1 10:00:09 192.0.2.1 Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "forwarded": "Mar  1 10:00:05 hub Message forwarded from mx1: {p}[7]: {t}",
    "forwarded on aix": "Mar  1 10:00:05 hub mail:info Message forwarded from mx1: mail:info {p}[7]: {t}",
    "docker's syslog driver": "Mar  1 10:00:09 dockerhost docker[32360]: Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "docker's syslog driver, rfc5424": "<30>1 2024-03-01T10:00:05Z dockerhost 1a2b3c4d5e6f 99 x - Mar  1 11:00:05 mx1 {p}[7]: {t}",
    "docker, no stamp within": "Mar  1 10:00:05 mx1 1a2b3c4d5e6f[99]: {p}[7]: {t}",
    "systemd around": "Mar  1 10:00:05 mx1 postfix[1]: {p}[7]: {t}",
    "host with a colon": "Mar  1 10:00:05 mx1: {p}[7]: {t}",
}


def check(folder: Path, content: bytes, records: list[bytes]) -> None:
    result, rows = read(folder, {"mail.log-20240301": content})
    assert result.unread == 0
    (row,) = rows
    assert (row["recipient"], row["sender"], row["outcome"], row["host"]) == (
        "x@navy.example", "ann@albion.example", "delivered", "mx1",
    )  # fmt: skip
    assert row["submitted_at"] == WHEN
    assert [r["number"] for r in row["records"]] == [1, 2, 3, 4, 5]
    assert [content[r["offset"] : r["offset"] + r["length"]] for r in row["records"]] == records


@pytest.mark.parametrize("pattern", SYSLOG.values(), ids=SYSLOG)
def test_syslog(tmp_path: Path, pattern: str) -> None:
    records = [pattern.format(p=p, t=t).encode() for p, t in LINES]
    check(tmp_path, b"\n".join(records) + b"\n", records)


@pytest.mark.parametrize(
    "host", ["192.0.2.25", "2001:db8::25", "::1", "fe80::1%eth0", "192.0.2.25:514", "[2001:db8::25]:514", "mx-1.example.org", "MX1",
             "s_net@mx1/relay", "2001:db8::"],
)  # fmt: skip
@pytest.mark.parametrize("stamp", ["Mar  1 10:00:05", "2024-03-01T10:00:05Z"])
def test_hosts(tmp_path: Path, stamp: str, host: str) -> None:
    lines = [f"{stamp} {host} {p}[7]: {t}" for p, t in LINES]
    result, rows = read(tmp_path, {"mail.log-20240301": "\n".join(lines)})
    assert [row["host"] for row in rows] == [host]
    assert (result.unread, result.evidence[0].ignored) == (0, {})


@pytest.mark.parametrize(
    "pattern",
    [
        "Mar  1 10:00:09 web1 webapp[7]: Mar  1 10:00:05 mx1 {p}[7]: {t}",
        "Mar  1 10:00:09 web1 webapp: {p}[7]: {t}",
        "Mar  1 10:00:09 web1 webapp: web1 {p}[7]: {t}",
        "<30>1 2024-03-01T10:00:05Z web1 webapp 99 - - 2024-03-01T10:00:05Z mx1 {p}[7]: {t}",
        "2024-03-01T10:00:05Z web1 webapp[1]: <22>1 2024-03-01T10:00:05Z mx1 {p} 7 - - {t}",
    ],
)
def test_what_a_program_logs_for_outsiders_is_no_record_of_postfix(tmp_path: Path, pattern: str) -> None:
    """A program may log text that anybody sent; what looks like a record in it is told, and is none."""
    real = [f"2024-03-01T10:00:05Z mx2 {p}[7]: {t}".replace("x@navy", "y@navy") for p, t in LINES]
    lines = [*real, *(pattern.format(p=p, t=t) for p, t in LINES)]
    result, rows = read(tmp_path, {"mail.log-20240301": "\n".join(lines)})
    assert [row["recipient"] for row in rows] == ["y@navy.example"]
    assert result.unread == len(LINES)


BARE = {
    "rfc5424": "<22>1 2024-03-01T10:00:05.000Z mx1 postfix 7 - - {t}",
    "rfc3164": "Mar  1 10:00:05 mx1 postfix[7]: {t}",
    "another instance": "Mar  1 10:00:05 mx1 postfix-out[7]: {t}",
}


@pytest.mark.parametrize("pattern", BARE.values(), ids=BARE)
def test_a_tag_without_the_daemon(tmp_path: Path, pattern: str) -> None:
    """rsyslog's programname and app-name end at the first `/`; the text's form tells who wrote it."""
    texts = [
        *(t for _, t in LINES[:3]),
        "4B1C2D3E4F: " + to("gone@navy.example", relay="none"),
        LINES[3][1],
        "NOQUEUE: reject: RCPT from b[198.51.100.7]: 550 5.1.1 <y@albion.example>: No; from=<s@b.example> to=<y@albion.example> "
        "proto=ESMTP helo=<b>",
        LINES[4][1],
    ]  # fmt: skip
    named = "Mar  1 10:00:05 mx2 postfix/anvil[7]: statistics: max cache size 1 at Mar  1 10:00:05\n"
    lines = named + "\n".join(pattern.format(t=t) for t in texts)
    result, rows = read(tmp_path, {"mail.log-20240301": lines})
    if (
        pattern == BARE["another instance"]
    ):  # of such names many belong to other programs: only what Postfix alone says is read
        assert {row["recipient"] for row in rows} >= {"gone@navy.example", "x@navy.example", "y@albion.example"}
    else:
        assert result.unread == 0
        assert sorted((r["recipient"], r["outcome"], r["message_id"]) for r in rows) == [
            ("gone@navy.example", "discarded", "m@albion.example"),
            ("x@navy.example", "delivered", "m@albion.example"),
            ("y@albion.example", "rejected", None),
        ]


def test_stamps_in_utc_whatever_the_zone_of_the_file(tmp_path: Path) -> None:
    """A summer day in London: stamps that name UTC are not an hour off."""
    lines = [f"Jul  1 10:00:05 UTC mx1 {p}[7]: {t}" for p, t in LINES]
    lines += [f"Jul  1 10:00:05 mx1 {p}[7]: {t.replace('4B1C', '5B1C')}" for p, t in LINES]
    _, rows = read(tmp_path, {"mail.log-20240701": "\n".join(lines)}, Settings(timezone="Europe/London"))
    assert sorted((r["queue_id"], r["submitted_at"].hour) for r in rows) == [("4B1C2D3E4F", 10), ("5B1C2D3E4F", 9)]


def test_a_zone_that_is_not_used_is_noted(tmp_path: Path) -> None:
    lines = [f"Mar  1 10:00:05 CET mx1 {p}[7]: {t}" for p, t in LINES]
    result, rows = read(tmp_path, {"mail.log-20240301": "\n".join(lines)})
    assert [row["host"] for row in rows] == ["mx1"]
    (sentence,) = result.evidence[0].notes["noted"]
    assert sentence.startswith("stamps without a year name the time zone CET;")


def test_a_host_named_as_a_zone(tmp_path: Path) -> None:
    lines = [f"Mar  1 10:00:05 MSK {p}[7]: {t}" for p, t in LINES]
    _, rows = read(tmp_path, {"mail.log-20240301": "\n".join(lines)})
    assert [row["host"] for row in rows] == ["MSK"]


HEADS_NOT_UNDERSTOOD = [
    '2024-03-01T10:00:09Z {{filename="/var/log/mail.log", host="mx1"}} Mar  1 10:00:05 mx1 {p}[7]: {t}',
    "2024 Mar 01 10:00:09 (mx1) 192.0.2.1->/var/log/maillog Mar  1 10:00:05 mx1 {p}[7]: {t}",
    "Mar  1 10:00:05 mx1 %%MAIL-6-INFO%% {p}[7]: {t}",
    "Mar  1 10:00:05 mx1 shipper: source=mail {p}[7]: {t}",
    "Mar  1 10:00:05 mx1 mail[7]: {t}",
    "Mar  1 10:00:05 mx1 smtp[7]: {t}",
    "Mar  1 10:00:05 mx1 {t}",
    "Mar  1 10:00:05 {t}",
    "Mar  1 10:00:05 mx1 [7]: {t}",
    "(mx1) {p}[7]: {t}",
]


@pytest.mark.parametrize("pattern", HEADS_NOT_UNDERSTOOD)
def test_a_record_behind_a_head_that_is_not_understood_is_unread(tmp_path: Path, pattern: str) -> None:
    """None of them passes for another program's."""
    good = [SYSLOG["iso z"].format(p=p, t=t) for p, t in LINES]
    bad = [pattern.format(p=p, t=t.replace("4B1C", "5B1C")) for p, t in (LINES[2], LINES[3])]
    result, rows = read(tmp_path, {"mail.log-20240301": "\n".join([*good, *bad])})
    assert (len(rows), result.unread, result.evidence[0].ignored) == (1, 2, {})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Mar  1 10:00:05 mx1 sshd[77]: Accepted publickey for ann", "program sshd"),
        ("Mar  1 10:00:05 2001:db8::25 sshd[77]: Accepted publickey for ann", "program sshd"),
        ("Mar  1 10:00:05 mx1 (systemd)[77]: x", "program (systemd)"),
        ("Mar  1 10:00:05 mx1 dovecot: imap(ann@albion.example): Logged out", "program dovecot"),
        ("Mar  1 10:00:05 mx1 sendmail[9]: u25A0001: to=<x@navy.example>, delay=00:00:01, stat=Sent", "program sendmail"),
        ("Mar  1 10:00:05 mx1 mysqld[1]: 2024-03-01 10:00:05 1 [Note] ready for connections", "program mysqld"),
        ("Mar  1 10:00:05 mx1 systemd[1]: Started /usr/lib/postfix/sbin/smtpd.", "program systemd"),
        ("Mar  1 10:00:05 mx1 fail2ban.filter[9]: INFO [postfix] Found 198.51.100.7", "program fail2ban.filter"),
        ("Mar  1 10:00:05 mx1 policyd-spf[9]: prepend Received-SPF: Pass envelope-from=a@b.example", "program policyd-spf"),
        ("Mar  1 10:00:05 mx1 relay Mar  1 10:00:04 mx2 sshd[77]: x", "other lines without a program"),
        ("Mar  1 10:00:05 relay Mar  1 10:00:04 mx2 sshd[77]: x", "program sshd"),
        ("Mar  1 10:00:05 mx1 3proxy[9]: x", "program 3proxy"),
        ("Mar  1 10:00:05 mx1 last message repeated 3 times", "notices of the logger"),
        ("Mar  1 10:00:05 mx1 -- MARK --", "notices of the logger"),
        ("Mar  1 10:00:05 mx1 something said without a tag", "other lines without a program"),
        ("-- Logs begin at Fri 2024-03-01 09:00:00 UTC, end at Fri 2024-03-01 10:00:00 UTC. --", "marks between records"),
        ("-- Reboot --", "marks between records"),
        ("-- No entries --", "marks between records"),
        ("-- cursor: s=0639;i=1", "marks between records"),
        ("--", "marks between records"),
        ("", "blank line"),
        (" \t \r", "blank line"),
    ],
)  # fmt: skip
def test_other_lines(tmp_path: Path, line: str, kind: str) -> None:
    good = [SYSLOG["iso z"].format(p=p, t=t) for p, t in LINES]
    result, rows = read(tmp_path, {"mail.log-20240301": "\n".join([*good[:2], line, *good[2:]])})
    assert (len(rows), result.unread, result.evidence[0].ignored) == (1, 0, {kind: 1})


def journald(program: str, text: str) -> dict[str, object]:
    return {
        "__CURSOR": "s=1",
        "__REALTIME_TIMESTAMP": str(MICROS),
        "_HOSTNAME": "mx1",
        "SYSLOG_IDENTIFIER": program,
        "SYSLOG_PID": "7",
        "MESSAGE": text,
    }


WRAPPED = {
    "journald json": journald,
    "journald bytes": lambda p, t: journald(p, t) | {"MESSAGE": list(t.encode())},
    "docker json-file": lambda p, t: {"log": f"Mar  1 10:00:05 mx1 {p}[7]: {t}\n", "stream": "stdout", "time": "2024-03-01T10:00:05.1Z"},
    "filebeat": lambda p, t: {"@timestamp": "2025-01-01T00:00:00Z", "message": f"Mar  1 10:00:05 mx1 {p}[7]: {t}"},
    "logstash": lambda p, t: {"@timestamp": "2024-03-01T10:00:05Z", "host": {"name": "mx1"}, "program": p, "pid": 7, "message": t},
}  # fmt: skip


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_json_lines(tmp_path: Path, wrap) -> None:  # type: ignore[no-untyped-def]
    records = [json.dumps(wrap(p, t)).encode() for p, t in LINES]
    content = b"\n".join(records) + b"\n"
    result, rows = read(tmp_path, {"mail.log-20240301": content})
    assert result.unread == 0
    (row,) = rows
    assert row["submitted_at"].replace(microsecond=0) == WHEN
    assert [content[r["offset"] : r["offset"] + r["length"]] for r in row["records"]] == records


def test_journald_export(tmp_path: Path) -> None:
    records = []
    for n, (p, t) in enumerate(LINES):
        fields = {k: v for k, v in journald(p, t).items() if k != "MESSAGE"}
        entry = "".join(f"{k}={v}\n" for k, v in fields.items()).encode()
        raw = t.encode()
        entry += b"MESSAGE\n" + struct.pack("<Q", len(raw)) + raw + b"\n" if n % 2 else b"MESSAGE=" + raw + b"\n"
        records.append(entry.rstrip(b"\n"))
    check(tmp_path, b"\n\n".join(records) + b"\n\n", records)


def test_broken_json_is_unread_not_lost(tmp_path: Path) -> None:
    records = [json.dumps(journald(p, t)).encode() for p, t in LINES]
    content = b"\n".join([*records, b'{"MESSAGE": "cut', b"{}", b'{"a": 1}'])
    result, rows = read(tmp_path, {"mail.log": content})
    assert (len(rows), result.unread) == (1, 3)


def test_part_of_a_split_container_record_is_unread(tmp_path: Path) -> None:
    lines = [SYSLOG["kubernetes"].format(p=p, t=t) for p, t in LINES]
    lines.append("2024-03-01T10:00:06Z stdout P Mar  1 10:00:06 mx1 postfix/smtp[7]: 5B1C2D3E4F: to=<y@navy")
    result, rows = read(tmp_path, {"mail.log": "\n".join(lines)})
    assert (len(rows), result.unread) == (1, 1)


@pytest.mark.parametrize(
    "name", ["postfix", "postfix-out", "mr/postfix", "postfix/submission", "mail.gw", "postfix/relay"]
)
def test_any_syslog_name(tmp_path: Path, name: str) -> None:
    lines = [SYSLOG["iso z"].format(p=p.replace("postfix", name), t=t) for p, t in LINES]
    result, rows = read(tmp_path, {"mail.log": "\n".join(["2024-03-01T10:00:05Z mx1 postfix/anvil[7]: x", *lines])})
    assert (len(rows), result.unread) == (1, 0)


@pytest.mark.parametrize(
    "queue_id", ["0F5383D", "ABCDEF", "4jYb1P4TVTzL5L5", "3Pt2mN2VXxznjll", "123456789ABCDEF012345"]
)
def test_queue_ids(tmp_path: Path, queue_id: str) -> None:
    lines = [SYSLOG["iso z"].format(p=p, t=t.replace("4B1C2D3E4F", queue_id)) for p, t in LINES]
    _, rows = read(tmp_path, {"mail.log": "\n".join(lines)})
    assert [r["queue_id"] for r in rows] == [queue_id]


def test_local_time_and_the_hour_that_comes_twice(tmp_path: Path) -> None:
    def message(number: int, clock: str) -> str:
        lines = [f"Oct 29 {clock} mx1 {p}[7]: {t}" for p, t in LINES]
        return "".join(line.replace("4B1C2D3E4F", f"{number}B1C2D3E4F") + "\n" for line in lines)

    text = message(1, "00:30:00") + message(2, "01:30:00") + message(3, "01:10:00") + message(4, "02:10:00")
    settings = Settings(timezone="Europe/London")
    result, rows = read(tmp_path, {"mail.log-20231029": text}, settings)
    times = {r["queue_id"][0]: f"{r['submitted_at']:%d %H:%M}" for r in rows}
    assert times == {"1": "28 23:30", "2": "29 00:30", "3": "29 01:10", "4": "29 02:10"}
    notes = result.evidence[0].notes
    assert notes["timezone"]["name"] == "Europe/London"
    assert notes["timezone"]["overlaps"] == [{"utc": "2023-10-29T01:00:00+00:00", "second_pass_from_record": 11}]


def roll(name: str, stamps: list[str], settings: Settings | None = None, folder: Path | None = None) -> list[str]:
    assert folder is not None
    text = ""
    for number, stamp in enumerate(stamps, 1):
        for p, t in LINES:
            text += f"{stamp} mx1 {p}[7]: {t.replace('4B1C2D3E4F', f'{number:X}B1C2D3E4F')}\n"
    _, rows = read(folder, {name: text}, settings)
    return [f"{r['submitted_at']:%Y-%m-%d}" for r in sorted(rows, key=lambda r: r["queue_id"])]


@pytest.mark.parametrize(
    ("name", "stamps", "year", "expected"),
    [
        ("mail.log-20240102", ["Dec 30 10:00:00", "Jan  1 10:00:00"], None, ["2023-12-30", "2024-01-01"]),
        ("mail.log-20240102", ["Dec 30 10:00:00"], None, ["2023-12-30"]),
        ("mail.log-20240102", ["Jan  3 23:00:00"], None, ["2024-01-03"]),
        ("mail-2023-06.log", ["Jun 30 10:00:00"], None, ["2023-06-30"]),
        ("mail.log", ["Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02"], 2021,
         ["2021-12-31", "2022-01-01", "2021-12-31", "2022-01-01"]),
        ("mail.log", ["Mar  1 10:00:01", "Mar  1 10:00:00", "Feb 28 10:00:00"], 2021, ["2021-03-01", "2021-03-01", "2021-02-28"]),
        ("mail.log", ["Jun  1 10:00:00", "Jan  5 10:00:00", "Jan  4 10:00:00"], 2020, ["2020-06-01", "2020-01-05", "2020-01-04"]),
        ("mail.log-20240102", ["Jan  1 10:00:00"], 2020, ["2020-01-01"]),
    ],
)  # fmt: skip
def test_years(tmp_path: Path, name: str, stamps: list[str], year: int | None, expected: list[str]) -> None:
    assert roll(name, stamps, Settings(year=year), tmp_path) == expected


def test_a_record_behind_the_date_in_a_name_is_not_of_a_year_before(tmp_path: Path) -> None:
    """A log is not rotated a year after its last record: the date is that of a copy, or wrong."""
    with pytest.raises(AmbiguousTime, match="363 days older than the date in its name"):
        roll("mail.log-20240102", ["Jan  4 00:00:00"], None, tmp_path)


@pytest.mark.parametrize(("name", "year"), [("mail.log", 2023), ("mail.log-20230301", None), ("mail.log-2023", None)])
def test_29_february_contradicts_a_common_year(tmp_path: Path, name: str, year: int | None) -> None:
    text = "".join(f"Feb 29 10:00:00 mx1 {p}[7]: {t}\n" for p, t in LINES)
    with pytest.raises(AmbiguousTime, match="29 February, but 2023 is no leap year"):
        read(tmp_path, {name: text}, Settings(year=year))
