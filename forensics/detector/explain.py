"""Why a delivery, an address or a domain was judged as it was: the two propositions, the parts, the records.

Works on anything that was written to, accused or not: a genuine correspondent's weight is as explainable as a slip's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains
from forensics.casefile import CaseFile
from forensics.detector import detection as everything
from forensics.detector import findings, history, judging, lookalikes, signals, weighing
from forensics.detector.judging import Judged, Judgement, Measured
from forensics.detector.weighing import Parameters
from forensics.errors import UsageError

if TYPE_CHECKING:
    import duckdb

SHOWN = 50
"""Addresses that one explanation goes into."""
DELIVERIES = 20
"""Deliveries of one address whose records are named."""


@dataclass(frozen=True)
class Explained:
    """One (writer, address) with its parts."""

    writer: str
    address: str
    intended: str
    slip: str
    """What happened, in words."""
    propositions: tuple[str, str]
    """That the sender slipped; that the sender meant this address."""
    prior: float
    weight: float
    score: float
    level: str
    """high, medium, low or none."""
    reasons: tuple[dict[str, Any], ...]
    alternatives: tuple[tuple[str, float], ...]
    deliveries: tuple[dict[str, Any], ...]
    """delivery_id, submitted_at, sender, recipient, outcome, records (schema.RECORD) of the first DELIVERIES."""


@dataclass(frozen=True)
class Explanation:
    """All that is to say about one subject. `text` is for a terminal."""

    subject: str
    domain: str
    prior: float
    addresses: tuple[Explained, ...]
    note: str
    """Why there is nothing more to weigh; empty when there is."""
    text: str


def explain(
    connection: duckdb.DuckDBPyConnection,
    subject: str,
    casefile: CaseFile | None = None,
    *,
    using: Parameters | None = None,
    detection: Mapping[str, Any] | None = None,
) -> Explanation:
    """Explain a delivery id (or its unique beginning), an address, or a domain of the view `deliveries`.

    Raises UsageError when the log holds no outbound delivery of that name. The same parameters and prior are used
    as `detect` uses, so the scores are those of the findings. `detection`: what detection.json says; with it and the
    view `lookalikes` only the domain's own mail is read, without it everything is judged anew.
    """
    casefile = casefile or CaseFile()
    using = using or weighing.parameters()
    domain, keys = _subject(connection, subject)
    good = domains.within(domain, casefile.domains.known_good)
    if detection is None or "heard" not in detection or good:
        judged = _anew(connection, domain, casefile, using)
    else:
        judged = _known(connection, domain, using, detection)
    spread, _ = findings.spread(connection, judged.pairs)
    chosen = sorted(
        (j for j in spread if not keys or (j.writer, j.address) in keys), key=lambda j: (-j.score, j.address, j.writer)
    )
    shown = chosen[:SHOWN]
    explained = tuple(_one(j, found) for j, found in zip(shown, _deliveries(connection, shown), strict=True))
    note = _note(domain, chosen, domains.within(domain, casefile.domains.known_good))
    text = "\n\n".join([_head(subject, domain, judged.prior, note), *(_text(e) for e in explained)])
    return Explanation(subject, domain, judged.prior, explained, note, text + "\n")


def _anew(connection: duckdb.DuckDBPyConnection, domain: str, casefile: CaseFile, using: Parameters) -> Judgement:
    history.build(connection)
    good = [d for d in casefile.domains.known_good if not domains.within(domain, (d,))]
    about = casefile.domains
    gathered, _ = everything.gather(
        connection, casefile.organisation.domains, about.watched, good, shared=about.shared_relays
    )
    return judging.judge(gathered, using, prior=casefile.detection.prior, keep=0.0, only=domain)


def _known(
    connection: duckdb.DuckDBPyConnection, domain: str, using: Parameters, detection: Mapping[str, Any]
) -> Judgement:
    query = "select * from lookalikes where typed = $typed order by meant"
    rows = connection.sql(query, params={"typed": domain}).to_arrow_table().to_pylist()
    history.build(connection, only=[domain, *(row["meant"] for row in rows)])
    found = lookalikes.candidates(rows)
    prior, heard = float(detection["prior"]["used"]), tuple(float(step["share"]) for step in detection["heard"])
    if not rows:
        return Judgement([], prior)
    pairs = lookalikes.pairs(rows)
    measured = Measured(found, pairs, _with_use(signals.measure(connection, found), pairs), heard, 0)
    return judging.judge(measured, using, prior=prior, keep=0.0, known=lookalikes.states(rows))


def _with_use(rows: pa.Table, pairs: pa.Table) -> pa.Table:
    """Writers' rows with how much the two domains are used by all, which their own mail does not tell."""
    told = {one["meant"]: one for one in pairs.select(["meant", "typed_pairs", "meant_pairs"]).to_pylist()}
    meant = rows.column("meant").to_pylist()
    for name, of_pair in (("typed_use", "typed_pairs"), ("meant_use", "meant_pairs")):
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(
            at, rows.schema.field(at), pa.array([told[m][of_pair] for m in meant], rows.schema.field(at).type)
        )
    return rows


def _subject(
    connection: duckdb.DuckDBPyConnection, subject: str
) -> tuple[str, Collection[tuple[tuple[str, str], tuple[str, str]]]]:
    """(typed domain, pairs to explain; none = all of the domain)."""
    history.macros(connection)
    query = (
        "select distinct writer_local, writer_domain, recipient_local, recipient_domain from "
        f"({history.MAIL}) where direction = 'outbound' and "
    )
    if "@" in subject:
        local, domain = domains.parts(subject)
        rows = connection.execute(
            query + "recipient_local = local_of(?) and recipient_domain = ?", [f"{local.lower()}@{domain}", domain]
        ).fetchall()
    elif "." in subject:
        domain = domains.a_label(subject)
        rows = connection.execute(query + "recipient_domain = ? limit 1", [domain]).fetchall()
        if rows:
            return domain, ()
    else:
        rows = connection.execute(query + "starts_with(delivery_id, ?)", [subject]).fetchall()
        if len(rows) > 1:
            raise UsageError(f"{subject}: several deliveries begin so", remedy="give more of the delivery id")
    if not rows:
        raise UsageError(
            f"{subject}: no outbound delivery of that name",
            expected="a delivery id, an address or a domain that mail was sent to",
            remedy='`missent sql --case DIR "select delivery_id, recipient from deliveries"` lists them',
        )
    return rows[0][3], {(tuple(row[:2]), tuple(row[2:])) for row in rows}


_FIRST = """
select delivery_id from mail where direction = 'outbound'
  and writer_local = ? and writer_domain = ? and recipient_local = ? and recipient_domain = ?
order by t, delivery_id limit ?
"""
_DELIVERIES = """
select delivery_id, epoch_us(submitted_at) as at, sender, recipient, outcome::varchar as outcome, records
from deliveries where delivery_id in (select unnest(?))
"""


def _deliveries(connection: duckdb.DuckDBPyConnection, chosen: Sequence[Judged]) -> list[tuple[dict[str, Any], ...]]:
    """The first deliveries of each, in order of time; the tables are gone through once for all of them."""
    ids = [
        [row[0] for row in connection.execute(_FIRST, [*one.writer, *one.address, DELIVERIES]).fetchall()]
        for one in chosen
    ]
    names = ("delivery_id", "submitted_at", "sender", "recipient", "outcome", "records")
    rows = connection.execute(_DELIVERIES, [[name for own in ids for name in own]]).fetchall() if any(ids) else []
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    for delivery in found.values():
        delivery["submitted_at"] = findings.moment(delivery["submitted_at"]).isoformat()
    return [tuple(found[name] for name in own) for own in ids]


def _one(one: Judged, deliveries: tuple[dict[str, Any], ...]) -> Explained:
    writer, address = "@".join(one.writer), "@".join(one.address)
    right = f"{one.address[0]}@{one.meant}"
    return Explained(
        writer,
        address,
        right,
        one.slip.words,
        (f"{writer} meant {right} and slipped: {one.slip.words}.", f"{writer} meant {address}."),
        one.prior,
        one.weight,
        one.score,
        findings.level(one.score),
        one.reasons,
        one.alternatives,
        deliveries,
    )


def _note(domain: str, chosen: Sequence[Judged], good: bool) -> str:
    if good:
        return f"case.toml names {domain} as known-good: it is never accused, whatever the weight."
    if not chosen:
        return f"No domain that the organisation knows lies one slip away from {domain}: there is nothing to weigh."
    if len(chosen) > SHOWN:
        return f"{len(chosen):,} pairs of sender and address; the {SHOWN} most probable slips follow."
    return ""


def _head(subject: str, domain: str, prior: float, note: str) -> str:
    lines = [f"{subject}: mail to {domain}"]
    lines.append(
        f"Before any evidence one in {round(1 / prior):,} domains written to is only a slip for another in this log."
    )
    return "\n".join([*lines, *([note] if note else [])])


def _text(one: Explained) -> str:
    width = max(len(r["name"]) for r in one.reasons)
    chance = f"{one.score:.4f}" if one.score >= 0.0001 else "below 0.0001"
    verdict = f"log10 odds: a slip with probability {chance} ({one.level})"
    lines = [
        f"{one.writer} → {one.address}",
        f"  either  {one.propositions[0]}",
        f"  or      {one.propositions[1]}",
        f"  {one.prior:+8.4f}  {'prior':<{width}}  log10 odds before evidence",
        *(f"  {r['weight']:+8.4f}  {r['name']:<{width}}  {r['text']}" for r in one.reasons),
        f"  {one.prior + one.weight:+8.4f}  {'sum':<{width}}  {verdict}",
    ]
    lines += [f"  alternative: {name}, probability {score:.4f}" for name, score in one.alternatives]
    for delivery in one.deliveries:
        where = ", ".join(f"{r['evidence'][:12]} record {r['number']}" for r in delivery["records"] or ())
        lines.append(
            f"  {delivery['submitted_at']}  {delivery['delivery_id'][:16]}  {delivery['outcome']}"
            + (f"  [{where}]" if where else "")
        )
    return "\n".join(lines)
