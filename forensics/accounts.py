"""What was read of evidence and what was not, by its account: records = used + known and irrelevant + unread.

*Bearing* on deliveries are the records that were used, those that an earlier evidence holds too, and the unread ones:
whatever cannot be read may bear on a delivery. Shares are of these; a log of ten thousand connections and three records
of deliveries, all three unread, was not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

MUCH = 0.01
"""Share of unread records from which a report says so in its title or first paragraph, wherever they lie."""


CUT = "the rest of the archive was not read"
"""Said in the reason of every input that was cut off before its end, so that files may be missing of which nothing is
known."""


class Account(Protocol):
    """One evidence, as the manifest and the facts of a report have it."""

    @property
    def loader(self) -> str: ...
    @property
    def used(self) -> int: ...
    @property
    def unread(self) -> int: ...
    @property
    def duplicates(self) -> int: ...


A = TypeVar("A", bound=Account)


def bearing(accounts: Iterable[Account]) -> int:
    """Records that bear on deliveries, or may."""
    return sum(one.used + one.duplicates + one.unread for one in accounts)


def wholly_unread(one: Account) -> bool:
    """Whether nothing of what bears on deliveries could be read."""
    return one.unread > 0 and not one.used + one.duplicates


def unread_files(accounts: Iterable[A]) -> tuple[A, ...]:
    """Those of which nothing was read."""
    return tuple(one for one in accounts if wholly_unread(one))


def unread_systems(accounts: Iterable[Account]) -> tuple[str, ...]:
    """Loaders of two files or more, or of the only file, that read nothing: what one system says is missing as a whole.

    >>> from types import SimpleNamespace as S
    >>> read, not_read = S(loader="a", used=9, unread=1, duplicates=0), S(loader="b", used=0, unread=4, duplicates=0)
    >>> unread_systems([read, not_read]), unread_systems([read, not_read, not_read]), unread_systems([not_read])
    ((), ('b',), ('b',))
    """
    by: dict[str, list[Account]] = {}
    for one in accounts:
        by.setdefault(one.loader, []).append(one)
    return tuple(
        loader
        for loader, own in sorted(by.items())
        if (len(own) > 1 or len(by) == 1) and any(one.unread for one in own) and not any(map(_read, own))
    )


def _read(one: Account) -> bool:
    return bool(one.used + one.duplicates)


def percentage(part: int, whole: int) -> tuple[str, float, int]:
    """(bound, percentage, decimals to print): never a part rounded to nothing or to the whole. `bound` is `below` or
    `above` where the percentage is nearer to 0 or 100 than can be printed.

    >>> percentage(1, 3), percentage(1, 80), percentage(1, 1_000_000), percentage(999_999, 1_000_000), percentage(2, 2)
    (('', 33.0, 0), ('', 1.2, 1), ('below', 0.01, 2), ('above', 99.99, 2), ('', 100.0, 0))
    """
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.01:
        return "below", 0.01, 2
    if 99.99 < share < 100:
        return "above", 99.99, 2
    decimals = 0 if share in (0.0, 100.0) or 10 <= share <= 99 else 1 if 1 <= share < 10 else 2
    return "", round(share, decimals), decimals


def percent(part: int, whole: int) -> str:
    """The same in words: `33 %`, `less than 0.01 %`."""
    bound, share, decimals = percentage(part, whole)
    return {"": "", "below": "less than ", "above": "more than "}[bound] + f"{share:.{decimals}f} %"
