"""Detached signatures by an examiner's own key over an entry of the custody log, made and checked by ssh-keygen.

`ssh-keygen -Y` (OpenSSH 8.1) signs any bytes with the key that the examiner already has, also one on a security token,
needs no key server and no clock, and its format is documented (PROTOCOL.sshsig). A signature says that who has the key
saw this entry; whose key it is, a file of allowed signers says, which comes from elsewhere.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path

from forensics.case import Case
from forensics.custody import attested, programs
from forensics.custody.attested import Attestation
from forensics.errors import UsageError

NAMESPACE = "missent"
_KEY = re.compile(rb'Good "missent" signature .*?with \S+ key (SHA256:\S+)')


def sign(line: bytes, key: Path) -> tuple[bytes, str]:
    """(signature, the key's SHA-256 as ssh-keygen prints it). ssh-keygen asks for a passphrase, if the key has one.

    Raises UsageError when it cannot sign.
    """
    if not key.is_file():
        raise UsageError(f"--key {key}: there is no such file", expected="a private key, or a public one of the agent")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "entry"
        place.write_bytes(line)
        done = programs.run("ssh-keygen", ["-Y", "sign", "-f", key.absolute(), "-n", NAMESPACE, place], asks=True)
        made = place.with_name("entry.sig")
        if done.returncode or not made.is_file():
            raise UsageError(f"--key {key}: cannot sign ({programs.said(done)})", expected="a key of ssh-keygen")
        signature = made.read_bytes()
    found = signer(line, signature)
    if found is None:
        raise UsageError(f"--key {key}: made a signature that is not good")
    return signature, found


def signer(line: bytes, signature: bytes) -> str | None:
    """The SHA-256 of the key that made a good signature of these bytes; None for a signature that is not good."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sig"
        place.write_bytes(signature)
        done = programs.run("ssh-keygen", ["-Y", "check-novalidate", "-n", NAMESPACE, "-s", place], given=line)
    found = _KEY.search(done.stdout)
    return found[1].decode("ascii", "replace") if done.returncode == 0 and found else None


def principal(line: bytes, signature: bytes, signers: Path) -> str | None:
    """Who signed, by a file of allowed signers (ssh-keygen(1)); None where it does not list the key."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "sig"
        place.write_bytes(signature)
        listed = signers.absolute()
        done = programs.run("ssh-keygen", ["-Y", "find-principals", "-f", listed, "-s", place])
        for name in done.stdout.decode("utf-8", "replace").split("\n") if done.returncode == 0 else ():
            arguments: list[str | Path] = ["-Y", "verify", "-f", listed, "-I", name, "-n", NAMESPACE, "-s", place]
            if name and programs.run("ssh-keygen", arguments, given=line).returncode == 0:
                return name
    return None


def judge(case: Case, one: Attestation, line: bytes, signers: Path | None) -> tuple[list[str], str]:
    """(faults, what it comes to) of one signature. `signers`: a file of allowed signers."""
    name, recorded = next(iter(one.files.items()), ("", ""))
    place = case.folder / attested.FOLDER / Path(name).name
    content = place.read_bytes() if name and place.is_file() and not place.is_symlink() else b""
    if hashlib.sha256(content).hexdigest() != recorded:
        return [f"{attested.FOLDER}/{name}: was changed or removed since entry {one.entry} recorded it"], ""
    key = signer(line, content)
    if key is None:
        return ["is not good: it is of other bytes, or of no key"], ""
    if key != one.told.get("key"):
        return [f"is by the key {key}, the log recorded {one.told.get('key')}"], ""
    said = one.told["examiner"] or "somebody unnamed"
    if signers is None:
        return (
            [],
            f"by the key {key}, which the log says is {said}'s; whose it is was not checked: no --signers was given",
        )
    who = principal(line, content, signers)
    if who is None:
        return [f"is by the key {key}, which {signers} does not allow"], ""
    return [], f"by {who}, as {signers} has it (key {key})"


__all__ = ["NAMESPACE", "judge", "principal", "sign", "signer"]
