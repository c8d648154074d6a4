"""Where Missent keeps what it remembers of this user between commands, outside of every case."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path | None:
    """`$XDG_STATE_HOME/missent`, else below `~/.local/state` (XDG Base Directory Specification); None where nobody
    knows the user's home, so that nothing is remembered."""
    if chosen := os.environ.get("XDG_STATE_HOME"):
        return Path(chosen) / "missent"
    try:
        return Path.home() / ".local" / "state" / "missent"
    except RuntimeError:  # an account without an entry, as in containers
        return None
