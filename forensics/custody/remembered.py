"""Where Missent keeps what it remembers of this user between commands, outside of every case."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """`$XDG_STATE_HOME/missent`, else below `~/.local/state` (XDG Base Directory Specification). Raises RuntimeError
    where nobody knows the user's home."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "missent"
