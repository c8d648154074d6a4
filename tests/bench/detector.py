"""How well the detector does: the table of the method annex.

    python -m tests.bench.detector --tables DIR [--write] [--ablation | --relays] [--no-frozen]

Kinds of figures, never mixed: *folds* — the development logs, each domain scored with parameters that were fitted without
its connected component of typed and meant registered domains, over all logs and the labelled pairs; *left out* — each real
log scored with parameters fitted without it and without the components of its slips; *frozen*, *hard* and *ministries* —
simulated organisations and cases; *ministry* — the generated case that ships; *peers* — simple rules and other tools on the
domains of *left out*, *frozen* and *hard*; *ablation* — the folds without each signal; *relays* — what refusals, relays and
lookups add, where they are known: never on real logs whose outcomes are modelled. Each has recall by kind of slip and, by
(writer, address), by category (`categories`).
Weights, channel and prior are fitted inside the training folds. The list of signals is not: it was made by people who had
seen the errors of these logs, so the figures of real logs are those of a development set. What an organisation was like
that nobody has looked at only its own labels tell.
`--write` stores forensics/detector/evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics.detector import findings, judging, pairs, weighing
from forensics.detector.weighing import Parameters
from tests.bench import (
    categories,
    fit,
    labelled,
    ministries,
    ministries_measured,
    mod_2023,
    peers,
    relay_terms,
    scoring,
    simulate,
    tables,
)
from tests.bench.labelled import Corpus, Slips
from tests.bench.scoring import Scored
from tests.bench.simulate import Settings
from tests.bench.traffic import Rates

FOLDS = 5
HARD_RATES = Rates(
    known=0.35,
    corecipient=0.2,
    propagation=0.3,
    resend_after_bounce=0.4,
    resend_unprompted=0.1,
    neighbour=0.2,
    form=0.006,
)
HARD = (
    Settings(9801, 160, 8, 9000, ("brannoc-trust.nhs.uk",), rates=HARD_RATES),
    Settings(9802, 200, 6, 8000, ("varland-office.gov.uk",), subjects=False, rates=HARD_RATES),
    Settings(9803, 90, 12, 7000, ("hale-tarn.com", "haletarn.co.uk"), rates=HARD_RATES),
)
"""A hospital, a ministry, a law firm with four times as many twins, siblings, moved and second names, with slips to people
mostly new to their writers, and few corrections. Never fitted on."""
FLOOR = 0.01
"""Less is counted as nothing."""
FRESH = tuple(replace(one, seed=one.seed + 400) for one in simulate.FROZEN)
"""The frozen organisations under other seeds: measured once, after the last change of the signals. Those of
`simulate.FROZEN` and 100, 200 and 300 above were looked at before."""


def score(
    corpus: Corpus,
    using: Parameters,
    typed: frozenset[str] | None = None,
    *,
    spread: bool = True,
    blank: Sequence[str] = (),
    prior: float | None = None,
) -> list[Scored]:
    """The whole detector on one corpus; with `typed`, only domains in it. Signals in `blank` count nothing, nor, in real
    logs, those of outcomes that are modelled there. Without `spread`, writers of one conversation are judged apart
    (faster)."""
    blank = fit.MODELLED if corpus.name in labelled.REPLAYS else blank
    judged = judging.judge(corpus.evidence, using, keep=FLOOR, blank=blank, prior=prior).pairs
    if spread:
        worth = [j for j in judged if j.score >= 0.05]
        told = {(j.writer, j.address): j for j in findings.spread(corpus.connection, worth)[0]}
        judged = [told.get((j.writer, j.address), j) for j in judged]
    return scoring.scored(corpus, judged, typed)


def cross_validated(
    slips: Slips,
    logs: Sequence[Corpus],
    without: frozenset[str] = frozenset(),
    folds: int = FOLDS,
    *,
    spread: bool = True,
    also: Sequence[Corpus] = (),
) -> dict[str, list[Scored]]:
    """Every corpus scored fold by fold with parameters fitted on the other folds of all corpora. `also`: corpora that are
    scored so and not fitted on, their domains being those of the others."""
    everything = [*logs, *also]
    slip_fold = labelled.fold(slips.component, folds)
    pair_folds = [labelled.fold(c.component, folds) for c in logs]
    row_folds = [labelled.fold(c.row_component, folds) for c in logs]
    found: dict[str, list[Scored]] = {c.name: [] for c in everything}
    for number in range(folds):
        using = fit.fit(
            slips,
            logs,
            slip_fold != number,
            [f != number for f in pair_folds],
            [f != number for f in row_folds],
            without,
        )
        for corpus in everything:
            fold = labelled.fold(corpus.component, folds)
            typed = frozenset(corpus.pairs.typed[fold == number])
            found[corpus.name] += score(corpus, using, typed, spread=spread)
    for corpus in everything:
        # Slips for which no candidate was found at all lie in no fold; they are missed.
        there = {r.typed for r in found[corpus.name]}
        found[corpus.name] += scoring.scored(corpus, [], frozenset(corpus.mere()) - there)
    return found


def left_out(slips: Slips, logs: Sequence[Corpus]) -> dict[str, list[Scored]]:
    """Each real log with parameters fitted without it, and without the components of its slips wherever they occur."""
    found = {}
    for held in [c for c in logs if not c.name.startswith("simulated")]:
        theirs = {c for c, typed in zip(held.component, held.pairs.typed, strict=True) if typed in held.mere()}
        others = [c for c in logs if c is not held]
        using = fit.fit(
            slips,
            others,
            ~np.isin(slips.component, sorted(theirs)),
            [~np.isin(c.component, sorted(theirs)) for c in others],
            [~np.isin(c.row_component, sorted(theirs)) for c in others],
        )
        found[held.name] = score(held, using)
    return found


def wrong(rows: Sequence[Scored]) -> list[str]:
    """Missed and false domains and those nearest the border, for a person to look at."""
    said = []
    for r in sorted(rows, key=lambda r: (r.corpus, -r.score, r.typed)):
        if not r.mixed and ((r.truth is not None) != r.accused):
            what = "contested" if r.contested else "missed" if r.truth else "false"
            said.append(f"{r.corpus}: {what} {r.typed} for {r.truth or r.meant} ({r.kind}, {r.score:.3f})")
    return said


def ministry() -> Corpus:
    """The generated ministry: 55 messages to `.ml`, 15 meant for `.mil`."""
    found = mod_2023.messages()
    table = tables.deliveries(found, mod_2023.GATEWAY, subjects=True)
    return labelled.corpus(
        "ministry", table, [mod_2023.OWN], labelled.labelled_by(tables.truth(found)), watched=["*.mil"]
    )


def ablation(slips: Slips, logs: Sequence[Corpus]) -> dict[str, Any]:
    """Cross-validated figures of all development logs with one signal held at zero, on three folds."""
    found = {}
    for name in ("", *(n for n in pairs.NAMES if n not in fit.MODELLED)):
        scores = cross_validated(slips, logs, frozenset({name}) - {""}, folds=3, spread=False)
        rows = [r for one in scores.values() for r in one]
        counted = scoring.rates(rows)["pairs"]
        found[name or "all signals"] = {
            "precision": counted["precision"]["share"],
            "recall": counted["recall"]["share"],
            "log_loss_real": scoring.log_loss([r for r in rows if not r.corpus.startswith("simulated")]),
            "log_loss_simulated": scoring.log_loss([r for r in rows if r.corpus.startswith("simulated")]),
        }
        sys.stderr.write(f"{name or 'all signals'}: {found[name or 'all signals']}\n")
    return found


STORED = labelled.ROOT / "forensics" / "detector" / "evaluation.json"


def evaluate(
    slips: Slips, logs: Sequence[Corpus], also: Sequence[Corpus], kept: Path, *, frozen: bool
) -> tuple[dict[str, Any], list[str]]:
    """All figures but the ablation, and the missed and false domains of the real logs and the ministry."""
    found = cross_validated(slips, logs, also=also)
    out = left_out(slips, logs)
    # Both gateways as one case, not once more alone: each domain counts once a log.
    real = [r for c in logs if not c.name.startswith("simulated") for r in found[c.name]]
    made = [r for c in logs if c.name.startswith("simulated") for r in found[c.name]]
    replays = [r for name in labelled.REPLAYS for r in out[name]]
    using, rules = weighing.parameters(), peers.rules()
    example = score(ministry(), using)
    result: dict[str, Any] = {
        "command": "python -m tests.bench.detector --tables DIR --write, then with --ablation and with --relays",
        "threshold": "level medium and above (score >= 0.5)",
        "left_out_of_scoring": sorted(labelled.UNSETTLED),
        "folds": {name: scoring.summary(rows) for name, rows in found.items() if not name.startswith("simulated")},
        "folds_real": scoring.summary(real),
        "folds_simulated": scoring.summary(made),
        "left_out": {name: scoring.summary(rows) for name, rows in out.items()},
        "left_out_real": scoring.summary(replays),
        "peers": peers.table(peers.counted([c for c in logs if c.name in labelled.REPLAYS], rules), replays),
        "ministry": scoring.summary(example),
    }
    notes = [f"folds {x}" for x in wrong(real)] + [f"left out {x}" for x in wrong(replays)] + wrong(example)
    if frozen:
        for name, organisations in (("frozen", FRESH), ("hard", HARD)):
            rows_of, counts = {}, Counter[tuple[str, str]]()
            for one in organisations:
                corpus = labelled.simulated(one, kept=kept)
                rows_of[corpus.name] = score(corpus, using)
                counts += peers.counted([corpus], rules)
                corpus.connection.close()
            everything = [r for rows in rows_of.values() for r in rows]
            result[name] = scoring.summary(everything)
            result[f"{name}_each"] = {each: scoring.rates(rows) for each, rows in rows_of.items()}
            result[f"peers_{name}"] = peers.table(counts, everything)
        result["ministries"], _ = ministries_measured.measure(ministries.FROZEN, using, ("*.mil",))
    return result, notes


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--write", action="store_true", help="store the figures in forensics/detector/evaluation.json")
    parser.add_argument("--ablation", action="store_true", help="instead, refit without each signal (minutes)")
    parser.add_argument("--relays", action="store_true", help="instead, what relays, refusals and lookups add")
    parser.add_argument("--no-frozen", action="store_true", help="leave the frozen organisations alone")
    options = parser.parse_args(arguments)
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    if options.relays:
        organisations = (labelled.simulated(one, kept=options.tables) for one in (*FRESH, *HARD))
        found = relay_terms.measured(labelled.albion(options.tables), organisations, weighing.parameters())
        sys.stdout.writelines(f"{where}: {text}\n" for where, one in found.items() for text in relay_terms.lines(one))
        if options.write:
            write(stored | {"relays": found})
        return
    slips, logs, also = fit.development(options.tables)
    if options.ablation:
        result = stored | {"ablation": ablation(slips, logs)}
    else:
        result, notes = evaluate(slips, logs, also, options.tables, frozen=not options.no_frozen)
        result |= {name: stored[name] for name in ("before", "relays") if name in stored}
        sys.stderr.write("\n".join(notes) + "\n")
        names = ("folds_real", "folds_simulated", "left_out_real", "ministry", "frozen", "hard", "ministries")
        for name in names:
            if name in result:
                sys.stdout.write(f"{name}: {line(result[name])}\n")
        if "ministries" in result:
            sys.stdout.write(f"ministries: {ministries_measured.line(result['ministries'])}\n")
        for name, one in [*result["folds"].items(), *result["left_out"].items()]:
            sys.stdout.write(f"  {name}: {line(one)}\n")
        for name in (n for n in names if n in result):
            sys.stdout.write(f"{name}, found of each category: {categories.line(result[name]['by_category'])}\n")
        for name in (n for n in ("peers", "peers_frozen", "peers_hard") if n in result):
            sys.stdout.writelines(f"{name}: {rule}: {peers.line(one)}\n" for rule, one in result[name].items())
    if options.write:
        write(result)


def write(result: Mapping[str, Any]) -> None:
    """The figures that ship."""
    STORED.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


def line(one: dict[str, Any]) -> str:
    """A summary in one line."""

    def share(part: dict[str, Any]) -> str:
        return f"{part['hits']}/{part['of']} = {part['share']} [{part['low']}, {part['high']}]"

    c = one["calibration"]
    levels = ", ".join(f"{name} {part['hits']}/{part['of']}" for name, part in one["levels"].items())
    return (
        f"domains P {share(one['pairs']['precision'])} R {share(one['pairs']['recall'])}; "
        f"addresses P {share(one['addresses']['precision'])} R {share(one['addresses']['recall'])}; "
        f"intended {one['intended']['share']}; {levels}; contested {one['contested']['hits']}/{one['contested']['of']}; "
        f"both ways {one['both_ways']}; "
        f"ECE {c['ece']} [{c['low']}, {c['high']}] Brier {c['brier']} over {c['count']}"
    )


if __name__ == "__main__":
    main()
