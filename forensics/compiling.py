"""Kernels into object code: by numba here, or by processes of their own, whose memory goes with them.

Imported only when something is not in the cache. `kernels` says what is declared and where code is kept.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any

FROM_LIBC = {"memchr", "memcpy", "memset", "memmove"}
"""All that the code of an entry may call outside itself."""

PROCESSES = 2
"""One kernel takes longer than all others together: more would only wait for it."""
PROGRAM = "from forensics.kernels import serve; serve()"


def apart(names: Sequence[str], environment: Mapping[str, str], told: Callable[[int], None]) -> None:
    """Have `kernels.serve` compile the entries of these names into the cache; `told` hears how many are done.

    What no process could do is not in the cache afterwards; that is no error here.
    """
    if not sys.executable:
        return
    waiting, lock = deque(names), Lock()
    done = 0

    def keep_busy(process: subprocess.Popen[str]) -> None:
        nonlocal done
        assert process.stdin and process.stdout
        try:
            while True:
                with lock:
                    if not waiting:
                        break
                    name = waiting.popleft()
                process.stdin.write(name + "\n")
                process.stdin.flush()
                if process.stdout.readline().strip() != name:
                    break
                with lock:
                    done += 1
                    told(done)
            process.stdin.close()
        except OSError:  # it ended early
            pass

    path = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    processes = []
    try:
        for _ in range(min(PROCESSES, os.cpu_count() or 1, len(names))):
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-c", PROGRAM],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env={**os.environ, **environment, "PYTHONPATH": path},
                )
            )
        threads = [Thread(target=keep_busy, args=[process]) for process in processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except OSError:  # no process to be had
        return
    finally:
        for process in processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def object_code(function: Callable[..., Any], signature: str) -> tuple[str, bytes]:
    """(symbol, object code) of an entry. Raises TypeError when it allocates, raises or calls Python, and what numba
    raises for what it cannot compile."""
    from numba.core import compiler, registry, sigutils

    numba_compiler: Any = compiler
    signatures: Any = sigutils
    flags: Any = numba_compiler.Flags()
    flags.nrt, flags.error_model, flags.release_gil = False, "numpy", True
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    target = registry.cpu_target
    arguments, result = signatures.normalize_signature(signature)
    with _without_scipy():
        made = numba_compiler.compile_extra(
            target.typing_context, target.target_context, function, arguments, result, flags, {}
        )
    called = set(re.findall(r"^declare [^@\n]*@\"?([^\"( ]+)", made.library.get_llvm_str(), re.M))
    strange = {name for name in called if not name.startswith("llvm.")} - FROM_LIBC
    if strange:
        name = f"{function.__module__}.{function.__qualname__}"
        raise TypeError(f"{name} allocates or raises: its code calls {sorted(strange)}")
    return made.fndesc.llvm_func_name, made.library._get_compiled_object()


@cache
def helper(function: Callable[..., Any]) -> Any:
    """What numba takes for a kernel that kernels call."""
    import numba

    njit: Any = numba.njit
    bare = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return njit(nogil=True, error_model="numpy", **bare)(function)


@cache
def inlined(builder: Callable[..., Any] | str, taken: str) -> Any:
    """What numba takes for machine code in the place of a call: see `kernels.inline`, or `kernels.external` for a name.
    `taken`: result and arguments."""
    from inspect import Parameter, Signature, signature

    from numba.core import sigutils, types
    from numba.extending import intrinsic

    signatures: Any = sigutils
    arguments, result = signatures.normalize_signature(taken)
    if isinstance(builder, str):
        return types.ExternalFunction(builder, result(*arguments))

    def code(context: Any, place: Any, _signature: Any, values: Any) -> Any:
        value = builder(place, *values)
        return context.get_dummy_value() if value is None else value

    def typed(_context: Any, *_types: Any) -> Any:
        return result(*arguments), code

    names = ["context", *list(signature(builder).parameters)[1:]]
    typed.__signature__ = Signature([Parameter(n, Parameter.POSITIONAL_OR_KEYWORD) for n in names])  # type: ignore[attr-defined]
    return intrinsic(typed)


@contextmanager
def _without_scipy() -> Iterator[None]:
    """numba's first use imports SciPy, if there is one, to find a BLAS: half a second for what no kernel here needs."""
    absent = "scipy.linalg" not in sys.modules
    if absent:
        sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules["scipy.linalg"]
