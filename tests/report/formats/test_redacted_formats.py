"""The redacted edition: nothing raw in any part of any file, metadata and names of parts included."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from functools import cache

import pypdf
import pytest

from forensics.report import redaction, writing
from forensics.report.facts import Facts
from tests.report import made

SECRET = bytes(range(32))
RULED = replace(made.CONFIRM, reason="Asked j.doe in room 12.")


@cache
def full() -> Facts:
    return made.facts(40, made.HOSTILE[:6], verdicts=[RULED])


@cache
def redacted() -> Facts:
    return redaction.redact(full(), SECRET)


@cache
def rendered(name: str) -> writing.Rendered:
    return writing.render(name, redacted(), made.context(redacted()))


def raw() -> set[str]:
    """What must not appear: every marked value of some length that is no public suffix and no token."""
    kept = {"mil", "ml", "mli", "com", "example", ""}
    # Shown on purpose: answers that are choices, times or counts, and the handling marking.
    kept |= {i.answer for i in full().questionnaire.items if i.answer and i.kind in ("choice", "moment", "count")}
    kept.add(full().header.handling or "")
    kept |= {"Press office", "Head of service"}  # offices, which name nobody
    return {value for _, value in redaction.raw_values(full()) if len(value) > 3 and value.lstrip("*.") not in kept}


def parts(name: str) -> dict[str, str]:
    """Everything a file holds, as text: zip members unpacked, PDF text and metadata, names of files and parts."""
    out = rendered(name)
    files = {name: out} if isinstance(out, bytes) else dict(out)
    texts: dict[str, str] = {"names": " ".join(files)}
    for file, content in files.items():
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                texts["names"] += " ".join(package.namelist())
                texts.update({f"{file}!{n}": package.read(n).decode("utf-8", "replace") for n in package.namelist()})
        elif content.startswith(b"%PDF"):
            reader = pypdf.PdfReader(io.BytesIO(content))
            texts[file] = "\n".join(page.extract_text() for page in reader.pages) + str(reader.metadata)
            texts[f"{file}!squashed"] = re.sub(r"\s+", "", texts[file])
            # Alternative texts and other strings outside the streams.
            texts[f"{file}!bytes"] = content.decode("latin-1")
        else:
            texts[file] = content.decode("utf-8")
    return texts


@pytest.mark.parametrize("name", ["pdf", "docx", "xlsx", "csv", "md", "veris", "answers", "html", "json"])
def test_nothing_raw_gets_out(name: str) -> None:
    values = raw()
    assert len(values) > 100
    for part, text in parts(name).items():
        folded = text.casefold()
        found = sorted(value for value in values if value.casefold() in folded)
        assert found == [], f"{part}: {found[:5]}"


@pytest.mark.parametrize("name", ["pdf", "docx", "md"])
def test_the_edition_says_what_it_is(name: str) -> None:
    text = re.sub(r"\s+", " ", " ".join(parts(name).values()))
    assert "redacted edition" in text
    assert "replaced by tokens" in text


def test_the_numbers_stay() -> None:
    assert redacted().groups.headline.exposed.value == full().groups.headline.exposed.value
    assert f"{full().groups.headline.messages.value} messages" in re.sub(r"\s+", " ", parts("pdf")["pdf"])


def test_the_full_edition_does_hold_them() -> None:
    """So that the test above cannot pass by looking in the wrong place."""
    out = writing.render("xlsx", full(), made.context(full()))
    assert isinstance(out, bytes)
    with zipfile.ZipFile(io.BytesIO(out)) as package:
        text = "".join(package.read(n).decode("utf-8", "replace") for n in package.namelist())
    assert "s3.grant@albion-logistics.example" in text
