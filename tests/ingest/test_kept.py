"""What an ingest keeps makes the next one cheaper, and changes nothing that comes of it."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.custody import manifest, runs
from forensics.errors import AmbiguousTime, MissentError, VerificationFailed
from forensics.ingest import kept, survey, tasks, units
from tests.ingesting import message, to

DAYS = ("20230603.gz", "20230604.gz", "20230605.gz", "20230606.gz", "20230607.bz2", "20230608.xz", "20230609")


@pytest.fixture
def logs(data: Path, tmp_path: Path) -> list[Path]:
    """Seven days of one gateway."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return [Path(shutil.copy(data / "postfix-albion" / f"mail.log-{day}", folder)) for day in DAYS]


def ingest(paths: list[Path], case: Path, **options: Any) -> Any:
    return pipeline.ingest(paths, case, org=["albion.example"], org_add=True, year=2023, **options)


def tables(case: Path) -> dict[str, bytes]:
    return {p.relative_to(case).as_posix(): p.read_bytes() for p in sorted(case.rglob("*.parquet"))}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names of the files that are surveyed and read."""
    found: dict[str, list[str]] = {"survey": [], "read": []}
    surveyed, read_ = survey._survey, units.read

    def survey_one(source: Any, *rest: Any) -> Any:
        found["survey"].append(source.name)
        return surveyed(source, *rest)

    def read_one(folder: Path, unit: Any, given: Any = None) -> Any:
        found["read"] += [part.item.source.name for part in unit]
        return read_(folder, unit, given)

    monkeypatch.setattr(survey, "_survey", survey_one)
    monkeypatch.setattr(units, "read", read_one)
    return found


def test_a_new_file_costs_what_it_holds(logs: list[Path], tmp_path: Path, counted: dict[str, list[str]]) -> None:
    case = tmp_path / "case"
    ingest(logs[:5], case)
    before = {name: (case / name).stat().st_ino for name in tables(case)}
    counted["survey"].clear()
    counted["read"].clear()
    ingest(logs[5:6], case)
    assert counted == {"survey": [str(logs[5])], "read": [str(logs[5])]}
    after = {name: (case / name).stat().st_ino for name in tables(case)}
    left = [name for name in before if after[name] == before[name]]
    assert len(left) >= 3  # days that the new file does not touch are not even written again
    ingest(logs[:6], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    assert workbench.verify(case).ok


def test_day_by_day_and_backwards_come_to_the_same(logs: list[Path], tmp_path: Path) -> None:
    ingest(logs, tmp_path / "whole")
    for name, order in (("forth", logs), ("back", logs[::-1])):
        for log in order:
            ingest([log], tmp_path / name)
        assert tables(tmp_path / name) == tables(tmp_path / "whole")
        recorded = manifest.read(Case(tmp_path / name))
        whole = manifest.read(Case(tmp_path / "whole"))
        assert [(one.id, one.used, one.first, one.names) for one in recorded.evidence] == [
            (one.id, one.used, one.first, one.names) for one in whole.evidence
        ]


def test_a_relative_path_and_a_year_are_known_again(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "logs" / "plain"  # a name that tells no year
    plain.write_bytes(logs[6].read_bytes())
    monkeypatch.chdir(tmp_path)
    ingest([Path("logs/plain")], tmp_path / "case")
    ingest([logs[5]], tmp_path / "case")
    assert [one.names for one in manifest.read(Case(tmp_path / "case")).evidence][1] == ("logs/plain",)


def test_members_of_archives_are_known_again(logs: list[Path], tmp_path: Path, counted: dict[str, list[str]]) -> None:
    archive = tmp_path / "logs.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for log in logs[:2]:
            tar.add(log, f"var/log/{log.name}")
    case = tmp_path / "case"
    ingest([archive], case)
    counted["survey"].clear()
    counted["read"].clear()
    ingest(logs[2:3], case)
    assert counted == {"survey": [str(logs[2])], "read": [str(logs[2])]}
    ingest([archive, logs[2]], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    assert workbench.verify(case).ok


ALTERATIONS: dict[str, Callable[[Path], None]] = {
    "deleted": lambda folder: shutil.rmtree(folder),
    "state deleted": lambda folder: next(folder.glob("state-*.json")).unlink(),
    "state altered": lambda folder: _flip(next(folder.glob("state-*.json"))),
    "batch altered": lambda folder: _flip(next(folder.glob("*/legs.arrow"))),
    "batch deleted": lambda folder: shutil.rmtree(next(p for p in folder.iterdir() if p.is_dir())),
    "a file more": lambda folder: (next(p for p in folder.iterdir() if p.is_dir()) / "more").write_bytes(b"x"),
}


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("what", ALTERATIONS)
def test_what_was_altered_is_read_again(
    logs: list[Path], tmp_path: Path, counted: dict[str, list[str]], what: str
) -> None:
    case = tmp_path / "case"
    ingest(logs[:3], case)
    ALTERATIONS[what](case / runs.FOLDER)
    missing = "deleted" in what
    assert workbench.verify(case).ok is missing  # what is gone may be gone; what is there must be as it was
    counted["read"].clear()
    ingest(logs[3:4], case)
    assert str(logs[0]) in counted["read"]
    ingest(logs[:4], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    assert workbench.verify(case).ok


def test_a_table_that_was_altered_is_not_left_as_it_is(logs: list[Path], tmp_path: Path) -> None:
    case = tmp_path / "case"
    ingest(logs[:3], case)
    first = sorted((case / "deliveries").rglob("*.parquet"))[0]
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.unlink()
    first.write_bytes(content)
    ingest(logs[3:4], case)
    ingest(logs[:4], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")


def test_evidence_that_was_touched_is_surveyed_again(
    logs: list[Path], tmp_path: Path, counted: dict[str, list[str]]
) -> None:
    case = tmp_path / "case"
    ingest(logs[:2], case)
    content = logs[0].read_bytes()
    logs[0].unlink()
    logs[0].write_bytes(content)
    counted["survey"].clear()
    ingest(logs[2:3], case)
    assert sorted(counted["survey"]) == [str(logs[0]), str(logs[2])]
    logs[0].write_bytes(logs[3].read_bytes())
    with pytest.raises(MissentError):
        ingest(logs[4:5], case)


def test_evidence_that_changes_behind_the_reading_is_surveyed_again(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mark is of the file that was read, not of what lies there when the ingest ends."""
    case = tmp_path / "case"
    write = kept.write

    def changed_before(*given: Any) -> str:
        content = logs[6].read_bytes()
        logs[6].write_bytes(content.replace(b"albion", b"albiom"))
        return write(*given)

    with monkeypatch.context() as patched:
        patched.setattr(kept, "write", changed_before)
        ingest(logs[5:], case)
    with pytest.raises(MissentError, match="its content is no longer what the case recorded"):
        ingest(logs[:1], case)


def test_what_another_user_kept_is_not_used(
    logs: list[Path], tmp_path: Path, counted: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a manifest that fits, batches could do harm to what reads them: a case from elsewhere is not believed."""
    case = tmp_path / "case"
    ingest(logs[:2], case)
    counted["read"].clear()
    counted["survey"].clear()
    with monkeypatch.context() as patched:
        patched.setattr(kept, "_key", lambda: b"another".ljust(kept.KEY))
        told = ingest(logs[2:3], case)
    assert sorted(counted["read"]) == sorted(counted["survey"]) == [str(one) for one in logs[:3]]
    assert told.read_again == tuple(str(one) for one in logs[:2])
    with monkeypatch.context() as patched:
        patched.setattr(kept, "_key", lambda: None)
        ingest(logs[3:4], case)
        counted["read"].clear()
        ingest(logs[4:5], case)
        assert str(logs[0]) in counted["read"]
    ingest(logs[:5], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")


def test_the_key_is_this_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.compiler, "kept_in", lambda: tmp_path / "cache" / "x")
    (tmp_path / "cache").mkdir(mode=0o700)
    key = kept._key()
    assert key is not None and key == kept._key()
    place = tmp_path / "cache" / "kept.key"
    assert place.stat().st_mode & 0o777 == 0o600
    place.chmod(0o644)
    assert kept._key() is None
    place.unlink()
    place.symlink_to("/etc/hostname")
    assert kept._key() is None
    place.unlink()
    (tmp_path / "cache").chmod(0o777)
    assert kept._key() is None


def test_a_key_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, or a kill in the midst of it, must not leave a key that is none for ever."""
    monkeypatch.setattr(kept.compiler, "kept_in", lambda: tmp_path / "cache" / "x")
    (tmp_path / "cache").mkdir(mode=0o700)
    with monkeypatch.context() as patched:
        patched.setattr(kept.secrets, "token_bytes", lambda _: b"")
        assert kept._key() is None
    key = kept._key()
    assert key is not None and key == kept._key()
    with monkeypatch.context() as patched:  # another process is quicker
        patched.setattr(kept, "_own", lambda _: None)
        assert kept._key() is None
    assert key == kept._key()
    assert [one.name for one in (tmp_path / "cache").iterdir()] == ["kept.key"]


def test_without_a_home_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept.compiler, "kept_in", lambda: None)
    assert kept._key() is None


def test_other_code_uses_nothing_that_was_kept(
    logs: list[Path], tmp_path: Path, counted: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    ingest(logs[:2], case)
    counted["read"].clear()
    for module in (kept.madeby, units.madeby, tasks.madeby):
        monkeypatch.setattr(module, "digest", lambda: "0" * 64)
    ingest(logs[2:3], case)
    assert str(logs[0]) in counted["read"]


def test_other_rules_of_a_zone_are_another_survey(
    logs: list[Path], tmp_path: Path, counted: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kept._rules("Europe/Paris") != kept._rules("Europe/London") != kept._rules("No/Such") == ""
    case = tmp_path / "case"
    ingest(logs[:1], case, timezone="Europe/Paris")
    monkeypatch.setattr(kept, "_rules", lambda zone: f"{zone}, as it is from next year on")
    counted["survey"].clear()
    ingest(logs[1:2], case)
    assert sorted(counted["survey"]) == [str(one) for one in logs[:2]]


def test_nothing_stays_of_an_ingest_that_failed(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    ingest(logs[:2], case)
    before = sorted(path.name for path in (case / runs.FOLDER).iterdir())
    content = tables(case)

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "write", fails)
        with pytest.raises(OSError, match="No space"):
            ingest(logs[2:3], case)
    assert tables(case) == content
    assert set(before) <= {path.name for path in (case / runs.FOLDER).iterdir()}
    assert workbench.verify(case).ok
    ingest(logs[2:3], case)
    state = manifest.read(Case(case)).kept
    listed = json.loads(runs.state(case / runs.FOLDER, state).read_bytes())["batches"]
    names = {name for _, name, _ in listed} | {runs.state(case / runs.FOLDER, state).name}
    assert {path.name for path in (case / runs.FOLDER).iterdir()} == names


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["4B1C2D3E4F", "5C2D3E4F5A", "6D3E4F5A6B"]),
        st.integers(0, 59),
        st.booleans(),
        st.sampled_from(["x@navy.example", "y@army.example"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(files=st.lists(MESSAGES, min_size=2, max_size=4), order=st.randoms(use_true_random=False))
def test_any_logs_in_any_order_come_to_what_they_come_to_at_once(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[tuple[str, int, bool, str]]], order: Any
) -> None:
    """Ids that are used again, messages that cross files, files that hold the same: one after the other or all at
    once."""
    folder = tmp_path_factory.mktemp("kept")
    paths = []
    for n, messages in enumerate(files):
        path = folder / f"{n}.log"
        text = "".join(
            message(
                queue_id, to(recipient), removed=removed, at=f"2024-03-0{n % 2 + 1}T10:{minute:02d}:00.000000+00:00"
            )
            for queue_id, minute, removed, recipient in sorted(messages, key=lambda one: one[1])
        )
        path.write_text(text)
        paths.append(path)
    pipeline.ingest(paths, folder / "whole", org=["albion.example"])
    order.shuffle(paths)
    for path in paths:
        pipeline.ingest([path], folder / "case", org=["albion.example"])
    assert tables(folder / "case") == tables(folder / "whole")


def test_a_copy_that_was_exchanged_does_not_become_evidence(logs: list[Path], tmp_path: Path) -> None:
    case, copy = tmp_path / "case", tmp_path / "logs" / "copy-20230603.gz"
    shutil.copy(logs[0], copy)
    ingest([logs[0], copy], case)
    copy.write_bytes(logs[3].read_bytes())
    with pytest.raises(VerificationFailed, match=r"copy-20230603.gz: its content is no longer what the case recorded"):
        ingest(logs[1:2], case)
    assert [one.names for one in manifest.read(Case(case)).evidence] == [(str(copy), str(logs[0]))]


def test_evidence_that_was_moved_is_found_where_it_is_named(logs: list[Path], tmp_path: Path) -> None:
    case, moved = tmp_path / "case", tmp_path / "moved"
    ingest(logs[:1], case)
    moved.mkdir()
    there = Path(shutil.move(logs[0], moved))
    with pytest.raises(MissentError, match="is no longer at"):
        ingest(logs[1:2], case)
    assert ingest([there, logs[1]], case).read_again == ()
    shutil.copy(there, logs[0])
    ingest(logs[:2], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    logs[0].unlink()
    assert workbench.verify(case).ok


def test_a_file_that_grows_again_and_again(logs: list[Path], tmp_path: Path) -> None:
    """All that it was remains evidence, under one name and at one place."""
    content = logs[6].read_bytes()
    grows, states = tmp_path / "grows.log-20230609", []
    for size in (20_000, 40_001, len(content)):
        grows.write_bytes(content[:size])
        states.append(tmp_path / f"{size}.log-20230609")
        states[-1].write_bytes(content[:size])
        ingest([grows], tmp_path / "case")
    ingest(logs[5:6], tmp_path / "case")
    ingest([*states, logs[5]], tmp_path / "whole")
    assert tables(tmp_path / "case") == tables(tmp_path / "whole")
    assert workbench.verify(tmp_path / "case").ok


def test_what_was_said_of_a_file_is_not_said_of_another_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But of the same one when it has grown."""
    first = message("4B1C2D3E4F", to("x@navy.example"), at="Mar  1 10:00:00")
    more = message("5B1C2D3E4F", to("x@navy.example"), at="Mar  2 10:00:00")
    for folder, text in (("a", first), ("b", more)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mail.log").write_text(text)
    case = tmp_path / "case"
    monkeypatch.chdir(tmp_path / "a")
    pipeline.ingest([Path("mail.log")], case, org=["albion.example"], year=2023)
    monkeypatch.chdir(tmp_path / "b")
    with pytest.raises(AmbiguousTime, match=r"mail.log: its time stamps have no year"):
        pipeline.ingest([Path("mail.log")], case)
    monkeypatch.chdir(tmp_path / "a")
    Path("mail.log").write_text(first + more)
    assert pipeline.ingest([Path("mail.log")], case).deliveries == 2


def test_what_case_toml_no_longer_says_is_not_remembered(tmp_path: Path) -> None:
    """What an option said of a file stays with it; what case.toml said goes when it is taken out."""
    log, later = tmp_path / "mail.log-20240305", tmp_path / "mail.log-20240306"
    log.write_text(message("4B1C2D3E4F", to("x@navy.example"), at="Mar  1 10:00:00"))
    later.write_text(message("5B1C2D3E4F", to("x@navy.example"), at="Mar  2 10:00:00"))
    case, whole = tmp_path / "case", tmp_path / "whole"
    pipeline.create_or_update(Case(case), org=["albion.example"])
    plain = Case(case).toml.read_text()
    Case(case).toml.write_text(f'{plain}\n[[sources]]\nfile = "*"\nyear = 2023\ntimezone = "Asia/Kolkata"\n')
    pipeline.ingest([log], case)
    Case(case).toml.write_text(plain)
    pipeline.ingest([later], case)
    pipeline.ingest([log, later], whole, org=["albion.example"])
    assert tables(case) == tables(whole)


def test_copies_whose_names_tell_other_years_are_asked_about(tmp_path: Path) -> None:
    """Whichever was named first, and whether together or one after the other."""
    text = message("4B1C2D3E4F", to("x@navy.example"), at="Mar  1 10:00:00")
    one, other = tmp_path / "z.log-20230303", tmp_path / "a.log-20220303"
    for path in (one, other):
        path.write_text(text)
    with pytest.raises(AmbiguousTime, match=r"z.log-20230303: holds the same as .*a.log-20220303"):
        pipeline.ingest([one, other], tmp_path / "at-once", org=["albion.example"])
    for name, first, later in (("forth", one, other), ("back", other, one)):
        pipeline.ingest([first], tmp_path / name, org=["albion.example"])
        with pytest.raises(AmbiguousTime, match="holds the same as"):
            pipeline.ingest([later], tmp_path / name, org=["albion.example"])
    pipeline.ingest([one, other], tmp_path / "told", org=["albion.example"], year=2023)
    assert pipeline.ingest([one], tmp_path / "told", org=["albion.example"]).already == 1


def test_known_content_in_another_packing_is_known(tmp_path: Path) -> None:
    """It was read, and named nothing new: that is not the same as nothing read."""
    plain, packed = tmp_path / "a.log", tmp_path / "b.log.gz"
    plain.write_text(message("4B1C2D3E4F", to("x@navy.example")))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    pipeline.ingest([plain], tmp_path / "case", org=["albion.example"])
    assert pipeline.ingest([packed], tmp_path / "case", org=["albion.example"]).evidence == 1
    names = [one.names for one in manifest.read(Case(tmp_path / "case")).evidence]
    assert names == [(str(plain), str(packed))]
    pipeline.ingest([packed, plain], tmp_path / "whole", org=["albion.example"])
    assert tables(tmp_path / "case") == tables(tmp_path / "whole")


@pytest.mark.parametrize("told", ['timezone = "Europe/Paris"', 'host = "mx9"'])
def test_the_same_records_told_otherwise_are_other_rows(tmp_path: Path, told: str) -> None:
    """A message that goes on in the next file rests on the same records, whatever zone or host people say of them."""
    lines = message("4B1C2D3E4F", to("x@navy.example"), at="Mar  1 10:00:00", host="").splitlines(True)
    paths = [tmp_path / "a.log", tmp_path / "b.log"]
    for path, part in zip(paths, (lines[:3], lines[3:]), strict=True):
        path.write_text("".join(part).replace("  postfix", " postfix" if "host" in told else " mx1 postfix"))
    for place, more in (("case", False), ("fresh", True), ("case", True)):
        case = tmp_path / place
        if more:
            pipeline.create_or_update(Case(case), org=["albion.example"])
            with (case / "case.toml").open("a") as file:
                file.write(f'\n[[sources]]\nfile = "*.log"\n{told}\n')
        assert pipeline.ingest(paths, case, org=["albion.example"], year=2024).deliveries == 1
    assert tables(tmp_path / "case") == tables(tmp_path / "fresh")


@pytest.mark.parametrize("lost", range(4))
def test_a_block_of_packed_evidence_is_read_again_alone(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    """Packed content is gone through from its beginning, whichever of its blocks is wanted."""
    monkeypatch.setattr(survey, "BLOCK", 1 << 15)
    monkeypatch.setattr(units, "BUNDLE", 1 << 14)
    case = tmp_path / "case"
    ingest(logs[:1], case)
    state = runs.state(case / runs.FOLDER, manifest.read(Case(case)).kept)
    names = [name for _, name, _ in json.loads(state.read_bytes())["batches"]]
    assert len(names) >= 4
    shutil.rmtree(case / runs.FOLDER / names[lost])
    ingest(logs[1:2], case)
    ingest(logs[:2], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    assert workbench.verify(case).ok
