"""The table of clocks, in the words of `clocks.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text.prose import duration, say, sentences, when
from forensics.report.text.wording import Words

_OPEN = ("no-limit", "deadline", "running", "passed")


def table(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """Every clock of every regime in one table, then what each regime is and where its periods are written."""
    if not facts.regimes:
        yield b.Para(say(words, "clocks.none"), "note")
        return
    yield b.Heading(2, words("clocks.heading"), "clocks")
    titles = (("step", 4), ("starts", 4), ("due", 3), ("state", 3))
    rows = tuple(_row(facts, regime, step, words) for regime in facts.regimes for step in regime.steps)
    columns = tuple(b.Column(words(f"clocks.{key}"), width=width) for key, width in titles)
    yield b.Table(columns, rows, words("clocks.caption"), small=True)
    bases = {step.longer_basis for regime in facts.regimes for step in regime.steps if step.longer_basis}
    readings = [say(words, f"clocks.reading.{basis}") for basis in sorted(bases)]
    yield b.Items((*(note(regime, words) for regime in facts.regimes), *readings), small=True)


def note(regime: f.Regime, words: Words) -> b.Spans:
    """For whom a regime is, to whom to send, where its periods are written and when that was checked."""
    parts = [
        say(
            words,
            "clocks.note.regime",
            name=b.Span("strong", regime.name),
            applies_to=regime.applies_to,
            authority=regime.named_authority or regime.authority,
        )
    ]
    if regime.checked is None:
        parts.append(say(words, "clocks.note.source_open", source=regime.source))
    else:
        parts.append(say(words, "clocks.note.source_checked", source=regime.source, day=words.day(regime.checked)))
    if regime.given_source:
        parts.append(say(words, "clocks.note.given", source=regime.given_source))
    if regime.note:
        parts.append(b.text(f"{regime.note}."))
    return sentences(*parts)


def _row(facts: f.Facts, regime: f.Regime, step: f.Step, words: Words) -> tuple[b.Spans, ...]:
    what = [b.text(b.Span("strong", f"{step.title}."))]
    what.append(b.text(b.Span("soft", words("clocks.where", regime=regime.short, provision=step.provision))))
    if step.condition:
        what.append(b.text(b.Span("soft", f"{step.condition[0].upper()}{step.condition[1:]}.")))
    return (
        sentences(*what),
        b.text(*(_limit(facts, limit, n, words) for n, limit in enumerate(step.limits))),
        due(facts, regime, step, words),
        state(facts, step, words),
    )


def _limit(facts: f.Facts, limit: f.Limit, n: int, words: Words) -> b.Spans:
    """`72 hours from “controller became aware”: 4 January 2024, 09:15 UTC`."""
    period = words(f"clocks.period_{limit.unit}", n=limit.number) if limit.number else words("clocks.period_none")
    parts = [b.text(words("clocks.at_most"))] if n else []
    parts.append(b.text(words("clocks.event", period=period, event=limit.start.says)))
    dated = moment(facts, limit.start, words)
    parts.append(b.text(dated) if dated else say(words, "clocks.not_dated"))
    if limit.given:
        parts.append(b.text(words("clocks.given")))
    return sentences(*parts)


def moment(facts: f.Facts, at: f.Moment, words: Words) -> str:
    """A dated event as it was dated; empty when it was not."""
    if at.at is not None:
        return when(words, at.at, facts.header.timezone)
    return words.day(at.day) if at.day is not None else ""


def due(facts: f.Facts, regime: f.Regime, step: f.Step, words: Words) -> b.Spans:
    """When a step is due, and the later end by another reading."""
    if step.deadline is None:
        return b.text(words("clocks.no_start" if step.state == "not-dated" else "clocks.open_end"))
    at = when(words, step.deadline, facts.header.timezone)
    if step.by_day:
        last = (step.deadline - timedelta(microseconds=1)).astimezone(ZoneInfo(regime.zone)).date()
        at = words("clocks.end_of", day=words.day(last), at=at)
    parts = [b.text(b.Span("strong", at))]
    if step.longer is not None:
        basis = words(f"clocks.basis.{step.longer_basis}")
        longer = words("clocks.longer", at=when(words, step.longer, facts.header.timezone), basis=basis)
        parts.append(b.text(b.Span("soft", longer)))
    return b.text(*parts)


def state(facts: f.Facts, step: f.Step, words: Words) -> b.Spans:
    """Whether it is open, passed or done."""
    as_of = facts.header.as_of
    return say(
        words,
        f"clocks.states.{step.state}",
        as_of=when(words, as_of, facts.header.timezone) if as_of else "",
        remaining=duration(words, step.remaining_seconds or 0),
        done=moment(facts, step.done, words),
    )


def brief(facts: f.Facts, words: Words) -> b.Spans:
    """The clocks in a sentence or two, for the one page; nothing where no regime is named."""
    steps = [step for regime in facts.regimes for step in regime.steps]
    if not steps:
        return ()
    count = words("point_clocks.regimes", n=len(facts.regimes))
    still = [step for step in steps if step.state in _OPEN]
    said = words("point_clocks.open", n=len(still), total=len(steps), regimes=count)
    names = {id(step): regime.short for regime in facts.regimes for step in regime.steps}
    ahead = [step for step in still if step.deadline is not None and step.state != "passed"]
    out = [b.text(said + ("; " if ahead else "."))]
    if ahead:
        first = min(ahead, key=lambda step: (step.deadline, step.key))
        assert first.deadline is not None
        at = when(words, first.deadline, facts.header.timezone)
        out = [b.text(*out[0], *say(words, "point_clocks.next", step=first.title, regime=names[id(first)], at=at))]
    passed = sum(step.state == "passed" for step in still)
    if passed:
        out.append(say(words, "point_clocks.passed", n=passed))
    return sentences(*out)
