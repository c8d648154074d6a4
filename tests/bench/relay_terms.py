"""What refusals, relays and an investigator's lookups add to the score, each term taken away in turn.

Their weights are argued (`fit.PAIRS`), never fitted. Measured where outcomes are known: the scenario of two real gateways,
simulated organisations, hand-made cases; never on real logs whose outcomes are modelled. Lookups are known for the
hand-made cases alone, and those are judged under the stated prior, since one name in five of theirs is a slip.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forensics.detector import findings, judging, weighing
from forensics.detector.weighing import Parameters
from tests.bench import fit, handmade, scoring
from tests.bench.labelled import Corpus
from tests.bench.scoring import Scored

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "all terms": (),
    **{f"without {name}": (name,) for name in fit.MODELLED},
    "without any": fit.MODELLED,
}


def judged(corpus: Corpus, using: Parameters, blank: tuple[str, ...], prior: float | None = None) -> list[Scored]:
    """Typed domains by the pair and its writers, conversations apart."""
    found = judging.judge(corpus.evidence, using, keep=0.001, blank=blank, prior=prior).pairs
    return scoring.scored(corpus, found)


def measured(albion: Corpus, simulated: Iterable[Corpus], using: Parameters) -> dict[str, Any]:
    """Figures of each variant on `albion`, `simulated` and `handmade`, and mean log10 odds of each hand-made case."""
    rows: dict[str, list[Scored]] = {name: [] for name in VARIANTS}
    for corpus in simulated:
        for name, blank in VARIANTS.items():
            rows[name] += judged(corpus, using, blank)
        corpus.connection.close()
    office, case_of = handmade.corpus()
    made = {name: judged(office, using, blank, fit.PRIOR) for name, blank in VARIANTS.items()}
    return {
        "albion": {name: _figures(judged(albion, using, blank)) for name, blank in VARIANTS.items()},
        "simulated": {name: _figures(found) for name, found in rows.items()},
        "handmade": {name: _figures(found) for name, found in made.items()},
        "handmade_cases": {
            name: {variant: _mean(made[variant], case_of, name) for variant in ("all terms", "without any")}
            for name in handmade.CASES
        },
        "handmade_categories": scoring.by_category(made["all terms"]),
    }


def _figures(rows: list[Scored]) -> dict[str, Any]:
    told = scoring.rates(rows)
    levels = {name: {k: one[k] for k in ("hits", "of")} for name, one in scoring.levels(rows).items()}
    return {**told["pairs"], "levels": levels, "contested": told["contested"], "log_loss": scoring.log_loss(rows)}


def _mean(rows: list[Scored], case_of: Mapping[str, tuple[str, str]], name: str) -> dict[str, Any]:
    """Mean log10 odds of the domains of one case, none below those of 0.001, and how many are of each level."""
    scores = {r.typed: r.score for r in rows}
    here = [min(max(scores.get(typed, 0.0), 0.001), 0.999999) for typed, (case, _) in case_of.items() if case == name]
    levels = [findings.level(score) for score in here]
    return {
        "log10_odds": round(sum(weighing.log_odds(score) for score in here) / len(here), 2),
        "of": len(here),
        **{level: levels.count(level) for level in ("high", "medium", "low")},
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """One line for each variant, case or category."""
    for name, one in found.items():
        if "precision" in one:
            levels = ", ".join(f"{k} {v['hits']}/{v['of']}" for k, v in one["levels"].items())
            p, r, c = (one[k] for k in ("precision", "recall", "contested"))
            yield (
                f"{name}: P {p['hits']}/{p['of']}, R {r['hits']}/{r['of']}, {levels}, contested {c['hits']}/{c['of']}, "
                f"log loss {one['log_loss']}"
            )
        elif "share" in one:
            yield f"{name}: found {one['hits']}/{one['of']}"
        else:
            yield f"{name}: " + "; ".join(
                f"{k} {v['log10_odds']} (high {v['high']}, medium {v['medium']}, low {v['low']} of {v['of']})"
                for k, v in one.items()
            )
