"""docs/licences.md: the licences of everything that an installation brings along, from the packages' own metadata."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conftest import ROOT
from tools import packages
from tools.packages import Package

PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences

Missent itself is under {own}. Below are the packages that an installation brings along, in the versions of `requirements.txt`, with the licences that they
state (SPDX expressions), written by `python -m tests.reference_pages`. `make sbom` writes the same as a bill of materials in CycloneDX 1.6, with the digests of
every file.

None of them is changed; each is installed as its makers published it. docxtpl (LGPL) and certifi (MPL) ask that changes to themselves be published;
both are packages of their own, which can be exchanged. Some wheels carry libraries of others in turn (LLVM in llvmlite, OpenBLAS in numpy, the engines of DuckDB, Arrow and Typst): their notices are in
the wheels, in the folders `*.dist-info`.

## To run

"""
MORE = """
## With the extra `cluster`

`pip install 'missent[cluster]'` adds these.

"""
TAIL = """
What is needed to build and test, as `make install` does, is in `requirements.txt` as well; nothing of it is in the package or brought along by it.
"""


def page() -> str:
    """The whole page."""
    project = packages.project()
    base = packages.wanted(project["dependencies"])
    more = packages.wanted(project["optional-dependencies"]["cluster"]) - base
    return (
        HEAD.format(own=project["license"])
        + _table(packages.installed(base))
        + MORE
        + _table(packages.installed(more))
        + TAIL
    )


def _table(found: Sequence[Package]) -> str:
    rows = [
        f"| {_named(one)} | {', '.join(locked.version for locked in one.versions)} | {one.licence} | {one.summary.rstrip('.')} |\n"
        for one in found
    ]
    return "| package | version | licence | what it is |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _named(one: Package) -> str:
    return f"[{one.name}]({one.home})" if one.home else one.name
