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

_KEY = "writer_local, writer_domain, recipient_local, recipient_domain"
"""The writer (a mailing list, where one was expanded) and the address as sent."""

_TRIPLES = f"""
create or replace temp table suspects as
select p.*, c.meant, c.kind, c.channel, c.part, c.seen, c.unrelated
from pairs p join candidates c on p.recipient_domain = c.typed where p.direction = 'outbound';

create or replace temp table moments as
select {_KEY}, s.meant, m.t, m.message, m.subject, m.size, m.via
from suspects s join mail m using ({_KEY}) where m.direction = 'outbound';

create or replace temp table co_recipients as
with others as (
    select message, recipient_domain, recipient_local, t from mail
    where direction in ('outbound', 'internal') and recipient_domain in (select distinct meant from suspects)
      and message in (select distinct message from moments)
)
select k.writer_local, k.writer_domain, k.recipient_local, k.recipient_domain, k.meant,
       count(distinct k.message) filter (o.recipient_local = k.recipient_local) as beside_same,
       count(distinct k.message) filter (o.recipient_local <> k.recipient_local) as beside_domain
from moments k join others o on o.message = k.message and o.recipient_domain = k.meant group by all;

create or replace temp table resent as
with again as (
    select {_KEY}, t, message, subject, size from mail where direction in ('outbound', 'internal')
      and (recipient_local, recipient_domain) in (select distinct recipient_local, meant from suspects)
)
select k.writer_local, k.writer_domain, k.recipient_local, k.recipient_domain, k.meant,
       min(epoch(a.t - k.t)) as gap_after,
       min(epoch(a.t - k.t)) filter (k.subject is not null
            and topic_of(a.subject) = topic_of(k.subject)) as gap_same_subject,
       min(epoch(a.t - k.t)) filter (a.size between k.size * 0.97 and k.size * 1.03) as gap_same_size
from moments k join again a on a.recipient_domain = k.meant and a.recipient_local = k.recipient_local
    and a.writer_local = k.writer_local and a.writer_domain = k.writer_domain
-- A message that goes to both addresses corrects nothing.
anti join moments b on b.writer_local = k.writer_local and b.writer_domain = k.writer_domain
    and b.recipient_local = k.recipient_local and b.recipient_domain = k.recipient_domain and b.meant = k.meant
    and b.message = a.message
where a.t between k.t and k.t + interval '{RESENT_WITHIN}' group by all;

create or replace temp table earlier as
select s.writer_local, s.writer_domain, s.recipient_local, s.recipient_domain, s.meant,
       count(distinct m.message) filter (m.t < s.first) as n, count(distinct m.message) as ever
from suspects s join mail m on m.recipient_domain = s.meant and m.recipient_local = s.recipient_local
    and m.writer_local = s.writer_local and m.writer_domain = s.writer_domain
    and m.direction in ('outbound', 'internal')
group by all;

create or replace temp table starts as
with firsts as (
    select recipient_domain, recipient_local, writer_local, writer_domain, min(t) as t, bool_or(via) as via from mail
    where direction = 'outbound' and recipient_domain in (select distinct typed from candidates) group by all
), ordered as (
    select *, t - lag(t) over (
        partition by recipient_domain, recipient_local order by t, writer_domain, writer_local) as gap
    from firsts
), apart as (
    select * from ordered where gap is null or gap > interval '{APART}'
)
-- One writer who uses many addresses is one, however far apart. At a name that cannot be the meant one's second name,
-- an address that the meant domain has is judged on its own merits and makes nobody a witness for the typed domain.
select c.typed, c.meant,
       count(distinct (a.writer_local, a.writer_domain)) filter (not c.unrelated or k.l is null) as writers,
       count(distinct (a.writer_local, a.writer_domain)) filter (a.via and (not c.unrelated or k.l is null)) as lists
from apart a join candidates c on c.typed = a.recipient_domain
left join addresses k on k.l = a.recipient_local and k.d = c.meant group by all;
"""

_SIGNALS = f"""
select s.writer_local, s.writer_domain, s.recipient_local, s.recipient_domain, s.meant,
    s.kind, s.channel, s.part, s.seen, s.unrelated, s.via,
    s.n, s.messages, s.first, s.last, s.no_domain, s.failed,
    coalesce(e.n, 0) as times_before, coalesce(e.ever, 0) as times_right, coalesce(e.n > 0, false) as wrote_before,
    coalesce(r.gap_after is not null, false) as wrote_after,
    r.gap_after, r.gap_same_subject, r.gap_same_size,
    k.l is not null as address_known, coalesce(k.inn, 0) as address_in, coalesce(k.writers, 0) as address_writers,
    coalesce(k.lists, 0) as address_lists,
    coalesce(c.beside_same, 0) as beside_same, coalesce(c.beside_domain, 0) as beside_domain,
    coalesce(h.n, 0) as answered_anyone, coalesce(tu.pairs, 0) as typed_use, coalesce(mu.pairs, 0) as meant_use,
    coalesce(y.writers, 0) + coalesce(y.lists, 0) as address_users
from suspects s
left join earlier e using ({_KEY}, meant)
left join addresses k on k.l = s.recipient_local and k.d = s.meant
left join addresses y on y.l = s.recipient_local and y.d = s.recipient_domain
left join co_recipients c using ({_KEY}, meant)
left join resent r using ({_KEY}, meant)
left join written h on h.sender_local = s.recipient_local and h.sender_domain = s.recipient_domain
left join own_use tu on tu.d = s.recipient_domain
left join own_use mu on mu.d = s.meant
order by s.recipient_domain, s.recipient_local, s.writer_domain, s.writer_local, s.meant
"""


def measure(connection: duckdb.DuckDBPyConnection, candidates: Sequence[Candidate]) -> pa.Table:
    """One row of measurements per (writer, address, candidate); needs `history.build`.

    Key: `writer_local`, `writer_domain` of the writer, `recipient_local`, `recipient_domain` of the address as sent,
    `meant` the candidate domain. Counts are deliveries unless named otherwise; gaps are seconds; `typed_use` and
    `meant_use` are pairs of the organisation's writers and their addresses at the two domains.
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
