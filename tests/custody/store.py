"""A server on loopback that answers as an object store does: ListObjectsV2, HEAD and GET with a range, nothing else.

It stands for no vendor's server: it knows neither users nor signatures, and exists to do what a real one does seldom
(objects that change, vanish or cannot be read, answers that are cut off) and to tell what it was asked for.
`test_objects_of_a_store` also runs against a real one where it is installed.
"""

from __future__ import annotations

import hashlib
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

import pytest

PAGE = 3
"""Keys in one answer to a listing, so that a few are more than one."""


@dataclass
class Store:
    """`asked`: (method, bucket, key) in order. `before`: called with these before each answer, and may change `objects`
    or give a status to answer with instead."""

    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    before: Callable[[str, str, str], int | None] = lambda method, bucket, key: None
    cut: int | None = None
    """Bytes of a body after which the connection ends."""
    url: str = ""

    def put(self, key: str, content: bytes, bucket: str = "evidence") -> str:
        self.objects[bucket, key] = content
        return f"s3://{bucket}/{key}"

    def methods(self) -> set[str]:
        return {method for method, _, _ in self.asked}


@contextmanager
def serving() -> Iterator[Store]:
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"store": store}))
    store.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    store: Store
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        store = self.store
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path.removeprefix("/")).partition("/")
        store.asked.append((self.command, bucket, key))
        status = store.before(self.command, bucket, key)
        if status is not None:
            self._send(status, _error("AccessDenied" if status == 403 else "InternalError"))
        elif self.command not in ("GET", "HEAD"):
            self._send(405, _error("MethodNotAllowed"))
        elif not key:
            self._list(bucket, dict(urllib.parse.parse_qsl(query, keep_blank_values=True)))
        elif (bucket, key) not in store.objects:
            self._send(404, _error("NoSuchKey"))
        else:
            self._content(store.objects[bucket, key])

    def _list(self, bucket: str, asked: dict[str, str]) -> None:
        prefix, after = asked.get("prefix", ""), asked.get("continuation-token", "")
        if not any(one == bucket for one, _ in self.store.objects):
            self._send(404, _error("NoSuchBucket"))
            return
        keys = sorted(
            (key for one, key in self.store.objects if one == bucket and key.startswith(prefix) and key > after),
            key=lambda key: key.encode(),
        )
        page, more = keys[:PAGE], len(keys) > PAGE
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            f"<ETag>{escape(_tag(self.store.objects[bucket, key]))}</ETag>"
            f"<Size>{len(self.store.objects[bucket, key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>'
            f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount><MaxKeys>{PAGE}</MaxKeys>"
            f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{entries}</ListBucketResult>"
        )
        self._send(200, body.encode())

    def _content(self, content: bytes) -> None:
        headers = {"ETag": _tag(content), "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}
        wanted = self.headers.get("Range")
        if not wanted:
            self._send(200, content, headers)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(content)), len(content) - 1)
        if start > end:
            self._send(416, _error("InvalidRange"))
            return
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self._send(206, content[start : end + 1], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "binary/octet-stream", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.store.cut is not None and len(body) > self.store.cut and status == 206:
            self.wfile.write(body[: self.store.cut])
            self.close_connection = True
            return
        self.wfile.write(body)


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _error(code: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'.encode()


def use(monkeypatch: pytest.MonkeyPatch, url: str, key: str, secret: str) -> None:
    """The environment of a user of the store at `url`."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
