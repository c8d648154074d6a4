"""Why a delivery, an address or a domain was judged as it was: the two propositions, the parts, the records.

Works on anything that was written to, accused or not: a genuine correspondent's weight is as explainable as a slip's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains, shortened, store
from forensics.casefile import CaseFile
from forensics.detector import detection as everything
from forensics.detector import findings, history, judging, lookalikes, weighing
from forensics.detector.judging import Judged, Key, Weighed
from forensics.detector.odds import Measured
from forensics.detector.weighing import Parameters
from forensics.errors import CaseError, UsageError

if TYPE_CHECKING:
    import duckdb

SHOWN = 50
"""Addresses that one explanation goes into."""
DELIVERIES = 20
"""Deliveries of one address whose records are named, at most."""
IN_ALL = 100
"""Deliveries that one explanation names, at most; at least one of each address shown."""


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
    score_without_theirs: float
    contested: bool
    """As in schema.FINDINGS."""
    level: str
    """high, medium, low or none; low where it is contested."""
    reasons: tuple[dict[str, Any], ...]
    alternatives: tuple[tuple[str, float], ...]
    deliveries: tuple[dict[str, Any], ...]
    """delivery_id, submitted_at, sender, recipient, outcome, records (schema.RECORD) of the first ones."""


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
    """Explain a delivery id (or its beginning, by `shortened`), an address, or a domain of the view `deliveries`.

    Raises UsageError when the log holds no outbound delivery of that name. `detection`: what detection.json says; with
    it and the view `lookalikes` the scores are those of the findings, and only the deliveries that are shown are read;
    CaseError where it is not what a detection writes. Without it everything is judged anew.
    """
    casefile = casefile or CaseFile()
    domain, wanted = _subject(connection, subject)
    good = domains.within(domain, casefile.domains.known_good)
    if detection is None or good:
        prior, found, carried = _anew(connection, domain, casefile, using or weighing.parameters())
    else:
        prior, found, carried = _known(connection, domain, using, detection)
    chosen = [n for n, key in enumerate(found.keys) if key[1][1] == domain and wanted(key)] if found else []
    if not chosen and not _written_to(connection, domain, wanted):
        raise _absent(subject)
    shown = _most_probable(found, chosen, carried) if found else []
    explained = tuple(_one(j, told) for j, told in zip(shown, _deliveries(connection, domain, shown), strict=True))
    note = _note(domain, len(chosen), good)
    text = "\n\n".join([_head(subject, domain, prior, note), *(_text(e) for e in explained)])
    return Explanation(subject, domain, prior, explained, note, text + "\n")


_Found = tuple[float, Weighed | None, Mapping[Key, tuple[str, str]]]
"""The prior, all that was weighed, and who carried on from whom (`findings.spread`)."""


def _anew(connection: duckdb.DuckDBPyConnection, domain: str, casefile: CaseFile, using: Parameters) -> _Found:
    history.build(connection)
    good = [name for name in casefile.domains.known_good if not domains.within(domain, (name,))]
    about = casefile.domains
    gathered, _ = everything.gather(
        connection, casefile.organisation.domains, about.watched, good, shared=about.shared_relays
    )
    if not len(gathered.rows):
        return casefile.detection.prior or using.prior, None, {}
    found = judging.weighed(gathered, using, prior=casefile.detection.prior)
    _, spread = findings.spread(connection, found.kept())
    return found.full.prior, found, spread.carried


def _known(
    connection: duckdb.DuckDBPyConnection, domain: str, using: Parameters | None, detection: Mapping[str, Any]
) -> _Found:
    query = "select * exclude (writers) from lookalikes where typed = $typed order by meant"
    rows = connection.sql(query, params={"typed": domain}).to_arrow_table().to_pylist()
    try:
        using = using or weighing.told(detection)
        prior, heard = float(detection["prior"]["used"]), tuple(float(step["share"]) for step in detection["heard"])
    except (LookupError, TypeError, ValueError) as error:
        raise CaseError(
            f"detection.json is not what a detection of this version writes: {error!r}",
            remedy="run `missent detect` again",
        ) from None
    if not rows:
        return prior, None, {}
    pairs = lookalikes.pairs(rows)
    told = connection.sql(lookalikes.WRITERS, params={"typed": domain}).to_arrow_table()
    writers, carried = lookalikes.writers(told, pairs)
    measured = Measured(lookalikes.candidates(rows), pairs, writers, heard, 0)
    return prior, judging.weighed(measured, using, prior=prior, known=lookalikes.states(rows)), carried


def _most_probable(found: Weighed, chosen: Sequence[int], carried: Mapping[Key, tuple[str, str]]) -> list[Judged]:
    """SHOWN of them, the most probable first, with what their conversations lend them."""
    at = {found.keys[n]: n for n in chosen} if carried else {}
    roots = {key: (root, key[1]) for key, root in carried.items() if key in at}
    if roots:
        at = {key: n for n, key in enumerate(found.keys) if key in {*at, *roots.values()}}
    lent = {key: findings.CARRIED * found.scores[at[root]] for key, root in roots.items()}
    order = sorted(
        chosen, key=lambda n: (-round(max(found.scores[n], lent.get(found.keys[n], 0.0)), 6), found.keys[n][::-1])
    )
    first = order[:SHOWN]
    known = {
        found.keys[n]: found.one(n)
        for n in (*first, *(at[roots[found.keys[n]]] for n in first if found.keys[n] in roots))
    }
    shown = [findings.carry(known[found.keys[n]], known, carried) for n in first]
    return sorted(shown, key=lambda j: (-j.score, j.address, j.writer))


def _subject(connection: duckdb.DuckDBPyConnection, subject: str) -> tuple[str, Callable[[Key], bool]]:
    """The typed domain, and which writers and addresses there are asked for."""
    history.macros(connection)
    if "@" in subject:
        local, domain = domains.parts(subject)
        plain = connection.execute("select local_of(?)", [f"{local.lower()}@{domain}"]).fetchall()[0][0]
        return domain, lambda key: key[1] == (plain, domain)
    if "." in subject:
        domain = domains.a_label(subject)
        return domain, lambda key: key[1][1] == domain
    named = store.delivery(connection, subject)
    keys = _keys(connection, history.MAIL, "delivery_id = $id", {"id": named}) if named else []
    if not keys:
        raise _absent(subject)
    return keys[0][1][1], lambda key: key == keys[0]


def _written_to(connection: duckdb.DuckDBPyConnection, domain: str, wanted: Callable[[Key], bool]) -> bool:
    given = {"domain": domain}
    return any(wanted(key) for key in _keys(connection, history.MAIL_TO, "recipient_domain = $domain", given))


def _keys(connection: duckdb.DuckDBPyConnection, mail: str, test: str, given: Mapping[str, str]) -> list[Key]:
    """Who wrote to which address in these outbound deliveries."""
    query = (
        "select distinct writer_local, writer_domain, recipient_local, recipient_domain from "
        f"({mail}) where direction = 'outbound' and {test}"
    )
    return [((row[0], row[1]), (row[2], row[3])) for row in connection.execute(query, dict(given)).fetchall()]


def _absent(subject: str) -> UsageError:
    return UsageError(
        f"{subject}: no outbound delivery of that name",
        expected=f"an address or a domain that mail was sent to, {shortened.EXPECTED}",
        remedy='`missent sql --case DIR "select delivery_id, recipient from deliveries"` lists them',
    )


_FIRST = f"""
select k.at, m.delivery_id, m.t from ({history.MAIL_TO} where list_contains($begin, left(recipient_key, $letters))) m
join explained k using (writer_local, writer_domain, recipient_local, recipient_domain) where m.direction = 'outbound'
qualify row_number() over (partition by k.at order by m.t, m.delivery_id) <= $most order by k.at, m.t, m.delivery_id
"""
_DELIVERIES = """
select delivery_id, epoch_us(submitted_at) as at, sender, recipient, outcome::varchar as outcome, records
from deliveries where (recipient_domain = $domain or recipient_domain is null)
  and submitted_at in (select t from explained_first) and delivery_id in (select delivery_id from explained_first)
"""


def _deliveries(
    connection: duckdb.DuckDBPyConnection, domain: str, chosen: Sequence[Judged]
) -> list[tuple[dict[str, Any], ...]]:
    """The first deliveries of each, in order of time; the tables are gone through once for all of them."""
    if not chosen:
        return []
    given = {
        "at": pa.array(range(len(chosen)), pa.int64()),
        "writer_local": pa.array([one.writer[0] for one in chosen], pa.string()),
        "writer_domain": pa.array([one.writer[1] for one in chosen], pa.string()),
        "recipient_local": pa.array([one.address[0] for one in chosen], pa.string()),
        "recipient_domain": pa.array([one.address[1] for one in chosen], pa.string()),
    }
    connection.register("explained", pa.table(given))
    most = max(1, min(DELIVERIES, IN_ALL // len(chosen)))
    # Every local part is a beginning of its address as logged: few rows are taken apart.
    letters = min(len(one.address[0]) for one in chosen)
    begin = sorted({one.address[0][:letters] for one in chosen})
    first = connection.sql(
        _FIRST, params={"domain": domain, "most": most, "letters": letters, "begin": begin}
    ).to_arrow_table()
    connection.unregister("explained")
    connection.register("explained_first", first)
    names = ("delivery_id", "submitted_at", "sender", "recipient", "outcome", "records")
    rows = connection.execute(_DELIVERIES, {"domain": domain}).fetchall()
    connection.unregister("explained_first")
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    for delivery in found.values():
        delivery["submitted_at"] = findings.moment(delivery["submitted_at"]).isoformat()
    named: list[list[dict[str, Any]]] = [[] for _ in chosen]
    for at, name in zip(first["at"].to_pylist(), first["delivery_id"].to_pylist(), strict=True):
        named[at].append(found[name])
    return [tuple(own) for own in named]


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
        one.score_without_theirs,
        one.contested,
        "low" if one.contested else findings.level(one.score),
        one.reasons,
        one.alternatives,
        deliveries,
    )


def _note(domain: str, chosen: int, good: bool) -> str:
    if good:
        return f"case.toml names {domain} as known-good: it is never accused, whatever the weight."
    if not chosen:
        return f"No domain that the organisation knows lies one slip away from {domain}: there is nothing to weigh."
    if chosen > SHOWN:
        return f"{chosen:,} pairs of sender and address; the {SHOWN} most probable slips follow."
    return ""


def _head(subject: str, domain: str, prior: float, note: str) -> str:
    lines = [f"{subject}: mail to {domain}"]
    lines.append(
        f"Before its own evidence is weighed, one in {round(1 / prior):,} domains is taken for a mere slip of another."
    )
    return "\n".join([*lines, *([note] if note else [])])


def _text(one: Explained) -> str:
    width = max(len(r["name"]) for r in one.reasons)
    chance = f"{one.score:.4f}" if one.score >= 0.0001 else "below 0.0001"
    verdict = f"log10 odds: a slip with probability {chance} ({'contested' if one.contested else one.level})"
    lines = [
        f"{one.writer} → {one.address}",
        f"  either  {one.propositions[0]}",
        f"  or      {one.propositions[1]}",
        f"  {one.prior:+8.4f}  {'prior':<{width}}  log10 odds before evidence",
        *(f"  {r['weight']:+8.4f}  {r['name']:<{width}}  {r['text']}" for r in one.reasons),
        f"  {one.prior + one.weight:+8.4f}  {'sum':<{width}}  {verdict}",
    ]
    if one.contested:
        told = f"probability {one.score_without_theirs:.4f}"
        lines.append(f"  contested: without what the owner of the domain can bring about, {told}")
    lines += [f"  alternative: {name}, probability {score:.4f}" for name, score in one.alternatives]
    for delivery in one.deliveries:
        where = ", ".join(f"{r['evidence'][:12]} record {r['number']}" for r in delivery["records"] or ())
        lines.append(
            f"  {delivery['submitted_at']}  {delivery['delivery_id'][:16]}  {delivery['outcome']}"
            + (f"  [{where}]" if where else "")
        )
    return "\n".join(lines)
