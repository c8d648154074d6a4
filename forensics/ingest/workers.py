"""What workers in other processes, on other hosts, must be: of the same code, and before the same folders."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.custody import evidence, objects
from forensics.custody.streams import Place
from forensics.errors import UsageError, naming
from forensics.ingest import madeby
from forensics.native import compiler


@dataclass(frozen=True)
class Seen:
    """What one worker tells: its host, its code, the first path that it does not see as the command does."""

    host: str
    made_by: str
    amiss: str | None


def check(everywhere: Callable[..., Mapping[str, Any]], folder: Path, sources: Sequence[Place]) -> int:
    """How many workers there are.

    Raises UsageError naming the first that is of another version, or does not see `folder` (the case) or one of
    `sources` (evidence) as this process does.
    """
    sizes = _sizes(sources)
    with _probe(folder) as probe:
        found = everywhere(look, sizes, str(probe.absolute()), probe.name)
    for address, seen in sorted(found.items()):
        if seen.made_by != madeby.digest():
            raise UsageError(
                f"the worker {address} on {seen.host} runs another version of Missent, or of pyarrow",
                expected="the same on all machines: results must not depend on who worked",
                remedy="install the same version there, start the worker anew",
            )
        if seen.amiss is not None:
            raise UsageError(
                f"the worker {address} on {seen.host} does not see {seen.amiss} as this command does",
                expected="case and evidence on a file system that all machines share, under the same path; for an "
                "object store the same environment (AWS_…) on all",
            )
    return len(found)


def _sizes(sources: Sequence[Place]) -> dict[str, int]:
    return {str(place.absolute()): evidence.size_of(place) for place in sorted(set(sources), key=str)}


@contextmanager
def _probe(folder: Path) -> Iterator[Path]:
    """A file in the case that holds its own name, for as long as workers look for it."""
    place = folder / f"seen-{secrets.token_hex(8)}"
    with naming(place):
        folder.mkdir(parents=True, exist_ok=True)
        place.write_text(place.name, "ascii")
    try:
        yield place
    finally:
        place.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others' batches lie there
            folder.rmdir()


def look(sizes: Mapping[str, int], probe: str, token: str) -> Seen:
    """On a worker: compile what is not compiled yet, and look for these files."""
    amiss = next((path for path, size in sizes.items() if _size(path) != size), None)
    try:
        if Path(probe).read_text("ascii") != token:
            amiss = probe
    except OSError:
        amiss = str(Path(probe).parent)
    if amiss is None:
        compiler.ready(None)
    return Seen(socket.gethostname(), madeby.digest(), amiss)


def _size(path: str) -> int | None:
    try:
        return evidence.size_of(objects.recorded(path) or Path(path))
    except OSError:
        return None
