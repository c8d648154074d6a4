"""Small servers on loopback that a private Postfix talks to: destinations, a content filter, a greylisting policy."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes

HOST = "127.0.0.1"
AWAY = "127.0.0.2"
"""Where servers of others listen: what stands on 127.0.0.1 belongs to the mail server's own host."""


@dataclass(frozen=True)
class Received:
    """One transaction that a destination took."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.content)["message-id"]).strip().strip("<>")


@dataclass
class Destination:
    """What a destination answers. `rcpt(address, attempt)` and `end(message)` give reply lines."""

    rcpt: Callable[[str, int], str] = lambda address, attempt: "250 2.1.5 Ok"
    end: Callable[[Received], str] = lambda message: "250 2.0.0 Accepted"
    attempts: dict[str, int] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)


def address(argument: str) -> str:
    """The path of a MAIL or RCPT argument, as the client wrote it between < and >."""
    return argument[argument.index("<") + 1 : argument.rindex(">")]


def session(destination: Destination) -> type[socketserver.StreamRequestHandler]:
    class Session(socketserver.StreamRequestHandler):
        timeout = 30

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError, TimeoutError):
                self.talk()

        def talk(self) -> None:
            sender, recipients = "", []
            self.say("220 sink.example ESMTP")
            while line := self.rfile.readline():
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                verb = text[:4].upper()
                if verb == "EHLO":
                    self.say("250-sink.example\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8")
                elif verb == "MAIL":
                    sender, recipients = address(text), []
                    self.say("250 2.1.0 Ok")
                elif verb == "RCPT":
                    who = address(text)
                    destination.attempts[who] = destination.attempts.get(who, 0) + 1
                    answer = destination.rcpt(who, destination.attempts[who])
                    recipients += [who] if answer.startswith("2") else []
                    self.say(answer)
                elif verb == "DATA" and not recipients:
                    self.say("554 5.5.1 No valid recipients")
                elif verb == "DATA":
                    self.say("354 Go on")
                    message = Received(sender, tuple(recipients), b"".join(body(self.rfile)))
                    answer = destination.end(message)
                    if answer.startswith("2"):
                        destination.received.append(message)
                    self.say(answer)
                elif verb == "QUIT":
                    self.say("221 2.0.0 Bye")
                    return
                else:
                    self.say("250 2.0.0 Ok")

    return Session


def body(lines: object) -> Iterator[bytes]:
    """The lines of a message up to its final dot, without dot stuffing."""
    for line in lines:  # type: ignore[attr-defined]
        if line in (b".\r\n", b".\n"):
            return
        yield line[1:] if line.startswith(b".") else line


def submit(
    port: int, sender: str, recipients: list[str], content: bytes, *, helo: str = "client.example", utf8: bool = False
) -> tuple[str, list[int]]:
    """(queue id or "", reply code of each RCPT). Addresses go out as they are."""
    with smtplib.SMTP(HOST, port, local_hostname="client.example", timeout=30) as client:
        client.command_encoding = "utf-8"
        client.docmd("EHLO", helo)
        code, answer = client.docmd("MAIL", f"FROM:<{sender}>" + (" SMTPUTF8" if utf8 else ""))
        assert code == 250, answer
        codes = [client.docmd("RCPT", f"TO:<{recipient}>")[0] for recipient in recipients]
        if 250 not in codes:
            return "", codes
        code, answer = client.data(content)
        queued = re.search(rb"queued as (\w+)", answer)
        return (queued[1].decode() if queued else ""), codes


def relaying(port: int) -> Destination:
    """A content filter: it hands on what it gets, and answers what the next server answered."""

    def end(message: Received) -> str:
        with smtplib.SMTP(HOST, port, local_hostname="filter.example", timeout=30) as client:
            client.command_encoding = "utf-8"
            client.ehlo()
            client.docmd("MAIL", f"FROM:<{message.sender}>")
            for recipient in message.recipients:
                client.docmd("RCPT", f"TO:<{recipient}>")
            code, answer = client.data(message.content)
            return f"{code} " + answer.decode("utf-8", "replace").replace("\n", " ")

    return Destination(end=end)


def greylisting() -> type[socketserver.StreamRequestHandler]:
    """A policy server (Postfix SMTPD_POLICY_README): local parts beginning with `grey` are put off once."""
    seen: set[str] = set()

    class Policy(socketserver.StreamRequestHandler):
        timeout = 60

        def handle(self) -> None:
            request: dict[str, str] = {}
            with contextlib.suppress(ConnectionError, TimeoutError):
                for line in self.rfile:
                    name, _, value = line.decode("utf-8", "replace").rstrip("\n").partition("=")
                    if name:
                        request[name] = value
                        continue
                    who = request.get("recipient", "")
                    known = not who.startswith("grey") or who in seen
                    seen.add(who)
                    self.wfile.write(b"action=DUNNO\n\n" if known else b"action=DEFER_IF_PERMIT Greylisted\n\n")
                    request = {}

    return Policy


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


@contextlib.contextmanager
def serving(handler: type[socketserver.BaseRequestHandler], host: str = HOST) -> Iterator[int]:
    """The port of `host`, on loopback, where `handler` serves for the length of the block."""
    with _Server((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(10)
