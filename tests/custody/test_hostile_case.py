"""A case folder that somebody else made, to have Missent read, write, run or show what it should not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from forensics import errors
from forensics.case import Case
from forensics.cli import main
from forensics.custody import manifest
from forensics.custody.chain import now
from tests.ingesting import message, to

COMMANDS = (
    ("verify", "{case}"),
    ("sql", "--case", "{case}", "select * from deliveries"),
    ("explain", "--case", "{case}", "navy.exmaple"),
    ("report", "--case", "{case}", "--format", "html,json"),
    ("detect", "--case", "{case}"),
    ("review", "--case", "{case}", "--export", "{out}"),
    ("ingest", "--case", "{case}", "{log}"),
)
FILES = ("manifest.json", "custody.jsonl", "detection.json", "case.toml", "verdicts.jsonl", ".commit", ".lock")
CONTENTS = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "a number": b"1e999",
    "a very long number": b"9" * 9000,
    "not JSON": b"{",
    "no UTF-8": b"\xff\xfe\x00",
    "very deep": b"[" * 100_000,
    "very deep objects": b'{"a":' * 50_000,
    "moves elsewhere": b'{"moves": [["/etc/passwd", "/tmp/x"]], "removed": ["../.."]}',
    "moves of other kinds": b'{"moves": [[1, null]], "removed": [{}]}',
    "NUL": b'{"version": 2, "\x00": "\x00"}\n',
}


def log(folder: Path) -> Path:
    place = folder / "mail.log"
    text = "".join(
        message(f"4{n:X}1C2D3E4F", to(f"x{n % 3}@navy.example"), at=f"2024-03-0{1 + n % 3}T10:00:0{n}.000000+00:00")
        for n in range(8)
    )
    place.write_text(text + message("4F1C2D3E4F", to("x1@navy.exmaple"), at="2024-03-04T10:00:00.000000+00:00"))
    return place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    done = CliRunner().invoke(
        main, ["run", str(log(folder)), "--org", "albion.example", "--format", "html", "--case", str(folder / "case")]
    )
    assert done.exit_code == 0, done.output
    return folder / "case"


@pytest.fixture
def case(whole: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(whole, tmp_path / "case")
    return tmp_path / "case"


def told(case: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output; an exception that a person would see as a traceback fails."""
    named = {"case": str(case), "out": str(case.parent / "out.csv"), "log": str(case.parent / "case-log")}
    (case.parent / "case-log").write_text("what is this?\n")
    done = CliRunner().invoke(main, [one.format(**named) for one in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert "Traceback" not in done.output
    return done.exit_code, done.output


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_content_gives_an_error(case: Path, file: str, content: str) -> None:
    """Two commands for each; all of them in the long run."""
    first = FILES.index(file) + list(CONTENTS).index(content)
    _replaced(case, file, content, [COMMANDS[(first + step) % len(COMMANDS)] for step in (0, 3)])


@pytest.mark.long
@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("file", FILES)
def test_a_file_of_another_content_gives_an_error_to_every_command(case: Path, file: str, content: str) -> None:
    _replaced(case, file, content, COMMANDS)


def _replaced(case: Path, file: str, content: str, commands: Sequence[tuple[str, ...]]) -> None:
    for command in commands:
        (case / file).write_bytes(CONTENTS[content])
        code, text = told(case, *command)
        assert code in errors.EXIT_CODES, text


@pytest.mark.parametrize("content", CONTENTS)
def test_and_so_does_a_case_that_was_made_to_fit_it(case: Path, content: str) -> None:
    """Whoever alters a case may write manifest and custody log afresh as well."""
    for command in COMMANDS:
        (case / "detection.json").write_bytes(CONTENTS[content])
        manifest.record(Case(case), "detect", command=[], started=now())
        code, text = told(case, *command)
        assert code in errors.EXIT_CODES, text


def test_a_seal_of_another_content_gives_an_error(case: Path) -> None:
    for content in CONTENTS.values():
        (case / "reports" / "incident.seal.json").write_bytes(content)
        assert told(case, "verify", "{case}")[0] == errors.VERIFICATION_FAILED


TABLES: dict[str, Callable[[pa.Table], pa.Table]] = {
    "no columns": lambda table: table.select([]),
    "a column less": lambda table: table.select(table.column_names[1:]),
    "a column of another kind": lambda table: table.set_column(
        0, table.column_names[0], pa.nulls(len(table), pa.int32())
    ),
    "nothing known": lambda table: table.set_column(0, table.column_names[0], pa.nulls(len(table), pa.string())),
    "columns in another order": lambda table: table.select(table.column_names[::-1]),
    "a row twice": lambda table: pa.concat_tables([table, table]),
    "columns of one name": lambda table: table.append_column(table.column_names[0], table[0]),
    "words that are none": lambda table: _words(table),
}


def _words(table: pa.Table) -> pa.Table:
    """Every code of the table is a word that Missent does not use."""
    for index, one in enumerate(table.schema):
        if one.name in ("level", "exposure", "origin", "outcome", "slip", "submission", "recipient_role"):
            table = table.set_column(index, one, pa.array(["\x1b[2J"] * len(table)).cast(one.type))
    return table


@pytest.mark.parametrize("change", TABLES)
@pytest.mark.parametrize("name", ["deliveries", "unread", "findings", "incidents", "correspondents", "lookalikes"])
def test_a_table_of_another_shape_gives_an_error(case: Path, name: str, change: str) -> None:
    for path in (
        [case / f"{name}.parquet"] if (case / f"{name}.parquet").exists() else case.glob(f"{name}/**/*.parquet")
    ):
        pq.write_table(TABLES[change](pq.read_table(path, partitioning=None)), path)
    manifest.record(Case(case), "detect", command=[], started=now())
    for command in COMMANDS[:-1]:
        if name != "deliveries" and command[0] == "detect":
            continue
        code, text = told(case, *command)
        assert code in errors.EXIT_CODES, text


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1" + b"\xff" * 64 + b"PAR1", b"PAR1\x15\x00" + b"\x10\0\0\0PAR1"]
)
@pytest.mark.parametrize("name", ["findings.parquet", "deliveries"])
def test_a_table_that_is_no_parquet_gives_an_error(case: Path, name: str, content: bytes) -> None:
    place = case / name
    for path in [place] if place.is_file() else list(place.glob("**/*.parquet")):
        path.write_bytes(content)
    for command in COMMANDS[:-1]:
        code, text = told(case, *command)
        assert code, text


@pytest.mark.parametrize(
    "name", [*FILES[:5], "deliveries", "findings.parquet", "reports", ".next", ".commit", ".before", ".lock", "streams"]
)
@pytest.mark.parametrize("target", ["file", "folder", "nowhere"])
def test_no_link_is_followed(case: Path, tmp_path: Path, name: str, target: str) -> None:
    """What the link points to is neither shown, changed nor made."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "secret").write_text("hidden words")
    place = case / name
    if place.is_dir():
        place.rename(tmp_path / "aside")
    else:
        place.unlink(missing_ok=True)
    places = {"file": victim / "secret", "folder": victim, "nowhere": victim / "new"}
    place.symlink_to(places[target])
    for command in COMMANDS:
        code, text = told(case, *command)
        assert code == errors.CaseError.exit_code and str(place) in text, (command, text)
        assert "hidden words" not in text
    assert [path.name for path in victim.iterdir()] == ["secret"]
    assert (victim / "secret").read_text() == "hidden words"


def test_a_link_below_a_folder_of_tables(case: Path) -> None:
    (case / "deliveries" / "month=2024-03" / "part-00009.parquet").symlink_to("/etc/passwd")
    for command in COMMANDS:
        code, text = told(case, *command)
        assert code == errors.CaseError.exit_code and "symbolic link" in text


def test_a_pipe_is_not_waited_for(case: Path) -> None:
    (case / "manifest.json").unlink()
    os.mkfifo(case / "manifest.json")
    for command in COMMANDS:
        code, text = told(case, *command)
        assert code == errors.CaseError.exit_code and "neither a file nor a folder" in text


def test_places_of_evidence_that_are_no_files(case: Path) -> None:
    """A manifest may name any path as evidence: what lies there is not shown."""
    data = json.loads((case / "manifest.json").read_text())
    for path in ("/dev/zero", "/etc/passwd", "/proc/self/environ", "/", "../../../etc/passwd", "\\u{0}", "x" * 5000):
        data["evidence"][0]["locations"][0]["path"] = path
        (case / "manifest.json").write_text(json.dumps(data))
        code, text = told(case, "verify", "{case}")
        assert code == errors.VERIFICATION_FAILED, text
        code, text = told(case, "explain", "--case", "{case}", "navy.exmaple")
        assert "root:" not in text and "PATH=" not in text
