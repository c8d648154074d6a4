"""The incident report: facts gathered once, laid out in every format.

`write` makes the files, `FORMATS` names what can be written, `chosen` checks a choice of them.
"""

from __future__ import annotations

from typing import Any

__all__ = ["FORMATS", "Written", "chosen", "write"]


def __getattr__(name: str) -> Any:
    # The formats' libraries are slow to import; whoever only reads a wording or a schema should not wait for them.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("forensics.report.writing"), name)
    raise AttributeError(name)
