"""Ids of deliveries as people give them: whole, or by their beginning, in every command that takes one."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.errors import UsageError

LEAST = 8
"""Digits that a beginning must have. One of four would be another delivery's by a slip of the key soon: in a case of a
thousand, once in 65; one of eight, once in four million."""
EXPECTED = f"the id of a delivery, or its first {LEAST} digits or more"


def begun(name: str) -> str:
    """The name as ids are written; empty where it is too short to be the beginning of one.

    >>> begun(" 1A2B3C4D"), begun("1a2b")
    ('1a2b3c4d', '')
    """
    plain = name.strip().lower()
    return plain if len(plain) >= LEAST else ""


def whole(name: str, ids: Iterable[str]) -> str | None:
    """The id that the name is, or else the only one that begins so; None where there is none.

    Raises UsageError where several ids begin so.

    >>> whole("1a2b3c4d", ["1a2b3c4d5e", "99999999"])
    '1a2b3c4d5e'
    """
    beginning = begun(name)
    found = {one for one in ids if one == name or (beginning and one.startswith(beginning))}
    if name in found:
        return name
    if beginning in found:
        return beginning
    if len(found) > 1:
        some = ", ".join(sorted(found)[:5])
        raise UsageError(
            f"{name}: several deliveries begin so: {some}{' and others' if len(found) > 5 else ''}",
            expected="more of the id",
        )
    return next(iter(found), None)
