"""What is worth a person's look beside the findings, and is in no headline: domains that do not exist, and lookalikes
that write."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

_UNDELIVERABLE = """
select u.d as domain, s.out as deliveries, u.pairs, u.writers, strftime(s.first, '%Y-%m-%dT%H:%M:%SZ') as first_seen,
       strftime(s.last, '%Y-%m-%dT%H:%M:%SZ') as last_seen
from own_use u join domain_stats s on s.d = u.d
where s.no_domain >= 1 and s.inn = 0 and u.d in (select recipient_domain from pairs where direction = 'outbound')
order by s.out desc, u.d
"""


def undeliverable(connection: duckdb.DuckDBPyConnection, accused: Collection[str]) -> list[dict[str, Any]]:
    """Domains whose every delivery failed because there is no such domain, that never wrote, and that no finding names
    (`accused`): probably mistyped, the domain meant unknown.

    `domain`, `deliveries`, `pairs` of writer and address, `writers`, `first_seen`, `last_seen` (UTC). Needs
    `history.build`.
    """
    rows = connection.sql(_UNDELIVERABLE).to_arrow_table().to_pylist()
    return [row for row in rows if row["domain"] not in accused]


_WRITING = """
select l.typed as domain, l.meant as partner, count(*) as local_parts, sum(w.n)::bigint as messages,
       round(any_value(l.second), 4) as second
from judged l join written w on w.sender_domain = l.typed
join addresses a on a.d = l.meant and a.l = w.sender_local and a.out > 0
left join own_use t on t.d = l.typed left join own_use m on m.d = l.meant
where l.second < 0.5 and coalesce(m.pairs, 0) > coalesce(t.pairs, 0)
group by all order by messages desc, domain, partner
"""


def impersonation(connection: duckdb.DuckDBPyConnection, lookalikes: pa.Table) -> list[dict[str, Any]]:
    """Lookalikes that wrote to the organisation from local parts that it writes to at a busier partner, unless they
    are probably the partner's second name: `domain`, `partner`, `local_parts` and `messages` of theirs, `second` (the
    probability of a second name). A correspondent of that name, or someone who took it. Needs `history.build`."""
    connection.register("judged", lookalikes.select(["typed", "meant", "second"]))
    rows = connection.sql(_WRITING).to_arrow_table().to_pylist()
    connection.unregister("judged")
    return list(rows)
