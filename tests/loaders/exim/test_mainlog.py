"""Exim's lines in every variation give the deliveries that its documentation says they are."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import loaders, pipeline, store
from forensics.case import Case
from forensics.casefile import SourceSettings
from forensics.errors import AmbiguousTime
from forensics.loaders.exim import fields, lines
from forensics.loaders.settings import Settings
from tests.ingesting import line, message, read, to

OLD, NEW = "1rfzAB-0001aB-Cd", "1rfzAB-00000001aBc-2dEf"
FROM = "<= ann@albion.example H=ws1.albion.example (ws1) [10.0.0.1] P=esmtp S=1000 id=m@albion.example"
TO = "=> x@navy.example R=dnslookup T=remote_smtp H=mx.navy.example [203.0.113.5]"
TEXTS = (FROM, TO, "Completed")


def log(*texts: str, identity: str = OLD, stamp: str = "2024-03-01 10:00:05 ") -> str:
    return "".join(f"{stamp}{identity} {text}\n" for text in texts)


def one(folder: Path, content: str, settings: Settings | None = None) -> dict[str, Any]:
    result, rows = read(folder, {"mainlog": content}, settings)
    assert [e.unread for e in result.evidence] == [0]
    (row,) = rows
    return row


SELECTED = {
    "default": (FROM, TO, "Completed"),
    "received_recipients, received_sender, subject": (
        FROM + ' T="a \\"b\\" for y@z.example" from <ann@albion.example> for x@navy.example', TO, "Completed",
    ),
    "sender_on_delivery, return_path_on_delivery": (
        FROM, TO.replace(" R=", " F=<ann@albion.example> P=<ann@albion.example> R="), "Completed",
    ),
    "smtp_confirmation, deliver_time, queue_time": (
        FROM, TO + ' C="250 2.0.0 accepted \\"C=x\\"" QT=1.2s DT=0.3s', "Completed QT=1.3s",
    ),
    "tls_cipher, tls_peerdn, tls_certificate_verified": (
        FROM.replace(" S=", " X=TLS1.3:AES256:256 CV=no S="), TO + ' X=TLS1.3:AES256:256 CV=yes DN="/CN=mx: \\"x\\""',
        "Completed",
    ),
    "incoming_port, outgoing_port, interfaces": (
        FROM.replace("[10.0.0.1]", "[10.0.0.1]:50000 I=[10.0.0.9]:25"), TO + ":25 I=[10.0.0.9]:33333", "Completed",
    ),
    "all_parents, a second message on the connection": (FROM, TO + "*", "Completed"),
    "pipelining, 8bitmime, receive_time, dkim": (
        FROM.replace(" S=", " L.- K M8S=8 RT=0.1s DKIM=albion.example S="), TO + " L* K", "Completed",
    ),
    "cutthrough": (TO.replace("=>", ">>"), FROM, "Completed"),
    "an additional address": (FROM, TO.replace("=>", "->"), "Completed"),
    "an id made by Exim": (FROM.replace(" id=", " id*="), TO, "Completed"),
    "no id of a message": (FROM, TO, "Completed"),
    "fakereject": (FROM.replace("<=", "(="), TO, "Completed"),
}  # fmt: skip


@pytest.mark.parametrize("identity", [OLD, NEW])
@pytest.mark.parametrize("selected", SELECTED)
def test_log_selectors(tmp_path: Path, selected: str, identity: str) -> None:
    row = one(tmp_path, log(*SELECTED[selected], identity=identity))
    assert (row["system"], row["queue_id"], row["message_id"]) == ("exim", identity, "m@albion.example")
    assert (row["sender"], row["recipient"], row["outcome"]) == ("ann@albion.example", "x@navy.example", "delivered")
    assert (row["client_name"], row["client_address"]) == ("ws1.albion.example", "10.0.0.1")
    assert (row["relay_name"], row["relay_address"]) == ("mx.navy.example", "203.0.113.5")
    assert (row["size_bytes"], row["attempts"]) == (1000, 1)
    assert row["tls"] is (True if "tls" in selected else None)
    assert row["subject"] == ('a "b" for y@z.example' if "subject" in selected else None)


STAMPS = {
    "plain": "2024-03-01 10:00:05 ",
    "millisec": "2024-03-01 10:00:05.000 ",
    "log_timezone": "2024-03-01 12:00:05 +0200 ",
    "millisec, log_timezone, pid": "2024-03-01 04:30:05.000 -0530 [77] ",
    "pid": "2024-03-01 10:00:05 [77] ",
    "syslog with both stamps": "Mar  1 10:00:09 mx1 exim[77]: 2024-03-01 10:00:05 ",
    "syslog with both stamps and pids": "<22>Mar  1 10:00:09 mx1 exim[77]: 2024-03-01 10:00:05 [77] ",
    "syslog_timestamp = false": "Mar  1 10:00:05 mx1 exim[77]: ",
    "rsyslog": "2024-03-01T12:00:05.000000+02:00 mx1 exim[77]: ",
    "rsyslog with both": "2024-03-01T12:00:09+02:00 mx1 exim4[77]: 2024-03-01 10:00:05 ",
    "rfc 5424": "<22>1 2024-03-01T10:00:05.000Z mx1 exim 77 - - ",
}


@pytest.mark.parametrize("stamp", STAMPS)
def test_stamps(tmp_path: Path, stamp: str) -> None:
    row = one(tmp_path, log(*TEXTS, stamp=STAMPS[stamp]), Settings(year=2024))
    assert row["submitted_at"] == datetime(2024, 3, 1, 10, 0, 5, tzinfo=UTC)
    if "mx1" in STAMPS[stamp]:
        assert row["host"] == "mx1"
    else:
        assert row["host"] == row["records"][0]["evidence"]


def test_zone_of_stamps_without_one(tmp_path: Path) -> None:
    row = one(tmp_path, log(*TEXTS, stamp="2024-07-01 10:00:05 "), Settings(timezone="Europe/London"))
    assert row["submitted_at"] == datetime(2024, 7, 1, 9, 0, 5, tzinfo=UTC)


def test_the_hour_that_comes_twice(tmp_path: Path) -> None:
    content = (
        log(*TEXTS, stamp="2024-10-27 01:55:00 ")
        + log(*TEXTS, stamp="2024-10-27 01:05:00 ", identity=NEW)
        + log(*TEXTS, stamp="2024-10-27 02:05:00 ", identity="1rfzAB-0001aB-Ce")
    )
    _, rows = read(tmp_path, {"mainlog": content}, Settings(timezone="Europe/London"))
    assert [(r["queue_id"], r["submitted_at"].hour, r["submitted_at"].minute) for r in rows] == [
        (OLD, 0, 55),
        (NEW, 1, 5),
        ("1rfzAB-0001aB-Ce", 2, 5),
    ]


def test_a_year_is_asked_for_and_turns(tmp_path: Path) -> None:
    content = log(*TEXTS, stamp="Dec 31 23:59:59 mx1 exim[1]: ")
    content += log(*TEXTS, stamp="Jan  1 00:00:01 mx1 exim[1]: ", identity=NEW)
    with pytest.raises(AmbiguousTime, match="mail"):
        read(tmp_path / "a", {"mail": content})
    _, rows = read(tmp_path / "b", {"mail": content}, Settings(year=2023))
    assert [r["submitted_at"].year for r in rows] == [2023, 2024]


def test_host_of_a_plain_file(tmp_path: Path) -> None:
    settings = Settings(sources=(SourceSettings(file="mainlog*", host="mx1.albion.example"),))
    result, rows = read(tmp_path, {"mainlog": log(*TEXTS)}, settings)
    assert [r["host"] for r in rows] == ["mx1.albion.example"]
    assert result.evidence[0].notes["host"] == {"name": "mx1.albion.example", "by": "setting"}


@pytest.mark.parametrize("sources", [(), (SourceSettings(file="mainlog*", host="mx1"),)])
def test_a_message_crosses_rotated_files(tmp_path: Path, sources: tuple[SourceSettings, ...]) -> None:
    texts = log(*TEXTS).splitlines(keepends=True)
    files = {"mainlog.1": texts[0], "mainlog": "".join(texts[1:])}
    _, rows = read(tmp_path, files, Settings(sources=sources))
    (row,) = rows
    assert (row["sender"], row["outcome"], len(row["records"])) == ("ann@albion.example", "delivered", 3)
    assert row["host"] == ("mx1" if sources else row["records"][0]["evidence"])


RECIPIENTS = {
    "an alias": ("=> x@navy.example <crew@albion.example> R=r T=smtp H=mx [203.0.113.5]", "x@navy.example"),
    "parents between": ("=> x@navy.example (a@b.example) <crew@albion.example> R=r T=smtp H=mx [203.0.113.5]", "x@navy.example"),
    "a mailbox": ("=> crew <crew@albion.example> R=localuser T=local_delivery", "crew@albion.example"),
    "a file": ("=> /var/mail/crew <crew@albion.example> R=r T=address_file", "crew@albion.example"),
    "a pipe": ('=> |/usr/bin/sort -k "a b" <crew@albion.example> R=r T=address_pipe', "crew@albion.example"),
    "quoted, as Exim logs it": ('=> a b@navy.example <crew@albion.example> R=r T=smtp H=mx [203.0.113.5]', '"a b"@navy.example'),
    "quoted": ('=> "a b>"@navy.example <crew@albion.example> R=r T=smtp H=mx [203.0.113.5]', '"a b>"@navy.example'),
}  # fmt: skip


@pytest.mark.parametrize("kind", RECIPIENTS)
def test_recipients(tmp_path: Path, kind: str) -> None:
    text, recipient = RECIPIENTS[kind]
    row = one(tmp_path, log(FROM, text, "Completed"))
    assert row["recipient"] == recipient
    assert row["original_recipient"] == (None if recipient.startswith("crew") else "crew@albion.example")


def test_a_quoted_local_part_is_logged_bare(tmp_path: Path) -> None:
    """Of `"x R=evil"@navy.example`: what the angle brackets hold is the address, and no field of the line."""
    text = '=> x R=evil H=h [192.0.2.1]@navy.example <"x R=evil H=h [192.0.2.1]"@navy.example> R=r T=smtp H=mx [203.0.113.5]'
    row = one(tmp_path, log(FROM, text, "Completed"))
    assert (row["recipient"], row["original_recipient"]) == ('"x R=evil H=h [192.0.2.1]"@navy.example', None)
    assert row["relay_address"] == "203.0.113.5"


def test_who_was_addressed_directly_too_has_no_original(tmp_path: Path) -> None:
    arrival = FROM + " for crew@albion.example x@navy.example"
    row = one(tmp_path, log(arrival, RECIPIENTS["an alias"][0], "Completed"))
    assert (row["recipient"], row["original_recipient"], row["recipient_count"]) == ("x@navy.example", None, 2)


OUTCOMES = {
    "delivered": (TO,),
    "bounced": ("** x@navy.example R=r T=smtp H=mx [203.0.113.5]: SMTP error after RCPT TO:<x@navy.example>: 550 5.1.1 No",),
    "bounced unrouteable": ("** x@navy.example: Unrouteable address",),
    "deferred": ("== x@navy.example R=r T=smtp defer (-44) H=mx [203.0.113.5]: SMTP error: 451 4.7.1 Later",),
    "expired": ("== x@navy.example R=r defer (-1): host lookup did not complete", "** x@navy.example: retry timeout exceeded"),
    "held": ("== x@navy.example R=r defer (111): Connection refused DT=0.1s", "frozen by root"),
    "held report": ("** x@navy.example: Unrouteable address", "Frozen (delivery error message)"),
    "deferred again": ("== x@navy.example R=r defer (111): Connection refused", "frozen by root", "unfrozen by root"),
    "discarded": ("== x@navy.example R=r defer (111): Connection refused", "removed by root", "Completed"),
    "discarded after a while": ("== x@navy.example R=r defer (111): no", "cancelled by timeout_frozen_after", "Completed"),
    "discarded in a hole": ("=> :blackhole: <x@navy.example> R=r", "Completed"),
    "discarded by a filter": ("=> discarded <x@navy.example> R=userforward", "Completed"),
    "discarded by -N": (TO.replace("=>", "*>"), "Completed"),
    "unknown": ("== x@navy.example R=r defer (111): Connection refused", "Completed"),
    "delivered once": (TO, "== x@navy.example R=r defer (111): Connection refused", "Completed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OUTCOMES)
def test_outcomes(tmp_path: Path, kind: str) -> None:
    row = one(tmp_path, log(FROM, *OUTCOMES[kind]))
    outcome = "bounced" if kind == "held report" else kind.split()[0]
    assert (row["recipient"], row["outcome"]) == ("x@navy.example", outcome)
    if kind == "bounced":
        assert (row["status_code"], row["relay_name"], row["relay_address"]) == ("5.1.1", "mx", "203.0.113.5")
    if kind == "held":
        assert row["response"] == "Connection refused"


def test_waiting_is_no_attempt(tmp_path: Path) -> None:
    early = "== x@navy.example R=r T=smtp defer (-53): retry time not reached for any host for 'navy.example'"
    row = one(tmp_path, log(FROM, OUTCOMES["deferred"][0], early, early, TO, "Completed"))
    assert (row["outcome"], row["attempts"]) == ("delivered", 2)


def test_a_recipient_of_which_the_arrival_alone_tells(tmp_path: Path) -> None:
    row = one(tmp_path, log(FROM + " for x@navy.example"))
    assert (row["outcome"], row["attempts"], row["resolved_at"]) == ("deferred", 0, None)


def test_a_message_that_came_before_the_log(tmp_path: Path) -> None:
    row = one(tmp_path, log(TO.replace(" R=", " F=<ann@albion.example> R="), "Completed"))
    assert (row["sender"], row["message_id"], row["outcome"]) == ("ann@albion.example", None, "delivered")


REJECTED = "2024-03-01 10:00:05 H=(helo) [198.51.100.7]:4000 F=<a@b.example> {}rejected RCPT <x@albion.example>: {}\n"


def test_refused_for_good(tmp_path: Path) -> None:
    content = REJECTED.format("", "550 5.7.1 relay not permitted") * 2 + log("Completed")
    result, rows = read(tmp_path, {"mainlog": content})
    assert result.unread == 0
    assert [(r["outcome"], r["recipient"], r["sender"]) for r in rows] == [
        ("rejected", "x@albion.example", "a@b.example")
    ] * 2
    assert [(r["status_code"], r["client_address"], r["queue_id"]) for r in rows] == [
        ("5.7.1", "198.51.100.7", None)
    ] * 2


def test_refused_for_now(tmp_path: Path) -> None:
    (row,) = read(tmp_path / "a", {"mainlog": REJECTED.format("temporarily ", "greylisted") * 3 + log("Completed")})[1]
    assert (row["outcome"], row["attempts"]) == ("deferred", 3)
    accepted = log(
        "<= a@b.example H=(helo) [198.51.100.7] P=esmtp S=10", "=> x <x@albion.example> R=r T=mail_spool", "Completed",
        stamp="2024-03-01 10:20:05 ",
    )  # fmt: skip
    (row,) = read(tmp_path / "b", {"mainlog": REJECTED.format("temporarily ", "greylisted") + accepted})[1]
    assert (row["outcome"], row["attempts"], len(row["records"])) == ("delivered", 2, 4)


def test_syslog_has_a_rejection_twice_and_it_counts_once(tmp_path: Path) -> None:
    content = ("Mar  1 10:00:05 mx1 exim[7]: " + REJECTED.format("", "no")) * 2
    _, rows = read(
        tmp_path, {"mail": content + log("Completed", stamp="Mar  1 10:00:05 mx1 exim[7]: ")}, Settings(year=2024)
    )
    assert [len(r["records"]) for r in rows] == [2]


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("rejectlog", REJECTED.format("", "no"), "rejectlog"),
        ("log", REJECTED.format("", "no") + "Envelope-from: <a@b.example>\nEnvelope-to: <x@y.example>\n", "rejectlog"),
        ("paniclog", "2024-03-01 10:00:05 Cannot open main log file\n", "paniclog"),
        ("paniclog.1", log("== x@navy.example R=r T=t defer (-1): Tainted"), "paniclog"),
    ],
)
def test_other_logs_are_refused_by_name(tmp_path: Path, name: str, content: str, what: str) -> None:
    result, rows = read(tmp_path, {name: content})
    assert rows == [] and result.evidence == ()
    ((_, reason),) = result.skipped
    assert reason.startswith(f"Exim's {what}") and "give the mainlog" in reason


def test_pieces_of_a_line_are_said_not_joined(tmp_path: Path) -> None:
    stamp = "2024-03-01T10:00:05Z mx1 exim[7]: "
    arrival = f"[1/2] {OLD} {FROM} for x@navy.example y@na"
    content = f"{stamp}{arrival}\n{stamp}[2/2] vy.example\n" + log(TO, "Completed", stamp=stamp)
    result, rows = read(tmp_path, {"mail": content})
    assert [(r["recipient"], r["sender"]) for r in rows] == [("x@navy.example", "ann@albion.example")]
    assert (result.evidence[0].used, result.evidence[0].unread) == (3, 1)


def test_other_programs_in_syslog(tmp_path: Path) -> None:
    stamp = "2024-03-01T10:00:05Z mx1 "
    content = log(*TEXTS, stamp=f"{stamp}exim[7]: ") + f"{stamp}dovecot: x\n{stamp}sshd[1]: {OLD} => y@z.example\n"
    result, rows = read(tmp_path, {"mail": content})
    assert len(rows) == 1
    assert result.evidence[0].ignored == {"program dovecot": 1, "program sshd": 1}


def test_known_and_unreadable_lines_are_accounted_for(tmp_path: Path) -> None:
    at = "2024-03-01 10:00:05 "
    content = (
        f"{at}Start queue run: pid=7\n{at}End queue run: pid=7\n{at}exim 4.97 daemon started: pid=7, -q30m\n"
        f"{at}SMTP connection from [198.51.100.7] closed by QUIT\n{at}cwd=/ 2 args: exim -q\n"
        f"{at}{OLD} SMTP error from remote mail server after RCPT TO:<x@y.example>: 451 later\n"
        f"{at}H=(x) [198.51.100.7] rejected EHLO or HELO x: syntactically invalid argument(s)\n"
        f"{at}{OLD} =>\n{at}{OLD} <= \n2024-13-41 10:00:05 {OLD} Completed\n\nhello\n" + "x" * 40_000 + "\n"
    )
    result, rows = read(tmp_path, {"mainlog": content + log(*TEXTS)})
    (evidence,) = result.evidence
    assert len(rows) == 1
    assert evidence.ignored == {
        "queue run": 2, "daemon started": 1, "connection": 1, "arguments": 1, "other of a message": 1,
        "rejected without a recipient": 1, "blank line": 1,
    }  # fmt: skip
    assert evidence.unread == 5


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("no host name found for IP address 198.51.100.7", "connection"),
        ("unexpected disconnection while reading SMTP command from (x) [198.51.100.7] D=1s", "connection"),
        ("login authenticator failed for (x) [198.51.100.7]: 535 Incorrect data (set_id=ann@albion.example)", "connection"),
        ("TLS error on connection from (x) [198.51.100.7] (SSL_accept): error:1408F10B", "connection"),
        ("refused connection from [198.51.100.7] (tcp wrappers)", "connection"),
        ("H=(x) [198.51.100.7] F=<a@b.example> rejected after DATA: spam", "rejected without a recipient"),
        ("H=(x) [198.51.100.7] incomplete transaction (QUIT) from <a@b.example> for x@navy.example", "connection"),
        ("pid 7: SIGHUP received: re-exec daemon", "daemon"),
        (f"{OLD} DKIM: d=albion.example s=x c=relaxed/relaxed a=rsa-sha256 b=2048 [verification succeeded]", "other of a message"),
        (f"{OLD} H=mx.navy.example [203.0.113.5]: SMTP error from remote mail server after RCPT TO:<x@navy.example>: 451",
         "other of a message"),
        (f"{OLD} Message is frozen", "other of a message"),
        (f"{OLD} SPF: fail for ann@albion.example", "other of a message"),
    ],
)  # fmt: skip
def test_what_says_nothing_of_a_delivery_is_known(tmp_path: Path, text: str, kind: str) -> None:
    result, rows = read(tmp_path, {"mainlog": log(*TEXTS) + f"2024-03-01 10:00:05 {text}\n"})
    (evidence,) = result.evidence
    assert (len(rows), evidence.unread, evidence.ignored) == (1, 0, {kind: 1})


@pytest.mark.parametrize(
    "text",
    [
        f"{OLD} => ",
        f"{OLD} =>x@navy.example R=r T=smtp",
        f"{OLD} something that is not known",
        f"{OLD} H=mx.navy.example [203.0.113.5]: {OLD} => x@navy.example R=r T=smtp",
        "x@navy.example R=r T=smtp H=mx.navy.example [203.0.113.5]",
        "H=(x) [198.51.100.7] F=<a@b.example> RCPT x@navy.example: discarded by RCPT ACL",
        "H=(x) [198.51.100.7] F=<a@b.example> rejected RCPT",
        f"blah {OLD} blah",
    ],
)
def test_what_could_bear_on_a_delivery_is_unread(tmp_path: Path, text: str) -> None:
    result, rows = read(tmp_path, {"mainlog": log(*TEXTS) + f"2024-03-01 10:00:05 {text}\n"})
    (evidence,) = result.evidence
    assert (len(rows), evidence.unread, evidence.ignored) == (1, 1, {})


def test_other_lines_are_counted_by_shape(tmp_path: Path) -> None:
    more = "".join(f"2024-03-01 10:00:05 a plugin took {n} seconds\n" for n in range(3))
    result, _ = read(tmp_path, {"mainlog": log(*TEXTS) + more})
    (evidence,) = result.evidence
    assert evidence.ignored == {"other lines of exim": 3}
    (one,) = evidence.notes["other_lines"]
    assert (one["program"], one["shape"], one["count"], one["number"]) == ("exim", "a plugin took … seconds", 3, 4)
    assert one["text"] == "a plugin took 0 seconds"


@pytest.mark.parametrize("host", ["2001:db8::25", "192.0.2.25:514", "fe80::1%eth0", "mx1 mail:info", "<mail.info> mx1"])
def test_hosts_and_facilities_of_syslog(tmp_path: Path, host: str) -> None:
    row = one(tmp_path, log(*TEXTS, stamp=f"Mar  1 10:00:05 {host} exim[77]:  "), Settings(year=2024))
    assert row["host"] in host


def test_losses_that_the_log_confesses(tmp_path: Path) -> None:
    stamp = "2024-03-01T10:00:05Z mx1 "
    lost = f"{stamp}rsyslogd: imuxsock lost 245 messages from pid 1201 due to rate-limiting\n"
    result, _ = read(tmp_path, {"mail": log(*TEXTS, stamp=f"{stamp}exim[7]: ") + lost})
    (loss,) = result.evidence[0].notes["losses"]
    assert (loss["kind"], loss["host"], loss["count"], loss["at"], loss["number"]) == (
        "lost", "mx1", 245, "2024-03-01T10:00:05Z", 4,
    )  # fmt: skip


def test_messages_that_begin_or_end_outside(tmp_path: Path) -> None:
    result, _ = read(tmp_path, {"mainlog": log(TO, "Completed") + log(FROM, TO, identity=NEW)})
    losses = [(one["kind"], one["text"]) for one in result.evidence[0].notes["losses"]]
    assert sorted(losses) == [("begins outside", OLD), ("ends outside", NEW)]


def test_two_exims_are_one_journey(tmp_path: Path) -> None:
    first = log(FROM, TO.replace("[203.0.113.5]", "[10.0.0.2]") + f' C="250 OK id={NEW}"', "Completed")
    second = log(
        "<= ann@albion.example H=mx1.albion.example [10.0.0.9] P=esmtp S=1100 id=m@albion.example", TO, "Completed",
        identity=NEW, stamp="2024-03-01 10:00:06 ",
    )  # fmt: skip
    sources = (SourceSettings(file="one", host="mx1"), SourceSettings(file="two", host="mx2"))
    _, rows = read(tmp_path, {"one": first, "two": second}, Settings(sources=sources))
    (row,) = rows
    assert (row["hops"], row["queue_id"], row["relay_address"], len(row["records"])) == (1, OLD, "203.0.113.5", 6)


def postfix(queue_id: str, client: str, relay: str) -> str:
    return message(
        queue_id, to("x@navy.example", relay=relay), client=client, message_id="m", host="mx2",
        at="2024-03-01T10:00:05+00:00",
    )  # fmt: skip


def test_exim_hands_on_to_postfix(tmp_path: Path) -> None:
    first = log(
        FROM, TO.replace("[203.0.113.5]", "[10.0.0.2]") + ' C="250 2.0.0 Ok: queued as 4B1C2D3E4F"', "Completed"
    )
    second = postfix("4B1C2D3E4F", "mx1.albion.example[10.0.0.9]", "mx.navy.example[203.0.113.5]:25")
    _, rows = read(tmp_path, {"mainlog": first, "mail.log": second})
    assert [(r["system"], r["hops"], r["relay_address"]) for r in rows] == [("exim", 1, "203.0.113.5")]


def test_postfix_hands_on_to_exim(tmp_path: Path) -> None:
    first = message(
        "4B1C2D3E4F", to("x@navy.example", f"sent (250 OK id={OLD})", relay="mx1[10.0.0.9]:25"), message_id="m", host="mx2",
        at="2024-03-01T10:00:04+00:00",
    )  # fmt: skip
    second = log(FROM.replace("ws1.albion.example (ws1) [10.0.0.1]", "mx2.albion.example [10.0.0.2]"), TO, "Completed")
    _, rows = read(tmp_path, {"mail.log": first, "mainlog": second})
    assert [(r["system"], r["hops"], r["relay_address"]) for r in rows] == [("postfix", 1, "203.0.113.5")]


def test_postfix_lines_stay_postfix(tmp_path: Path) -> None:
    head = (message("4B1C2D3E4F", to("x@navy.example")) + line(f"exim[7]: {OLD} Completed")).encode()
    assert loaders.recognise(head) == "postfix"


def test_verify_follows_the_ids_of_both_systems(tmp_path: Path) -> None:
    """Records of the second hop that name neither recipient nor sender are reached by the id in the first's reply."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "mainlog").write_text(
        log(FROM, TO.replace("[203.0.113.5]", "[10.0.0.2]") + ' C="250 2.0.0 Ok: queued as 4B1C2D3E4F"', "Completed")
    )
    (logs / "mail.log").write_text(postfix("4B1C2D3E4F", "mx1[10.0.0.9]", "mx.navy.example[203.0.113.5]:25"))
    from forensics import workbench

    pipeline.ingest([logs], tmp_path / "case", org=["albion.example"])
    (row,) = store.read(Case(tmp_path / "case"), "deliveries").to_pylist()
    assert row["hops"] == 1
    assert workbench.verify(tmp_path / "case", all_records=True).ok


FORGED = {
    "a sender that speaks of a rejection": (
        'H=(h) [198.51.100.7] F=<"x rejected RCPT <a@b.example>: no"@evil.example> rejected RCPT <c@d.example>: no',
        ("c@d.example", '"x rejected RCPT <a@b.example>: no"@evil.example'),
    ),
    "no sender at all": ("H=(h) [198.51.100.7] rejected RCPT <c@d.example>: no", ("c@d.example", None)),
    "an empty sender": ("H=(h) [198.51.100.7] F=<> temporarily rejected RCPT <c@d.example>: x", ("c@d.example", "")),
}


@pytest.mark.parametrize("kind", FORGED)
def test_rejections_cannot_be_forged(kind: str) -> None:
    text, (recipient, sender) = FORGED[kind]
    found = fields.rejection(text)
    assert found is not None and (found.recipient, found.sender) == (recipient, sender)


def test_a_reply_cannot_name_fields() -> None:
    said = fields.delivery(TO[3:] + ' C="250 ok \\" X=TLS H=evil [192.0.2.9] C=\\"250 OK id=1rfzAB-0001aB-Zz" DT=1s')
    assert said is not None
    assert (said.relay_name, said.relay_address, said.tls) == ("mx.navy.example", "203.0.113.5", None)
    assert said.response == '250 ok " X=TLS H=evil [192.0.2.9] C="250 OK id=1rfzAB-0001aB-Zz'


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20)
ATOM = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}", fullmatch=True)
LOCAL = st.one_of(
    ATOM.filter(lambda a: a[0] not in "|/>"),
    st.from_regex(r'"(?:[A-Za-z0-9 ,:;<>@=()]|\\["\\]){1,20}"', fullmatch=True),
)
ADDRESS = st.builds(lambda a, b: f"{a}@{b}.example", LOCAL, st.from_regex(r"[a-z]{1,10}", fullmatch=True))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(ADDRESS, ADDRESS, st.lists(ADDRESS, max_size=4), TEXT)
def test_arrivals_are_read_back(sender: str, identity: str, recipients: list[str], subject: str) -> None:
    text = f"{sender} H=a.example (b) [10.0.0.1]:99 P=esmtpa A=plain:ann S=7 id={identity} T={quoted(subject)}"
    text += f" from <{sender}>" + (f" for {' '.join(recipients)}" if recipients else "")
    assert fields.arrival(text) == fields.Arrival(
        sender, "ann", "a.example", "10.0.0.1", 7, identity, subject, tuple(recipients)
    )


@given(ADDRESS, ADDRESS, TEXT, st.booleans())
def test_deliveries_are_read_back(recipient: str, original: str, reply: str, failed: bool) -> None:
    text = f"{recipient} <{original}> F=<{original}> R=r T=t H=mx.example [2001:db8::1]:25 I=[::1]:9 X=TLS1.3:A:256"
    text += f": {reply}" if failed else f" C={quoted(reply)} QT=1s DT=2s"
    said = fields.delivery(text)
    assert said is not None
    assert (said.address, said.original, said.sender, said.response) == (recipient, original, original, reply)
    assert (said.relay_name, said.relay_address, said.tls) == ("mx.example", "2001:db8::1", True)


@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(raw: bytes) -> None:
    text = raw.decode("utf-8", "backslashreplace")
    lines.read(raw)
    fields.arrival(text), fields.delivery(text), fields.rejection(text)
    lines.shown_ids(text.lower())


@pytest.mark.parametrize(
    "text", ["A=" * 8000, " A=x" * 8000, " X=<" * 8000, '"' * 16_000, " for a" * 5000, "(" * 16_000]
)
def test_no_line_takes_long(text: str) -> None:
    """Patterns do not try a line in quadratically many ways: 32 KiB are read within the test's patience."""
    for read_ in (fields.arrival, fields.delivery, fields.rejection):
        read_("a@b.example" + text)
        read_(text + "rejected RCPT")


@pytest.mark.parametrize(
    ("arrival", "how"),
    [
        (FROM, "internal"),
        (FROM.replace("10.0.0.1", "198.51.100.9"), "outside"),
        (FROM.replace(" P=esmtp", " P=esmtpa A=plain:ann"), "authenticated"),
        ("<= ann@albion.example U=ann P=local S=1000 id=m@albion.example", "local"),
    ],
)
def test_how_a_message_came_in(arrival: str, how: str, tmp_path: Path) -> None:
    assert one(tmp_path, log(arrival, TO, "Completed"))["submission"] == how


@pytest.mark.parametrize(("login", "how"), [("", "outside"), ("A=plain:ann ", "authenticated")])
@pytest.mark.parametrize("temporary", ["", "temporarily "])
def test_how_what_was_refused_came_in(login: str, how: str, temporary: str, tmp_path: Path) -> None:
    row = one(tmp_path, REJECTED.format(login + temporary, "unknown user"))
    assert (row["submission"], row["sender"], row["recipient"]) == (how, "a@b.example", "x@albion.example")


def test_a_filter_of_exim_gives_back(tmp_path: Path) -> None:
    """A router that hands to a filter on loopback, which gives the message back without an id."""
    new = "1rfzAC-0001aC-De"
    first = TO.replace("H=mx.navy.example [203.0.113.5]", "H=localhost [127.0.0.1]")
    back = FROM.replace("H=ws1.albion.example (ws1) [10.0.0.1]", "H=localhost (filter) [127.0.0.1]")
    row = one(tmp_path, log(FROM, first, "Completed") + log(back, TO, "Completed", identity=new))
    assert (row["queue_id"], row["hops"], row["relay_name"], row["submission"]) == (
        OLD,
        1,
        "mx.navy.example",
        "internal",
    )


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted(tuple(str(v) for k, v in row.items() if k not in ("records", "delivery_id", "host")) for row in rows)


LATER = "== y@navy.example R=dnslookup T=remote_smtp defer (-1): busy"
LAST = "** y@navy.example R=dnslookup T=remote_smtp: all hosts have been failing for a long time"


@given(st.permutations([FROM, TO, LATER, LAST, "Completed"]))
def test_any_order_of_one_second(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        _, expected = read(Path(place) / "a", {"mainlog": log(FROM, TO, LATER, LAST, "Completed")})
        _, rows = read(Path(place) / "b", {"mainlog": log(*texts)})
    assert told(rows) == told(expected)
    assert [row[-2:] for row in sorted((r["recipient"], r["outcome"]) for r in rows)] == [
        ("x@navy.example", "delivered"), ("y@navy.example", "expired"),
    ]  # fmt: skip


def several(host: str | None = None) -> list[str]:
    """Lines of some messages over an hour; each is tried twice. In syslog if the host is given."""
    out = []
    for n in range(6):
        identity, sent = OLD.replace("AB", f"A{n}", 1), TO.replace("x@", f"{n}@")
        for minute, text in ((0, FROM), (0, LATER.replace("y@", f"{n}@")), (9, sent), (9, "Completed")):
            stamp = f"2024-03-01 10:{9 * n // 2 + minute:02}:05 "
            head = f"{stamp.replace(' ', 'T').rstrip('T')}Z {host} exim[1]: " if host else stamp
            out.append((stamp, f"{head}{identity} {text}\n"))
    return [line for _, line in sorted(out, key=lambda pair: pair[0])]


def test_newest_first_and_joined_blocks(tmp_path: Path) -> None:
    lines_ = several()
    _, expected = read(tmp_path / "a", {"mainlog": "".join(lines_)})
    assert len(expected) == 6
    for n, (text, said) in enumerate(((lines_[::-1], "newest first"), (lines_[12:] + lines_[:12], "2 blocks"))):
        result, rows = read(tmp_path / str(n), {"mainlog": "".join(text)})
        assert told(rows) == told(expected)
        assert said in result.evidence[0].notes["noted"][0]


def test_a_block_twice_and_a_host_of_two_names(tmp_path: Path) -> None:
    lines_ = several("mx1")
    _, expected = read(tmp_path / "a", {"mainlog": "".join(lines_)})
    result, rows = read(tmp_path / "b", {"mainlog": "".join(lines_ + lines_[4:20])})
    assert told(rows) == told(expected)
    assert result.evidence[0].duplicates == 16
    central = [line.replace(" mx1 ", " mx1.albion.example ") for line in lines_]
    result, rows = read(tmp_path / "c", {"mainlog": "".join(lines_), "central": "".join(central[2:22])})
    assert told(rows) == told(expected)
    assert {row["host"] for row in rows} == {"mx1.albion.example"}
    assert sorted(e.duplicates for e in result.evidence) == [0, 20]
    mixed = [line if n % 3 else other for n, (line, other) in enumerate(zip(lines_, central, strict=True))]
    _, rows = read(tmp_path / "d", {"mainlog": "".join(mixed)})
    assert told(rows) == told(expected)


PIECES = (
    "2024-03-01 10:00:05 ", "2024-03-01T10:00:05.123 ", "2024-03-01 10:00:05 +0100 ", "[4711] ", "Mar  1 10:00:05 mx1 ",
    "<22>1 2024-03-01T10:00:05Z mx1 ", "exim[17]: ", "exim 17 - - ", "postfix/smtpd[3]: ", "[1/2] ", OLD + " ", NEW + " ",
    "=> x@navy.example ", "Completed", "Start queue run: pid=3", "SMTP connection from x", "exim 4.97 daemon started", "ü",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=4))
def test_a_line_is_passed_over_only_where_taking_it_apart_shows_nothing(texts: list[str]) -> None:
    confidence = lines.detect("\n".join(texts).encode())
    told = [lines.read(text.encode()) for text in texts if len(text.encode()) >= lines.SHORTEST]
    ours = [one for one in told if one.kind != lines.NO_TIME and (one.program or b"exim").startswith(b"exim")]
    assert (confidence > 0) == any(one.id or one.program or lines._OTHERS.match(one.rest) for one in ours)
