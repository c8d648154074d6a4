"""numba, set up so that compiled code is kept where the user can write.

Import `jit` from here, never numba's own: the cache folder must be chosen before numba is imported.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def _cache_folder() -> None:
    """Choose NUMBA_CACHE_DIR unless it is set: $XDG_CACHE_HOME/missent, else ~/.cache/missent, else numba's default."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    base = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(base) if base else Path.home() / ".cache") / "missent" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        os.environ["NUMBA_CACHE_DIR"] = str(folder)


_cache_folder()

import numba  # noqa: E402


def jit(*signature: Any, **options: Any) -> Any:
    """`numba.njit` without the GIL, cached on disk, with C's division and unsigned-safe defaults."""
    options = {"nogil": True, "cache": True, "error_model": "numpy", **options}
    return numba.njit(*signature, **options)
