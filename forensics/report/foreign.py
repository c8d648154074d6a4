"""What others gave a report: templates, words, a logo. Checked, then rendered in a process that can do nothing else.

A folder of templates may come from anybody. Its text is laid out in a sandbox (`formats.templating`), in a process of
its own (`forensics.report.confined`) without network, without a way to write or start anything, and for a bounded time
and memory. Whatever goes wrong there is told as the template's, by its name.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.report.text.context import Context
from forensics.report.text.wording import DEFAULT_LANGUAGE, TEMPLATES

MOST_FILES = 1000
"""Files in a folder of templates; a folder with more is some other folder, named by mistake."""


@dataclass(frozen=True)
class Bounds:
    """What rendering one format may take."""

    seconds: int = 300
    memory: int = 4 << 30
    """Bytes of address space."""
    output: int = 1 << 30
    """Bytes of the report."""


BOUNDS = Bounds()


def has(made: Context) -> bool:
    """Whether anything in it comes from others."""
    return made.folder is not None or made.logo is not None


def check(folder: Path | None) -> None:
    """Raises UsageError for a folder of templates with links that lead elsewhere, since a report would show what is
    there, and for one with nothing that a report is made of: it would count for nothing."""
    if folder is None:
        return
    inside = folder.resolve()
    for number, (place, folders, files) in enumerate(os.walk(folder)):
        for name in (*folders, *files):
            one = Path(place) / name
            if one.is_symlink() and not one.resolve().is_relative_to(inside):
                raise UsageError(
                    f"{one}: a link that leads out of the folder of templates",
                    expected="a folder that holds what it needs",
                    remedy="put a copy of the file in its place, or remove the link",
                )
        if number + len(files) > MOST_FILES:
            raise UsageError(f"--templates {folder}: holds more than {MOST_FILES:,} files", expected="templates, words")
    shipped = {one.name for one in (*TEMPLATES.iterdir(), *(TEMPLATES / DEFAULT_LANGUAGE).iterdir()) if one.is_file()}
    words = any(one for place in ("", "regimes") for one in (folder / place).glob("*.toml"))
    if not words and not any((folder / name).is_file() for name in shipped):
        named = ", ".join(sorted(name for name in shipped if not name.endswith(".toml")))
        raise UsageError(f"--templates {folder}: holds nothing that a report is made of",
                         expected=f"files of words (*.toml), or any of {named}")  # fmt: skip


def render(name: str, facts: Any, made: Context) -> bytes | dict[str, bytes]:
    """One format of a report with a template, words or a logo of others. Raises UsageError that names it."""
    whose = _whose(made)
    command = [sys.executable, "-P", "-B", "-m", "forensics.report.confined", str(BOUNDS.seconds), str(BOUNDS.memory)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
    ) as process:
        try:
            out, _ = process.communicate(pickle.dumps((name, facts, made)), timeout=BOUNDS.seconds)
        except subprocess.TimeoutExpired:
            raise _refused(name, whose, f"not done after {BOUNDS.seconds} seconds") from None
        finally:
            process.kill()
    head, _, rest = out.partition(b"\n")
    try:
        told = json.loads(head)
    except ValueError:
        raise _refused(name, whose, _end(process.returncode)) from None
    if "what" in told:
        raise UsageError(told["what"], expected=told["expected"], remedy=told["remedy"])
    if "failed" in told:
        raise _refused(name, told["where"] or whose, told["failed"])
    parts, at = {}, 0
    for part, length in told["parts"]:
        parts[part] = rest[at : at + length]
        at += length
    if at != len(rest) or at > BOUNDS.output:
        raise _refused(name, whose, f"{len(rest):,} bytes of output")
    return parts[""] if list(parts) == [""] else parts


def _environment() -> dict[str, str]:
    """The parent's, with every way out through a proxy that is not there, for systems whose filter is not known."""
    nowhere = "http://127.0.0.1:9"
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"), nowhere)
    return {**kept, **proxies, "MALLOC_ARENA_MAX": "2"}


def _whose(made: Context) -> str:
    return f"the templates in {made.folder}" if made.folder else "the logo"


def _end(code: int) -> str:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"not done after {BOUNDS.seconds} seconds"
    return f"more memory needed than {BOUNDS.memory >> 20:,} MiB" if code else "no output"


def _refused(name: str, whose: str, why: str) -> UsageError:
    return UsageError(
        f"{name}: cannot be laid out with {whose}: {why}",
        expected="templates, words and a logo that a report can be made with",
        remedy="compare them with those that Missent ships, or leave them out (--templates, --logo)",
    )
