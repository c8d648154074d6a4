"""What an installation of Missent brings along: the packages that it needs to run, as requirements.txt locks them.

What they need is told by the metadata of those that are installed here (`importlib.metadata`), for one platform and so
the same wherever it is asked: CPython 3.11 on Linux, x86_64. Licences are SPDX expressions (https://spdx.org/licenses).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, metadata, requires
from pathlib import Path
from typing import Any

from cyclonedx.spdx import is_expression, is_supported_id
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PLATFORM = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
LOCKED = re.compile(r"^([\w.-]+)==(\S+)(.*(?:\n .*)*)", re.M)
STATED = {
    "duckdb": "MIT",
    "jinja2": "BSD-3-Clause",
    "markdown-it-py": "MIT",
    "mdurl": "MIT",
    "numba": "BSD-2-Clause",
    "partd": "BSD-3-Clause",
    "requests-file": "Apache-2.0",
    "sortedcontainers": "Apache-2.0",
    "zict": "BSD-3-Clause",
}
"""Licences of packages whose metadata has no SPDX expression, read in the licence files that they bring."""
PUBLIC_DOMAIN = {"bagit"}
"""Of the Library of Congress: "License :: Public Domain", for which SPDX has no expression."""


@dataclass(frozen=True)
class Locked:
    """A version. `when`: the marker (PEP 508) under which it is installed, empty where always. `digests`: SHA-256 of
    each file of it that an index may serve."""

    version: str
    when: str
    digests: tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """A package: mostly of one version, of two where a new one left an older Python behind. `licence`: an SPDX
    expression, or `Public Domain`. `needs`: names of what it needs in turn."""

    name: str
    versions: tuple[Locked, ...]
    licence: str
    summary: str
    home: str
    needs: tuple[str, ...]


def project() -> dict[str, Any]:
    """The table `project` of pyproject.toml."""
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def locked() -> dict[str, tuple[Locked, ...]]:
    """The versions of every package of requirements.txt, by name."""
    found: dict[str, tuple[Locked, ...]] = {}
    for name, version, rest in LOCKED.findall((ROOT / "requirements.txt").read_text("utf-8")):
        when = rest.partition("\\")[0].strip(" ;")
        one = Locked(version, when, tuple(sorted(re.findall(r"--hash=sha256:([0-9a-f]{64})", rest))))
        key = canonicalize_name(name)
        found[key] = (*found.get(key, ()), one)
    return found


def pinned(names: set[str]) -> str:
    """These packages as a requirements file: the lines of requirements.txt that are theirs, with their digests."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return "".join(f"{found[0]}\n" for found in LOCKED.finditer(text) if canonicalize_name(found[1]) in names)


def direct(lines: Sequence[str]) -> set[str]:
    """Names of the packages that these requirements name."""
    return {canonicalize_name(Requirement(line).name) for line in lines}


def wanted(lines: Sequence[str]) -> set[str]:
    """Names of the packages that these requirements come to, with all that they need. Raises PackageNotFoundError for
    one that is not installed here."""
    extras: dict[str, set[str]] = {}
    waiting = [Requirement(line) for line in lines]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        new = {"", *one.extras} - extras.get(name, set())
        extras.setdefault(name, set()).update(new)
        waiting += [need for need in _needs(name, new) if new]
    return set(extras)


def _needs(name: str, extras: set[str]) -> list[Requirement]:
    every = [Requirement(line) for line in requires(name) or ()]
    return [one for one in every if any(_holds(one, extra) for extra in extras)]


def _holds(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({**PLATFORM, "extra": extra})


def installed(names: set[str]) -> list[Package]:
    """These packages, in order of name. Raises KeyError for one that is not locked, ValueError for one in another
    version or whose licence nobody stated."""
    versions = locked()
    found = []
    for name in sorted(names):
        told = metadata(name)
        if told["Version"] not in {one.version for one in versions[name]}:
            raise ValueError(f"{name} {told['Version']} is installed, another version is locked: run `make install`")
        needs = {canonicalize_name(one.name) for one in _needs(name, {""})} & names
        found.append(
            Package(
                name, versions[name], _licence(name, told), _field(told, "Summary"), _home(told), tuple(sorted(needs))
            )
        )
    return found


def _licence(name: str, told: PackageMetadata) -> str:
    if name in PUBLIC_DOMAIN:
        return "Public Domain"
    for said in (_field(told, "License-Expression"), _field(told, "License"), STATED.get(name)):
        if said and (is_supported_id(said) or is_expression(said)):
            return said
    raise ValueError(
        f"{name}: its metadata names no licence that SPDX knows; read its licence file and say it in STATED"
    )


def _field(told: PackageMetadata, name: str) -> str:
    return next(iter(told.get_all(name) or ()), "")


def _home(told: PackageMetadata) -> str:
    urls = dict(line.split(", ", 1) for line in told.get_all("Project-URL") or ())
    by_name = {key.lower(): url for key, url in urls.items()}
    named = [by_name[key] for key in ("homepage", "source", "repository", "documentation") if key in by_name]
    return next(iter([*named, _field(told, "Home-page"), *urls.values()]), "")
