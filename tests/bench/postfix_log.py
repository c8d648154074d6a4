"""A Postfix log of any size, the same for the same arguments: one gateway's traffic as bench and memory tests read it.

    python tests/bench/postfix_log.py OUT --lines 2900000

About one line in seven settles a delivery; messages have one to three recipients, some are deferred, bounce or
are refused; other programs' lines stand between.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

HEX = "0123456789ABCDEF"


def lines(
    count: int, *, seed: int = 1, host: str = "mx1", start: datetime = datetime(2024, 3, 1, tzinfo=UTC)
) -> Iterator[str]:
    """`count` lines with RFC 3164 stamps of 2024, in order."""
    rng = random.Random(seed)
    domains = [f"{a}-{b}.example" for a in ("north", "blue", "iron", "oak") for b in ("mail", "lab", "port")]
    users = [f"user{n:03d}" for n in range(400)]
    now = start
    made = 0
    serial = 0
    while made < count:
        now += timedelta(microseconds=rng.randrange(200_000, 4_000_000))
        stamp = f"{now:%b} {now.day:2d} {now:%H:%M:%S}"
        serial += 1
        queue_id = f"{serial % 0xFFFFF:05X}{0x40000 + serial % 9973:X}"
        tag = f"{stamp} {host} postfix"
        pid = 2000 + serial % 40
        out: list[str] = []
        kind = rng.random()
        if kind < 0.06:
            client = f"unknown[198.51.100.{rng.randrange(1, 255)}]"
            out += [
                f"{tag}/smtpd[{pid}]: connect from {client}",
                f"{tag}/smtpd[{pid}]: NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <x{serial}@{rng.choice(domains)}>: "
                f"Relay access denied; from=<spam{serial}@bad.example> to=<x{serial}@{rng.choice(domains)}> proto=ESMTP helo=<pc>",
                f"{tag}/smtpd[{pid}]: disconnect from {client} ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
            ]
        elif kind < 0.10:
            out.append(
                f"{stamp} {host} dovecot: imap-login: Login: user=<{rng.choice(users)}>, method=PLAIN, rip=10.0.0.9, TLS"
            )
        else:
            user = rng.choice(users)
            sender = f"{user}@albion.example"
            client = f"ws{serial % 90}.albion.example[10.4.{serial % 16}.{serial % 250}]"
            recipients = [
                f"{rng.choice(users)}@{rng.choice(domains)}" for _ in range(rng.choice((1, 1, 1, 1, 1, 1, 1, 2, 3)))
            ]
            recipients = list(dict.fromkeys(recipients))
            out += [
                f"{tag}/subm/smtpd[{pid}]: connect from {client}",
                f"{tag}/subm/smtpd[{pid}]: {queue_id}: client={client}, sasl_method=PLAIN, sasl_username={user}",
                f"{tag}/cleanup[{pid + 50}]: {queue_id}: message-id=<{serial:08x}.{rng.getrandbits(32):08x}@albion.example>",
                f"{tag}/qmgr[1999]: {queue_id}: from=<{sender}>, size={rng.randrange(900, 90_000)}, nrcpt={len(recipients)} (queue active)",
                f"{tag}/subm/smtpd[{pid}]: disconnect from {client} ehlo=2 auth=1 mail=1 rcpt={len(recipients)} data=1 quit=1",
            ]
            if serial % 3 == 0:
                out.insert(
                    1,
                    f"{tag}/subm/smtpd[{pid}]: Anonymous TLS connection established from {client}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
                )
            for recipient in recipients:
                domain = recipient.split("@")[1]
                relay = f"mx.{domain}[203.0.113.{len(domain) * 7 % 250}]:25"
                fate = rng.random()
                head = f"{tag}/smtp[{pid + 100}]: {queue_id}: to=<{recipient}>, relay={relay}, delay=0.{rng.randrange(10, 99)}, delays=0.02/0/0.1/0.2"
                if fate < 0.03:
                    out.append(
                        f"{head}, dsn=4.2.1, status=deferred (host {relay.rsplit(':', 1)[0]} said: 450 4.2.1 Try later (in reply to RCPT TO command))"
                    )
                if fate > 0.985:
                    out.append(
                        f"{head}, dsn=5.1.1, status=bounced (host {relay.rsplit(':', 1)[0]} said: 550 5.1.1 No such user (in reply to RCPT TO command))"
                    )
                else:
                    out.append(f"{head}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {rng.getrandbits(44):011X})")
            out.append(f"{tag}/qmgr[1999]: {queue_id}: removed")
        for line in out:
            if made == count:
                return
            made += 1
            yield line


def write(path: Path, count: int, *, seed: int = 1) -> None:
    """The log as a file."""
    with path.open("w", encoding="ascii") as file:
        batch: list[str] = []
        for line in lines(count, seed=seed):
            batch.append(line)
            if len(batch) == 20_000:
                file.write("\n".join(batch) + "\n")
                batch.clear()
        if batch:
            file.write("\n".join(batch) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lines", type=int, default=2_900_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    write(arguments.out, arguments.lines, seed=arguments.seed)
