"""How well the detector does: the tables of the method annex.

    python -m tests.bench.detector --tables DIR [--write] [--ablation]

Three kinds of figures, never mixed: *folds* — the development logs, each domain scored with parameters that were
fitted without its connected component of observed and intended domains; *frozen* — simulated organisations that
nothing was fitted on; *second examples* — the generated ministry.
`--write` stores forensics/detector/evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from forensics.detector import findings, judging, weighing
from forensics.detector.weighing import NAMES, Parameters
from tests.bench import fit, labelled, mod_2023, scoring, simulate, tables
from tests.bench.labelled import Corpus, Key, Slips
from tests.bench.scoring import Scored

FOLDS = 10
FRESH = tuple(replace(one, seed=one.seed + 100) for one in simulate.FROZEN)
"""The frozen organisations under other seeds: never looked at, where `simulate.FROZEN` was evaluated once before the
signals `established` and `consensus` were added and the parameters fitted anew."""
FLOOR = 0.01


def deliveries(corpus: Corpus) -> dict[Key, int]:
    rows = corpus.connection.execute("select wl, wd, rl, rd, n from pairs where direction = 'outbound'").fetchall()
    return {(wl, wd, rl, rd): n for wl, wd, rl, rd, n in rows}


def score(
    corpus: Corpus, using: Parameters, typed: frozenset[str] | None = None, *, spread: bool = True
) -> list[Scored]:
    """The whole detector on one corpus; with `typed`, only pairs whose observed domain is in it. Without `spread`,
    writers of one conversation are judged apart (faster)."""
    judged = judging.judge(corpus.evidence.measured, corpus.evidence.found, using, corpus.evidence.pairs, keep=FLOOR)
    pairs = findings.spread(corpus.connection, judged.pairs)[0] if spread else judged.pairs
    kept = [j for j in pairs if typed is None or j.address[1] in typed]
    truth = {k: v for k, v in corpus.truth.meant.items() if typed is None or k[3] in typed}
    frame = corpus.frame[corpus.y == 1]
    kinds = {(r.wl, r.wd, r.rl, r.rd): r.kind for r in frame.itertuples(index=False)}
    return scoring.scored(corpus.name, kept, truth, deliveries(corpus), kinds)


def cross_validated(
    pairs: Slips,
    logs: Sequence[Corpus],
    without: frozenset[str] = frozenset(),
    folds: int = FOLDS,
    *,
    spread: bool = True,
) -> dict[str, list[Scored]]:
    """Every corpus scored fold by fold with parameters fitted on the other folds of all corpora."""
    pair_fold = labelled.fold(pairs.component, folds)
    row_folds = [labelled.fold(c.component, folds) for c in logs]
    found: dict[str, list[Scored]] = {c.name: [] for c in logs}
    for number in range(folds):
        using = fit.fit(pairs, logs, pair_fold != number, [f != number for f in row_folds], without)
        for corpus, of_row in zip(logs, row_folds, strict=True):
            typed = frozenset(corpus.frame.rd[of_row == number])
            found[corpus.name] += score(corpus, using, typed, spread=spread)
    for corpus in logs:
        # Slips for which no candidate was found at all lie in no fold; they are missed.
        there = frozenset(corpus.frame.rd)
        lost = {k: v for k, v in corpus.truth.meant.items() if k[3] not in there}
        found[corpus.name] += scoring.scored(corpus.name, [], lost, deliveries(corpus), {})
    return found


def summary(rows: Sequence[Scored]) -> dict[str, Any]:
    return {
        **scoring.rates(rows),
        "calibration": scoring.calibration(rows),
        "by_kind": scoring.by_kind(rows),
        "by_messages": scoring.by_messages(rows),
    }


def wrong(rows: Sequence[Scored]) -> list[str]:
    """Missed and false domain pairs, for a person to look at."""
    best: dict[tuple[str, str, str], Scored] = {}
    for r in rows:
        if r.pair not in best or r.score > best[r.pair].score:
            best[r.pair] = r
    said = []
    for (corpus, typed, meant), r in sorted(best.items()):
        if (r.truth is not None) != (r.score >= 0.5):
            said.append(f"{corpus}: {'missed' if r.truth else 'false'} {typed} for {meant} ({r.kind}, {r.score:.3f})")
    return said


def ministry() -> Corpus:
    """The generated ministry: 55 messages to `.ml`, 15 meant for `.mil`."""
    found = mod_2023.messages()
    table = tables.deliveries(found, mod_2023.GATEWAY, subjects=True)
    return labelled.corpus(
        "ministry", table, [mod_2023.OWN], labelled.labelled_by(tables.truth(found)), watched=["*.mil"]
    )


def ablation(pairs: Slips, logs: Sequence[Corpus]) -> dict[str, Any]:
    """Cross-validated figures with one signal held at zero; on the real logs and two simulated ones, conversations
    not followed."""
    found, logs = {}, logs[:4]
    for name in ("", *(n for n in NAMES if n not in fit.MODELLED)):
        rows = [r for one in _without(pairs, logs, name) for r in one]
        counted = scoring.rates(rows)["pairs"]
        found[name or "all signals"] = {
            "precision": counted["precision"]["share"],
            "recall": counted["recall"]["share"],
            "log_loss": scoring.calibration(rows, draws=0)["log_loss"],
        }
    return found


def _without(pairs: Slips, logs: Sequence[Corpus], name: str) -> list[list[Scored]]:
    left_out = frozenset({name}) - {""}
    return list(cross_validated(pairs, logs, left_out, folds=3, spread=False).values())


STORED = labelled.ROOT / "forensics" / "detector" / "evaluation.json"


def evaluate(pairs: Slips, logs: Sequence[Corpus], *, frozen: bool) -> tuple[dict[str, Any], list[str]]:
    """All figures but the ablation, and the missed and false pairs of the folds and the ministry."""
    found = cross_validated(pairs, logs)
    real = [r for name, rows in found.items() if not name.startswith("simulated") for r in rows]
    made = [r for name, rows in found.items() if name.startswith("simulated") for r in rows]
    using = weighing.parameters()
    example = score(ministry(), using)
    result: dict[str, Any] = {
        "command": "python -m tests.bench.detector --tables DIR --write [--ablation]",
        "threshold": "level medium and above (score >= 0.5)",
        "folds": {name: summary(rows) for name, rows in found.items() if not name.startswith("simulated")},
        "folds_real": summary(real),
        "folds_simulated": summary(made),
        "ministry": summary(example),
    }
    for name, organisations in (("frozen", FRESH), ("frozen_before", simulate.FROZEN)) if frozen else ():
        rows_of = {f"simulated-{s.seed}": score(labelled.simulated(s), using) for s in organisations}
        result[name] = summary([r for rows in rows_of.values() for r in rows])
        result[f"{name}_each"] = {each: scoring.rates(rows)["pairs"] for each, rows in rows_of.items()}
    return result, wrong(real) + wrong(made) + wrong(example)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--write", action="store_true", help="store the figures in forensics/detector/evaluation.json")
    parser.add_argument("--ablation", action="store_true", help="instead, refit without each signal (minutes)")
    parser.add_argument("--no-frozen", action="store_true", help="leave the frozen organisations alone")
    options = parser.parse_args(arguments)
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    pairs, logs = fit.development(options.tables)
    if options.ablation:
        result = stored | {"ablation": ablation(pairs, logs)}
        sys.stdout.write(json.dumps(result["ablation"], indent=1) + "\n")
    else:
        result, notes = evaluate(pairs, logs, frozen=not options.no_frozen)
        sys.stderr.write("\n".join(notes) + "\n")
        for name in ("folds_real", "folds_simulated", "ministry", "frozen", "frozen_before"):
            if name in result:
                sys.stdout.write(f"{name}: {line(result[name])}\n")
        for name, one in result["folds"].items():
            sys.stdout.write(f"  {name}: {line(one)}\n")
    if options.write:
        STORED.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


def line(one: dict[str, Any]) -> str:
    """A summary in one line."""

    def share(part: dict[str, Any]) -> str:
        return f"{part['hits']}/{part['of']} = {part['share']} [{part['low']}, {part['high']}]"

    c = one["calibration"]
    return (
        f"pairs P {share(one['pairs']['precision'])} R {share(one['pairs']['recall'])}; "
        f"addresses P {one['addresses']['precision']['share']} R {one['addresses']['recall']['share']}; "
        f"deliveries P {one['deliveries']['precision']['share']} R {one['deliveries']['recall']['share']}; "
        f"intended {one['intended']['share']}; ECE {c['ece']} [{c['low']}, {c['high']}] over {c['count']}"
    )


if __name__ == "__main__":
    main()
