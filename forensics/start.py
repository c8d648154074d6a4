"""What the command `missent` does to its whole process. The library does nothing of the kind: a process that imports it
stays as it was.

Beside each measure stands what it gains: medians of runs in turn with and without it by `python -m tests.bench.settings
LOG`, on a log of 1,000 lines and on one of 2.9 million (383 MB), two cores. What gained less than three in a hundred is
not here: fewer collections of cycles, a shorter switch interval, one arena or higher thresholds for malloc, one thread
for OpenBLAS, no plug-ins for pydantic.
"""

from __future__ import annotations

import atexit
import codecs
import io
import os
import sys
import warnings
from collections.abc import Callable

from forensics import errors
from forensics.errors import INTERRUPTED


def one_heap() -> None:
    """Arrow takes its memory from malloc, as numpy does: what one gives back the other uses again.

    Gain on the large log: 85 of 784 MiB at the peak, 3 % of processor time. Must come before pyarrow is imported.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def without(*names: str) -> None:
    """Libraries that others look for at their first call, and that no command needs: pyarrow imports pandas before it
    reads a list, numba scipy before it loads compiled code, wherever they are installed.

    Gain: 0.5 of 1.5 s of the small log where both are installed, as in the environments of notebooks.
    """
    sys.meta_path.insert(0, _Without(names))


class _Without:
    """A finder that finds nothing of some packages."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Raises ModuleNotFoundError for these packages; None leaves the others to the finders behind this one."""
        if name.partition(".")[0] in self._names:
            raise ModuleNotFoundError(f"{name} is not used by commands", name=name)


def end_at_once(command: Callable[[], None]) -> None:
    """Run the command; when all threads, exit functions and output are done, leave taking the process down to the
    system instead of freeing object by object.

    Gain: 0.33 of 1.8 s of processor time on the small log, 0.5 of 6.4 s on the large one.
    """
    status = 1

    def leave() -> None:
        code = status
        for stream in (sys.stdout, sys.stderr):
            try:
                if stream is not None:
                    stream.flush()
            except OSError as error:
                code = code or (errors.UNHEARD if isinstance(error, BrokenPipeError) else errors.MACHINE)
        os._exit(code)

    atexit.register(leave)  # the first to be registered is the last to run
    try:
        command()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if status == INTERRUPTED:
            # Threads that still read evidence may need minutes; nothing they do is wanted any more.
            atexit._run_exitfuncs()
        raise
    except KeyboardInterrupt:
        status = INTERRUPTED
        atexit._run_exitfuncs()


def no_warnings_of_workbooks() -> None:
    """The reader of Excel workbooks warns of parts that have no cells, such as filters and printers: nobody needs to
    know."""
    warnings.filterwarnings("ignore", module="openpyxl")


def every_character() -> None:
    """What a terminal of another encoding cannot write comes out as `visible` shows what has no ink, `→` as
    `\\u{2192}`: with a locale of its own, such as ISO 8859-1, a command would end in a traceback in the midst of its
    results."""
    codecs.register_error("missent.visible", _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="missent.visible")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(f"\\u{{{ord(c):x}}}" for c in error.object[error.start : error.end]), error.end


def run(command: Callable[[], None]) -> None:
    """Run the command in a process that is its own. Where the system cannot lock files nothing is begun (exit 6)."""
    try:
        errors.refuse_without_locks()
    except errors.MissentError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    one_heap()
    without("pandas", "scipy")
    no_warnings_of_workbooks()
    every_character()
    end_at_once(command)
