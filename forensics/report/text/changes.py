"""What changed since an earlier report, in the words of `changes.toml`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import content, pieces
from forensics.report.text.prose import say
from forensics.report.text.wording import Words

_NAMED = 24


def section(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """Numbers, findings, evidence and answers that differ."""
    changes = facts.changes
    if changes is None:
        return
    lead = {
        "status": _status(changes, words),
        "state": b.code(changes.case_state[:16]),
        "digest": b.code(changes.digest),
    }
    yield b.Para(say(words, "changes.lead", **lead))
    items = tuple(_items(facts, changes, words))
    if not (items or changes.counts or changes.answers):
        yield b.Para(b.text(words("changes.same")))
    if items:
        yield b.Items(items)
    if changes.counts:
        rows = tuple(
            b.cells([_measure(one, words), words.number(one.before), words.number(one.now)]) for one in changes.counts
        )
        columns = (
            b.Column(words("changes.measure"), width=1),
            b.Column(words("changes.before"), "right"),
            b.Column(words("changes.now"), "right"),
        )
        yield b.Table(columns, rows, words("changes.counts"))
    if changes.answers:
        layout = tuple(b.Column(words(f"changes.{key}"), width=3) for key in ("question", "before", "now"))
        answers = tuple(_restated(facts, one, words) for one in changes.answers)
        yield b.Table(layout, answers, words("changes.answers"), small=True)


def brief(facts: f.Facts, words: Words) -> b.Spans:
    """The same in one sentence, for the one page."""
    changes = facts.changes
    if changes is None:
        return ()
    counted = (
        ("added", changes.added.value),
        ("gone", len(changes.gone)),
        ("moved", sum(one.deliveries.value for one in changes.moved)),
        ("evidence", len(changes.evidence_added)),
        ("answers", len(changes.answers)),
    )
    parts = [words(f"changes.part_{key}", n=n) for key, n in counted if n]
    if not parts:
        return b.text(words("changes.same"))
    return say(words, "changes.brief", status=_status(changes, words), parts=words.join(parts))


def _items(facts: f.Facts, changes: f.Changes, words: Words) -> Iterator[b.Spans]:
    if changes.added.value:
        yield say(words, "changes.new", n=changes.added.value, findings=content.refs(facts, changes.added, words))
    if changes.gone:
        yield say(words, "changes.gone", n=len(changes.gone), findings=_some(changes.gone, words))
    for one in changes.moved:
        states = {"before": words(f"state.{one.before}"), "now": words(f"state.{one.now}")}
        yield say(
            words,
            "changes.moved",
            n=one.deliveries.value,
            findings=content.refs(facts, one.deliveries, words),
            **states,
        )
    if changes.evidence_added:
        added = changes.evidence_added
        yield say(words, "changes.evidence_added", n=len(added), refs=_some(added, words))
    if changes.evidence_gone:
        gone = changes.evidence_gone
        yield say(words, "changes.evidence_gone", n=len(gone), digests=b.code(_some(gone, words)))


def _some(names: tuple[str, ...], words: Words) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} {words('content.more', n=len(names) - _NAMED)}"


def _measure(one: f.Count, words: Words) -> str:
    group, _, measure = one.key.partition(".")
    return f"{words(f'changes.group.{group}')}: {words(f'changes.of.{measure}')}"


def _restated(facts: f.Facts, one: f.Restated, words: Words) -> tuple[b.Spans, ...]:
    item = facts.questionnaire[one.key]
    return (
        b.text(pieces.question(words, item)),
        *(_answer(facts, item, said, words) for said in (one.before, one.now)),
    )


def _answer(facts: f.Facts, item: f.Item, answer: str | None, words: Words) -> b.Spans:
    if answer is None:
        return (b.Span("soft", words("changes.unanswered")),)
    if facts.header.edition == "redacted":
        return b.text(answer)
    try:
        return pieces.answer(words, replace(item, answered=True, answer=answer), facts.header.timezone)
    except ValueError:  # Another kind of answer than the question has by now.
        return b.text(answer)


def _status(changes: f.Changes, words: Words) -> str:
    earlier = words("changes.earlier")
    return words.get(f"choice.{changes.status}", earlier) if changes.status else earlier
