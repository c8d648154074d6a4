"""Values that strangers wrote, as text that people can see.

A sender's name, subject or server reply may hold control characters, bidirectional overrides, look-alike
spaces or half characters, which would hide, reorder or break what a report shows. `visible` writes each of
them as `\\u{hex}` and leaves all else alone. It loses nothing: `original` takes it back.

    >>> visible("pay\\u202efdp.exe")
    'pay\\\\u{202e}fdp.exe'
    >>> original(visible("pay\\u202efdp.exe")) == "pay\\u202efdp.exe"
    True
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode general categories that have no ink of their own: controls, formats (bidirectional marks,
zero-width characters, tags), surrogates, private use, unassigned, line and paragraph separators."""

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Characters that Unicode calls letters, marks or symbols and that draw nothing (UTS #39, default ignorable)."""

_PLAIN = re.compile(r"[ -~]*\Z")
_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}")


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    if category in _HIDDEN or character in _BLANK:
        return True
    if category == "Zs":
        return character != " "
    # Variation selectors choose between drawings of the same letter: nobody can see which.
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_merged(character: str) -> bool:
    """Whether text shaping replaces it by another letter (U+212A by K): on paper the two could not be told apart."""
    return unicodedata.normalize("NFC", character) != character


def _escape(text: str, hidden: Callable[[str], bool]) -> str:
    # A backslash that would read as one of our escapes is itself escaped, so that the way back is unique.
    text = text.replace("\\u{", "\\u{5c}u{")
    return "".join(f"\\u{{{ord(c):x}}}" if hidden(c) else c for c in text)


def visible(text: str, drawable: Container[int] | None = None) -> str:
    """`text` with every character that has no ink written as `\\u{hex}`.

    `drawable`: code points that the output can draw (a font's coverage); all others are escaped too, and so are
    letters that Unicode holds to be the same as another one.
    """
    if _PLAIN.match(text) and "\\u{" not in text:
        return text
    if drawable is None:
        return _escape(text, _is_hidden)
    return _escape(text, lambda c: _is_hidden(c) or (c > "~" and (ord(c) not in drawable or _is_merged(c))))


def inked(text: str) -> str:
    """`text` in which values are shown by `visible` already, with what else has no ink written out, too."""
    return text if _PLAIN.match(text) else "".join(f"\\u{{{ord(c):x}}}" if _is_hidden(c) else c for c in text)


def original(text: str) -> str:
    """What `visible` was given."""
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of `text` and, when that is not all, a note of how many there are.

    Cut before escaping, so that no escape is torn; the note is how a reader knows that the value goes on.

    >>> cut("abcdef", 3)
    'abc… [first 3 of 6 characters]'
    """
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [first {limit:,} of {len(text):,} characters]"
