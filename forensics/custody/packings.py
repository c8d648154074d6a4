"""Packings and documents that are not read: recognised, refused as a whole by their name, with what to do instead.

Marks: the 7z format (7-Zip's 7zFormat.txt), RAR technote, LZ4 frame format, compress(1), pack(1), lzip manual, lzop,
[MS-CAB]; zip APPNOTE 4.4.4 (encryption); ECMA-376 part 2 (parts of an Office document), OpenDocument 1.3 part 2.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple


class Packing(NamedTuple):
    """`mark`: its first bytes, with at least one that no text holds; of an archive the name of a file in it."""

    mark: bytes | str
    name: str
    instead: str

    @property
    def words(self) -> str:
        """The reason for which it is not read."""
        return f"{self.name}, which is not read: {self.instead}"


def _unpack(command: str) -> str:
    return f"unpack it with {command}, and give what is in it"


PACKED: Final = (
    Packing(
        b"7z\xbc\xaf\x27\x1c", "7-Zip archive (.7z)",
        _unpack("`7z x FILE`, which asks for its password if it is encrypted"),
    ),
    Packing(
        b"Rar!\x1a\x07", "RAR archive",
        _unpack("`7z x FILE` or `unrar x FILE`, which ask for its password if it is encrypted"),
    ),
    Packing(b"MSCF\0\0\0\0", "Windows cabinet (.cab)", _unpack("`cabextract FILE` or `expand -F:* FILE .`")),
    Packing(b"\x04\x22\x4d\x18", "LZ4 stream", _unpack("`lz4 -d FILE`")),
    Packing(b"LZIP\x01", "lzip stream", _unpack("`lzip -dk FILE`")),
    Packing(b"\x89LZO\0\r\n\x1a\n", "lzop stream", _unpack("`lzop -d FILE`")),
    Packing(b"\x1f\x9d", "file packed with compress (.Z)", _unpack("`gzip -dk FILE`")),
    Packing(b"\x1f\x1e", "file packed with pack (.z)", _unpack("`gzip -dk FILE`")),
)  # fmt: skip
ENCRYPTED: Final = Packing("", "encrypted zip archive", _unpack("`7z x FILE`, which asks for its password"))
_SAVE: Final = "save its sheet as CSV UTF-8, dates as ISO 8601 (2024-03-13T08:00:00Z)"
_WHOLE: Final = "ask for the export that it was made from"
WORKBOOK: Final = Packing(
    "xl/workbook.xml",
    "Excel workbook (.xlsx) without a sheet of deliveries",
    f"if it was made from an export, {_SAVE}",
)
"""Refused when none of its sheets is a log; those that are, are read."""
DOCUMENTS: Final = (
    WORKBOOK,
    Packing("xl/workbook.bin", "Excel workbook (.xlsb)", _SAVE),
    Packing("word/document.xml", "Word document (.docx)", _WHOLE),
    Packing("ppt/presentation.xml", "PowerPoint document (.pptx)", _WHOLE),
    Packing("content.xml", "OpenDocument table or text (.ods, .odt)", _SAVE),
)
_FOLDERS: Final = {
    "[Content_Types].xml": ("[Content_Types].xml", "_rels/", "docProps/", "customXml/", "docMetadata/", "xl/", "word/",
                            "ppt/", "[trash]/"),
    "META-INF/manifest.xml": ("mimetype", "META-INF/", "Configurations2/", "Thumbnails/", "Pictures/", "Object ",
                              "content.xml", "styles.xml", "meta.xml", "settings.xml", "manifest.rdf", "layout-cache"),
}  # fmt: skip
"""What marks a document of a family, and where all its parts lie."""


def unsupported(head: bytes) -> str | None:
    """Why content with these first bytes is not read, if it is a packing that is known by name."""
    return next((one.words for one in PACKED if isinstance(one.mark, bytes) and head.startswith(one.mark)), None)


def document(names: Collection[str]) -> Packing | None:
    """The document whose parts a zip archive holds, by their names; None where it holds anything else as well."""
    for mark, parts in _FOLDERS.items():
        if mark in names and all(name.startswith(parts) for name in names):
            return next((one for one in DOCUMENTS if one.mark in names), None)
    return None


def refused() -> tuple[tuple[str, str], ...]:
    """(name, what to do instead) of all of them."""
    return tuple((one.name, one.instead) for one in (*PACKED, ENCRYPTED, *DOCUMENTS))
