"""One way to write JSON that digests are taken of, and to put a file in place whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.errors import naming


def plain(value: Any) -> Any:
    """The value with every string made encodable: lone surrogates (undecodable bytes) become `\\udcNN` in letters."""
    kind = type(value)
    if kind is int or kind is bool or value is None:  # most values are these, and the checks below are slow
        return value
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    if kind is dict or isinstance(value, Mapping):
        return {plain(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        many = [plain(one) for one in value]
        return sorted(many, key=repr) if isinstance(value, set | frozenset) else many
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, bool | int | float) else plain(str(value))


def line(value: Any) -> str:
    """Canonical JSON on one line: sorted keys, no spaces, UTF-8 as it is."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def page(value: Any) -> str:
    """The same for reading: indented, newline at the end."""
    return json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def load(text: str | bytes) -> Any:
    """JSON that somebody may have altered. Raises ValueError, also where it lies too deep in itself."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("lists or objects lie too deep in each other") from None


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(line(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(path: Path, text: str) -> None:
    """Write a file under a temporary name, sync it, rename it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by `tempfile`, whose files are 0600: the mode is to be that of any new file, and the process's umask can only
    # be read by setting it, for all threads at once.
    temporary = path.parent / f".{path.name}-{secrets.token_hex(8)}"
    try:
        with naming(path, always=True), temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
