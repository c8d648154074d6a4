"""Every line is used, known, another program's, one of the other lines, or unread; what could bear on a delivery and is
not understood is never passed over.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders import base, timing, years
from forensics.loaders import postfix as loader

PLAN = timing.Plan(years.Clock(2024))
HEAD = "2024-03-01T10:00:00+00:00 mx1 "
ID = "4B1C2D3E4F"


def scan(lines: list[bytes]) -> base.Scan:
    raw = b"\n".join(lines) + b"\n"
    padded = np.frombuffer(raw + bytes(base.PADDING), np.uint8).copy()
    block = SimpleNamespace(data=padded[: len(raw)], padded=padded, offset=0, last=True)
    made = loader.scan(block, base.ScanContext(evidence=0, number=1, plan=PLAN))
    assert made.records == len(lines) == made.used + sum(made.ignored.values()) + len(made.unread)
    return made


def what(line: str) -> str:
    """`used`, `unread: REASON`, or the kind it is ignored as."""
    made = scan([line.encode()])
    if made.used:
        return "used"
    return f"unread: {made.unread['reason'][0]}" if len(made.unread) else next(iter(made.ignored))


KNOWN = """
smtpd: connect from unknown[198.51.100.7]
smtpd: disconnect from unknown[198.51.100.7] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4
smtpd: lost connection after RCPT from unknown[198.51.100.7]
smtpd: timeout after END-OF-MESSAGE from mx.navy.example[203.0.113.5]
smtpd: too many errors after AUTH from unknown[198.51.100.7]
smtpd: warning: hostname h.example does not resolve to address 198.51.100.7: Name or service not known
smtpd: warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: UGFzc3dvcmQ6
smtpd: warning: unknown[198.51.100.7]: SASL PLAIN authentication failed: , sasl_username=ann@albion.example
smtpd: warning: Illegal address syntax from unknown[198.51.100.7] in RCPT command: <x@y@navy.example>
smtpd: warning: non-SMTP command from unknown[198.51.100.7]: From: Ann <ann@albion.example>
smtpd: warning: Connection rate limit exceeded: 31 from unknown[198.51.100.7] for service smtp
smtpd: warning: TLS library problem: error:14094416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown
smtpd: warning: proxy:mysql:/etc/postfix/users.cf lookup error for "ann@albion.example"
smtpd: improper command pipelining after DATA from unknown[198.51.100.7]: To: <x@navy.example>
smtpd: Anonymous TLS connection established from mx.navy.example[203.0.113.5]: TLSv1.3 with cipher X (256/256 bits)
smtpd: setting up TLS connection from mx.navy.example[203.0.113.5]
smtpd: NOQUEUE: abort: TLS from unknown[198.51.100.7]: Service denied
smtpd: > unknown[198.51.100.7]: 250 2.1.5 Ok
smtpd: < unknown[198.51.100.7]: RCPT TO:<x@navy.example>
smtpd: smtpd_check_addr: addr=x@navy.example
smtpd: using backwards-compatible default setting relay_domains=$mydestination to accept mail for domain "navy.example"
smtp: connect to mx.navy.example[203.0.113.5]:25: Connection timed out
smtp: Untrusted TLS connection established to mx.navy.example[203.0.113.5]:25: TLSv1.3 with cipher X (256/256 bits)
smtp: certificate verification failed for mx.navy.example[203.0.113.5]:25: untrusted issuer /CN=x
smtp: mx.navy.example[203.0.113.5]:25: re-using session with untrusted certificate, look for details earlier in the log
smtp: 4B1C2D3E4F: host mx.navy.example[203.0.113.5] said: 450 4.2.0 <x@navy.example>: Recipient address rejected: Greylisted (in reply to RCPT TO command)
smtp: 4B1C2D3E4F: host mx.navy.example[203.0.113.5] refused to talk to me: 421 4.7.0 busy
smtp: 4B1C2D3E4F: lost connection with mx.navy.example[203.0.113.5] while sending RCPT TO
smtp: 4B1C2D3E4F: conversation with mx.navy.example[203.0.113.5] timed out while receiving the initial server greeting
smtp: 4B1C2D3E4F: enabling PIX workarounds: disable_esmtp delay_dotcrlf for mx.navy.example[203.0.113.5]:25
smtp: 4B1C2D3E4F: Cannot start TLS: handshake failure
smtp: 4B1C2D3E4F: breaking line > 998 bytes with <CR><LF>SPACE
smtp: 4B1C2D3E4F: replace: header Received: from ws1 (ann@albion.example): Received: from x
qmgr: 4B1C2D3E4F: skipped, still being delivered
qmgr: warning: mail for smtp is using up 4000 of 5000 active queue entries
bounce: 4B1C2D3E4F: status=deferred (bounce failed)
bounce: 4B1C2D3E4F: not sending trace/success notification for double-bounce message
local: 4B1C2D3E4F: passing <x@albion.example> to transport=lmtp
cleanup: 4B1C2D3E4F: resent-message-id=<m@albion.example>
cleanup: 4B1C2D3E4F: warning: header X-Spam: yes from ws1.albion.example[10.0.0.1]; from=<a@albion.example> to=<x@navy.example> proto=ESMTP helo=<b>
cleanup: 4B1C2D3E4F: strip: header X-Internal: 1 from local; from=<a@albion.example> to=<x@navy.example>
cleanup: 4B1C2D3E4F: filter: body x from local; from=<a@albion.example> to=<x@navy.example>: smtp:[127.0.0.1]:10025
cleanup: warning: 4B1C2D3E4F: sender_canonical_maps map lookup problem for ann@albion.example -- message not accepted, try again later
postscreen: CONNECT from [198.51.100.7]:50000 to [192.0.2.1]:25
postscreen: PREGREET 14 after 0.05 from [198.51.100.7]:50000: EHLO x@y.example
postscreen: NOQUEUE: reject: CONNECT from [198.51.100.7]:50000: too many connections
postscreen: reject: connect from [198.51.100.7]:50000: all screening ports busy
postscreen: DENYLISTED [198.51.100.7]:50000
dnsblog: addr 198.51.100.7 listed by domain zen.example as 127.0.0.2
anvil: statistics: max connection rate 1/60s for (smtp:198.51.100.7) at Mar  1 10:00:00
master: daemon started -- version 3.7.11, configuration /etc/postfix
postfix-script: stopping the Postfix mail system
postsuper: Deleted: 3 messages
policyd-spf: prepend Received-SPF: Pass (mailfrom) identity=mailfrom; envelope-from=a@b.example
verify: cache btree:/var/lib/postfix/verify_cache full cleanup: retained=1 dropped=0 entries
""".strip().splitlines()


@pytest.mark.parametrize("line", KNOWN)
def test_what_says_nothing_of_deliveries_is_known(line: str) -> None:
    program, text = line.split(": ", 1)
    assert what(f"{HEAD}postfix/{program}[1]: {text}") == f"postfix {program}"


NOT_UNDERSTOOD = {
    "a line of a mail program that is not understood": (
        "smtp: 4B1C2D3E4F: something about x@navy.example",
        "smtp: 4B1C2D3E4F: something",
        "smtp: 4B1C2D3E4F: removed",
        "smtp: something, status=sent (250 ok)",
        "smtp: delivered to x@navy.example",
        "smtpd: rejecting everything",
        "smtpd: NOQUEUE: whatever it is",
        "smtpd: connect from 4B1C2D3E4F: to=<x@navy.example>",
        f"smtpd: disconnect from unknown[198.51.100.7]{HEAD}postfix/smtp[1]: 4B1C2D3E4F: x",
        "smtpd: disconnect from ws35.albion 1 10:00:00 mx1 postfix/smtp[2]: 4B1C2D3E4F: to=<x@navy.example>, status=sent (250 ok)",
        "smtpd: warning: something about x@navy.example",
        "smtpd: warning: 4B1C2D3E4F: something",
        "anvil: statistics: status=sent",
        "cleanup: 4B1C2D3E4F: hold: something from local; from=<a@albion.example> to=<x@navy.example>",
        "qmgr: 4B1C2D3E4F: held for a while",
        "postsuper: 4B1C2D3E4F: moved",
        "bounce: 4B1C2D3E4F: sender non-delivery notification: ?",
    ),
    "malformed rejection line": (
        "smtpd: 4B1C2D3E4F: reject: RCPT",
        "smtpd: NOQUEUE: reject: TCPR from b[198.51.100.7]: 550 no; from=<s@b.example> to=<x@navy.example> proto=ESMTP helo=<b>",
        "smtpd: NOQUEUE: reject: RCPT from b[198.51.100.7]: 550 no; from=<s@b.example> proto=ESMTP helo=<b>",
        "smtpd: NOQUEUE: reject: DATA from b[198.51.100.7]: 550 no; from=<s@b.example> to=<x@navy.exam",
        "smtpd: NOQUEUE: reject: DATA from b[198.51.100.7]: 550 no; from=<to=<x@navy.example> proto=ESMTP helo=<b>",
        "smtpd: NOQUEUE: reject: MAIL from 198.51.100.7: 550 no; from=<s@b.example> proto=ESMTP helo=<b>",
        "cleanup: 4B1C2D3E4F: reject: header Subject: x from local",
        "cleanup: 4B1C2D3E4F: hold: header Subject: x from local; from=<a@albion.example> to=<x@navy.exam",
    ),
    "unknown program under a Postfix name": (
        "nonesuch: 4B1C2D3E4F: hello",
        "nonesuch: to x@navy.example",
        "smtq: 4B1C2D3E4F: to=<x@navy.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (x)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "line"), [(reason, one) for reason, some in NOT_UNDERSTOOD.items() for one in some])
def test_what_could_bear_on_a_delivery_is_unread(reason: str, line: str) -> None:
    program, text = line.split(": ", 1)
    assert what(f"{HEAD}postfix/{program}[1]: {text}") == f"unread: {reason}"


@pytest.mark.parametrize("tag", ["p[ostfix/smtp[1]", "postfi[x/smtp[1]", "[postfix/smtp[1]", "post[fix/smtp[1]"])
def test_a_changed_letter_in_a_tag_makes_no_other_program_of_it(tag: str) -> None:
    text = "4B1C2D3E4F: to=<x@navy.example>, relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 ok)"
    assert what(f"{HEAD}{tag}: {text}").startswith("unread: ")
    assert what(f"{HEAD}{tag}: 4B1C2D3E4F: hold: header X: y from local; from=<a@b> to=<c@d>: z").startswith("unread: ")


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("smtpd", "something went by"),
        ("smtpd", "warning: something went wrong"),
        ("smtpd", "fatal: no SASL authentication mechanisms"),
        ("master", "fatal: bind 0.0.0.0 port 25: Address already in use"),
        ("trivial-rewrite", "warning: transport_maps lookup of ann@albion.example is odd"),
        ("nonesuch", "hello"),
    ],
)
def test_other_lines_of_a_daemon(program: str, text: str) -> None:
    made = scan([f"{HEAD}postfix/{program}[1]: {text}".encode()])
    assert made.ignored == {f"other lines of {program}": 1}
    (one,) = made.examples
    assert (one.program, one.count, one.number, one.offset, one.text) == (program, 1, 1, 0, text)


def test_other_lines_are_counted_by_shape() -> None:
    texts = [f"worker {n} at host{n}.example took <{n}> [{n}] seconds" for n in range(5)] + ["all quiet"]
    made = scan([f"{HEAD}postfix/smtpd[1]: {text}".encode() for text in texts])
    assert [(e.shape, e.count, e.number) for e in made.examples] == [
        ("worker … at … took … … seconds", 5, 1), ("all quiet", 1, 6),
    ]  # fmt: skip


REPLY = "550 5.7.1 <x@navy.example>: No; from=<s@b.example> to=<x@navy.example> proto=ESMTP helo=<b>"


@pytest.mark.parametrize(
    "action", ["reject", "milter-reject", "proxy-reject", "hold", "milter-hold", "discard", "milter-discard"]
)
@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        *((stage, "used") for stage in ("RCPT", "DATA", "BDAT", "DATA content", "BDAT content", "END-OF-MESSAGE", "END-OF-DATA")),
        *((stage, "postfix smtpd") for stage in ("CONNECT", "HELO", "EHLO", "STARTTLS", "AUTH", "MAIL", "RSET", "NOOP", "VRFY",
                                                 "ETRN", "QUIT", "UNKNOWN", "XCLIENT", "XFORWARD")),
    ],
)  # fmt: skip
def test_refusals_at_every_stage(action: str, stage: str, expected: str) -> None:
    for name in (ID, "NOQUEUE"):
        assert what(f"{HEAD}postfix/smtpd[1]: {name}: {action}: {stage} from b[198.51.100.7]: {REPLY}") == expected


@pytest.mark.parametrize("action", ["reject_warning", "warn", "info", "filter", "permit", "bcc", "delay", "hangup"])
def test_what_an_access_table_does_without_refusing(action: str) -> None:
    text = f"{ID}: {action}: RCPT from b[198.51.100.7]: <x@navy.example>: x; from=<s@b.example> to=<x@navy.example> proto=ESMTP helo=<b>"
    assert what(f"{HEAD}postfix/smtpd[1]: {text}") == "postfix smtpd"


@pytest.mark.parametrize(
    "line",
    [
        f"postscreen[1]: NOQUEUE: reject: RCPT from [198.51.100.7]:50000: {REPLY.replace(' to=', ', to=').replace(' proto', ', proto')}",
        f"smtpd[1]: proxy-reject: END-OF-MESSAGE: {REPLY}",
        f"smtpd[1]: {ID}: proxy-reject: END-OF-MESSAGE: {REPLY}",
        f"smtpd[1]: NOQUEUE: proxy-reject: RCPT from b[198.51.100.7]: {REPLY}",
        f"cleanup[1]: {ID}: milter-reject: END-OF-MESSAGE from b[198.51.100.7]: 5.7.1 No; from=<s@b.example> to=<x@navy.example> "
        "proto=ESMTP helo=<b>",
        f"cleanup[1]: {ID}: reject: mime-error improper use of 8-bit data in message header: x from b[198.51.100.7]; "
        "from=<s@b.example> to=<x@navy.example>",
        f"cleanup[1]: {ID}: reject: header Subject: x from b[198.51.100.7]; from=<s@b.example> to=<x@navy.example> proto=ESMTP "
        "helo=<b>: 5.7.1 No",
        f"smtpd[1]: {ID}: redirect: RCPT from b[198.51.100.7]: <x@navy.example>: x; from=<s@b.example> to=<x@navy.example> "
        "proto=ESMTP helo=<b>",
        f"smtpd[1]: message repeated 3 times: [ NOQUEUE: reject: RCPT from b[198.51.100.7]: {REPLY}]",
    ],
)  # fmt: skip
def test_further_refusals(line: str) -> None:
    assert what(f"{HEAD}postfix/{line}") == "used"


def test_a_message_refused_with_several_recipients_names_none() -> None:
    text = f"{ID}: reject: DATA from b[198.51.100.7]: 550 5.5.0 no; from=<s@b.example> proto=ESMTP helo=<b>"
    assert what(f"{HEAD}postfix/smtpd[1]: {text}") == "postfix smtpd"


TO = "to=<x@navy.example>, relay=mx.navy.example[203.0.113.5]:25, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
BEARING = (
    f"postfix/smtp[3]: {ID}: {TO}",
    f"postfix/local[3]: {ID}: to=<x@albion.example>, orig_to=<root>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent "
    "(delivered to mailbox)",
    f"postfix/smtp[3]: {ID}: to=<x@navy.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to "
    "mx[203.0.113.5]:25: Connection refused)",
    f"postfix/qmgr[4]: {ID}: from=<ann@albion.example>, size=1000, nrcpt=1 (queue active)",
    f"postfix/qmgr[4]: {ID}: from=<ann@albion.example>, status=expired, returned to sender",
    f"postfix/smtpd[1]: {ID}: client=ws1.albion.example[10.0.0.1], sasl_method=PLAIN, sasl_username=ann@albion.example",
    f"postfix/pickup[1]: {ID}: uid=1000 from=<ann@albion.example>",
    f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from b[198.51.100.7]: {REPLY}",
    f"postfix/smtpd[1]: {ID}: reject: BDAT from b[198.51.100.7]: {REPLY}",
    f"postfix/cleanup[2]: {ID}: reject: header Subject: x from b[198.51.100.7]; from=<s@b.example> to=<x@navy.example> "
    "proto=ESMTP helo=<b>: 5.7.1 No",
)  # fmt: skip
"""Lines about a message, each with an address, a status or a refusal."""
HEADS = (
    "2024-03-01T10:00:00+00:00 mx1 {}", "Mar  1 10:00:00 mx1 {}", "Mar  1 10:00:00 2001:db8::25 {}",
    "Mar  1 10:00:00 mx1 mail.info {}", "Mar  1 10:00:00 UTC mx1 {}", "Mar  1 10:00:09 192.0.2.1 Mar  1 10:00:00 mx1 {}",
    "Mar  1 10:00:09 box docker[9]: Mar  1 10:00:00 mx1 {}", "<22>Mar  1 10:00:00 mx1 {}",
)  # fmt: skip
PIECES = (
    "to=<", "from=<", "status=", "relay=", "reject: ", "client=", ", ", ": ", "; ", "<", ">", "(", ")", "[", "]", " ", "x@navy.example",
    "connect from ", "host ", "warning: ", "SASL ", "passing <", "replace: ", "statistics: ", "smtpd_x: ", "removed", "\x00", "\xff",
    "sent", "NOQUEUE: ", ID, f"{ID}: ", "unknown[198.51.100.7]", "-- ", "last message repeated ", "imuxsock lost 5 messages",
)  # fmt: skip
"""What may get into a line: parts of other lines, and bytes."""
edits = st.lists(
    st.tuples(
        st.sampled_from(("cut", "insert", "exchange", "end")), st.integers(0, 400), st.integers(1, 40),
        st.sampled_from((*PIECES, *(line.split(": ", 1)[1] for line in KNOWN if "status=" not in line))),
    ),
    max_size=3,
)  # fmt: skip


def edited(line: str, changes: Any, start: int) -> str:
    """The line with its part from `start` on changed."""
    for how, at, size, piece in changes:
        at = start + at % (len(line) - start + 1)
        if how == "cut":
            line = line[:at] + line[at + size :]
        elif how == "insert":
            line = line[:at] + piece + line[at:]
        elif how == "exchange":
            line = line[:at] + piece + line[at + size :]
        else:
            line = line[:at]
    return line


def bears_on_a_delivery(line: str) -> bool:
    """Does the line still speak of a message, and of an address, status or refusal in it?"""
    about = re.search(rf"\]: (?:{ID}|NOQUEUE): ", line)
    return bool(about and re.search(r"to=<|status=|reject: (?:RCPT|header)|nrcpt=", line[about.end() :]))


@settings(max_examples=400)
@given(st.sampled_from(BEARING), st.sampled_from(HEADS), edits)
def test_what_bears_on_a_delivery_is_never_irrelevant(record: str, head: str, changes: Any) -> None:
    """The truth is known: every line was about a delivery before its text was changed, and mostly still is."""
    whole = head.format(record)
    line = edited(whole, changes, whole.index("]: ", whole.index("postfix/")) + 3).replace("\n", "?")
    made = scan([line.encode("utf-8", "surrogateescape")])
    if not changes:
        assert made.used == 1
    if bears_on_a_delivery(line):
        assert not made.ignored, line


@settings(max_examples=400)
@given(st.sampled_from(BEARING), st.sampled_from(HEADS), st.integers(0, 60), st.integers(1, 12), st.text(max_size=3))
def test_whatever_is_done_to_a_head_the_record_is_not_irrelevant(
    record: str, head: str, at: int, size: int, new: str
) -> None:
    whole = head.format(record)
    at %= whole.index("postfix/") + 12
    line = (whole[:at] + new + whole[at + size :]).replace("\n", "?").replace("\r", "?")
    made = scan([line.encode("utf-8", "surrogatepass")])
    if f" {ID}: " in line or " NOQUEUE: " in line:
        assert not made.ignored, line


@settings(max_examples=100)
@given(st.sampled_from(KNOWN), st.sampled_from(HEADS))
def test_what_is_well_formed_and_irrelevant_is_not_unread(line: str, head: str) -> None:
    program, text = line.split(": ", 1)
    made = scan([head.format(f"postfix/{program}[1]: {text}").encode()])
    assert made.ignored == {f"postfix {program}": 1}
