"""What leaves the house: the wheel and the sdist hold what README.md promises, under one version.

`make release` installs both where nothing else is, and runs them without a network.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.man_page import escaped
from tools import release


def build(source: Path, out: Path, *targets: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(out)]
    done = subprocess.run([*command, *(f"-t{one}" for one in targets)], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, the sdist, and what the sdist unpacks to in `source`."""
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out, "wheel", "sdist")
    with tarfile.open(next(out.glob("*.tar.gz"))) as packed:
        packed.extractall(out, filter="data")
    next(path for path in out.iterdir() if path.is_dir()).rename(out / "source")
    return out


def version() -> str:
    found: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return found


def test_the_sdist_holds_what_the_readme_promises(built: Path) -> None:
    source = built / "source"
    readme = (source / "README.md").read_text("utf-8")
    links = re.findall(r'(?:\]\(|src=")(?!https?:)([^)"#]+)', readme)
    assert len(links) > 15
    assert not [link for link in links if not (source / link).exists()]
    folders = re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*)`", readme)
    assert folders and not [one for one in folders if not (source / one).exists() and not one.startswith("case/")]
    modules = re.findall(r"python -m ((?:tests|tools|forensics)[\w.]*)", readme)
    places = [source / one.replace(".", "/") for one in modules]
    assert places and not [one for one in places if not (one.is_dir() or one.with_suffix(".py").exists())]
    targets = set(re.findall(r"^([\w-]+):", (source / "Makefile").read_text("utf-8"), re.M))
    assert set(re.findall(r"^make ([\w-]+)", readme, re.M)) | {"install", "docs"} <= targets


def test_the_sdist_builds_the_same_wheel(built: Path) -> None:
    build(built / "source", built / "again", "wheel")
    one, other = next(built.glob("*.whl")), next((built / "again").glob("*.whl"))
    assert one.name == other.name == f"missent-{version()}-py3-none-any.whl"
    assert one.read_bytes() == other.read_bytes()


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
        page = next(name for name in names if name.endswith("share/man/man1/missent.1"))
        assert wheel.read(page) == (ROOT / "man" / "missent.1").read_bytes()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"forensics", "missent"}
    for need in ("py.typed", "demo/albion/case.toml", "detector/parameters.json", "report/templates/report.html"):
        assert f"forensics/{need}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_the_version_is_said_in_one_place() -> None:
    command = [sys.executable, "-c", "from forensics.cli import start; start()", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert said.stdout == f"missent {version()}\n", "run `make install`: the installed one has another version"
    assert f"\n## {version()}\n" in (ROOT / "docs" / "changelog.md").read_text("utf-8")
    sources = [path.read_text("utf-8") for path in (ROOT / "forensics").rglob("*.py")]
    assert not [text for text in sources if re.search(rf"['\"]{re.escape(version())}['\"]", text)]


def test_pythons_that_are_there_are_told_from_those_that_are_not(tmp_path: Path) -> None:
    assert release.version_of(sys.executable) == platform.python_version()
    assert release.version_of("python-that-nobody-has") is None
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\necho 3.9.18\n")
    old.chmod(0o755)
    assert release.version_of(str(old)) is None


def test_what_takes_the_room_adds_up(tmp_path: Path) -> None:
    place = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, size in (
        ("large/a.so", 5_000_000),
        ("large-1.0.dist-info/RECORD", 1_000_000),
        ("large.libs/b.so", 3_000_000),
        ("small/x", 900_000),
    ):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_bytes(bytes(size))
    assert release.sizes(tmp_path) == [("large", 9), ("…", 1), ("together", 10)]


def test_a_release_that_does_not_hold_is_said(tmp_path: Path) -> None:
    (tmp_path / "missent-0-py3-none-any.whl").touch()
    (tmp_path / "missent-0.tar.gz").touch()
    with pytest.raises(release.Failed, match="none of these Pythons"):
        release.main(tmp_path, ["python-that-nobody-has"])
    with pytest.raises(release.Failed, match="no such words"):
        release.run(sys.executable, "-c", "import sys; sys.exit('no such words')", folder=tmp_path)


def test_a_python_that_writes_other_reports_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "missent-0-py3-none-any.whl").touch()
    (tmp_path / "missent-0.tar.gz").touch()
    kept = release.digests(ROOT / "reports")
    assert {"albion/incident.html", "mod-2023/incident.pdf"} <= set(kept)
    monkeypatch.setattr(release, "sizes", lambda environment: [])
    monkeypatch.setattr(release, "held", lambda python, wheel, sdist, folder: kept)
    release.main(tmp_path, [sys.executable])
    monkeypatch.setattr(release, "held", lambda *of: {**kept, "albion/incident.html": "0" * 64})
    with pytest.raises(release.Failed, match=r"holds: albion/incident\.html"):
        release.main(tmp_path, [sys.executable])


def test_text_is_no_request_to_roff() -> None:
    assert escaped(".so /etc/passwd\n'br\na\\fBb -c") == "\\&.so /etc/passwd\n\\&'br\na\\efBb \\-c"


def test_the_manual_page_is_sound() -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    command = ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-z", str(ROOT / "man" / "missent.1")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
