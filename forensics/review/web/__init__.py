"""Review in the browser: a page served on loopback to one reviewer, who rules on findings by keyboard.

`book` is what the case holds, `standing` how it stands for one reviewer, `choosing` the filters, `views` the page,
`beside` page one of the report, the letters and the block rules; `guard` decides who may speak to it, `app` answers.
Nothing is loaded from anywhere but here, and no page runs what a stranger wrote: every value is escaped, and the policy
of `guard` names this desk's own script and style alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Any

from forensics.case import Case, undetected
from forensics.custody import log, staging
from forensics.errors import UsageError, system_error
from forensics.rulings import Verdict

if TYPE_CHECKING:
    from forensics.review.web.beside import Rules

LOOPBACK = "127.0.0.1"


def serve(
    case: Case,
    reviewer: str | None,
    *,
    port: int = 0,
    browser: bool = True,
    read_only: bool = False,
    rules: Rules | None = None,
    by: log.By = log.NOBODY,
) -> tuple[Verdict, ...]:
    """Serve the desk until it is interrupted; returns what was recorded.

    Prints the link that opens it, once, on a line of its own. `port` 0: a free one. `browser`: open it, where there is
    one. `rules`: what writes block rules (`beside`). Raises UsageError for a port in use, CaseError before detection.
    """
    import uvicorn

    from forensics.review.web import app, guard, visits

    if not case.findings.exists():
        raise undetected(case)
    staging.finish(case)
    desk = app.Desk(case, read_only=read_only, rules=rules, by=by)
    with _listening(port) as listening:
        number = listening.getsockname()[1]
        guarded = guard.Guard(app.application(desk), port=number, case=visits.known_as(case), read_only=read_only)
        print(guarded.address, flush=True)
        print("Ctrl-C ends the desk; what was recorded stays recorded.", file=sys.stderr, flush=True)
        if read_only or (reviewer or "").strip():
            desk.sit_down(reviewer or "")
        threading.Thread(target=desk.warm, daemon=True).start()
        if browser and _has_browser():
            webbrowser.open(guarded.address)
        config = uvicorn.Config(
            guarded,
            http=_protocol(guard.HEADERS),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        with contextlib.suppress(KeyboardInterrupt):  # how a desk is ended
            uvicorn.Server(config).run(sockets=[listening])
    return tuple(desk.made)


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError(
                f"--port {port}: {error.strerror}", remedy="give another one, or none to have a free one taken"
            ) from None
        raise system_error(error) from None
    return listening


def _has_browser() -> bool:
    """Whether somebody sits before a screen: a browser in a text terminal would take the terminal away."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _protocol(headers: tuple[tuple[bytes, bytes], ...]) -> Any:
    """uvicorn's HTTP, with our headers also on its answer to what is no HTTP, which no application sees."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)

    class Protocol(H11Protocol):
        def send_400_response(self, msg: str) -> None:
            body = msg.encode("ascii", "replace")
            self.transport.write(
                b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
                + b"content-length: "
                + str(len(body)).encode()
                + b"\r\n"
                + lines
                + b"\r\n"
                + body
            )
            self.transport.close()

    return Protocol
