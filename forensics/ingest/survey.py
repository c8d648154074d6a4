"""The first pass over all evidence: digests, format, times; which content is which evidence, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forensics import wraps
from forensics.custody import evidence as custody
from forensics.custody import packings
from forensics.custody.names import display
from forensics.errors import EvidenceError, ForeignLog
from forensics.ingest.recognition import NO_FORMAT, Reading
from forensics.loaders import newyear, timing
from forensics.loaders.base import Settings, Survey
from forensics.native import compiler, selfcheck

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

BLOCK = 16 << 20
"""Bytes of content read at a time."""


Progress = Callable[[str, int, int], None]
"""progress(step, done, total): step is `compile`, `survey`, `read`, `join` or `write`; done and total are kernels,
sources, bytes or rows."""


@dataclass(frozen=True)
class Surveyed:
    source: Source
    loader: str
    wrap: wraps.Wrap
    survey: Survey
    digests: custody.Digests


@dataclass(frozen=True)
class Begun:
    """Surveys at work, each in its place."""

    sources: Sequence[Source]
    futures: Sequence[Future[Surveyed | str]]
    size: int
    """Bytes in a block; the second reading must cut as the first one did."""
    marks: Mapping[Source, custody.Mark | None]
    """Every file as it was before it was read; None for one that was gone."""

    def stands(self, one: Surveyed) -> bool:
        """Whether the evidence is still what was surveyed: untouched, or at least the same bytes (a log that others go
        on writing has grown; what was not there at first is not read)."""
        try:
            if custody.mark(one.source.file) == self.marks[one.source]:
                return True
            return custody.file_digest(one.source.file, one.digests.file_size)[0] == one.digests.file_sha256
        except OSError:
            return False


def begin(sources: Sequence[Source], settings: Settings, executor: Executor, report: Progress | None = None) -> Begun:
    """Start the survey of every source; `finish` waits for it. `report` hears of the compiler, if that has to run."""
    compiler.ready(report)
    selfcheck.check()
    marks = {source: _mark(source) for source in sources}
    return Begun(sources, [executor.submit(_survey, source, settings, BLOCK) for source in sources], BLOCK, marks)


def _mark(source: Source) -> custody.Mark | None:
    try:
        return custody.mark(source.file)
    except OSError:
        return None


def finish(begun: Begun, report: Progress) -> tuple[list[Surveyed], list[tuple[str, str]]]:
    """What was surveyed, and (name, reason) of what could not be read. Raises AmbiguousTime."""
    found: list[Surveyed] = []
    skipped: list[tuple[str, str]] = []
    for n, (source, future) in enumerate(zip(begun.sources, begun.futures, strict=True), 1):
        try:
            outcome = future.result()
        except EvidenceError as error:
            skipped.append((source.name, error.what))
        else:
            if isinstance(outcome, str):
                skipped.append((source.name, outcome))
            else:
                found.append(outcome)
        report("survey", n, len(begun.sources))
    custody.expanded()
    return _placed(found), _one_for_each_workbook(begun.sources, skipped)


def _one_for_each_workbook(sources: Sequence[Source], skipped: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of a workbook none of whose worksheets is evidence one line, not one for each."""
    of = {source.name: source for source in sources if source.archive == "xlsx"}
    sheets = Counter(source.path for source in of.values())
    reasons: dict[str, list[str]] = {}
    for name, reason in skipped:
        if name in of:
            reasons.setdefault(of[name].path, []).append(reason)
    whole = {path for path, found in reasons.items() if len(found) == sheets[path]}
    out = [(name, reason) for name, reason in skipped if name not in of or of[name].path not in whole]
    for path in sorted(whole):
        told = sorted(set(reasons[path]) - {NO_FORMAT, "empty"})
        out.append((display(path), "; ".join(told) or packings.WORKBOOK.words))
    return out


def _placed(found: list[Surveyed]) -> list[Surveyed]:
    """Years for stamps without one that were asked for together, and a note where these cross New Year."""
    open_ = [n for n, one in enumerate(found) if isinstance(one.survey.undated, timing.Undated)]
    if open_:
        others = [one.survey for one in found if one.survey.undated is None]
        known = [(one.first, one.last) for one in others if one.first is not None and one.last is not None]
        files = [found[n].survey.undated.file() for n in open_]
        order = sorted(range(len(files)), key=lambda n: files[n].name)
        for n, year in zip(order, newyear.place([files[n] for n in order], known), strict=True):
            one = found[open_[n]]
            found[open_[n]] = replace(one, survey=timing.dated(one.survey, year))
    years = [_years(one.survey) for one in found]
    all_years = [year for pair in years if pair for year in pair]
    if not all_years or min(all_years) == max(all_years):
        return found
    said = f"stamps without a year: this set crosses New Year: {min(all_years)}/{max(all_years)}"
    return [
        replace(one, survey=timing.noted(one.survey, said)) if pair else one
        for one, pair in zip(found, years, strict=True)
    ]


def _years(survey: Survey) -> tuple[int, int] | None:
    """First and last year of stamps without one."""
    note = survey.notes.get("year")
    if not note:
        return None
    first, last = note.get("years", (note["first"], note["first"]))
    return int(first), int(last)


def _survey(source: Source, settings: Settings, size: int, known: str | None = None) -> Surveyed | str:
    """One source read through once: digests, wrap, loader, survey; or why it is no evidence.

    Where the beginning does not tell the loader, the rest is looked at, too, and the source is read once more when a
    later part does: `known` is its loader then.
    """
    reading = Reading(source.name, settings, known)
    digests = custody.Digests()
    for block in custody.blocks(source, reading.split, size=size, digests=digests, begin=reading.begin):
        if reading.hopeless:
            return reading.refusal(NO_FORMAT)
        found = reading.feed(block)
        if found:
            return _survey(source, settings, size, found)
    if reading.surveyor is None or reading.loader is None:
        reason = f": {digests.damage}" if digests.damage else ""
        return (reading.refusal(NO_FORMAT) if digests.content_size else "empty") + reason
    try:
        survey = reading.surveyor.result()
    except ForeignLog as error:
        # Lines of other programs may be those of a mail system that is known by name.
        return reading.refusal(error.what)
    said = reading.notes.result()
    sentences = said.pop("noted", [])
    survey = replace(survey, notes={**survey.notes, **said})
    survey = timing.noted(survey, *sentences) if sentences else survey
    wrap = replace(reading.wrap, clean=reading.notes.clean)
    return Surveyed(source, reading.loader, wrap, survey, digests)


def ordered(surveyed: Sequence[Surveyed]) -> tuple[list[Surveyed], dict[str, tuple[str, ...]]]:
    """Each content once, by first time and id; the names it was given under."""
    by_id: dict[str, list[Surveyed]] = {}
    for item in sorted(surveyed, key=lambda s: s.source.name):
        by_id.setdefault(item.digests.content_sha256, []).append(item)
    names = {k: tuple(i.source.name for i in v) for k, v in by_id.items()}
    late = np.iinfo(np.int64).max
    first = [v[0] for v in by_id.values()]
    first.sort(key=lambda s: (late if s.survey.first is None else s.survey.first, s.digests.content_sha256))
    return first, names
