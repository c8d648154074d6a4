"""A stage changes a case wholly or not at all.

A stage builds the case's next state aside, in `CASE/.next`, as a complete case of its own: unchanged tables are linked
there, small files copied. When all of it is on the disk, a journal, `CASE/.commit`, is written that names what comes to
stand where; then the names are exchanged one by one. Killed before the journal stands, nothing has happened; killed
after it, the next command that takes the case finishes the exchange: each step of it can be done again.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forensics.case import Case
from forensics.custody import canonical, guard, lock, log, runs
from forensics.custody.names import display, undisplay
from forensics.errors import CaseError, CaseInUse, MachineError, MissentError

STATE = (
    "case.toml", "manifest.json", "custody.jsonl", "verdicts.jsonl", "successors.jsonl", "detection.json",
    "deliveries", "unread",
    "correspondents.parquet", "findings.parquet", "incidents.parquet", "lookalikes.parquet", "redaction.key", "streams",
    "attested",
    "annexes",
)  # fmt: skip
"""What a stage may change; reports are named one by one."""
NEXT, JOURNAL, BEFORE, OUTSIDE = ".next", ".commit", ".before", ".outside"
REPORTS = "reports"
ASIDE = ".missent-new"
OWN = (*STATE, NEXT, JOURNAL, BEFORE, REPORTS, runs.FOLDER, lock.NAME, lock.DOING)
"""All that Missent reads and writes in a case folder."""
WHOLE = (".parquet", "")
"""Files with these endings (those without one are copies of standard input) are linked into the next state, not copied:
they are large, and no writer opens them to change them."""


@dataclass
class Staged:
    """A case and its next state. `files`: (where it was written, where it belongs) of what lies outside of STATE."""

    case: Case
    next: Case
    files: list[tuple[str, str]] = field(default_factory=list)

    def report(self, place: Path) -> Path:
        """Where to write a report that the commit puts at `place`, in the case's reports or elsewhere.

        Elsewhere it is written beside its place, so that the exchange is one step of one file system; where that is,
        is noted first, so that nothing of it stays after a kill.
        """
        reports = self.case.reports.absolute()
        if place.absolute().is_relative_to(reports):
            inside = (Path(REPORTS) / place.absolute().relative_to(reports)).as_posix()
            written = self.next.folder / inside
            self.files.append((f"{NEXT}/{inside}", inside))
        else:
            written = _aside(place.absolute())
            self.files.append((str(written), str(place.absolute())))
            canonical.put(self.next.folder / OUTSIDE, canonical.page([display(one) for one, _ in self.files]))
        written.parent.mkdir(parents=True, exist_ok=True)
        return written

    def content(self, place: Path) -> Path:
        """Where the next content of a report lies: aside when this stage wrote it, else at its place."""
        reports = self.case.reports.absolute()
        inside = place.absolute().is_relative_to(reports)
        target = (Path(REPORTS) / place.absolute().relative_to(reports)).as_posix() if inside else str(place.absolute())
        written = next((one for one, known in self.files if known == target), None)
        return place if written is None else self.case.folder / written


@contextlib.contextmanager
def change(case: Case, action: str, *, wait: bool = False, break_lock: bool = False) -> Iterator[Staged]:
    """Hold the case, finish or undo what a killed command left, and commit the next state when the block ends.

    An exception leaves the case as it was. Raises CaseInUse, CaseError when a journal was altered, OSError.
    """
    guard.check(case, OWN)
    with lock.held(case, action, wait=wait, break_lock=break_lock) as broken:
        recover(case)
        staged = Staged(case, Case(case.folder / NEXT))
        try:
            _populate(staged)
            if broken:
                log.append(staged.next, "break-lock", dict(broken))
            yield staged
            _commit(staged)
        except BaseException as error:
            if (case.folder / JOURNAL).exists():  # interrupted while names were exchanged: that is soon done
                recover(case)
                error.add_note(f"the {action} was done already: {case.folder} holds what it made")
            else:
                _discard(staged.case)
                error.add_note(f"this {action} changed nothing: {_as_before(case)}")
            _name_the_case(error, staged)
            raise


def _as_before(case: Case) -> str:
    there = any((case.folder / name).exists() for name in STATE)
    return f"{case.folder} stands as it was before" if there else f"no case was made in {case.folder}"


def _name_the_case(error: BaseException, staged: Staged) -> None:
    """In what people are told, the next state is the case."""
    aside, place = str(staged.next.folder), str(staged.case.folder)
    if isinstance(error, MissentError):
        error.what = error.what.replace(aside, place)
        error.expected = error.expected and error.expected.replace(aside, place)
        error.remedy = error.remedy and error.remedy.replace(aside, place)
        error.args = (error.what,)
    elif isinstance(error, OSError) and isinstance(error.filename, str):
        error.filename = error.filename.replace(aside, place)


def recover(case: Case) -> None:
    """Finish what a journal says, remove what was built aside. Only with the lock held."""
    journal = case.folder / JOURNAL
    if journal.exists():
        _exchange(case, _read(journal))
    _discard(case)
    _remove(case.folder / BEFORE)
    for left in case.folder.glob(".*-" + "[0-9a-f]" * 16):  # of `canonical.put`, killed before it renamed
        _remove(left)


def finish(case: Case) -> None:
    """For commands that only read: finish, or clear away, what a killed one left; while another one still runs, the
    state before it is read.

    Raises CaseError where an exchange was begun and the folder cannot be written.
    """
    guard.check(case, OWN)
    begun = (case.folder / JOURNAL).exists()
    if not begun and not any((case.folder / name).exists() for name in (NEXT, BEFORE)):
        return
    try:
        with lock.held(case, "recover", wait=begun):
            recover(case)
    except (CaseInUse, MachineError, OSError) as error:
        if begun:
            raise CaseError(
                f"{case.folder}: a command was interrupted here while it put new tables in place ({error})",
                remedy="run any command on the case where its folder can be written; that finishes it",
            ) from None


def settled(case: Case) -> None:
    """For a command that may not even finish what a killed one left: wait while names are exchanged, which takes
    moments. Raises CaseError where nobody goes on with the exchange."""
    guard.check(case, OWN)
    journal = case.folder / JOURNAL
    for _ in range(EXCHANGE_CHECKS):
        if not journal.exists():
            return
        time.sleep(lock.STEP)
    raise CaseError(
        f"{case.folder}: a command was interrupted here while it put new tables in place",
        remedy="run any other command on the case; that finishes it",
    )


EXCHANGE_CHECKS = 10


def _populate(staged: Staged) -> None:
    staged.next.folder.mkdir()
    for name in STATE:
        place = staged.case.folder / name
        if place.is_dir():
            shutil.copytree(place, staged.next.folder / name, copy_function=_link)
        elif place.exists():
            _link(str(place), str(staged.next.folder / name))


def _link(source: str, target: str) -> None:
    if Path(source).suffix in WHOLE:
        try:
            os.link(source, target)
        except OSError:  # not every file system has links
            shutil.copy2(source, target)
    else:
        shutil.copy2(source, target)


def _commit(staged: Staged) -> None:
    moves: list[tuple[str, str]] = []
    removed: list[str] = []
    for name in STATE:
        new, old = staged.next.folder / name, staged.case.folder / name
        if new.exists():
            if not _same(new, old):
                _sync(new)
                moves.append((f"{NEXT}/{name}", name))
        elif old.exists():
            removed.append(name)
    moves += staged.files
    for written, _ in staged.files:
        _sync(staged.case.folder / written)
        _sync((staged.case.folder / written).parent)
    if not moves and not removed:
        _discard(staged.case)
        return
    for source, target in staged.files:
        _room_for(staged.case.folder / source, staged.case.folder / target)
    _sync_folder(staged.next.folder)
    moves.sort(key=lambda move: move[1] == "manifest.json")  # last, as what names all the others
    shown = [[display(source), display(target)] for source, target in moves]
    canonical.put(staged.case.folder / JOURNAL, canonical.page({"moves": shown, "removed": removed}))
    _sync_folder(staged.case.folder)
    recover(staged.case)


def _room_for(new: Path, place: Path) -> None:
    """What cannot come to stand at its place is told before the exchange is begun, not in the midst of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir() and not new.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(place))


def _exchange(case: Case, journal: tuple[list[tuple[str, str]], list[str]]) -> None:
    before = case.folder / BEFORE
    before.mkdir(exist_ok=True)
    moves, removed = journal
    for source, target in moves:
        new, old = case.folder / source, case.folder / target
        if not new.exists():
            continue  # done before
        if old.is_dir():
            _set_aside(old, before)
        old.parent.mkdir(parents=True, exist_ok=True)
        new.replace(old)
    for name in removed:
        _set_aside(case.folder / name, before)
    _sync_folder(case.folder)
    (case.folder / JOURNAL).unlink()


def _set_aside(place: Path, before: Path) -> None:
    if place.exists():
        _remove(before / place.name)
        place.rename(before / place.name)


def _read(journal: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """The journal's moves and removals. What it may name is bounded: it must not move what is not the case's."""
    try:
        data = canonical.load(journal.read_bytes())
        moves = [(undisplay(str(source)), undisplay(str(target))) for source, target in data["moves"]]
        removed = [str(name) for name in data["removed"]]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise _altered(journal, str(error)) from None
    for source, target in moves:
        inside = target in STATE or (Path(target).parts[:1] == (REPORTS,) and ".." not in Path(target).parts)
        if source != (f"{NEXT}/{target}" if inside else str(_aside(Path(target)))) or not (
            inside or Path(target).is_absolute()
        ):
            raise _altered(journal, f"it moves {source} to {target}")
    for name in removed:
        if name not in STATE:
            raise _altered(journal, f"it removes {name}")
    return moves, removed


def _altered(journal: Path, why: str) -> CaseError:
    return CaseError(
        f"{journal}: is not as Missent wrote it: {why}",
        remedy="keep a copy of the case, remove that file and run `missent verify`",
    )


def _same(new: Path, old: Path) -> bool:
    """Whether nothing was changed: the same links, or copies with the same bytes."""
    if new.is_dir():
        names = _names(new)
        return old.is_dir() and names == _names(old) and all(_same(new / name, old / name) for name in names)
    if not old.is_file():
        return False
    return new.samefile(old) or (new.suffix not in WHOLE and filecmp.cmp(new, old, shallow=False))


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _discard(case: Case) -> None:
    """Remove what was built aside, in the case and elsewhere."""
    noted = case.folder / NEXT / OUTSIDE
    if noted.is_file():
        try:
            places = [Path(undisplay(str(one))) for one in canonical.load(noted.read_bytes())]
        except (ValueError, TypeError):
            places = []  # not written whole
        for place in places:
            if place.is_absolute() and place.name.startswith(".") and place.name.endswith(ASIDE):
                with contextlib.suppress(
                    OSError
                ):  # no such folder, or no longer this user's: it must not stop the case
                    place.unlink()
    _remove(case.folder / NEXT)


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}{ASIDE}")


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _sync(place: Path) -> None:
    for path in [*place.rglob("*"), place] if place.is_dir() else [place]:
        _sync_folder(path)


def _sync_folder(place: Path) -> None:
    fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


__all__ = ["Staged", "change", "finish", "recover", "settled"]
