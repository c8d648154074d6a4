"""Who may speak to the desk: checked before anything else sees a request, and stated in every answer.

Other programs and other users of the machine can reach a port on loopback, and so can every page that the reviewer's
browser has open. So a request needs this desk's very Host (a name that an outsider points to 127.0.0.1 is another one),
no foreign Origin, an Origin of this desk for whatever changes something, and the cookie that the one-time link gave.
The cookie is HttpOnly, SameSite=Strict and has a name of its own for each case and port, because cookies of 127.0.0.1
are shared by all ports.

`Referrer-Policy: no-referrer` makes browsers send `Origin: null` with plain forms (Fetch, 3.2 "Origin header"), which
is refused like any other: the page sends its forms by script.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
        b"base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
)
"""In every answer, errors and redirects included."""

LARGEST = 4 << 20
"""Bytes of a request's body: the ids of 100,000 findings."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """An ASGI application around the desk's. `token` opens it once."""

    def __init__(self, app: App, *, port: int, case: str, read_only: bool) -> None:
        self._app, self._read_only = app, read_only
        self.host = f"127.0.0.1:{port}"
        self.cookie = f"missent-{case}-{port}"
        self.token = secrets.token_urlsafe(32)
        self._session = ""

    @property
    def address(self) -> str:
        """The link that opens the desk."""
        return f"http://{self.host}/?token={self.token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._http(scope, receive, _with_headers(send))

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._fault(scope)
        if fault:
            await _answer(send, *fault)
            return
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if given is not None:
            await self._open(scope, given, send)
        elif not self._known(scope):
            await _answer(
                send,
                403,
                "This desk opens by the link that `missent review --web` printed, once. If you have just followed it, "
                "reload this page; if it was used before, start the command again.",
            )
        else:
            await self._app(scope, _limited(receive), send)

    def _fault(self, scope: Scope) -> tuple[int, str] | None:
        if _values(scope, b"host") != [self.host]:
            return 421, f"This desk is reached as {self.host} only."
        origins = _values(scope, b"origin")
        own = [f"http://{self.host}"]
        if origins and origins != own:
            return 403, "The request comes from another page."
        method = scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            return 405, "Only GET, HEAD and POST."
        if method == "POST":
            if self._read_only:
                return 403, "This desk was opened with --read-only."
            if any(site != "same-origin" for site in _values(scope, b"sec-fetch-site")):
                return 403, "The request comes from another site."
            if origins != own:
                return 403, "The request does not say that it comes from this desk."
            length = "".join(_values(scope, b"content-length")) or "0"
            if not length.isdigit() or int(length) > LARGEST:
                return 413, "The request is too large."
        return None

    async def _open(self, scope: Scope, given: list[str], send: Send) -> None:
        good = len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())
        if scope["method"] != "GET" or not good or self._session:
            if self._known(scope):  # the link again, in the browser that it has opened the desk in
                await _answer(send, 303, "", ((b"location", b"/"),))
            else:
                await _answer(send, 403, "This link is not valid, or it was used before. Start the command again.")
            return
        self._session = secrets.token_urlsafe(32)
        cookie = f"{self.cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
        await _answer(send, 303, "", ((b"location", b"/"), (b"set-cookie", cookie.encode())))

    def _known(self, scope: Scope) -> bool:
        if not self._session:
            return False
        pairs = (part.strip().partition("=") for value in _values(scope, b"cookie") for part in value.split(";"))
        found = [value for name, _, value in pairs if name == self.cookie]
        return len(found) == 1 and hmac.compare_digest(found[0].encode(), self._session.encode())


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = {name for name, _ in HEADERS}
            rest = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in ours]
            message = {**message, "headers": [*rest, *HEADERS]}
        await send(message)

    return sending


def _limited(receive: Receive) -> Receive:
    """A body without a stated length ends at LARGEST: what follows is as if the client had left."""
    taken = 0

    async def receiving() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > LARGEST else message

    return receiving


async def _answer(send: Send, status: int, text: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    body = text.encode()
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
