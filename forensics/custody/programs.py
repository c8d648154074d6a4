"""Programs that an investigator's machine usually has, and that Missent needs for single things only: openssl for time
stamps, ssh-keygen for signatures. Both work offline; neither is asked for anything else.

The current folder may be that of the evidence: nothing that lies in it is started, whatever PATH says, and no program
runs in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forensics.errors import UsageError

LONGEST = 120
"""Seconds for what needs no person."""
PACKAGES = {"openssl": "openssl", "ssh-keygen": "openssh-client"}


def there(name: str) -> bool:
    return _place(name) is not None


def _place(name: str) -> str | None:
    folders = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(one).is_absolute()]
    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def run(
    name: str, arguments: Sequence[str | Path], *, given: bytes | None = b"", asks: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a program with English messages and without its machine's configuration; `asks`: it may ask a person for a
    passphrase. Raises UsageError when it is not installed or does not end."""
    place = _place(name)
    if place is None:
        raise UsageError(f"{name}: is not installed", remedy=f"install it (the package {PACKAGES[name]})")
    environment = {**os.environ, "LC_ALL": "C", "OPENSSL_CONF": os.devnull}
    options: dict[str, Any] = {} if asks else {"input": given, "timeout": LONGEST}
    try:
        return subprocess.run(
            [place, *arguments], cwd="/", capture_output=True, env=environment, check=False, **options
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{name}: did not end within {LONGEST} seconds") from None


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last thing that a program complained of."""
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Using configuration from")]
    return lines[-1] if lines else f"exit code {done.returncode}"


__all__ = ["run", "said", "there"]
