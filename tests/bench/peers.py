"""Simple rules and other tools beside the detector, on the same domains.

Population as in `scoring`: every external domain of a log that has a candidate, accused when the rule holds for any of its
candidates; what no label tells counts as genuine. So candidates are the detector's own: a rule is spared what it would
have accused beside them. Each rule but the first takes a name for a slip only where the organisation uses it less than the
one meant. The threshold of Jaro-Winkler is the best by F1 on the very domains that are counted, which favours it.
`dnstwist`: the names that its fuzzer makes of each domain by its own settings (no dictionary of suffixes), where it is
installed (`pip install dnstwist==20250130`, Apache-2.0; no part of the project). `watch list`: those of
`forensics.detector.watchlist`.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from importlib import metadata
from typing import Any

from rapidfuzz.distance import OSA, JaroWinkler

from forensics.detector.watchlist import lookalikes
from tests.bench import scoring
from tests.bench.labelled import Corpus
from tests.bench.scoring import Scored

THRESHOLDS = tuple(round(0.85 + 0.01 * n, 2) for n in range(15))

Rule = Callable[[Any], bool]
"""Of a row of `Corpus.pairs`."""


def _less(rule: Rule) -> Rule:
    return lambda r: r.meant_pairs > r.typed_pairs and rule(r)


def _alike(least: float) -> Rule:
    return _less(lambda r: JaroWinkler.similarity(r.typed, r.meant) >= least)


def rules() -> dict[str, Rule]:
    """By name."""
    found: dict[str, Rule] = {
        "one edit, never sends mail": lambda r: OSA.distance(r.typed, r.meant) <= 1 and r.typed_in == 0,
        "one edit, never sends mail, used less": _less(
            lambda r: OSA.distance(r.typed, r.meant) <= 1 and r.typed_in == 0
        ),
        "watch list, used less": _less(lambda r: r.typed in _watched(r.meant)),
    }
    if installed():
        found[f"dnstwist {installed()}, used less"] = _less(lambda r: r.typed in _twisted(r.meant))
    else:
        sys.stderr.write("dnstwist is not installed: no row for it\n")
    return found | {f"Jaro-Winkler {least}, used less": _alike(least) for least in THRESHOLDS}


@cache
def installed() -> str:
    """Version of dnstwist; empty without it."""
    try:
        return metadata.version("dnstwist")
    except metadata.PackageNotFoundError:
        return ""


@cache
def _watched(meant: str) -> frozenset[str]:
    return frozenset(lookalikes(meant))


@cache
def _twisted(meant: str) -> frozenset[str]:
    fuzzer = importlib.import_module("dnstwist").Fuzzer(meant)
    fuzzer.generate()
    return frozenset(one["domain"] for one in fuzzer.domains) - {meant}


def counted(corpora: Iterable[Corpus], using: dict[str, Rule]) -> Counter[tuple[str, str]]:
    """Of each rule: `hits`, `accused`, `slips`, by (rule, count)."""
    total: Counter[tuple[str, str]] = Counter()
    for corpus in corpora:
        mere, mixed = set(corpus.mere()), corpus.mixed()
        rows = [r for r in corpus.pairs.itertuples(index=False) if r.typed not in mixed]
        for name, rule in using.items():
            flagged = {r.typed for r in rows if rule(r)}
            total[name, "hits"] += len(flagged & mere)
            total[name, "accused"] += len(flagged)
            total[name, "slips"] += len(mere)
    return total


def table(counts: Counter[tuple[str, str]], rows: Iterable[Scored]) -> dict[str, Any]:
    """Precision and recall of each rule, and first of the detector (`rows`)."""
    found = {"this detector": scoring.rates(list(rows))["pairs"]}
    best: dict[str, str] = {}
    for name in dict.fromkeys(rule for rule, _ in counts):
        family = name.split()[0] if name.startswith("Jaro") else name
        if family not in best or _f1(counts, name) > _f1(counts, best[family]):
            best[family] = name
    for name in best.values():
        hits, accused, slips = (counts[name, what] for what in ("hits", "accused", "slips"))
        found[name] = {"precision": scoring.exact(hits, accused), "recall": scoring.exact(hits, slips)}
    return found


def _f1(counts: Counter[tuple[str, str]], name: str) -> float:
    return 2 * counts[name, "hits"] / max(counts[name, "accused"] + counts[name, "slips"], 1)


def line(one: dict[str, Any]) -> str:
    """A rule's row."""
    precision, recall = one["precision"], one["recall"]
    return f"P {precision['hits']}/{precision['of']} = {precision['share']}, R {recall['hits']}/{recall['of']} = {recall['share']}"
