"""What a stage makes comes into the case whole or not at all: fresh files are made aside and put in place together.

When something fails on the way (no room, no permission), what was there before is put back. Ctrl-C counts when the
files stand: no case is left between two states by a person's hand. A power cut may still do that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

from forensics.case import Case

T = TypeVar("T")


@contextlib.contextmanager
def aside(case: Case) -> Iterator[Path]:
    """An empty folder inside the case for the length of a `with` block."""
    work = case.folder / ".work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def no_trace(case: Case) -> Iterator[None]:
    """Where the block fails, folders that were made for the case and copies of standard input are taken away again: no
    case is left where none was."""
    made = [folder for folder in (case.streams, case.folder, *case.folder.parents) if not folder.exists()]
    copies = set(case.streams.iterdir()) if case.streams.is_dir() else set()
    try:
        yield
    except BaseException:
        for copy in set(case.streams.iterdir()) - copies if case.streams.is_dir() else ():
            copy.unlink()
        for folder in made:
            with contextlib.suppress(OSError):  # it was never made, or others have put something there meanwhile
                folder.rmdir()
        raise


def put(case: Case, work: Path, fresh: Mapping[Path, Path | None], then: Callable[[], T]) -> T:
    """Put each fresh file or folder in its place (None: take away what is there), then do `then`, which may write
    case.toml, the manifest and an entry of the custody log. When any of it fails, all of it is as it was before.

    `work` must lie on the case's disk: things are renamed.
    """
    return to_the_end(lambda: _put(case, work / "before", fresh, then))


def _put(case: Case, before: Path, fresh: Mapping[Path, Path | None], then: Callable[[], T]) -> T:
    before.mkdir()
    copies: list[tuple[Path, Path | None]] = []
    for path in (case.toml, case.manifest):
        copies.append((path, Path(shutil.copyfile(path, before / path.name)) if path.exists() else None))
    logged = case.custody_log.stat().st_size if case.custody_log.exists() else None
    moved: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        for number, (place, new) in enumerate(fresh.items()):
            if place.exists():
                old = before / str(number)
                place.rename(old)
                moved.append((old, place))
            if new is not None:
                new.rename(place)
                placed.append(place)
        return then()
    except BaseException:
        for place in placed:
            _remove(place)
        for old, place in moved:
            old.rename(place)
        for path, copy in copies:
            if copy is None:
                path.unlink(missing_ok=True)
            else:
                copy.replace(path)
        if logged is None:
            case.custody_log.unlink(missing_ok=True)
        elif case.custody_log.stat().st_size > logged:
            os.truncate(case.custody_log, logged)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def to_the_end(work: Callable[[], T]) -> T:
    """`work`, done in a thread that Ctrl-C does not reach; where it was pressed, it counts afterwards."""
    with ThreadPoolExecutor(1, thread_name_prefix="missent-commit") as hand:
        future = hand.submit(work)
        pressed: KeyboardInterrupt | None = None
        while not future.done():
            try:
                wait([future])
            except KeyboardInterrupt as interrupt:
                pressed = interrupt
    result = future.result()
    if pressed is not None:
        raise pressed
    return result
