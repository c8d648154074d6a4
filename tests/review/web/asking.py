"""One request to an ASGI application, without a server."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode

from forensics.case import Case
from forensics.review.web.app import Desk, application
from forensics.review.web.guard import Guard
from tests.review.made import clock

PORT = 8000
HOST = f"127.0.0.1:{PORT}"
OWN = f"http://{HOST}"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    often: dict[str, int] = field(default_factory=dict)
    """How many times each header stands in it."""

    def value(self, name: str) -> str:
        """A hidden field of the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}"
        return unescape(found[1])


class Client:
    """A browser in front of a desk. `headers` go with every request."""

    def __init__(
        self, case: Case, reviewer: str = "", *, read_only: bool = False, clock: Any = clock, rules: Any = None
    ) -> None:
        self.desk = Desk(case, read_only=read_only, clock=clock, rules=rules)
        if reviewer or read_only:
            self.desk.sit_down(reviewer)
        self.guard = Guard(application(self.desk), port=PORT, case="c0ffee", read_only=read_only)
        self.headers = {"host": HOST}

    def opened(self) -> Client:
        """After the link was followed."""
        self.headers["cookie"] = self.get(f"/?token={self.guard.token}").headers["set-cookie"].split(";")[0]
        return self

    def get(self, path: str, **more: Any) -> Answer:
        return self.ask("GET", path, **more)

    def post(self, path: str, form: dict[str, str], **more: Any) -> Answer:
        headers = {"origin": OWN, "content-type": "application/x-www-form-urlencoded", **more.pop("headers", {})}
        return self.ask("POST", path, headers=headers, body=urlencode(form).encode(), **more)

    def rule(self, page: Answer, verdict: str, reason: str, **form: str) -> Answer:
        """Send the form of a page."""
        names = ("state", "incident", "shown", "finding", "query")
        given = {name: page.value(name) for name in names} | {"scope": "incident", "verdict": verdict, "reason": reason}
        return self.post("/rule", given | form)

    def ask(self, method: str, path: str, *, headers: dict[str, str | None] | None = None, body: bytes = b"") -> Answer:
        sent = {**self.headers, **(headers or {})}
        where, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": where, "raw_path": where.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value is not None],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", PORT),
        }  # fmt: skip
        return asyncio.run(self._ask(scope, body))

    async def _ask(self, scope: dict[str, Any], body: bytes) -> Answer:
        messages: list[Any] = []
        parts = [
            {"type": "http.request", "body": body[at : at + 65536], "more_body": True}
            for at in range(0, len(body), 65536)
        ]
        parts.append({"type": "http.request", "body": b"", "more_body": False})

        async def receive() -> Any:
            return parts.pop(0) if parts else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.guard(scope, receive, send)
        head = messages[0]
        names = [name.decode().lower() for name, _ in head["headers"]]
        return Answer(
            head["status"],
            {name.decode().lower(): value.decode() for name, value in head["headers"]},
            b"".join(one.get("body", b"") for one in messages[1:]).decode(),
            {name: names.count(name) for name in names},
        )
