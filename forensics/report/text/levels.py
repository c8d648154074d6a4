"""What each level of findings was measured to be worth, and so whether it counts."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import prose
from forensics.report.text.wording import Words


def told(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """One sentence for each level that may count; nothing where nothing was measured."""
    if facts.method.levels:
        yield b.Para(b.text(words("measured_level.rule")), "note")
        yield b.Items(tuple(_level(words, one) for one in facts.method.levels))


def _level(words: Words, one: f.Level) -> b.Spans:
    name = words(f"level.{one.name}")
    if one.mean is None:
        return prose.say(words, "measured_level.never", name=name)
    key = f"measured_level.{'counts' if one.counts else 'kept'}"
    return prose.say(words, key, name=name, hits=one.hits, of=one.of, mean=f"{one.mean:.2f}")
