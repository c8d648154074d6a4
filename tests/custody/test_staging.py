"""A stage changes a case wholly or not at all, wherever it is killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.custody import chain, lock, staging
from forensics.errors import CaseError, CaseInUse

MUTATIONS = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.truncate",
    "shutil.copyfile",
    "shutil.rmtree",
)


def made(folder: Path) -> Case:
    case = Case(folder / "case")
    for name in (
        "deliveries/month=2023-06/part-0.parquet",
        "deliveries/month=2023-07/part-0.parquet",
        "findings.parquet",
    ):
        (case.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (case.folder / name).write_bytes(b"old " + name.encode())
    case.manifest.write_text("old")
    case.reports.mkdir()
    (case.reports / "incident.html").write_text("old")
    chain.append(case.custody_log, {"action": "old"})
    return case


def stage(case: Case, elsewhere: Path) -> None:
    """What a stage may do: exchange a table, write one, remove one, append, write reports here and elsewhere."""
    with staging.change(case, "test") as staged:
        new = staged.next
        (new.deliveries / "month=2023-06" / "part-0.parquet").unlink()
        (new.deliveries / "month=2023-08").mkdir()
        (new.deliveries / "month=2023-08" / "part-0.parquet").write_bytes(b"new")
        new.findings.unlink()
        new.incidents.write_bytes(b"new")
        new.manifest.write_text("new")
        chain.append(new.custody_log, {"action": "new"})
        staged.report(case.reports / "incident.html").write_text("new")
        staged.report(case.reports / "more" / "sheet.csv").write_text("new")
        staged.report(elsewhere / "incident.pdf").write_text("new")


def state(case: Case, elsewhere: Path) -> dict[str, bytes]:
    """Every file, without what differs from run to run: times in the custody log."""
    found = {}
    for base in (case.folder, elsewhere):
        for path in sorted(base.rglob("*")):
            if path.is_file():
                name = f"{base.name}/{path.relative_to(base).as_posix()}"
                found[name] = path.read_bytes()
                if path == case.custody_log:
                    found[name] = str(len(chain.check(path).entries)).encode()
    return found


def killed(work: Callable[[], None], at: int) -> bool:
    """Run in a process of its own that ends at its `at`-th change of the file system; whether it came that far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal seen
            writing = (
                event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
            )
            if event in MUTATIONS or writing:
                seen += 1
                if seen == at:
                    os._exit(9)

        sys.addaudithook(hook)
        try:
            work()
        except BaseException:  # noqa: BLE001 - a forked test must not go on as the test runner
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def test_a_stage_comes_to_its_end(tmp_path: Path) -> None:
    case, elsewhere = made(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    stage(case, elsewhere)
    assert set(state(case, elsewhere)) == {
        "case/deliveries/month=2023-07/part-0.parquet", "case/deliveries/month=2023-08/part-0.parquet",
        "case/incidents.parquet", "case/manifest.json", "case/custody.jsonl", "case/reports/incident.html",
        "case/reports/more/sheet.csv", "elsewhere/incident.pdf", "case/.lock",
    }  # fmt: skip
    assert case.manifest.read_text() == "new" and (case.folder / ".lock").read_bytes() == b""


def test_killed_anywhere_it_has_happened_or_not(tmp_path: Path) -> None:
    outcomes = set()
    at = 0
    while True:
        at += 1
        place = tmp_path / str(at)
        case, elsewhere = made(place), place / "elsewhere"
        elsewhere.mkdir()
        with staging.change(case, "nothing"):
            pass
        before = state(case, elsewhere)
        went_on = killed(partial(stage, case, elsewhere), at)
        with staging.change(case, "next command"):
            pass
        after = state(case, elsewhere)
        if after != before:
            assert after["case/manifest.json"] == b"new" and after["elsewhere/incident.pdf"] == b"new"
            assert after["case/reports/incident.html"] == b"new" and len(after) == 9
        outcomes.add(after == before)
        if not went_on:
            break
    assert outcomes == {True, False} and at > 40


def test_a_kill_while_a_killed_stage_is_finished(tmp_path: Path) -> None:
    """Stop at the journal, then kill each attempt to go on one step later."""
    case, elsewhere = made(tmp_path), tmp_path / "elsewhere"
    elsewhere.mkdir()
    total = 0
    while killed(lambda: stage(made(tmp_path / f"count{total}"), elsewhere), total + 1):  # noqa: B023 - called at once
        total += 1
    step = next(n for n in range(1, total) if _journal_after(tmp_path, n))
    killed(lambda: stage(case, elsewhere), step)
    assert (case.folder / ".commit").exists()
    at = 1
    while killed(lambda: staging.finish(case), at):
        at += 1
    assert case.manifest.read_text() == "new" and not case.findings.exists()
    assert not (case.folder / ".next").exists() and not (case.folder / ".before").exists()


def _journal_after(folder: Path, at: int) -> bool:
    case, elsewhere = made(folder / f"journal{at}"), folder / f"elsewhere{at}"
    elsewhere.mkdir()
    killed(lambda: stage(case, elsewhere), at)
    return (case.folder / ".commit").exists()


def test_an_exception_leaves_the_case_as_it_was(tmp_path: Path) -> None:
    case = made(tmp_path)
    with staging.change(case, "nothing"):
        pass
    before = state(case, tmp_path / "none")
    with pytest.raises(RuntimeError), staging.change(case, "test") as staged:
        staged.next.findings.unlink()
        staged.report(tmp_path / "out.html").write_text("half")
        raise RuntimeError
    assert state(case, tmp_path / "none") == before and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "content",
    [
        '{"moves": [[".next/../../x", "deliveries"]], "removed": []}',
        '{"moves": [["/etc/hostname", "/etc/passwd"]], "removed": []}',
        '{"moves": [[".next/reports/../../x", "reports/../../x"]], "removed": []}',
        '{"moves": [], "removed": ["../elsewhere"]}',
        "[]",
        "cut off",
    ],
)
def test_a_journal_that_names_other_files_is_refused(tmp_path: Path, content: str) -> None:
    case = made(tmp_path)
    (case.folder / ".commit").write_text(content)
    with pytest.raises(CaseError, match=r"\.commit"):
        staging.finish(case)
    assert case.manifest.read_text() == "old"


def test_a_second_command_is_refused_by_name_or_waits(tmp_path: Path) -> None:
    case = made(tmp_path)
    named = pytest.raises(CaseInUse, match=rf"missent ingest, .*process {os.getpid()}")
    with lock.held(case, "ingest"), named, lock.held(case, "detect"):
        pass
    assert (case.folder / ".lock").read_bytes() == b""


def test_waiting_ends_when_the_other_one_does(tmp_path: Path) -> None:
    case = made(tmp_path)
    first = lock.held(case, "ingest")
    first.__enter__()
    naps = []

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            first.__exit__(None, None, None)

    with lock.held(case, "detect", wait=True, sleep=sleep):
        assert len(naps) == 3


def test_a_lock_of_another_machine_is_broken_only_on_demand(tmp_path: Path) -> None:
    case = made(tmp_path)
    (case.folder / ".lock").write_text('{"action": "ingest", "host": "elsewhere", "user": "ann", "since": "2024"}')
    with pytest.raises(CaseInUse, match=r"ann on elsewhere.*since 2024"), lock.held(case, "detect"):
        pass
    with lock.held(case, "detect", break_lock=True) as broken:
        assert broken is not None and broken["host"] == "elsewhere"
    with lock.held(case, "detect") as broken:
        assert broken is None


def test_a_lock_of_a_command_that_was_killed_holds_nobody(tmp_path: Path) -> None:
    case = made(tmp_path)

    def work() -> None:
        with lock.held(case, "ingest"):
            (case.folder / "x").write_text("")

    assert killed(work, 4) and (case.folder / ".lock").read_bytes()
    with lock.held(case, "detect") as broken:
        assert broken is None


def test_a_folder_made_for_a_command_that_did_nothing_goes_again(tmp_path: Path) -> None:
    case = Case(tmp_path / "a" / "case")
    with pytest.raises(RuntimeError), staging.change(case, "ingest"):
        raise RuntimeError
    assert not case.folder.exists()
