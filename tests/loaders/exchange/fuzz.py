"""Hostile input for the Exchange loader, run in a process of its own with checked indexing (NUMBA_BOUNDSCHECK=1).

    NUMBA_BOUNDSCHECK=1 python -m tests.loaders.exchange.fuzz SEED ROUNDS
    python -m tests.loaders.exchange.fuzz SEED ROUNDS rows

Takes the samples, breaks them (bytes flipped, cut out, doubled, spliced; quotes, line ends and separators strewn in),
cuts them into blocks of any size and reads them. Every record must be accounted for, and no error but AmbiguousTime may
leave. With `rows` files of some hundred rows, many of them changed field by field, go through the whole ingest: sums must
hold, nothing but headings, blank lines and known events may be irrelevant, all that is cited must verify, and messages
none of whose rows were changed must come out as they were.
"""

from __future__ import annotations

import contextlib
import csv
import io
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.custody import manifest
from forensics.errors import AmbiguousTime, EvidenceError
from forensics.loaders.settings import Settings

from .driver import read

DATA = Path(__file__).resolve().parents[2] / "data"
SAMPLES = DATA / "exchange-samples"
SAID = Settings(timezone="Europe/London")
STREWN = (
    b'"',
    b'""',
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"\r",
    b"#",
    b"#Fields: ",
    b"\xff",
    b"\0",
    b"[{",
    b"}]",
    b"##",
    b"\xf0\x9f",
)
ODD = (
    "", "NULL", "-", "0", "00000000-0000-0000-0000-000000000000", "System.String[]", "System.Collections.ArrayList",
    "#TYPE x", "sep=;", "x@fabrikam.example|y@fabrikam.example", "<x@fabrikam.example>", '"a;b"@fabrikam.example',
    "x@y@z", "x", ";", ";;", "@", "[{LED=550 5.7.1 [cut", "550 4.4.7 QUEUE.Expired;late", "To;Cc;Bcc", "13/3/2567 20:00:00",
    "0023-03-13T08:00:00Z", "9999-12-31T23:59:59-12:00", "/Date(99999999999999)/", "3/4/2024 下午 8:00:00", "RECEIVE",
    "NOSUCHEVENT", "FilteredAsSpam", "a##Receive, Odd;b", "é" * 40, "\ufffd", "<" * 50, "9" * 400, "\t", "a\\b",
)  # fmt: skip
"""Values that a field may have beside its own."""


def broken(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """`data` with some damage."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(out) + 1) if out else 0
        kind = chance.randrange(6)
        if kind == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randrange(1, 200)]
        elif kind == 2:
            out[at:at] = chance.choice(STREWN)
        elif kind == 3:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            out[at:at] = other[start : start + chance.randrange(1, 400)]
        elif kind == 4:
            out[at:at] = out[at : at + chance.randrange(1, 300)]
        else:
            del out[chance.randrange(max(len(out), 1)) :]
    return bytes(out)


def main(seed: int, rounds: int) -> int:
    """Number of inputs read; raises on the first that breaks a promise."""
    chance = random.Random(seed)
    samples = [p.read_bytes() for p in sorted(SAMPLES.iterdir()) if p.suffix in (".log", ".csv", ".json", ".ndjson")]
    done = 0
    for n in range(rounds):
        data = broken(chance.choice(samples), samples, chance)
        if not data:
            continue
        try:
            read(data, size=chance.choice([64, 700, 5000, 1 << 20]), settings=SAID)
        except (AmbiguousTime, EvidenceError):
            continue
        except Exception:
            Path(f"fuzz-{seed}-{n}.bin").write_bytes(data)
            raise
        done += 1
    return done


def messages(kind: str, count: int) -> tuple[list[str], list[list[list[str]]]]:
    """(names of columns, for each message its rows) of a file of one kind, each message with ids of its own."""
    out = []
    names: list[str] = []
    for n in range(count):
        guid, mid = f"0badc0de-0000-4000-8000-{n + 1:012d}", f"<m{n}@contoso.example>"
        sender, to = f"s{n % 7}@contoso.example", [f"r{n}@fabrikam.example", f"q{n % 5}@northwind.example"]
        at = f"2024-03-{1 + n % 28:02d}T{n % 24:02d}:{n % 60:02d}:"
        if kind == "tracking":
            names = ["date-time", "client-hostname", "server-hostname", "source", "event-id", "internal-message-id",
                     "message-id", "network-message-id", "recipient-address", "recipient-status", "total-bytes",
                     "recipient-count", "message-subject", "sender-address", "return-path"]  # fmt: skip
            ids, rest = [str(n), mid, guid], ["900", "2", f"Subject {n}", sender, sender]
            out.append([
                [at + "00.100Z", "EX01", "EX01", "STOREDRIVER", "RECEIVE", *ids, ";".join(to), "To;Cc", *rest],
                [at + "02.000Z", "EX01", "mx.example", "SMTP", "SENDEXTERNAL", *ids, to[0], "250 2.1.5 OK", *rest],
                [at + "03.000Z", "EX01", "EX01", "SMTP", "FAIL", *ids, to[1], "550 5.1.1 no", *rest],
            ])  # fmt: skip
        elif kind == "trace":
            names = ["Received", "SenderAddress", "RecipientAddress", "Subject", "Status", "ToIP", "FromIP", "Size",
                     "MessageId", "MessageTraceId"]  # fmt: skip
            out.append([
                [at + "00.1234567Z", sender, one, f"Subject {n}", status, "192.0.2.1", "10.0.0.1", "900", mid, guid]
                for one, status in zip(to, ("Delivered", "Failed"), strict=True)
            ])  # fmt: skip
        else:
            names = ["origin_timestamp_utc", "sender_address", "recipient_status", "message_subject", "total_bytes",
                     "message_id", "network_message_id"]  # fmt: skip
            told = f"{to[0]}##Receive, Send;{to[1]}##Receive, Fail"
            out.append([[at + "00.123Z", sender, told, f"Subject {n}", "900", mid, guid]])
    return names, out


def changed(row: list[str], chance: random.Random) -> list[str]:
    """A row with some fields of other value, missing, doubled or in each other's place."""
    row = list(row)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(row))
        kind = chance.randrange(6)
        if kind <= 2:
            row[at] = chance.choice(ODD)
        elif kind == 3 and len(row) > 1:
            del row[at]
        elif kind == 4:
            other = chance.randrange(len(row))
            row[at], row[other] = row[other], row[at]
        else:
            row[at] = row[at][: chance.randrange(len(row[at]) + 1)] + chance.choice(ODD)
    return row


def written(names: list[str], rows: list[list[str]], kind: str, separator: str) -> bytes:
    out = io.StringIO(newline="")
    out.write("#Fields: " if kind == "tracking" else "")
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_MINIMAL).writerows([names])
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode("utf-8", "replace")


def outcomes(case: Case) -> Counter[tuple[Any, ...]]:
    rows = store.read(case, "deliveries").to_pylist()
    return Counter((r["message_id"], r["sender"], r["recipient"], r["outcome"]) for r in rows)


def rows(seed: int, rounds: int, count: int = 120) -> int:
    """Number of changed rows that went through the ingest; raises on the first file that breaks a promise."""
    chance = random.Random(seed)
    done = 0
    for n in range(rounds):
        kind = chance.choice(["tracking", "trace", "summary"])
        names, made = messages(kind, count)
        spoilt = {m for m in range(count) if chance.random() < 0.4}
        flat = [(m, row) for m, part in enumerate(made) for row in part]
        mixed = [(m, changed(row, chance)) if m in spoilt and chance.random() < 0.7 else (m, row) for m, row in flat]
        chance.shuffle(mixed)
        separator = "," if kind == "tracking" else chance.choice(",;\t")
        data = written(names, [row for _, row in mixed], kind, separator)
        whole = [row for m, row in mixed if m not in spoilt]
        with tempfile.TemporaryDirectory() as folder:
            try:
                _one(Path(folder), data, written(names, whole, kind, separator))
            except AmbiguousTime:
                continue
            except Exception:
                Path(f"fuzz-rows-{seed}-{n}.csv").write_bytes(data)
                raise
        done += sum(m in spoilt for m, _ in mixed)
    return done


def _one(folder: Path, data: bytes, whole: bytes) -> None:
    files = {"all": data, "whole": whole}
    told = {}
    for name, content in files.items():
        file, case = folder / f"{name}.csv", folder / name
        file.write_bytes(content)
        pipeline.ingest([file], case, org=["contoso.example"])
        for one in manifest.read(Case(case)).evidence:
            assert one.records == one.used + sum(one.ignored.values()) + one.unread
            assert all(known in ("header", "blank") or known.startswith("event ") for known in one.ignored), one.ignored
        checked = workbench.verify(case, all_records=True)
        assert checked.ok, [check.text for check in checked.checks if check.ok is False]
        told[name] = outcomes(Case(case))
    # a changed row may bear an id of another message: that one may then have more, or a better end
    lost = told["whole"] - told["all"]
    better = {(m, s, r) for m, s, r, _ in told["all"]}
    assert all((m, s, r) in better for m, s, r, _ in lost), lost


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        print((rows if sys.argv[3:] == ["rows"] else main)(int(sys.argv[1]), int(sys.argv[2])))
