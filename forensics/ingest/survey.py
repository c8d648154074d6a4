"""The first pass over all evidence: digests, format, times; which content is which evidence, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from forensics import progress, wraps
from forensics.custody import evidence as custody
from forensics.custody import packings
from forensics.custody.names import display
from forensics.errors import AmbiguousTime, EvidenceError, ForeignLog
from forensics.ingest.recognition import NO_FORMAT, Reading
from forensics.loaders import newyear, timing
from forensics.loaders.base import Survey
from forensics.loaders.settings import Settings
from forensics.native import compiler, selfcheck

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

BLOCK = 16 << 20
"""Bytes of content read at a time, and stored bytes of small files that one task surveys, at most."""
TASKS = 64
"""At least so many, where there are so many files: work for any number of workers."""
TOGETHER = 100
"""Files of one task, at most."""


Progress = progress.Progress
"""Here: `compile`, then `survey`, which counts stored bytes."""


@dataclass(frozen=True)
class Surveyed:
    """`sums`: SHA-256 of each block of the content by its offset, so that what is read later is what was digested;
    `mark`: of its file, from before it was opened, so that it tells of no later state."""

    source: Source
    loader: str
    wrap: wraps.Wrap
    survey: Survey
    digests: custody.Digests
    sums: Mapping[int, str]
    mark: custody.Mark | None


@dataclass(frozen=True)
class Begun:
    """Surveys at work."""

    sources: Sequence[Source]
    futures: Sequence[Future[Sequence[Surveyed | str]]]
    """Of sources that follow one another; all of them in order."""
    size: int
    """Bytes in a block; the second reading must cut as the first one did."""
    weight: int
    """Stored bytes of what is surveyed."""
    waited: progress.Meter | None
    """Where `finish` counts what is done, because the workers cannot: they are other processes."""


def begin(
    sources: Sequence[Source],
    settings: Settings,
    executor: Executor,
    report: Progress | None = None,
    kept: Mapping[Source, Surveyed] = MappingProxyType({}),
) -> Begun:
    """Start the survey of every source; `finish` waits for it. `report` hears of the compiler, if that has to run, and
    from here on of the survey; `kept`: what is known of sources already."""
    compiler.ready(report)
    selfcheck.check()
    weight = sum(source.weight for source in sources if source not in kept)
    meter = progress.Meter(report, "survey", weight)
    here = isinstance(executor, ThreadPoolExecutor)
    shared = meter if here else None
    futures = [
        _known([kept[source] for source in group])
        if group[0] in kept
        else executor.submit(_each, group, settings.about([source.name for source in group]), BLOCK, shared)
        for group in _groups(sources, kept)
    ]
    return Begun(sources, futures, BLOCK, weight, None if here else meter)


def _groups(sources: Sequence[Source], kept: Collection[Source]) -> Iterator[list[Source]]:
    """Sources that one task surveys, or that are all known: of many small ones several, since to hand a task to another
    process and its answer back takes longer than to survey a small file."""
    most = min(max(len(sources) // TASKS, 1), TOGETHER)
    group: list[Source] = []
    weight = 0
    for source in sources:
        if group and (len(group) >= most or weight + source.weight > BLOCK or (source in kept) != (group[0] in kept)):
            yield group
            group, weight = [], 0
        group.append(source)
        weight += source.weight
    if group:
        yield group


def _known(surveyed: Sequence[Surveyed]) -> Future[Sequence[Surveyed | str]]:
    future: Future[Sequence[Surveyed | str]] = Future()
    future.set_result(surveyed)
    return future


@dataclass(frozen=True)
class Found:
    """`surveyed`: each source, with the years that they have together; `placed`: with what is said of the set, too;
    `skipped`: (name, reason) of what could not be read."""

    surveyed: Sequence[Surveyed]
    placed: Sequence[Surveyed]
    skipped: Sequence[tuple[str, str]]


def finish(begun: Begun, report: Progress) -> Found:
    """What was surveyed. Raises AmbiguousTime."""
    found: list[Surveyed] = []
    skipped: list[tuple[str, str]] = []
    for source, outcome in zip(begun.sources, (one for each in begun.futures for one in each.result()), strict=True):
        if isinstance(outcome, str):
            skipped.append((source.name, outcome))
        else:
            found.append(outcome)
        if begun.waited:
            begun.waited.add(source.weight, source.name)
    report("survey", begun.weight, begun.weight)
    custody.expanded()
    dated = _dated(found)
    return Found(dated, _crossing(dated), _one_for_each_workbook(begun.sources, skipped))


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


def _dated(found: list[Surveyed]) -> list[Surveyed]:
    """Years for stamps without one that were asked for together."""
    found = list(found)
    open_ = [n for n, one in enumerate(found) if isinstance(one.survey.undated, timing.Undated)]
    if open_:
        others = [one.survey for one in found if one.survey.undated is None]
        known = [(one.first, one.last) for one in others if one.first is not None and one.last is not None]
        files = [found[n].survey.undated.file() for n in open_]
        contents = {found[n].digests.content_sha256 for n in open_}
        order = sorted(range(len(files)), key=lambda n: files[n].name)
        for n, year in zip(order, newyear.place([files[n] for n in order], known), strict=True):
            one = found[open_[n]]
            found[open_[n]] = replace(one, survey=timing.dated(one.survey, year, alone=len(contents) == 1))
    return found


def _crossing(found: list[Surveyed]) -> list[Surveyed]:
    """A note where stamps without a year cross New Year."""
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


def _each(
    sources: Sequence[Source], settings: Settings, size: int, meter: progress.Meter | None
) -> Sequence[Surveyed | str]:
    """`_survey` of each, whose progress `meter` hears of where it can; or why it could not be read."""
    return [_one(source, settings, size, meter) for source in sources]


def _one(source: Source, settings: Settings, size: int, meter: progress.Meter | None) -> Surveyed | str:
    part = meter.of(source.name, source.weight) if meter else None
    try:
        return _survey(source, settings, size, part)
    except EvidenceError as error:
        return error.what
    finally:
        if part:
            part.finish()


def _survey(
    source: Source, settings: Settings, size: int, part: progress.Part | None, known: str | None = None
) -> Surveyed | str:
    """One source read through once: digests, wrap, loader, survey; or why it is no evidence.

    Where the beginning does not tell the loader, the rest is looked at, too, and the source is read once more when a
    later part does: `known` is its loader then.
    """
    reading = Reading(source.name, settings, known)
    mark = _mark(source)
    digests = custody.Digests()
    passed = part.add if part else None
    sums: dict[int, str] = {}
    for block in custody.blocks(
        source, reading.split, size=size, digests=digests, sums=sums, begin=reading.begin, passed=passed
    ):
        if reading.hopeless:
            return reading.refusal(NO_FORMAT)
        found = reading.feed(block)
        if found:
            return _survey(source, settings, size, part, found)
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
    return Surveyed(source, reading.loader, wrap, survey, digests, sums, mark)


def _mark(source: Source) -> custody.Mark | None:
    try:
        return custody.mark(source.file)
    except OSError:  # opening it says why
        return None


def ordered(surveyed: Sequence[Surveyed]) -> tuple[list[Surveyed], dict[str, tuple[str, ...]]]:
    """Each content once, by first time and id; the names it was given under. Raises AmbiguousTime where names or
    settings of copies tell different times: none of them is the one to believe."""
    by_id: dict[str, list[Surveyed]] = {}
    for item in sorted(surveyed, key=lambda s: s.source.name):
        by_id.setdefault(item.digests.content_sha256, []).append(item)
    names = {k: tuple(i.source.name for i in v) for k, v in by_id.items()}
    late = np.iinfo(np.int64).max
    for one, *copies in by_id.values():
        for copy in copies:
            if (copy.survey.first, copy.survey.last) != (one.survey.first, one.survey.last):
                raise _told_apart(one, copy)
    first = [v[0] for v in by_id.values()]
    first.sort(key=lambda s: (late if s.survey.first is None else s.survey.first, s.digests.content_sha256))
    return first, names


def _told_apart(one: Surveyed, copy: Surveyed) -> AmbiguousTime:
    times = [np.datetime64(each.survey.first or 0, "us").astype("datetime64[s]") for each in (one, copy)]
    return AmbiguousTime(
        f"{copy.source.name}: holds the same as {one.source.name}, but begins at {times[1]} by its name or settings,"
        f" the other at {times[0]}",
        expected="the same year and zone for the same content",
        remedy="leave one of them out, or give both their year and zone (--year, or [[sources]] in case.toml)",
    )
