"""Packings and documents that are not read: one line for each, never one for each part."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from forensics.custody import packings
from forensics.custody.evidence import discover

LOG = b"2024-03-01T10:00:00+00:00 mx1 postfix/qmgr[1]: 3ABCDEF: removed\n"
OFFICE = ("[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "docProps/core.xml")
OPEN = ("mimetype", "META-INF/manifest.xml", "meta.xml", "styles.xml", "Thumbnails/thumbnail.png")
DOCUMENTS = {
    "Excel workbook (.xlsx) without a sheet of deliveries": (*OFFICE, "xl/workbook.xml", "xl/worksheets/sheet1.xml"),
    "Excel workbook (.xlsb)": (*OFFICE, "xl/workbook.bin"),
    "Word document (.docx)": (*OFFICE, "word/document.xml", "customXml/item1.xml"),
    "PowerPoint document (.pptx)": (*OFFICE, "ppt/presentation.xml"),
    "OpenDocument table or text (.ods, .odt)": (*OPEN, "content.xml"),
}


def zipped(names: tuple[str, ...], locked: tuple[str, ...] = ()) -> bytes:
    """A zip archive of files that hold LOG; those in `locked` are marked as encrypted, in the directory and before."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), LOG)
    raw = bytearray(out.getvalue())
    for name in locked:
        raw[raw.rfind(name.encode()) - 46 + 8] |= 1
        raw[raw.find(name.encode()) - 30 + 6] |= 1
    return bytes(raw)


def found(path: Path, content: bytes) -> tuple[list[str], list[str]]:
    """(members that are sources, reasons of problems)."""
    path.write_bytes(content)
    result = discover([path])
    return [one.member or "" for one in result.sources], [one.reason for one in result.problems]


@pytest.mark.parametrize("one", packings.PACKED, ids=lambda one: one.name)
def test_a_packing_is_named_with_its_command(tmp_path: Path, one: packings.Packing) -> None:
    assert isinstance(one.mark, bytes)
    assert found(tmp_path / "mail.log", one.mark + bytes(600)) == ([], [one.words])
    assert f"{one.name}, which is not read: unpack it with `" in one.words


def test_no_text_is_a_packing() -> None:
    for one in packings.PACKED:
        assert isinstance(one.mark, bytes)
        assert any(byte < 32 or byte > 126 for byte in one.mark)
    assert packings.unsupported(b"LZIP is how the first line of a log that was cut may begin\n") is None
    assert packings.unsupported(b"MSCF and so may it\n") is None


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if "(.xlsx)" not in name])
def test_a_document_is_one_line(tmp_path: Path, name: str) -> None:
    sources, reasons = found(tmp_path / "mail.log", zipped(DOCUMENTS[name]))
    assert not sources
    assert len(reasons) == 1
    assert reasons[0].startswith(f"{name}, which is not read: ")


def test_a_log_beside_a_documents_parts_is_read(tmp_path: Path) -> None:
    for parts in DOCUMENTS.values():
        sources, _ = found(tmp_path / "logs.zip", zipped((*parts, "mail.log")))
        assert "mail.log" in sources
    sources, reasons = found(tmp_path / "logs.zip", zipped((*OFFICE, "xl/workbook.xml", "xlsx/mail.log")))
    assert "xlsx/mail.log" in sources
    assert not reasons


def test_an_encrypted_archive_is_one_line_and_a_mixed_one_is_read(tmp_path: Path) -> None:
    names = tuple(f"mail.{n}.log" for n in range(9))
    assert found(tmp_path / "a.zip", zipped(names, names)) == ([], [packings.ENCRYPTED.words])
    sources, reasons = found(tmp_path / "a.zip", zipped(names, names[:3]))
    assert sources == list(names[3:])
    assert len(set(reasons)) == 1
    assert "7z x" in reasons[0]


def test_all_of_them_are_listed() -> None:
    assert [name for name, _ in packings.refused()] == [
        *(one.name for one in packings.PACKED), packings.ENCRYPTED.name, *DOCUMENTS
    ]  # fmt: skip
