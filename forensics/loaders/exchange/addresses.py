"""Lists of addresses and statuses as scripts join them: cut apart, or told to be no list of addresses.

Exchange itself joins by `;`. Scripts join by `|`, `/`, `&`, a comma, a blank or a line end, and ConvertTo-Json by a
blank where it is not told to go deeper. An address has one `@` outside quotes (RFC 5321); all these signs may stand in
its local part (`r&d@contoso.com`), so that a list is cut only where an address is complete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

JOINERS: Final = ";|,/& \t\r\n"
_TYPE_NAME = re.compile(r"(?:System|Microsoft|Deserialized)\.[\w.]+(?:`\d+)?(?:\[.*\])*", re.S)
"""What Export-Csv writes for a list: the name of its type (`System.String[]`, `System.Collections.ArrayList`)."""
_QUOTE = re.compile(r'(?<!\\)"')
_SPACED = re.compile(r"\s+([|/&])\s+")
_OPENING = re.compile(r"\s*(?:[2-5]\d\d(?:[ -]|$)|\[|(?:to|cc|bcc)\s*$)", re.I)


def is_type_name(text: str) -> bool:
    """Is it what Export-Csv writes for a list that nobody joined?

    >>> is_type_name("System.String[]"), is_type_name("system@contoso.com")
    (True, False)
    """
    return "@" not in text and _TYPE_NAME.fullmatch(text.strip()) is not None


def unbraced(text: str) -> str:
    """A list without the braces in which PowerShell shows one; a domain ends in no brace.

    >>> unbraced("{x@fabrikam.com, y@contoso.com}"), unbraced("{x}@fabrikam.com"), unbraced("[{LED=550 5.1.1 no}]")
    ('x@fabrikam.com, y@contoso.com', '{x}@fabrikam.com', '[{LED=550 5.1.1 no}]')
    """
    text = text.strip()
    shown = text.startswith("{") and text.endswith("}") and not text.startswith("{LED=")
    return text[1:-1].strip() if shown else text


def is_cut_short(text: str) -> bool:
    """Does a list end as one does of which only the beginning is shown? No domain does.

    >>> is_cut_short("{x@fabrikam.com, y@fabrikam.com...}"), is_cut_short("x@fabrikam.c…"), is_cut_short("x@a.com")
    (True, True, False)
    """
    return unbraced(text).endswith(("...", "…"))


def cut(text: str) -> tuple[list[str], str]:
    """(the addresses of a list, what joined them: `;` where nothing did).

    A text that is no list of addresses comes back as pieces that are none: the caller takes what has an `@`.

    >>> cut("x@fabrikam.com|r&d@contoso.com")
    (['x@fabrikam.com', 'r&d@contoso.com'], '|')
    >>> cut('"a;b"@fabrikam.com; <y@contoso.com>')
    (['"a;b"@fabrikam.com', 'y@contoso.com'], ';')
    """
    found: list[str] = []
    joiner = ""
    quoted = False
    begin = ats = 0
    text = _SPACED.sub(r"\1", text)
    quotes = len(_QUOTE.findall(text)) % 2 == 0
    for i, c in enumerate(text):
        if c == '"' and quotes and (i == 0 or text[i - 1] != "\\"):
            quoted = not quoted
        elif quoted:
            continue
        elif c == "@":
            ats += 1
        elif c == ";" or (c in JOINERS and ats and (joiner in ("", c) or joiner.isspace())):
            if text[begin:i].strip():
                joiner = c if not joiner or joiner.isspace() else joiner
                found.append(text[begin:i])
            begin, ats = i + 1, 0
    found.append(text[begin:])
    cleaned = [bare(one) for one in found if one.strip()]
    return cleaned, joiner if joiner and not joiner.isspace() else " " if joiner and len(cleaned) > 1 else ";"


def bare(text: str) -> str:
    """An address without what stands around it: blanks, angle brackets, a name before them.

    >>> bare(' Anna Mai <anna@contoso.com> ')
    'anna@contoso.com'
    """
    text = text.strip()
    if text.endswith(">") and "<" in text:
        inner = text[text.rindex("<") + 1 : -1].strip()
        return inner if "@" in inner else text
    return text


def statuses(text: str, joiner: str, count: int) -> str:
    """A list of statuses for `count` addresses that `joiner` joined, joined by `;`; as it is where it cannot be cut
    so."""
    if joiner == ";":
        return text
    pieces = text.split(None if joiner == " " else joiner)
    return ";".join(pieces) if len(pieces) == count else text


def pieces(text: str) -> list[str]:
    """A list of statuses cut at each `;` behind which one begins.

    >>> pieces("550 4.4.7 QUEUE.Expired;late;550 5.1.1 no")
    ['550 4.4.7 QUEUE.Expired;late', '550 5.1.1 no']
    """
    out: list[str] = []
    for piece in text.split(";"):
        if out and not _OPENING.match(piece):
            out[-1] += ";" + piece
        else:
            out.append(piece)
    return out


CHANGED: Final = (
    "an address or id with signs of HTML (`&lt;`, `&#64;`) or a line end in it, which Exchange does not write: what "
    "copied this file has changed it; hand in the file itself"
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|commat|#\d{1,5}|#x[0-9a-f]{1,4});", re.I)


def changed(text: str) -> bool:
    """Has a copy made HTML of an address in this list, or broken it in two lines? Outside quotes a local part has no
    `;` (RFC 5321), and where scripts join addresses by line ends, each piece is one.

    >>> changed("&lt;x@fabrikam.com&gt;"), changed("r&d@contoso.com;x@fabrikam.com"), changed('"a&lt;b"@fabrikam.com')
    (True, False, False)
    >>> changed("x@fabri\\nkam.com"), changed("an\\na@fabrikam.com"), changed("x@fabrikam.com\\ny@fabrikam.com")
    (True, True, False)
    """
    if "&" in text and _ENTITY.search(_QUOTED.sub("", text)) is not None:
        return True
    if "\n" not in text:
        return False
    pieces = [one.strip() for line in text.split("\n") for one in line.rstrip(";\r ").split(";")]
    return any("@" in one for one in pieces) and not all(0 < one.find("@") < len(one) - 1 for one in pieces)


_ESCAPED = re.compile(r"\s*&(?:lt|#60|#x3c);.*&(?:gt|#62|#x3e);\s*", re.I | re.S)


def is_escaped(message_id: str) -> bool:
    """Has a copy made HTML of the angle brackets around a Message-ID?

    >>> is_escaped("&lt;a@b.com&gt;"), is_escaped("<&lt;a@b.com&gt;>")
    (True, False)
    """
    return _ESCAPED.fullmatch(message_id) is not None


_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')


def are_whole(addresses: Sequence[str]) -> bool:
    """Has each one `@` outside quotes, and no blank beside them?"""
    return all(_QUOTED.sub("", one).count("@") == 1 for one in addresses)
