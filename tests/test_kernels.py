"""Machine code kept in a cache and linked without numba: same results, nothing trusted that was not written there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import domains
from forensics.loaders.postfix import text
from forensics.stitch import columns
from tests.conftest import ROOT

PROGRAM = """
import sys
import numpy as np
from forensics import kernels
from forensics.kernels import kernel
from forensics.loaders.postfix import text

kernels.compile_kernels()
assert kernels.compiled() and kernels.warm()

@kernel("int64(uint8[::1], int64[:,::1])")
def total(buf, out):
    out[0, 1] = np.int64(text.hashed(buf, 0, buf.size, text.SEED) >> np.uint64(1))
    n = 0
    for k in range(buf.size):
        n += buf[k]
    return n

out = np.zeros((1, 2), np.int64)
buf = np.frombuffer(b"missent, miss-sent", np.uint8)
print(total(buf, out), out[0, 1], "numba" in sys.modules)
for wrong in ((buf.astype(np.int8), out), (buf, np.zeros((2, 4), np.int64)[:, ::2]), (buf, out[0])):
    try:
        total(*wrong)
    except TypeError:
        continue
    raise SystemExit("an array of another kind was taken")
"""
ALLOCATES = """
import numpy as np
from forensics import kernels
from forensics.kernels import kernel

kernels.compile_kernels()

@kernel("int64(int64)")
def makes(n):
    return np.zeros(n, np.int64).sum()
"""


def started(program: str, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, env=environment, cwd=ROOT
    )


@pytest.mark.slow
def test_code_is_kept_and_linked_without_numba(tmp_path: Path) -> None:
    first = started(PROGRAM, tmp_path)
    assert first.returncode == 0, first.stderr
    raw = b"missent, miss-sent"
    wanted = f"{sum(raw)} {text.hash_number(raw, int(text.SEED)) >> 1}"
    assert first.stdout.split() == [*wanted.split(), "True"]
    again = started(PROGRAM, tmp_path)
    assert again.stdout.split() == [*wanted.split(), "False"], again.stderr
    (kept,) = tmp_path.glob("*/__main__.total.o")
    whole = kept.read_bytes()
    for damaged in (whole[:-1], whole[:70] + b"\x90" + whole[71:], b""):
        kept.write_bytes(damaged)
        mended = started(PROGRAM, tmp_path)
        assert mended.stdout.split() == [*wanted.split(), "True"], mended.stderr
        assert kept.read_bytes().partition(b"\n")[0] == whole.partition(b"\n")[0]


@pytest.mark.slow
def test_a_kernel_that_allocates_is_refused(tmp_path: Path) -> None:
    done = started(ALLOCATES, tmp_path)
    assert done.returncode != 0 and not list(tmp_path.glob("*/__main__.*"))


@settings(deadline=None)
@given(st.lists(st.none() | st.text("aZé.@ b9Q-\u0130ß", max_size=40), min_size=1, max_size=20))
def test_columns_hash_as_their_text_does(values: list[str | None]) -> None:
    column = pa.array(values, pa.string())
    mixed = [0 if v is None else int(text._mix(text.hash_number(v.encode(), int(text.SEED)))) for v in values]
    assert columns.hashes(column).tolist() == mixed
    keys = [0 if v is None else text.key_number(domains.key(v).encode()) & text.ALL for v in values]
    assert columns.keys(column).tolist() == keys
    assert columns.domain_column(column).to_pylist() == [None if v is None else domains.parts(v)[1] for v in values]


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 8))
def test_words_are_lowered_as_bytes_are(raw: bytes, start: int) -> None:
    word = int.from_bytes(raw[:8], "little")
    with np.errstate(over="ignore"):
        low = int(text.lowered(np.uint64(word)))
    assert low == int.from_bytes(raw[:8].lower(), "little")
    assert text.address_number(raw.upper()) == text.address_number(raw.lower())
    assert text.hash_number(raw[start:], 7) == int(text.hashed(raw, start, max(start, len(raw)), np.uint64(7)))


def compile_with(tmp_path: Path, before: str) -> tuple[list[str], set[str]]:
    """What a process prints that compiles two small kernels after these statements, and which files it then has."""
    program = (
        f"import os, sys\n{before}\nfrom forensics import kernels\nfrom forensics.stitch import shelf\n"
        "heard = []\nkernels.progress = lambda step, done, total: heard.append((step, done, total))\n"
        "kernels.compile_kernels(all_declared=False)\n"
        "print('numba' in sys.modules, sorted(heard) == heard, heard[0][:2] == ('compile', 0), kernels.compiled())"
    )
    done = started(program, tmp_path)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), {path.name for path in tmp_path.glob("*/*.o")}


@pytest.mark.slow
def test_processes_of_their_own_compile_or_this_one_does(tmp_path: Path) -> None:
    apart, files = compile_with(tmp_path / "apart", "")
    assert apart == ["False", "True", "True", "True"]
    alone, same_files = compile_with(tmp_path / "alone", "sys.executable = ''")
    assert alone == ["True", "True", "True", "True"]
    failing, files_again = compile_with(tmp_path / "failing", "os.environ['PYTHONHOME'] = '/nowhere'")
    assert failing == alone
    assert files == same_files == files_again and len(files) >= 4
