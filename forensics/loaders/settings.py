"""What people say of evidence where it is silent: years, zones, hosts, the order of dates, who hands on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.casefile import SourceSettings


@dataclass(frozen=True)
class Settings:
    """What people say about stamps, where the evidence is silent.

    `year` is the year of the first record of a file whose stamps have none (`over`: of those before New Year, in a set
    that runs over it); `timezone` an IANA name for stamps without an offset (default UTC); both are for the files
    `named`, or for all. `sources` are the per-file entries of
    case.toml, which win over both; `known` what was said earlier of evidence that is not named now, whose names (no
    patterns: there may be as many as there is evidence) it gives as `file`.
    """

    year: int | None = None
    timezone: str | None = None
    sources: tuple[SourceSettings, ...] = ()
    named: frozenset[str] | None = None
    known: tuple[SourceSettings, ...] = ()
    over: bool = False

    def for_source(self, name: str) -> tuple[int | None, str | None]:
        """(year, timezone) for the evidence of this display name: what case.toml says of it wins."""
        year, timezone = self._setting(name, "year"), self._setting(name, "timezone")
        if self._named(name):
            year, timezone = self.year if year is None else year, self.timezone if timezone is None else timezone
        if year is None:
            year = self._said_earlier(name, "year")
        if timezone is None:
            timezone = self._said_earlier(name, "timezone")
        return year, timezone

    def about(self, names: Sequence[str]) -> Settings:
        """What is said of evidence of these names. All that is said may be much to hand to another process, again and
        again."""
        keys = dict.fromkeys(key for name in names for key in (name, _base(name)))
        known = tuple(one for key in keys for one in self._known.get(key, ()))
        return replace(self, named=None if self.named is None else self.named.intersection(names), known=known)

    def for_many(self, name: str) -> bool:
        """Whether the year for this evidence was said of it together with others, so that New Year may lie between."""
        return self.year is not None and self._named(name) and self._setting(name, "year") is None

    def _named(self, name: str) -> bool:
        return self.named is None or name in self.named

    def host(self, name: str) -> str | None:
        """The server that wrote this evidence, where its records do not name one; None when nobody says."""
        host: str | None = self._setting(name, "host")
        return host

    def date_order(self, name: str) -> str | None:
        """`dmy` or `mdy` for dates of this evidence that leave it open; None when nobody says."""
        order: str | None = self._setting(name, "date_order")
        return order

    def carriers(self, name: str) -> tuple[str, ...]:
        """Programs in this evidence that hand on records of others, as people say."""
        carriers: tuple[str, ...] | None = self._setting(name, "carriers")
        return carriers or ()

    def said(self, name: str) -> dict[str, Any]:
        """All that is said of this evidence, by what it is said of."""
        year, timezone = self.for_source(name)
        said = {"year": year, "timezone": timezone, "host": self.host(name), "date_order": self.date_order(name)}
        return {**said, "carriers": ", ".join(self.carriers(name))}

    def speaks_of(self, name: str) -> bool:
        """Whether an entry of case.toml names this evidence."""
        return any(True for _ in self._entries(name))

    def _setting(self, name: str, what: str) -> Any:
        """What the first entry of case.toml says that names this evidence and says anything of it."""
        settings = (getattr(entry, what) for entry in self._entries(name))
        return next((value for value in settings if value is not None), None)

    def _entries(self, name: str) -> Iterator[SourceSettings]:
        """Entries of case.toml that name this evidence."""
        from fnmatch import fnmatchcase

        base = _base(name)
        return (one for one in self.sources if fnmatchcase(name, one.file) or fnmatchcase(base, one.file))

    def _said_earlier(self, name: str, what: str) -> Any:
        """The same of `known`."""
        entries = (*self._known.get(name, ()), *self._known.get(_base(name), ()))
        return next((value for value in (getattr(one, what) for one in entries) if value is not None), None)

    @cached_property
    def _known(self) -> Mapping[str, Sequence[SourceSettings]]:
        by_name: dict[str, list[SourceSettings]] = {}
        for one in self.known:
            by_name.setdefault(one.file, []).append(one)
        return by_name


def _base(name: str) -> str:
    """The name of a file without folders and archives around it."""
    return name.replace("\\", "/").rsplit("/", 1)[-1].rsplit("!", 1)[-1]
