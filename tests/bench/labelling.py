"""Draw domains for a person to label, and compare two readings (docs/labels.md).

python -m tests.bench.labelling draw --tables DIR --log NAME --count N --reader A
python -m tests.bench.labelling compare A.tsv B.tsv
python -m tests.bench.labelling score --tables DIR --log NAME A.tsv B.tsv
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import labelled, scoring

if TYPE_CHECKING:
    import duckdb

ANSWERS = ("mistyped", "genuine", "unknowable")
ACCUSED = 0.5
"""Level medium and above."""
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


def scored(found: Mapping[str, tuple[float, str]], sheets: Sequence[Mapping[str, tuple[str, str]]]) -> dict[str, Any]:
    """What the detector makes of the domains on which two readings (domain → answer, domain meant) agree.

    `found`: domain → (score where it is not contested, candidate) of what the detector weighed.
    """
    one, other = sheets
    agreed = {name: one[name] for name in sorted(one) if name in other and one[name] == other[name]}
    slips = {name: meant for name, (answer, meant) in agreed.items() if answer == "mistyped"}
    genuine = [name for name, (answer, _) in agreed.items() if answer == "genuine"]
    accused = {name for name, (score, _) in found.items() if score >= ACCUSED}
    hits = [name for name in slips if name in accused]
    return {
        "mistyped": len(slips),
        "of them accused": scoring.exact(len(hits), len(slips)) if slips else None,
        "right domain": sum(found[name][1] == slips[name] for name in hits),
        "genuine": len(genuine),
        "of them accused falsely": scoring.exact(sum(name in accused for name in genuine), len(genuine)),
        "missed": [name for name in slips if name not in accused],
        "false": [name for name in genuine if name in accused],
    }


def read(path: Path) -> dict[str, str]:
    """Domain → answer of one filled-in sheet."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["domain"]: row["answer"].strip() for row in csv.DictReader(file, delimiter="\t")}


def answers(path: Path) -> dict[str, tuple[str, str]]:
    """Domain → (answer, domain meant) of one filled-in sheet."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {row["domain"]: (row["answer"].strip(), row["meant"].strip().lower()) for row in rows}


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
    judge = kinds.add_parser("score")
    judge.add_argument("--tables", type=Path, required=True)
    judge.add_argument("--log", choices=sorted(labelled.REPLAYS), required=True)
    judge.add_argument("sheets", nargs=2, type=Path)
    options = parser.parse_args(arguments)
    if options.kind == "score":
        _score(options.tables, options.log, options.sheets)
        return
    if options.kind == "compare":
        for name, value in compare(*(read(sheet) for sheet in options.sheets)).items():
            sys.stdout.write(f"{name}: {value}\n")
        return
    corpus = labelled.replay(options.tables, name=options.log)
    out = csv.DictWriter(sys.stdout, COLUMNS, delimiter="\t", lineterminator="\n")
    out.writeheader()
    out.writerows(drawn(corpus.connection, options.count, options.seed, options.reader))


def _score(tables: Path, log: str, sheets: Sequence[Path]) -> None:
    """Print what the detector makes of a log, with parameters that were fitted without it."""
    from tests.bench import detector, fit

    slips, logs, _ = fit.development(tables)
    rows = detector.left_out(slips, logs, only=log)[log]
    found = {row.typed: (0.0 if row.contested else row.score, row.meant) for row in rows}
    for name, value in scored(found, [answers(sheet) for sheet in sheets]).items():
        sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    main()
