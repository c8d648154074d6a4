"""Evidence in an object store that speaks the protocol of Amazon S3: addresses, listing, reading.

An address is `s3://BUCKET/KEY`; the key is taken as it stands, and is never a path here. Only LIST, HEAD and GET are
asked, by Arrow's own client (`pyarrow.fs`), which is imported when the first address is opened. Which store, and who
asks, is said by the environment and the AWS configuration, never by an address. A case that somebody else made must not
open a connection: what it records is asked for only in buckets that this user has named as evidence (`known`).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.custody import remembered
from forensics.custody.names import display
from forensics.errors import UsageError

if TYPE_CHECKING:
    from pyarrow.fs import S3FileSystem

SCHEME = "s3://"
FIRST, MOST = 64 << 10, 8 << 20
"""Bytes that are asked for at least: few at first, twice as many each time that reading goes on where it was."""
ATTEMPTS = 4
CONNECT_SECONDS, ANSWER_SECONDS = 10, 60
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_OTHER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SHOWN = 200
_WORDS = {
    "ACCESS_DENIED": "the object store denies access to it",
    "INVALID_ACCESS_KEY_ID": "the object store does not know the access key",
    "SIGNATURE_DOES_NOT_MATCH": "the object store does not accept the secret key",
    "NO_SUCH_BUCKET": "there is no such bucket",
    "INVALID_RANGE": "it was shortened meanwhile",
}


class Replaced(OSError):
    """Another object was put in the place of the one that was found."""


@dataclass(frozen=True)
class Object:
    """An object by its address, or with `key` "" or ending in "/" all that lies below. `tag`: which content it had when
    it was found (its ETag); another is refused when it is opened."""

    bucket: str
    key: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}"

    def absolute(self) -> Object:
        """Itself, as paths have it."""
        return self


def is_address(text: object) -> bool:
    return isinstance(text, str) and text.startswith(SCHEME)


def parse(text: str) -> Object:
    """The object or prefix that a user names. Raises UsageError, which repeats nothing that may be a secret."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if "@" in bucket or ":" in bucket or "?" in text:
        raise UsageError(
            "an address of evidence (s3://…) holds a user, a port, a password or settings (“@”, “:” or “?”)",
            expected="s3://BUCKET/KEY, which is recorded in the case as it stands",
            remedy="give them by the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL, AWS_REGION); an "
            "object with “?” in its key is found below its prefix",
        )
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{display(text)}: has no name of a bucket", expected="s3://BUCKET/KEY")
    return Object(bucket, key)


def recorded(text: str) -> Object | None:
    """The object that a case records; None for what no address is."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    return Object(bucket, key) if text.startswith(SCHEME) and _BUCKET.fullmatch(bucket) else None


def refuse(given: Iterable[str | os.PathLike[str]]) -> None:
    """Raises UsageError for an address that is none, has a secret in it, or is of another kind of store."""
    for one in given:
        if is_address(one):
            parse(str(one))
        elif isinstance(one, str) and (other := _OTHER.match(one)) and not os.path.lexists(one):
            raise UsageError(
                f"{other[1]}://: evidence is not read from there",
                expected="a path, or s3://BUCKET/KEY for an object store that speaks the protocol of Amazon S3",
                remedy="mount it, or copy it",
            )


def name(given: Iterable[object], *, later: bool = False) -> None:
    """This user names the addresses among what is given: their buckets may be asked, by commands to come as well if
    `later` and this user's state can be kept (`$XDG_STATE_HOME/missent/stores`, else below `~/.local/state`)."""
    buckets = {parse(str(one)).bucket for one in given if is_address(one)} - known()
    _here.update(buckets)
    if later and buckets and (place := kept_in()):
        with contextlib.suppress(OSError):  # commands to come say how to name it again
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "w", encoding="ascii") as file:
                file.writelines(f"{bucket}\n" for bucket in sorted(buckets))


def known() -> frozenset[str]:
    """The buckets that this user has named."""
    return frozenset({*_here, *_kept()})


_here: set[str] = set()


def kept_in() -> Path | None:
    """Where the names of this user's buckets are kept; None where nothing of this user can be."""
    folder = remembered.folder()
    return folder / "stores" if folder else None


def _kept() -> list[str]:
    """Nothing where others could have written it."""
    place = kept_in()
    if place is None:
        return []
    try:
        with place.open("rb") as file:
            about = os.fstat(file.fileno())
            own = about.st_uid == os.getuid() and not about.st_mode & 0o022
            return file.read().decode("ascii", "replace").split() if own else []
    except OSError:  # there is none
        return []


def _store(one: Object) -> S3FileSystem:
    """The client. The address of another store than Amazon's is what it does not take from the environment itself."""
    other = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    if other and not re.fullmatch(r"https?://[^/@?#]+/?", other):
        what = "AWS_ENDPOINT_URL says neither http://HOST:PORT nor https://HOST:PORT"
        raise OSError(errno.EINVAL, what, str(one))
    with _in_words(one):
        return _client(other)


@functools.cache
def _client(other: str) -> S3FileSystem:
    from pyarrow import fs

    return fs.S3FileSystem(
        endpoint_override=other.rstrip("/") if other else None,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        connect_timeout=CONNECT_SECONDS,
        request_timeout=ANSWER_SECONDS,
    )


def below(one: Object) -> tuple[list[Object], list[tuple[Object, str]]]:
    """The objects below an address, in order of their keys' bytes; and those that cannot be read, with the reason.

    Raises FileNotFoundError where there is none, OSError.
    """
    from pyarrow import fs

    prefix = one.key.removesuffix("/")
    _refuse(one, prefix)
    store = _store(one)
    with _in_words(one):
        found = store.get_file_info(fs.FileSelector(f"{one.bucket}/{prefix}".rstrip("/"), recursive=True))
    # The client leaves out a "/" at a key's end.
    keys = Counter(info.path.partition("/")[2] for info in found if info.type == fs.FileType.File)
    if not keys:
        raise FileNotFoundError(errno.ENOENT, "no object lies below it", str(one))
    objects = [Object(one.bucket, key) for key in sorted(keys, key=os.fsencode)]
    return objects, [(each, _TWO) for each in objects if keys[each.key] > 1]


_TWO = "another object's key is this one with “/” behind it, which is not read: copy it"
_REPLACED = "it is no longer the object that was found: another was put in its place"
_GONE = "there is no object of this key (one that ends in “/” is not read: copy it)"


def _refuse(one: Object, key: str) -> None:
    """Raises OSError for a key that the client would not ask for as it stands, but for another."""
    if key and not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise OSError(errno.EINVAL, "its key has an empty part (“//”), or “.” or “..” as a part: copy it", str(one))


def mark(one: Object) -> tuple[str, str]:
    """By what another content of an object that was found shows, whenever it is asked for."""
    return str(one), one.tag


class Opened:
    """The bytes of an object as `streams.Stored` has them, asked for a stretch at a time, one ahead of small readings.

    Raises FileNotFoundError, OSError; also for another content than when it was found.
    """

    def __init__(self, one: Object) -> None:
        _refuse(one, one.key)
        store = _store(one)
        with _in_words(one):
            self._file = store.open_input_file(f"{one.bucket}/{one.key}")
            self.size: int = self._file.size()
            about = {name: value.decode("utf-8", "replace") for name, value in (self._file.metadata() or {}).items()}
        self._one = one
        self.tag = about.get("ETag") or about.get("Last-Modified", "")
        self.mark = mark(replace(one, tag=self.tag))
        self._ahead = memoryview(b"")
        self._from = 0
        self._step = FIRST
        if one.tag and one.tag != self.tag:
            self.close()
            raise Replaced(errno.ESTALE, _REPLACED, str(one))

    def readinto(self, view: memoryview, at: int) -> int:
        """Fill `view` from byte `at` on, short or not at all at the end."""
        if not self._from <= at < self._from + len(self._ahead):
            wanted = min(len(view), self.size - at)
            if wanted <= 0:
                return 0
            goes_on = at == self._from + len(self._ahead)
            self._step = min(2 * self._step, MOST) if goes_on else FIRST
            with _in_words(self._one):
                self._ahead = memoryview(self._file.read_at(max(wanted, self._step), at))
            self._from = at
        part = self._ahead[at - self._from :][: len(view)]
        view[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._file.close()


@contextlib.contextmanager
def _in_words(one: Object) -> Iterator[None]:
    """What the client raises, as OSError with the same words each time."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, _GONE, str(one)) from None
    except (OSError, ValueError) as error:  # Arrow's own errors are both
        raise OSError(errno.EIO, _words(str(error)), str(one)) from None


def _words(told: str) -> str:
    """Of the client's message what a person needs, without the number of the request, with nothing that is not shown
    safely: a part of it is the store's own text."""
    if "Not a regular file" in told:
        return "the object store calls it a folder"
    found = re.search(r"AWS Error (\w+)", told)
    if found and found[1] == "NETWORK_CONNECTION":
        why = re.search(r"Details: ([^\n]+)", told)
        return "the object store cannot be reached" + (f" ({display(why[1])[:_SHOWN]})" if why else "")
    if found and found[1] in _WORDS:
        return _WORDS[found[1]]
    rest = re.sub(r"\s*\(Request ID: [^)]*\)", "", told[found.start() :] if found else told)
    return f"the object store says: {display(rest)[:_SHOWN]}"
