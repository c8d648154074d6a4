"""Journeys in, log lines out in any interleaving, rotation, stamp and tag; deliveries in again: exactly those."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.loaders.settings import Settings
from tests.ingesting import run, to

START = datetime(2023, 12, 30, 22, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Recipient:
    address: str
    original: str | None
    outcome: str
    deferrals: int


@dataclass(frozen=True)
class Message:
    """A message as it is put in: what is logged of it, and what must come out."""

    number: int
    start: int
    gap: int
    filtered: bool
    recipients: list[Recipient]
    rejected: list[str] = field(default_factory=list)


ADDRESS = st.sampled_from(
    [
        f"{u}@{d}"
        for u in ("ann", "Bob", "c.d", '"odd, name"', "dé")
        for d in ("navy.example", "army.example", "x.example")
    ]
)
ORIGINAL = st.none() | st.sampled_from(["list@albion.example", "all@albion.example"])
OUTCOME = st.sampled_from(["delivered", "delivered", "delivered", "bounced", "expired", "deferred"])


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    count = draw(st.integers(1, 7))
    out = []
    for number in range(count):
        addresses = draw(st.lists(ADDRESS, min_size=1, max_size=3, unique_by=lambda a: a.casefold()))
        recipients = [Recipient(a, draw(ORIGINAL), draw(OUTCOME), draw(st.integers(0, 2))) for a in addresses]
        kinds = {r.outcome for r in recipients}
        if {"expired", "deferred"} <= kinds:
            recipients = [
                Recipient(r.address, r.original, r.outcome.replace("expired", "deferred"), r.deferrals)
                for r in recipients
            ]
        out.append(
            Message(
                number, draw(st.integers(0, 10_000)), draw(st.integers(0, 3_000)), draw(st.booleans()), recipients,
                draw(st.lists(st.sampled_from(["no@navy.example", "nobody@army.example"]), max_size=2, unique=True)),
            )
        )  # fmt: skip
    return out


def last_hop(message: Message, queue_id: str, tag: str, at: int) -> list[tuple[int, str]]:
    """(second, text) of the lines of the queue that settles the recipients."""
    lines = []
    time = at
    for recipient in message.recipients:
        for _ in range(recipient.deferrals + (recipient.outcome in ("expired", "deferred"))):
            text = to(recipient.address, "deferred (try later)", dsn="4.2.0", orig_to=recipient.original)
            lines.append((time, f"{tag}/smtp[3]: {queue_id}: {text}"))
            time += message.gap
        if recipient.outcome == "delivered":
            text = to(recipient.address, "sent (250 2.0.0 Ok: queued as 1F2E3D4C5B)", orig_to=recipient.original)
            lines.append((time, f"{tag}/smtp[3]: {queue_id}: {text}"))
        elif recipient.outcome == "bounced":
            text = to(recipient.address, "bounced (no such user)", dsn="5.1.1", orig_to=recipient.original)
            lines.append((time, f"{tag}/smtp[3]: {queue_id}: {text}"))
    kinds = {r.outcome for r in message.recipients}
    if "expired" in kinds:
        lines.append(
            (
                time,
                f"{tag}/qmgr[4]: {queue_id}: from=<s{message.number}@albion.example>, status=expired, returned to sender",
            )
        )
    if "deferred" not in kinds:
        lines.append((time, f"{tag}/qmgr[4]: {queue_id}: removed"))
    return lines


def logged(message: Message, ids: list[str], tag: str) -> list[tuple[int, str]]:
    """All lines of a message, in order."""
    first, second = ids[2 * message.number], ids[2 * message.number + 1]
    sender, now = f"s{message.number}@albion.example", message.start
    size = f"from=<{sender}>, size=1000, nrcpt={len(message.recipients)} (queue active)"
    lines = [
        (
            now,
            f"{tag}/submission/smtpd[1]: {first}: client=ws[10.0.0.1], sasl_method=PLAIN, sasl_username=u{message.number}",
        )
    ]
    for address in message.rejected:
        lines.append(
            (now, f"{tag}/submission/smtpd[1]: {first}: reject: RCPT from ws[10.0.0.1]: 550 5.1.1 <{address}>: Recipient address "
             f"rejected: no; from=<{sender}> to=<{address}> proto=ESMTP helo=<ws>")
        )  # fmt: skip
    lines += [
        (now, f"{tag}/cleanup[2]: {first}: message-id=<m{message.number}@albion.example>"),
        (now, f"{tag}/qmgr[4]: {first}: {size}"),
    ]
    if not message.filtered:
        return lines + last_hop(message, first, tag, now)
    lines += [
        (now, f"{tag}/smtpd[1]: {second}: client=localhost[127.0.0.1]"),
        (now, f"{tag}/cleanup[2]: {second}: message-id=<m{message.number}@albion.example>"),
        (now, f"{tag}/qmgr[4]: {second}: {size}"),
    ]
    for recipient in message.recipients:
        text = to(
            recipient.address,
            f"sent (250 2.0.0 Ok: queued as {second})",
            relay="127.0.0.1[127.0.0.1]:10024",
            orig_to=recipient.original,
        )
        lines.append((now, f"{tag}/smtp[3]: {first}: {text}"))
    lines.append((now, f"{tag}/qmgr[4]: {first}: removed"))
    return lines + last_hop(message, second, tag, now)


def expected(message: Message) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for r in message.recipients:
        tries = r.deferrals + 1
        rows.append((message.number, r.address, r.original, r.outcome, tries, int(message.filtered)))
    taken = {r.address.casefold() for r in message.recipients}
    rows += [(message.number, a, None, "rejected", 1, 0) for a in message.rejected if a not in taken]
    return rows


STAMPS = {
    "iso": lambda t: t.isoformat(timespec="microseconds"),
    "bsd": lambda t: f"{t:%b} {t.day:2d} {t:%H:%M:%S}",
    "offset": lambda t: (t + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00"),
}


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    messages(),
    st.randoms(use_true_random=False),
    st.sampled_from(sorted(STAMPS)),
    st.sampled_from(["postfix", "postfix-out", "mr/postfix"]),
    st.booleans(),
    st.integers(1, 4),
    st.sampled_from([400, 3_000, 1 << 20]),
)
def test_exactly_what_was_put_in(
    batch: list[Message], rng: random.Random, stamp: str, tag: str, long_ids: bool, files: int, block: int
) -> None:
    numbers = rng.sample(range(0x1000), 2 * len(batch))
    ids = [f"4jYb1P{n % 10}TV9z{n:05d}L" if long_ids else f"4B{n:03X}D7E9A" for n in numbers]
    order: list[tuple[int, float, int, str]] = []
    for message in batch:
        position = rng.random()
        for n, (second, text) in enumerate(logged(message, ids, tag)):
            order.append((second, position, n, text))
            position = max(position, rng.random() * 0.5 + position * 0.5)
    order.sort()
    show = STAMPS[stamp]
    lines = [f"{show(START + timedelta(seconds=second))} mx1 {text}\n" for second, _, _, text in order]
    # a file begins in a later second than the one before it: that is all that orders files
    cuts = [0]
    for cut in sorted(rng.randrange(len(lines)) for _ in range(files - 1)):
        if order[cut][0] > order[cuts[-1]][0]:
            cuts.append(cut)
    cuts.append(len(lines))
    wanted = Counter(row for message in batch for row in expected(message))
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for n, (a, b) in enumerate(itertools.pairwise(cuts)):
            path = Path(place) / f"mail.log.{n}"
            path.write_text("".join(lines[a:b]))
            paths.append(path)
        rng.shuffle(paths)
        import forensics.ingest.survey

        before, forensics.ingest.survey.BLOCK = forensics.ingest.survey.BLOCK, block
        try:
            # stamps without a year: each file's own first year
            from forensics.casefile import SourceSettings

            sources = tuple(
                SourceSettings(file=p.name, year=(START + timedelta(seconds=order[cuts[int(p.suffix[1:])]][0])).year)
                for p in paths
            )
            result, rows = run(Path(place) / "case", paths, Settings(sources=sources))
        finally:
            forensics.ingest.survey.BLOCK = before
    assert result.unread == 0
    got = Counter(
        (
            int(r["sender"].split("@")[0][1:]),
            r["recipient"],
            r["original_recipient"],
            r["outcome"],
            r["attempts"],
            r["hops"],
        )
        for r in rows
    )
    assert got == wanted
    assert all(r["authenticated_user"] == f"u{r['sender'].split('@')[0][1:]}" for r in rows)
