"""Text without personal data, for forms that forbid it.

Authority forms ask for no names or addresses of people. What the facts know as an address or a person's name is
taken out of free text, and so is whatever looks like a mail address, a network address or a telephone number.
A name that the case does not know cannot be recognised: the sheets say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from forensics.report import facts as f
from forensics.report.facts import people
from forensics.report.text import scrubbing

_IPV4 = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){2,7}:?[0-9A-Fa-f]{0,4}\b"
_PHONE = r"(?:\+|\b0)\d[\d ()/-]{6,}\d\b"
_LOOKS = f"{scrubbing.ADDRESS}|{_IPV4}|{_IPV6}|{_PHONE}"

_SHORTEST = 4
"""Known strings below this many characters are not searched for: they would hit ordinary words."""


def known(facts: f.Facts) -> frozenset[str]:
    """Everything in the facts that names a person: addresses, local parts that look like names, reviewers, authors."""
    out: set[str] = set()
    for x in facts.findings:
        for address in (x.sender, x.recipient, x.intended_address, x.original_recipient):
            if address:
                out.add(address)
                local = address.rpartition("@")[0]
                if "." in local:
                    out.add(local)
        if x.ruling and x.ruling.reviewer:
            out.add(x.ruling.reviewer)
    out.update(ruling.reviewer for ruling in facts.orphaned)
    out.update(statement.made_by for statement in facts.statements if statement.made_by)
    out.update(action.owner for action in facts.questionnaire.actions if action.owner)
    if facts.header.author:
        out.add(facts.header.author)
    return frozenset(
        text for text in out if len(text) >= _SHORTEST and not people.is_role(text.rpartition("@")[0] or text)
    )


def remover(facts: f.Facts, token: str) -> Callable[[str], str]:
    """A function that puts `token` for every person's name or address in a text."""
    names = sorted(known(facts), key=lambda name: (-len(name), name))
    # One pattern for all names would be slow to build for a large case; a text is searched only for those it holds.
    looks = re.compile(_LOOKS)
    locals_ = {name.rpartition("@")[0] for name in names if "@" in name}
    whole = {form: token for local in locals_ for form in people.forms(local)}
    single = {word: token for local in locals_ for word in people.single(local)}
    single |= dict.fromkeys(people.of_names([name for name in names if "@" not in name]), token)
    without_people = people.remover(single, whole)

    def remove(text: str) -> str:
        text = looks.sub(token, scrubbing.plain(text))
        folded = text.casefold()
        for name in names:
            if name.casefold() in folded:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: token, text, flags=re.IGNORECASE)
        return _TWICE.sub(token, without_people(text)) if token in text else without_people(text)

    _TWICE = re.compile(rf"{re.escape(token)}(?:\s+{re.escape(token)})+")
    return remove
