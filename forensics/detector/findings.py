"""Deliveries of judged pairs as rows of FINDINGS: level, exposure, origin."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains, schema
from forensics.detector import spreading, weighing
from forensics.detector.exposure import exposure
from forensics.detector.judging import Judged, Key
from forensics.detector.relays import Relays, relays
from forensics.detector.spreading import Sent

if TYPE_CHECKING:
    import duckdb

CARRIED = 0.95
"""Probability that a reply-all copies a wrong address rather than meaning it."""
_MACHINES = (
    r"^(no-?reply|do-?not-?reply|newsletter|mailer(-daemon)?|notifications?|alerts?|system|daemon|root|cron|bounces?|"
    r"postmaster|monitoring|scanner|printer)([-._].*)?$"
)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Spread:
    """What was found about the messages to each wrong address."""

    messages: Mapping[str, Sent]
    """delivery → the message it is part of."""
    links: Mapping[str, str]
    """delivery → the delivery of another writer that it carries on."""
    carried: Mapping[Key, tuple[str, str]]
    """(writer, address) → the writer of a conversation about whom more is known, and who lends the verdict."""


def level(score: float) -> str:
    """high, medium, low or none (schema.LEVELS).

    >>> level(0.95), level(0.5), level(0.1), level(0.0999)
    ('high', 'medium', 'low', 'none')
    """
    return "high" if score >= 0.95 else "medium" if score >= 0.5 else "low" if score >= 0.1 else "none"


def incident_id(observed: str, intended: str) -> str:
    """Stable name of a pair: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(f"{observed}\n{intended}".encode()).hexdigest()[:16]


_MESSAGES = """
select m.writer_local || '@' || m.writer_domain as writer, m.recipient_local, m.recipient_domain, m.delivery_id,
       m.sender_local || '@' || m.sender_domain as sender, epoch_us(m.t) as t, m.message, m.subject,
       (select coalesce(list(distinct o.recipient_local || '@' || o.recipient_domain), [])
        from mail o where o.message = m.message) as co_recipients
from mail m join judged_addresses j on m.recipient_local = j.l and m.recipient_domain = j.d
where m.direction = 'outbound' order by m.t, m.delivery_id
"""


def spread(connection: duckdb.DuckDBPyConnection, judged: Sequence[Judged]) -> tuple[list[Judged], Spread]:
    """Tell the root writer of each wrong address from those who carried it on, and let them share the verdict
    (`carry`). Addresses that nobody makes findings of are left as they are."""
    addresses = sorted({j.address for j in judged if j.kept})
    table = pa.table(
        {"l": pa.array([a[0] for a in addresses], pa.string()), "d": pa.array([a[1] for a in addresses], pa.string())}
    )
    connection.register("judged_addresses", table)
    rows = connection.execute(_MESSAGES).fetchall()
    connection.unregister("judged_addresses")
    by_address: dict[tuple[str, str], list[Sent]] = {}
    messages: dict[str, Sent] = {}
    for writer, local, domain, delivery, sender, at, message, subject, co_recipients in rows:
        others = frozenset(co_recipients) - {f"{local}@{domain}"}
        sent = Sent(delivery, writer, sender, moment(at), message, subject, others)
        by_address.setdefault((local, domain), []).append(sent)
        messages[delivery] = sent
    links: dict[str, str] = {}
    known = {(j.writer, j.address): j for j in judged}
    carried: dict[Key, tuple[str, str]] = {}
    for address, sent_list in sorted(by_address.items()):
        if len({m.writer for m in sent_list}) < 2:
            continue
        own = spreading.carried_on(sent_list)
        links |= own
        for cluster in spreading.clusters(sent_list, own):
            names = sorted(cluster)
            carried |= _roots([known[key] for name in names if (key := (_split(name), address)) in known])
    return [carry(j, known, carried) for j in judged], Spread(messages, links, carried)


def _split(writer: str) -> tuple[str, str]:
    local, _, domain = writer.rpartition("@")
    return local, domain


def _roots(members: Sequence[Judged]) -> Iterator[tuple[Key, tuple[str, str]]]:
    """Of the writers of one conversation to one address, those who gain by the surest of them, and who that is."""
    best = max(members, key=lambda j: (j.prior + j.weight, "@".join(j.writer)), default=None)
    if best is None or not best.kept:
        return
    for one in members:
        if one is not best and one.meant == best.meant and _lift(one, best) > 0:
            yield (one.writer, one.address), best.writer


def _lift(one: Judged, best: Judged) -> float:
    reach = weighing.log_odds(min(max(CARRIED * best.score, 1e-9), 1 - 1e-9))
    return round(reach - one.prior - one.weight, 4)


def carry(one: Judged, known: Mapping[Key, Judged], carried: Mapping[Key, tuple[str, str]]) -> Judged:
    """The same with what the surest writer of its conversation lends it, as a part named `carried-on`.

    Writers of one conversation used the same wrong address for the same reason: each gets at least 0.95 of the
    highest probability among them. `known`: as judged before anybody lent anything.
    """
    root = carried.get((one.writer, one.address))
    if root is None:
        return one
    best = known[root, one.address]
    wrong = "@".join(one.address)
    text = f"{root[0]} used {wrong} in the same conversation, by mistake with probability {best.score:.2f}."
    return one.with_reason("carried-on", _lift(one, best), text)


_ROWS = """
select d.delivery_id, epoch_us(d.submitted_at) as at, d.recipient, d.recipient_domain, d.outcome, d.host,
       d.relay_name, d.relay_address, m.writer_local, m.writer_domain, m.recipient_local, m.recipient_domain, m.via,
       regexp_matches(m.sender_local, ?) as machine
from mail m join judged_pairs j using (writer_local, writer_domain, recipient_local, recipient_domain)
join deliveries d on d.delivery_id = m.delivery_id
where m.direction = 'outbound' order by d.submitted_at, d.delivery_id
"""


def table(
    connection: duckdb.DuckDBPyConnection,
    judged: Sequence[Judged],
    spread_: Spread,
    shared_relays: Collection[str],
    *,
    own: Collection[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> pa.Table:
    """The FINDINGS table in order of submission. `own`: the organisation's domains."""
    by_pair = {(j.writer, j.address): j for j in judged}
    keys = sorted(by_pair)
    given = {
        "writer_local": [writer[0] for writer, _ in keys],
        "writer_domain": [writer[1] for writer, _ in keys],
        "recipient_local": [address[0] for _, address in keys],
        "recipient_domain": [address[1] for _, address in keys],
    }
    connection.register("judged_pairs", pa.table({k: pa.array(v, pa.string()) for k, v in given.items()}))
    raw = connection.execute(_ROWS, [_MACHINES]).fetchall()
    connection.unregister("judged_pairs")
    lookalikes = {j.address[1] for j in judged}
    known = relays(connection, own, shared_relays, lookalikes) if raw else Relays()
    used: set[Key] = set()
    rows: list[dict[str, Any]] = []
    for delivery, at, recipient, domain, outcome, host, relay, relay_address, *key, via, machine in raw:
        one = by_pair[(key[0], key[1]), (key[2], key[3])]
        origin = _origin(delivery, bool(via), bool(machine), (one.writer, one.address) in used, spread_)
        used.add((one.writer, one.address))
        if (since and moment(at) < since) or (until and moment(at) >= until):
            continue
        local, _ = domains.parts(recipient)
        rows.append(
            {
                "delivery_id": delivery,
                "observed_domain": domain or one.address[1],
                "intended_domain": one.meant,
                "intended_address": f"{local}@{one.meant}",
                "slip": one.slip.kind,
                "score": one.score,
                "weight": one.weight,
                "prior": one.prior,
                "reasons": list(one.reasons),
                "alternatives": [{"domain": name, "score": score} for name, score in one.alternatives],
                "level": "low" if one.contested else level(one.score),
                "score_without_theirs": one.score_without_theirs,
                "contested": one.contested,
                "exposure": exposure(
                    outcome, known.hands_on(host, relay, relay_address, domain or one.address[1], one.meant)
                ),
                "origin": origin,
                "incident_id": incident_id(domain or one.address[1], one.meant),
            }
        )
    return pa.Table.from_pylist([r for r in rows if r["level"] != "none"], schema=schema.FINDINGS)


def _origin(delivery: str, via: bool, machine: bool, again: bool, spread_: Spread) -> str:
    """Where this one came from: list, automated, reply-all, address-book (this writer once more), or typed."""
    if via:
        return "list"
    if machine:
        return "automated"
    if delivery in spread_.links:
        return "reply-all"
    return "address-book" if again else "typed"


def moment(microseconds: int) -> datetime:
    """The time (UTC) so many microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)
