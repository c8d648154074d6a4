"""Names are BLAKE2b of what the documentation says, letter for letter, interpreted and compiled, short and long."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.stitch import naming
from tests.conftest import ROOT

ADDRESSES = st.text("aZ9. @é\u0130", max_size=12) | st.text("aZ9.@", max_size=300)
ROW = st.tuples(
    st.text("0Aa-", max_size=20), st.integers(-(2**62), 2**62), ADDRESSES, st.none() | ADDRESSES, st.booleans()
)


def named(rows: list[tuple[str, int, str, str | None, bool]]) -> naming.Named:
    return naming.Named(
        pa.array(["postfix"] * len(rows)).dictionary_encode(),
        pa.array(["mx1.example" if host else None for *_, host in rows], pa.string()).dictionary_encode(),
        pa.array([queue for queue, *_ in rows], pa.string()),
        np.array([stamp for _, stamp, *_ in rows], np.int64),
        pa.array([to for _, _, to, *_ in rows], pa.string()),
        pa.array([was for *_, was, _ in rows], pa.string()),
    )


def check(rows: list[tuple[str, int, str, str | None, bool]]) -> None:
    given_rows = named(rows)
    digits, top = naming.names(given_rows)
    wanted = [naming.digest(given_rows.message(r)) for r in range(len(rows))]
    assert naming.as_strings(digits).to_pylist() == wanted
    assert top.tolist() == [int(name[:16], 16) for name in wanted]


@given(st.lists(ROW, min_size=1, max_size=30))
def test_names(rows: list[tuple[str, int, str, str | None, bool]]) -> None:
    check(rows)


def check_compiled() -> None:
    """Messages of every length around one and two blocks of the hash, in groups of every size."""
    rng = np.random.default_rng(11)
    letters = np.frombuffer(b"aZ9.@-_ x", np.uint8)
    for count in (*range(1, 20), 2000):
        rows = []
        for _ in range(count):
            to, was = (rng.choice(letters, int(rng.integers(0, most))).tobytes().decode() for most in (90, 160))
            to += rng.choice(["", "@", ".", "é", "@Example.ML."])
            queue = "4WxYz0123456789"[: int(rng.integers(0, 16))]
            stamp = int(rng.integers(-(2**62), 2**62)) >> int(rng.integers(0, 63))
            rows.append((queue, stamp, to, was if rng.random() < 0.4 else None, bool(rng.random() < 0.9)))
        check(rows)


@pytest.mark.slow
def test_names_compiled() -> None:
    program = (
        "from forensics import kernels; from tests.stitch import test_naming\n"
        "kernels.compile_kernels(all_declared=False); assert kernels.compiled(); test_naming.check_compiled()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
