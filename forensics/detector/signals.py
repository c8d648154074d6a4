"""Facts about each (writer, address, candidate), measured from the history tables in DuckDB.

One row per distinct pair of writer and address and per domain that the address could have been meant for. The
columns are plain measurements; `weighing.py` turns them into signals and weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from forensics.detector.candidates import Candidate
from forensics.detector.exposure import unrelated

if TYPE_CHECKING:
    import duckdb

RESENT_WITHIN = "7 days"
"""A message to the meant address this long after the slip counts as written afterwards (the corpora's README: 53 % of
slips against 2 % of legitimate neighbours)."""

APART = "30 days"
"""Writers who first use one address within this time of each other may have it from each other; further apart they
are counted as independent."""

_TRIPLES = f"""
create or replace temp table suspects as
select p.*, c.meant, c.kind, c.channel, c.part, c.seen, c.unrelated
from pairs p join candidates c on p.rd = c.typed where p.direction = 'outbound';

create or replace temp table moments as
select s.wl, s.wd, s.rl, s.rd, s.meant, m.t, m.message, m.subject, m.size, m.via
from suspects s join mail m on m.rd = s.rd and m.rl = s.rl and m.wl = s.wl and m.wd = s.wd and m.direction = 'outbound';

create or replace temp table company as
with others as (
    select message, rd, rl, t from mail
    where direction in ('outbound', 'internal') and rd in (select distinct meant from suspects)
      and message in (select distinct message from moments)
)
select k.wl, k.wd, k.rl, k.rd, k.meant,
       count(distinct k.message) filter (o.rl = k.rl) as beside_same,
       count(distinct k.message) filter (o.rl <> k.rl) as beside_domain
from moments k join others o on o.message = k.message and o.rd = k.meant group by all;

create or replace temp table resent as
with again as (
    select wl, wd, rl, rd, t, message, subject, size from mail
    where direction in ('outbound', 'internal') and (rl, rd) in (select distinct rl, meant from suspects)
)
select k.wl, k.wd, k.rl, k.rd, k.meant,
       min(epoch(a.t - k.t)) as gap_after,
       min(epoch(a.t - k.t)) filter (k.subject is not null
            and topic_of(a.subject) = topic_of(k.subject)) as gap_same_subject,
       min(epoch(a.t - k.t)) filter (a.size between k.size * 0.97 and k.size * 1.03) as gap_same_size
from moments k join again a on a.rd = k.meant and a.rl = k.rl and a.wl = k.wl and a.wd = k.wd
-- A message that goes to both addresses corrects nothing.
anti join moments b on b.wl = k.wl and b.wd = k.wd and b.rl = k.rl and b.rd = k.rd and b.meant = k.meant
    and b.message = a.message
where a.t between k.t and k.t + interval '{RESENT_WITHIN}' group by all;

create or replace temp table earlier as
select s.wl, s.wd, s.rl, s.rd, s.meant,
       count(distinct m.message) filter (m.t < s.first) as n, count(distinct m.message) as ever
from suspects s join mail m on m.rd = s.meant and m.rl = s.rl and m.wl = s.wl and m.wd = s.wd
    and m.direction in ('outbound', 'internal')
group by all;

create or replace temp table starts as
with firsts as (
    select rd, rl, wl, wd, min(t) as t, bool_or(via) as via from mail
    where direction = 'outbound' and rd in (select distinct typed from candidates) group by all
), ordered as (
    select *, t - lag(t) over (partition by rd, rl order by t, wd, wl) as gap from firsts
), apart as (
    select * from ordered where gap is null or gap > interval '{APART}'
)
-- One writer who uses many addresses is one, however far apart. At a name that cannot be the meant one's second name,
-- an address that the meant domain has is judged on its own merits and makes nobody a witness for the typed domain.
select c.typed, c.meant, count(distinct (a.wl, a.wd)) filter (not c.unrelated or k.l is null) as writers,
       count(distinct (a.wl, a.wd)) filter (a.via and (not c.unrelated or k.l is null)) as lists
from apart a join candidates c on c.typed = a.rd left join addresses k on k.l = a.rl and k.d = c.meant group by all;

create or replace temp table fellows as
select o.d as typed, c.meant, count(*) as addresses, count(k.l) as shared
from (select distinct rl as l, rd as d from pairs) o join candidates c on c.typed = o.d
left join addresses k on k.l = o.l and k.d = c.meant group by all;
"""

_SIGNALS = """
select s.wl, s.wd, s.rl, s.rd, s.meant, s.kind, s.channel, s.part, s.seen, s.unrelated, s.via,
    s.n, s.messages, s.first, s.last, s.no_domain, s.failed,
    coalesce(e.n, 0) as times_before, coalesce(e.ever, 0) as times_right, coalesce(e.n > 0, false) as wrote_before,
    coalesce(r.gap_after is not null, false) as wrote_after,
    r.gap_after, r.gap_same_subject, r.gap_same_size,
    k.l is not null as address_known, coalesce(k.inn, 0) as address_in, coalesce(k.writers, 0) as address_writers,
    coalesce(k.lists, 0) as address_lists,
    coalesce(c.beside_same, 0) as beside_same, coalesce(c.beside_domain, 0) as beside_domain,
    coalesce(h.n, 0) as answered_anyone, coalesce(t.inn, 0) as typed_in, coalesce(t.pairs, 0) as typed_pairs,
    coalesce(m.pairs, 0) as meant_pairs, coalesce(i.writers, 0) as typed_writers,
    coalesce(i.lists, 0) as typed_lists,
    coalesce(m.first < t.first, false) as meant_older,
    f.addresses as typed_addresses, f.shared as typed_shared
from suspects s
left join earlier e on e.wl = s.wl and e.wd = s.wd and e.rl = s.rl and e.rd = s.rd and e.meant = s.meant
left join addresses k on k.l = s.rl and k.d = s.meant
left join company c on c.wl = s.wl and c.wd = s.wd and c.rl = s.rl and c.rd = s.rd and c.meant = s.meant
left join resent r on r.wl = s.wl and r.wd = s.wd and r.rl = s.rl and r.rd = s.rd and r.meant = s.meant
left join written h on h.sl = s.rl and h.sd = s.rd
left join standing t on t.d = s.rd
left join standing m on m.d = s.meant
left join starts i on i.typed = s.rd and i.meant = s.meant
left join fellows f on f.typed = s.rd and f.meant = s.meant
order by s.rd, s.rl, s.wd, s.wl, s.meant
"""


def measure(connection: duckdb.DuckDBPyConnection, candidates: Sequence[Candidate]) -> pa.Table:
    """One row of measurements per (writer, address, candidate); needs `history.build`.

    Key: `wl@wd` the writer, `rl@rd` the address as sent, `meant` the candidate domain. Counts are deliveries unless
    named otherwise; gaps are seconds; `typed_*` and `meant_*` speak of the two domains as a whole.
    """
    table = pa.table(
        {
            "typed": pa.array([c.typed for c in candidates], pa.string()),
            "meant": pa.array([c.meant for c in candidates], pa.string()),
            "kind": pa.array([c.slip.kind for c in candidates], pa.string()),
            "channel": pa.array([c.slip.log10 for c in candidates], pa.float64()),
            "part": pa.array([c.slip.part for c in candidates], pa.string()),
            "seen": pa.array([c.seen for c in candidates], pa.bool_()),
            "unrelated": pa.array([unrelated(c.typed, c.meant) for c in candidates], pa.bool_()),
        }
    )
    connection.register("candidates_given", table)
    connection.execute("create or replace temp table candidates as select * from candidates_given")
    connection.unregister("candidates_given")
    connection.execute(_TRIPLES)
    return connection.sql(_SIGNALS).to_arrow_table()
