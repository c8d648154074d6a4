"""Records of others that a program hands on which people name: the tag of a container, the user of `logger`.

The scanners believe a record inside another program's only where that is one of `CARRIERS`. In the lines that they get,
a program that people named bears the name of one of these; the evidence itself, and what is cited of it, stay as they
are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

AS: Final = b"docker"
"""One of `native.postfix.words.CARRIERS`."""
_STAMP: Final = (
    rb"(?:[A-Z][a-z]{2} (?:[ \d]\d|\d) (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?"
    rb"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s]{0,20})"
)
_SYSLOG: Final = rb"((?:<\d{1,3}>)?" + _STAMP + rb"(?: [^\s]{1,255})?? )(?:%s)((?:\[[^\]\s]{0,20}\])?:(?= |$))"
_RFC5424: Final = rb"(<\d{1,3}>1 [^\s]{1,64} [^\s]{1,255} )(?:%s)((?= ))"
"""What stands before the program of a record, and what ends its name (RFC 3164, RFC 5424)."""


@lru_cache(maxsize=64)
def _heads(carriers: tuple[str, ...]) -> re.Pattern[bytes]:
    names = b"|".join(re.escape(name.encode()) for name in sorted(carriers, key=len, reverse=True))
    return re.compile(b"%s|%s" % (_SYSLOG % names, _RFC5424 % names))


def named(line: bytes, carriers: tuple[str, ...]) -> bytes:
    """The line, where its own head names one of these, with a name that scanners know as that of a carrier.

    >>> named(b"Mar  1 10:00:00 h smtp-prod[81]: postfix/smtp[3]: A: x", ("smtp-prod",))
    b'Mar  1 10:00:00 h docker[81]: postfix/smtp[3]: A: x'
    >>> named(b"Mar  1 10:00:00 h app[81]: Mar  1 10:00:00 h smtp-prod: x", ("smtp-prod",))
    b'Mar  1 10:00:00 h app[81]: Mar  1 10:00:00 h smtp-prod: x'
    """
    found = _heads(carriers).match(line)
    if not found:
        return line
    before, behind = (found[1], found[2]) if found[1] is not None else (found[3], found[4])
    return before + AS + behind + line[found.end() :]
