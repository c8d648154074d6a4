"""Messages as a Postfix log: the lines that smtpd, cleanup, qmgr, smtp and bounce would write.

ISO 8601 or RFC 3164 stamps, rotated by month into reproducible gzip files.
"""

from __future__ import annotations

import gzip
import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.mail import Leg, Message

BASE52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"


@dataclass(frozen=True)
class Style:
    """How the gateway is called and logs."""

    host: str
    fqdn: str
    stamps: str = "iso"
    subjects: bool = True
    seed: int = 0
    tag: str = "postfix"
    tls: bool = False
    """Log a TLS connection before an outbound delivery (`smtp_tls_loglevel = 1`)."""


def queue_id(number: int) -> str:
    """A long queue id that is never repeated, built like a real one: ten digits to base 52, `z`, the inode."""
    text = ""
    rest = number * 7919 + 52**8
    while rest:
        rest, digit = divmod(rest, 52)
        text = BASE52[digit] + text
    return f"4{text.rjust(9, 'j')[-9:]}zL{BASE52[number // 51 % 50]}Q{BASE52[number % 51]}"


def encoded(subject: str) -> str:
    """As `header_checks` sees it: RFC 2047 when not ASCII."""
    return subject if subject.isascii() else f"=?utf-8?b?{b64encode(subject.encode()).decode()}?="


def _delays(after: float) -> str:
    return f"{after:.2f}".rstrip("0").rstrip(".")


class _Log:
    def __init__(self, style: Style) -> None:
        self.style = style
        self.rng = random.Random(style.seed)
        self.lines: list[tuple[float, int, str]] = []
        self.pids = {name: self.rng.randrange(900, 30_000) for name in ("qmgr",)}
        self.numbers: dict[int, str] = {}

    def pid(self, program: str) -> int:
        if program == "qmgr":
            return self.pids[program]
        return 1000 + (hash_of(program) + self.rng.randrange(400) * 7) % 31_000

    def add(self, at: float, program: str, text: str, pid: int | None = None) -> None:
        self.lines.append((at, len(self.lines), f"{self.style.tag}/{program}[{pid or self.pid(program)}]: {text}"))


def hash_of(text: str) -> int:
    """Stable small number."""
    return int.from_bytes(text.encode(), "big") % 9973


def _entry(log: _Log, message: Message, name: str) -> float:
    """How the message entered; returns when it is in the queue."""
    at, style = message.at, log.style
    if message.bounce_of is not None:
        parent = log.numbers[id(message.bounce_of)]
        log.add(at, "cleanup", f"{name}: message-id=<{message.message_id}>")
        log.add(at + 0.001, "bounce", f"{parent}: sender non-delivery notification: {name}")
        return at + 0.002
    program = "submission/smtpd" if message.submission else "smtpd"
    pid = log.pid(program)
    client = f"{message.client_name}[{message.client_address}]"
    log.add(at - 0.03, program, f"connect from {client}", pid)
    login = f", sasl_method=PLAIN, sasl_username={message.user}" if message.user else ""
    log.add(at, program, f"{name}: client={client}{login}", pid)
    cleanup = log.pid("cleanup")
    if style.subjects and message.subject is not None:
        to = (message.asked or [message.legs[0].recipient])[0]
        log.add(at + 0.01, "cleanup", f"{name}: info: header Subject: {encoded(message.subject)} from {client}; "
                f"from=<{message.sender}> to=<{to}> proto=ESMTP helo=<{message.client_name}>", cleanup)  # fmt: skip
    log.add(at + 0.012, "cleanup", f"{name}: message-id=<{message.message_id}>", cleanup)
    count = len(message.asked or message.legs)
    log.add(
        at + 0.05,
        program,
        f"disconnect from {client} ehlo=1 mail=1 rcpt={count} data=1 quit=1 commands={count + 4}",
        pid,
    )
    return at + 0.02


def _delivery(log: _Log, name: str, queued: float, leg: Leg, index: int) -> float:
    """The lines of one recipient; returns when it was settled."""
    original = f", orig_to=<{leg.original}>" if leg.original else ""
    at = queued
    for step in leg.tries:
        at = queued + step.after
        if step.status == "expired":
            break
        relay = f"{step.relay_name}[{step.relay_address}]:25" if step.relay_name else "none"
        program = "lmtp" if step.relay_address and step.relay_address.startswith("10.") else "smtp"
        pid = log.pid(program)
        if log.style.tls and leg.tls and program == "smtp" and step.relay_name and step.status == "sent":
            log.add(at - 0.002, program, f"Trusted TLS connection established to {relay}: TLSv1.3 with cipher "
                    "TLS_AES_256_GCM_SHA384 (256/256 bits)", pid)  # fmt: skip
        spent = _delays(step.after)
        log.add(at, program, f"{name}: to=<{leg.recipient}>{original}, relay={relay}, delay={spent}, "
                f"delays=0.02/0/0.1/{spent}, dsn={step.dsn}, status={step.status} ({step.text})", pid)  # fmt: skip
    return at


def _message(log: _Log, message: Message, number: int) -> None:
    name = queue_id(number)
    log.numbers[id(message)] = name
    queued = _entry(log, message, name)
    active = f"{name}: from=<{message.sender}>, size={message.size}, nrcpt={len(message.legs)} (queue active)"
    log.add(queued, "qmgr", active)
    ends = [_delivery(log, name, queued, leg, i) for i, leg in enumerate(message.legs)]
    again = sorted({t.after for leg in message.legs for t in leg.tries[1:] if t.status != "expired"})
    for after in again:
        log.add(queued + after - 0.2, "qmgr", active)
    if any(leg.tries[-1].status == "expired" for leg in message.legs):
        log.add(max(ends), "qmgr", f"{name}: from=<{message.sender}>, status=expired, returned to sender")
    if all(leg.tries[-1].status != "deferred" for leg in message.legs):
        log.add(max(ends) + 0.06, "qmgr", f"{name}: removed")


def lines(messages: list[Message], style: Style) -> Iterator[tuple[datetime, str]]:
    """(time, line) of the whole log, in the order a gateway would have written it."""
    log = _Log(style)
    for number, message in enumerate(messages):
        _message(log, message, number)
    log.lines.sort(key=lambda entry: entry[:2])
    for at, _, text in log.lines:
        when = datetime.fromtimestamp(int(at), UTC)
        if style.stamps == "iso":
            stamp = when.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(at % 1 * 1_000_000):06d}+00:00"
        else:
            stamp = f"{when:%b} {when.day:2d} {when:%H:%M:%S}"
        yield when, f"{stamp} {style.host} {text}"


def write(messages: list[Message], out: Path, style: Style) -> list[Path]:
    """Monthly files `mail.log-YYYYMMDD.gz`, named as logrotate does: by the day after the month's last."""
    months: dict[tuple[int, int], list[str]] = {}
    for when, line in lines(messages, style):
        months.setdefault((when.year, when.month), []).append(line)
    paths = []
    for (year, month), found in months.items():
        rotated = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        path = out / f"mail.log-{rotated:%Y%m%d}.gz"
        path.write_bytes(gzip.compress("".join(f"{line}\n" for line in found).encode(), 9, mtime=0))
        paths.append(path)
    return paths
