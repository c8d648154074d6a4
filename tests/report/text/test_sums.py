"""What a report prints of a score adds up, on a pocket calculator."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from forensics.report.facts import Reason
from forensics.report.redaction import redact
from forensics.report.text import blocks as b
from forensics.report.text import document, sums
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
FACTS = made.facts(40)
NUMBER = re.compile(r"[+−]\d+\.\d{3}")
PARTS = st.lists(st.floats(-6, 6).map(lambda x: round(x, 4)), min_size=1, max_size=14)


def value(text: str) -> float:
    return float(text.replace("−", "-"))


@given(PARTS, st.floats(-4, 0))
def test_the_parts_printed_add_up_to_the_sum_printed(weights: list[float], prior: float) -> None:
    reasons = tuple(Reason("slip", weight, "because") for weight in weights)
    weight = round(sum(weights), 4)
    finding = replace(FACTS.findings[0], reasons=reasons, weight=weight, prior=round(prior, 6), alternatives=())
    made_sum = sums.of(finding)
    assert made_sum.prior + made_sum.reasons == made_sum.total
    assert all(abs(part / 1000 - weight) < 0.0021 for part, weight in zip(made_sum.parts, weights, strict=True))
    printed = b.plain(sums.line(WORDS, finding))
    first, second, total = (value(number) for number in NUMBER.findall(printed))
    assert round(first + second, 3) == total
    score = 1 / (1 + 10 ** -(finding.prior + finding.weight))
    assert abs(10**total / (1 + 10**total) - score) < 0.002


@given(st.lists(st.floats(0.005, 0.3), min_size=1, max_size=5), st.floats(0.001, 0.999))
def test_each_answers_probability_is_its_share_of_the_total(shares: list[float], own: float) -> None:
    whole = sum(shares) + own + 0.01
    scale = 0.999 / whole if whole > 0.999 else 1.0
    rivals = tuple((f"rival{n}.example", round(share * scale, 6)) for n, share in enumerate(shares))
    score = sum(share for _, share in rivals) + own * scale
    import math

    finding = replace(
        FACTS.findings[0], prior=0.0, weight=round(math.log10(score / (1 - score)), 4), alternatives=rivals
    )
    answers = list(sums.weighed(finding))
    total = 1 + sum(10 ** (each / 1000) for _, each, _ in answers)
    for _, each, probability in answers:
        assert abs(10 ** (each / 1000) / total - probability) < 0.002
    assert abs((1 - 1 / total) - score) < 0.002
    assert all(name in b.plain(sums.answers(WORDS, finding)) for name, _ in rivals)


def test_reasons_in_a_report_add_up() -> None:
    told = document.compose(FACTS, made.context(FACTS))
    lists = [block for block in told.blocks if isinstance(block, b.Items) and block.small]
    checked = 0
    for block in lists:
        lines = [b.plain(item) for item in block.items]
        sum_line = next((line for line in lines if line.startswith("Prior ")), None)
        reasons = [value(line.split("  ")[0]) for line in lines if NUMBER.match(line)]
        if sum_line and reasons:
            assert abs(sum(reasons) - value(NUMBER.findall(sum_line)[1])) < 5e-4
            checked += 1
    assert checked


def test_a_code_word_never_stands_for_a_reason() -> None:
    """In the redacted edition reasons keep what their kind weighs, in words."""
    facts = redact(FACTS, b"k" * 32)
    odd = replace(facts.findings[0], reasons=(Reason("writers-own-use", 1.0, ""), Reason("no-such-kind", 0.5, "")))
    facts = replace(facts, findings=(odd, *facts.findings[1:]))
    text = "\n".join(
        b.plain(item)
        for block in document.compose(facts, made.context(facts)).blocks
        if isinstance(block, b.Items)
        for item in block.items
    )
    assert "what this sender did" in text
    assert not re.search(r"writers-own-use|no-such-kind|\d  (history|slip)\b", text)
