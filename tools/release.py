"""What a release is held to before it leaves: `make release` builds it and runs this.

    python -m tools.release dist python3.11 python3.12 …

Every Python that is there gets an environment of its own with the wheel and what it needs, held to the digests of
requirements.txt; the sdist must build the same wheel there. Then, in an empty home and with the network cut off,
the wheel runs its worked examples; every Python must write what reports/ holds. What was not there is said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tools import packages

CUT_OFF = ("unshare", "--map-root-user", "--net")
"""Runs a command in which no network can be reached."""
OLDEST = (3, 11)


class Failed(Exception):
    """The release does not hold."""


def run(*command: str | Path, folder: Path, home: Path | None = None) -> str:
    """What the command prints. Raises Failed with what it said when it fails."""
    around = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    if home is not None:
        around |= {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    done = subprocess.run([str(part) for part in command], cwd=folder, env=around, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def version_of(python: str) -> str | None:
    """Its version, such as 3.12.1; None where there is no such Python, or one too old."""
    place = shutil.which(python)
    if place is None:
        return None
    done = subprocess.run(
        [place, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True
    )
    said = done.stdout.strip()
    return said if done.returncode == 0 and tuple(map(int, said.split(".")[:2])) >= OLDEST else None


def cut_off() -> tuple[str, ...]:
    """CUT_OFF, or nothing where the system does not let this user do that."""
    try:
        return CUT_OFF if subprocess.run([*CUT_OFF, "true"], capture_output=True).returncode == 0 else ()
    except OSError:
        return ()


def held(python: str, wheel: Path, sdist: Path, folder: Path) -> dict[str, str]:
    """Install and run in `folder`; returns digests of the reports, by name."""
    home = folder / "home"
    home.mkdir(parents=True)
    run(python, "-m", "venv", folder / "env", folder=folder)
    inside = folder / "env" / "bin"
    pip = (inside / "python", "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--require-hashes", "--requirement", wheel.with_name("requirements.txt"), folder=folder)
    run(*pip, "install", "--no-index", "--no-deps", wheel, folder=folder)
    run(*pip, "check", folder=folder)
    if (told := run(inside / "missent", "--version", folder=folder)) != f"missent {packages.project()['version']}\n":
        raise Failed(f"it says that it is {told}")
    run(*pip, "wheel", "--no-deps", "--wheel-dir", folder / "again", sdist, folder=folder)
    if (folder / "again" / wheel.name).read_bytes() != wheel.read_bytes():
        raise Failed(f"{sdist.name} builds another wheel than {wheel.name}")
    run(*cut_off(), inside / "missent", "demo", "--out", "c", "--reports", "r", folder=folder, home=home)
    return digests(folder / "r")


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every report below a folder, by its name there; not of seals, which are of one case alone."""
    written = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".seal.json")]
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in written}


def sizes(environment: Path) -> list[tuple[str, int]]:
    """Megabytes of each package folder in an environment, the largest first; below two megabytes together, as `…`."""
    place = next(environment.glob("lib/python*/site-packages"))
    found = {entry.name: _bytes(entry) for entry in place.iterdir()}
    joined: dict[str, int] = {}
    for name, size in found.items():
        owner = name.removesuffix(".libs").partition("-")[0]
        joined[owner] = joined.get(owner, 0) + size
    large = sorted(((name, round(size / 1e6)) for name, size in joined.items() if size >= 2e6), key=lambda one: -one[1])
    rest = sum(size for size in joined.values() if size < 2e6)
    return [*large, ("…", round(rest / 1e6)), ("together", round(sum(found.values()) / 1e6))]


def _bytes(path: Path) -> int:
    every = path.rglob("*") if path.is_dir() else [path]
    return sum(one.stat().st_size for one in every if one.is_file() and not one.is_symlink())


def main(dist: Path, pythons: Sequence[str]) -> None:
    """Hold the one wheel and sdist in `dist` to all of it. Raises Failed."""
    wheel, sdist = next(dist.glob("*.whl")).resolve(), next(dist.glob("*.tar.gz")).resolve()
    expected, there = digests(packages.ROOT / "reports"), 0
    for python in pythons:
        version = version_of(python)
        if version is None:
            print(f"{python}: not on this machine")
            continue
        there += 1
        with tempfile.TemporaryDirectory() as made:
            reports = held(python, wheel, sdist, Path(made))
            if there == 1:
                print("\n".join(f"{size:>6} MB  {name}" for name, size in sizes(Path(made) / "env")))
        if differ := sorted({name for name, _ in reports.items() ^ expected.items()}):
            raise Failed(f"{python} writes others than reports/ holds: {', '.join(differ)}")
        print(f"{python} ({version}): installed; the sdist builds the same wheel; the examples are as in reports/")
    if not cut_off():
        print("the network was NOT cut off: this system lets no user do that (unshare)")
    if not there:
        raise Failed("none of these Pythons is on this machine")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except Failed as failed:
        sys.exit(f"the release does not hold: {failed}")
