"""What an installation is, what its machine gives it, and which of a case's promises hold there: `missent doctor`.

A promise is said to hold only where that was tried or is known; else it is said that it cannot be told. Nothing is
written, and nothing of the case is changed; whether the case itself is whole `missent verify` says.
"""

from __future__ import annotations

import os
import platform
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from forensics.case import Case
from forensics.errors import MissentError

VERSIONS = ("missent", "numba", "llvmlite", "numpy", "pyarrow", "duckdb")
PROGRAMS = {
    "openssl": "time stamps (`missent stamp`), and checking them",
    "ssh-keygen": "signatures (`missent sign`), and checking them",
}
PACKAGES = {"distributed": "a Dask cluster (`--cluster`)", "polars": "`.pl()` in Python"}
REMOTE = {"9p", "afs", "ceph", "cifs", "drvfs", "fuse.sshfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
"""Kinds of file systems that other machines may write to as well (proc_pid_mountinfo(5))."""


@dataclass(frozen=True)
class Part:
    """Something that Missent can do without. `there`: its version, or `yes`; empty where it is missing."""

    name: str
    there: str
    needed_for: str


@dataclass(frozen=True)
class Kept:
    """A folder or file in which this user's Missent keeps something. `owner`: a login name, empty where there is none;
    `fault`: why it is not used, empty where it is; bytes."""

    what: str
    folder: str
    owner: str
    size: int
    fault: str


@dataclass(frozen=True)
class Promise:
    """What Missent promises of a case. `holds`: None where it cannot be told here."""

    name: str
    holds: bool | None
    text: str


@dataclass(frozen=True)
class Health:
    """What this installation is. `processors`: those that this process may use; `memory`: bytes that it may use, None
    where the system does not say; `compiled`: whether reading can begin at once; `folder`: where compiled code is kept;
    `fault`: why it cannot be kept there, empty when it can; `promises`: of a case, where one was named."""

    python: str
    system: str
    processors: int
    memory: int | None
    versions: Mapping[str, str]
    compiled: bool
    folder: str
    fault: str
    kept: tuple[Kept, ...]
    parts: tuple[Part, ...]
    promises: tuple[Promise, ...]


def health(case: Case | None = None) -> Health:
    """All of it. Raises CaseError where the case named is none."""
    from forensics.engine import default_workers
    from forensics.native import compiler

    folder = compiler.kept_in()
    return Health(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        processors=default_workers(),
        memory=memory(),
        versions={name: version(name) for name in VERSIONS},
        compiled=compiler.cached(),
        folder=str(folder) if folder else "",
        fault=compiler.fault(folder),
        kept=tuple(_kept(folder)),
        parts=tuple(_parts()),
        promises=tuple(_promises(case)) if case else (),
    )


def memory() -> int | None:
    """Bytes of memory that this process may use: the machine's, or less where a control group bounds it (Linux)."""
    try:
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return None
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            said = Path(place).read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        found += [int(said)] if said.isdigit() else []
    return min(found)


def _kept(folder: Path | None) -> Iterator[Kept]:
    from forensics.custody import objects
    from forensics.ingest import kept
    from forensics.native import compiler
    from forensics.review.web import visits

    if folder is None:
        yield Kept("compiled code", "", "", 0, compiler.fault(folder))
    else:
        yield from _compiled(folder)
    key = kept.key_file()
    if key is not None and key.is_file():
        yield Kept("the key that vouches for what ingests keep", str(key), owner(key), key.lstat().st_size, "")
    seen = visits.folder()
    if seen is not None:
        yield Kept("last visits to the review desk", str(seen), owner(seen), size(seen), "")
    named = objects.kept_in()
    if named is not None and named.is_file():
        yield Kept("buckets that were named as evidence", str(named), owner(named), named.stat().st_size, "")


def _compiled(folder: Path) -> Iterator[Kept]:
    from forensics.native import compiler

    yield Kept("compiled code", str(folder), owner(folder), size(folder), compiler.fault(folder))
    others = [one for one in _inside(folder.parent) if one != folder and one.is_dir()]
    if others:
        what = f"compiled code of {len(others)} other versions or machines"
        yield Kept(what, str(folder.parent), owner(folder.parent), sum(map(size, others)), "")


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def owner(path: Path) -> str:
    """Whose it is: a login name, or the number where the system knows none; empty where there is no such path."""
    try:
        return path.owner()
    except OSError:
        return ""
    except (KeyError, NotImplementedError):
        return str(path.stat().st_uid)


def size(folder: Path) -> int:
    """Bytes of the files in it; what cannot be seen counts nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(root) / name).lstat().st_size
            except OSError:
                continue
    return total


def _parts() -> Iterator[Part]:
    from forensics.custody import programs

    for name, needed in PROGRAMS.items():
        yield Part(name, "yes" if programs.there(name) else "", needed)
    for name, needed in PACKAGES.items():
        try:
            yield Part(name, version(name), needed)
        except PackageNotFoundError:
            yield Part(name, "", needed)


def _promises(case: Case) -> Iterator[Promise]:
    from forensics import casefile

    casefile.read(case)
    yield _one_writer(case)
    yield _own(case)
    yield _evidence(case)
    yield _room(case)
    yield _confined()
    yield _provable()


def _one_writer(case: Case) -> Promise:
    from forensics.custody import flock, lock

    name = "one writer at a time"
    kind = file_system(case.folder)
    if kind in REMOTE:
        text = f"the case lies on a file system that other machines may write to ({kind}): their locks may not be seen"
        return Promise(name, None, text)
    place = case.folder / lock.NAME
    opened: list[int] = []
    try:
        opened += [os.open(place, os.O_RDONLY | os.O_NOFOLLOW) for _ in range(2)]
        flock.shared(opened[0])
        flock.exclusive(opened[1])
    except BlockingIOError:
        return Promise(name, True, "the locks of this file system keep others out" + (f" ({kind})" if kind else ""))
    except (OSError, MissentError) as error:
        return Promise(name, None, f"it could not be tried: {error}")
    finally:
        for one in opened:
            os.close(one)
    return Promise(name, False, "this file system grants a lock twice: two commands could write the case at once")


def file_system(path: Path, mounts: str = "/proc/self/mountinfo") -> str:
    """The kind of the file system that holds the path, such as `ext4`; empty where the system does not say."""
    try:
        lines = Path(mounts).read_text("utf-8", "surrogateescape").splitlines()
        whole = path.resolve()
    except (OSError, RuntimeError):
        return ""
    best, kind = -1, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split(" ")[4].encode().decode("unicode_escape"))
        if whole.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def _own(case: Case) -> Promise:
    name = "nobody else can write the case"
    if not hasattr(os, "getuid"):
        return Promise(name, None, "this system knows no owners of files")
    about = case.folder.stat()
    text = f"owner {owner(case.folder)}, mode {stat.S_IMODE(about.st_mode):04o}"
    return Promise(name, about.st_uid == os.getuid() and not about.st_mode & 0o022, text)


def _evidence(case: Case) -> Promise:
    from forensics.custody import manifest, places

    name = "the evidence lies where it lay, out of reach"
    if not case.manifest.exists():
        return Promise(name, None, "nothing was read yet")
    entries = manifest.read(case).evidence
    found = [next(places.recorded(case, one), None) for one in entries]
    every = {source.file for source in found if source is not None}
    there = {place for place in every if isinstance(place, Path)}
    missing = found.count(None)
    open_ = sum(_writable(path) for path in there)
    text = f"{len(entries) - missing:,} of {len(entries):,} are there"
    if open_:
        whom = "root, whom rights do not bind" if getattr(os, "geteuid", lambda: 1)() == 0 else "this user"
        text += f"; {open_:,} of the {len(there):,} files can be written by {whom}: mount them read-only"
    if elsewhere := len(every) - len(there):
        text += f"; {elsewhere:,} lie in an object store: who may write them there is not seen from here"
    held = not missing and not open_
    return Promise(name, None if held and elsewhere else held, text)


def _writable(path: Path) -> bool:
    """By this user, whom rights may not bind (root); never on a file system that is mounted read-only."""
    return os.access(path, os.W_OK)


def _room(case: Case) -> Promise:
    about = os.statvfs(case.folder)
    free, taken = about.f_bavail * about.f_frsize, size(case.folder)
    text = f"{free / 1e9:,.1f} GB free, the case takes {taken / 1e9:,.1f} GB"
    return Promise("there is room to write the case again", free > taken, text)


def _confined() -> Promise:
    from forensics.report import confined

    name = "templates of others run without network and programs"
    if confined.possible():
        return Promise(name, True, "this system filters what their process may ask of it (seccomp)")
    return Promise(name, False, f"no filter for {sys.platform} on {platform.machine()}; only their sandbox stands")


def _provable() -> Promise:
    from forensics.custody import programs

    missing = [name for name in PROGRAMS if not programs.there(name)]
    text = (
        f"{' and '.join(missing)} not found: `verify` says “present, not checked”"
        if missing
        else "both programs are there"
    )
    return Promise("time stamps and signatures can be checked", not missing, text)
