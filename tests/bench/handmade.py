"""Hand-made cases: slips of kinds that no labelled log has, and what relays, refusals and lookups tell.

One office writes for half a year to `PARTNERS` partners, who write back. Into this are put, `EACH` times, the cases of
CASES: names that differ from a partner's by one slip, and what became of mail to them. A slip is written to once, by
somebody who writes to others at the partner's, and unless the case says `same` at an address that nobody knows: names, use
and relays alone decide. A stranger's name that is like a partner's (a twin), and a partner's second name, are written to
five times by two people, and never write. The cases are chosen, not drawn: what they show is which way a term turns a score and how far, and no rate of the
world. The same seed gives the same messages.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from forensics import domains, schema
from forensics.lookups import Lookup
from tests.bench import labelled, names
from tests.bench.labelled import Corpus, Truth
from tests.detector.material import Row, mail

OWN = "harrow-office.gov.uk"
PARTNERS = 220
EACH = 8
_ASKED = datetime(2024, 10, 1, tzinfo=UTC)
_SUFFIXES = ("com", "org", "de", "co.uk", "net", "fr")


@dataclass(frozen=True)
class Case:
    """How a name differs from a partner's, whether it is a slip, and what the log or a lookup tells."""

    typed: Callable[[random.Random, str], str]
    slip: bool
    fate: str = "taken"
    asked: str = ""
    same: bool = False
    """The very address that the writer uses at the partner's."""


def _dropped(rng: random.Random, name: str) -> str:
    at = rng.randrange(1, name.index(".") - 1)
    return name[:at] + name[at + 1 :]


def _other_suffix(rng: random.Random, name: str) -> str:
    suffix = domains.split(name).suffix
    return name.removesuffix(suffix) + rng.choice([s for s in ("com", "net", "org") if s != suffix])


def _homograph(_rng: random.Random, name: str) -> str:
    """Cyrillic letters for the first that has one."""
    return domains.a_label(next(name.replace(a, b, 1) for a, b in zip("aeo", "аео", strict=True) if a in name))


def _accented(_rng: random.Random, name: str) -> str:
    """A letter with an accent that the partner's name does not have."""
    return domains.a_label(next(name.replace(a, b, 1) for a, b in zip("aeou", "äéöü", strict=True) if a in name))


def _cut(_rng: random.Random, name: str) -> str:
    """The suffix and two letters lost."""
    return name.removesuffix("." + domains.split(name).suffix)[:-2]


CASES: Mapping[str, Case] = {
    "slip, taken by a stranger": Case(_dropped, True),
    "slip, no such domain": Case(_dropped, True, "no-domain"),
    "slip, takes no mail": Case(_dropped, True, "null-mx"),
    "slip, turned away": Case(_dropped, True, "refused"),
    "slip, gone when asked": Case(_dropped, True, asked="gone"),
    "slip, parked when asked": Case(_dropped, True, asked="parked"),
    "slip, homograph": Case(_homograph, True, same=True),
    "slip, accent": Case(_accented, True, same=True),
    "slip, long cut": Case(_cut, True, "no-domain", same=True),
    "twin, taken": Case(_dropped, False),
    "twin, turned away": Case(_dropped, False, "refused"),
    "twin, gone when asked": Case(_dropped, False, asked="gone"),
    "second name, its own server": Case(_other_suffix, False),
    "second name, the partner's server": Case(_other_suffix, False, "shared"),
}
_FATES: Mapping[str, Mapping[str, Any]] = {
    "no-domain": {
        "outcome": "bounced",
        "status_code": "5.4.4",
        "response": "Host or domain name not found. Name service error for name={}: Host not found",
    },
    "null-mx": {"outcome": "bounced", "status_code": "5.1.0", "response": "Domain {} does not accept mail (nullMX)"},
    "refused": {"outcome": "bounced", "status_code": "5.7.1", "response": "554 5.7.1 relay access denied"},
}


def _sent(case: Case, writer: str, recipient: str, typed: str, partner: str, day: float) -> list[Row]:
    if case.fate in _FATES:
        told = {k: v.format(typed) for k, v in _FATES[case.fate].items()}
        return mail(writer, recipient, day=day, **{"relay_name": None, "relay_address": None, **told})
    server = partner if case.fate == "shared" else typed
    return mail(writer, recipient, day=day, relay_name=f"mx.{server}", relay_address=None)


def made(seed: int = 20240304) -> tuple[list[Row], dict[str, tuple[str, str]], dict[str, Lookup]]:
    """Deliveries; typed domain → (its case, the partner); lookups by domain."""
    rng = random.Random(seed)
    staff = [f"{names.word(rng)}{n}@{OWN}" for n in range(14)]
    partners: dict[str, list[str]] = {}
    while len(partners) < PARTNERS:
        # Long enough that two of them do not come to differ by one letter.
        partners[f"{names.word(rng)}{names.word(rng)}{names.word(rng)}.{rng.choice(_SUFFIXES)}"] = []
    rows: list[Row] = []
    for name in partners:
        people = [f"{names.word(rng)}.{names.word(rng)}@{name}" for _ in range(4)]
        partners[name] = people
        writers = rng.sample(staff, 3)
        for n in range(rng.randrange(8, 20)):
            day, writer, person = rng.uniform(0, 180), writers[n % 3], rng.choice(people)
            rows += mail(writer, person, day=day, relay_name=f"mx.{name}", relay_address=None)
            if rng.random() < 0.6:
                rows += mail(person, writer, day=day + 0.1)
        rows += [row for w in writers for row in mail(w, people[0], day=rng.uniform(0, 60), relay_address=None)]
    truth: dict[str, tuple[str, str]] = {}
    lookups: dict[str, Lookup] = {}
    chosen = iter(rng.sample(sorted(partners), len(CASES) * EACH))
    for name, case in CASES.items():
        for _ in range(EACH):
            partner = next(chosen)
            typed = case.typed(rng, partner)
            writer = next(r["sender"] for r in rows if r["recipient"] == partners[partner][0])
            local = partners[partner][0].partition("@")[0] if case.same else f"{names.word(rng)}.{names.word(rng)}"
            rows += _sent(case, writer, f"{local}@{typed}", typed, partner, rng.uniform(90, 170))
            for n in range(0 if case.slip else 4):
                sender = (writer, rng.choice(staff))[n % 2]
                person = f"{names.word(rng)}.{names.word(rng)}@{typed}" if n % 2 else f"{local}@{typed}"
                rows += _sent(case, sender, person, typed, partner, rng.uniform(20, 170))
            truth[typed] = (name, partner)
            if case.asked:
                gone = case.asked == "gone"
                lookups[typed] = Lookup(typed, _ASKED, not gone, (), False, not gone, None, None)
    return rows, truth, lookups


def corpus(*, asked: bool = True) -> tuple[Corpus, dict[str, tuple[str, str]]]:
    """The office as a labelled log, and the case of each typed domain."""
    rows, truth, lookups = made()
    meant = {typed: partner for typed, (name, partner) in truth.items() if CASES[name].slip}

    def label(connection: Any) -> Truth:
        found = connection.execute(
            "select distinct writer_local, writer_domain, recipient_local, recipient_domain from pairs"
        ).fetchall()
        return Truth({key: meant[key[3]] for key in found if key[3] in meant})

    table = pa.Table.from_pylist(rows, schema=schema.DELIVERIES)
    return labelled.corpus("handmade", table, [OWN], label, lookups=lookups if asked else {}), truth
