"""What changed since an earlier report of the same case (GDPR Art. 33(4): information in phases).

The earlier report is its incident.json in the full edition; findings are the same by their delivery id, evidence by the
digest of its content, answers by their key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from forensics.errors import UsageError, system_error
from forensics.report.facts.base import FORMAT_VERSION, STATES, Number, Raw

FORMAT = f"missent-incident-{FORMAT_VERSION}"

MEASURES = (
    "deliveries", "messages", "senders", "recipients", "exposed", "handed_on", "not_exposed", "unsettled",
    "content_sent", "stage_unknown",
)  # fmt: skip
GROUPS = ("confirmed", "suspected", "review", "dismissed")


@dataclass(frozen=True)
class Count:
    """A number then and now: `headline.messages`, `confirmed.deliveries`."""

    key: str
    before: int
    now: int


@dataclass(frozen=True)
class Restated:
    """An answer then and now."""

    key: str
    before: Annotated[str | None, Raw("text")]
    now: Annotated[str | None, Raw("text")]


@dataclass(frozen=True)
class Moved:
    """Findings whose state changed in one way."""

    before: str
    now: str
    deliveries: Number


@dataclass(frozen=True)
class Changes:
    """All that differs; what is not named is as it was."""

    digest: str
    """SHA-256 of the earlier incident.json."""
    case_state: str
    status: str | None
    counts: tuple[Count, ...]
    """Those that changed."""
    added: Number
    """Findings that the earlier report did not have."""
    gone: tuple[str, ...]
    """Names that the earlier report gave to findings which are none any more."""
    moved: tuple[Moved, ...]
    evidence_added: tuple[str, ...]
    """`ref` of evidence that was not there."""
    evidence_gone: tuple[str, ...]
    """Digests of content that is no longer in the case."""
    answers: tuple[Restated, ...]


def read(path: Path) -> tuple[Mapping[str, Any], str]:
    """(an earlier incident.json, its SHA-256). `path` may be the folder it lies in.

    Raises UsageError for what is none, or is of the redacted edition.
    """
    place = path / "incident.json" if path.is_dir() else path
    expected = "incident.json of an earlier report of this case, full edition"
    try:
        content = place.read_bytes()
    except OSError as error:
        raise system_error(error, place) from None
    try:
        found = json.loads(content)
        known = found["format"] == FORMAT
        edition = found["header"]["edition"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(f"--since-report {place}: is no incident.json", expected=expected) from None
    if not known:
        raise UsageError(f"--since-report {place}: format {str(found['format'])[:40]!r}", expected=FORMAT)
    if edition != "full":
        raise UsageError(f"--since-report {place}: is of the {str(edition)[:20]} edition", expected=expected)
    return found, hashlib.sha256(content).hexdigest()


def compare(earlier: tuple[Mapping[str, Any], str], now: Any) -> Changes:
    """What changed from an earlier report (`read`) to these `Facts`.

    Raises UsageError when parts of it are missing, or it shares no evidence with the case.
    """
    before, digest = earlier
    try:
        return _compare(before, digest, now)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            "--since-report: the earlier incident.json lacks parts that a report has",
            expected="the file as it was written",
        ) from None


def _compare(before: Mapping[str, Any], digest: str, now: Any) -> Changes:
    contents = {str(one["content_sha256"]): one for one in before["evidence"]}
    held = {one.content_sha256: one.ref for one in now.evidence}
    if contents and held and not contents.keys() & held.keys():
        raise UsageError(
            "--since-report: the earlier report shares no evidence with this case", expected="a report of the same case"
        )
    states = {str(one["delivery_id"]): (str(one["state"]), str(one["ref"])) for one in before["findings"]}
    if not {state for state, _ in states.values()} <= set(STATES):
        raise ValueError("a state that there is not")
    kept = {one.delivery_id for one in now.findings}
    new = [one.delivery_id for one in now.findings if one.delivery_id not in states]
    return Changes(
        digest=digest,
        case_state=str(before["header"]["case_state"]),
        status=before["header"]["status"],
        counts=tuple(one for one in _counts(before["groups"], now.groups) if one.before != one.now),
        added=Number(len(new), tuple(new)),
        gone=tuple(ref for delivery, (_, ref) in states.items() if delivery not in kept),
        moved=tuple(_moved(states, now)),
        evidence_added=tuple(ref for content, ref in held.items() if content not in contents),
        evidence_gone=tuple(content for content in contents if content not in held),
        answers=tuple(_answers(before["questionnaire"]["items"], now)),
    )


def _counts(before: Mapping[str, Any], now: Any) -> Iterator[Count]:
    for group, measures in (("headline", MEASURES), *((group, ("deliveries",)) for group in GROUPS)):
        for measure in measures:
            own = getattr(getattr(now, group), measure)
            yield Count(f"{group}.{measure}", int(before[group][measure]["value"]), own.value)


def _moved(states: Mapping[str, tuple[str, str]], now: Any) -> Iterator[Moved]:
    ways: dict[tuple[str, str], list[str]] = {}
    for one in now.findings:
        was = states.get(one.delivery_id)
        if was and was[0] != one.state:
            ways.setdefault((was[0], one.state), []).append(one.delivery_id)
    for (was_state, state), ids in sorted(ways.items()):
        yield Moved(was_state, state, Number(len(ids), tuple(ids)))


def _answers(before: list[Mapping[str, Any]], now: Any) -> Iterator[Restated]:
    known = {str(one["key"]): one["answer"] for one in before}
    for item in now.questionnaire.items:
        was = known.get(item.key)
        if was != item.answer:
            yield Restated(item.key, None if was is None else str(was), item.answer)
