"""Who wrote to whom: the deliveries aggregated to distinct (sender, address) pairs and correspondents, in DuckDB.

Everything here is SQL over one view `deliveries` (columns of schema.DELIVERIES and `direction`), so that memory
stays bounded by the number of distinct addresses and not of messages: DuckDB writes to its folder what it may not hold,
except where it counts distinct values in groups; so these are counted by grouping twice. Addresses are compared in a
normalised form: lower-case, without +tag, BATV prefix (`prvs=…=`), SRS rewriting (`SRS0=…=domain=local`) or VERP tail.

A domain with a sign that stands for a lost letter (`m?nchen.example`, U+FFFD) is none: it is not what was logged.

When a message reached a recipient through an alias or list, the *list* chose the address: then the list stands as
the sender of the pair (`via` is true).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import pyarrow as pa

from forensics import domains, schema

if TYPE_CHECKING:
    import duckdb

_NAMED = f"create or replace temp macro named(d) as case when d ~* '{domains.LOST}' then '' else d end;"
_MACROS = r"""
create or replace temp macro tail_of(a) as lower(regexp_extract(a, '@([^@]*)$', 1));
create or replace temp macro unwrap(a) as
    case when a ~* '^srs[01][=+-].*=.*=.*@'
         then regexp_replace(lower(a), '^srs[01][=+-].*=([^=]+)=([^=@]+)@.*$', '\2@\1')
         when a ~* '^prvs=[^=]*=.*@' then regexp_replace(lower(a), '^prvs=[^=]*=', '')
         else lower(a) end;
create or replace temp macro local_of(a) as
    regexp_replace(
        regexp_replace(regexp_replace(a, '@[^@]*$', ''), '(.)\+.*$', '\1'), '^(bounces?|return)[-_].*$', '\1');
create or replace temp macro topic_of(s) as regexp_replace(lower(s), '^ *((re|fwd?|aw|wg|tr|sv|antw) *: *)+', '');
"""

_MAIL = r"""
with plain as (
    select delivery_id, direction, submitted_at as t,
           unwrap(sender) as sender_key,
           coalesce(nullif(named(sender_domain), ''), named(tail_of(sender)), '') as logged_domain,
           lower(recipient) as recipient_key,
           named(coalesce(recipient_domain, tail_of(recipient), '')) as recipient_domain,
           lower(original_recipient) as list_key,
           coalesce(message_id, network_message_id, host || ' ' || queue_id || ' ' || submitted_at) as message,
           outcome, subject, size_bytes as size,
           case when outcome in ('bounced', 'expired', 'rejected') then 1 else 0 end as failed,
           case when outcome in ('bounced', 'expired', 'rejected') and (
                    coalesce(status_code, '') in ('5.4.4', '5.1.2', '5.4.310', '5.4.312', '4.4.312', '4.4.4') or
                    coalesce(response, '') ~* (
                        '(host or domain name not found|domain not found|name service error|nxdomain|host unknown|'
                        || 'unknown host|no such domain|nonexistentdomain|domain does not exist|dns domain)'))
                then 1 else 0 end as no_domain,
           case when outcome in ('bounced', 'expired', 'rejected')
                    and coalesce(response, '') ~* '(null ?mx|domain .{1,255} does not accept mail)'
                then 1 else 0 end as no_mail,
           lower(rtrim(coalesce(nullif(relay_name, ''), relay_address, ''), '.')) as relay
    from deliveries where coalesce(sender, '') <> '' {chosen}
)
select delivery_id, direction, t, message, outcome, subject, size, no_domain, no_mail, failed, relay,
       local_of(sender_key) as sender_local,
       case when sender_key ~* '@' then named(a_tail(sender_key, logged_domain))
            else logged_domain end as sender_domain,
       local_of(recipient_key) as recipient_local, recipient_domain,
       list_key is not null as via,
       case when list_key is not null then local_of(list_key) else sender_local end as writer_local,
       case when list_key is not null then named(tail_of(list_key)) else sender_domain end as writer_domain
from plain
"""

MAIL = _MAIL.replace("{chosen}", "")
"""Every delivery with a sender as a row of `mail`."""
MAIL_TO = _MAIL.replace(
    "{chosen}", "and (deliveries.recipient_domain = $domain or deliveries.recipient_domain is null)"
)
"""Those whose recipient's domain is `$domain`, and all without one: the file's own column tells which to read."""

_TABLES = r"""
create or replace temp table pairs as
    select writer_local, writer_domain, recipient_local, recipient_domain,
           bool_or(via) as via, sum(n)::bigint as n, count(*) as messages, min(first) as first, max(last) as last,
           sum(no_domain) / sum(n) as no_domain, sum(no_mail) / sum(n) as no_mail, sum(failed) / sum(n) as failed,
           min(direction) as direction
    from (
        select writer_local, writer_domain, recipient_local, recipient_domain, message,
               bool_or(via) as via, count(*) as n, min(t) as first, max(t) as last, sum(no_domain) as no_domain,
               sum(no_mail) as no_mail, sum(failed) as failed, min(direction) as direction
        from mail where direction in ('outbound', 'internal')
          and (writer_local <> recipient_local or writer_domain <> recipient_domain) group by all
    ) group by all;
create or replace temp table inbound as
    select sender_local, sender_domain, recipient_local, recipient_domain,
           count(*) as n, min(t) as first, max(t) as last
    from mail where direction = 'inbound' group by all;
-- What each address has written itself: messages, not deliveries.
create or replace temp table written as
    select sender_local, sender_domain, count(*) as n, min(first) as first from (
        select sender_local, sender_domain, message, min(t) as first from mail
        where direction in ('inbound', 'outbound', 'internal') group by all
    ) group by all;
create or replace temp table addresses as
    select l, d, sum(out)::bigint as out, sum(inn)::bigint as inn, count(distinct w) filter (not via) as writers,
           count(distinct w) filter (via) as lists, min(first) as first
    from (
        select recipient_local as l, recipient_domain as d, writer_local || '@' || writer_domain as w, via,
               n as out, 0 as inn, first from pairs
        union all select sender_local, sender_domain, null, null, 0, n, first from written
        union all select recipient_local, recipient_domain, null, null, 0, 0, min(first) from inbound group by all
    ) group by all;
create or replace temp table domain_stats as
    select d, sum(pairs)::bigint as pairs, sum(out)::bigint as out, sum(inn)::bigint as inn,
           sum(na)::bigint as addresses, sum(senders)::bigint as senders,
           min(first) as first, max(last) as last, round(sum(no_domain) / greatest(sum(out), 1), 6) as no_domain,
           round(sum(no_mail) / greatest(sum(out), 1), 6) as no_mail,
           round(sum(failed) / greatest(sum(out), 1), 6) as failed
    from (
        select recipient_domain as d, count(*) as pairs, sum(n) as out, 0 as inn,
               count(distinct recipient_local) as na, count(distinct writer_local || '@' || writer_domain) as senders,
               min(first) as first, max(last) as last,
               sum(no_domain * n) as no_domain, sum(no_mail * n) as no_mail, sum(failed * n) as failed
        from pairs group by all
        union all
        select sender_domain, count(*), 0, sum(n), 0, 0, min(first), max(last), 0, 0, 0 from inbound group by all
    ) group by all;

-- What the organisation's own people use: distinct pairs of writer and address, and writers.
create or replace temp table own_use as
select recipient_domain as d, count(*) as pairs, count(distinct writer_local || '@' || writer_domain) as writers
from pairs where direction in ('outbound', 'internal') group by all;
"""


def macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what `MAIL` needs."""
    connection.execute(_NAMED + _MACROS)
    connection.execute(
        "create or replace temp macro a_tail(a, d) as case when tail_of(a) <> '' then tail_of(a) else d end"
    )


def build(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the temp tables `mail`, `pairs`, `inbound`, `addresses`, `domain_stats` and others from the view
    `deliveries`."""
    macros(connection)
    connection.execute("create or replace temp table mail as " + MAIL)
    connection.execute(_TABLES)
    register(connection)


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the temp table `registered`: each domain written to (`d`) with its registered domain."""
    names = outside(connection)
    table = pa.table(
        {
            "d": pa.array(names, pa.string()),
            "registered": pa.array([domains.split(name).registered or name for name in names], pa.string()),
        }
    )
    connection.register("registered_given", table)
    connection.execute("create or replace temp table registered as select * from registered_given")
    connection.unregister("registered_given")


def outside(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Domains that outbound mail went to, sorted."""
    rows = connection.execute(
        "select distinct recipient_domain from pairs where direction = 'outbound' and recipient_domain <> '' "
        "order by recipient_domain"
    ).fetchall()
    return [r[0] for r in rows]


def known(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Every domain that was written to, wrote, or is the organisation's own, sorted."""
    rows = connection.execute("select distinct d from addresses where d <> '' order by d").fetchall()
    return [r[0] for r in rows]


RARE = 12
"""A local part that stands at more domains than this (`info`, `john`) ties none of them together."""

_ALIKE = f"""
with rare as (
    select l from addresses where length(l) >= 2 and d <> '' group by l having count(distinct d) between 2 and {RARE}
)
select distinct w.recipient_domain as typed, a.d as meant, w.recipient_local as local
from (select distinct recipient_local, recipient_domain from pairs where direction = 'outbound') w
join rare r on r.l = w.recipient_local join addresses a on a.l = w.recipient_local and a.d <> w.recipient_domain
where a.d <> '' and w.recipient_domain <> '' and (starts_with(a.d, w.recipient_domain)
    or starts_with(w.recipient_domain, a.d) or jaro_winkler_similarity(a.d, w.recipient_domain) >= 0.8
    or split_part(a.d, '.', 1) = split_part(w.recipient_domain, '.', 1))
order by typed, meant, local
"""


def alike(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """(typed domain, other domain, local part): addresses written to whose rare local part exists at a domain of a name
    that is somehow alike. At most RARE times as many as there are addresses."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_ALIKE).fetchall()]


_CORRESPONDENTS = r"""
with wrote as (
    select d, sum(n)::bigint as messages_out, count(*) as senders, min(first) as first, max(last) as last from (
        select recipient_domain as d, sender_local || '@' || sender_domain as sender, count(*) as n,
               min(t) as first, max(t) as last
        from mail where direction = 'outbound' group by all
    ) group by all
), came as (
    select sender_domain as d, count(*) as messages_in, min(t) as first, max(t) as last
    from mail where direction = 'inbound' group by all
), answers as (
    select m.sender_domain as d, count(*) as replies from mail m
    join (select sender_local, sender_domain, recipient_local, recipient_domain, min(t) as t
          from mail where direction = 'outbound' group by all) w
      on m.direction = 'inbound' and w.t < m.t
     and w.recipient_local = m.sender_local and w.recipient_domain = m.sender_domain
     and w.sender_local = m.recipient_local and w.sender_domain = m.recipient_domain
    group by all
)
select coalesce(w.d, c.d) as domain, coalesce(messages_out, 0) as messages_out, coalesce(messages_in, 0) as messages_in,
       coalesce(senders, 0) as senders, coalesce(replies, 0) as replies,
       least(w.first, c.first) as first_seen, greatest(w.last, c.last) as last_seen
from wrote w full join came c on w.d = c.d left join answers a on a.d = coalesce(w.d, c.d)
where coalesce(w.d, c.d) <> '' order by domain
"""


def correspondents(connection: duckdb.DuckDBPyConnection, org: Collection[str]) -> pa.Table:
    """The CORRESPONDENTS table: external domains with their history."""
    table = connection.sql(_CORRESPONDENTS).to_arrow_table()
    names = table.column("domain").to_pylist()
    keep = [not domains.within(name, org) for name in names]
    table = table.filter(pa.array(keep, pa.bool_()))
    cuts = [domains.split(name) for name in table.column("domain").to_pylist()]
    columns = {
        **{name: table.column(name) for name in table.column_names},
        "registered_domain": pa.array([c.registered for c in cuts], pa.string()),
        "suffix": pa.array([c.suffix for c in cuts], pa.string()),
    }
    return pa.table({f.name: columns[f.name].cast(f.type) for f in schema.CORRESPONDENTS}, schema=schema.CORRESPONDENTS)
