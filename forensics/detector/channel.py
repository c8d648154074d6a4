"""How much a slip speaks for itself: P(typed | slip) against P(typed | two genuine domains differ just so).

The channel probability of `slips` says how easily a slip yields the typed name. Whether that is remarkable depends
on how often *distinct genuine* domains stand in the same relation: letters are replaced between universities,
suffixes between sister companies, but hardly anybody registers a name with a letter left out of a long one. The
ratio is a small regularised logistic regression over the features below, fitted on hand-labelled pairs
(`parameters.json`, `channel`); its unit is log10.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forensics import domains
from forensics.detector.slips import Slip

GROUPS: dict[str, str] = {
    "omitted-letter": "left-out",
    "omitted-double": "left-out",
    "truncated-tail": "left-out",
    "inserted-letter": "put-in",
    "repeated-letter": "put-in",
    "trailing-garbage": "put-in",
    "substituted-letter": "replaced",
    "sound-alike": "replaced",
    "lookalike": "replaced",
    "transposed-letters": "swapped",
    "missing-dot": "signs",
    "extra-dot": "signs",
    "moved-dot": "signs",
    "hyphen": "signs",
    "punctuation": "signs",
    "subdomain": "signs",
    "reordered-labels": "signs",
    "suffix-swap": "suffix",
    "suffix-typo": "suffix",
    "lost-level": "suffix",
    "two-edits": "two-edits",
    "moved-letter": "swapped",
    "long-cut": "far",
    "long-paste": "far",
    "several-edits": "far",
    "mixed-words": "far",
}
"""Kinds that share one base rate among genuine neighbours."""

FEATURES = ("probability", "no-registry", "letters", *sorted(set(GROUPS.values())))
"""`probability`: log10 channel probability + 3, floored at -2.5. `no-registry`: 1 when the typed suffix is in no
registry. `letters`: letters of the shorter registered label beyond six, 3 to 10, 0 when only the suffix differs.
Then one indicator per group. Letters count only where letters differ: one owner may register a name under several
suffixes and with or without a hyphen, however long it is."""


def features(typed: str, meant: str, slip: Slip) -> np.ndarray:
    """The row of FEATURES for one candidate."""
    a, b = domains.split(typed), domains.split(meant)
    group = GROUPS[slip.kind]
    same_name = slip.part == "suffix" or group == "signs"
    letters = 0 if same_name else min(max(min(len(a.domain or typed), len(b.domain or meant)), 3), 10) - 6
    head = [max(slip.log10, -5.5) + 3.0, float(a.suffix == ""), float(letters)]
    return np.array([*head, *(float(name == group) for name in FEATURES[3:])])


def weight(typed: str, meant: str, slip: Slip, fitted: Mapping[str, float]) -> float:
    """log10 ratio of the two probabilities under fitted coefficients (`intercept` and one per feature)."""
    row = features(typed, meant, slip)
    return float(fitted["intercept"] + sum(fitted[name] * value for name, value in zip(FEATURES, row, strict=True)))
