"""Compiled loops (numba), and the same loops interpreted for small jobs.

Compiling takes longer than reading a small log, so kernels declared with `kernel` begin as the plain Python functions
they
are; `compile_kernels` turns all of them into machine code, loaded from a cache where one is (`warm`). Results are the
same.
Import `jit` from here, never numba's own: the cache folder must be chosen before numba is imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_OPTIONS: dict[str, Any] = {"nogil": True, "cache": True, "error_model": "numpy"}
_declared: list[tuple[Any, Callable[..., Any], str | None, bool]] = []
"""(what stands in the modules now, the function to compile, signature, called from Python?)."""
_compiled = False
_folder: Path | None = None


memchr: Any = None
"""C's memchr(address, byte, count) → address or 0, for compiled kernels."""
memcpy: Any = None
"""C's memcpy(to, from, count), for compiled kernels."""


def cache_folder() -> Path | None:
    """Where compiled code of exactly these sources is kept: below $NUMBA_CACHE_DIR, else
    $XDG_CACHE_HOME/missent/numba, else
    ~/.cache/missent/numba; None when none can be written.

    numba looks at the file of the outermost function alone; the folder's name is a digest of all of them.
    """
    global _folder
    if _folder is None:
        chosen = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
        base = Path(chosen) if chosen else Path.home() / ".cache"
        folder = (base if os.environ.get("NUMBA_CACHE_DIR") else base / "missent" / "numba") / _digest()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        if not os.access(folder, os.W_OK):
            return None
        _folder = folder
    return _folder


def _digest() -> str:
    import hashlib
    import platform
    from importlib.metadata import version

    here = Path(__file__).parent
    digest = hashlib.sha256(f"{version('numba')} {platform.python_version()} {platform.machine()} {here}".encode())
    digest.update(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    for place in (here, here / "loaders" / "postfix", here / "loaders" / "exchange", here / "stitch"):
        for path in sorted(place.glob("*.py")):
            source = path.read_bytes()
            if b"kernel" in source or b"KIND" in source:
                digest.update(source)
    return digest.hexdigest()[:16]


def _numba() -> Any:
    folder = cache_folder()
    if folder is not None:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    import numba

    return numba


def jit(*signature: Any, **options: Any) -> Any:
    """`numba.njit` without the GIL, cached on disk, with C's division; compiled from the start."""
    return _numba().njit(*signature, **{**_OPTIONS, **options})


def kernel(
    signature: str | None = None, *, entry: bool = False, plain: Callable[..., Any] | None = None
) -> Callable[[Any], Any]:
    """Declare a kernel.

    One that Python calls has a `signature`, so that exactly one version is compiled, or is an `entry` that is
    compiled at
    its first call; others are called by kernels alone. `plain` stands in for the function while interpreted, where
    wrapping arithmetic or speed asks for another way.
    """

    def declare(function: Any) -> Any:
        if _compiled:
            made = _dispatcher(function, signature, entry)
            _settle(made, signature)
            return made
        current = plain or function
        _declared.append((current, function, signature, entry))
        return current

    return declare


def _dispatcher(function: Any, signature: str | None, entry: bool) -> Any:
    inner = {"cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _numba().njit(**{**_OPTIONS, **({} if signature or entry else inner)})(function)


def _settle(made: Any, signature: str | None) -> None:
    if signature:
        made.compile(signature)
        made.disable_compile()


def compiled() -> bool:
    """True when kernels run as machine code."""
    return _compiled


def _marker() -> Path | None:
    """A file that says: all kernels are in the cache folder."""
    folder = cache_folder()
    return folder / "complete" if folder else None


def warm() -> bool:
    """True when compiling would only mean loading."""
    marker = _marker()
    return marker is not None and marker.exists()


@contextmanager
def _without_scipy() -> Iterator[None]:
    """numba's first use imports SciPy, if there is one, to find a BLAS: half a second for what no kernel here needs."""
    absent = "scipy.linalg" not in sys.modules
    if absent:
        sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules["scipy.linalg"]


def compile_kernels() -> None:
    """Put compiled functions in the place of all kernels of all modules, now and for modules imported later."""
    global _compiled, memchr, memcpy
    if _compiled:
        return
    _numba()
    from numba.core import types

    memchr = types.ExternalFunction("memchr", types.intp(types.intp, types.intc, types.uintp))
    memcpy = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))
    _compiled = True
    made = [(now, _dispatcher(function, signature, entry), signature) for now, function, signature, entry in _declared]
    replacement = {id(current): dispatcher for current, dispatcher, _ in made}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == __name__.partition(".")[0]:
            for key, value in list(vars(module).items()):
                if id(value) in replacement:
                    setattr(module, key, replacement[id(value)])
    with _without_scipy():
        for _, dispatcher, signature in made:
            _settle(dispatcher, signature)
    marker = _marker()
    if marker is not None:
        try:
            marker.touch()
        except OSError:
            return
