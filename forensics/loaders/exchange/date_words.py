"""Words of dates in the languages that Exchange and Excel speak: names of months, halves of the day.

From CLDR (Unicode's locale data, in babel), for the languages of Exchange's interface; a few halves of the day as
Windows itself writes them stand beside. A word that is one month in one language and another in another (`listopad`:
October in Croatian, November in Czech and Polish) says nothing.
"""

from __future__ import annotations

import functools
from typing import Final

LANGUAGES: Final = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "es_MX", "et", "eu", "fa", "fi", "fil", "fr", "gl", "he",
    "hi", "hr", "hu", "id", "is", "it", "ja", "kk", "ko", "lt", "lv", "ms", "nb", "nl", "pl", "pt", "pt_PT", "ro", "ru",
    "sk", "sl", "sr", "sv", "th", "tr", "uk", "ur", "vi", "zh", "zh_Hant",
)  # fmt: skip
_WINDOWS: Final = {"पूर्वाह्न": "am", "अपराह्न": "pm", "قم": "am", "pd": "am", "md": "pm"}
"""Of Windows' own tables (AMDesignator, PMDesignator): Hindi, Urdu, Albanian."""
NEUTRAL: Final = ("", "г", "р", "ч", "h", "kl")
"""Words that stand for `year`, `hour` or `at` beside a time."""
_WIDTHS: Final = ("wide", "abbreviated")


def bare(word: str) -> str:
    """A word as it is compared: in any case, without dots, blanks and joiners.

    >>> bare("a.\\u00a0m."), bare("ΠΜ")
    ('am', 'πμ')
    """
    return "".join(c for c in word.casefold() if not c.isspace() and c not in ".\u200c\u200d,")


@functools.cache
def _tables() -> tuple[dict[str, str], dict[str, int]]:
    from babel.core import Locale

    halves: dict[str, set[str]] = {word: {half} for word, half in _WINDOWS.items()}
    months: dict[str, set[int]] = {}
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for context in locale.day_periods.values():
            for width in _WIDTHS:
                for half in ("am", "pm"):
                    word = context.get(width, {}).get(half)
                    if word:
                        halves.setdefault(bare(word), set()).add(half)
        for context in locale.months.values():
            for width in _WIDTHS:
                for number, name in context.get(width, {}).items():
                    months.setdefault(bare(name), set()).add(int(number))
    return (
        {word: next(iter(found)) for word, found in halves.items() if len(found) == 1},
        {word: next(iter(found)) for word, found in months.items() if len(found) == 1 and not word.isdigit()},
    )


def half(word: str) -> int | None:
    """Hours to add to a time of twelve hours: 0 in the first half of the day, 12 in the second; None for other words.

    >>> half("下午"), half("a. m."), half("noon")
    (12, 0, None)
    """
    found = _tables()[0].get(bare(word))
    return None if found is None else 12 * (found == "pm")


def month(word: str) -> int | None:
    """Number of the month; None for words that name none, or not one only.

    >>> month("marzo"), month("Mär."), month("listopad")
    (3, 3, None)
    """
    return _tables()[1].get(bare(word))
