"""The evidence of the second worked example: a defence ministry that writes to `.mil` and now and then to `.ml`.

    python -m tests.bench.mod_2023

writes `forensics/demo/mod-2023/mail.log-*.gz` and `tests/data/mod-2023/truth.tsv`. The organisation, its people,
its correspondents and every message are invented. What is taken from the public record are the numbers: since
January 2022 55 messages went to the `.ml` domain, 15 of them meant for `.mil`, seven in 2022 and eight in 2023
(Parliamentary Under-Secretary of State for Defence, written answer, reported at
https://ukdefencejournal.org.uk/mod-emails-55-misdirected-to-mali-domain-since-2022/). Which `.ml` names were hit,
and what their servers answered, the record does not say: here army.ml, navy.ml and us.af.ml stand for them.
"""

from __future__ import annotations

import argparse
import gzip
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import names, tables
from tests.bench.mail import (
    Leg,
    Message,
    Try,
    greylisted,
    no_domain,
    sent,
    too_big,
    unreachable,
    user_unknown,
)
from tests.bench.maillog import Style, lines
from tests.bench.mod_2023_cast import CATCH_ALL, MALIANS, MILITARY, SLIPS, SUBJECTS, SUPPLIERS, Slip
from tests.bench.traffic import bounces

OWN = "mod-example.uk"
GATEWAY = f"gw1.{OWN}"
SEED = 20230728
START = datetime(2022, 1, 4, tzinfo=UTC).timestamp()
END = datetime(2023, 8, 1, tzinfo=UTC).timestamp()
DAY, HOUR = 86_400.0, 3600.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class _Office:
    """Who is there, and what has been written so far."""

    rng: random.Random
    people: list[str] = field(default_factory=list)
    partners: dict[str, list[int]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def id(self, domain: str) -> str:
        return f"{self.rng.randrange(16**12):012x}.{self.rng.randrange(16**6):06x}@{domain}"

    def subject(self) -> str:
        rng = self.rng
        day = rng.choice(("Monday", "Tuesday", "Thursday", "Friday"))
        return rng.choice(SUBJECTS).format(n=rng.randrange(100, 9999), w=rng.randrange(1, 52), d=day)

    def outward(self, at: float, sender: int, legs: list[Leg], subject: str, size: int = 0) -> Message:
        station = f"10.40.{sender % 8}.{10 + sender}"
        message = Message(
            at,
            self.id(GATEWAY),
            self.people[sender],
            subject,
            size or int(self.rng.lognormvariate(9, 1.2)) + 900,
            legs,
            self.people[sender].partition("@")[0].lower(),
            f"d{sender:03d}.{OWN}",
            station,
            submission=True,
            asked=[leg.recipient for leg in legs],
        )
        self.messages.append(message)
        return message

    def inward(self, at: float, sender: str, recipient: int, subject: str) -> None:
        domain = sender.rpartition("@")[2]
        size = int(self.rng.lognormvariate(9, 1.2)) + 900
        self.messages.append(
            Message(
                at,
                self.id(domain),
                sender,
                subject,
                size,
                [_inside(self.people[recipient])],
                None,
                f"mx1.{domain}",
                host(domain),
            )
        )


def host(domain: str) -> str:
    """A documentation address (RFC 5737) for the domain's mail server."""
    number = int.from_bytes(domain.encode(), "big")
    return f"{('192.0.2', '198.51.100')[number % 2]}.{1 + number % 251}"


def when(date: str, hour: float) -> float:
    return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp() + hour * HOUR


def _contact(rng: random.Random, domain: str) -> str:
    given, family = rng.choice(names.GIVEN), rng.choice(names.FAMILY)
    middle = rng.choice("abcdefghjklmnprstw")
    if domain in ("army.mil", "mail.mil"):
        return f"{given}.{middle}.{family}.{rng.choice(('mil', 'mil', 'civ'))}@{domain}"
    if domain == "us.af.mil":
        return f"{given}.{family}.{rng.randrange(1, 30)}@{domain}"
    if domain == "gmail.com":
        return f"{given}{family}{rng.randrange(10, 99)}@{domain}"
    return f"{given}.{family}@{domain}"


def _genuine(rng: random.Random, address: str) -> Leg:
    domain = address.rpartition("@")[2]
    mx = f"mx1.{domain}"
    luck = rng.random()
    tries: tuple[Try, ...] = (sent(rng, mx, host(domain)),)
    if luck < 0.012:
        tries = greylisted(rng, mx, host(domain))
    elif luck < 0.016:
        tries = (user_unknown(rng, address, mx, host(domain)),)
    return Leg(address, tries, label="genuine", tls=not domain.endswith(".ml"))


def _inside(address: str) -> Leg:
    return Leg(address, (Try(0.1, "sent", "2.0.0", f"250 2.0.0 <{address}> Saved", f"mbx.{OWN}", "10.20.0.5"),))


def _working_days() -> list[float]:
    days = [START + i * DAY for i in range(int((END - START) // DAY))]
    return [d for d in days if (d // DAY + 3) % 7 < 5]


def _people(office: _Office) -> None:
    rng = office.rng
    while len(office.people) < 48:
        given, family = rng.choice(names.GIVEN).title(), rng.choice(names.FAMILY).title()
        office.people.append(f"{given}.{family}{rng.randrange(100, 999)}@{OWN}")
    for domain, count in {**MILITARY, **SUPPLIERS}.items():
        for _ in range(count):
            office.partners[_contact(rng, domain)] = rng.sample(range(len(office.people)), rng.choice((1, 1, 2, 3)))


def _everyday(office: _Office) -> None:
    """Threads with the known correspondents on every working day; the last fortnight of December is quiet."""
    rng = office.rng
    contacts = list(office.partners)
    for day in _working_days():
        date = datetime.fromtimestamp(day, UTC)
        count = 1 if date.month == 12 and date.day > 20 else rng.randrange(3, 7)
        for _ in range(count):
            contact = rng.choice(contacts)
            who = rng.choice(office.partners[contact])
            at = day + rng.uniform(7.5, 16) * HOUR
            subject = office.subject()
            if rng.random() < 0.35:
                office.inward(at, contact, who, subject)
            else:
                legs = [_genuine(rng, contact)]
                domain = contact.rpartition("@")[2]
                if rng.random() < 0.25:
                    others = [c for c in contacts if c.endswith(f"@{domain}") and c != contact]
                    legs += [_genuine(rng, rng.choice(others))] if others else []
                office.outward(at, who, legs, subject)
            for _ in range(rng.choice((0, 0, 1, 1, 2))):
                at += rng.lognormvariate(8.6, 0.9)
                if at < END and rng.random() < 0.6:
                    office.inward(at, contact, who, f"RE: {subject}")
                elif at < END:
                    office.outward(at, who, [_genuine(rng, contact)], f"RE: {subject}")


def _malians(office: _Office) -> None:
    """The 40 genuine messages to `.ml`, and what came back."""
    rng = office.rng
    days = _working_days()
    for malian in MALIANS:
        writers = rng.sample(range(len(office.people)), min(2, malian.messages))
        first = when(malian.first, rng.uniform(8, 15))
        later = sorted(rng.sample([d for d in days if d > first + DAY], malian.messages - 1))
        if malian.answers:
            office.inward(
                first - rng.uniform(1, 3) * HOUR, f"{malian.people[0]}@{malian.domain}", writers[0], "Prise de contact"
            )
        for number, at in enumerate([first, *[d + rng.uniform(8, 15) * HOUR for d in later]]):
            local = malian.people[0] if number == 0 else rng.choice(malian.people)
            who = writers[0] if number == 0 else rng.choice(writers)
            subject = office.subject()
            leg = Leg(
                f"{local}@{malian.domain}",
                (sent(rng, f"mail.{malian.domain}", host(malian.domain)),),
                label="genuine",
                tls=False,
            )
            office.outward(at, who, [leg], subject)
            if malian.answers and rng.random() < 0.6:
                office.inward(at + rng.lognormvariate(9, 0.8), f"{local}@{malian.domain}", who, f"RE: {subject}")


def _fate(rng: random.Random, slip: Slip, recipient: str) -> tuple[Try, ...]:
    """What the mistyped domain's server did. Invented; see the module's head."""
    domain = recipient.rpartition("@")[2]
    if domain == "navy.ml" and slip.date < "2023":
        return (no_domain(rng, domain),)
    if domain == "us.af.ml" and slip.date < "2023":
        return unreachable(rng, "us.af.ml", CATCH_ALL)
    if slip.size:
        return (too_big(rng, f"mx.{domain}", CATCH_ALL),)
    return (sent(rng, f"mx.{domain}", CATCH_ALL),)


def _choose(office: _Office, slip: Slip, at: float, before: tuple[int, str] | None) -> tuple[int, str]:
    """(sender, meant address) of a slip."""
    rng = office.rng
    written: dict[str, set[str]] = {}
    for message in office.messages:
        if message.user and message.at < at:
            for leg in message.legs:
                written.setdefault(leg.recipient, set()).add(message.sender)
    here = [c for c in office.partners if c.endswith(f"@{slip.domain}")]
    if slip.who in ("reply-all", "again") and before:
        sender, address = before
        return (sender if slip.who == "again" else (sender + 7) % len(office.people)), address
    if slip.who == "new":
        return rng.randrange(len(office.people)), _contact(rng, slip.domain)
    known = [c for c in here if c in written]
    address = rng.choice(known)
    if slip.who == "own":
        return office.people.index(rng.choice(sorted(written[address]))), address
    strangers = [i for i, p in enumerate(office.people) if p not in written[address]]
    return rng.choice(strangers), address


def _slips(office: _Office) -> None:
    """The 15 misdirected messages, and the corrections."""
    rng = office.rng
    before: tuple[int, str] | None = None
    at = 0.0
    for slip in SLIPS:
        at = at + 1.7 * HOUR if slip.who == "reply-all" else when(slip.date, rng.uniform(8, 15))
        sender, meant = _choose(office, slip, at, before)
        before = sender, meant
        wrong = meant.removesuffix("mil") + "ml"
        origin = {"reply-all": "reply-all", "again": "address-book"}.get(slip.who, "typed")
        leg = Leg(wrong, _fate(rng, slip, wrong), None, "misdirected", meant, "deletion", origin, tls=False)
        legs = [leg]
        if slip.who == "reply-all":
            legs.append(_inside(office.people[(sender - 7) % len(office.people)]))
        elif slip.subject.startswith("OFFICIAL: Accommodation"):
            legs.append(_inside(office.people[(sender + 7) % len(office.people)]))
        elif rng.random() < 0.4:
            others = [c for c in office.partners if c.endswith(f"@{slip.domain}") and c != meant]
            legs.append(_genuine(rng, rng.choice(others)))
        message = office.outward(at, sender, legs, slip.subject, slip.size)
        if slip.resent is not None:
            back = leg.tries[-1].after if leg.outcome != "delivered" else 0.0
            again = message.at + back + slip.resent * 60
            while datetime.fromtimestamp(again, UTC).hour not in range(7, 18):
                again += HOUR
            office.outward(
                again, sender, [_genuine(rng, meant)], slip.subject, message.size if not slip.size else 6_291_456
            )


def messages() -> list[Message]:
    """Everything the gateway saw, in order of time."""
    office = _Office(random.Random(SEED))
    _people(office)
    _everyday(office)
    _malians(office)
    _slips(office)
    found = [m for m in office.messages if m.at < END]
    found += [b for m in found for b in bounces(m, OWN, GATEWAY, END)]
    found.sort(key=lambda m: (m.at, m.message_id))
    return found


def _noise() -> list[tuple[datetime, str]]:
    """What else a gateway logs: statistics of anvil, clients turned away for the moment."""
    rng = random.Random(SEED + 1)
    found = []
    for day in range(int((END - START) // DAY)):
        at = datetime.fromtimestamp(START + day * DAY + rng.randrange(86_000), UTC)
        stamp = f"{at:%b} {at.day:2d} {at:%H:%M:%S}"
        address, pid = f"203.0.113.{rng.randrange(1, 70)}", rng.randrange(900, 30_000)
        kind, local = rng.random(), f"{rng.choice(names.GIVEN)}{rng.randrange(100, 999)}"
        if kind < 0.5:
            text = f"anvil[{pid}]: statistics: max connection rate 1/60s for (smtpd:{address}) at {stamp}"
        elif kind < 0.65:
            text = (
                f"smtpd[{pid}]: NOQUEUE: reject: RCPT from unknown[{address}]: 450 4.7.25 Client host rejected: "
                f"cannot find your hostname, [{address}]; from=<{local}@mailer.example> to=<office@{OWN}> "
                "proto=ESMTP helo=<localhost>"
            )
        else:
            continue
        found.append((at, f"{stamp} gw1 postfix/{text}"))
    return found


def files(found: list[Message]) -> dict[str, bytes]:
    """The log by month as logrotate would leave it (file name -> decompressed content)."""
    style = Style(host="gw1", fqdn=GATEWAY, stamps="rfc3164", seed=SEED, tls=True)
    noise = _noise()
    everything = sorted([*lines(found, style), *noise], key=lambda entry: entry[0])
    months: dict[str, list[str]] = {}
    for at, line in everything:
        if at.timestamp() < END:
            rotated = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
            months.setdefault(f"mail.log-{rotated:%Y%m%d}", []).append(line)
    return {name: "".join(f"{line}\n" for line in found).encode() for name, found in months.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.mod_2023", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--evidence", type=Path, default=ROOT / "forensics" / "demo" / "mod-2023")
    parser.add_argument("--truth", type=Path, default=ROOT / "tests" / "data" / "mod-2023" / "truth.tsv")
    args = parser.parse_args()
    args.evidence.mkdir(parents=True, exist_ok=True)
    args.truth.parent.mkdir(parents=True, exist_ok=True)
    found = messages()
    for name, content in files(found).items():
        (args.evidence / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    tables.write_truth(tables.truth(found), args.truth)


if __name__ == "__main__":
    main()
