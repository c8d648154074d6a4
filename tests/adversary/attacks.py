"""What outsiders can bring into the log of a gateway, made from the log of the albion gateway; docs/adversary.md says who.

Each attack takes a log and a source of chance and changes the log as the outsider's doing would have changed it: lines
that this host writes about an outsider's connection, and the text that a remote server answers with. Nothing else is an
outsider's to write.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

OWN = "albion-defence.uk"
LOOKALIKES = ("navy.ml", "army.ml", "us.af.ml", "contoso-marine.co", "northwind-areo.com", "nato.in", "gmial.com")
"""Domains in the log that mail went to for others."""
LIST = "ops-desk@albion-defence.uk"
MEMBERS = ("anna.archer@albion-defence.uk", "jtaylor7@navy.mil", "jtaylor7@navy.ml")
INNER = "127.2.0.1[127.2.0.1]:2525"
"""The organisation's inner server."""
THEIRS = "mx1.navy.ml[198.51.100.66]"
"""A host of the owner of navy.ml."""
_OPENERS: dict[str, Callable[..., object]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_HEAD = re.compile(r"^.*? gw\d postfix[\w-]*/")
"""Stamp, host and instance."""
_SENT = re.compile(
    _HEAD.pattern[:1] + f"({_HEAD.pattern[1:]})" + r"smtp\[\d+\]: (\w+): to=<([^>]*@([^>]*))>(.*status=sent \()(.*)\)$"
)
_ID = re.compile(_HEAD.pattern + r"(\w+)\[\d+\]: (\w+): (message-id|from)=<([^>]*)>")


@dataclass(frozen=True)
class Sent:
    """One accepted delivery."""

    line: int
    id: str
    recipient: str
    domain: str


@dataclass
class Log:
    """Lines of one gateway, in order."""

    lines: list[str]
    more: dict[int, list[str]] = field(default_factory=dict)
    """Lines to be put behind others."""

    def sent(self, *domains: str) -> list[Sent]:
        """Deliveries that servers of these domains accepted."""
        found = ((n, _SENT.match(line)) for n, line in enumerate(self.lines) if "relay=127.0.0.1[" not in line)
        return [Sent(n, m[2], m[3], m[4]) for n, m in found if m and m[4] in domains]

    def of(self, identity: str) -> dict[str, str]:
        """Message-ID (`message-id`) and sender (`from`) of a queue id."""
        found = (_ID.match(line) for line in self.lines)
        return {m[3]: m[4] for m in found if m and m[2] == identity}

    def born(self, identity: str) -> int:
        """The line that a message came in by."""
        return next(n for n, line in enumerate(self.lines) if f": {identity}: client=" in line)

    def answer(self, line: int, text: str) -> None:
        """What the remote server says in a delivery line."""
        self.lines[line] = _SENT.sub(lambda m: f"{m[1]}smtp[9]: {m[2]}: to=<{m[3]}>{m[5]}{text})", self.lines[line])

    def put(self, behind: int, *texts: str) -> None:
        """Lines of this host at the time of another."""
        head = _HEAD.match(self.lines[behind])
        assert head
        self.more.setdefault(behind, []).extend(head[0] + text for text in texts)

    def text(self) -> str:
        out = []
        for n, line in enumerate(self.lines):
            out += [line, *self.more.get(n, ())]
        return "\n".join(out) + "\n"


def read(folder: Path) -> Log:
    """A gateway's log, its files one after the other."""
    lines: list[str] = []
    for path in sorted(folder.glob("mail.log*")):
        with _OPENERS.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:  # type: ignore[attr-defined]
            lines += file.read().splitlines()
    return Log(lines)


def identity(chance: random.Random) -> str:
    return f"{chance.randrange(16**10, 16**11):X}"


def inbound(
    log: Log,
    behind: int,
    queue_id: str,
    sender: str,
    recipient: str,
    message_id: str,
    client: str = THEIRS,
    extra: tuple[str, ...] = (),
    more: str = "",
) -> None:
    """A message from outside that the gateway takes for an inside address; the list goes on to its members."""
    smtpd = "smtpd[9001]"
    deliveries = [f"to=<{recipient}>, relay={INNER}"]
    if recipient == LIST:
        relays = (INNER, "mx1.navy.mil[127.1.0.1]:25", "mx1.navy.ml[127.1.0.15]:25")
        deliveries = [f"to=<{m}>, orig_to=<{LIST}>, relay={r}" for m, r in zip(MEMBERS, relays, strict=True)]
    log.put(
        behind,
        f"{smtpd}: connect from {client}",
        f"{smtpd}: {queue_id}: client={client}{more}",
        *extra,
        f"cleanup[9002]: {queue_id}: message-id=<{message_id}>",
        f"qmgr[2081]: {queue_id}: from=<{sender}>, size=2100, nrcpt={len(deliveries)} (queue active)",
        f"{smtpd}: disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
        *(
            f"smtp[9003]: {queue_id}: {one}, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
            for one in deliveries
        ),
        f"qmgr[2081]: {queue_id}: removed",
    )


def refused(
    log: Log, behind: int, sender: str, recipient: str, why: str, client: str = THEIRS, counts: str = "rcpt=0/1"
) -> None:
    """An outsider's connection that is refused at RCPT."""
    code, _, text = why.partition("|")
    log.put(
        behind,
        f"smtpd[9001]: connect from {client}",
        f"smtpd[9001]: NOQUEUE: reject: RCPT from {client}: {code} <{recipient}>: {text}; from=<{sender}> "
        f"to=<{recipient}> proto=ESMTP helo=<mx1.navy.ml>",
        f"smtpd[9001]: disconnect from {client} ehlo=1 mail=1 {counts} quit=1 commands=3/4",
    )


DENIED = "554 5.7.1|Relay access denied"


def one_refusal(log: Log, chance: random.Random) -> None:
    """A refused connection in an employee's name, to a lookalike that nobody wrote to."""
    (at,) = chance.sample(range(2000, len(log.lines)), 1)
    refused(log, at, f"cara.dunn@{OWN}", "mkhan54@army.ml", DENIED)


def refusals_of_a_finding(log: Log, chance: random.Random) -> None:
    """Thirty refused connections with the sender and recipient of each genuine finding's kind."""
    for one in log.sent("navy.ml", "contoso-marine.co")[:6]:
        for _ in range(30):
            refused(log, chance.randrange(len(log.lines)), log.of(one.id)["from"], one.recipient, DENIED)


def refusals_of_all_kinds(log: Log, chance: random.Random) -> None:
    """Refusals whose text says nothing of relaying, for good and for now."""
    kinds = (
        "550 5.1.1|Recipient address rejected: User unknown", "450 4.1.2|Recipient address rejected: Domain not found",
        "550 5.7.1|Client host rejected: Access denied", "450 4.7.1|Recipient address rejected: Greylisted",
        "553 5.7.1|Sender address rejected: not owned by user", "450 4.7.25|Client host rejected: cannot find your name",
    )  # fmt: skip
    for n, kind in enumerate(kinds):
        for _ in range(4):
            refused(log, chance.randrange(3000, len(log.lines)), f"nora.dunn@{OWN}", f"ediallo4{n}@us.af.ml", kind)


def refused_beside_an_accepted_recipient(log: Log, chance: random.Random) -> None:
    """One session: an inside recipient is accepted, a lookalike's is refused, for good or for now."""
    for why in ("554 5.7.1", "454 4.7.1", "450 4.1.2"):
        at, queue_id = chance.randrange(3000, len(log.lines)), identity(chance)
        recipient, sender = "mkhan54@army.ml", f"cara.boyd@{OWN}"
        line = (
            f"smtpd[9001]: {queue_id}: reject: RCPT from {THEIRS}: {why} <{recipient}>: Recipient address rejected: "
            f"Access denied; from=<{sender}> to=<{recipient}> proto=ESMTP helo=<mx1.navy.ml>"
        )
        inbound(log, at, queue_id, sender, f"ben.boyd@{OWN}", f"{queue_id}@navy.ml", extra=(line,))


def a_copy_refused_beside_another(log: Log, chance: random.Random) -> None:
    """The lookalike's server gives the message back from its own address, in one session: to an inside recipient, and
    to the recipient itself, which is refused. Every other answer names the id."""
    for n, one in enumerate(log.sent("navy.ml", "army.ml")):
        queue_id, known = identity(chance), log.of(one.id)
        relay = re.search(r"relay=([^,]*):25", log.lines[one.line])
        assert relay
        line = (
            f"smtpd[9001]: {queue_id}: reject: RCPT from {relay[1]}: 554 5.7.1 <{one.recipient}>: Relay access denied; "
            f"from=<{known['from']}> to=<{one.recipient}> proto=ESMTP helo=<mx1.navy.ml>"
        )
        born = log.born(one.id)
        inbound(
            log, born, queue_id, known["from"], f"ben.boyd@{OWN}", known["message-id"], client=relay[1], extra=(line,)
        )
        log.answer(one.line, f"250 2.0.0 Ok: queued as {queue_id}" if n % 2 else "250 2.0.0 Ok")


def held_or_discarded_first(log: Log, chance: random.Random) -> None:
    """A client that a rule of the server's holds or discards mail of, and another refuses: once in the name of each of
    two employees, then refused for other reasons."""
    for n, action in enumerate(("hold", "discard")):
        at, client = chance.randrange(3000, len(log.lines)), f"unknown[203.0.113.{n + 70}]"
        sender, recipient = f"nora.dunn@{OWN}", f"ediallo4{n}@us.af.ml"
        log.put(
            at,
            f"smtpd[9001]: connect from {client}",
            f"smtpd[9001]: NOQUEUE: {action}: RCPT from {client}: <{client}>: Client host triggers {action.upper()} "
            f"action; from=<{sender}> to=<{recipient}> proto=ESMTP helo=<h>",
        )
        refused(log, at, sender, recipient, DENIED, client)
        refused(
            log, at, f"cara.dunn@{OWN}", recipient, "550 5.1.2|Recipient address rejected: Domain not found", client
        )


def a_login_in_the_auth_parameter(log: Log, chance: random.Random) -> None:
    """Anybody may send an AUTH parameter with MAIL FROM; in brackets it may hold blanks. To the list, in an employee's
    name, with the employee's login or a client address of the organisation's in it."""
    for name, more in (("cara.dunn", "sasl_username=cara.dunn"), ("nora.dunn", "orig_client=ws38.x[10.4.5.104]")):
        queue_id = identity(chance)
        at = chance.randrange(len(log.lines))
        forged = f", sasl_sender=<x, {more}>"
        inbound(log, at, queue_id, f"{name}@{OWN}", LIST, f"{queue_id}@navy.ml", more=forged)


def a_failed_login(log: Log, chance: random.Random) -> None:
    """A login that was tried and failed is none; nor is another client's in the same process."""
    for _ in range(5):
        at = chance.randrange(3000, len(log.lines))
        refused(log, at, f"gus.grant@{OWN}", "hnovak25@navy.ml", "550 5.1.1|User unknown", counts="auth=0/1 rcpt=0/1")
        log.put(
            at,
            "smtpd[9001]: connect from ws30.albion-defence.uk[203.0.113.30]",
            "smtpd[9001]: disconnect from ws30.albion-defence.uk[203.0.113.30] ehlo=1 auth=1 quit=1 commands=3",
        )


def words_that_look_like_a_login(log: Log, chance: random.Random) -> None:
    """Fields of the line inside what the outsider chooses."""
    employee = f"gus.grant@{OWN}"
    for sender, helo in (
        (f'"x> to=<y> proto=ESMTP helo=<h> sasl_username=<{employee}"@evil.example', "h"),
        (employee, "sasl_username"),
        (employee, f"h?sasl_username=?{employee}?"),
    ):
        at = chance.randrange(3000, len(log.lines))
        log.put(
            at,
            f"smtpd[9001]: NOQUEUE: reject: RCPT from {THEIRS}: 550 5.1.1 <hnovak25@navy.ml>: Recipient address rejected: "
            f"no; from=<{sender}> to=<hnovak25@navy.ml> proto=ESMTP helo=<{helo}>",
        )


def ids_of_others(log: Log, chance: random.Random) -> None:
    """The lookalike's server names ids of messages that it never saw."""
    ids = [m[2] for m in map(_ID.match, log.lines) if m]
    for one in log.sent(*LOOKALIKES):
        log.answer(one.line, f"250 2.0.0 Ok: queued as {chance.choice(ids)}")


def its_own_id(log: Log, chance: random.Random) -> None:
    """It names the id of the very message."""
    for one in log.sent(*LOOKALIKES):
        log.answer(one.line, f"250 2.0.0 Ok: queued as {one.id}")


def ids_of_the_same_message(log: Log, chance: random.Random) -> None:
    """It names another queue id that the same message had on its way."""
    by_message: dict[str, list[str]] = {}
    for m in filter(None, map(_ID.match, log.lines)):
        if m[3] == "message-id":
            by_message.setdefault(m[4], []).append(m[2])
    for one in log.sent(*LOOKALIKES):
        ids = by_message[log.of(one.id)["message-id"]]
        log.answer(one.line, f"250 2.0.0 Ok: queued as {chance.choice([i for i in ids if i != one.id] or ids)}")


def a_copied_message_id(log: Log, chance: random.Random) -> None:
    """It sends a message with the same Message-ID to an inside address, and names its id."""
    for one in log.sent(*LOOKALIKES):
        queue_id, known = identity(chance), log.of(one.id)
        inbound(log, log.born(one.id), queue_id, known["from"], f"ben.boyd@{OWN}", known["message-id"])
        log.answer(one.line, f"250 2.0.0 Ok: queued as {queue_id}")


def a_copy_through_the_list(log: Log, chance: random.Random) -> None:
    """The same through the list, whose members are the recipient's own: Message-ID, sender and recipient agree."""
    for one in log.sent("navy.ml"):
        queue_id, known = identity(chance), log.of(one.id)
        inbound(log, log.born(one.id), queue_id, known["from"], LIST, known["message-id"])
        log.answer(one.line, f"250 2.0.0 Ok: queued as {queue_id}")


def a_server_named_like_ours(log: Log, chance: random.Random) -> None:
    """The same, and the lookalike's server and the outsider's client bear the gateway's own name in their zone."""
    for one in log.sent("navy.ml"):
        queue_id, known = identity(chance), log.of(one.id)
        client = "gw1.navy.ml[127.1.0.15]"
        inbound(log, log.born(one.id), queue_id, known["from"], LIST, known["message-id"], client)
        log.answer(one.line, f"250 2.0.0 Ok: queued as {queue_id}")
        log.lines[one.line] = log.lines[one.line].replace("relay=mx1.navy.ml[", "relay=gw1.navy.ml[")


def one_server_for_all(log: Log, chance: random.Random) -> None:
    """One server takes the mail of all lookalikes, and names ids of later messages from the same sender."""
    for one in log.sent(*LOOKALIKES):
        log.lines[one.line] = re.sub(r"relay=[^,]*", "relay=mx1.navy.ml[127.1.0.15]:25", log.lines[one.line])
        sender = log.of(one.id)["from"]
        later = [m[2] for m in map(_ID.match, log.lines[one.line :]) if m and m[3] == "from" and m[4] == sender]
        log.answer(one.line, f"250 2.0.0 Ok: queued as {chance.choice(later or [one.id])}")


def words_of_a_filter(log: Log, chance: random.Random) -> None:
    """The lookalike's server says that it threw the message away, kept it, or passed it on."""
    for one in log.sent(*LOOKALIKES):
        log.answer(one.line, chance.choice((
            "250 2.7.0 Ok, discarded, id=15303-02 - spam", "250 2.5.0 OK, quarantined", "250 Virus Detected; Discarded Email",
            "250 2.0.0 <x> 4A1B2C3D4E/1 Saved", "250 2.6.0 <x> [InternalId=4711, Hostname=gw1] Queued mail for delivery",
        )))  # fmt: skip


def the_list_in_an_employee_s_name(log: Log, chance: random.Random) -> None:
    """Mail from outside in employees' names to the list that has a lookalike's address."""
    for name in ("cara.dunn", "nora.dunn", "ewan.boyd"):
        queue_id = identity(chance)
        inbound(log, chance.randrange(len(log.lines)), queue_id, f"{name}@{OWN}", LIST, f"{queue_id}@navy.ml")


def employees_names_inside(log: Log, chance: random.Random) -> None:
    """Mail from outside in employees' names to employees."""
    for name in ("cara.dunn", "nora.dunn", "ewan.boyd", "gus.grant"):
        for other in ("ben.boyd", "dev.ellis"):
            at, queue_id = chance.randrange(len(log.lines)), identity(chance)
            inbound(
                log, at, queue_id, f"{name}@{OWN}", f"{other}@{OWN}", f"{queue_id}@navy.ml", "unknown[203.0.113.99]"
            )


def false_reports(log: Log, chance: random.Random) -> None:
    """Delivery reports that nobody asked for, about genuine messages."""
    for one in log.sent("navy.ml", "army.ml"):
        known, queue_id = log.of(one.id), identity(chance)
        inbound(log, one.line, queue_id, "", known["from"], known["message-id"])


def subjects_that_look_like_lines(log: Log, chance: random.Random) -> None:
    """A subject that holds a delivery line, and one that holds the end of a refusal."""
    for one in log.sent("navy.ml")[:5]:
        queue_id = identity(chance)
        subject = (
            f"warning: header Subject: x gw1 postfix/smtp[1]: {one.id}: to=<{one.recipient}>, relay=none, delay=1, "
            f"delays=0/0/0/1, dsn=5.0.0, status=bounced (no); from=<a@b> to=<c@d> from {THEIRS}; "
            f"from=<x@navy.ml> to=<ben.boyd@{OWN}> proto=ESMTP helo=<h>"
        )
        inbound(
            log, one.line, queue_id, "x@navy.ml.example", f"ben.boyd@{OWN}", f"{queue_id}@navy.ml",
            extra=(f"cleanup[9002]: {queue_id}: {subject}",),
        )  # fmt: skip


def the_mistyped_address_writes(log: Log, chance: random.Random) -> None:
    """One message in the name of each mistyped address to who mistyped it."""
    for one in log.sent(*LOOKALIKES):
        queue_id = identity(chance)
        inbound(log, one.line, queue_id, one.recipient, log.of(one.id)["from"], f"{queue_id}@{one.domain}")


def the_lookalike_writes_to_everybody(log: Log, chance: random.Random) -> None:
    """Many people of the lookalike write to many employees."""
    names = ("ben.boyd", "dev.ellis", "cara.dunn", "nora.dunn", "ewan.boyd", "gus.grant")
    for n in range(60):
        queue_id = identity(chance)
        sender = f"person{n}@{LOOKALIKES[n % len(LOOKALIKES)]}"
        at = chance.randrange(len(log.lines))
        inbound(log, at, queue_id, sender, f"{chance.choice(names)}@{OWN}", f"{queue_id}@navy.ml")


Attack = Callable[[Log, random.Random], None]
ATTACKS: tuple[Attack, ...] = (
    one_refusal, refusals_of_a_finding, refusals_of_all_kinds, refused_beside_an_accepted_recipient, a_failed_login,
    words_that_look_like_a_login, ids_of_others, its_own_id, a_copied_message_id, a_copy_through_the_list,
    a_server_named_like_ours, one_server_for_all, words_of_a_filter, the_list_in_an_employee_s_name,
    employees_names_inside, false_reports, subjects_that_look_like_lines, ids_of_the_same_message,
    a_copy_refused_beside_another, held_or_discarded_first, a_login_in_the_auth_parameter,
)  # fmt: skip
BEHIND_A_FILTER: tuple[Attack, ...] = (
    ids_of_others, its_own_id, ids_of_the_same_message, a_copied_message_id, a_copy_through_the_list, one_server_for_all,
    words_of_a_filter, a_copy_refused_beside_another,
)  # fmt: skip
"""Those that go for joins, where every message is two hops."""
BY_MAIL: tuple[Attack, ...] = (the_mistyped_address_writes, the_lookalike_writes_to_everybody)
"""What only the other side could have made: it counts, and what it speaks against stays to be looked at."""
