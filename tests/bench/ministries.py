"""Other ministries: the composition of the public record again, under names, sizes, dates and senders of their own.

55 messages to `.ml`, 15 of them meant for `.mil`, the other 40 for genuine Malian correspondents old and new, some
that never answer, one whose name is also a `.mil` one (`tests.bench.mod_2023` tells the one case that ships). Here
each seed draws another organisation: its people, its `.mil` partners, its everyday mail (a simulated organisation's,
with newsletters, free mail, genuine lookalikes and slips of its own), who slips and how, what the mistyped domains'
servers answer, and whether subjects are logged.

`FIRST` was fixed, with this generator, before any of its cases was seen by the detector, and measured once: 12 of 20 met
the target. What that taught was worked out on `DEVELOPMENT` and measured once on `SECOND`: 14 of 20. Worked out further on
`DEVELOPMENT`, it is measured once on `FROZEN`.
"""

# ruff: noqa: SIM905 (word lists read better as text)

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.bench import names, traffic, world
from tests.bench.mail import Leg, Message, Try, no_domain, refused, sent, unreachable, user_unknown
from tests.bench.mod_2023 import host
from tests.bench.traffic import Rates
from tests.bench.world import Correspondent, World

DAY, HOUR = 86_400.0, 3600.0

FIRST: tuple[int, ...] = tuple(range(7301, 7321))
SECOND: tuple[int, ...] = tuple(range(7401, 7421))
"""Seeds of the cases that were measured before, under the parameters of their day (`before` in evaluation.json)."""
FROZEN: tuple[int, ...] = tuple(range(7501, 7521))
"""Seeds of the cases that the evaluation reports."""
DEVELOPMENT: tuple[int, ...] = tuple(range(7001, 7051))

MILITARY = (
    "navy.mil", "army.mil", "us.af.mil", "mail.mil", "usmc.mil", "dla.mil", "js.pentagon.mil", "uscg.mil", "disa.mil",
    "socom.mil", "centcom.mil", "eucom.mil", "dtra.mil", "africom.mil", "nga.mil", "spaceforce.mil", "osd.mil",
    "health.mil", "dcma.mil", "usace.army.mil", "nps.navy.mil",
)  # fmt: skip
_LARGE = 4
"""So many of them are everybody's correspondents; the rest are drawn."""
TWINS = ("dla", "disa", "dtra", "nga", "osd", "socom", "dcma", "uscg")
"""Short names that may as well be somebody's in Mali."""

FAMILIES = (
    "traore keita coulibaly diarra toure sangare konate dembele sidibe diallo maiga cisse camara sissoko kone fofana"
).split()
BODIES = (
    "coordination protocole cooperation secretariat mission agence direction bureau relais institut atelier librairie "
    "transit auberge clinique garage imprimerie radio journal collectif secours fondation archives musee"
).split()
PLACES = "sahel djoliba segou kayes mopti gao sikasso bamako niger koulikoro nioro kidal dogon hombori".split()
ENDINGS = ("gouv.ml", "gouv.ml", "ml", "ml", "ml", "com.ml", "org.ml", "edu.ml", "presse.ml")
ROLES = ("secretariat", "bureau", "direction", "visites", "reservation", "redaction", "commandes", "scolarite", "info")


@dataclass(frozen=True)
class Malian:
    """A genuine correspondent in Mali: how many messages go to it, from which moment on, whether it ever answers."""

    domain: str
    people: tuple[str, ...]
    messages: int
    first: float
    answers: bool


@dataclass(slots=True)
class Ministry:
    """One drawn organisation, and the mail it has sent so far."""

    rng: random.Random
    own: str
    around: World
    start: float
    end: float
    subjects: bool
    accepting: float
    """Chance that a mistyped domain's server takes the mail."""
    messages: list[Message] = field(default_factory=list)
    fates: dict[str, str] = field(default_factory=dict)

    def id(self, domain: str) -> str:
        return f"{self.rng.randrange(16**12):012x}.{self.rng.randrange(16**6):06x}@{domain}"

    def size(self) -> int:
        return int(self.rng.lognormvariate(9.1, 1.3)) + 800

    def send(self, person: world.Person, at: float, subject: str, legs: list[Leg], size: int = 0) -> Message:
        message = Message(
            at, self.id(f"gw.{self.own}"), person.address, subject, size or self.size(), legs, person.user,
            f"ws{person.station.rpartition('.')[2]}.{self.own}", person.station, submission=True,
            asked=[leg.recipient for leg in legs],
        )  # fmt: skip
        self.messages.append(message)
        return message

    def receive(self, sender: str, at: float, subject: str, person: world.Person) -> None:
        domain = sender.rpartition("@")[2]
        self.messages.append(
            Message(at, self.id(domain), sender, subject, self.size(), [self.inside(person)], None, f"mx1.{domain}",
                    host(domain))
        )  # fmt: skip

    def inside(self, person: world.Person) -> Leg:
        text = f"250 2.0.0 <{person.address}> Saved"
        return Leg(person.address, (Try(0.1, "sent", "2.0.0", text, f"mbx.{self.own}", "10.20.0.5"),))

    def genuine(self, address: str) -> Leg:
        domain = address.rpartition("@")[2]
        mx = f"mx1.{domain}"
        if self.rng.random() < 0.008:
            return Leg(address, (user_unknown(self.rng, address, mx, host(domain)),), label="genuine")
        return Leg(address, (sent(self.rng, mx, host(domain)),), label="genuine")

    def working(self, at: float) -> float:
        """The next moment in somebody's working day."""
        day, second = divmod(at, DAY)
        if not 7 * HOUR <= second <= 18 * HOUR:
            day += second > 18 * HOUR
            second = self.rng.uniform(7.5, 12) * HOUR
        while (day + 3) % 7 >= 5:
            day += 1
        return day * DAY + second

    def moment(self, low: float = 0.0, high: float = 1.0) -> float:
        """A working moment between two shares of the period."""
        share = self.rng.uniform(low, high)
        return self.working(self.start + share * (self.end - self.start - 4 * DAY))


def _military(rng: random.Random, around: World) -> None:
    """`.mil` correspondents among everybody's contacts and in the projects."""
    chosen = [*MILITARY[: rng.randrange(2, _LARGE + 1)], *rng.sample(MILITARY[_LARGE:], rng.randrange(2, 9))]
    if not any(name.removesuffix(".mil") in TWINS for name in chosen):
        chosen.append(f"{rng.choice(TWINS)}.mil")
    found: list[Correspondent] = []
    for rank, name in enumerate(chosen):
        people = max(3, int(rng.uniform(6, 30) / (1 + rank / 2)))
        who = Correspondent(name, "military", 0.0, rng.uniform(0.3, 0.8), [], "dotted", host(name), size=people)
        around.correspondents[name] = who
        found.append(who)
    weights = [1 / (1 + rank) for rank in range(len(found))]
    share = rng.uniform(0.3, 0.8)
    for person in around.people:
        if rng.random() < share:
            for who in rng.choices(found, weights, k=rng.randrange(1, 6)):
                person.contacts.insert(rng.randrange(min(8, len(person.contacts))), world.contact(rng, who))
    for _, outside in around.projects:
        if rng.random() < share / 2:
            for who in rng.choices(found, weights, k=rng.randrange(1, 3)):
                if (address := world.contact(rng, who)) not in outside:
                    outside.append(address)


def _name(rng: random.Random) -> str:
    ending = rng.choice(ENDINGS)
    label = rng.choice((f"{rng.choice(BODIES)}-{rng.choice(PLACES)}", f"{rng.choice(BODIES)}{rng.choice(PLACES)}",
                        rng.choice(PLACES) + rng.choice(("com", "net", "info", "plus")), rng.choice(BODIES)))  # fmt: skip
    return f"{label}.{ending}"


def _mailbox(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return rng.choice(ROLES)
    return f"{rng.choice('abcdfikmostyz')}.{rng.choice(FAMILIES)}"


def _malians(rng: random.Random, ministry: Ministry) -> list[Malian]:
    """40 messages among 6 to 12 domains; at least two never answer, one has the name of a `.mil` partner."""
    twins = [t for t in TWINS if f"{t}.mil" in ministry.around.correspondents]
    domains = [f"{rng.choice(twins)}.ml"]
    count = rng.randrange(6, 13)
    while len(domains) < count:
        if (name := _name(rng)) not in domains:
            domains.append(name)
    weights = [rng.paretovariate(1.0) for _ in domains]
    weights[0] = min(weights[0], 2.0)
    counts = [1] * len(domains)
    for at in rng.choices(range(len(domains)), weights, k=40 - len(domains)):
        counts[at] += 1
    silent = set(rng.sample(range(1, len(domains)), 2))
    found = []
    for number, (domain, count) in enumerate(zip(domains, counts, strict=True)):
        people = tuple(dict.fromkeys(_mailbox(rng) for _ in range(rng.randrange(1, 5))))
        first = ministry.moment(0.0, 0.12) if rng.random() < 0.45 else ministry.moment(0.12, 0.97)
        found.append(Malian(domain, people, count, first, number not in silent and rng.random() < 0.7))
    return found


def _write_to_mali(ministry: Ministry, malian: Malian) -> None:
    rng = ministry.rng
    writers = rng.sample(ministry.around.people, min(malian.messages, rng.choice((1, 1, 2, 2, 3))))
    if malian.answers and rng.random() < 0.6:
        ministry.receive(
            f"{malian.people[0]}@{malian.domain}", malian.first - rng.uniform(0.2, 30) * HOUR, "Prise de contact",
            writers[0],
        )  # fmt: skip
    times = sorted(
        ministry.working(rng.uniform(malian.first, ministry.end - 2 * DAY)) for _ in range(malian.messages - 1)
    )
    partners = [a for p in ministry.around.people[:20] for a in p.contacts if a.endswith(".mil")]
    for number, at in enumerate([malian.first, *times]):
        local = malian.people[0] if number == 0 else rng.choice(malian.people)
        who = writers[0] if number == 0 else rng.choice(writers)
        subject = names.subject(rng)
        legs = [ministry.genuine(f"{local}@{malian.domain}")]
        if rng.random() < 0.3:
            legs.append(ministry.inside(rng.choice([p for p in ministry.around.people if p is not who])))
        if partners and rng.random() < 0.08:
            legs.append(ministry.genuine(rng.choice(partners)))
        ministry.send(who, at, subject, legs)
        if malian.answers and rng.random() < 0.6:
            ministry.receive(f"{local}@{malian.domain}", at + rng.lognormvariate(9.2, 1.1), f"Re: {subject}", who)


def _strange(ministry: Ministry, address: str, there: set[str]) -> tuple[Try, ...]:
    """What the mistyped domain's server does; always the same."""
    rng, domain = ministry.rng, address.rpartition("@")[2]
    if domain in there:
        mx = f"mx1.{domain}"
        if rng.random() < 0.6:
            return (user_unknown(rng, address, mx, host(domain)),)
        return (sent(rng, mx, host(domain)),)
    if domain not in ministry.fates:
        other = rng.choices(("no-domain", "unreachable", "refuses"), (3, 1, 1))[0]
        ministry.fates[domain] = "accepts" if rng.random() < ministry.accepting else other
    fate = ministry.fates[domain]
    if fate == "accepts":
        return (sent(rng, "mx.catch-all.example", "203.0.113.77"),)
    if fate == "unreachable":
        return unreachable(rng, domain, "203.0.113.78")
    if fate == "refuses":
        return (refused(rng, address, f"mx.{domain}", "203.0.113.79"),)
    return (no_domain(rng, domain),)


WAYS = (("own", 55), ("colleague", 14), ("new", 8), ("reply-all", 12), ("again", 11))
"""How the sender knows the address: has written to it; only others have; nobody has; answers all to a slip; repeats
one's own. Drawn with these weights (assumed; 65 % of published slips went to an address written to before)."""


def _choose(ministry: Ministry, at: float, way: str) -> tuple[world.Person, str]:
    """(sender, meant address) of a fresh slip."""
    rng = ministry.rng
    by_user = {p.address: p for p in ministry.around.people}
    written: dict[str, set[str]] = {}
    for message in ministry.messages:
        if message.user and message.at < at and message.sender in by_user:
            for leg in message.legs:
                if leg.recipient.endswith(".mil") and leg.label == "genuine":
                    written.setdefault(leg.recipient, set()).add(message.sender)
    if written and way != "new":
        address = rng.choice(sorted(written))
        if way == "own":
            return by_user[rng.choice(sorted(written[address]))], address
        strangers = [p for p in ministry.around.people if p.address not in written[address]]
        return rng.choice(strangers), address
    partners = [c for c in ministry.around.correspondents.values() if c.name.endswith(".mil")]
    who = rng.choices(partners, [c.size for c in partners])[0]
    return rng.choice(ministry.around.people), f"{names.mailbox(rng, 'dotted')}@{who.name}"


def _slips(ministry: Ministry, there: set[str]) -> None:
    """15 misdirected messages and what their senders did next."""
    rng = ministry.rng
    ways = [rng.choices([w for w, _ in WAYS], [n for _, n in WAYS])[0] for _ in range(15)]
    fresh = sorted(ministry.moment(0.04) for w in ways if w not in ("reply-all", "again")) or [ministry.moment(0.1)]
    made: list[tuple[world.Person, str, Message, list[world.Person]]] = []
    later = [w for w in ways if w in ("reply-all", "again")][: 15 - len(fresh)]
    starts = [w for w in ways if w not in ("reply-all", "again")] or ["own"]
    for at, way in zip(fresh, starts, strict=True):
        sender, meant = _choose(ministry, at, way)
        with_ = rng.sample([p for p in ministry.around.people if p is not sender], rng.choice((0, 0, 1, 2)))
        legs = [_wrong(ministry, meant, "typed", there), *(ministry.inside(p) for p in with_)]
        domain = meant.rpartition("@")[2]
        if rng.random() < 0.45:
            legs.append(ministry.genuine(world.contact(rng, ministry.around.correspondents[domain])))
        if legs[-1].recipient == meant:
            legs.pop()
        message = ministry.send(sender, at, names.subject(rng), legs)
        made.append((sender, meant, message, with_))
        _corrected(ministry, sender, meant, message, legs[0])
    for way in later:
        sender, meant, message, with_ = rng.choice(made)
        if way == "again":
            at = ministry.working(message.at + rng.uniform(0.5, 25) * DAY)
            subject = names.subject(rng)
            legs = [_wrong(ministry, meant, "address-book", there)]
        else:
            first, at = sender, message.at + rng.uniform(0.3, 9) * HOUR
            sender = rng.choice(with_ or [p for p in ministry.around.people if p is not first])
            subject = f"Re: {message.subject}"
            legs = [_wrong(ministry, meant, "reply-all", there), ministry.inside(first)]
            legs += [ministry.genuine(g.recipient) for g in message.legs if g.label == "genuine"]
        ministry.send(sender, min(at, ministry.end - HOUR), subject, legs)


def _wrong(ministry: Ministry, meant: str, origin: str, there: set[str]) -> Leg:
    wrong = meant.removesuffix("mil") + "ml"
    return Leg(wrong, _strange(ministry, wrong, there), None, "misdirected", meant, "deletion", origin, tls=False)


def _corrected(ministry: Ministry, sender: world.Person, meant: str, message: Message, leg: Leg) -> None:
    """A corrected re-send: mostly after a bounce, now and then unprompted."""
    rng = ministry.rng
    back = leg.outcome != "delivered"
    if rng.random() < (0.7 if back else 0.3):
        delay = rng.lognormvariate(6.4, 1.1) if back else rng.lognormvariate(8.8, 1.5)
        at = message.at + (leg.tries[-1].after if back else 0.0) + 30 + delay
        if at < ministry.end:
            subject = message.subject if rng.random() < 0.8 else f"Fwd: {message.subject}"
            ministry.send(sender, at, subject or "", [ministry.genuine(meant)], message.size + rng.randrange(0, 60))


def draw(seed: int) -> Ministry:
    """One ministry with all its mail in order of time; the same seed gives the same messages."""
    rng = random.Random(seed)
    own = f"{rng.choice(('defence', 'mod', 'armed-forces', 'joint-staff', 'admiralty'))}-{names.word(rng)}.example"
    people, months = rng.randrange(30, 100), rng.randrange(10, 20)
    start = datetime(2022, 1, 3, tzinfo=UTC).timestamp() + rng.randrange(0, 300) * DAY
    around = world.build(rng, own=(own,), people=people, domains=rng.randrange(400, 1800))
    _military(rng, around)
    end = start + months * 30 * DAY
    found = Ministry(rng, own, around, start, end, rng.random() < 0.6, rng.uniform(0.2, 1.0))
    everyday = traffic.generate(rng, around, Rates(), start=start, days=months * 30, host=f"gw.{own}")
    # The 15 slips are drawn below; those that the everyday mail makes on `.mil` partners do not count among them.
    spoilt = {m.message_id for m in everyday for g in m.legs if g.intended.endswith(".mil")}
    found.messages = [
        m for m in everyday if m.message_id not in spoilt and not (m.bounce_of and m.bounce_of.message_id in spoilt)
    ]
    malians = _malians(rng, found)
    for malian in malians:
        _write_to_mali(found, malian)
    late = len(found.messages)
    _slips(found, {m.domain for m in malians})
    found.messages += [b for m in found.messages[late:] for b in traffic.bounces(m, own, f"gw.{own}", end)]
    found.messages = [m for m in found.messages if m.at < end]
    found.messages.sort(key=lambda m: (m.at, m.message_id))
    return found
