"""How kernels are compiled and kept: numba's public interface, and a cache folder that fits this code and this user.

A *kernel* is a plain function over arrays that only other kernels call. An *entry* is one that Python calls: it has a
stated signature, allocates nothing and raises nothing, lets go of the interpreter lock, and is kept in numba's cache.

numba knows neither that a constant of another module has changed nor who wrote what lies in its cache. So the cache
folder is named by a digest of every byte of this room, of numba, of its compiler, of Python and of the processor; and
nothing is loaded from a folder, or a file, that somebody else could have written.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np
from numba import types

ROOM = Path(__file__).parent

_njit: Any = numba.njit
_guvectorize: Any = numba.guvectorize
_config: Any = numba.config

Progress = Callable[[str, int, int], None]
"""progress("compile", done, total): entries."""


def kernel(function: Callable[..., Any]) -> Any:
    """What kernels and entries call. Compiled into each of them."""
    return _njit(nogil=True, error_model="numpy")(function)


def inlined(function: Callable[..., Any]) -> Any:
    """A kernel that becomes part of its caller. For the small ones that every line or event passes through several
    times: numba then sees that nobody counts references to their arrays. The time to compile grows faster than the
    function that they end up in, so what is large, or is called once a line, stays a `kernel`."""
    return _njit(nogil=True, error_model="numpy", forceinline=True)(function)


class Entry:
    """A kernel that Python calls: a generalized ufunc of one signature, compiled or loaded from the cache at its first
    call.

    NumPy hands a generalized ufunc bare arrays. numba's other way to call a function counts the references to each
    array argument in every kernel below, which took half as long again as all the rest.

    NumPy lets go of the interpreter lock only where a result has more than 500 items (the dimensions of arguments do
    not count). So the result is laid out as long as the first array, though all its items are one and the same.
    Arrays of no items cannot have that one item checked: with checked indexing the result is what it is, and the lock
    is kept.
    """

    def __init__(self, function: Callable[..., Any], signature: str) -> None:
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        self._function = function
        self._arguments = tuple(_argument(word.strip()) for word in signature.replace("[:,:]", "[::]").split(","))
        arrays = [n for n, one in enumerate(self._arguments) if one.dimensions]
        self._measure = arrays[0] if arrays and not _config.BOUNDSCHECK else None
        self._result = f"d{self._measure}_0" if self._measure is not None else ""
        self._compiled: Callable[..., Any] | None = None
        ENTRIES.append(self)

    def __call__(self, *values: Any) -> int:
        """Raises TypeError for what is not of the signature's types: NumPy would convert it, and write into a copy."""
        for value, wanted in zip(values, self._arguments, strict=True):
            if wanted.dimensions and not (
                value.dtype == wanted.dtype
                and value.ndim == wanted.dimensions
                and value.flags.c_contiguous
                and (wanted.read_only or value.flags.writeable)
            ):
                raise TypeError(f"{self.name}: {value.dtype}, {value.ndim} dimensions; asked for {wanted}")
        made = self._compiled or self.load()
        size = (values[self._measure].shape[0],) if self._measure is not None else ()
        result = np.zeros(1, np.int64)
        made(*values, np.ndarray(size, np.int64, result, strides=(0,) * len(size)))
        return int(result[0])

    def load(self) -> Callable[..., Any]:
        """Take it out of the cache; compile all entries first where that has not been done."""
        with _LOCK:
            if self._compiled is None:
                with _cache_set(_folder or ready()):
                    self._compiled = _guvectorize(
                        [(*(one.type() for one in self._arguments), types.int64[::1])],
                        f"{','.join(one.layout(n) for n, one in enumerate(self._arguments))}->({self._result})",
                        nopython=True,
                        cache=True,
                        writable_args=tuple(n for n, one in enumerate(self._arguments) if not one.read_only),
                    )(self._function)
            made: Callable[..., Any] = self._compiled
            return made


@dataclass(frozen=True)
class _Argument:
    dtype: str
    dimensions: int
    read_only: bool

    def type(self) -> Any:
        element = types.boolean if self.dtype == "bool" else getattr(types, self.dtype)
        return types.Array(element, self.dimensions, "C") if self.dimensions else element

    def layout(self, place: int) -> str:
        """Its part of the ufunc's layout; no two arguments share a dimension."""
        return f"({','.join(f'd{place}_{n}' for n in range(self.dimensions))})"


def _argument(word: str) -> _Argument:
    kind, _, dimensions = word.removeprefix("const ").partition("[")
    return _Argument(
        "bool" if kind == "boolean" else kind, dimensions.count(":"), word.startswith("const ") or not dimensions
    )


ENTRIES: list[Entry] = []
"""All entries of the modules that were imported."""


def entry(signature: str) -> Callable[[Callable[..., Any]], Entry]:
    """Declare an entry. `signature`: types of its arguments, an array being `uint8[:]` or, where it is only read,
    `const uint8[:]`; all arrays are contiguous. The function has one argument more, `result`: what it writes into
    `result[0]` (int64) the call returns; of an entry that writes nothing there the call's value means nothing.
    """

    def declare(function: Callable[..., Any]) -> Entry:
        return Entry(function, signature)

    return declare


def cached() -> bool:
    """Whether all entries were compiled by some earlier run, so that to be `ready` takes no time."""
    folder = kept_in()
    return folder is not None and not fault(folder) and _complete(folder)


def ready(progress: Progress | None = None) -> Path:
    """Compile what has to be, before anything is read: some minutes of one processor, once for a version and a
    machine, said on standard error. Returns the folder that compiled code is loaded from."""
    global _folder
    with _LOCK:
        if _folder is None:
            kept = kept_in()
            reason = fault(kept)
            _folder = kept if kept and not reason and _complete(kept) else _build(kept, reason, progress)
        return _folder


def _build(kept: Path | None, reason: str, progress: Progress | None) -> Path:
    """Compile all entries aside, and put them where later runs look. numba's cache is not made for two processes that
    write it at once: what both wrote does not fit together."""
    global _folder
    print("missent: compiling, once for this version on this machine; it takes some minutes", file=sys.stderr)
    if reason:
        print(f"missent: the compiled code is not kept: {reason}", file=sys.stderr)
    _folder = made = Path(tempfile.mkdtemp(prefix=f"{digest()}-", dir=kept.parent if kept and not reason else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    import_room()
    for done, one in enumerate(ENTRIES):
        if progress is not None:
            progress("compile", done, len(ENTRIES))
        one.load()
    if progress is not None:
        progress("compile", len(ENTRIES), len(ENTRIES))
    (made / "complete").write_text(_times(), "utf-8")
    return _keep(made, kept) if kept and not reason else made


def _keep(made: Path, kept: Path) -> Path:
    """Rename; where another process was quicker, its folder stays, and `made` goes with this process."""
    try:
        if kept.exists() and not _complete(kept):
            kept.rename(made / "before")
        made.rename(kept)
    except OSError:
        return made
    shutil.rmtree(kept / "before", ignore_errors=True)
    return kept


def _complete(folder: Path) -> bool:
    try:
        return (folder / "complete").read_text("utf-8") == _times()
    except OSError:
        return False


def _times() -> str:
    """When the files of this room were written: numba compiles anew when that has changed."""
    return repr([(str(path.relative_to(ROOM)), path.stat().st_mtime_ns) for path in sorted(ROOM.rglob("*.py"))])


def import_room() -> None:
    """Import every module of the room, so that all entries are declared."""
    from importlib import import_module

    for path in sorted(ROOM.rglob("*.py")):
        parts = path.relative_to(ROOM).with_suffix("").parts
        if parts[-1] != "__init__":
            import_module(".".join((__package__ or "", *parts)))


@cache
def digest() -> str:
    """Names the cache folder: every byte of this room, and all that decides what is made of it."""
    settings = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k != "NUMBA_CACHE_DIR")
    about = (
        numba.__version__, llvmlite.__version__, llvmlite.binding.llvm_version_info, sys.version, platform.machine(),
        llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten(), settings, str(ROOM),
    )  # fmt: skip
    made = hashlib.sha256(repr(about).encode())
    for path in sorted(ROOM.rglob("*.py")):
        content = path.read_bytes()
        made.update(f"{path.relative_to(ROOM).as_posix()}\0{len(content)}\0".encode() + content)
    return made.hexdigest()[:24]


def kept_in() -> Path | None:
    """Where compiled code of exactly these sources lies, or would; None where nobody knows the user's home."""
    base = _base()
    return base / digest() if base else None


def _base() -> Path | None:
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen).absolute()
    if chosen := os.environ.get("XDG_CACHE_HOME"):
        return Path(chosen).absolute() / "missent"
    try:
        return Path.home() / ".cache" / "missent"
    except RuntimeError:  # an account without an entry, as in containers
        return None


def fault(folder: Path | None) -> str:
    """Why code must not be loaded from this folder, or kept there; empty when only this user (or root) can have written
    what is in it: the folder is closed to others, its contents are the user's own, and no folder above lets others
    exchange it."""
    if folder is None:
        return "this user has no home folder (XDG_CACHE_HOME can name another place)"
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            return f"{folder.parent} cannot be written"
        return _exchangeable(folder.parent.resolve()) or (_foreign(folder) if os.path.lexists(folder) else "")
    except (OSError, RuntimeError) as error:
        return str(error)


def _exchangeable(folder: Path) -> str:
    """Which folder, this one or one above, lets other users exchange what is in it."""
    if not hasattr(os, "getuid"):
        return ""
    for above in (folder, *folder.parents):
        about = above.stat()
        mode = stat.S_IMODE(about.st_mode)
        if about.st_uid not in (0, os.getuid()) or (mode & 0o022 and not mode & stat.S_ISVTX):
            return f"{above} lets others exchange what is in it (owner {about.st_uid}, mode {mode:04o})"
    return ""


def _foreign(folder: Path) -> str:
    """What in this folder, or of it, others could have written."""
    if not hasattr(os, "getuid"):
        return ""
    about = folder.lstat()
    mode = stat.S_IMODE(about.st_mode)
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or mode & 0o077:
        return f"{folder} is not a folder of this user alone (owner {about.st_uid}, mode {mode:04o})"
    for inside in folder.rglob("*"):
        file = inside.lstat()
        if stat.S_ISLNK(file.st_mode) or file.st_uid != os.getuid():
            return f"{inside} was not written by this user"
    return ""


@contextmanager
def _cache_set(folder: Path) -> Iterator[None]:
    """numba reads its setting when a function is declared; other users of numba in this process keep theirs."""
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder)
    try:
        yield
    finally:
        _config.CACHE_DIR = before


_LOCK = threading.RLock()
_folder: Path | None = None
"""Where this process loads compiled code from, once it has decided."""
