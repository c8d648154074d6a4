"""A simulated organisation's mail, day by day: threads, newsletters, automated mail, lists, and the slips in them.

Everything is drawn from one seeded generator. The traffic is made by threads in order of their start; a thread's
later messages lie in its own future, so that history (who has written to whom before) is judged by time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from tests.bench import names, world
from tests.bench.gateway import Gateway
from tests.bench.mail import Leg, Message, Try
from tests.bench.world import Correspondent, Person, WrongEntry

HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class Rates:
    """What people do, and how often. Defaults follow the published rates; the rest is assumed and says so."""

    slip: float = 5.3e-4
    """Chance that a person's outbound message starts a mistyped recipient (5.3 in 10,000 list messages)."""
    known: float = 0.65
    """Share of slips on an address the sender had written to before (65 %)."""
    corecipient: float = 0.45
    """Share of slips whose message gets another recipient at the meant domain (55 % in list mail)."""
    propagation: float = 0.5
    """Share of mistyped deliveries that carry on an earlier slip in reply-all (82 % in list mail)."""
    address_book: float = 0.30
    """Chance that an accepted slip stays in the sender's address book or auto-completion; a quarter of it when
    the mail came back. Assumed."""
    colleague: float = 0.07
    """Share of slips on a colleague's address, that is, on the organisation's own domain. Assumed."""
    resend_after_bounce: float = 0.75
    """Chance of a corrected re-send once the bounce has come. Assumed."""
    resend_unprompted: float = 0.35
    """Chance of a corrected re-send when nothing came back. Assumed."""
    neighbour: float = 0.08
    """Chance that a slip hits a domain that is also a real correspondent, where there is one. Assumed."""
    list_member: float = 0.12
    """Chance that a distribution list holds a mistyped member. Assumed."""
    form: float = 0.002
    """Chance that a customer mistypes the own address in a web form that automated mail is sent to. Assumed."""
    automated: float = 0.25
    """Automated messages a person and day. Assumed."""
    newsletters: float = 0.4
    """Newsletters received a person and day. Assumed."""


@dataclass(slots=True)
class Thread:
    """One conversation: who is in it, and which addresses in it are wrong."""

    subject: str
    inside: list[Person]
    outside: list[str]
    wrong: dict[str, tuple[str, str, Person]] = field(default_factory=dict)
    """Wrong address -> (meant address, kind, who slipped)."""


@dataclass(slots=True)
class Traffic:
    """The generator's state; what it makes lies in `gate.messages`."""

    gate: Gateway
    rates: Rates
    start: float
    occasional: list[Correspondent] = field(init=False)
    unused: list[Correspondent] = field(init=False)
    customers: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.occasional = [c for c in self.world.correspondents.values() if c.kind == "occasional"]
        self.unused = self.rng.sample(self.occasional, len(self.occasional))

    @property
    def rng(self) -> random.Random:
        return self.gate.rng

    @property
    def world(self) -> world.World:
        return self.gate.world

    @property
    def end(self) -> float:
        return self.gate.end

    def _choose_meant(self, person: Person, at: float, thread: Thread) -> str:
        """Which address is about to be mistyped: one written to before in the published share, else a new one."""
        rng = self.rng
        if rng.random() < self.rates.colleague:
            return rng.choice(self.world.people).address
        before = [a for a, first in person.written.items() if first < at and self.gate.real(a)]
        if before and rng.random() < self.rates.known:
            here = [a for a in thread.outside if a in person.written and self.gate.real(a)]
            return rng.choice(here) if here else rng.choice(before[-60:])
        if thread.outside and rng.random() < 0.85:
            base = rng.choice(thread.outside)
            who = self.world.correspondents.get(base.rpartition("@")[2])
            if who and not who.unclear:
                return base if base not in person.written else world.contact(rng, who)
        return world.contact(rng, rng.choice(self.occasional))

    def _slip(self, person: Person, at: float, thread: Thread) -> None:
        """Turns one recipient of the thread into a mistyped one."""
        rng = self.rng
        meant = self._choose_meant(person, at, thread)
        made = self.gate.mistype(meant, self.rates.neighbour)
        if made is None:
            return
        wrong, kind = made
        thread.outside = [a for a in thread.outside if a != meant]
        thread.wrong[wrong] = (meant, kind, person)
        domain = meant.rpartition("@")[2]
        who = self.world.correspondents.get(domain)
        if who and not any(a.endswith(f"@{domain}") for a in thread.outside) and rng.random() < self.rates.corecipient:
            thread.outside.append(world.contact(rng, who))

    def _after_slip(self, person: Person, message: Message, thread: Thread, leg: Leg) -> None:
        """What becomes of a slip: a corrected re-send, an entry in the address book, reply-all."""
        rng, rates = self.rng, self.rates
        last = leg.tries[-1]
        back = last.status in ("bounced", "expired")
        resend = rng.random() < (rates.resend_after_bounce if back else rates.resend_unprompted)
        entry = rng.random() < (rates.address_book if not back else rates.address_book / 4)
        if entry:
            uses = 1 + int(rng.paretovariate(1.0) * 2) if not back else rng.choice((1, 1, 2, 3))
            person.wrong[leg.intended] = WrongEntry(leg.recipient, leg.kind, min(uses, 120))
        noticed = self.end
        if resend:
            delay = rng.lognormvariate(6.2, 1.0) if back else rng.lognormvariate(9.3, 1.5)
            noticed = message.at + (last.after if back else 0.0) + 20 + delay
            rest = [a for a in thread.outside if rng.random() < 0.3] if rng.random() < 0.4 else []
            home = self.gate.home(leg.intended)
            legs = [self.gate.genuine(a) for a in rest] + ([] if home else [self.gate.genuine(leg.intended)])
            subject = message.subject if rng.random() < 0.8 else f"Fwd: {message.subject}"
            self.gate.send(
                person,
                noticed,
                subject or "",
                legs,
                [leg.intended] if home else [],
                message.size + rng.randrange(0, 40),
            )
            person.wrong.pop(leg.intended, None)
        share = min(rates.propagation, 0.95)
        mean = share / (1 - share)
        spreads = 0.4
        if rng.random() < spreads and mean > 0:
            count = 1 + int(rng.expovariate(1 / max(mean / spreads, 0.1)) * (4 if rng.random() < 0.06 else 1))
            self._carry_on(person, message, thread, leg, count, noticed)

    def _carry_on(self, root: Person, message: Message, thread: Thread, leg: Leg, count: int, noticed: float) -> None:
        """Others answer all, the wrong address included; those who see the correction drop it mostly."""
        rng = self.rng
        others = [p for p in thread.inside if p is not root]
        while len(others) < min(1 + count // 4, 6):
            others.append(rng.choice(self.world.people))
        at = message.at
        for _ in range(count):
            at += rng.lognormvariate(8.6, 1.3)
            if at > noticed and rng.random() < 0.12:
                return
            who = rng.choice(others) if rng.random() < 0.85 else root
            legs = [self.gate.genuine(a) for a in thread.outside]
            legs.append(
                self.gate.misdirected(
                    leg.recipient, leg.intended, leg.kind, "reply-all" if who is not root else "address-book"
                )
            )
            self.gate.send(
                who,
                at,
                "Re: " + (message.subject or "").removeprefix("Re: "),
                legs,
                [p.address for p in [root, *others] if p is not who],
            )

    def _legs(self, person: Person, thread: Thread) -> list[Leg]:
        legs = []
        for address in thread.outside:
            entry = person.wrong.get(address)
            if entry:
                legs.append(self.gate.misdirected(entry.address, address, entry.kind, "address-book"))
                entry.uses -= 1
                if entry.uses <= 0:
                    del person.wrong[address]
            else:
                legs.append(self.gate.genuine(address))
        return legs

    def write(self, person: Person, at: float, thread: Thread, *, reply: bool) -> None:
        """A person writes to everybody in the thread, and now and then slips."""
        slipped = self.rng.random() < self.rates.slip and at < self.end
        if slipped:
            self._slip(person, at, thread)
        legs = self._legs(person, thread)
        fresh = [w for w, (_, _, who) in thread.wrong.items() if who is person] if slipped else []
        legs += [self.gate.misdirected(w, thread.wrong[w][0], thread.wrong[w][1], "typed") for w in fresh]
        subject = ("Re: " if reply else "") + thread.subject
        message = self.gate.send(person, at, subject, legs, [p.address for p in thread.inside])
        if message is None:
            return
        for leg in [x for x in legs if x.recipient in fresh]:
            self._after_slip(person, message, thread, leg)
            del thread.wrong[leg.recipient]

    def converse(self, at: float, thread: Thread, *, inward: bool) -> None:
        """A thread from its first message to its last."""
        rng = self.rng
        left = min(int(rng.expovariate(0.45)), 25)
        speaker = thread.inside[0]
        if inward:
            self._outsider(at, thread, first=True)
        else:
            self.write(speaker, at, thread, reply=False)
        for _ in range(left):
            at = self._working(at + rng.lognormvariate(8.8, 1.4))
            if at >= self.end:
                return
            if rng.random() < 0.5:
                self._outsider(at, thread, first=False)
            else:
                speaker = thread.inside[0] if rng.random() < 0.65 else rng.choice(thread.inside)
                self.write(speaker, at, thread, reply=True)

    def _outsider(self, at: float, thread: Thread, *, first: bool) -> None:
        """One of the outside people writes, if their domain ever does."""
        rng = self.rng
        able = [a for a in thread.outside if self.world.correspondents[a.rpartition("@")[2]].reply > 0]
        if not able:
            return
        sender = rng.choice(able)
        if not first and rng.random() > self.world.correspondents[sender.rpartition("@")[2]].reply:
            return
        subject = thread.subject if first else f"Re: {thread.subject}"
        self.gate.receive(sender, at, subject, [p.address for p in thread.inside])

    def _working(self, at: float) -> float:
        """Moves a time into somebody's working day, mostly."""
        rng = self.rng
        day, second = divmod(at, DAY)
        if rng.random() < 0.04:
            return at
        if (day + 3) % 7 >= 5:
            day += 2
            second = 7.5 * HOUR + rng.random() * 9 * HOUR
        elif not 7 * HOUR <= second <= 19 * HOUR:
            day += second > 19 * HOUR
            second = 7.5 * HOUR + rng.random() * 5 * HOUR
        return day * DAY + second

    def _usable(self, address: str, at: float) -> bool:
        who = self.world.correspondents[address.rpartition("@")[2]]
        share = (at - self.start) / (self.end - self.start)
        return who.since <= share <= who.until

    def start_thread(self, person: Person, at: float) -> None:
        """Somebody inside, or somebody who writes to them, starts a conversation."""
        rng = self.rng
        mode = rng.random()
        inside = [person]
        if mode < 0.40:
            members, outside = rng.choice(self.world.projects)
            inside = [self.world.people[i] for i in members]
            rng.shuffle(inside)
            outside = [a for a in outside if rng.random() < 0.8] or outside[:1]
        elif mode < 0.80 or not self.unused:
            rank = min(int(rng.expovariate(0.25)), len(person.contacts) - 1)
            outside = [person.contacts[rank]]
            if rng.random() < 0.15:
                inside.append(rng.choice(self.world.people))
        elif mode < 0.93:
            who = self.unused[-1] if rng.random() < 0.3 else self.unused.pop()
            outside = [world.contact(rng, who)]
        elif mode < 0.96:
            chosen = rng.choice(self.world.lists)
            self.gate.send(person, at, names.subject(rng), [], [chosen.address])
            return
        else:
            colleagues = rng.sample(self.world.people, rng.randrange(1, 4))
            self.gate.send(person, at, names.subject(rng), [], [p.address for p in colleagues])
            return
        outside = [a for a in outside if self._usable(a, at)]
        if outside:
            self.converse(at, Thread(names.subject(rng), inside, list(outside)), inward=rng.random() < 0.4)

    def machine_mail(self, day: float) -> None:
        """Newsletters in, notifications to customers out."""
        rng, people = self.rng, self.world.people
        for _ in range(int(len(people) * self.rates.newsletters)):
            source, person = rng.choice(self.world.newsletters), rng.choice(people)
            tagged = person.address.replace("@", "=")
            self.gate.receive(
                f"bounce+{rng.randrange(10**6)}-{tagged}@{source.name}",
                day + rng.random() * DAY,
                f"Newsletter {rng.randrange(400)}",
                [person.address],
            )
        for _ in range(int(len(people) * self.rates.automated)):
            if not self.customers or rng.random() < 0.45:
                self.customers.append(self._customer())
            address, meant, kind = self.customers[-1 - min(int(rng.expovariate(0.05)), len(self.customers) - 1)]
            at = day + rng.random() * DAY
            leg = self.gate.misdirected(address, meant, kind, "automated") if meant else self.gate.genuine(address)
            robot = Person(f"noreply@{self.world.own[0]}", "webshop", "10.20.1.9", 0.0)
            self.gate.send(robot, at, f"Confirmation {rng.randrange(10**5, 10**6)}", [leg], [])
            if meant and rng.random() < 0.4:
                self.customers.append((meant, "", ""))

    def _customer(self) -> tuple[str, str, str]:
        rng = self.rng
        if rng.random() < 0.7:
            who = self.world.correspondents[names.pick(rng, names.FREE_MAIL)]
        else:
            who = self.world.correspondents[rng.choice(self.world.people).contacts[0].rpartition("@")[2]]
        address = world.contact(rng, who)
        if rng.random() < self.rates.form and not who.unclear:
            made = self.gate.mistype(address, self.rates.neighbour)
            if made:
                return made[0], address, made[1]
        return address, "", ""


def generate(
    rng: random.Random, around: world.World, rates: Rates, *, start: float, days: int, host: str
) -> list[Message]:
    """All messages of the period, in order of time; bounces included."""
    gate = Gateway(rng, around, host, start + days * DAY)
    traffic = Traffic(gate, rates, start)
    gate.mistype_lists(rates.list_member, rates.neighbour)
    for day in range(days):
        midnight = start + day * DAY
        weekend = (midnight // DAY + 3) % 7 >= 5
        traffic.machine_mail(midnight)
        starts = []
        for person in around.people:
            expected = person.rate * (0.05 if weekend else 1.0)
            count = int(expected) + (rng.random() < expected % 1)
            starts += [(midnight + (8 + rng.triangular(-0.5, 11, 3)) * HOUR, person) for _ in range(count)]
        for at, person in sorted(starts, key=lambda s: s[0]):
            traffic.start_thread(person, at)
    found = gate.messages
    found += [b for m in found for b in bounces(m, around.own[0], host, gate.end)]
    found.sort(key=lambda m: (m.at, m.message_id))
    return found


def bounces(message: Message, own: str, host: str, end: float) -> list[Message]:
    """Delivery reports to an inside sender, one for each round in which recipients failed."""
    if not message.user:
        return []
    first = max(leg.tries[0].after for leg in message.legs)
    rounds = {first for leg in message.legs if leg.tries[-1].status == "bounced"}
    rounds |= {leg.tries[-1].after for leg in message.legs if leg.tries[-1].status == "expired"}
    reports = []
    for at in (message.at + after for after in sorted(rounds)):
        if at + 0.2 < end:
            leg = Leg(
                message.sender,
                (Try(0.1, "sent", "2.0.0", f"250 2.0.0 <{message.sender}> Saved", f"mbx.{own}", "10.20.0.5"),),
            )
            reports.append(
                Message(
                    at + 0.05,
                    f"{int(at)}.{message.message_id.partition('@')[0]}@{host}",
                    "",
                    None,
                    message.size + 2300,
                    [leg],
                    bounce_of=message,
                )
            )
    return reports
