"""The weighing of one finding as a sum that a reader can add up.

Prior and reasons are log10; their sum is the log10 odds that the sender slipped, and the score its probability. All
are printed to a thousandth, and rounded together (largest remainders), so that what is printed adds up to what is
printed. Where other domains were considered, each answer has its own sum, against the answer that the address was
meant as sent, whose sum is 0: its probability is 10^sum over the total of 10^sum of all answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.report.facts import Finding
from forensics.report.text.blocks import Spans, code
from forensics.report.text.prose import joined, say
from forensics.report.text.wording import Words

_UNIT = 1000


@dataclass(frozen=True)
class Sum:
    """In thousandths: `prior` and `reasons` (their parts in order) add up to `total`."""

    prior: int
    parts: tuple[int, ...]
    total: int

    @property
    def reasons(self) -> int:
        return sum(self.parts)

    @property
    def probability(self) -> float:
        return 1 / (1 + 10 ** (-self.total / _UNIT))


def of(finding: Finding) -> Sum:
    """The sum behind a score."""
    total = round((finding.prior + finding.weight) * _UNIT)
    prior = round(finding.prior * _UNIT)
    return Sum(prior, apportioned([reason.weight for reason in finding.reasons], total - prior), total)


def apportioned(weights: Sequence[float], total: int) -> tuple[int, ...]:
    """Thousandths near each weight that add up to `total`; without weights none.

    >>> apportioned([0.0004, 0.0004, 0.0004], 1), apportioned([1.2346, -0.2341], 1000)
    ((1, 0, 0), (1234, -234))
    """
    if not weights:
        return ()
    low = [math.floor(weight * _UNIT) for weight in weights]
    left = total - sum(low)
    order = sorted(range(len(weights)), key=lambda n: (low[n] - weights[n] * _UNIT, n))
    each, more = divmod(left, len(weights))
    for place, n in enumerate(order):
        low[n] += each + (place < more)
    return tuple(low)


def signed(thousandths: int) -> str:
    """`+1.013`, `−0.340`."""
    return f"{thousandths / _UNIT:+.3f}".replace("-", "\u2212")


def score(words: Words, value: float) -> str:
    """A probability to four places, never 0 or 1."""
    if value > 0.99995:
        return words("sum.above")
    return words("sum.below") if value < 0.00005 else f"{value:.4f}"


def line(words: Words, finding: Finding) -> Spans:
    """`prior −1.313 + reasons +4.748 = +3.435 → probability 0.9996`."""
    made = of(finding)
    return say(
        words,
        "sum.line",
        prior=signed(made.prior),
        reasons=signed(made.reasons),
        total=signed(made.total),
        score=score(words, made.probability),
    )


def answers(words: Words, finding: Finding) -> Spans:
    """Each answer with its sum and probability where other domains were considered, else nothing."""
    parts: list[str | Spans] = [
        (*say(words, "sum.answer", name=code(name), total=signed(total), score=score(words, probability)),)
        for name, total, probability in weighed(finding)
    ]
    return say(words, "sum.answers", answers=joined(words, parts)) if parts else ()


def weighed(finding: Finding) -> Iterator[tuple[str, int, float]]:
    """(domain meant, its sum in thousandths, its probability) of every answer but `as sent`, whose sum is 0; nothing
    where no other domain was considered."""
    if not finding.alternatives:
        return
    made = of(finding)
    sent = 1 - made.probability
    own = max(made.probability - sum(share for _, share in finding.alternatives), 1e-9)
    for name, share in ((finding.slip.meant, own), *finding.alternatives):
        yield name, round(math.log10(max(share, 1e-9) / sent) * _UNIT), share
