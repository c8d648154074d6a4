"""The domains nearest the border, for a person to read: findings just above a score of .5, others just below it.

    python -m tests.bench.border --tables DIR [--count 20] [--messages 8]

Over albion, the real logs and the simulated hospital, ministry and law firm, each scored with the parameters that ship, as
the evaluation scores them. Prints, nearest first, what a careful reader would ask for: how much each of the two names is
used, by whom and when, who writes back, the parts of the score, and messages to the domain with their other recipients. The
label comes last, so that whoever reads can say first what they think. Names of real logs are other people's: what is
printed stays where the logs are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from forensics.detector import weighing
from forensics.detector.judging import Judged
from forensics.detector.weighing import Parameters
from tests.bench import detector, labelled, scoring
from tests.bench.labelled import Corpus
from tests.bench.scoring import Scored


def near(rows: Sequence[Scored], count: int) -> tuple[list[Scored], list[Scored]]:
    """(`count` domains with a finding at or above .5, as many below it), the nearest first. A domain that the detector
    has no candidate for lies nowhere near."""

    def distance(row: Scored) -> tuple[float, str, str]:
        return abs(weighing.log_odds(min(max(row.score, 1e-6), 1 - 1e-6))), row.corpus, row.typed

    ordered = sorted((row for row in rows if row.meant), key=distance)
    return [r for r in ordered if r.accused][:count], [r for r in ordered if not r.accused][:count]


_USE = """
select count(*) as pairs, count(distinct writer_local || writer_domain) as writers,
       count(distinct recipient_local) as addresses, coalesce(sum(n), 0)::bigint as deliveries,
       strftime(min(first), '%Y-%m-%d') as first, strftime(max(last), '%Y-%m-%d') as last, round(avg(failed), 2) as failed
from pairs where direction = 'outbound' and recipient_domain = ?
"""
_HEARD = "select coalesce(sum(n), 0)::bigint, count(distinct sender_local) from inbound where sender_domain = ?"
_MESSAGES = """
select strftime(m.t, '%Y-%m-%d %H:%M') as at, m.writer_local || '@' || m.writer_domain as writer,
       m.recipient_local || '@' || m.recipient_domain as address, m.outcome, coalesce(m.subject, '') as subject,
       (select list(distinct o.recipient_local || '@' || o.recipient_domain order by 1)[:8]
        from mail o where o.message = m.message and o.delivery_id <> m.delivery_id) as beside
from mail m where m.direction = 'outbound' and m.recipient_domain = ? order by m.t, m.delivery_id limit ?
"""


def told(one: Corpus, row: Scored, judged: Sequence[Judged], messages: int) -> Iterator[str]:
    """What a reader gets to see of one domain."""
    yield f"{row.corpus}: {row.typed} for {row.meant or '?'}, {row.kind}, {row.score:.3f}"
    for name in (row.typed, row.meant):
        if name:
            use = one.connection.execute(_USE, [name]).fetchall()[0]
            heard = one.connection.execute(_HEARD, [name]).fetchall()[0]
            yield (
                f"  {name}: {use[0]} pairs of {use[1]} writers and {use[2]} addresses, {use[3]} deliveries, {use[4]} to "
                f"{use[5]}, failed {use[6]}; wrote {heard[0]} times from {heard[1]} addresses"
            )
    best = max((j for j in judged if j.address[1] == row.typed), key=lambda j: (j.score, j.writer), default=None)
    if best is not None:
        yield "  " + ", ".join(f"{r['name']} {r['weight']:+.2f}" for r in best.reasons)
    for at, writer, address, outcome, subject, beside in one.connection.execute(
        _MESSAGES, [row.typed, messages]
    ).fetchall():
        yield f"  {at} {writer} -> {address} {outcome} {subject!r} beside {', '.join(beside or ())}"
    label = f"a slip for {row.truth}" if row.truth else "somebody's own, with slips" if row.mixed else "genuine"
    yield f"  label: {label}{', contested' if row.contested else ''}"


def logs(tables: Path) -> Iterator[Corpus]:
    """Each log, measured and labelled."""
    yield labelled.albion(tables)
    for name in labelled.REPLAYS:
        yield labelled.replay(tables, name=name)
    for settings in detector.HARD_SEEN:
        yield labelled.simulated(settings, kept=tables)


def main(arguments: Sequence[str] | None = None, using: Parameters | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--count", type=int, default=20, help="findings, and as many others")
    parser.add_argument("--messages", type=int, default=8, help="messages of each domain")
    options = parser.parse_args(arguments)
    using = using or weighing.parameters()
    rows: list[Scored] = []
    shown: dict[tuple[str, str], list[str]] = {}
    for one in logs(options.tables):
        judged = detector.judged(one, using)
        here = scoring.scored(one, judged)
        rows += here
        for chosen in near(here, options.count):
            for row in chosen:
                shown[row.corpus, row.typed] = list(told(one, row, judged, options.messages))
        one.connection.close()
    for title, part in zip(("Findings", "Others"), near(rows, options.count), strict=True):
        sys.stdout.write(f"\n== {title}, the nearest to .5 first\n\n")
        for row in part:
            sys.stdout.write("\n".join(shown[row.corpus, row.typed]) + "\n\n")


if __name__ == "__main__":
    main()
