"""What happened when, one row an event, for tools that keep timelines: `timesketch` and `iris` lay these out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import pieces, timeline
from forensics.report.text.wording import Words


@dataclass(frozen=True)
class Event:
    """`kind` is submitted or settled for a finding, logs or people for an event of the case (`text.timeline`)."""

    at: datetime
    kind: str
    message: str
    finding: f.Finding | None = None


def events(facts: f.Facts, words: Words) -> tuple[Event, ...]:
    """Every finding, whatever its state, as it was submitted and as it was settled, and the case's own events."""
    return tuple(sorted(_all(facts, words), key=lambda event: event.at))


def _all(facts: f.Facts, words: Words) -> Iterator[Event]:
    for at, source, spans in timeline.events(facts, words):
        yield Event(at, source, b.plain(spans))
    for finding in facts.findings:
        yield Event(finding.submitted_at, "submitted", message("submitted", finding, words), finding)
        if finding.resolved_at is not None:
            yield Event(finding.resolved_at, "settled", message("settled", finding, words), finding)


def message(kind: str, finding: f.Finding, words: Words) -> str:
    """One finding in a sentence."""
    return words(
        f"events.{kind}",
        ref=finding.ref,
        state=words(f"state.{finding.state}"),
        sender=finding.sender or words("html.finding.null_sender"),
        recipient=finding.recipient,
        meant=finding.slip.meant,
        outcome=pieces.became(words, finding),
        score=pieces.score(words, finding.score),
    )


def records(finding: f.Finding) -> str:
    """Where it stands in the evidence: `E1: 34–37`."""
    return pieces.records(finding)


def stage(finding: f.Finding) -> str:
    """Whether the message, or part of it, had been sent to a server, as a code: yes, no, unknown."""
    return {True: "yes", False: "no", None: "unknown"}[finding.content_sent]
