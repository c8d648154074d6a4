"""Compiled code fits the sources and the processor, and is loaded only from where nobody else could have put it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from forensics.native import selfcheck, text
from tests.conftest import ROOT

KERNELS = """
from forensics_room.compiler import entry, kernel
from forensics_room.numbers import FACTOR

@kernel
def times(n):
    return n * FACTOR

@entry("const int64[:], int64[:]")
def total(values, out, result):
    \"\"\"The sum of the values, each times FACTOR.\"\"\"
    for k in range(values.size):
        out[k] = times(values[k])
        result[0] = out[k] if k == 0 else result[0] + out[k]
"""
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import numba, numpy as np
before = numba.config.CACHE_DIR
from forensics_room import compiler
from forensics_room.kernels import total
had = compiler.cached()
folder = compiler.ready()
assert numba.config.CACHE_DIR == before, "another user of numba finds its cache elsewhere"
print(had, total(np.arange(4), np.zeros(4, np.int64)), folder)
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A room of one kernel, whose constant stands in another module."""
    folder = tmp_path / "code" / "forensics_room"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    shutil.copy(ROOT / "forensics" / "native" / "compiler.py", folder)
    (folder / "numbers.py").write_text("FACTOR = 3\n")
    (folder / "kernels.py").write_text(KERNELS)
    return folder


def started(room: Path, cache: Path) -> tuple[str, str, Path, str]:
    """(was it cached, the result, the cache folder used, standard error) of a process of its own."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(room.parent)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    had, result, folder = done.stdout.split()
    return had, result, Path(folder), done.stderr


def private(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def test_a_constant_of_another_module_is_never_stale(room: Path, tmp_path: Path) -> None:
    cache = private(tmp_path / "cache")
    assert started(room, cache)[:2] == ("False", "18")
    assert started(room, cache)[:2] == ("True", "18")
    (room / "numbers.py").write_text("FACTOR = 5\n")  # as long as before; the kernel's own file is untouched
    assert started(room, cache)[:2] == ("False", "30")


def test_files_written_again_are_compiled_again_aloud(room: Path, tmp_path: Path) -> None:
    """numba goes by the time of the file: `cached` must not promise what numba does not hold."""
    cache = private(tmp_path / "cache")
    started(room, cache)
    os.utime(room / "kernels.py", ns=(1, 1))
    assert started(room, cache)[:2] == ("False", "18")


def test_a_folder_open_to_others_is_not_used(room: Path, tmp_path: Path) -> None:
    cache = private(tmp_path / "cache")
    _, _, folder, _ = started(room, cache)
    assert folder.is_relative_to(cache) and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    had, result, other, said = started(room, cache)
    assert (had, result) == ("False", "18")
    assert not other.is_relative_to(cache) and "0777" in said and "not kept" in said
    assert not other.exists(), "a private folder goes with the process"


def test_a_folder_that_others_could_exchange_is_not_used(room: Path, tmp_path: Path) -> None:
    shared = private(tmp_path / "shared")
    cache = private(shared / "cache")
    shared.chmod(0o777)
    _, result, folder, said = started(room, cache)
    assert result == "18" and not folder.is_relative_to(cache) and str(shared) in said


def test_without_a_home_code_is_made_for_the_process_alone(room: Path) -> None:
    homeless = (
        "import os, pathlib\nfor name in ('HOME', 'XDG_CACHE_HOME', 'NUMBA_CACHE_DIR'): os.environ.pop(name, 0)\n"
    )
    homeless += "def home(): raise RuntimeError('Could not determine home directory.')\npathlib.Path.home = home\n"
    asked = [sys.executable, "-P", "-c", homeless + PROGRAM, str(room.parent)]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    had, result, folder = done.stdout.split()
    assert (had, result) == ("False", "18") and "this user has no home folder" in done.stderr
    assert not Path(folder).exists(), "a private folder goes with the process"


def test_a_link_in_the_place_of_the_folder_is_not_followed(room: Path, tmp_path: Path) -> None:
    cache = private(tmp_path / "cache")
    _, _, folder, _ = started(room, cache)
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    assert started(room, cache)[2] != folder


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="NOT RUN: only root can give files away")
def test_files_of_another_user_are_not_loaded(room: Path, tmp_path: Path) -> None:
    cache = private(tmp_path / "cache")
    _, _, folder, _ = started(room, cache)
    kept = next(path for path in folder.rglob("*.nbc"))
    os.chown(kept, 65534, 65534)
    had, result, other, said = started(room, cache)
    assert (had, result) == ("False", "18") and other != folder and kept.name in said


def test_two_processes_that_compile_at_once_do_not_mix(room: Path, tmp_path: Path) -> None:
    """Each compiles aside; the first that is done is kept whole, and nothing else is left."""
    cache = private(tmp_path / "cache")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: started(room, cache)[:2], range(3)))
    assert found == [("False", "18")] * 3
    (kept,) = cache.iterdir()
    assert (kept / "complete").exists() and started(room, cache)[:2] == ("True", "18")


def test_arguments_of_another_kind_are_refused(tmp_path: Path) -> None:
    """NumPy would convert them, and results would go into a copy."""
    from forensics.native.columns import hash_rows

    offsets, data, bits = np.array([0, 2], np.int32), np.frombuffer(b"ab", np.uint8), np.zeros(0, np.uint8)
    out = np.zeros(1, np.uint64)
    hash_rows(offsets, data, bits, out)
    assert out[0] == text.hash_of(b"ab")
    frozen = out.copy()
    frozen.flags.writeable = False
    wide = np.zeros((2, 2), np.uint64)
    for wrong in (
        (offsets.astype(np.int64), data, bits, out),
        (offsets, data, bits, out.astype(np.int64)),
        (offsets, data, bits, frozen),
        (offsets, data, bits, wide),
        (offsets, data, bits, wide[:, 0]),
    ):
        with pytest.raises(TypeError, match="hash_rows"):
            hash_rows(*wrong)


def test_python_runs_on_while_an_entry_does() -> None:
    from forensics.native.exchange.messages import fingerprint

    data, out = np.zeros(1 << 25, np.uint8), np.zeros(1, np.uint64)
    steps, seen = [0], []

    def work() -> None:
        before = steps[0]
        fingerprint(data, np.zeros(1, np.int32), np.array([data.size], np.int32), out)
        seen.append(steps[0] - before)

    work()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        while not running.done():
            steps[0] += 1
    assert seen[0] == 0 and seen[1] > 1000


def test_a_compiler_that_computes_wrongly_is_found_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    selfcheck.check()
    monkeypatch.setattr(selfcheck, "EXPECTED", selfcheck.EXPECTED ^ 1)
    with pytest.raises(AssertionError, match="computes wrongly"):
        selfcheck.check()


def test_the_expected_result_follows_from_the_formulas() -> None:
    raw, everything, factor = selfcheck.TEXT, (1 << 64) - 1, int(text.FACTOR)
    h = int(text.SEED)
    for k in range(0, len(raw), 8):
        h = (h ^ int.from_bytes(raw[k : k + 8], "little")) * factor & everything
        h ^= h >> 32
    h = (h ^ len(raw)) * factor & everything
    for multiplier in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):  # MurmurHash3's finaliser
        h = (h ^ h >> 33) * multiplier & everything
    assert h ^ h >> 33 == selfcheck.EXPECTED


def test_nothing_of_the_folder_of_the_evidence_runs(tmp_path: Path) -> None:
    """Modules that lie beside the logs, under names that the command imports."""
    trap = "import pathlib; pathlib.Path(__file__).with_suffix('.ran').touch(); raise SystemExit('trapped')\n"
    for name in ("ctypes", "numba", "json", "click", "forensics", "sitecustomize", "llvmlite", "duckdb", "typst"):
        (tmp_path / f"{name}.py").write_text(trap)
    log = tmp_path / "mail.log-20240301"
    log.write_bytes(LOG)
    command = [str(Path(sys.executable).parent / "missent"), "run", log.name, "--org", "example.org", "--format", "pdf"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list(tmp_path.glob("*.ran"))


LOG = b"""\
Mar  1 10:00:00 mx1 postfix/smtpd[7]: 4F1A2B3C4D: client=pc1.example.org[192.0.2.7], sasl_username=ann
Mar  1 10:00:00 mx1 postfix/cleanup[8]: 4F1A2B3C4D: message-id=<1@example.org>
Mar  1 10:00:00 mx1 postfix/qmgr[9]: 4F1A2B3C4D: from=<ann@example.org>, size=900, nrcpt=1 (queue active)
Mar  1 10:00:01 mx1 postfix/smtp[10]: 4F1A2B3C4D: to=<bob@navy.ml>, relay=mx.navy.ml[203.0.113.5]:25, delay=1, \
delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Mar  1 10:00:01 mx1 postfix/qmgr[9]: 4F1A2B3C4D: removed
"""
