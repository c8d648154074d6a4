"""Domains of which a conversion lost letters: said of the file, compared with nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import pipeline, store
from forensics.case import Case
from forensics.custody import manifest

TRACE = "Received,SenderAddress,RecipientAddress,Status,MessageId,MessageTraceId\r\n"


def made(folder: Path, *recipients: str, encoding: str = "utf-8") -> Case:
    lines = [
        f"2024-03-13T08:{n:02}:01Z,a@contoso.example,{to},Delivered,<m{n}@contoso.example>,"
        f"0badc0de-0000-4000-8000-{n:012}\r\n"
        for n, to in enumerate(recipients)
    ]
    (folder / "trace.csv").write_bytes((TRACE + "".join(lines)).encode(encoding))
    pipeline.ingest([folder / "trace.csv"], folder / "case", org=["contoso.example"])
    return Case(folder / "case")


GENUINE = tuple(f"{name}@münchen.example" for name in ("anna", "bernd", "clara", "dora", "emil", "frida") * 4)


@pytest.mark.parametrize("sign", ["?", "\ufffd"])
def test_a_domain_that_lost_a_letter_is_told_and_accuses_nobody(tmp_path: Path, sign: str) -> None:
    case = made(tmp_path, *GENUINE, f"anna@m{sign}nchen.example", f"bernd@m{sign}nchen.example")
    (evidence,) = manifest.read(case).evidence
    (note,) = [text for text in evidence.notes["noted"] if "letter" in text]
    assert note.startswith("2 recipients have a domain with a sign in it")
    pipeline.detect(case.folder)
    assert store.read(case, "findings").num_rows == 0
    shown = {row["typed"] for row in store.read(case, "lookalikes").to_pylist()}
    shown |= {row["meant"] for row in store.read(case, "lookalikes").to_pylist()}
    assert not any(sign in name for name in shown)
    assert {row["recipient"] for row in store.read(case, "deliveries").to_pylist()} >= {f"anna@m{sign}nchen.example"}


def test_a_slip_for_a_domain_that_lost_a_letter_is_no_slip(tmp_path: Path) -> None:
    case = made(tmp_path, *(one.replace("ü", "?") for one in GENUINE), "anna@munchen.example")
    pipeline.detect(case.folder)
    assert store.read(case, "findings").num_rows == 0


def test_bytes_that_are_no_text_are_told_too(tmp_path: Path) -> None:
    case = made(tmp_path, *GENUINE, encoding="iso-8859-1")
    assert any("letter" in text for text in manifest.read(case).evidence[0].notes["noted"])


def test_a_question_elsewhere_is_none(tmp_path: Path) -> None:
    case = made(tmp_path, "what?@fabrikam.example", "x@fabrikam.example")
    assert not any("letter" in text for text in manifest.read(case).evidence[0].notes.get("noted", ()))
