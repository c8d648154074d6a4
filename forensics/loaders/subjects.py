"""Subjects as people wrote them: RFC 2047 encoded words decoded."""

from __future__ import annotations

import binascii
import re

import pyarrow as pa
import pyarrow.compute as pc

_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]+)(?:\*[A-Za-z0-9-]+)?\?([bBqQ])\?([^? ]*)\?=(?:[?\s]+(?==\?))?")


def decode(subject: str) -> str:
    """Encoded words decoded; what does not decode stays as it stands.

    White space between two encoded words belongs to the encoding (RFC 2047 6.2); a logged fold shows as `?`.

    >>> decode("Re: =?utf-8?Q?caf=C3=A9?= =?utf-8?B?IGF1IGxhaXQ=?=")
    'Re: café au lait'
    >>> decode("=?nosuch?Q?x?=")
    '=?nosuch?Q?x?='
    """

    def word(match: re.Match[str]) -> str:
        charset, encoding, text = match.groups()
        try:
            if encoding in "bB":
                raw = binascii.a2b_base64(text + "=" * (-len(text) % 4))
            else:
                raw = binascii.a2b_qp(text.encode("ascii"), header=True)
            return raw.decode(charset)
        except (ValueError, LookupError):
            return match.group(0)

    return _WORD.sub(word, subject)


def decoded(subjects: pa.StringArray) -> pa.StringArray:
    """`decode` over a column."""
    hits = pc.indices_nonzero(pc.fill_null(pc.match_substring(subjects, "=?"), False))
    if not len(hits):
        return subjects
    changed = {int(i): decode(subjects[int(i)].as_py()) for i in hits.to_pylist()}
    values = subjects.to_pylist()
    for i, value in changed.items():
        values[i] = value
    return pa.array(values, pa.string())
