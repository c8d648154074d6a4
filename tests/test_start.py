"""Whoever imports the library keeps their process as it was; only the command sets anything for the whole of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from forensics import errors
from tests.conftest import ROOT

STATE = """
import ctypes, gc, locale, logging, os, resource, signal, sys, threading, warnings
# What the packages that it depends on do to the process when they are imported is theirs.
import babel, docxtpl, duckdb, jinja2, numba, numpy, pandas, pyarrow.parquet, pydantic, requests, rich, tldextract, typst

set_by_name = set()
sys.addaudithook(
    lambda event, found: set_by_name.add(found[1]) if event == "ctypes.dlsym" and "mallopt" in str(found[1]) else None
)

def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask

def state():
    return {
        "environment": dict(os.environ),
        "collector": (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), list(gc.callbacks)),
        "switch interval": sys.getswitchinterval(),
        "recursion limit": sys.getrecursionlimit(),
        "finders": list(sys.meta_path),
        "path": (list(sys.path), list(sys.path_hooks)),
        "modules said to be missing": sorted(name for name, module in sys.modules.items() if module is None),
        "hooks": (sys.excepthook, sys.unraisablehook, sys.displayhook, threading.excepthook, sys.gettrace()),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "Arrow": (pyarrow.default_memory_pool().backend_name, pyarrow.cpu_count(), pyarrow.io_thread_count()),
        "numpy": (numpy.geterr(), numpy.get_printoptions()),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "umask": umask(),
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_STACK)],
        "folder": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
        "warnings": list(warnings.filters),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "mallopt": sorted(set_by_name),
    }
"""


def library(code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process that imports the library, after STATE."""
    return subprocess.run([sys.executable, "-c", STATE + code], capture_output=True, text=True, cwd=ROOT)


def test_the_library_leaves_the_process_as_it_was(tmp_path: Path, data: Path) -> None:
    logs = [str(data / "postfix-albion-filter"), str(data / "exchange-albion-inside")]
    done = library(
        f"""
before = state()
import forensics
from forensics import pipeline, workbench
imported = state()
pipeline.run({logs!r}, {str(tmp_path / "case")!r}, org=["albion-defence.uk"], workers=2)
assert workbench.verify({str(tmp_path / "case")!r}).ok
after = state()
for name in before:
    for when, then in (("imported", imported), ("used", after)):
        if then[name] != before[name]:
            print(f"{{when}}: {{name}}: {{before[name]}} became {{then[name]}}")
"""
    )
    assert done.returncode == 0, done.stderr
    assert not done.stdout


def test_the_state_above_shows_what_a_command_sets() -> None:
    """The test before this one would fail if the library did as the command does."""
    show = "print(*(name for name, value in state().items() if value != before[name]))"
    done = library(f"from forensics import start\nbefore = state()\nstart.one_heap()\n{show}")
    assert done.stdout.split() == ["environment"], done.stderr
    done = library(f"before = state()\nctypes.CDLL(None).mallopt(-8, 1)\ngc.set_threshold(9)\n{show}")
    assert done.stdout.split() == ["collector", "mallopt"], done.stderr


def test_only_one_module_makes_settings() -> None:
    words = r"setswitchinterval|meta_path|mallopt|set_memory_pool|set_threshold|gc\.disable|os\._exit|os\.umask"
    words += r"|gc\.freeze|os\.environ(\[|\.setdefault|\.update|\.pop)|os\.putenv|signal\.signal|setrlimit|set_cpu_count|os\.chdir"
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "forensics").rglob("*.py")
        if re.search(words, path.read_text("utf-8"))
    }
    confined = "forensics/report/confined.py"  # a process of its own, for templates of others
    assert found == {"forensics/start.py", confined}


def ended(code: str) -> subprocess.CompletedProcess[str]:
    """A process whose command is the function `command` of `code`."""
    return subprocess.run(
        [sys.executable, "-c", f"import atexit, sys, threading, time\n{code}\nfrom forensics import start\nstart.run(command)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "status", "says"),
    [
        ("pass", 0, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit(4)", 4, ""),
        ("sys.exit('gone')", 1, "gone\n"),
        ("raise ValueError('wrong')", 1, "ValueError: wrong\n"),
    ],
)
def test_a_command_ends_as_the_interpreter_would(ending: str, status: int, says: str) -> None:
    done = ended(f"def command():\n    print('x' * 100_000)\n    {ending}")
    assert done.returncode == status
    assert len(done.stdout) == 100_001
    assert done.stderr.endswith(says) and bool(done.stderr) is bool(says)


def test_a_command_waits_for_its_threads_and_exit_functions() -> None:
    done = ended(
        "def slow():\n    time.sleep(0.2)\n    print('thread')\n"
        "def command():\n    atexit.register(print, 'exit')\n    threading.Thread(target=slow).start()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "thread\nexit\n", "")


@pytest.mark.parametrize("ending", ["raise KeyboardInterrupt", "sys.exit(130)"])
def test_an_interrupted_command_waits_for_no_thread(ending: str) -> None:
    """Exit functions still run; a thread that would read on for ever does not keep the process."""
    done = ended(
        "def command():\n    atexit.register(print, 'exit')\n"
        f"    threading.Thread(target=threading.Event().wait).start()\n    {ending}"
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "exit\n", "")


def test_an_interrupt_while_the_command_is_loaded_is_told_as_elsewhere() -> None:
    script = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]["missent"]
    module, _, function = script.partition(":")
    early = "def find_spec(name, *_):\n    if name == 'click':\n        raise KeyboardInterrupt\n"
    code = f"import sys, types\n{early}sys.meta_path.insert(0, types.SimpleNamespace(find_spec=find_spec))\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}from {module} import {function}\n{function}()"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout, done.stderr) == (errors.INTERRUPTED, "", "missent: interrupted\n")


def test_a_command_may_use_pandas() -> None:
    """Nothing hides a package that is installed from the command."""
    code = "from forensics import start\nstart.one_heap()\nimport pandas, pyarrow\nprint(pyarrow.table({'a': [1, 2]}).to_pandas()['a'].sum())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "3\n", done.stderr


def test_a_command_that_ends_well_says_nothing_on_standard_error(tmp_path: Path) -> None:
    """DuckDB's bindings speak up when the interpreter ends without taking its objects down."""
    log = ROOT / "tests" / "data" / "contract" / "postfix.log"
    command = [
        str(Path(sys.executable).parent / "missent"),
        "run",
        str(log),
        "--org",
        "albion.example",
        "--year",
        "2024",
    ]
    done = subprocess.run([*command, "--format", "json"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr


@pytest.mark.parametrize("asked", ["--version", "--help", "doctor"])
def test_a_system_without_locks_is_told_at_once_and_plainly(asked: str) -> None:
    """As on Windows, where Python has no fcntl: one message that says what to do, no traceback, exit code 6."""
    code = f"import sys\nsys.modules['fcntl'] = None\nsys.argv = ['missent', {asked!r}]\n"
    command = [sys.executable, "-c", code + "from forensics.cli import start\nstart()"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 6
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert "fcntl" in done.stderr and "Windows Subsystem for Linux" in done.stderr


@pytest.mark.parametrize("name", ["open", "run"])
def test_the_library_tells_it_too(name: str) -> None:
    code = f"""
import sys
sys.modules["fcntl"] = None
import forensics
try:
    forensics.{name}
except forensics.errors.MachineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "Windows Subsystem for Linux" in done.stdout, done.stderr


WITHOUT = """
import builtins, importlib, os, pkgutil, sys
# What the packages that it depends on do there is theirs.
import bagit, distributed, docxtpl, duckdb, numba, numpy, openpyxl, pandas, pyarrow.parquet, requests, rich, uvicorn
missing = {"fcntl", "grp", "pwd", "resource", "termios"}
before = builtins.__import__

def without(name, around=None, *more, **options):
    if name in missing and str((around or {}).get("__name__")).startswith("forensics"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return before(name, around, *more, **options)

builtins.__import__ = without
for name in ("getuid", "geteuid", "uname", "O_CLOEXEC", "O_NOFOLLOW", "pread", "pwrite", "sched_getaffinity"):
    delattr(os, name)
"""
"""What Windows does not have is not there for modules of the package."""


def test_every_module_can_be_imported_where_the_system_has_no_locks() -> None:
    code = f"""{WITHOUT}
import forensics
names = [one.name for one in pkgutil.walk_packages(forensics.__path__, "forensics.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 250


def test_what_would_lock_there_says_so_before_it_writes(tmp_path: Path) -> None:
    """Also where a stage is called that `forensics` itself does not guard."""
    code = f"""{WITHOUT}
from forensics import errors, pipeline
try:
    pipeline.ingest([{str(ROOT / "tests" / "data" / "contract" / "postfix.log")!r}], {str(tmp_path / "case")!r}, org=["albion.example"], year=2024)
except errors.MachineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "Windows Subsystem for Linux" in done.stdout, done.stderr
    assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    ("encoding", "said"), [("ascii", "a\\u{2192}\\u{fc}"), ("latin-1", "a\\u{2192}\xfc"), ("utf-8", "a\u2192\xfc")]
)
def test_what_the_terminal_cannot_write_is_written_out(encoding: str, said: str) -> None:
    code = (
        "def command():\n    print('a\\u2192\\xfc')\n    print('a\\u2192\\xfc', file=sys.stderr)\n    print('\\udcff')"
    )
    command = [sys.executable, "-c", f"import sys\n{code}\nfrom forensics import start\nstart.run(command)"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert (done.returncode, done.stderr.decode(encoding)) == (0, f"{said}\n")
    assert done.stdout.decode(encoding) == f"{said}\n\\u{{dcff}}\n"
