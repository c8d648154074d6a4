"""What an ingest had read before it was cut short (Ctrl-C, a kill, a lost cluster): the next one of the same evidence
takes it as it is.

`CASE/.runs/finished.jsonl` gets a line for each unit as its batch is taken: keys of its parts, name and digest of the
batch, bytes of content, sealed with this user's key as the state is (`ingest.kept`). The evidence is surveyed again all
the same: a key names its content, so what was read of another content is not used. An ingest that ends well leaves no
such file.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from forensics.custody import runs
from forensics.errors import CaseError, ClusterLost, naming
from forensics.ingest import kept, madeby, units
from forensics.ingest.batches import Batch
from forensics.ingest.kept import Kept

FILE = "finished.jsonl"
WORTH = 64 << 20
"""Bytes of content: what is less is read again in a second, and nothing of it is left behind."""
_Line = tuple[tuple[str, ...], str, str, int]
"""Keys of the parts, name and digest of the batch, bytes of content."""


def add(before: Kept, parts: Sequence[units.Part], batch: Batch) -> None:
    """Say that a unit was read. Raises the errors of `naming`."""
    line = {
        "made_by": madeby.digest(),
        "batch": [[part.key for part in parts], batch.name, batch.digest],
        "bytes": sum(part.size for part in parts),
    }
    seal = kept.seal(line)
    if not seal:
        return
    place = before.folder / FILE
    with naming(place), place.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**line, "seal": seal}, sort_keys=True) + "\n")


def known(before: Kept) -> Kept:
    """`before`, with what was read by an ingest that was cut short."""
    found = {keys[0]: (keys, name, digest) for keys, name, digest, _ in _lines(before.folder / FILE)}
    new = {key: one for key, one in found.items() if key not in before.batches}
    return replace(before, batches={**before.batches, **new}, finished=frozenset(name for _, name, _ in new.values()))


@contextmanager
def undone(folder: Path) -> Iterator[None]:
    """Where what is done within fails, what it has added to the folder goes; but what was read and can be used again
    stays, where people or machines cut it short. Work that writes there has ended when the block does. Raises
    CaseError."""
    if folder.exists() and not folder.is_dir():
        raise CaseError(
            f"{folder}: is no folder",
            expected="the folder of what an ingest keeps for the next one, or nothing",
            remedy="take it out of the case",
        )
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    try:
        yield
    except BaseException as error:
        read = {name: size for _, name, _, size in _lines(folder / FILE)} if _cut_short(error) else {}
        size = sum(read.values())
        worth = size >= WORTH
        stays = {*there, *([*read, FILE] if worth else [])}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name not in stays:
                kept.remove(path)
        if not stays and folder.is_dir():
            kept.remove(folder)
        if worth:
            error.add_note(f"the next ingest need not read {size:,} bytes again: what they came to is kept in {folder}")
        raise


def _cut_short(error: BaseException) -> bool:
    """By people, or by the loss of a cluster; not where something stands in the way: a full disk needs the room."""
    return isinstance(error, KeyboardInterrupt | ClusterLost)


def _lines(place: Path) -> Iterator[_Line]:
    """The lines that this user's code of this version wrote whole."""
    try:
        lines = place.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            data = json.loads(line)
            sealed = data.pop("seal")
            if data["made_by"] == madeby.digest() and hmac.compare_digest(sealed, kept.seal(data) or "none"):
                for one in runs.listed([data["batch"]]):
                    yield *one, int(data["bytes"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
