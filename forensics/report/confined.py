"""The process in which templates and logos of others are rendered: `python -P -m forensics.report.confined`.

It takes one pickled (format, facts, context) from its parent on standard input and writes on standard output a line of
JSON, then the bytes of the parts that the line lists. Before it reads anything it gives up what a renderer does not
need: it can write no file, open no socket, start no program, and has so much time and memory (`foreign.Bounds`) and no
more. Sockets and programs are refused by a seccomp filter (Linux; x86-64 and AArch64); on other systems the parent's
settings of the environment stand alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_CALLS: Final = {
    # machine: (AUDIT_ARCH, seccomp, refused calls)
    "x86_64": (
        0xC000003E,
        317,
        # socket, socketpair, connect, execve, execveat, ptrace, io_uring_setup, process_vm_writev, kill
        (41, 53, 42, 59, 322, 101, 425, 311, 62),
    ),
    "aarch64": (0xC00000B7, 277, (198, 199, 203, 221, 281, 117, 425, 271, 129)),
}
"""Numbers of linux/arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h."""
_X32: Final = 0x40000000
"""Calls from this number on are the x32 table's, which has all of them a second time."""
_EPERM: Final = 1


def limit(seconds: int, memory: int) -> None:
    """No more processor time and memory than this, and not a byte into any file."""
    import resource  # not on every system on which this module is imported

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # some systems know no bound of the address space
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _filter(architecture: int, refused: tuple[int, ...]) -> bytes:
    """A classic BPF program over struct seccomp_data (seccomp(2)): EPERM for `refused` and for other call tables."""
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, deny = 0x7FFF0000, 0x00050000 | _EPERM
    numbers = len(refused)
    steps = [(load, 0, 0, 4), (equal, 0, numbers + 3, architecture), (load, 0, 0, 0), (at_least, numbers + 1, 0, _X32)]
    steps += [(equal, numbers - n, 0, number) for n, number in enumerate(refused)]
    steps += [(give, 0, 0, allow), (give, 0, 0, deny)]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def possible() -> bool:
    """Whether this system and machine have such a filter (proc_pid_status(5) names it), without setting one."""
    if sys.platform != "linux" or os.uname().machine not in _CALLS:
        return False
    try:
        return "\nSeccomp" in Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return False


def confine() -> bool:
    """No sockets and no other programs from here on, in all threads; whether the system took that."""
    known = _CALLS.get(os.uname().machine)
    if sys.platform != "linux" or known is None:
        return False
    architecture, seccomp, refused = known
    program = _filter(architecture, refused)
    held = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_filter, all_threads = 38, 1, 1
    if libc.prctl(no_new_privileges, 1, 0, 0, 0):
        return False
    return bool(libc.syscall(seccomp, set_filter, all_threads, ctypes.c_char_p(described)) == 0)


def _rendered(name: str, facts: Any, made: Any) -> tuple[dict[str, Any], Mapping[str, bytes]]:
    """(what the parent is told, parts)."""
    from forensics.errors import MissentError
    from forensics.report import writing
    from forensics.report.formats import pdf

    try:
        if made.logo:
            pdf.check_logo(made.logo[1])
        rendered = writing.lay_out(name, facts, made)
    except MissentError as error:
        return {"what": error.what, "expected": error.expected, "remedy": error.remedy}, {}
    except (Exception, RecursionError) as error:  # noqa: BLE001 - whatever a template of others brings about
        return {"failed": f"{type(error).__name__}: {error}"[:1000], "where": _where(error, made)}, {}
    parts = {"": rendered} if isinstance(rendered, bytes) else rendered
    return {"parts": [[part, len(content)] for part, content in parts.items()]}, parts


def _where(error: BaseException, made: Any) -> str:
    """The template's file and line in which an error came up, if it is one that the folder of templates holds."""
    folder, found, trace = str(made.folder or ""), "", error.__traceback__
    while trace is not None:
        place = trace.tb_frame.f_code.co_filename
        if folder and place.startswith(folder + os.sep):
            found = f"{place}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


def main() -> None:
    seconds, memory = map(int, sys.argv[1:3])
    limit(seconds, memory)
    confine()
    import pickle

    # The parent's own values: it alone writes to this pipe.
    name, facts, made = pickle.load(sys.stdin.buffer)
    try:
        told, parts = _rendered(name, facts, made)
    except MemoryError:
        told, parts = {"failed": "MemoryError", "where": ""}, {}
    out = sys.stdout.buffer
    out.write(json.dumps(told).encode() + b"\n")
    for content in parts.values():
        out.write(content)
    out.flush()


if __name__ == "__main__":
    main()
