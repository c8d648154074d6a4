"""A simulated organisation's surroundings: people, correspondents, and the genuine domains that look like slips.

Domains come in the proportions of real correspondence: few that carry most of the mail, thousands seen once or
twice (Zipf), free mail, newsletters, and planted *neighbours*: domains one slip away from another one that are
nevertheless meant. Each neighbour knows its partner, so that evaluation can report by kind.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field

from forensics import domains as psl
from tests.bench import names, slipping


@dataclass(slots=True)
class Correspondent:
    """An external domain. `reply`: the chance that a message to it is answered from it; 0 = never sends mail."""

    name: str
    kind: str
    weight: float
    reply: float
    people: list[str] = field(default_factory=list)
    convention: str = "dotted"
    address: str = "192.0.2.1"
    partner: str | None = None
    """The domain it resembles, when planted as a neighbour."""
    until: float = 1.0
    since: float = 0.0
    """Share of the period in which it is in use."""
    size: int = 12
    unclear: bool = False
    """A sender's own misconfiguration: neither a slip of ours nor a genuine domain. Left out of scoring."""


@dataclass(slots=True)
class WrongEntry:
    """An address-book entry gone wrong: used so many times more, until somebody notices."""

    address: str
    kind: str
    uses: int


@dataclass(slots=True)
class Person:
    """Somebody inside."""

    address: str
    user: str
    station: str
    rate: float
    contacts: list[str] = field(default_factory=list)
    wrong: dict[str, WrongEntry] = field(default_factory=dict)
    """Address-book entries gone wrong, by the right address."""
    written: dict[str, float] = field(default_factory=dict)
    """Outside addresses written to, with the time of the first message."""


@dataclass(slots=True)
class MailingList:
    """An inside alias that expands to people inside and outside. `wrong` maps a mistyped member to (meant, kind)."""

    address: str
    members: list[str]
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class World:
    own: tuple[str, ...]
    people: list[Person]
    correspondents: dict[str, Correspondent]
    projects: list[tuple[list[int], list[str]]]
    lists: list[MailingList]
    newsletters: list[Correspondent]


def _address(rng: random.Random) -> str:
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def contact(rng: random.Random, who: Correspondent) -> str:
    """An address at the domain: usually somebody seen before, more often the better known ones."""
    if who.people and (len(who.people) >= who.size or rng.random() < 0.7):
        return f"{who.people[min(int(rng.expovariate(1.2)), len(who.people) - 1)]}@{who.name}"
    convention = who.convention
    local = rng.choice(names.ROLES) if convention == "role" else names.mailbox(rng, convention)
    if local not in who.people:
        who.people.append(local)
    return f"{local}@{who.name}"


class _Builder:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.all: dict[str, Correspondent] = {}
        self.rank = 0

    def add(self, name: str, kind: str, weight: float, *, reply: float | None = None, **more: object) -> Correspondent:
        rng = self.rng
        if name in self.all:
            return self.all[name]
        if reply is None:
            reply = 0.0 if rng.random() < (0.22 if more.get("partner") else 0.10) else rng.uniform(0.25, 0.9)
        convention = str(more.pop("convention", rng.choice(names.CONVENTIONS)))
        who = Correspondent(name, kind, weight, reply, [], convention, _address(rng), **more)  # type: ignore[arg-type]
        self.all[name] = who
        return who

    def weight(self) -> float:
        """Zipf by order of creation, jittered."""
        self.rank += 1
        return self.rng.uniform(0.5, 1.6) / math.pow(self.rank + 6, 1.05)

    def middling(self) -> float:
        """The weight of a correspondent somewhere among the better known."""
        return 1 / math.pow(self.rng.uniform(2, 250) + 6, 1.05)

    def fresh(self, suffix: str | None = None) -> str:
        while True:
            name = names.domain(self.rng, suffix)
            if name not in self.all:
                return name


def _share(rng: random.Random, a: Correspondent, b: Correspondent, count: int) -> None:
    """Lets `b` have some of `a`'s people."""
    for _ in range(count):
        local = contact(rng, a).partition("@")[0]
        if local not in b.people:
            b.people.append(local)


def near(rng: random.Random, name: str) -> str:
    """A name one letter from `name` that somebody else owns."""
    suffix = psl.split(name).suffix or name.rpartition(".")[2]
    stem = name[: -len(suffix) - 1]
    at = rng.randrange(len(stem))
    if len(stem) > 4 and rng.random() < 0.3:
        stem = stem[:at] + stem[at + 1 :]
    else:
        stem = stem[:at] + rng.choice(slipping.LETTERS) + stem[at + (rng.random() < 0.6) :]
    return f"{stem.strip('-.') or 'ab'}.{suffix}"


def _neighbours(build: _Builder, bases: list[Correspondent], scale: float) -> None:
    """Plants the genuine domains that look like slips; `scale` 1 gives about 60 of them."""
    rng = build.rng

    def some(count: float) -> list[Correspondent]:
        number = max(1, round(count * scale))
        return [bases[min(int(rng.paretovariate(0.7)) - 1, len(bases) - 1)] for _ in range(number)]

    for base in some(9):  # one company, several countries
        split = psl.split(base.name)
        for suffix in rng.sample(
            ("co.uk", "de", "fr", "nl", "com", "es", "it", "com.au", "co.jp", "at"), rng.randrange(1, 4)
        ):
            who = build.add(
                f"{split.domain}.{suffix}", "sibling-country", base.weight * rng.uniform(0.02, 0.6), partner=base.name
            )
            if rng.random() < 0.3:
                _share(rng, base, who, 2)
    for base in some(3):  # renamed or merged: same people, new name, old one falls silent
        split = psl.split(base.name)
        new = rng.choice(
            (split.domain.replace("-", ""), f"{split.domain}group", f"the{split.domain}", split.domain[:-1])
        )
        date = rng.uniform(0.2, 0.8)
        who = build.add(
            f"{new}.{split.suffix}", "renamed", base.weight, partner=base.name, since=date, convention=base.convention
        )
        _share(rng, base, who, 8)
        base.until = min(base.until, date + 0.05)
    for base in some(2):
        who = build.add(build.fresh(), "merged", base.weight, partner=base.name, since=0.5, convention=base.convention)
        _share(rng, base, who, 5)
    for base in some(3):  # a second spelling of the same name, rarely used
        split = psl.split(base.name)
        stem = split.domain
        cut = len(stem) // 2
        if "-" in stem:
            alias = f"{stem.replace('-', '')}.{split.suffix}"
        elif len(stem) >= 8:
            alias = f"{stem[:cut]}{rng.choice('-.')}{stem[cut:]}.{split.suffix}"
        else:
            alias = f"{stem}.{rng.choice(('net', 'org', 'info'))}"
        reply = rng.choice((0.0, 0.25))
        kind = ("alias", base.weight * 0.05)
        who = build.add(alias, *kind, reply=reply, partner=base.name, convention=base.convention)
        _share(rng, base, who, 2)
    for base in some(5):  # subdomains of partners with shared mailboxes
        sub = rng.choice(("uk", "de", "eu", "mail", "corp", "labs", "us", "eng", "group"))
        who = build.add(
            f"{sub}.{base.name}",
            "partner-subdomain",
            base.weight * rng.uniform(0.05, 0.7),
            partner=base.name,
            convention=base.convention,
        )
        _share(rng, base, who, 3)
    for _ in range(max(2, round(5 * scale))):  # universities and agencies one letter apart
        suffix = rng.choice(("edu", "ac.uk", "edu.cn", "ac.jp", "edu.au"))
        first = build.add(f"{names.acronym(rng, rng.choice((3, 4)))}.{suffix}", "acronym", build.middling(), size=25)
        for _ in range(rng.choice((1, 1, 2))):
            build.add(
                near(rng, first.name), "one-letter-apart", first.weight * rng.uniform(0.05, 1), partner=first.name
            )
    for _ in range(max(2, round(7 * scale))):  # three-letter companies
        first = build.add(f"{names.acronym(rng, 3)}.com", "acronym", build.middling())
        build.add(near(rng, first.name), "short-name", first.weight * rng.uniform(0.03, 1), partner=first.name)
    short = [b for b in bases if len(psl.split(b.name).domain) <= 6]
    for base in some(10):  # other organisations whose name happens to be one letter away: mostly short names
        if short and len(psl.split(base.name).domain) > 6 and rng.random() < 0.75:
            base = rng.choice(short[:60])
        weight = base.weight * rng.choice((0.01, 0.03, 0.1, 0.5))
        build.add(near(rng, base.name), "distinct", weight, partner=base.name, size=3)
    for base in some(4):  # the company's own second name, both in use; some never answer from it
        split = psl.split(base.name)
        other = rng.choice(("net", "co", "org", "eu", "info"))
        who = build.add(
            f"{split.domain}.{other}",
            "defensive",
            base.weight * 0.04,
            reply=rng.choice((0.1, 0.4)),
            partner=base.name,
            convention=base.convention,
        )
        _share(rng, base, who, 2)
    for base in some(2):  # writes under its own mistyped name; people answer
        suffix = psl.split(base.name).suffix
        wrong, _ = slipping.slip(rng, base.name, suffix)
        while wrong in build.all:
            wrong, _ = slipping.slip(rng, base.name, suffix)
        who = build.add(
            wrong, "self-misconfigured", base.weight * 0.03, reply=0.6, partner=base.name, unclear=True, size=1
        )
        _share(rng, base, who, 1)


def build(rng: random.Random, *, own: tuple[str, ...], people: int, domains: int) -> World:
    """An organisation of `people` with about `domains` possible correspondents."""
    maker = _Builder(rng)
    regular = [
        maker.add(maker.fresh(), "company", maker.weight(), size=rng.choice((2, 4, 8, 15, 40)))
        for _ in range(domains // 4)
    ]
    for name, weight in names.FREE_MAIL:
        maker.add(name, "free-mail", weight / 2500, convention="free", size=100_000)
    _neighbours(maker, regular, domains / 2400)
    for _ in range(domains - domains // 4):
        once = maker.add(maker.fresh(), "occasional", 0.0, size=2)
        once.reply = 0.0 if rng.random() < 0.35 else rng.uniform(0.3, 0.9)
        if rng.random() < 0.2:
            once.convention = "role"
    newsletters = [
        maker.add(
            f"{rng.choice(('news', 'mail', 'email', 'bounce', 'e'))}.{maker.fresh()}", "newsletter", 0.0, reply=0.0
        )
        for _ in range(30)
    ]
    inside = _people(rng, own, people)
    world = World(own, inside, maker.all, [], [], newsletters)
    _relations(rng, world)
    _lists(rng, world)
    return world


def _people(rng: random.Random, own: tuple[str, ...], count: int) -> list[Person]:
    used: set[str] = set()
    found: list[Person] = []
    while len(found) < count:
        user = names.mailbox(rng, "dotted")
        if user in used:
            continue
        used.add(user)
        home = own[0] if len(own) == 1 or rng.random() < 0.8 else rng.choice(own[1:])
        station = f"10.{rng.randrange(20, 24)}.{rng.randrange(16)}.{rng.randrange(2, 250)}"
        found.append(Person(f"{user}@{home}", user, station, min(6.0, rng.paretovariate(1.6) * 0.45)))
    return found


def _relations(rng: random.Random, world: World) -> None:
    """Personal contacts and projects, both drawn by the domains' weights."""
    pool = [c for c in world.correspondents.values() if c.weight > 0]
    weights = [c.weight for c in pool]
    for person in world.people:
        for who in rng.choices(pool, weights, k=rng.randrange(6, 30)):
            person.contacts.append(contact(rng, who))
    for _ in range(len(world.people) * 2):
        inside = rng.sample(range(len(world.people)), rng.randrange(2, 6))
        outside: list[str] = []
        for who in rng.choices(pool, weights, k=rng.choice((1, 1, 1, 2, 2, 3))):
            outside += [contact(rng, who) for _ in range(rng.choice((1, 1, 2, 3)))]
            family = ("sibling-country", "partner-subdomain", "renamed", "merged", "defensive", "alias")
            if who.partner and (rng.random() < 0.55 if who.kind in family else rng.random() < 0.04):
                outside.append(contact(rng, world.correspondents[who.partner]))
        world.projects.append((inside, list(dict.fromkeys(outside))))


def _lists(rng: random.Random, world: World) -> None:
    pool = [c for c in world.correspondents.values() if c.weight > 0]
    weights = [c.weight for c in pool]
    titles = (
        "ops-desk",
        "project-board",
        "suppliers",
        "press-list",
        "steering",
        "bid-team",
        "site-safety",
        "partners",
        "open-day",
    )
    for title in titles[: 3 + len(world.people) // 40]:
        outside = [contact(rng, who) for who in rng.choices(pool, weights, k=rng.randrange(1, 6))]
        inside = [p.address for p in rng.sample(world.people, rng.randrange(1, 5))]
        world.lists.append(MailingList(f"{title}@{world.own[0]}", list(dict.fromkeys(inside + outside))))
