"""Words come by key, numbers and plurals after the language's rules."""

from datetime import date
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.report.text.wording import Words, load

WORDS = Words("en-GB", {"messages": {"one": "{n} message", "other": "{n} messages"}, "who": "from {name}"})


def test_plural_and_grouping() -> None:
    assert WORDS("messages", n=1) == "1 message"
    assert WORDS("messages", n=12345) == "12,345 messages"


def test_a_value_is_never_read_as_a_pattern() -> None:
    assert WORDS("who", name="{n} {0.__class__}") == "from {n} {0.__class__}"


def test_dates_and_lists_do_not_follow_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert WORDS.day(date(2023, 1, 4)) == "4 January 2023"
    assert WORDS.join(["a", "b", "c"]) == "a, b and c"
    assert WORDS.number(0.97349, 2) == "0.97"


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        WORDS("nowhere")
    assert WORDS.get("nowhere", "plain") == "plain"


def test_a_users_folder_comes_first(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[choice]\nother = "Something else"\nyes = "Aye"\n')
    words = load(folder=tmp_path)
    assert words("choice.other") == "Something else"
    assert words("choice.yes") == "Aye"


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('x = "1"\n')
    (tmp_path / "b.toml").write_text('x = "2"\n')
    with pytest.raises(UsageError, match="given twice"):
        load(folder=tmp_path)


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as error:
        load("fr-FR")
    assert error.value.what == "--language fr-FR: there are no words of that language"
    assert error.value.expected == "en-GB"


def test_a_tag_that_is_no_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="xx-XX"):
        load("xx-XX", tmp_path)
