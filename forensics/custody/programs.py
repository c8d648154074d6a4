"""Programs that an investigator's machine usually has, and that Missent needs for single things only: openssl for time
stamps, ssh-keygen for signatures. Both work offline; neither is asked for anything else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from forensics.errors import UsageError

LONGEST = 120
"""Seconds for what needs no person."""
PACKAGES = {"openssl": "openssl", "ssh-keygen": "openssh-client"}


def there(name: str) -> bool:
    return _found(name) is not None


def _found(name: str) -> str | None:
    """Where it lies; a relative folder of PATH is passed over, since it may be the folder of the evidence."""
    folders = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(one)]
    return shutil.which(name, path=os.pathsep.join(folders))


def run(
    name: str, arguments: Sequence[str | Path], *, given: bytes | None = b"", asks: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run a program with English messages and without its machine's configuration; `asks`: it may ask a person for a
    passphrase. Raises UsageError when it is not installed or does not end."""
    place = _found(name)
    if place is None:
        raise UsageError(f"{name}: is not installed", remedy=f"install it (the package {PACKAGES[name]})")
    environment = {**os.environ, "LC_ALL": "C", "OPENSSL_CONF": os.devnull}
    options = {} if asks else {"input": given, "timeout": LONGEST}
    try:
        return subprocess.run([place, *arguments], capture_output=True, env=environment, check=False, **options)  # type: ignore[call-overload, no-any-return]
    except subprocess.TimeoutExpired:
        raise UsageError(f"{name}: did not end within {LONGEST} seconds") from None


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The last thing that a program complained of."""
    lines = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Using configuration from")]
    return lines[-1] if lines else f"exit code {done.returncode}"


__all__ = ["run", "said", "there"]
