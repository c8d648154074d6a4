"""Logs in which one key is on everything: does the time of an ingest grow as the log does?

    python -m tests.bench.hot --folder DIR [--messages 10000] [NAME …]

Whoever writes to a server chooses Message-IDs; a printer gives all its mail the same; a list has a million addresses.
Each log is made with so many messages and with four times as many, and read by whole processes in turn: what grows
much more than four times is compared with all others of its key. About a second of each is the start of the program.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from subprocess import CalledProcessError

from tests.bench.exchange import HEADER, NAMES
from tests.bench.scale import fresh, ingest

Made = Callable[[int], Iterator[str]]
_ID = "<same@albion.example>"


def _postfix(
    n: int, queue_id: str, to: str, relay: str, said: str, *, message_id: str = _ID, client: str = "pc[10.0.0.9]",
    host: str = "mx1", removed: bool = True,
) -> str:  # fmt: skip
    second = n // 20
    at = f"Apr  1 {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02} {host} postfix"
    lines = [
        f"{at}/smtpd[1]: {queue_id}: client={client}",
        f"{at}/cleanup[2]: {queue_id}: message-id={message_id}",
        f"{at}/qmgr[3]: {queue_id}: from=<a@albion.example>, size=900, nrcpt=1 (queue active)",
        f"{at}/smtp[4]: {queue_id}: to=<{to}>, relay={relay}, delay=1, delays=0/0/0/1, {said}",
    ]
    return "".join(line + "\n" for line in [*lines, *([f"{at}/qmgr[3]: {queue_id}: removed"] if removed else [])])


_SENT = "dsn=2.0.0, status=sent (250 2.0.0 Ok)"
_MX = "mx.navy.example[203.0.113.5]:25"


def _one_message_id(count: int) -> Iterator[str]:
    for n in range(count):
        yield _postfix(n, f"4{n:09X}", f"u{n % 5000}@navy.example", _MX, _SENT)


def _to_one_recipient(count: int) -> Iterator[str]:
    for n in range(count):
        yield _postfix(n, f"4{n:09X}", "monitor@navy.example", _MX, _SENT)


def _behind_a_filter(count: int) -> Iterator[str]:
    for n in range(count):
        said = f"dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5{n:09X})"
        to = f"u{n % 5000}@navy.example"
        yield _postfix(n, f"4{n:09X}", to, "127.0.0.1[127.0.0.1]:10024", said)
        yield _postfix(n, f"5{n:09X}", to, _MX, _SENT, client="localhost[127.0.0.1]")


def _one_queue_id(count: int) -> Iterator[str]:
    for n in range(count):
        yield _postfix(20 * n, "4AAAAAAAAA", f"u{n}@navy.example", _MX, _SENT, message_id=f"<{n}@albion.example>")


def _in_a_circle(count: int) -> Iterator[str]:
    for n in range(count):
        said = f"dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4{n + 1:09X})"
        yield _postfix(n, f"4{n:09X}", "u@navy.example", "127.0.0.1[127.0.0.1]:25", said, client="localhost[127.0.0.1]")


def _never_removed(count: int) -> Iterator[str]:
    for n in range(count):
        said = "dsn=4.0.0, status=deferred (connection timed out)"
        yield _postfix(n, f"4{n:09X}", f"u{n}@navy.example", "none", said, removed=False)


def _a_host_each(count: int) -> Iterator[str]:
    for n in range(count):
        yield _postfix(n, f"4{n:09X}", f"u{n}@navy.example", _MX, _SENT, host=f"mx{n}")


def _exchange(count: int, row: Callable[[int], Iterator[dict[str, str]]]) -> Iterator[str]:
    written = io.StringIO()
    rows = csv.writer(written)
    place = {name: n for n, name in enumerate(NAMES)}
    for n in range(count):
        second = n // 20
        for said in row(n):
            cells = [""] * len(NAMES)
            cells[0] = f"2023-06-01T{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{n % 20:03}Z"
            for name, value in ({"source": "SMTP", "sender-address": "a@albion.example"} | said).items():
                cells[place[name]] = value
            rows.writerow(cells)
    yield HEADER + written.getvalue()


def _handed(n: int, **more: str) -> Iterator[dict[str, str]]:
    about = {"recipient-address": f"u{n}@navy{n % 900}.example", "recipient-count": "1", "internal-message-id": str(n)}
    about |= {name.replace("_", "-"): value for name, value in more.items()}
    yield {"event-id": "RECEIVE", "server-hostname": "EX01", **about}
    yield {"event-id": "SEND", "client-hostname": "EX01", "server-hostname": "mx.navy.example", **about}


def _of_2010(count: int) -> Iterator[str]:
    return _exchange(count, lambda n: _handed(n, message_id=_ID))


def _one_network_id(count: int) -> Iterator[str]:
    return _exchange(count, lambda n: _handed(n, message_id=_ID, network_message_id="1-1", internal_message_id="1"))


def _forks(count: int) -> Iterator[str]:
    def row(n: int) -> Iterator[dict[str, str]]:
        for one in _handed(n, message_id=_ID):
            forked = {"source": "ROUTING", "event-id": "TRANSFER", "source-context": str(n - 1)}
            yield one if n == 0 or one["event-id"] == "SEND" else one | forked

    return _exchange(count, row)


def _exim(count: int) -> Iterator[str]:
    for n in range(count):
        at = f"2023-06-01 {n // 60 % 24:02}:{n % 60:02}:00 1q{n // 46656 % 36:02}AB-{n // 36 % 1296:06}-{n % 36:02}"
        yield f"{at} <= a@albion.example H=pc [10.0.0.9] P=esmtp S=900 id=same@albion.example\n"
        yield f'{at} => u{n}@navy.example R=dns T=smtp H=mx.navy.example [203.0.113.5] C="250 ok"\n{at} Completed\n'


LOGS: dict[str, tuple[str, Made]] = {
    "postfix: one Message-ID": ("mail.log", _one_message_id),
    "postfix: one Message-ID and recipient": ("mail.log", _to_one_recipient),
    "postfix: the same, through a filter": ("mail.log", _behind_a_filter),
    "postfix: one queue id": ("mail.log", _one_queue_id),
    "postfix: each queued as the next": ("mail.log", _in_a_circle),
    "postfix: nothing ever removed": ("mail.log", _never_removed),
    "postfix: a host for each": ("mail.log", _a_host_each),
    "exchange 2010: one Message-ID": ("MSGTRK.LOG", _of_2010),
    "exchange 2010: a chain of forks": ("MSGTRK.LOG", _forks),
    "exchange: one network message id": ("MSGTRK.LOG", _one_network_id),
    "exim: one Message-ID": ("mainlog", _exim),
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(LOGS), help="of " + "; ".join(LOGS))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--messages", type=int, default=10_000)
    options = parser.parse_args(arguments)
    for name in options.names:
        file, made = LOGS[name]
        spent = []
        for count in (options.messages, 4 * options.messages):
            log = fresh(options.folder / "hot") / file
            log.parent.mkdir(parents=True)
            log.write_text("".join(made(count)), encoding="ascii", newline="")
            try:
                spent.append(ingest([log], fresh(options.folder / "case")))
            except CalledProcessError as error:
                sys.exit(f"{name}, {count:,} messages: exit code {error.returncode}")
        less, more = spent
        sys.stdout.write(
            f"{name:38} {less.processor:7.2f} s and {more.processor:7.2f} s of processors: {more.processor / less.processor:4.1f}"
            f" times; {more.peak:,} MiB\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
