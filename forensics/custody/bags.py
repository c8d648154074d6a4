"""A case as a BagIt bag (RFC 8493): one folder that can be handed on and checked with `sha256sum` alone.

    bagit.txt bag-info.txt manifest-sha256.txt tagmanifest-sha256.txt check.sh
    data/case/        the case as it is, without the redaction key
    data/evidence/    the evidence files as they lay on disk, each named by its SHA-256
    data/evidence.tsv which evidence is which file, and what it was called

The redacted edition has `data/reports` and `data/digests.json` instead: no table, log or name leaves the case. A bag is
a function of the case and `as_of`: it has no clock of its own. Evidence and members may have any name, so names stand
in the table, escaped, and never in a manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics import casefile as case_files
from forensics.case import Case
from forensics.custody import canonical, log, manifest, places, reread, seal, staging, streams, verify
from forensics.custody.entries import EvidenceEntry, Manifest
from forensics.custody.names import display
from forensics.custody.sources import Source
from forensics.custody.streams import Place
from forensics.errors import CaseError, CaseInUse, EvidenceError, UsageError, VerificationFailed, naming
from forensics.progress import Meter, Progress

CASE, EVIDENCE, TABLE, REPORTS, DIGESTS = "case", "evidence", "evidence.tsv", "reports", "digests.json"
MANIFEST, TAGS, INFO, DECLARATION, SCRIPT = (
    "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt", "bagit.txt", "check.sh",
)  # fmt: skip
ROOT = {MANIFEST, TAGS, INFO, DECLARATION, SCRIPT}
"""The files beside `data`: no other may lie there."""
KEPT_BACK = {"redaction.key", "streams"}
"""Of the case: the key would undo every redaction; streams are evidence, and go where that goes."""
COLUMNS = ("content_sha256", "file_sha256", "bytes", "in_bag", "name", "path", "member", "position", "container")
VERSION = "1.0"

CHECK = """#!/bin/sh
# Checks this bag with sha256sum and the shell alone. It was made beside what it checks: whoever doubts it types
#   sha256sum -c tagmanifest-sha256.txt && sha256sum -c manifest-sha256.txt
# and compares the SHA-256 of tagmanifest-sha256.txt with the one that was handed over apart from the bag.
set -eu
cd "$(dirname "$0")"
for there in * .[!.]*; do
    case $there in
    data | bagit.txt | bag-info.txt | check.sh | manifest-sha256.txt | tagmanifest-sha256.txt | '.[!.]*') ;;
    *) echo "NOT AS MADE: $there lies beside the bag's files" >&2; exit 1 ;;
    esac
done
[ -z "$(find . ! -type f ! -type d)" ] || { echo "NOT AS MADE: there is a link or device" >&2; exit 1; }
for name in bag-info.txt bagit.txt check.sh manifest-sha256.txt; do
    grep -q "  $name\\$" tagmanifest-sha256.txt || { echo "NOT AS MADE: $name is not listed" >&2; exit 1; }
done
sha256sum -c tagmanifest-sha256.txt
sha256sum -c manifest-sha256.txt >/dev/null
[ "$(find data -type f | wc -l)" -eq "$(sort -u manifest-sha256.txt | wc -l)" ] || {
    echo "NOT AS MADE: data holds other files than manifest-sha256.txt lists" >&2; exit 1; }
echo "AS MADE: $(wc -l <manifest-sha256.txt) files; SHA-256 of the whole:"
sha256sum tagmanifest-sha256.txt
"""


@dataclass(frozen=True)
class Bagged:
    """A bag that was made. `digest`: of its tag manifest, and so of all of it."""

    folder: Path
    edition: str
    files: int
    bytes: int
    evidence: int
    """Evidence files in it."""
    digest: str
    notes: tuple[str, ...]


def write(
    case: Case,
    out: Path,
    *,
    evidence: bool = True,
    edition: str = "full",
    as_of: datetime | None = None,
    search: Place | None = None,
    progress: Progress | None = None,
) -> Bagged:
    """Make the bag `out`, whole or not at all. `search`: where evidence lies that is not where it was.

    Raises VerificationFailed where the case or its evidence is not as recorded, EvidenceError where evidence is not
    there, UsageError where `out` cannot be a bag's place, CaseInUse where another command changed the case, OSError.
    """
    out = out.absolute()
    _place(case, out)
    entries, inventory = log.read(case), manifest.read(case)
    if wrong := [check for check in verify.own(case, inventory, progress=progress) if check.ok is False]:
        raise VerificationFailed(
            f"{case.folder}: {wrong[0].name}: {wrong[0].text}",
            expected="a case that verifies",
            remedy="`missent verify` lists all that was changed",
        )
    state = manifest.case_state_digest(case, inventory)
    aside = out.with_name(f".{out.name}{staging.ASIDE}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with naming(out):
            aside.mkdir(parents=True)
            if edition == "redacted":
                copied, notes = 0, _redacted(case, inventory, entries, state, aside)
            else:
                copied, notes = _full(case, inventory, entries, aside, evidence, search, progress)
            info = {
                "Bagging-Date": f"{as_of:%Y-%m-%d}" if as_of else str(entries[-1]["at"])[:10],
                "Bag-Software-Agent": f"missent {manifest.versions()['missent']}",
                "External-Identifier": state,
                "Missent-Edition": edition,
                "Missent-Evidence": "included" if copied else "none",
                "Missent-Custody-Head": f"{entries[-1]['sequence']} {entries[-1]['digest']}",
            }
            if edition == "full" and (name := case_files.read(case).organisation.name.strip()):
                info["Source-Organization"] = display(name)
            size, files = _bag(aside, info)
            if log.head(case).digest != entries[-1]["digest"]:
                raise CaseInUse(f"{case.folder}: another command changed it meanwhile", remedy="export it again")
            aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Bagged(out, edition, files, size, copied, canonical.file_digest(out / TAGS), tuple(notes))


def _place(case: Case, out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise UsageError(f"--out {out}: is there already", expected="a new folder")
    if out.resolve().is_relative_to(case.folder.resolve()):
        raise UsageError(f"--out {out}: lies in the case", expected="a place outside of it")


def _bag(folder: Path, info: Mapping[str, str]) -> tuple[int, int]:
    """Turn a folder of payload into a bag; (bytes, files) of the payload."""
    import bagit

    logging.getLogger(bagit.MODULE_NAME).setLevel(logging.CRITICAL + 1)
    made = bagit.make_bag(str(folder), dict(info), processes=1, checksums=["sha256"])
    # The library declares 0.97, of which 1.0 (RFC 8493) is the published form, and sets one space where sha256sum
    # writes two.
    (folder / DECLARATION).write_text(f"BagIt-Version: {VERSION}\nTag-File-Character-Encoding: UTF-8\n", newline="\n")
    (folder / SCRIPT).write_text(CHECK, newline="\n")
    (folder / SCRIPT).chmod(0o755)
    lines = [f"{canonical.file_digest(folder / name)}  {name}\n" for name in sorted(ROOT - {TAGS})]
    (folder / TAGS).write_text("".join(lines), newline="\n")
    size, _, files = str(made.info["Payload-Oxum"]).partition(".")
    return int(size), int(files)


def _full(
    case: Case,
    inventory: Manifest,
    entries: Sequence[Mapping[str, Any]],
    payload: Path,
    evidence: bool,
    search: Place | None,
    progress: Progress | None,
) -> tuple[int, tuple[str, ...]]:
    written = seal.recorded(case, entries)
    copied = list(_files(case, written))
    files = {(one.file_sha256, one.file_size) for one in inventory.evidence} if evidence else set()
    total = sum(place.stat().st_size for place in copied) + sum(size for _, size in files)
    meter = Meter(progress, "copy", total)
    for place in copied:
        name = place.relative_to(case.folder).as_posix()
        if name != display(name) or "%" in name:
            raise CaseError(
                f"{display(name)}: cannot go into a bag by this name", remedy="write that report to another folder"
            )
        target = payload / CASE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, target)
        meter.add(target.stat().st_size, name)
    listed: list[str] = []
    done: dict[tuple[Place, int], str] = {}
    for one in inventory.evidence:
        sha256 = _copy(case, one, payload / EVIDENCE, search, done, meter) if evidence else ""
        listed += rows(one, sha256)
    (payload / TABLE).write_text("\n".join(["\t".join(COLUMNS), *listed]) + "\n", "utf-8", newline="\n")
    outside = [one.name for one in written if not one.inside and not one.withdrawn]
    notes = [f"written elsewhere, not in the bag: {', '.join(outside)}"] if outside else []
    return len(set(done.values())), tuple(notes)


def _files(case: Case, written: Sequence[seal.Written]) -> Iterator[Path]:
    """What belongs to the case: its state, and the reports that its log knows, with their seals."""
    for name in staging.STATE:
        place = case.folder / name
        if name in KEPT_BACK:
            continue
        yield from (
            sorted(one for one in place.rglob("*") if one.is_file())
            if place.is_dir()
            else ([place] if place.is_file() else [])
        )
    reports = {one.place for one in written if one.inside and one.place.is_file()}
    yield from sorted(reports | {place for one in reports if (place := seal.beside(one)).is_file()})


def rows(one: EvidenceEntry, sha256: str) -> Iterator[str]:
    for place in one.locations:
        position = "" if place.index is None else str(place.index)
        yield "\t".join((
            one.id, one.file_sha256, str(one.file_size), f"{EVIDENCE}/{sha256}" if sha256 else "",
            place.name, place.path, place.member or "", position, place.container,
        ))  # fmt: skip


def _copy(
    case: Case, one: EvidenceEntry, folder: Path, search: Place | None, done: dict[tuple[Place, int], str], meter: Meter
) -> str:
    """Copy the file that holds an evidence, as far as it was read, unless it is there; returns its SHA-256, which is
    its name. `done`: (file, bytes) → SHA-256 of those copied before, since an archive holds many."""
    source = next(places.recorded(case, one), None)
    moved = source is None
    if source is None and search is not None:
        source = reread.search(search, {one.id: one}).get(one.id)
    if source is None:
        raise EvidenceError(
            f"{one.names[0]}: is no longer where it was",
            remedy="say with --evidence DIR where it lies, or leave evidence out with --no-evidence",
        )
    known = (source.file, source.size)
    if known not in done:
        folder.mkdir(exist_ok=True)
        partial = folder / "partial"
        done[known] = _copied(source, partial, meter)
        partial.replace(folder / done[known])
    if done[known] != one.file_sha256 and not moved:
        raise VerificationFailed(
            f"{one.names[0]}: its file is not what the case recorded (SHA-256 {done[known]}, "
            f"recorded {one.file_sha256})",
            remedy="`missent verify` says what was changed",
        )
    return done[known]


def _copied(source: Source, target: Path, meter: Meter) -> str:
    """The first `source.size` bytes of its file: what a log has grown by since is not evidence."""
    digest = hashlib.sha256()
    with contextlib.closing(streams.opened(source.file)) as stored, target.open("wb") as copy:
        for piece in streams.Raw(stored, 0, source.size, lambda _: None).pieces():
            digest.update(piece)
            copy.write(piece)
            meter.add(len(piece), source.name)
        copy.flush()
        os.fsync(copy.fileno())
    return digest.hexdigest()


def _redacted(
    case: Case, inventory: Manifest, entries: Sequence[Mapping[str, Any]], state: str, payload: Path
) -> tuple[str, ...]:
    known = [one for one in seal.recorded(case, entries) if one.edition == "redacted" and not one.withdrawn]
    chosen = [one for one in known if one.place.is_file()]
    if not chosen:
        raise UsageError(
            f"{case.folder}: has no redacted report", remedy="write one with `missent report --edition redacted`"
        )
    places = {one.place for one in chosen} | {seal.beside(one.place) for one in chosen}
    base = Path(os.path.commonpath([place.parent for place in places]))
    for place in sorted(places):
        target = payload / REPORTS / place.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(place, target)
    sizes = ("file_sha256", "file_size", "content_size", "records", "used", "unread")
    settled = manifest.settled(case, inventory)
    digests = {
        "case_state": state,
        "record": manifest.record_digest(settled),
        "custody": {"sequence": entries[-1]["sequence"], "digest": entries[-1]["digest"]},
        "detection": inventory.detection_digest,
        "evidence": [
            {"content_sha256": one.id, **{name: getattr(one, name) for name in sizes}} for one in inventory.evidence
        ],
        "tables": [
            {"name": one.name, "rows": one.rows, "digest": one.digest, "files": [file.sha256 for file in one.files]}
            for one in settled.tables
        ],
    }
    (payload / DIGESTS).write_text(canonical.page(digests), "utf-8", newline="\n")
    earlier = sorted({one.place.name for one in chosen if one.case_state != state})
    return (f"from an earlier state of the case: {', '.join(earlier)}",) if earlier else ()


__all__ = ["Bagged", "rows", "write"]
