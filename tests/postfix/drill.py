"""What is submitted to the private Postfix, and the deliveries that follow from it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.postfix.private import Postfix, free_ports, running
from tests.postfix.sinks import AWAY, HOST, Destination, Received, greylisting, relaying, serving, session, submit

ALIASES = "crew c@accept.example, d@accept.example\nloop e@accept.example, crew\n"
VIRTUAL = """team@groups.albion.example a@accept.example, b@refuse.example, Box.One@box.albion.example
toerror@groups.albion.example x@error.example
scanned@groups.albion.example f@accept.example, g@accept.example
"""
BCC = "watched@accept.example audit@accept.example\n"
HEADER_CHECKS = """/^Subject: HOLD/ HOLD to be looked at
/^Subject: DISCARD/ DISCARD
/^Subject: REJECT/ REJECT not here
/^Subject: REDIRECT/ REDIRECT elsewhere@accept.example
/^Subject: BCC/ BCC copy@accept.example
/^Subject:/ WARN
"""
TRANSPORT = """albion.example smtp:[127.0.0.2]:{accept}
accept.example smtp:[127.0.0.2]:{accept}
xn--bcher-kva.example smtp:[127.0.0.2]:{accept}
bücher.example smtp:[127.0.0.2]:{accept}
refuse.example smtp:[127.0.0.2]:{refuse}
later.example smtp:[127.0.0.2]:{later}
never.example smtp:[127.0.0.2]:{never}
data.example smtp:[127.0.0.2]:{data}
foreign-here.example smtp:[127.0.0.1]:{foreign-here}
echo-here.example smtp:[127.0.0.1]:{echo-here}
foreign-away.example smtp:[127.0.0.2]:{foreign-away}
echo-away.example smtp:[127.0.0.2]:{echo-away}
gone.example gone:
fails.example fails:
error.example error:5.1.1:no such place
nil.example discard:
"""
SETTINGS = """smtpd_recipient_restrictions = check_recipient_access inline:{{blocked@accept.example=REJECT}},
  check_recipient_access regexp:{{{{/^"?not-/ REJECT}}}},
  check_policy_service inet:127.0.0.1:{policy}, permit_mynetworks, reject
"""


class Row(NamedTuple):
    """What is compared of a delivery."""

    message_id: str | None
    recipient: str
    original_recipient: str | None
    outcome: str
    sender: str
    hops: int
    subject: str | None
    recipient_role: str = "unknown"
    attempts: int = 1


@dataclass
class Drill:
    postfix: Postfix
    destinations: dict[str, Destination]
    expected: list[Row] = field(default_factory=list)
    reports: Counter[str] = field(default_factory=Counter)
    """How many delivery reports (empty sender) each address is to get."""
    kept: set[str] = field(default_factory=set)
    """Queue ids that stay queued."""

    def send(
        self, name: str, recipients: list[str], subject: str | bytes = "", *, sender: str | None = None,
        service: str = "submission", helo: str = "client.example", utf8: bool = False,
    ) -> str:  # fmt: skip
        """Queue id of a message whose Message-ID is `name@drill.example` and whose sender is `name@albion.example`."""
        who = f"{name}@albion.example" if sender is None else sender
        content = message(name, subject or f"About {name}")
        queue_id, codes = submit(self.postfix.ports[service], who, recipients, content, helo=helo, utf8=utf8)
        assert set(codes) <= {250}, codes
        return queue_id

    def expect(
        self, name: str, recipient: str, outcome: str = "delivered", *, original: str | None = None,
        sender: str | None = None, hops: int = 0, subject: str | None = None, role: str = "unknown", attempts: int = 1,
    ) -> None:  # fmt: skip
        who = f"{name}@albion.example" if sender is None else sender
        told = subject or f"About {name}"
        self.expected.append(
            Row(f"{name}@drill.example", recipient, original, outcome, who, hops, told, role, attempts)
        )

    def rows(self) -> list[Row]:
        """All expected deliveries, with those of the reports that the destination got."""
        took = [m for m in self.destinations["accept"].received if m.message_id.endswith("@mx.albion.example")]
        got = [(m.recipients[0], m.message_id) for m in took]
        assert Counter(who for who, _ in got) == self.reports
        return self.expected + [Row(mid, who, None, "delivered", "", 0, None) for who, mid in got]


def message(name: str, subject: str | bytes) -> bytes:
    raw = subject if isinstance(subject, bytes) else subject.encode()
    head = f"Message-ID: <{name}@drill.example>\r\nFrom: <{name}@albion.example>\r\nTo: <someone@accept.example>\r\n"
    return head.encode() + b"Subject: " + raw + b"\r\n\r\nText of the message.\r\n"


def echo() -> Destination:
    """A server whose ids are those that the message before had in our queue."""
    before = ["4XxXxX0000zTrap"]

    def end(message: Received) -> str:
        own = message.content.split(b" id ", 1)[1].split(b"\r\n", 1)[0].split(b";")[0].split()[0].decode()
        answer = f"250 2.0.0 Ok: queued as {before[-1]}"
        before.append(own)
        return answer

    return Destination(end=end)


@contextlib.contextmanager
def mail_system() -> Iterator[Drill]:
    (reinjection,) = free_ports(1)
    destinations = {
        "accept": Destination(),
        "refuse": Destination(rcpt=lambda who, attempt: f"550 5.1.1 <{who}>: no such user; from=<fake@x> to=<fake2@x>"),
        "later": Destination(rcpt=lambda who, attempt: "250 2.1.5 Ok" if attempt > 1 else "450 4.2.0 Later"),
        "never": Destination(rcpt=lambda who, attempt: "451 4.3.0 status=sent (250 2.0.0 Ok: queued as 3F2A9C01D2)"),
        "data": Destination(end=lambda m: "554 5.7.1 Not this"),
        "filter": relaying(reinjection),
    }
    for place in ("here", "away"):
        destinations[f"foreign-{place}"] = Destination(end=lambda m: "250 2.0.0 Ok: queued as 4XyZ7k2pQrz9Abc")
        destinations[f"echo-{place}"] = echo()
    with contextlib.ExitStack() as stack:
        own = {"filter", "foreign-here", "echo-here"}
        ports = {
            name: stack.enter_context(serving(session(d), HOST if name in own else AWAY))
            for name, d in destinations.items()
        }
        ports["policy"] = stack.enter_context(serving(greylisting()))
        ports["reinjection"] = reinjection
        files = {
            "aliases": ALIASES, "virtual": VIRTUAL, "bcc": BCC, "header_checks": HEADER_CHECKS,
            "transport": TRANSPORT.format(**ports),
        }  # fmt: skip
        postfix = stack.enter_context(running(files, ports, SETTINGS.format(**ports)))
        yield Drill(postfix, destinations)
