"""Missent: finds mail that went to a lookalike of the domain its sender meant, from mail-server logs alone.

`open(case)` gives a case to look into, `run(logs, case, org=[…])` makes one (`forensics.opened`). What the commands do
is also there as functions: the stages in `forensics.pipeline` (`run`, `ingest`, `detect`, `report`), everything around
them in `forensics.workbench` (`verify`, `sql`, `explain`, `demo` …), what others are to be shown in `forensics.proof`
(hand-overs, bags, stamps, signatures). What they return is in `forensics.results`, what they raise in
`forensics.errors`. Every other module may change without notice.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.opened import open, run

    __version__: str

__all__ = ["__version__", "errors", "open", "opened", "pipeline", "proof", "results", "run", "workbench"]


def __getattr__(name: str) -> Any:
    """`open`, `run` and `__version__` when they are asked for: a command starts without what they need."""
    if name == "__version__":
        from importlib.metadata import version

        return version("missent")
    if name in ("open", "run"):
        from forensics import errors

        errors.refuse_without_locks()
        from forensics import opened

        return getattr(opened, name)
    raise AttributeError(f"module 'forensics' has no attribute {name!r}")
