"""Messages as values, and what the network does with them: one `Message` has one `Leg` per final recipient.

Times are seconds since 1970-01-01 UTC. A leg's tries are what Postfix's delivery agent logs; the last one settles it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import NamedTuple

from forensics import domains as psl


class Try(NamedTuple):
    """One delivery attempt: seconds after submission, Postfix status, enhanced code, text, relay."""

    after: float
    status: str
    dsn: str
    text: str
    relay_name: str | None
    relay_address: str | None


@dataclass(slots=True)
class Leg:
    """One final recipient. `label` is genuine, misdirected or unclear; empty for mail that does not leave."""

    recipient: str
    tries: tuple[Try, ...]
    original: str | None = None
    label: str = ""
    intended: str = ""
    kind: str = ""
    origin: str = ""
    tls: bool = True
    """Whether the next server spoke TLS, where the log shows it."""

    @property
    def outcome(self) -> str:
        return {"sent": "delivered", "bounced": "bounced", "deferred": "deferred", "expired": "expired"}[
            self.tries[-1].status
        ]


@dataclass(slots=True)
class Message:
    at: float
    message_id: str
    sender: str
    subject: str | None
    size: int
    legs: list[Leg]
    user: str | None = None
    client_name: str = "unknown"
    client_address: str = "192.0.2.1"
    submission: bool = False
    bounce_of: Message | None = None
    asked: list[str] = field(default_factory=list)
    """Recipients as submitted, when an alias was expanded."""


RETRY = tuple(sum(min(300 * 2**i, 21_600) for i in range(n)) for n in range(26))
"""Seconds at which a queue manager tries again: doubling from five minutes to six hours."""
EXPIRY = 5 * 86_400


def relay_id(rng: random.Random) -> str:
    """What a remote server calls the message; half of them do not say."""
    how = rng.random()
    if how < 0.35:
        return "Ok"
    if how < 0.65:
        return f"Ok: queued as {rng.randrange(16**10):010X}"
    if how < 0.85:
        name = "".join(rng.choice("abcdefghkmnpqrstvwxyzABCDEFGHKLMNPQRSTVWXYZ") for _ in range(6))
        return f"OK id={name}-{rng.randrange(16**6):06x}-Q{rng.randrange(10)}"
    return f"<{rng.randrange(16**8):08x}> Message accepted for delivery"


def sent(rng: random.Random, mx: str, address: str, after: float = 0.0) -> Try:
    return Try(after + round(rng.expovariate(0.8), 2), "sent", "2.0.0", f"250 2.0.0 {relay_id(rng)}", mx, address)


def user_unknown(rng: random.Random, recipient: str, mx: str, address: str) -> Try:
    text = (
        f"host {mx}[{address}] said: 550 5.1.1 <{recipient}>: Recipient address rejected: "
        "User unknown (in reply to RCPT TO command)"
    )
    return Try(round(0.4 + rng.expovariate(0.8), 2), "bounced", "5.1.1", text, mx, address)


def no_domain(rng: random.Random, domain: str) -> Try:
    text = f"Host or domain name not found. Name service error for name={domain} type=A: Host not found"
    return Try(round(0.05 + rng.random() / 4, 2), "bounced", "5.4.4", text, None, None)


def null_mx(rng: random.Random, domain: str) -> Try:
    return Try(
        round(0.05 + rng.random() / 4, 2),
        "bounced",
        "5.1.0",
        f"Domain {domain} does not accept mail (nullMX)",
        None,
        None,
    )


def refused(rng: random.Random, recipient: str, mx: str, address: str) -> Try:
    text = f"host {mx}[{address}] said: 554 5.7.1 <{recipient}>: Relay access denied (in reply to RCPT TO command)"
    return Try(round(0.4 + rng.expovariate(0.8), 2), "bounced", "5.7.1", text, mx, address)


def too_big(rng: random.Random, mx: str, address: str) -> Try:
    text = f"host {mx}[{address}] said: 552 5.3.4 Message size exceeds fixed limit (in reply to MAIL FROM command)"
    return Try(round(0.4 + rng.expovariate(0.8), 2), "bounced", "5.3.4", text, mx, address)


def greylisted(rng: random.Random, mx: str, address: str) -> tuple[Try, ...]:
    text = f"host {mx}[{address}] said: 450 4.2.0 Greylisted, try again later (in reply to RCPT TO command)"
    first = Try(round(0.3 + rng.random(), 2), "deferred", "4.2.0", text, mx, address)
    return first, sent(rng, mx, address, 300 + rng.random() * 200)


def unreachable(rng: random.Random, mx: str, address: str) -> tuple[Try, ...]:
    """Tried for five days, then given up."""
    text = f"connect to {mx}[{address}]:25: Connection timed out"
    tries = [Try(t + 30.0 + round(rng.random(), 2), "deferred", "4.4.1", text, None, None) for t in RETRY]
    kept = [t for t in tries if t.after < EXPIRY]
    return (*kept, Try(kept[-1].after + 21_600, "expired", "4.4.1", text, None, None))


FATES = (
    ("unregistered", 45),
    ("accepts", 30),
    ("user-unknown", 10),
    ("unreachable", 8),
    ("null-mx", 4),
    ("refuses", 3),
)
"""What is behind a mistyped name whose suffix exists. Assumed; the detector must not be fitted on it."""


@dataclass(slots=True)
class Network:
    """What each external domain does with mail: fixed at first use, so that one domain always behaves alike."""

    rng: random.Random
    fates: dict[str, tuple[str, str, str]] = field(default_factory=dict)

    def known(self, recipient: str, domain: str, address: str, trouble: float = 1.0) -> tuple[Try, ...]:
        """A domain that exists and takes mail: nearly always accepted. `trouble` scales the rest."""
        rng, mx = self.rng, f"mx{1 + len(domain) % 2}.{domain}"
        luck = rng.random() / trouble
        if luck < 0.006:
            return (user_unknown(rng, recipient, mx, address),)
        if luck < 0.007:
            return unreachable(rng, mx, address)
        if luck < 0.025:
            return greylisted(rng, mx, address)
        return (sent(rng, mx, address),)

    def fate(self, domain: str) -> tuple[str, str, str]:
        """(fate, mx, address) of a name that nobody inside corresponds with."""
        found = self.fates.get(domain)
        if found is None:
            rng = self.rng
            if not psl.split(domain).registered:
                fate = "unregistered"
            else:
                fate = rng.choices([f for f, _ in FATES], [w for _, w in FATES])[0]
            mx = rng.choice((f"mail.{domain}", f"mx.{domain}", "mx1.parked-names.net"))
            found = self.fates[domain] = (fate, mx, f"203.0.113.{rng.randrange(1, 255)}")
        return found

    def strange(self, recipient: str, domain: str) -> tuple[Try, ...]:
        """Mail to a name that nobody inside corresponds with."""
        rng = self.rng
        fate, mx, address = self.fate(domain)
        if fate == "accepts":
            return (sent(rng, mx, address),)
        if fate == "user-unknown":
            return (user_unknown(rng, recipient, mx, address),)
        if fate == "unreachable":
            return unreachable(rng, mx, address)
        if fate == "null-mx":
            return (null_mx(rng, domain),)
        if fate == "refuses":
            return (refused(rng, recipient, mx, address),)
        return (no_domain(rng, domain),)
