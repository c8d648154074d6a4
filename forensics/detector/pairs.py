"""The pair above the writer: what speaks for a typed domain being only a slip for another, over all who used it.

One row for each typed domain and each domain that it could stand for. A fact that many writers share is one fact here,
so that a hundred messages from one address book are not a hundred proofs, nor a hundred independent witnesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from forensics.detector import wellknown
from forensics.detector.channel import GROUPS
from forensics.detector.confusables import foreign
from forensics.detector.freemail import is_freemail
from forensics.detector.signals import APART

if TYPE_CHECKING:
    import duckdb

    from forensics.lookups import Lookup

SIGNALS: dict[str, str] = {
    "slip": "how well one slip explains the typed name (log10 ratio, detector.channel)",
    "homograph": "the typed name is the meant one in letters of another script that look the same",
    "usage": "how many more pairs of the organisation's own writers and their addresses the meant domain has than the "
    "typed one (log10 ratio, -3 to 3)",
    "usage-owner": "the same, where one owner may well hold both names: another suffix, a hyphen, a dot, a host",
    "address-known": "share of the addresses used at the typed domain whose local part exists at the meant one",
    "wrote-before": "share of those addresses that some writer had used at the meant domain before",
    "wrote-after": "share of those addresses that some writer used at the meant domain within 7 days afterwards",
    "resent": "such a later message has the same subject, or the same size within a day (share of addresses)",
    "beside-same": "share of the addresses that went into one message, or one list, together with their likes "
    "at the meant domain",
    "beside-domain": "share of the addresses that went into one message with other addresses at the meant domain",
    "returned": "addresses that were used at the meant domain both before and after the typed one was in use "
    "(log10 of 1 + number)",
    "moved": "addresses that fell silent at one of the two domains before they appeared at the other "
    "(log10 of 1 + number)",
    "silent": "the typed domain never sent mail to the organisation (-log10 of the share of domains of like use "
    "that never did in this log; 0 without inbound mail)",
    "own-mail": "the typed domain has sent mail to the organisation (1 and half the log10 of messages, at most 3)",
    "answered": "addresses written to at the typed domain that wrote to the organisation (log10 of 1 + number)",
    "strangers": "addresses at the typed domain that the meant domain does not have (log10 of 1 + number)",
    "established": "many pairs use the typed domain and it has people of its own (log10 of pairs times strangers)",
    "writers": "writers who came to use the typed domain independently of each other (log10 of number)",
    "kin": "other domains below the typed one's registered domain, of which none could be a slip for the meant one's "
    "(log10 of 1 + their pairs of writer and address, at most 2)",
    "newcomer": "the meant domain was in use before the typed one first appeared",
    "unseen": "the meant domain never appears in the log: only a watched zone or the list of known domains suggests it",
    "listed": "it never appears, and is a large provider's, a public body's or a university's by the list that ships",
    "free-mail": "the typed domain is a large mail provider's own",
    "provider": "the meant domain is a large mail provider's own, and the typed one is none of theirs",
    "far": "the names alone would not suggest it: only the address does",
    "no-such-domain": "refused because the typed domain does not exist (share of deliveries)",
    "no-mail": "refused because the typed domain declares that it takes no mail (share of deliveries)",
    "turned-away": "refused or never accepted for another reason (share of deliveries)",
    "one-server": "one server that serves few domains accepted mail for both",
    "asked-gone": "the typed domain did not exist when an investigator asked (0 where the log says so already)",
    "asked-no-mail": "it then took no mail, by a null MX, or was parked for sale",
}
"""Each signal's name and meaning. 0 says nothing."""

NAMES = tuple(SIGNALS)
THEIRS = ("own-mail", "answered", "no-mail", "one-server", "asked-no-mail")
"""What the owner of the typed domain can bring about to be taken for another: its mail, its servers, its zone. What
does not exist has no owner, and nobody gains by turning mail away."""
OF_DOMAIN = ("silent", "own-mail", "answered", "strangers", "established", "writers", "kin", "free-mail", "one-server")
"""What tells whether the typed domain is somebody's own, whoever slipped to it."""
SERVES = 10
"""A server that accepted mail for more registered domains than this is a provider's and ties no two of them
together."""
ONE_OWNER = frozenset(("suffix", "signs"))
"""Groups of slips that one owner's names differ by."""

_MEASURE = f"""
create or replace temp table uses as
select l, d, min(first) as first, max(last) as last from (
    select recipient_local as l, recipient_domain as d, first, last from pairs
    union all select sender_local, sender_domain, first, last from inbound
) where d in (select typed from candidates union select meant from candidates) group by all;

create or replace temp table shared_people as
select c.typed, c.meant, t.l,
       m.first < t.first and m.last > t.last as returned,
       m.last < t.first or t.last < m.first as moved
from candidates c join uses t on t.d = c.typed join uses m on m.d = c.meant and m.l = t.l;

-- Two addresses of one person, as one writer used them. Whoever keeps to a wrong address for more than the time that a
-- change takes, and had known the right one, is rare; whoever is told of a new one does.
create or replace temp table went_over as
select c.typed, c.meant,
       count(distinct (t.writer_local, t.writer_domain)) filter (r.first < t.first
            and r.last <= t.first + interval '{APART}' and t.last > t.first + interval '{APART}') as went,
       count(distinct (t.writer_local, t.writer_domain)) filter (r.last > t.first + interval '{APART}') as stayed
from candidates c join pairs t on t.recipient_domain = c.typed
join pairs r on r.recipient_domain = c.meant and r.recipient_local = t.recipient_local
    and r.writer_local = t.writer_local and r.writer_domain = t.writer_domain
group by all;

create or replace temp table answers as
select p.recipient_domain as d, count(distinct p.recipient_local) as n
from pairs p join written w on w.sender_local = p.recipient_local and w.sender_domain = p.recipient_domain
where p.direction = 'outbound' and p.recipient_domain in (select typed from candidates) group by all;

-- What takes mail for everybody says nothing of who owns a domain (`relays.next_hops`).
create or replace temp table relays as
select distinct recipient_domain as d, relay from mail
where direction = 'outbound' and outcome = 'delivered' and relay <> ''
  and relay not in (select relay from next_hops);

create or replace temp table one_server as
with served as (select relay, count(distinct registered) as n from relays join registered using (d) group by relay)
select c.typed, c.meant, min(s.n) as serves
from candidates c join relays a on a.d = c.typed join relays b on b.d = c.meant and b.relay = a.relay
join served s on s.relay = a.relay where s.n <= {SERVES} group by all;

create or replace temp table kin as
with sister as (
    select r.registered, u.d, u.pairs from own_use u join registered r using (d)
), slipped as (
    select distinct c.typed as d, m.registered as meant from candidates c join registered m on m.d = c.meant
)
select c.typed, c.meant, sum(s.pairs)::bigint as pairs
from candidates c join registered t on t.d = c.typed left join registered m on m.d = c.meant
join sister s on s.registered = t.registered and s.d <> c.typed
where t.registered is distinct from coalesce(m.registered, c.meant)
  and not exists (select 1 from slipped x where x.d = s.d and x.meant = coalesce(m.registered, c.meant))
group by all;

create or replace temp table by_address as
select s.recipient_domain as typed, s.meant, s.recipient_local as l,
       max(case when k.l is not null then 1.0 else 0.0 end) as known,
       max(case when e.n > 0 then 1.0 else 0.0 end) as before,
       max(case when r.gap_after is not null then 1.0 else 0.0 end) as after,
       max(case when r.gap_same_subject >= 0 or r.gap_same_size between 0 and 86400 then 1.0 else 0.0 end) as resent,
       max(case when c.beside_same > 0 then 1.0 else 0.0 end) as beside_same,
       max(case when c.beside_domain > 0 then 1.0 else 0.0 end) as beside_domain
from suspects s
left join earlier e using (writer_local, writer_domain, recipient_local, recipient_domain, meant)
left join co_recipients c using (writer_local, writer_domain, recipient_local, recipient_domain, meant)
left join resent r using (writer_local, writer_domain, recipient_local, recipient_domain, meant)
left join addresses k on k.l = s.recipient_local and k.d = s.meant group by all;
"""

_PAIRS = """
with a as (
    select typed, meant, count(*) as n, avg(known) as known, avg(before) as before, avg(after) as after,
           avg(resent) as resent, avg(beside_same) as beside_same,
           avg(case when beside_same > 0 then 0.0 else beside_domain end) as beside_domain
    from by_address group by all
), p as (
    select typed, meant, count(*) as shared, count(*) filter (returned) as returned,
           count(*) filter (moved) as moved
    from shared_people group by all
)
select c.typed, c.meant, c.kind, c.channel, c.part, c.seen, c.unrelated,
       a.n as addresses, a.known, a.before, a.after, a.resent, a.beside_same, a.beside_domain,
       coalesce(p.shared, 0) as shared, coalesce(p.returned, 0) as returned,
       coalesce(p.moved, 0) as moved, coalesce(g.went, 0) as went, coalesce(g.stayed, 0) as stayed,
       coalesce(ut.pairs, 0) as typed_pairs, coalesce(um.pairs, 0) as meant_pairs,
       coalesce(um.writers, 0) as meant_writers, coalesce(t.inn, 0) as typed_in, coalesce(m.inn, 0) as meant_in,
       coalesce(i.lists, 0) as typed_lists,
       coalesce(h.n, 0) as answered, greatest(coalesce(i.writers, 1), 1) as typed_writers,
       coalesce(m.first < t.first, false) as meant_older,
       coalesce(t.no_domain, 0) as no_domain, coalesce(t.no_mail, 0) as no_mail, coalesce(t.failed, 0) as failed,
       coalesce(n.pairs, 0) as kin, o.serves
from candidates c join a using (typed, meant) left join p using (typed, meant)
left join own_use ut on ut.d = c.typed left join own_use um on um.d = c.meant
left join domain_stats t on t.d = c.typed left join domain_stats m on m.d = c.meant
left join answers h on h.d = c.typed left join starts i on i.typed = c.typed and i.meant = c.meant
left join went_over g on g.typed = c.typed and g.meant = c.meant
left join kin n on n.typed = c.typed and n.meant = c.meant
left join one_server o on o.typed = c.typed and o.meant = c.meant
order by c.typed, c.meant
"""


def measure(connection: duckdb.DuckDBPyConnection, next_hops: Sequence[str] = ()) -> pa.Table:
    """One row of measurements per typed and meant domain, sorted; needs `signals.measure` and the table
    `registered`. `next_hops`: relays of the organisation's own, which say nothing of the domains behind them."""
    connection.register("hops_given", pa.table({"relay": pa.array(list(next_hops), pa.string())}))
    connection.execute("create or replace temp table next_hops as select * from hops_given")
    connection.unregister("hops_given")
    connection.execute(_MEASURE)
    return connection.sql(_PAIRS).to_arrow_table()


def asked(measured: pa.Table, lookups: Mapping[str, Lookup]) -> pa.Table:
    """The same with `asked_gone` and `asked_no_mail`, 1 where an investigator's lookup says so of the typed domain."""
    found = [lookups.get(name) for name in measured.column("typed").to_pylist()]
    gone = pa.array([float(one is not None and one.exists is False) for one in found], pa.float64())
    closed = pa.array([float(one is not None and (one.null_mx or one.parked)) for one in found], pa.float64())
    return measured.append_column("asked_gone", gone).append_column("asked_no_mail", closed)


STEPS = (1, 2, 4, 8, 16, 32)
"""Least number of pairs of each step of use by which `heard` compares domains."""

_HEARD = """
select u.pairs, coalesce(s.inn, 0) > 0 as heard, count(*) as n
from own_use u left join domain_stats s on s.d = u.d
where u.d in (select recipient_domain from pairs where direction = 'outbound') group by all
"""


def heard(connection: duckdb.DuckDBPyConnection) -> tuple[float, ...]:
    """For each of STEPS the share of external domains of such use that ever sent mail to the organisation in this log.

    What silence is worth depends on how much of the inbound mail the evidence holds: where domains of like use are
    mostly heard it is worth much, and without inbound mail nothing. Never less than for a lesser use; one domain more
    counts as silent, so that a few are no proof.
    """
    rows = connection.execute(_HEARD).fetchall()
    shares: list[float] = []
    for step, least in enumerate(STEPS):
        most = STEPS[step + 1] if step + 1 < len(STEPS) else None
        here = [(spoke, n) for pairs, spoke, n in rows if pairs >= least and (most is None or pairs < most)]
        share = sum(n for spoke, n in here if spoke) / (sum(n for _, n in here) + 1)
        shares.append(round(max([share, *shares[-1:]]), 4))
    return tuple(shares)


def silence(use: np.ndarray, spoke: tuple[float, ...]) -> np.ndarray:
    """What it tells that domains of such use (pairs of writer and address) never wrote: -log10 of the share of those
    that never did in this log. `spoke`: as from `heard`."""
    step = np.searchsorted(np.array(STEPS), np.maximum(use, 1.0), side="right") - 1
    return np.asarray(-np.log10(1.0 - np.minimum(np.array(spoke), 0.99))[step])


def homograph(measured: pa.Table) -> np.ndarray:
    """1 for rows whose typed domain only looks like the meant one, in letters of another script."""
    rows = zip(*(measured.column(name).to_pylist() for name in ("typed", "meant", "kind")), strict=True)
    return np.array(
        [float(kind == "lookalike" and foreign(typed) and not foreign(meant)) for typed, meant, kind in rows]
    )


def listed(measured: pa.Table) -> np.ndarray:
    """1 for rows whose meant domain the list of `wellknown` suggests."""
    rows = zip(*(measured.column(name).to_pylist() for name in ("typed", "meant", "kind")), strict=True)
    return np.array([float(row[1] in wellknown.names() and wellknown.believable(*row)) for row in rows])


def provider(measured: pa.Table) -> np.ndarray:
    """1 for rows whose meant domain is a large provider's own and whose typed domain is nobody's known to be one."""
    names = zip(measured.column("typed").to_pylist(), measured.column("meant").to_pylist(), strict=True)
    return np.array([float(is_freemail(meant) and not is_freemail(typed)) for typed, meant in names])


def matrix(
    measured: pa.Table, channel: np.ndarray, free: np.ndarray, spoke: tuple[float, ...], *, theirs: bool = True
) -> np.ndarray:
    """The matrix of signals (rows × NAMES). `channel`: `channel.weight` of each row; `free`: whether the typed domain
    is a mail provider's own; `spoke`: as from `heard`. Without `theirs` what THEIRS names is 0."""

    def column(name: str) -> np.ndarray:
        values: np.ndarray = np.nan_to_num(
            np.asarray(measured.column(name).to_numpy(zero_copy_only=False), dtype=float)
        )
        return values

    kinds = measured.column("kind").to_pylist()
    groups = [GROUPS[kind] for kind in kinds]
    known = column("known")
    strangers = np.round(column("addresses") * (1.0 - known))
    usage = np.clip(np.log10((column("meant_pairs") + 1.0) / (column("typed_pairs") + 1.0)), -3.0, 3.0)
    one_owner = np.array([group in ONE_OWNER for group in groups], dtype=bool)
    came = column("typed_in")
    refused = column("no_domain") + column("no_mail")
    serves = np.asarray(measured.column("serves").to_numpy(zero_copy_only=False), dtype=float)
    out = {
        "slip": channel,
        "homograph": homograph(measured),
        "usage": usage,
        "usage-owner": np.where(one_owner, usage, 0.0),
        "address-known": known,
        "wrote-before": column("before"),
        "wrote-after": column("after"),
        "resent": column("resent"),
        "beside-same": column("beside_same"),
        "beside-domain": column("beside_domain"),
        "returned": np.log10(1.0 + column("returned")),
        "moved": np.log10(1.0 + column("moved")),
        "silent": np.where(came == 0, silence(column("typed_pairs"), spoke), 0.0),
        "own-mail": np.where(came > 0, np.minimum(1.0 + np.log10(np.maximum(came, 1.0)) / 2.0, 3.0), 0.0),
        "answered": np.log10(1.0 + column("answered")),
        "strangers": np.log10(1.0 + strangers),
        "established": np.log10(np.maximum(column("typed_pairs"), 1.0)) * np.log10(1.0 + strangers),
        "writers": np.log10(np.maximum(column("typed_writers"), 1.0)),
        "kin": np.minimum(np.log10(1.0 + column("kin")), 2.0),
        "newcomer": column("meant_older"),
        "unseen": 1.0 - column("seen"),
        "listed": (1.0 - column("seen")) * listed(measured),
        "free-mail": free.astype(float),
        "provider": provider(measured),
        "far": np.array([group == "far" for group in groups], dtype=float),
        "no-such-domain": column("no_domain"),
        "no-mail": column("no_mail"),
        "turned-away": np.maximum(column("failed") - refused, 0.0),
        "one-server": np.where(np.isnan(serves), 0.0, 1.0),
        "asked-gone": np.where(column("no_domain") > 0, 0.0, column("asked_gone")),
        "asked-no-mail": np.where(column("no_mail") > 0, 0.0, column("asked_no_mail")),
    }
    if not theirs:
        out |= {name: np.zeros(len(measured)) for name in THEIRS}
    return np.stack([np.nan_to_num(out[name]) for name in NAMES], axis=1)
