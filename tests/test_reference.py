"""The pages of reference are what the code says, and leave nothing of it out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics import casefile, schema, store, views
from tests import method_page, reference_pages
from tests.conftest import ROOT


@pytest.mark.parametrize("path", reference_pages.PAGES, ids=lambda path: path.name)
def test_a_page_is_what_the_code_says(path: Path) -> None:
    page = reference_pages.PAGES[path]()
    assert path.read_text("utf-8") == page, "run `python -m tests.reference_pages` and look at what changed"


def test_every_table_and_view_is_there() -> None:
    page = reference_pages.tables()
    assert set(store.TABLES) <= set(reference_pages.TABLES)
    assert set(views._DERIVED) == set(reference_pages.DERIVED)
    for name in (*reference_pages.TABLES, *reference_pages.VIEWS, *reference_pages.DERIVED):
        assert f"# {name}\n" in page
    for name in reference_pages.TABLES:
        assert all(meaning for _, _, meaning in schema.describe(getattr(schema, name.upper())))


def test_every_setting_is_there() -> None:
    """Of case.toml as the tool itself writes it, too."""
    page = reference_pages.settings()
    named = {name.split(".")[0].strip("[]") for name in reference_pages.SETTINGS} | {"questionnaire", "version"}
    assert named == set(casefile.CaseFile.model_fields)
    for model in reference_pages.SETTINGS.values():
        assert all(f"| `{field}` |" in page for field in model.model_fields)
        assert set(reference_pages._said(model)) == set(model.model_fields), "say below each field what it means"


@pytest.mark.parametrize("path", method_page.PAGES, ids=lambda path: path.name)
def test_figures_of_error_rates_are_those_that_were_measured(path: Path) -> None:
    page = path.read_text("utf-8")
    assert len(method_page.MARKED.findall(page)) > 0
    assert method_page.filled(page) == page, "run `python -m tests.method_page` and look at what changed"
    prose = method_page.MARKED.sub("", page)
    assert not re.search(r"\d+ of \d+ \[|\d %\]", prose), (
        "figures stand between marks, so that they are held to the file"
    )


def test_every_figure_has_its_place() -> None:
    pages = "".join(path.read_text("utf-8") for path in method_page.PAGES)
    assert {found["name"] for found in method_page.MARKED.finditer(pages)} == set(method_page.parts())


def test_the_picture_of_page_one_is_there_and_its_command_named() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "docs/page-one.png" in readme and "`make picture`" in readme
    assert (ROOT / "docs" / "page-one.png").read_bytes().startswith(b"\x89PNG")
