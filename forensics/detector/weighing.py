"""From measurements to a posterior probability: named signals, fitted weights, one stated prior, on two levels.

The *pair* (`pairs`): for a typed domain and each domain X that it could stand for,

    log10 odds(only a slip for X, against somebody else's own) = prior + base + Σ weight · signal

over all who used it. The *writer*: where the typed domain is somebody's own, one (writer, address) may still be a slip,

    log10 odds(this writer slipped, domain X meant) = prior + writer base + Σ writer weight · signal

from the signals below. `states` makes probabilities of both. Weights were fitted together, so that correlated signals
share what they say (`parameters.json`; `python -m tests.bench.fit`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.detector import pairs

SIGNALS: dict[str, str] = {
    "slip": pairs.SIGNALS["slip"],
    "usage": pairs.SIGNALS["usage"],
    "address-known": "the same local part at the meant domain appears in the organisation's mail",
    "habit": "how much more this writer uses the address at the meant domain (log10 ratio of messages, 0 to 2)",
    "wrote-before": "this writer had written to that address at the meant domain before",
    "wrote-after": "this writer wrote to that address at the meant domain within 7 days afterwards",
    "resent": "that later message has the same subject, or the same size within a day",
    "beside-same": "the meant address is a recipient of the same message, or of the same list",
    "beside-domain": "other addresses at the meant domain are recipients of the same message",
    "answered": "the address as typed has written to the organisation itself",
    "shared-use": "other writers who use the address as typed (log10 of 1 + number)",
    "unseen": pairs.SIGNALS["unseen"],
    "free-mail": pairs.SIGNALS["free-mail"],
}
"""Signals of one writer and address at a domain that is somebody's own. 0 says nothing; indicators are 0 or 1."""

NAMES = tuple(SIGNALS)
THEIRS = ("answered",)
"""What the owner of the typed domain can bring about."""


@dataclass(frozen=True)
class Parameters:
    """What a fit yields: enough to recompute any score by hand. All weights are log10 per unit of a signal."""

    prior: float
    """Probability, before any evidence, that a domain written to is only a slip for another."""
    base: float
    """Weight of the mere fact that a known domain lies one slip away; stated with the slip."""
    weights: Mapping[str, float]
    """Of `pairs.SIGNALS`."""
    writer_base: float
    writer_weights: Mapping[str, float]
    """Of `weighing.SIGNALS`."""
    second_name: Mapping[str, float]
    """Of `states.SECOND_NAME`: argued, not fitted."""
    channel: Mapping[str, float]
    origin: Mapping[str, Any]
    """The command, the data and the versions behind the numbers."""


@cache
def parameters() -> Parameters:
    """The fitted parameters that ship with the package."""
    data = json.loads(files("forensics.detector").joinpath("parameters.json").read_text("utf-8"))
    return Parameters(**data)


def told(detection: Mapping[str, Any]) -> Parameters:
    """The parameters that detection.json says were used. Raises LookupError, TypeError or ValueError where they are not
    those of these signals."""
    now = asdict(parameters())
    weights = {
        name: {key: float(detection[name][key]) for key in now[name]}
        for name in ("weights", "writer_weights", "second_name", "channel")
    }
    prior, base, writer_base = (
        float(one) for one in (detection["prior"]["stated"], detection["base"], detection["writer_base"])
    )
    return Parameters(prior=prior, base=base, writer_base=writer_base, origin=detection["origin"], **weights)


def log_odds(probability: float) -> float:
    """log10 odds of a probability."""
    return float(np.log10(probability) - np.log10(1.0 - probability))


def probability(log10_odds: float) -> float:
    """The probability behind log10 odds.

    >>> round(probability(-3.0), 6), round(probability(0.0), 6)
    (0.000999, 0.5)
    """
    return float(1.0 / (1.0 + 10.0 ** min(300.0, -log10_odds)))


def signals(measured: pa.Table, channel: np.ndarray, free: np.ndarray, *, theirs: bool = True) -> np.ndarray:
    """The matrix of writers' signals (rows × NAMES) from `signals.measure`'s table.

    `channel`: `channel.weight` of each row's candidate; `free`: whether each typed domain is a mail provider's own.
    Without `theirs` what THEIRS names is 0.
    """

    def column(name: str) -> np.ndarray:
        return np.asarray(measured.column(name).to_numpy(zero_copy_only=False), dtype=float)

    def flag(condition: np.ndarray) -> np.ndarray:
        return np.where(condition, 1.0, 0.0)

    gap_subject, gap_size = column("gap_same_subject"), column("gap_same_size")
    out = {
        "slip": channel,
        "usage": np.clip(np.log10((column("meant_use") + 1.0) / (column("typed_use") + 1.0)), -3.0, 3.0),
        "address-known": column("address_known"),
        "habit": np.clip(np.log10((column("times_right") + 1.0) / (column("messages") + 1.0)), 0.0, 2.0),
        "wrote-before": column("wrote_before"),
        "wrote-after": column("wrote_after"),
        "resent": flag((gap_subject >= 0) | ((gap_size >= 0) & (gap_size <= 86_400))),
        "beside-same": flag(column("beside_same") > 0),
        "beside-domain": flag((column("beside_domain") > 0) & ~(column("beside_same") > 0)),
        "answered": flag((column("answered_anyone") > 0) & theirs),
        "shared-use": np.log10(1.0 + np.maximum(column("address_users") - 1.0, 0.0)),
        "unseen": 1.0 - column("seen"),
        "free-mail": free.astype(float),
    }
    return np.stack([np.nan_to_num(out[name]) for name in NAMES], axis=1)


def weigh(matrix: np.ndarray, names: tuple[str, ...], weights: Mapping[str, float], base: float) -> np.ndarray:
    """Parts of the weight of evidence (rows × names), log10, rounded to 4 digits as they are told; the base is added to
    `slip`, the first. A row's sum is its weight."""
    parts: np.ndarray = matrix * np.array([weights[name] for name in names])
    parts[:, 0] += base
    return np.round(parts, 4)


STRENGTH = 300.0
"""How many domains the stated prior is worth against what a log itself shows of its organisation's carefulness."""


def learn_prior(weights: np.ndarray, groups: np.ndarray, rest: np.ndarray, count: int, prior: float) -> float:
    """The share of mere slips among the domains written to that the log and the stated prior together make most
    plausible.

    Organisations differ by a factor of fifty in how often they slip. The rate p solves p = (STRENGTH · prior + Σ
    P(slip | p)) / (STRENGTH + count), the sum over typed domains: expectation maximisation of a Beta prior, from
    `prior`. `groups` sorted: the typed domain of each row of `weights`; `rest`: of each typed domain what stands
    against a slip.
    """
    if not len(weights):
        return STRENGTH * prior / (STRENGTH + count)
    ratio = np.add.reduceat(10.0 ** np.clip(weights, -12.0, 12.0), starts(groups)) / rest
    rate = prior
    for _ in range(500):
        odds = rate / (1.0 - rate)
        after = (STRENGTH * prior + float((ratio * odds / (1.0 + ratio * odds)).sum())) / (STRENGTH + count)
        if abs(after - rate) < 1e-9:
            break
        rate = after
    return float(f"{rate:.4g}")


def starts(groups: np.ndarray) -> np.ndarray:
    """First row of each group; `groups` sorted."""
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]]) if len(groups) else np.zeros(0, dtype=int)
