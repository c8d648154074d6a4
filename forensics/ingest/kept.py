"""What an ingest keeps for the next one, in `CASE/.runs`: batches, surveys, and what each file of the tables was made
of. It may be deleted at any time; what is missing is read again from the evidence.

`state-….json` says what is there, with digests; the manifest holds the digest of that file. What does not agree with it
is not used. It holds for the code that made it alone (`madeby`), and for the user who made it: the state is sealed with
a key that lies beside this user's compiled code. A case that comes from elsewhere may hold batches that were made to do
harm to what reads them, under a manifest that fits; its evidence is read instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from forensics import loaders, wraps
from forensics.custody import declared, runs
from forensics.custody import evidence as custody
from forensics.errors import naming
from forensics.ingest import batches, madeby, plainly, units
from forensics.ingest.batches import Batch
from forensics.ingest.survey import Surveyed
from forensics.loaders import timing
from forensics.loaders.base import LOSSES, Survey
from forensics.loaders.settings import Settings
from forensics.native import compiler

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

KEY = 32
"""Bytes."""
ZONED = 366 * 45
"""Days from 1995 on whose offsets tell a zone's rules."""
DIGESTS = 2
"""Batches whose digests are computed at a time, while new evidence is surveyed."""
_OF_SURVEY: Mapping[str, Any] = {
    "records": int, "first": int | None, "last": int | None, "blocks": Mapping[int, int],
    "hosts": frozenset[int] | None,
}  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What may be used. `surveys`: by `_of_survey`; `batches`: (keys of its parts, name, digest) by the first key;
    `made_of`: `deliveries.Before.made_of`; `found`: digests that batches have now, by name, computed ahead; `finished`:
    names of batches that no ingest has come to its end with (`ingest.finished`)."""

    folder: Path
    surveys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    batches: Mapping[str, tuple[tuple[str, ...], str, str]] = field(default_factory=dict)
    made_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    found: Mapping[str, Future[str]] = field(default_factory=dict)
    finished: frozenset[str] = frozenset()

    def survey(self, source: Source, evidence: str, settings: Settings) -> Surveyed | None:
        """What is known of a source, if nothing shows that it was touched since."""
        if settings.for_many(source.name):
            return None  # its year may become another, with those of other files
        year, zone = settings.for_source(source.name)
        data = self.surveys.get(_of_survey(source, evidence, year, zone, settings))
        if data is None:
            return None
        try:
            mark = custody.mark(source.file)
            if list(mark) != data["mark"] or source.size != data["size"]:
                return None
            return _surveyed(source, data, mark)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def begins(self, part: units.Part) -> bool:
        """Whether a batch begins with this part."""
        return bool(self.batches) and part.key in self.batches

    def unit(self, parts: Sequence[units.Part]) -> tuple[int, Batch] | None:
        """The batch that the first of these parts came to, with how many of those after it; None where it is not there
        as it was, or other times bear on it now."""
        found = self.batches.get(parts[0].key) if self.batches and parts else None
        if found is None:
            return None
        keys, name, digest = found
        if len(parts) < len(keys) or any(part.key != key for part, key in zip(parts[: len(keys)], keys, strict=True)):
            return None
        place = self.folder / name
        try:
            if (self.found[name].result() if name in self.found else runs.digest(place)) != digest:
                return None
            batch = batches.facts(place, digest)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        named = batch.name == name and len(batch.members) == len(keys)
        return (len(keys), batch) if named and units.name(parts[: len(keys)], batch.members) == name else None


def again(
    folder: Path, digest: str, reopened: Iterable[tuple[Source, str]], settings: Settings
) -> tuple[Kept, Mapping[Source, Surveyed]]:
    """What the last ingest kept, whose digests are compared from now on, and the surveys among it that still hold for
    sources of known evidence."""
    found = read(folder, digest)
    threads = ThreadPoolExecutor(DIGESTS)
    ahead = {name: threads.submit(runs.digest, folder / name) for _, name, _ in found.batches.values()}
    threads.shutdown(wait=False)
    found = replace(found, found=ahead)
    told = {source: found.survey(source, one, settings) for source, one in reopened}
    return found, {source: survey for source, survey in told.items() if survey is not None}


def read(folder: Path, digest: str) -> Kept:
    """What lies in `folder`, if its state has this digest; nothing else."""
    if not digest:
        return Kept(folder)
    try:
        data = runs.read(folder, digest)
        sealed = data.pop("seal")
        if data["made_by"] != madeby.digest() or not sealed or not hmac.compare_digest(sealed, seal(data)):
            return Kept(folder)
        return Kept(folder, data["surveys"], {one[0][0]: one for one in data["batches"]}, data["made_of"])
    except (OSError, ValueError, KeyError, TypeError):
        return Kept(folder)


def write(
    before: Kept,
    surveyed: Iterable[Surveyed],
    settings: Settings,
    made: Iterable[tuple[Sequence[units.Part], Batch]],
    made_of: Mapping[str, Sequence[str]],
) -> str:
    """Say what is kept, and give the digest of the state."""
    folder = before.folder
    listed = [([part.key for part in parts], batch.name, batch.digest) for parts, batch in made]
    surveys = {}
    for one in surveyed:
        data = _plain(one)
        if data is not None:
            known = (_said(one.survey, "year", "first"), _said(one.survey, "timezone", "name"))
            surveys[_of_survey(one.source, one.digests.content_sha256, *known, settings)] = data
    state: dict[str, Any] = {"made_by": madeby.digest(), "batches": listed, "surveys": surveys}
    state["made_of"] = {name: list(one) for name, one in made_of.items()}
    state["seal"] = seal(state)
    content = json.dumps(state, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    place = runs.state(folder, digest)
    with naming(place):
        place.write_bytes(content)
    return digest


def seal(state: Mapping[str, Any]) -> str:
    """A code of a state that only who has this user's key can make; none where no key can be kept."""
    key = _key()
    return hmac.new(key, plainly.digest(state).encode(), "sha256").hexdigest() if key else ""


def key_file() -> Path | None:
    """Where this user's key lies; None where nobody knows the user's home."""
    folder = compiler.kept_in()
    return folder.parent / "kept.key" if folder else None


def _key() -> bytes | None:
    """This user's key, made at its first use; None where it cannot be kept, or others could read or exchange it."""
    place = key_file()
    if place is None or compiler.fault(place.with_name("no such folder")):
        return None
    try:
        return _own(place) or _made(place)
    except OSError:
        return None


def _own(place: Path) -> bytes | None:
    """The key that lies there; None for what is none, or not this user's alone. Raises OSError."""
    if not os.path.lexists(place):
        return None
    fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(fd, "rb") as file:
        about = os.fstat(fd)
        own = not hasattr(os, "getuid") or (about.st_uid == os.getuid() and not about.st_mode & 0o077)
        key = file.read(KEY + 1) if own and stat.S_ISREG(about.st_mode) else b""
    return key if len(key) == KEY else None


def _made(place: Path) -> bytes | None:
    """A new key, which has its name as a whole: one that another process has made meanwhile stays, one that is not
    whole does not. Raises OSError."""
    aside = place.with_name(f"{place.name}.{secrets.token_hex(8)}")
    fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(KEY))
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISREG(place.lstat().st_mode) and place.stat().st_size < KEY:
                place.unlink()
        with contextlib.suppress(FileExistsError):
            os.link(aside, place)
    finally:
        aside.unlink()
    return _own(place)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def forget(folder: Path, digest: str) -> None:
    """Remove whatever the state of this digest does not name."""
    names = {name for _, name, _ in read(folder, digest).batches.values()}
    kept = {*names, *([runs.state(folder, digest).name] if digest else [])}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in kept:
            remove(path)
    if folder.is_dir() and not names:
        remove(folder)


def _said(survey: Survey, note: str, value: str) -> Any:
    """What people have said of year or zone, as the next ingest knows it of evidence that is not named again
    (`known.per_file_settings`)."""
    found = survey.notes.get(note, {})
    return found.get(value) if found.get("by") == timing.SETTING else None


def _of_survey(source: Source, evidence: str, year: int | None, zone: str | None, settings: Settings) -> str:
    """Names what a survey is a function of, with the content that has this digest."""
    name = source.name
    said = [year, zone, zone and _rules(zone), settings.host(name), settings.date_order(name), settings.carriers(name)]
    return plainly.digest([evidence, name, source.index, source.member, source.container, said])


@cache
def _rules(zone: str) -> str:
    """Names what this machine's list of zones says of one: states change theirs. Empty for none that it has."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    first = datetime(1995, 1, 1, tzinfo=UTC)
    days = (first + timedelta(days=n) for n in range(ZONED))
    return plainly.digest([str(day.astimezone(info).utcoffset()) for day in days])


def _plain(one: Surveyed) -> dict[str, Any] | None:
    """The survey as JSON; None where nothing would show that its file was touched since."""
    if one.mark is None:
        return None
    survey = one.survey
    return {
        "mark": list(one.mark),
        "size": one.source.size,
        "loader": one.loader,
        "wrap": plainly.plain(one.wrap),
        "digests": plainly.plain(one.digests),
        "sums": plainly.plain(one.sums),
        "survey": {name: plainly.plain(getattr(survey, name)) for name in _OF_SURVEY},
        "plan": plainly.plain(survey.plan),
        "undated": plainly.plain(survey.undated),
        "notes": survey.notes,
        "losses": plainly.plain(survey.losses),
    }


def _plan_of(loader: str) -> type:
    if loader not in loaders.LOADERS:
        raise KeyError(loader)
    return loaders.load(loader).plan_type()


def _surveyed(source: Source, data: Mapping[str, Any], mark: custody.Mark) -> Surveyed:
    values = {name: declared.value(kind, data["survey"][name]) for name, kind in _OF_SURVEY.items()}
    survey = Survey(
        **values,
        plan=None if data["plan"] is None else declared.value(_plan_of(data["loader"]), data["plan"]),
        notes=data["notes"],
        losses=None if data["losses"] is None else pa.Table.from_pylist(data["losses"], LOSSES),
        undated=declared.value(timing.Undated | None, data["undated"]),
    )
    digests = declared.value(custody.Digests, data["digests"])
    sums = declared.value(Mapping[int, str], data["sums"])
    return Surveyed(source, data["loader"], declared.value(wraps.Wrap, data["wrap"]), survey, digests, sums, mark)
