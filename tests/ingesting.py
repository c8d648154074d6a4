"""Helpers of the tests that read logs: files in, rows out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from forensics import store
from forensics.case import Case
from forensics.custody.evidence import discover
from forensics.ingest.read import IngestResult, ingest
from forensics.loaders.settings import Settings


def read(
    folder: Path, files: Mapping[str, bytes | str], settings: Settings | None = None, **options: Any
) -> tuple[IngestResult, list[dict[str, Any]]]:
    """Write `files` below `folder`, ingest them all, give the result and the deliveries."""
    logs = folder / "logs"
    for name, content in files.items():
        path = logs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return run(folder / "case", [logs], settings, **options)


def run(
    place: Path, paths: list[Path], settings: Settings | None = None, **options: Any
) -> tuple[IngestResult, list[dict[str, Any]]]:
    """Ingest `paths` into the case folder `place`."""
    place.mkdir(parents=True, exist_ok=True)
    case = Case(place)
    result = ingest(case, discover(paths).sources, settings or Settings(), **options)
    return result, store.read(case, "deliveries").to_pylist()


def line(text: str, *, host: str = "mx1", at: str = "2024-03-01T10:00:00.000000+00:00") -> str:
    """A syslog line: `program: text` with stamp and host in front."""
    return f"{at} {host} {text}\n"


def message(
    queue_id: str,
    *deliveries: str,
    sender: str = "ann@albion.example",
    client: str = "ws1.albion.example[10.0.0.1]",
    host: str = "mx1",
    at: str = "2024-03-01T10:00:00.000000+00:00",
    message_id: str | None = None,
    more: tuple[str, ...] = (),
    removed: bool = True,
) -> str:
    """A message's lines from client to removal; `deliveries` are the texts behind `smtp[3]: ID: `."""
    texts = [
        f"postfix/smtpd[1]: {queue_id}: client={client}",
        *[f"postfix/cleanup[2]: {queue_id}: {text}" for text in more],
        f"postfix/cleanup[2]: {queue_id}: message-id=<{message_id or queue_id}@albion.example>",
        f"postfix/qmgr[4]: {queue_id}: from=<{sender}>, size=1000, nrcpt={max(len(deliveries), 1)} (queue active)",
        *[f"postfix/smtp[3]: {queue_id}: {text}" for text in deliveries],
    ]
    if removed:
        texts.append(f"postfix/qmgr[4]: {queue_id}: removed")
    return "".join(line(text, host=host, at=at) for text in texts)


def to(
    recipient: str,
    status: str = "sent (250 2.0.0 Ok)",
    *,
    dsn: str = "2.0.0",
    relay: str = "mx.navy.example[203.0.113.5]:25",
    orig_to: str | None = None,
) -> str:
    """The text of a delivery line."""
    original = f"orig_to=<{orig_to}>, " if orig_to is not None else ""
    return f"to=<{recipient}>, {original}relay={relay}, delay=0.1, delays=0/0/0/0.1, dsn={dsn}, status={status}"


def slipped(count: int = 40, slips: Collection[int] = (21, 33)) -> str:
    """Mail of two senders of albion.example to contoso-marine.com, four messages a day from 1 March 2024 on; the
    `slips` among them went to contoso-marnie.com, which has another server."""
    text = ""
    for n in range(count):
        name, host = ("contoso-marnie", 9) if n in slips else ("contoso-marine", 5)
        text += message(
            f"4{n:02}C2D3E4F",
            to(f"x@{name}.com", relay=f"mx.{name}.com[203.0.113.{host}]:25"),
            sender=f"{'ab'[n % 2]}@albion.example",
            at=f"2024-03-{n // 4 + 1:02}T10:{n:02}:00.000000+00:00",
        )
    return text


def two_logs(folder: Path) -> list[Path]:
    """A file of 16 messages with one slip, and one of a single message of the next month."""
    folder.mkdir()
    first, second = folder / "a.log", folder / "b.log"
    first.write_text(slipped(16, (13,)))
    second.write_text(message("4E1C2D3E4F", to("y@navy.example"), at="2024-04-01T10:00:00.000000+00:00"))
    return [first, second]
