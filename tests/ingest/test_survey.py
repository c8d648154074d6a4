"""What is read and what is refused by its name: a readable record anywhere in a file decides."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from forensics.casefile import SourceSettings
from forensics.cli import main
from forensics.custody.evidence import discover
from forensics.ingest import survey
from forensics.ingest.recognition import NO_FORMAT
from forensics.loaders.settings import Settings

from ..ingesting import message, read, to

SENDMAIL = (
    "2024-03-01T10:00:00.000000+00:00 mx1 sendmail[71]: 42D8003a{:06d}: from=<ann@albion.example>, size=900, class=0, "
    "nrcpts=1, msgid=<m{}@albion.example>, proto=ESMTP, relay=pc1 [10.0.0.1]\n"
)
MAIL = message("3ABCDEF", to("bob@navy.example"))
DATA = Path(__file__).resolve().parents[1] / "data"


def lines(count: int) -> str:
    return "".join(SENDMAIL.format(n, n) for n in range(count))


@pytest.mark.parametrize("log", [MAIL + lines(20), lines(20) + MAIL, lines(900) + MAIL], ids=["first", "last", "far"])
def test_postfix_among_sendmail_is_read(tmp_path: Path, log: str) -> None:
    result, rows = read(tmp_path, {"mail.log": log})
    assert not result.skipped
    assert [(row["recipient"], row["outcome"]) for row in rows] == [("bob@navy.example", "delivered")]


def test_a_log_of_sendmail_alone_is_refused_by_its_name(tmp_path: Path) -> None:
    result, _ = read(tmp_path, {"mail.log": MAIL, "sendmail.log": lines(900)})
    ((name, reason),) = result.skipped
    assert name.endswith("sendmail.log")
    assert reason.startswith("sendmail log, which is not read: ")


def test_a_log_of_other_programs_keeps_its_reason(tmp_path: Path) -> None:
    other = "2024-03-01T10:00:00.000000+00:00 mx1 dovecot: imap-login: Login: user=<ann>\n"
    result, _ = read(tmp_path, {"mail.log": MAIL, "other.log": other * 20})
    ((_, reason),) = result.skipped
    assert reason == "a log of other programs: none of its 20 lines is of Postfix"


def test_a_log_of_postfix_in_a_form_of_its_own_is_not_said_to_be_of_others(tmp_path: Path) -> None:
    own = "2024-03-01 10:00:00|mx1|postfix/smtp[3]|3ABCDEF: to=<bob@navy.example>, relay=none, status=sent (ok)\n"
    result, _ = read(tmp_path, {"mail.log": MAIL, "own.log": own * 20})
    ((_, reason),) = result.skipped
    assert reason.startswith("log of Postfix inside a form that is not known, which is not read: ")


def test_binary_content_is_refused_whatever_text_it_holds(tmp_path: Path) -> None:
    result, rows = read(tmp_path, {"mail.log": MAIL, "mail.db": b"SQLite format 3\0\n" + MAIL.encode() * 9})
    assert [reason.partition(",")[0] for _, reason in result.skipped] == ["SQLite database"]
    assert len(rows) == 1


def test_many_refused_files_are_told_by_name_and_count(tmp_path: Path) -> None:
    folder = tmp_path / "handed over"
    folder.mkdir()
    for n in range(40):
        (folder / f"SEND{n:02}.LOG").write_bytes((DATA / "exchange-refused" / "smtpsend.log").read_bytes())
    (folder / "audit.csv").write_bytes((DATA / "exchange-refused" / "ual.csv").read_bytes())
    with xlsxwriter.Workbook(folder / "costs.xlsx") as workbook:
        for year in ("2023", "2024", "2025"):
            workbook.add_worksheet(year).write_row(0, 0, ["Item", "Cost"])
    done = CliRunner().invoke(main, ["ingest", str(folder), "--case", str(tmp_path / "case"), "--org", "contoso.com"])
    assert done.exit_code == 3
    shown = done.output.splitlines()
    assert len(shown) < 8
    (logs,) = (text for text in shown if "SMTP protocol log" in text)
    assert "SEND02.LOG and 37 more (40 files): " in logs
    assert any(text.strip().startswith(f"{folder}/audit.csv: unified audit log, ") for text in shown)
    assert any("costs.xlsx: Excel workbook (.xlsx)" in text for text in shown)


class _Apart(Executor):
    """Hands work over as bytes, as to another process."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def submit(self, fn: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        handed = pickle.dumps((fn, arguments))
        self.sizes.append(len(handed))
        done: Future[Any] = Future()
        fn, arguments = pickle.loads(handed)
        done.set_result(fn(*arguments))
        return done


def _many(folder: Path, count: int) -> list[str]:
    folder.mkdir()
    for n in range(count):
        at = f"2024-03-01T10:{n // 60:02}:{n % 60:02}.000000+00:00"
        text = message(f"4{n:04X}D3E4F", to(f"x@navy{n}.example"), at=at) if n % 5 else "no log\n" * (n % 2)
        (folder / f"{n:04}.log").write_text(text)
    return [str(folder)]


@pytest.mark.parametrize(("tasks", "together"), [(1_000, 1), (1, 7), (4, 100)])
def test_files_are_surveyed_alike_however_many_one_task_takes(
    tasks: int, together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = discover(_many(tmp_path / "logs", 40)).sources
    known = {source: one for source, one in zip(sources, _surveyed(sources, {}), strict=True) if hasattr(one, "mark")}
    monkeypatch.setattr(survey, "TASKS", tasks)
    monkeypatch.setattr(survey, "TOGETHER", together)
    for kept in ({}, dict(list(known.items())[3:11:2])):
        told = _surveyed(sources, kept)
        assert [one for one in told if isinstance(one, str)] == [NO_FORMAT] * 4
        assert [one.source for one in told if not isinstance(one, str)] == list(known)
        assert [one.digests for one in told if not isinstance(one, str)] == [one.digests for one in known.values()]


def _surveyed(sources: Sequence[Any], kept: Mapping[Any, Any]) -> list[Any]:
    with ThreadPoolExecutor(2) as threads:
        begun = survey.begin(sources, Settings(), threads, None, kept)
        return [one for each in begun.futures for one in each.result()]


def test_what_goes_out_grows_as_the_files_do(tmp_path: Path) -> None:
    """Not as their square: each task is told what is said of its own files."""
    sizes = []
    for count in (100, 400):
        sources = discover(_many(tmp_path / str(count), count)).sources
        names = [source.name for source in sources]
        said = Settings(named=frozenset(names), known=tuple(SourceSettings(file=one, year=2024) for one in names))
        other = _Apart()
        survey.begin(sources, said, other)
        sizes.append(sum(other.sizes))
    assert sizes[1] < 6 * sizes[0]


NAMES = st.sampled_from(["a.log", "logs/a.log", "b.log", "x/b.log", "c.tar!d/b.log"])
SAID = st.builds(
    SourceSettings, file=NAMES, year=st.none() | st.integers(2020, 2024), timezone=st.none() | st.just("UTC")
)


@given(st.sets(NAMES), st.none() | st.frozensets(NAMES), st.lists(SAID), st.lists(SAID), st.none() | st.just(2019))
def test_a_part_of_what_is_said_says_the_same_of_its_files(
    names: set[str], named: frozenset[str] | None, sources: list[SourceSettings], known: list[SourceSettings],
    year: int | None,
) -> None:  # fmt: skip
    whole = Settings(year, None, tuple(sources), named, tuple(known))
    part = whole.about(sorted(names))
    for name in names:
        assert part.for_source(name) == whole.for_source(name)
        assert part.for_many(name) == whole.for_many(name)
        assert (part.host(name), part.date_order(name)) == (whole.host(name), whole.date_order(name))
