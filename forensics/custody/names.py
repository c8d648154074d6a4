"""File and member names as people may safely see them, and back.

A name from a file system or an archive is bytes that its maker chose: it may hold control characters, marks
that reverse the reading direction, or bytes that are no UTF-8. `display` shows such characters as escapes,
and `undisplay` gives the name back exactly.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 240
"""Characters of a name inside an archive that are shown; the rest is counted."""

_ESCAPE = re.compile(r"\\(\\|x[0-9a-f]{2}|u\{[0-9a-f]+\})")


def display(name: str) -> str:
    r"""The name with backslashes doubled and what cannot be shown safely as \xNN (a byte) or \u{N}.

    >>> display("mail\u202e.log\n")
    'mail\\u{202e}.log\\u{a}'
    """
    if name.isascii() and name.isprintable() and "\\" not in name:
        return name
    return "".join(map(_shown, name))


def _shown(char: str) -> str:
    code = ord(char)
    if char == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(char)[0] == "C" or unicodedata.category(char) in ("Zl", "Zp"):
        return f"\\u{{{code:x}}}"
    return char


def undisplay(shown: str) -> str:
    r"""The name that `display` was given.

    >>> undisplay(display("a\\b\udcff")) == "a\\b\udcff"
    True
    """

    def back(match: re.Match[str]) -> str:
        escape = match[1]
        if escape == "\\":
            return "\\"
        return chr(0xDC00 + int(escape[1:], 16)) if escape[0] == "x" else chr(int(escape[2:-1], 16))

    return _ESCAPE.sub(back, shown)


def label(name: str) -> str:
    """A member's name for display, shortened when it is absurdly long."""
    if len(name) <= LONGEST:
        return display(name)
    return f"{display(name[:LONGEST])}… ({len(name):,} characters)"
