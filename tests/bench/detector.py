"""How well the detector does: the table of the method annex.

    python -m tests.bench.detector --tables DIR [--write] [--only PART ...]

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
`--write` stores each part, once it is measured, in forensics/detector/evaluation.json, and leaves the others there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forensics.detector import findings, judging, pairs, weighing
from forensics.detector.judging import Judged
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
HARD_SEEN = (
    Settings(9801, 160, 8, 9000, ("brannoc-trust.nhs.uk",), rates=HARD_RATES),
    Settings(9802, 200, 6, 8000, ("varland-office.gov.uk",), subjects=False, rates=HARD_RATES),
    Settings(9803, 90, 12, 7000, ("hale-tarn.com", "haletarn.co.uk"), rates=HARD_RATES),
)
"""A hospital, a ministry, a law firm with four times as many twins, siblings, moved and second names, with slips to people
mostly new to their writers, and few corrections. Never fitted on, but their errors were read (`tests.bench.border`)."""
HARD = tuple(replace(one, seed=one.seed + 100) for one in HARD_SEEN)
"""The same under other seeds: what the evaluation reports, none of it read."""
FLOOR = 0.01
"""Less is counted as nothing."""
FRESH = tuple(replace(one, seed=one.seed + 500) for one in simulate.FROZEN)
"""The frozen organisations under other seeds: measured once, after the last change of the signals. Those of
`simulate.FROZEN` and 100, 200, 300 and 400 above were measured before."""


def judged(
    corpus: Corpus, using: Parameters, *, spread: bool = True, blank: Sequence[str] = (), prior: float | None = None
) -> list[Judged]:
    """The whole detection on one corpus. Signals in `blank` count nothing, nor, in real logs, those of outcomes that are
    modelled there. Without `spread`, writers of one conversation are judged apart (faster)."""
    blank = fit.MODELLED if corpus.name in labelled.REPLAYS else blank
    found = judging.judge(corpus.evidence, using, keep=FLOOR, blank=blank, prior=prior).pairs
    return findings.spread(corpus.connection, found)[0] if spread else found


def score(
    corpus: Corpus, using: Parameters, typed: frozenset[str] | None = None, *, spread: bool = True
) -> list[Scored]:
    """Every domain of one corpus (`judged`), or those in `typed`."""
    return scoring.scored(corpus, judged(corpus, using, spread=spread), typed)


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


def left_out(slips: Slips, logs: Sequence[Corpus], only: str | None = None) -> dict[str, list[Scored]]:
    """Each real log (or one) with parameters fitted without it, and without the components of its slips wherever they occur."""
    found = {}
    for held in [c for c in logs if not c.name.startswith("simulated") and only in (None, c.name)]:
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


def folds(tables: Path) -> Figures:
    """The development logs, fold by fold."""
    slips, logs, also = fit.development(tables)
    found = cross_validated(slips, logs, also=also)
    # Both gateways as one case, not once more alone: each domain counts once a log.
    real = [r for c in logs if not c.name.startswith("simulated") for r in found[c.name]]
    made = [r for c in logs if c.name.startswith("simulated") for r in found[c.name]]
    return {
        "folds": {name: scoring.summary(rows) for name, rows in found.items() if not name.startswith("simulated")},
        "folds_real": scoring.summary(real),
        "folds_simulated": scoring.summary(made),
    }, wrong(real)


def without_each(tables: Path) -> Figures:
    """The real logs, each with parameters fitted without it; rules beside the replays."""
    slips, logs, _ = fit.development(tables)
    out = left_out(slips, logs)
    replays = [r for name in labelled.REPLAYS for r in out[name]]
    counts = peers.counted([c for c in logs if c.name in labelled.REPLAYS], peers.rules())
    return {
        "left_out": {name: scoring.summary(rows) for name, rows in out.items()},
        "left_out_real": scoring.summary(replays),
        "peers": peers.table(counts, replays),
    }, wrong(replays)


def organisations(name: str, settings: Sequence[Settings], tables: Path) -> Figures:
    """Simulated organisations, each alone and all together, and rules beside them."""
    rows_of: dict[str, list[Scored]] = {}
    counts, rules = Counter[tuple[str, str]](), peers.rules()
    for one in settings:
        corpus = labelled.simulated(one, kept=tables)
        rows_of[corpus.name] = score(corpus, weighing.parameters())
        counts += peers.counted([corpus], rules)
        corpus.connection.close()
    everything = [r for rows in rows_of.values() for r in rows]
    return {
        name: scoring.summary(everything),
        f"{name}_each": {each: scoring.rates(rows) for each, rows in rows_of.items()},
        f"peers_{name}": peers.table(counts, everything),
    }, []


def example(_tables: Path) -> Figures:
    """The case that ships."""
    rows = score(ministry(), weighing.parameters())
    return {"ministry": scoring.summary(rows)}, wrong(rows)


def other_ministries(_tables: Path) -> Figures:
    """Cases of the same kind."""
    found, _ = ministries_measured.measure(ministries.FROZEN, weighing.parameters(), ("*.mil",))
    return {"ministries": found}, []


def relays(tables: Path) -> Figures:
    """What refusals, relays and lookups add."""
    simulated = (labelled.simulated(one, kept=tables) for one in (*FRESH, *HARD))
    return {"relays": relay_terms.measured(labelled.albion(tables), simulated, weighing.parameters())}, []


def ablated(tables: Path) -> Figures:
    """The folds without each signal: an hour."""
    slips, logs, _ = fit.development(tables)
    return {"ablation": ablation(slips, logs)}, []


Figures = tuple[dict[str, Any], list[str]]
"""Figures by the name under which they are stored, and what was missed or false, for a person to look at."""

PARTS: Mapping[str, Callable[[Path], Figures]] = {
    "folds": folds,
    "left-out": without_each,
    "ministry": example,
    "frozen": lambda tables: organisations("frozen", FRESH, tables),
    "hard": lambda tables: organisations("hard", HARD, tables),
    "ministries": other_ministries,
    "relays": relays,
    "ablation": ablated,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--write", action="store_true", help="store the figures in forensics/detector/evaluation.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts (default: all but the ablation)")
    options = parser.parse_args(arguments)
    for part in options.only or [name for name in PARTS if name != "ablation"]:
        found, notes = PARTS[part](options.tables)
        sys.stderr.writelines(f"{part}: {note}\n" for note in notes)
        sys.stdout.writelines(f"{text}\n" for name, one in found.items() for text in lines(name, one))
        sys.stdout.flush()
        if options.write:
            stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
            fitted = stored.get("parameters", {}) | dict.fromkeys(found, parameters_digest())
            write({**stored, **HEAD, **found, "parameters": fitted})


HEAD: Mapping[str, Any] = {
    "command": "python -m tests.bench.detector --tables DIR --write, then with --only ablation",
    "threshold": "level medium and above (score >= 0.5)",
    "left_out_of_scoring": sorted(labelled.UNSETTLED),
}


def parameters_digest() -> str:
    """First 16 hex digits of the SHA-256 of parameters.json: each part says which parameters it was measured with."""
    return hashlib.sha256(STORED.with_name("parameters.json").read_bytes()).hexdigest()[:16]


def lines(name: str, one: dict[str, Any]) -> Iterator[str]:
    """What is stored under this name, for the screen."""
    if name.startswith("peers"):
        yield from (f"{name}: {rule}: {peers.line(row)}" for rule, row in one.items())
    elif name == "relays":
        yield from (f"{name}: {where}: {text}" for where, part in one.items() for text in relay_terms.lines(part))
    elif "calibration" in one:
        yield f"{name}: {line(one)}"
        if name == "ministries":
            yield f"{name}: {ministries_measured.line(one)}"
        if "by_category" in one:
            yield f"{name}, found of each category: {categories.line(one['by_category'])}"
    elif name in ("folds", "left_out"):
        yield from (f"  {name} {log}: {line(part)}" for log, part in one.items())


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
