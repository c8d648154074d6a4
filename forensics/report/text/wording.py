"""The words of a report: every sentence a reader sees, by key, from the TOML files of one folder.

A translation is one folder beside `templates/en-GB`. All `*.toml` files in it are read and their tables joined,
so each format keeps its words in a file of its own; a key that two files give is an error. A folder of the
user's own may give only the keys it changes.

A value is a string with `{name}` fields, or a table of plural forms (`one`, `other`, …) chosen by the field `n`
after the language's own rule (CLDR, by way of babel). Fields are names and nothing else: `{x.__class__}` or `{n:>9999}`
is refused, and so is a field that the shipped text of the same key does not have.

Not in the folder, and so not translated: the reasons of a finding and what each signal means. These are sentences
of the detector, in English, kept with their weights in the case's tables (`findings.reasons`), because they are part
of the result that `missent explain` quotes and `missent verify` recomputes. A translated report quotes them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from forensics import tomlread
from forensics.case import argument
from forensics.errors import UsageError

TEMPLATES = Path(__file__).parent.parent / "templates"
DEFAULT_LANGUAGE = "en-GB"

_PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})
LARGEST = 1 << 20
"""Bytes of a file of words."""
_NAMED = re.compile(r"\{(\w+)\}")

Entry = str | Mapping[str, str]


@dataclass(frozen=True)
class Words:
    """Call it with a key: `words("clock.deadline", at=words.moment(t))`."""

    language: str
    entries: Mapping[str, Entry]

    def __call__(self, key: str, /, **values: Any) -> str:
        """The text under `key`, filled. Integers are grouped by the language's rule.

        Raises KeyError for a key that no file has: a mistake of ours, not of the user's.
        """
        pattern = self.pattern(key, values.get("n"))
        return pattern.format_map({name: self._shown(value) for name, value in values.items()})

    def pattern(self, key: str, n: int | None = None) -> str:
        """The text under `key` with its fields unfilled; `n` chooses among plural forms."""
        entry = self.entries[key]
        if isinstance(entry, str):
            return entry
        if n is None:
            raise KeyError(f"{key} has plural forms: give n")
        return entry.get(str(self._locale.plural_form(n)), entry["other"])

    def get(self, key: str, default: str, /, **values: Any) -> str:
        """The text under `key`, or `default` as it is when no file has the key."""
        return self(key, **values) if key in self.entries else default

    def number(self, value: int | float, digits: int | None = None) -> str:
        """`12345` as `12,345`; with `digits`, that many decimals."""
        from babel.numbers import format_decimal

        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        return str(format_decimal(value, format=pattern, locale=self._locale))

    def day(self, value: date | datetime) -> str:
        """`4 January 2023`."""
        from babel.dates import format_date

        return str(format_date(value, format="long", locale=self._locale))

    def short_day(self, value: date | datetime) -> str:
        """`4 Jan 2023`, the months' names of one length where the language has them so."""
        from babel.dates import format_date

        told = str(format_date(value, format="medium", locale=self._locale))
        return told.replace(self._month(value), self.month(value))

    def month(self, value: date | datetime) -> str:
        """`Sep`: as short as the shortest, where names stay apart and none is cut with a full stop."""
        names = self._locale.months["format"]["abbreviated"].values()
        shortest = min(len(name) for name in names)
        even = all(name.isalpha() for name in names) and len({name[:shortest] for name in names}) == len(names)
        return self._month(value)[:shortest] if even else self._month(value)

    def _month(self, value: date | datetime) -> str:
        return str(self._locale.months["format"]["abbreviated"][value.month])

    def join(self, parts: Iterable[str]) -> str:
        """`a, b and c`."""
        from babel.lists import format_list

        return str(format_list(list(parts), locale=self._locale))

    @property
    def _locale(self) -> Any:
        return _locale(self.language)

    def _shown(self, value: Any) -> Any:
        return self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value


@cache
def _locale(language: str) -> Any:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise UsageError(
            f"no language {language}", expected="a language tag such as en-GB", remedy="give one that CLDR knows"
        ) from None


def load(language: str = DEFAULT_LANGUAGE, folder: Path | None = None) -> Words:
    """The words of `language`; those in `folder` (a user's own templates) come before ours.

    Raises UsageError when there is no such language or a file is not TOML.
    """
    if language != DEFAULT_LANGUAGE:
        _locale(language)
    shipped = TEMPLATES / language
    if not shipped.is_dir() and folder is None:
        raise UsageError(
            f"--language {language}: there are no words of that language",
            expected=", ".join(sorted(p.parent.name for p in TEMPLATES.glob("*/html.toml"))),
            remedy="choose one of these, or name a folder with your own words by --templates",
        )
    entries: dict[str, Entry] = dict(_read(shipped if shipped.is_dir() else TEMPLATES / DEFAULT_LANGUAGE))
    if folder is not None:
        entries.update(_read(folder, entries))
    return Words(language, entries)


def _read(folder: Path, shipped: Mapping[str, Entry] | None = None) -> dict[str, Entry]:
    """All words of a folder. `shipped`: those that these come before, where the folder is not ours."""
    entries: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.toml")):
        for key, entry in _file(path):
            if shipped is not None:
                _check(path, key, entry, shipped.get(key))
            if key in entries:
                raise UsageError(f"{path}: {key} is given twice in {folder}", remedy="keep one of them")
            entries[key] = entry
    return entries


def _file(path: Path) -> list[tuple[str, Entry]]:
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise UsageError(f"{path}: is no file of words", expected=f"a file of at most {LARGEST:,} bytes")
    try:
        return list(_flat(tomlread.read(path.read_bytes(), path, argument(path), UsageError), ""))
    except RecursionError:
        raise UsageError(
            f"{path}: tables lie too deep in each other", expected="keys as in the shipped words"
        ) from None


def _check(path: Path, key: str, entry: Entry, shipped: Entry | None) -> None:
    """Raises UsageError for words of others that could not be filled, or that reach into what they are filled with."""
    known = _fields(path, key, shipped) if shipped is not None else None
    if shipped is not None and not isinstance(entry, str) and isinstance(shipped, str) and "n" not in (known or ()):
        raise UsageError(f"{path}: {key} has no plural forms", expected="one text")
    for name in _fields(path, key, entry):
        if known is not None and name not in known:
            there = ", ".join(f"{{{one}}}" for one in sorted(known)) or "none"
            raise UsageError(f"{path}: {key}: there is no {{{name}}} to be filled in", expected=f"of fields {there}")


def _fields(path: Path, key: str, entry: Entry) -> set[str]:
    """Names of the fields of an entry; `n`, too, where it has plural forms. Raises UsageError for more than names."""
    names = set() if isinstance(entry, str) else {"n"}
    for text in (entry,) if isinstance(entry, str) else entry.values():
        try:
            parts = list(string.Formatter().parse(text)) if isinstance(text, str) else None
        except ValueError as error:
            raise UsageError(f"{path}: {key}: {error}", expected="text with fields such as {name}") from None
        if parts is None:
            raise UsageError(f"{path}: {key} is no text", expected="a string, or strings for plural forms")
        for _, name, form, conversion in parts:
            if name is not None and (form or conversion or not name.isidentifier()):
                raise UsageError(f"{path}: {key}: {{{name}}} is no field", expected="a name in braces, such as {name}")
            names |= {name} if name else set()
        names |= set(_NAMED.findall(text))
    return names


def _flat(table: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Entry]]:
    for name, value in table.items():
        if isinstance(value, str) or _is_plural(value):
            yield prefix + name, value
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")


def _is_plural(value: Any) -> bool:
    return isinstance(value, Mapping) and "other" in value and set(value) <= _PLURAL_FORMS
