"""From measurements to a posterior probability: named signals, fitted weights, one stated prior.

For a distinct (writer, address) and every domain that the address could have been meant for:

    log10 odds(slip for that domain) = prior + base + Σ coefficient · signal

All terms but the prior are the *weight of evidence*, log10 of a likelihood ratio; the coefficients were fitted
together, so that correlated signals share what they say (`parameters.json`; `python tests/bench/fit.py`).
An address that the organisation knows at the meant domain is judged on its own merits where the typed domain cannot be
the meant one's second name (`exposure.unrelated`), and it never wrote itself: there the signals of DOMAIN, and a
`consensus` against a slip, count nothing. They say that the typed domain is somebody's, and a slip can hit somebody's
domain; that its people should bear the names of the writer's own partners elsewhere is not to be expected.

Candidates compete: with odds o₁ … oₖ the probability of a slip for candidate i is oᵢ / (1 + Σ o), and the
probability of any slip is Σ o / (1 + Σ o).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa

SIGNALS: dict[str, str] = {
    "slip": "how well one slip explains the typed name (log10 ratio, detector.channel)",
    "usage": "in how many more pairs of sender and address the meant domain takes part than the typed one "
    "(log10 ratio, -3 to 3)",
    "address-known": "the same local part at the meant domain appears in the organisation's mail; where the typed "
    "domain cannot be the meant one's second name, what speaks of that domain as a whole is then left out",
    "habit": "how much more this writer uses the address at the meant domain (log10 ratio of messages, -2 to 2)",
    "wrote-before": "this writer had written to that address at the meant domain before",
    "wrote-after": "this writer wrote to that address at the meant domain within 7 days afterwards",
    "resent": "that later message has the same subject, or the same size within a day",
    "beside-same": "the meant address is a recipient of the same message, or of the same list",
    "beside-domain": "other addresses at the meant domain are recipients of the same message",
    "answered": "the address as typed has written to the organisation itself",
    "silent": "the typed domain has never sent mail to the organisation",
    "own-mail": "the typed domain has sent mail to the organisation (log10 of 1 + messages, at most 4)",
    "fellows": "other addresses at a silent typed domain that exist at the meant one (log10 of 1 + number)",
    "strangers": "other addresses at the typed domain that the meant domain does not have (log10 of 1 + number)",
    "established": "many pairs use the typed domain and it has people of its own (log10 of pairs times strangers)",
    "writers": "writers who came to use the typed domain independently of each other (log10 of number)",
    "newcomer": "the meant domain was in use before the typed one first appeared",
    "repeated": "how often this writer used the address (log10 of messages, at most 2)",
    "no-such-domain": "refused because the typed domain does not exist (share of deliveries)",
    "turned-away": "refused or never accepted for another reason (share of deliveries)",
    "unseen": "the meant domain never appears in the log: only a watched zone suggests it",
    "free-mail": "the typed domain is a large mail provider's own",
    "consensus": "what the other addresses at the typed domain say (their mean log10 odds, -3 to 3, weakened when few)",
}
"""Each signal's name and meaning. 0 everywhere says nothing; indicators are 0 or 1 unless a unit is named."""

NAMES = tuple(SIGNALS)
DOMAIN = ("own-mail", "strangers", "established", "writers")
"""Signals that speak of the typed domain as a whole and not of the address."""


@dataclass(frozen=True)
class Parameters:
    """What a fit yields: enough to recompute any score by hand."""

    prior: float
    """Probability, before any evidence, that a distinct (writer, address) is a slip."""
    base: float
    """log10 weight of the mere fact that a known domain lies one slip away; stated with the slip."""
    weights: Mapping[str, float]
    """log10 per unit of each signal."""
    channel: Mapping[str, float]
    origin: Mapping[str, Any]
    """The command, the data and the versions behind the numbers."""


@cache
def parameters() -> Parameters:
    """The fitted parameters that ship with the package."""
    data = json.loads(files("forensics.detector").joinpath("parameters.json").read_text("utf-8"))
    return Parameters(data["prior"], data["base"], data["weights"], data["channel"], data["origin"])


def log_odds(probability: float) -> float:
    """log10 odds of a probability."""
    return float(np.log10(probability) - np.log10(1.0 - probability))


def probability(log10_odds: float) -> float:
    """The probability behind log10 odds.

    >>> round(probability(-3.0), 6), round(probability(0.0), 6)
    (0.000999, 0.5)
    """
    return float(1.0 / (1.0 + 10.0 ** min(300.0, -log10_odds)))


def signals(measured: pa.Table, channel: np.ndarray, free: np.ndarray, merits: np.ndarray) -> np.ndarray:
    """The matrix of signals (rows × NAMES) from `signals.measure`'s table; `consensus` is 0 and comes later.

    `channel`: `channel.weight` of each row's candidate; `free`: whether each typed domain is a mail provider's own;
    `merits`: rows judged on their own merits, for which the signals of DOMAIN are 0.
    """

    def column(name: str) -> np.ndarray:
        return np.asarray(measured.column(name).to_numpy(zero_copy_only=False), dtype=float)

    def flag(condition: np.ndarray) -> np.ndarray:
        return np.where(condition, 1.0, 0.0)

    known = column("address_known")
    others = np.maximum(column("typed_addresses") - column("typed_shared") - (1.0 - known), 0.0)
    gap_subject, gap_size = column("gap_same_subject"), column("gap_same_size")
    answered = column("answered_anyone") > 0
    out = {
        "slip": channel,
        "usage": np.clip(np.log10((column("meant_pairs") + 1.0) / (column("typed_pairs") + 1.0)), -3.0, 3.0),
        "address-known": known,
        "habit": np.clip(np.log10((column("times_right") + 1.0) / (column("messages") + 1.0)), -2.0, 2.0),
        "wrote-before": column("wrote_before"),
        "wrote-after": column("wrote_after"),
        "resent": flag((gap_subject >= 0) | ((gap_size >= 0) & (gap_size <= 86_400))),
        "beside-same": flag(column("beside_same") > 0),
        "beside-domain": flag((column("beside_domain") > 0) & ~(column("beside_same") > 0)),
        "answered": flag(answered),
        "silent": flag(column("typed_in") == 0),
        "own-mail": np.minimum(np.log10(1.0 + column("typed_in")), 4.0),
        "fellows": np.where(
            column("typed_in") == 0, np.log10(1.0 + np.maximum(column("typed_shared") - known, 0.0)), 0.0
        ),
        "strangers": np.log10(1.0 + others),
        "established": np.log10(np.maximum(column("typed_pairs"), 1.0)) * np.log10(1.0 + others),
        "writers": np.log10(np.maximum(column("typed_writers"), 1.0)),
        "newcomer": column("meant_older"),
        "repeated": np.where(column("via") > 0, 0.0, np.minimum(np.log10(np.maximum(column("messages"), 1.0)), 2.0)),
        "no-such-domain": column("no_domain"),
        "turned-away": np.maximum(column("failed") - column("no_domain"), 0.0),
        "unseen": 1.0 - column("seen"),
        "free-mail": free.astype(float),
        "consensus": np.zeros(len(measured)),
    }
    out |= {name: np.where(merits, 0.0, out[name]) for name in DOMAIN}
    return np.stack([np.nan_to_num(out[name]) for name in NAMES], axis=1)


def consensus(odds: np.ndarray, pair: np.ndarray, address: np.ndarray, merits: np.ndarray) -> np.ndarray:
    """What the *other* addresses of the same typed and meant domain say of each row.

    `odds`: each row's own log10 odds; `pair`, `address`: numbers of its domain pair and of its address. Writers of one
    address are averaged first, so that a conversation is not a crowd. With n others the mean counts n / (n + 2). For
    `merits` see `signals`: there the others may speak for a slip, not against one.
    """
    if not len(odds):
        return np.zeros(0)
    clipped = np.clip(odds, -3.0, 3.0)
    _, of_row = np.unique(np.stack([pair, address], axis=1), axis=0, return_inverse=True)
    of_row = of_row.reshape(-1)
    mean = np.bincount(of_row, clipped) / np.bincount(of_row)
    pair_of = np.zeros(len(mean), dtype=np.int64)
    pair_of[of_row] = pair
    total, count = np.bincount(pair_of, mean), np.bincount(pair_of)
    others = count[pair] - 1.0
    rest = (total[pair] - mean[of_row]) / np.maximum(others, 1.0)
    support = np.where(others > 0, rest * others / (others + 2.0), 0.0)
    return np.asarray(np.where(merits, np.maximum(support, 0.0), support))


def weigh(matrix: np.ndarray, using: Parameters) -> np.ndarray:
    """Parts of the weight of evidence (rows × NAMES), log10; the base is added to `slip`. A row's sum is its weight."""
    parts: np.ndarray = matrix * np.array([using.weights[name] for name in NAMES])
    parts[:, 0] += using.base
    return parts


STRENGTH = 1000.0
"""How many pairs the stated prior is worth against what a log itself shows of its organisation's carefulness."""


def learn_prior(weights: np.ndarray, groups: np.ndarray, pairs: int, prior: float) -> float:
    """The share of slips among an organisation's pairs that the log and the stated prior together make most plausible.

    Organisations differ by a factor of fifty in how often they slip. The rate p solves p = (STRENGTH · prior + Σ
    P(slip | p)) / (STRENGTH + pairs), the sum over all (writer, address): expectation maximisation of a Beta
    prior, from `prior`. `groups` sorted.
    """
    if not len(weights):
        return STRENGTH * prior / (STRENGTH + pairs)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    ratio = np.add.reduceat(10.0 ** np.clip(weights, -12.0, 12.0), starts)
    rate = prior
    for _ in range(500):
        odds = rate / (1.0 - rate)
        after = (STRENGTH * prior + float((ratio * odds / (1.0 + ratio * odds)).sum())) / (STRENGTH + pairs)
        if abs(after - rate) < 1e-9:
            break
        rate = after
    return float(f"{rate:.4g}")


def compete(weights: np.ndarray, groups: np.ndarray, prior: float) -> tuple[np.ndarray, np.ndarray]:
    """Posterior of each candidate, and of any slip, where rows of one (writer, address) share a group number.

    `groups` must be sorted. Returns (probability of each row's candidate, log10 odds of any slip per row).
    """
    odds = 10.0 ** np.clip(weights + log_odds(prior), -12.0, 12.0)
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.zeros(0, dtype=int)
    totals = np.add.reduceat(odds, starts) if len(odds) else np.zeros(0)
    total = np.repeat(totals, np.diff(np.r_[starts, len(groups)]))
    return odds / (1.0 + total), np.log10(total)
