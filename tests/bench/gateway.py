"""The simulated mail system: turns what people send and receive into messages with outcomes and truth."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from forensics import domains as psl
from tests.bench import slipping
from tests.bench.mail import Leg, Message, Network, Try, user_unknown
from tests.bench.world import MailingList, Person, World

NEAR_KINDS = ("distinct", "one-letter-apart", "short-name", "sibling-country")


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


@dataclass(slots=True)
class Gateway:
    """`messages` is the result; everything after `end` (seconds) is dropped."""

    rng: random.Random
    world: World
    host: str
    end: float
    messages: list[Message] = field(default_factory=list)
    network: Network = field(init=False)
    serial: int = 0

    def __post_init__(self) -> None:
        self.network = Network(self.rng)

    def _id(self, domain: str) -> str:
        self.serial += 1
        return f"{self.serial:07d}.{self.rng.randrange(16**8):08x}@{domain}"

    def _size(self) -> int:
        return min(25_000_000, int(self.rng.lognormvariate(9.2, 1.4)) + 700)

    def real(self, address: str) -> bool:
        """A correspondent's proper domain."""
        who = self.world.correspondents.get(_domain(address))
        return who is not None and not who.unclear

    def home(self, address: str) -> bool:
        """An inside address."""
        return psl.within(_domain(address), self.world.own)

    def _tries(self, address: str) -> tuple[Try, ...]:
        local, _, domain = address.rpartition("@")
        who = self.world.correspondents.get(domain)
        if who is None:
            return self.network.strange(address, domain)
        if who.people and local not in who.people and who.kind != "free-mail" and self.rng.random() < 0.7:
            return (user_unknown(self.rng, address, f"mx1.{who.name}", who.address),)
        return self.network.known(address, domain, who.address)

    def genuine(self, address: str) -> Leg:
        """A recipient that is meant."""
        who = self.world.correspondents.get(_domain(address))
        leg = Leg(address, self._tries(address), label="genuine", kind=who.kind if who and who.partner else "")
        if who and who.unclear:
            leg.label, leg.intended = "unclear", f"{address.rpartition('@')[0]}@{who.partner}"
        return leg

    def misdirected(self, address: str, meant: str, kind: str, origin: str, original: str | None = None) -> Leg:
        """A recipient that is not."""
        return Leg(address, self._tries(address), original, "misdirected", meant, kind, origin)

    def _internal(self, address: str, original: str | None = None) -> Leg:
        after, text = round(self.rng.random() / 5, 2), f"250 2.0.0 <{address}> Saved"
        return Leg(address, (Try(after, "sent", "2.0.0", text, f"mbx.{self.world.own[0]}", "10.20.0.5"),), original)

    def _inside_legs(self, addresses: list[str]) -> list[Leg]:
        """Mail to inside addresses; lists are expanded."""
        legs: list[Leg] = []
        for address in addresses:
            found = next((x for x in self.world.lists if x.address == address), None)
            legs += self._expand(found) if found else [self._internal(address)]
        return legs

    def _expand(self, found: MailingList) -> list[Leg]:
        """The list's members; a wrong one is mended some time after its mail came back."""
        legs = []
        for member in list(found.members):
            if self.home(member):
                legs.append(self._internal(member, found.address))
            elif member in found.wrong:
                meant, kind = found.wrong[member]
                legs.append(self.misdirected(member, meant, kind, "list", found.address))
                if legs[-1].outcome != "delivered" and self.rng.random() < 0.25:
                    found.members[found.members.index(member)] = meant
                    del found.wrong[member]
            else:
                leg = self.genuine(member)
                leg.original = found.address
                legs.append(leg)
        return legs

    def send(
        self, person: Person, at: float, subject: str, outside: list[Leg], inside: list[str], size: int | None = None
    ) -> Message | None:
        """Submits a message of somebody inside; None when nobody is left to get it, or the period is over."""
        if at >= self.end:
            return None
        others = [a for a in inside if a != person.address]
        legs = {leg.recipient.casefold(): leg for leg in self._inside_legs(others)}
        legs.update({leg.recipient.casefold(): leg for leg in outside})
        if not legs:
            return None
        message = Message(
            at,
            self._id(self.host),
            person.address,
            subject,
            size or self._size(),
            list(legs.values()),
            person.user,
            f"ws{person.station.rpartition('.')[2]}.{self.world.own[0]}",
            person.station,
            submission=True,
            asked=list(dict.fromkeys([leg.recipient for leg in outside] + others)),
        )
        self.messages.append(message)
        for leg in outside:
            person.written.setdefault(leg.recipient, at)
        return message

    def receive(self, sender: str, at: float, subject: str, inside: list[str]) -> None:
        """A message from outside."""
        if at >= self.end or not inside:
            return
        inside = list(dict.fromkeys(inside))
        who = self.world.correspondents.get(_domain(sender))
        message = Message(
            at,
            self._id(_domain(sender)),
            sender,
            subject,
            self._size(),
            list({leg.recipient.casefold(): leg for leg in self._inside_legs(inside)}.values()),
            None,
            f"mx1.{_domain(sender)}",
            who.address if who else "198.51.100.7",
            asked=inside,
        )
        self.messages.append(message)

    def mistype(self, address: str, neighbour: float) -> tuple[str, str] | None:
        """(wrong address, kind), or None for a domain that cannot be mistyped into another one.

        With probability `neighbour` the slip hits a real correspondent, where there is one within reach.
        """
        rng = self.rng
        local, _, domain = address.rpartition("@")
        if rng.random() < neighbour:
            near = [
                c.name
                for c in self.world.correspondents.values()
                if c.partner == domain and not c.unclear and c.kind in NEAR_KINDS
            ]
            if near:
                return f"{local}@{rng.choice(near)}", "to-neighbour"
        suffix = psl.split(domain).suffix or domain.rpartition(".")[2]
        for _ in range(20):
            wrong, kind = slipping.slip(rng, domain, suffix)
            if not psl.within(wrong, self.world.own):
                return f"{local}@{wrong}", kind
        return None

    def mistype_lists(self, chance: float, neighbour: float) -> None:
        """Some distribution lists hold a wrong member from the start."""
        for found in self.world.lists:
            outside = [m for m in found.members if not self.home(m) and self.real(m)]
            if outside and self.rng.random() < chance:
                meant = self.rng.choice(outside)
                made = self.mistype(meant, neighbour)
                if made:
                    found.members[found.members.index(meant)] = made[0]
                    found.wrong[made[0]] = (meant, made[1])
