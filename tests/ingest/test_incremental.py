"""One ingest after the other comes to what one ingest of everything comes to: whatever is cut, packed, copied, collected
twice, named in any order, and said of its years and zones meanwhile."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.custody import manifest
from forensics.errors import UsageError
from tests.ingesting import line, to

Line = tuple[datetime, str, str]
"""Time, host, text."""
IDS = ("4B1C2D3E4F", "5C2D3E4F5A", "6D3E4F5A6B", "4Rk2aB0yzCz1qW")
RECIPIENTS = ("x@navy.example", "y@army.example", "ann@albion.example", "z@navy.example")
BEGIN = datetime(2024, 3, 1, 22, tzinfo=UTC)
ORG = ["albion.example"]


def _refused(recipient: str) -> list[str]:
    client = "ws1.albion.example[10.0.0.1]"
    return [
        f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from {client}: 450 4.2.0 <{recipient}>: Recipient address rejected: "
        f"Greylisted; from=<ann@albion.example> to=<{recipient}> proto=ESMTP helo=<ws1>",
        f"postfix/smtpd[1]: disconnect from {client} ehlo=1 auth=1 mail=1 rcpt=0/1 quit=1 commands=4/5",
    ]


def _message(r: Random, queue_id: str) -> list[str]:
    recipients = [r.choice(RECIPIENTS) for _ in range(r.randint(1, 2))]
    login = r.choice(["", ", sasl_method=PLAIN, sasl_username=ann"])
    texts = [
        f"postfix/smtpd[1]: {queue_id}: client=ws1.albion.example[10.0.0.1]{login}",
        f"postfix/cleanup[2]: {queue_id}: message-id=<{r.choice([queue_id, 'same'])}@albion.example>",
        f"postfix/qmgr[4]: {queue_id}: from=<ann@albion.example>, size=1000, nrcpt={len(recipients)} (queue active)",
    ]
    for one in recipients:
        if r.random() < 0.3:
            texts.append(f"postfix/smtp[3]: {queue_id}: {to(one, 'deferred (connection timed out)', dsn='4.4.1')}")
        status = r.choice(
            ["sent (250 2.0.0 Ok)", f"sent (250 2.0.0 Ok: queued as {r.choice(IDS)})", "bounced (550 no)"]
        )
        relay = r.choice(["mx.navy.example[203.0.113.5]:25", "mx2[10.0.0.2]:25"])
        texts.append(f"postfix/smtp[3]: {queue_id}: {to(one, status, relay=relay)}")
    return [*texts, *([f"postfix/qmgr[4]: {queue_id}: removed"] if r.random() < 0.7 else [])]


def _lines(r: Random) -> list[Line]:
    """Some messages of two hosts, whose ids are used again; of some the beginning is nowhere."""
    out: list[Line] = []
    for _ in range(r.randint(2, 7)):
        host, at = r.choice(["mx1", "mx1", "mx2"]), BEGIN + timedelta(seconds=r.randint(0, 4 * 3600))
        texts = _refused(r.choice(RECIPIENTS)) if r.random() < 0.15 else _message(r, r.choice(IDS))
        step = timedelta(seconds=r.choice([0, 1, 30, 900]))
        first = r.choice([0, 0, 0, 0, 1, 2])
        out += [(at + n * step, host, text) for n, text in enumerate(texts) if n >= first]
    return sorted(out, key=lambda one: one[0])


def _written(lines: Sequence[Line], dated: bool, domain: str) -> bytes:
    form = "%Y-%m-%dT%H:%M:%S.%f+00:00" if dated else "%b %e %H:%M:%S"
    return "".join(line(text, host=host + domain, at=at.strftime(form)) for at, host, text in lines).encode()


def _files(r: Random, folder: Path, dated: bool) -> list[Path]:
    """The lines, host by host or together, cut into files that may overlap; some are packed, copied, or there once more
    from a server that knows the host by another name."""
    out: list[Path] = []

    def put(prefixes: str, content: bytes) -> bytes:
        packed = r.random() < 0.3
        data = gzip.compress(content, mtime=r.randint(0, 1)) if packed else content
        out.append(folder / f"{r.choice(prefixes)}{len(out)}.log-20240305{'.gz' if packed else ''}")
        out[-1].write_bytes(data)
        return data

    lines = _lines(r)
    by_host = [[one for one in lines if one[1] == host] for host in ("mx1", "mx2")]
    for group in by_host if r.random() < 0.5 else [lines]:
        cuts = sorted(r.randint(0, len(group)) for _ in range(r.randint(0, 3)))
        for low, high in zip([0, *cuts], [*cuts, len(group)], strict=True):
            some = group[max(low - r.choice([0, 0, 3]), 0) : high + r.choice([0, 0, 3])]
            for domain in ("", ".albion.example") if some and r.random() < 0.2 else ("",):
                if some:
                    content = _written(some, dated, domain)
                    put("abcxyz", content)
                    if r.random() < 0.15:
                        put("0m", content)
    return out


def _told(case: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """case.toml, with what people say of single files."""
    pipeline.create_or_update(Case(case), org=ORG)
    plain = Case(case).toml.read_text().partition("\n[[sources]]")[0]
    said = ["\n[[sources]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in one.items()) for one in entries]
    Case(case).toml.write_text(plain + "".join(said))


def _entries(r: Random, files: Sequence[Path]) -> list[dict[str, Any]]:
    zones, years = ["Europe/Paris", "UTC", "Asia/Kolkata"], [2023, 2024]
    return [
        {"file": r.choice(["*", "a*", "m*", r.choice(files).name]), **r.choice([
            {"timezone": r.choice(zones)}, {"year": r.choice(years)},
            {"timezone": r.choice(zones), "year": r.choice(years)},
        ])}
        for _ in range(r.randint(0, 2))
    ]  # fmt: skip


def _tables(case: Path) -> dict[str, bytes]:
    return {path.relative_to(case).as_posix(): path.read_bytes() for path in sorted(case.rglob("*.parquet"))}


def _accounts(case: Path) -> list[tuple[Any, ...]]:
    return [
        (one.id, one.records, one.used, one.ignored, one.unread, one.duplicate_of, one.first, one.last)
        for one in manifest.read(Case(case)).evidence
    ]


@settings(max_examples=12, deadline=None)
@given(r=st.randoms(use_true_random=False), dated=st.booleans())
def test_one_after_the_other_comes_to_all_at_once(
    tmp_path_factory: pytest.TempPathFactory, r: Random, dated: bool
) -> None:
    folder = tmp_path_factory.mktemp("incremental")
    (folder / "logs").mkdir()
    files = _files(r, folder / "logs", dated)
    case, whole = folder / "case", folder / "whole"
    order = r.sample(files, len(files))
    count = r.randint(2, 4)
    groups = [group for group in (order[n::count] for n in range(count)) if group]
    said = [_entries(r, files) if r.random() < 0.5 else [] for _ in groups]
    _told(whole, said[-1])
    try:
        pipeline.ingest(files, whole)
    except UsageError:  # copies of which different times are told
        return
    for group, entries in zip(groups, said, strict=True):
        _told(case, entries)
        try:
            pipeline.ingest(group, case)
        except UsageError:
            if entries is said[-1]:
                raise
    pipeline.ingest(files, case)  # what was refused meanwhile
    assert _tables(case) == _tables(whole)
    assert _accounts(case) == _accounts(whole)
    assert workbench.verify(case, all_records=True).ok
