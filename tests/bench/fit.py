"""Fit the detector's parameters.

    python -m tests.bench.fit --tables DIR [--write]

`DIR` holds deliveries tables, or is filled by ingesting the corpora (`labelled.source`).

Three small regularised logistic regressions. The *channel* on hand-labelled pairs (cases and controls: only ratios are
used). The *pairs* on every external domain with a candidate of the development logs and of simulated organisations: which
of its candidates it is only a slip for, or none (multinomial). The *writers* on the distinct (writer, address, candidate)
of those domains that are not mere slips: who of them slipped all the same. Each log has the rate of slips that it has, and
each weight a Gaussian prior whose mean is the published rate where there is one. A domain of a simulated organisation
weighs `SIMULATED` of a real one's. Outcomes and relays of deliveries are modelled in all these logs and not fitted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from forensics.detector import channel, odds, pairs, states, weighing
from forensics.detector.weighing import Parameters
from tests.bench import labelled
from tests.bench.labelled import Corpus, Slips

LN10 = np.log(10.0)

PRIOR = 0.01
"""Of the external domains of the three real logs 0.9 %, 2.5 % and 0.7 % are mere slips."""

Expected = Mapping[str, tuple[float, float, str]]

PAIRS: Expected = {
    "base": (0.0, 1.0, "free"),
    "slip": (1.0, 0.3, "a calibrated log ratio has weight 1"),
    "homograph": (
        1.5,
        0.001,
        "letters of two scripts in one name are no registrant's own choice; set, not fitted, since no log shows any",
    ),
    "usage": (0.4, 0.3, "the meant domain is the commoner one; volume is not legitimacy"),
    "usage-owner": (0.3, 0.3, "one owner's second name is used more than a slip for it; no rate published"),
    "address-known": (0.8, 0.4, "slips copy addresses that exist; no rate published"),
    "wrote-before": (0.6, 0.3, "wrote before 65 % vs 8 %, shared with address-known"),
    "wrote-after": (0.6, 0.3, "within 7 days 53 % vs 2 %, shared with address-known and returned"),
    "resent": (0.6, 0.3, "a corrected re-send; no rate published"),
    "beside-same": (0.5, 0.3, "co-recipients 55 % vs 21 %, the same local part rarer still"),
    "beside-domain": (0.3, 0.3, "co-recipients 55 % vs 21 %"),
    "returned": (0.5, 0.3, "whoever slipped goes on with the right address; no rate published"),
    "moved": (-0.7, 0.3, "people who move leave the old name; no rate published"),
    "silent": (1.0, 0.3, "a ratio measured in the log itself has weight 1"),
    "own-mail": (-0.8, 0.3, "own mail 2 % vs 82 %"),
    "answered": (-1.5, 0.4, "own mail 2 % vs 82 %, of these very addresses"),
    "strangers": (-1.0, 0.4, "a domain of its own has people of its own"),
    "established": (-0.3, 0.3, "a name in wide use that has its own people is somebody's"),
    "writers": (-0.5, 0.3, "independent writers rarely slip alike; no rate published"),
    "kin": (-0.5, 0.3, "a slip rarely hits below a domain that is in use; no rate published"),
    "newcomer": (0.2, 0.3, "a slip presupposes that the meant domain is known"),
    "unseen": (-2.0, 0.3, "most names of a zone are nobody's correspondent"),
    "listed": (
        3.7,
        0.001,
        "what is in everybody's address book counts as a name in wide use here: `unseen` undone, and the usage, three "
        "powers of ten, and `newcomer` that such a name shows in the logs; set, not fitted, since those show nearly all",
    ),
    "free-mail": (-1.0, 0.3, "sibling providers"),
    "provider": (0.5, 0.3, "everybody writes to the large providers, and their own names are known; no rate published"),
    "far": (-0.5, 0.3, "names far apart are rarely one slip"),
    "no-such-domain": (1.0, 0.001, "a genuine correspondent's domain exists; set, not fitted: outcomes are modelled"),
    "no-mail": (0.7, 0.001, "parked names say so (RFC 7505), and some genuine ones; set, not fitted"),
    "turned-away": (0.4, 0.001, "genuine correspondents accept nearly all mail; set, not fitted"),
    "one-server": (-1.0, 0.001, "whoever runs the meant domain's own server runs the typed one's; set, not fitted"),
    "asked-gone": (0.7, 0.001, "what does not exist today may have existed at the send; set, not fitted"),
    "asked-no-mail": (0.5, 0.001, "a name held and not used; its owner chooses the answer; set, not fitted"),
}
"""Mean and standard deviation (log10) of the Gaussian prior on each weight of a pair, and why."""

WRITERS: Expected = {
    "base": (-2.0, 0.1, "one pair in a thousand is a slip, and one in ten of those lands at a name that somebody uses"),
    "slip": (0.6, 0.3, "a calibrated log ratio, shared with the pair"),
    "usage": (0.4, 0.3, "the meant domain is the commoner one"),
    "address-known": (
        1.7,
        0.2,
        "a stranger's domain has a partner's people by chance alone: one or two names in a hundred",
    ),
    "habit": (0.4, 0.3, "no rate published"),
    "wrote-before": (
        1.2,
        0.2,
        "65 % of slips; of a stranger's people who bear a partner's name few are the writer's own",
    ),
    "wrote-after": (1.0, 0.2, "within 7 days 53 % of slips; of such namesakes one in twenty"),
    "resent": (
        1.0,
        0.2,
        "the same message to a namesake afterwards has hardly another reason; shared with wrote-after",
    ),
    "beside-same": (1.2, 0.2, "co-recipients 55 % vs 21 % of all neighbours; namesakes in one message are rarer still"),
    "beside-domain": (0.3, 0.3, "co-recipients 55 % vs 21 %"),
    "answered": (-2.0, 0.3, "own mail 2 % vs 82 %, of this very address"),
    "shared-use": (-0.7, 0.3, "independent writers rarely slip alike"),
    "unseen": (-2.0, 0.3, "most names of a zone are nobody's correspondent"),
    "free-mail": (-1.0, 0.3, "sibling providers"),
}
"""The same for one writer at a domain that is somebody's own."""

SECOND_NAME = {
    "base": -2.5,
    "same-name": 2.0,
    "shared": 3.0,
    "same-writer": 3.0,
    "silent": 0.8,
    "own-mail": 0.5,
    "moved": 1.0,
    "went-over": 1.0,
    "established": 1.0,
    "one-server": 1.0,
    "provider": -2.0,
    "unrelated": -8.0,
}
"""`states.SECOND_NAME`, argued: about half of the near-miss domains of the labelled logs have one owner, and nearly all
that differ in the suffix alone; a third of a company's people are met under its second name too, of a stranger's one in a
hundred, so that the first shared address counts 0.9 and five of them 2.3; one whom one writer writes to at both counts as much again; ten
writers who each changed to the other name and kept to it, whereas whoever slips returns, count as nine addresses that moved; where
neither name writes, silence speaks for a second name as much as for a slip (the weight that is fitted there); whose
names are in wide use, each with its people, is seldom a stranger to the other of two that differ in a hyphen (ten pairs and nine people: 1); the names of large
providers are known, and what the registries' rules exclude is out."""

SIMULATED = 0.1
"""Weight of a simulated domain beside a real one: there are more of them, and the generator's habits are not the world's.
Twelve simulated organisations together count about as much as the four real ones."""

MODELLED = ("no-such-domain", "no-mail", "turned-away", "one-server", "asked-gone", "asked-no-mail")
"""Signals that are blanked while fitting, and while real logs with modelled outcomes are scored."""


def fit_channel(data: Slips, keep: np.ndarray | None = None, strength: float = 1.0) -> dict[str, float]:
    """Coefficients of `channel.FEATURES`, log10, with the ratio of cases to controls taken out."""
    keep = np.ones(len(data.y), dtype=bool) if keep is None else keep
    x, y = data.x[keep], data.y[keep]
    model = LogisticRegression(C=strength, max_iter=2000, tol=1e-8).fit(x, y)
    ratio = np.log10(y.mean() / (1 - y.mean()))
    fitted = {"intercept": float(model.intercept_[0] / LN10 - ratio)}
    return fitted | {name: float(v / LN10) for name, v in zip(channel.FEATURES, model.coef_[0], strict=True)}


@dataclass(frozen=True)
class Part:
    """Rows of one corpus as a fit sees them; sorted by group."""

    matrix: np.ndarray
    group: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    offset: float
    """log10 prior odds of this corpus."""
    rest: np.ndarray | None = None
    """Of each group what stands against all its rows; 1 without."""


def minimise(
    parts: Sequence[Part], names: Sequence[str], expected: Expected, without: frozenset[str]
) -> dict[str, float]:
    """The mode of the posterior under the Gaussian prior, by L-BFGS; weights named in `without` are held at 0."""
    mean = np.array([0.0 if n in without else expected[n][0] for n in names])
    spread = np.array([1e-6 if n in without else expected[n][1] for n in names])
    ready = [(np.c_[np.ones(len(p.matrix)), p.matrix], weighing.starts(p.group), p) for p in parts if len(p.matrix)]

    def objective(b: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = float((0.5 * ((b - mean) / spread) ** 2).sum()), (b - mean) / spread**2
        for x, first, part in ready:
            z = np.clip((x @ b + part.offset) * LN10, -80, 80)
            odds = np.exp(z)
            total = (1.0 if part.rest is None else part.rest) + np.add.reduceat(odds, first)
            share = odds / np.repeat(total, np.diff(np.r_[first, len(part.group)]))
            value += float(-(part.weight * part.y * z).sum() + (part.weight[first] * np.log(total)).sum())
            gradient = gradient + x.T @ (part.weight * (share - part.y)) * LN10
        return value, gradient

    found = minimize(objective, mean.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 3000, "ftol": 1e-12})
    return {name: float(value) for name, value in zip(names, found.x, strict=True)}


def rate(corpus: Corpus) -> float:
    """The rate of mere slips among a corpus's domains, drawn to the stated one."""
    return (weighing.STRENGTH * PRIOR + len(corpus.mere())) / (weighing.STRENGTH + corpus.evidence.domains)


def pair_part(corpus: Corpus, channel_: Mapping[str, float], keep: np.ndarray) -> Part:
    """Typed domains with their candidates."""
    blank = _blank(channel_)
    slip_weight, free = odds.channels(corpus.evidence, blank)
    matrix = pairs.matrix(corpus.evidence.pairs, slip_weight, free, corpus.evidence.heard)
    matrix[:, [pairs.NAMES.index(name) for name in MODELLED]] = 0.0
    group = odds.groups(corpus.pairs.typed[keep].tolist())
    weight = np.full(int(keep.sum()), corpus.scale)
    second = second_names(corpus, matrix)[keep]
    rest = odds.rest(second, group)
    return Part(matrix[keep], group, corpus.only[keep], weight, weighing.log_odds(rate(corpus)), rest)


def writer_part(corpus: Corpus, channel_: Mapping[str, float], keep: np.ndarray) -> Part:
    """Writers at domains that are not mere slips. Those of a domain with n of them weigh scale/√n each: a much-used
    domain is not a thousand proofs; and as much as the domain is somebody else's own, not a second name: of those no
    writer slips, and they share people."""
    slip_weight, free = odds.channels(corpus.evidence, _blank(channel_))
    row_pair = odds.pair_rows(corpus.evidence)
    matrix = weighing.signals(corpus.evidence.rows, slip_weight[row_pair], free[row_pair])
    keep = keep & ~corpus.frame.recipient_domain.isin(corpus.mere()).to_numpy()
    keys = corpus.frame[["recipient_domain", "recipient_local", "writer_domain", "writer_local"]]
    group = odds.groups(list(keys[keep].itertuples(index=False, name=None)))
    size = keys.drop_duplicates().groupby("recipient_domain").size()
    weight = corpus.scale * corpus.frame.recipient_domain.map(size).to_numpy(dtype=float) ** -0.5
    weight = weight * own_share(corpus, slip_weight, free)[row_pair]
    return Part(matrix[keep], group, corpus.y[keep], weight[keep], weighing.log_odds(rate(corpus)))


def own_share(corpus: Corpus, slip_weight: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Of each pair, the probability that its typed domain is no second name, given that it is no mere slip."""
    matrix = pairs.matrix(corpus.evidence.pairs, slip_weight, free, corpus.evidence.heard)
    matrix[:, [pairs.NAMES.index(name) for name in MODELLED]] = 0.0
    group = odds.groups(corpus.pairs.typed.tolist())
    return np.asarray(1.0 / odds.rest(second_names(corpus, matrix), group)[group])


def second_names(corpus: Corpus, matrix: np.ndarray) -> np.ndarray:
    """log10 odds that each pair is one owner's."""
    return states.second_odds(odds.second_features(corpus.evidence, matrix), SECOND_NAME)


def _blank(channel_: Mapping[str, float]) -> Parameters:
    return Parameters(PRIOR, 0.0, {}, 0.0, {}, SECOND_NAME, channel_, {})


def fit(
    slips: Slips,
    logs: Sequence[Corpus],
    keep_slips: np.ndarray | None = None,
    keep_pairs: Sequence[np.ndarray] | None = None,
    keep_rows: Sequence[np.ndarray] | None = None,
    without: frozenset[str] = frozenset(),
) -> Parameters:
    """All three fits on what `keep_*` leave in."""
    fitted = fit_channel(slips, keep_slips)
    by_pair, by_writer = [], []
    for n, corpus in enumerate(logs):
        some = np.ones(len(corpus.pairs), dtype=bool) if keep_pairs is None else keep_pairs[n]
        rows = np.ones(len(corpus.frame), dtype=bool) if keep_rows is None else keep_rows[n]
        by_pair.append(pair_part(corpus, fitted, some))
        by_writer.append(writer_part(corpus, fitted, rows))
    weights = minimise(by_pair, ("base", *pairs.NAMES), PAIRS, without)
    writers = minimise(by_writer, ("base", *weighing.NAMES), WRITERS, without & {"slip"})
    base, writer_base = weights.pop("base"), writers.pop("base")
    return rounded(Parameters(PRIOR, base, weights, writer_base, writers, SECOND_NAME, fitted, {}))


def rounded(using: Parameters) -> Parameters:
    """As parameters.json holds them."""

    def four(some: Mapping[str, float]) -> dict[str, float]:
        return {name: round(value, 4) for name, value in some.items()}

    return Parameters(
        using.prior, round(using.base, 4), four(using.weights), round(using.writer_base, 4), four(using.writer_weights),
        using.second_name, four(using.channel), using.origin,
    )  # fmt: skip


def development(tables: Path, *, simulated: bool = True) -> tuple[Slips, list[Corpus], list[Corpus]]:
    """Everything that may be fitted on — labelled pairs, the real logs, the simulated development organisations — and
    the albion logs each alone, which are scored but not fitted once more."""
    components = labelled.Components()
    slips = labelled.slips(components)
    first, *each = labelled.ALBION
    logs = [labelled.replay(tables, components, name) for name in labelled.REPLAYS]
    logs.append(labelled.albion(tables, components, first))
    also = [labelled.albion(tables, components, name) for name in each]
    # Components grow while corpora are read: take the fold keys once all are joined.
    logs, also = ([labelled.keyed(c, components) for c in some] for some in (logs, also))
    made = [labelled.simulated(s, SIMULATED, tables) for s in labelled.DEVELOPMENT] if simulated else []
    names = np.array([components.of(typed) for typed in slips.typed])
    return Slips(slips.x, slips.y, names, slips.kinds, slips.typed), [*logs, *made], also


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--write", action="store_true", help="replace forensics/detector/parameters.json")
    options = parser.parse_args(arguments)
    slips, logs, _ = development(options.tables)
    text = json.dumps(described(fit(slips, logs), slips, logs), indent=1, ensure_ascii=False) + "\n"
    if options.write:
        STORED.write_text(text, "utf-8")
    sys.stdout.write(text)


STORED = labelled.ROOT / "forensics" / "detector" / "parameters.json"


def described(using: Parameters, slips: Slips, logs: Sequence[Corpus]) -> dict[str, Any]:
    """What parameters.json holds: the numbers, rounded, and where they come from."""

    def told(expected: Expected) -> dict[str, Any]:
        return {name: {"mean": mean, "sd": sd, "why": why} for name, (mean, sd, why) in expected.items()}

    return {
        "prior": using.prior,
        "base": using.base,
        "weights": using.weights,
        "writer_base": using.writer_base,
        "writer_weights": using.writer_weights,
        "second_name": using.second_name,
        "channel": using.channel,
        "origin": {
            "command": "python -m tests.bench.fit --tables DIR --write",
            "channel": f"{len(slips.y)} hand-labelled pairs, {int(slips.y.sum())} mistyped",
            "weights": {
                c.name: {"domains": c.evidence.domains, "with candidates": int(c.pairs.typed.nunique()),
                         "slips": len(c.mere()), "mixed": len(c.mixed()), "scale": c.scale}
                for c in logs
            },
            "prior": "share of mere slips among external domains in three real logs: 0.9 %, 2.5 %, 0.7 %",
            "second_name": "argued, not fitted: it divides only what speaks against a slip",
            "expected": told(PAIRS),
            "expected_of_writers": told(WRITERS),
        },
    }  # fmt: skip


if __name__ == "__main__":
    main()
