"""Programs that Missent starts are those of the machine, never what lies in the evidence's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from forensics.custody import programs
from forensics.errors import UsageError


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of evidence with a program of that name in it, in which the command is given."""
    for name in programs.PACKAGES:
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("before", [".", "", "bin", "./"], ids=repr)
@pytest.mark.parametrize("name", programs.PACKAGES)
def test_nothing_of_the_current_folder_is_started(
    hostile: Path, name: str, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", before)
    assert not programs.there(name)
    with pytest.raises(UsageError, match="is not installed"):
        programs.run(name, ["version"])
    monkeypatch.setenv("PATH", os.pathsep.join([before, "/usr/bin", "/bin"]))
    if programs.there(name):
        programs.run(name, ["version"])
    assert not (hostile / "ran").exists()


def test_it_does_not_run_in_the_current_folder(hostile: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "openssl").write_text('#!/bin/sh\npwd\necho "$OPENSSL_CONF"\n')
    (place / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    assert programs.run("openssl", []).stdout.decode().split() == ["/", "/dev/null"]


def test_one_that_does_not_end(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (hostile / "openssl").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setenv("PATH", f"{hostile}:/usr/bin:/bin")
    monkeypatch.setattr(programs, "LONGEST", 0.2)
    with pytest.raises(UsageError, match="did not end"):
        programs.run("openssl", [])
