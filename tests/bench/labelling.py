"""Draw domains for a person to label, and compare two readings (docs/labels.md).

python -m tests.bench.labelling draw --tables DIR --log NAME --count N --reader A
python -m tests.bench.labelling compare A.tsv B.tsv
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import labelled

if TYPE_CHECKING:
    import duckdb

ANSWERS = ("mistyped", "genuine", "unknowable")
COLUMNS = ("domain", "deliveries", "writers", "addresses", "first", "last", "beside", "answer", "meant", "why")

_NEVER = """
select u.d as domain, s.out as deliveries, u.writers, s.addresses, strftime(s.first, '%Y-%m-%d') as first,
       strftime(s.last, '%Y-%m-%d') as last
from own_use u join domain_stats s on s.d = u.d
where s.inn = 0 and u.d in (select recipient_domain from pairs where direction = 'outbound')
order by u.d
"""
_BESIDE = """
select o.recipient_domain as d, count(distinct o.message) as n
from mail o where o.message in (select message from mail where recipient_domain = $domain)
  and o.recipient_domain <> $domain group by all order by n desc, d limit 8
"""


def drawn(connection: duckdb.DuckDBPyConnection, count: int, seed: str, reader: str) -> list[dict[str, Any]]:
    """`count` domains that never wrote, drawn by the digest of their names and `seed`, in an order of the reader's own.
    Needs `history.build`."""
    rows = connection.sql(_NEVER).to_arrow_table().to_pylist()
    chosen = sorted(rows, key=lambda row: _digest(seed, row["domain"]))[:count]
    for row in chosen:
        beside = connection.execute(_BESIDE, {"domain": row["domain"]}).fetchall()
        row |= {"beside": " ".join(name for name, _ in beside), "answer": "", "meant": "", "why": ""}
    return sorted(chosen, key=lambda row: _digest(reader, row["domain"]))


def _digest(key: str, domain: str) -> str:
    return hashlib.sha256(f"{key}\n{domain}".encode()).hexdigest()


def compare(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, Any]:
    """Counts, Cohen's kappa and the domains on which two readings (domain → answer) differ; those that either did not
    answer are left out."""
    both = sorted(name for name in set(one) & set(other) if one[name] in ANSWERS and other[name] in ANSWERS)
    agreed = sum(one[name] == other[name] for name in both)
    chance = sum(
        (sum(one[n] == answer for n in both) / len(both)) * (sum(other[n] == answer for n in both) / len(both))
        for answer in ANSWERS
        if both
    )
    kappa = None if not both or chance == 1.0 else round((agreed / len(both) - chance) / (1.0 - chance), 4)
    return {
        "read by both": len(both),
        "agreed": {answer: sum(one[n] == other[n] == answer for n in both) for answer in ANSWERS},
        "differ": [name for name in both if one[name] != other[name]],
        "kappa": kappa,
    }


def read(path: Path) -> dict[str, str]:
    """Domain → answer of one filled-in sheet."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["domain"]: row["answer"].strip() for row in csv.DictReader(file, delimiter="\t")}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    draw = kinds.add_parser("draw")
    draw.add_argument("--tables", type=Path, required=True)
    draw.add_argument("--log", choices=sorted(labelled.REPLAYS), required=True)
    draw.add_argument("--count", type=int, default=60)
    draw.add_argument("--seed", default="labels-1")
    draw.add_argument("--reader", required=True)
    pair = kinds.add_parser("compare")
    pair.add_argument("sheets", nargs=2, type=Path)
    options = parser.parse_args(arguments)
    if options.kind == "compare":
        for name, value in compare(*(read(sheet) for sheet in options.sheets)).items():
            sys.stdout.write(f"{name}: {value}\n")
        return
    corpus = labelled.replay(options.tables, name=options.log)
    out = csv.DictWriter(sys.stdout, COLUMNS, delimiter="\t", lineterminator="\n")
    out.writeheader()
    out.writerows(drawn(corpus.connection, options.count, options.seed, options.reader))


if __name__ == "__main__":
    main()
