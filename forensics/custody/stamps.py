"""Time stamps by an authority (RFC 3161) over an entry of the custody log: by then this entry, and all before, existed.

The request goes to the authority, and its reply comes back, as files: Missent opens no connection. openssl makes the
request and checks the reply, since it takes the replies that authorities give (`rfc3161-client` refuses certificates
that are not in DER's order, which is how openssl's own authority sends its chain). What is checked: status, imprint,
nonce, the signature, the certificate's place in the reply (ESSCertID), its extended key usage timeStamping, and its
chain to the authority's root at the stamp's own time (RFC 3161, 2.4.2 and Appendix B).
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import attested, programs
from forensics.custody.attested import Attestation
from forensics.custody.chain import stamp as written
from forensics.errors import UsageError, VerificationFailed

LARGEST = 1 << 20
"""Bytes of a reply or a certificate file that are looked at: real ones have a few thousand."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DUMP = re.compile(r"^ +[0-9a-f]{4} - ((?:[0-9a-f]{2}[ -])+)", re.M)
_TIME = re.compile(r"^Time stamp: (\w{3}) +(\d+) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? (\d{4}) GMT$", re.M)


@dataclass(frozen=True)
class Token:
    """What a request or a reply says. `at` and `authority` of a reply alone."""

    imprint: str
    nonce: str
    at: datetime | None
    authority: str


def query(line: bytes) -> bytes:
    """A request for a stamp over these bytes: SHA-256, a nonce, the authority's certificate asked for."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "query"
        digest = hashlib.sha256(line).hexdigest()
        done = programs.run("openssl", ["ts", "-query", "-digest", digest, "-sha256", "-cert", "-out", place])
        if done.returncode:
            raise UsageError(f"openssl ts: {programs.said(done)}", remedy="install a version that has `ts`")
        return place.read_bytes()


def requested(data: bytes) -> Token:
    """What a request asks for. Raises ValueError when it is none."""
    return _token(_printed(["-query"], data))


def replied(data: bytes) -> Token:
    """What the token of a reply says. Raises ValueError when there is none.

    Only the token is read, which the authority signs: the reply's status text around it is anybody's.
    """
    with tempfile.TemporaryDirectory() as folder:
        reply, token = Path(folder) / "reply", Path(folder) / "token"
        reply.write_bytes(data)
        done = programs.run("openssl", ["ts", "-reply", "-in", reply, "-token_out", "-out", token])
        if done.returncode or not token.is_file() or not token.stat().st_size:
            raise ValueError(_status(reply) or programs.said(done))
        return _token(_printed(["-reply", "-token_in"], token.read_bytes()))


def _status(reply: Path) -> str:
    shown = programs.run("openssl", ["ts", "-reply", "-in", reply, "-text"]).stdout.decode("utf-8", "replace")
    lines = [line for line in shown.splitlines() if line.startswith(("Status: ", "Status desc", "Failure info: "))]
    return "; ".join(lines)


def _printed(kind: Sequence[str], data: bytes) -> str:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "it"
        place.write_bytes(data)
        done = programs.run("openssl", ["ts", *kind, "-in", place, "-text"])
        if done.returncode:
            raise ValueError(programs.said(done))
        return done.stdout.decode("utf-8", "replace")


def _token(text: str) -> Token:
    imprint = "".join(_DUMP.findall(text)).replace(" ", "").replace("-", "")
    nonce = re.search(r"^Nonce: (\S+)$", text, re.M)
    hashed = re.search(r"^Hash Algorithm: (\S+)$", text, re.M)
    if not imprint or nonce is None or hashed is None or hashed[1].lower() != "sha256":
        raise ValueError("it has no SHA-256 imprint, or no nonce")
    authority = re.search(r"^TSA: (.+)$", text, re.M)
    time = _TIME.search(text)
    at = None
    if time:
        month, day, hour, minute, second, part, year = time.groups()
        micros = int((part or "0")[:6].ljust(6, "0"))
        at = datetime(
            int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), micros, tzinfo=UTC
        )
    named = authority[1].strip() if authority else "unspecified"
    return Token(imprint, nonce[1], at, "an authority that does not name itself" if named == "unspecified" else named)


def verified(request: bytes, reply: bytes, ca: bytes, at: datetime) -> str | None:
    """What is wrong with a reply to this request, if the certificates of `ca` (PEM) are to be trusted; else None."""
    with tempfile.TemporaryDirectory() as folder:
        places = {name: Path(folder) / name for name in ("query", "reply", "ca")}
        for name, data in (("query", request), ("reply", reply), ("ca", ca)):
            places[name].write_bytes(data)
        when = str(int(at.timestamp()))
        done = programs.run(
            "openssl",
            ["ts", "-verify", "-queryfile", places["query"], "-in", places["reply"], "-CAfile", places["ca"],
             "-attime", when],
        )  # fmt: skip
        if done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr:
            return None
        return programs.said(done)


@dataclass(frozen=True)
class Reply:
    """A reply that fits a request of the case."""

    asked: Attestation
    token: Token
    content: bytes


def read(place: Path) -> bytes:
    """A file of a few thousand bytes. Raises UsageError for a larger one, OSError."""
    with place.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise UsageError(f"{place}: is too large to be a time stamp or a certificate", expected="a few thousand bytes")
    return data


def take(case: Case, entries: Sequence[Mapping[str, Any]], place: Path) -> Reply:
    """The reply in a file, and the request of the case that it answers.

    Raises UsageError when it is no granted reply or comes twice, VerificationFailed when it answers no request of the
    case.
    """
    content = read(place)
    try:
        token = replied(content)
    except ValueError as error:
        raise UsageError(
            f"{place}: no time stamp was granted ({error})", expected="a reply as RFC 3161 has it"
        ) from None
    known = attested.read(entries)
    asked = [one for one in known if one.action == attested.QUERY]
    for one in reversed(asked):
        request = requested(_file(case, one, f"{one.covers}.tsq"))
        if request.imprint != token.imprint:
            continue
        if request.nonce != token.nonce:
            raise VerificationFailed(f"{place}: answers another request for entry {one.covers} (its nonce differs)")
        if any(other.action == attested.STAMP and other.covers == one.covers for other in known):
            raise UsageError(f"{place}: entry {one.covers} has its stamp already", remedy="make a new --query")
        return Reply(one, token, content)
    raise VerificationFailed(
        f"{place}: is a time stamp of another digest ({token.imprint})",
        expected="a reply to a request of this case (`missent stamp --query`)" if asked else "a request made first",
    )


def _file(case: Case, one: Attestation, name: str) -> bytes:
    """A file of the case's attestations, as recorded. Raises VerificationFailed."""
    place = case.folder / attested.FOLDER / name
    content = place.read_bytes() if place.is_file() and not place.is_symlink() else b""
    if hashlib.sha256(content).hexdigest() != one.files.get(name):
        raise VerificationFailed(
            f"{attested.FOLDER}/{name}: was changed or removed since entry {one.entry} recorded it"
        )
    return content


def judge(
    case: Case, one: Attestation, known: Iterable[Attestation], line: bytes, ca: bytes | None
) -> tuple[list[str], str, bool]:
    """(faults, what it comes to, whether an authority's certificate was there to check it by) of one stamp.

    `line`: the covered entry's; `ca`: certificates to check it by instead of those that the case keeps.
    """
    asked = next((other for other in known if other.action == attested.QUERY and other.covers == one.covers), None)
    if asked is None:
        return ["the log has no request for it"], "", False
    name = f"{one.covers}.pem"
    try:
        reply, request = _file(case, one, f"{one.covers}.tsr"), _file(case, asked, f"{one.covers}.tsq")
        kept = _file(case, one, name) if name in one.files else None
        token, wanted = replied(reply), requested(request)
    except VerificationFailed as error:
        return [error.what], "", False
    except ValueError as error:
        return [f"is none ({error})"], "", False
    faults = []
    if token.imprint != hashlib.sha256(line).hexdigest():
        faults.append("is of another digest than this entry's line")
    if token.nonce != wanted.nonce:
        faults.append("answers another request (its nonce differs)")
    if token.at is None or written(token.at) != one.told.get("at"):
        faults.append(f"says another time than the log, {one.told.get('at')}")
    trusted = ca if ca is not None else kept
    if trusted is not None and token.at is not None and (why := verified(request, reply, trusted, token.at)):
        faults.append(f"is not the authority's ({why})")
    whose = "given" if ca is not None else "kept in the case: compare it, or give --ca"
    digest = hashlib.sha256(trusted or b"").hexdigest()
    shown = f"existed before {one.told.get('at')}, by {token.authority}"
    right = f"{shown}; checked by the certificate {whose} (SHA-256 {digest})"
    if trusted is None:
        return faults, f"{shown}; present, not verified: no --ca was given", False
    return faults, right, True


__all__ = ["Reply", "Token", "judge", "query", "read", "take", "verified"]
