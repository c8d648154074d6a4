"""case.toml is people's: made once, with remarks, and added to without losing any of them."""

from __future__ import annotations

import subprocess
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import casefile as cases
from forensics import tomltext
from forensics.case import Case, argument
from forensics.errors import CaseError


def test_create(tmp_path):
    case = Case(tmp_path / "new" / "case")
    cases.create(case, ["Albion-Defence.uk"], name='The "A" \\ Ministry\n', watched=["*.mil"], known_good=["b.example"])
    held = cases.read(case)
    assert held.organisation.domains == ("albion-defence.uk",)
    assert held.organisation.name == 'The "A" \\ Ministry\n'
    assert held.domains.watched == ("*.mil",)
    assert "[questionnaire]" in case.toml.read_text()
    with pytest.raises(CaseError, match="exists already"):
        cases.create(case, ["other.example"])
    assert cases.read(case) == held


def test_create_takes_a_questionnaire(tmp_path):
    case = Case(tmp_path)
    cases.create(case, ["a.example"], questionnaire='[questionnaire]\n# Who?\nauthor = ""\n')
    assert cases.read(case).questionnaire == {"author": ""}


def test_create_refuses_what_cannot_be_read_back(tmp_path):
    with pytest.raises(CaseError):
        cases.create(Case(tmp_path), ["a.example"], questionnaire="[questionnaire\n")
    assert not (tmp_path / "case.toml").exists()
    (tmp_path / "file").touch()
    with pytest.raises(CaseError, match="cannot be made"):
        cases.create(Case(tmp_path / "file"), ["a.example"])


LAYOUTS = {
    "one line": 'known_good = ["a.example"] # the first',
    "empty": "known_good = [ ]",
    "many lines": 'known_good = [\n  # old friends ["]\n  "a.example", # really\n]',
    "no comma": 'known_good = [\n\t"a.example"\n]',
    "remark last": 'known_good = [\n  "a.example" # no comma, # twice\n  # end ]\n]',
    "bracket in string": 'known_good = ["a].example", \'b"[\']',
    "bracket on last line": 'known_good = [\n  "a.example",\n  "b.example"]',
    "open on first line": 'known_good = ["a.example",\n  "b.example",\n]',
    "absent": "",
}


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_remember_keeps_what_people_wrote(tmp_path, layout, newline):
    text = (
        "# Ours.\nversion = 1\n[organisation]\nname = '''\n[domains]\nknown_good = [\n'''\n\n"
        f"[domains] # whom we know\nwatched = ['*.mil']\n{LAYOUTS[layout]}\n\n"
        "[questionnaire]\nknown_good = 'not this'\n"
    ).replace("\n", newline)
    case = Case(tmp_path)
    case.toml.write_bytes(text.encode())
    before = tomllib.loads(text)
    if "a]" in text:
        assert cases.remember(case, "domains", "watched", ["*.gov"]) == ("*.gov",)
        before["domains"]["watched"].append("*.gov")
        added = tomltext.add(case.toml.read_bytes().decode(), "domains", "known_good", ['"new.example"'])
        case.toml.write_bytes(added.encode())
    else:
        assert cases.remember_known_good(case, "New.example")
        assert not cases.remember_known_good(case, "new.example")
    after = tomllib.loads(case.toml.read_bytes().decode())
    before["domains"].setdefault("known_good", []).append("new.example")
    assert after == before
    written = case.toml.read_bytes().decode()
    for line in text.splitlines():
        if "#" in line or "not this" in line:
            assert line[line.find("#") :] in written


@pytest.mark.parametrize(
    "text",
    [
        'domains = { known_good = ["a.example"] }\n',
        'domains.known_good = ["a.example"]\n',
        '[domains]\n"known_good" = ["a.example"]\n',
        '["domains"]\nknown_good = []\n',
    ],
)
def test_remember_refuses_layouts_it_cannot_edit_safely(tmp_path, text):
    case = Case(tmp_path)
    case.toml.write_text(text)
    with pytest.raises(CaseError, match="by hand"):
        cases.remember_known_good(case, "new.example")
    assert case.toml.read_text() == text


@pytest.mark.parametrize("text", ["", "version = 1", "# only a remark", "[organisation]\ndomains = []"])
def test_remember_makes_the_table(tmp_path, text):
    case = Case(tmp_path)
    case.toml.write_text(text)
    assert cases.remember_known_good(case, "new.example")
    assert cases.read(case).domains.known_good == ("new.example",)
    assert case.toml.read_text().startswith(text)


@given(
    values=st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=4),
    new=st.text(st.characters(codec="utf-8"), max_size=6),
    lines=st.booleans(),
    remark=st.sampled_from(["", " # x ] \" '", "\t"]),
)
def test_any_list_of_strings_is_added_to(values, new, lines, remark):
    between = f",{remark}\n  " if lines else ", "
    written = between.join(cases._toml(value) for value in values)
    text = f"[t]\nkey = [{written}{remark + chr(10) if lines else ''}]\n[u]\nkey = 1\n"
    assert tomllib.loads(text)["t"]["key"] == values
    after = tomltext.add(text, "t", "key", [cases._toml(new)])
    assert tomllib.loads(after) == {"t": {"key": [*values, new]}, "u": {"key": 1}}


@given(
    values=st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=4),
    new=st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=3),
    lines=st.booleans(),
    remark=st.sampled_from(["", " # x ] \" '", "\t"]),
)
def test_any_list_of_strings_is_replaced(values, new, lines, remark):
    between = f",{remark}\n  " if lines else ", "
    written = between.join(cases._toml(value) for value in values)
    text = f"# a\n[t]\nkey = [{written}{remark + chr(10) if lines else ''}] # b\n[u]\nkey = [1]\n"
    after = tomltext.replace(text, "t", "key", [cases._toml(value) for value in new])
    assert tomllib.loads(after) == {"t": {"key": new}, "u": {"key": [1]}}
    assert after.startswith("# a\n") and "# b\n" in after


def test_domains_are_written_instead_of_others(tmp_path):
    case = Case(tmp_path)
    cases.create(case, ["a.example", "b.example"])
    before = case.toml.read_text()
    assert cases.remember(case, "organisation", "domains", ["c.example"], instead=True) == ("c.example",)
    assert cases.read(case).organisation.domains == ("c.example",)
    assert cases.remember(case, "organisation", "domains", ["c.example"], instead=True) == ()
    assert case.toml.read_text() == before.replace('["a.example", "b.example"]', '["c.example"]')


NAMES = (
    "case",
    "my 'case' \"o\\ne\"",
    "$HOME `id` !x",
    "a\nb\t\x1b[2J",
    "mäßig",
    "\u202egnp",
    "-x",
    "b\udcff",
    "two\\n\u200b",
)


def test_a_folder_in_a_command_is_one_argument_of_one_line() -> None:
    """Commands that people are told to give are pasted into a shell as they are printed."""
    told = [argument(name) for name in NAMES]
    assert all(one.isprintable() for one in told)
    done = subprocess.run(["bash", "-c", "printf '%s\\0' -- " + " ".join(told)], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[1:-1] == [name.encode("utf-8", "surrogateescape") for name in NAMES]
