"""Jinja2 for templates that somebody else may have written.

A template sees values: facts, words, text and the functions that it is handed. From none of them does a way lead to
the program: attributes are those of plain values and of frozen dataclasses of this package, modules show their own
functions alone, and nothing that begins with an underscore is reached (Jinja2's sandbox). What a template does to time
and memory is bounded where it runs (`forensics.report.foreign`).
"""

from __future__ import annotations

from dataclasses import is_dataclass
from types import FunctionType, ModuleType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

_PLAIN = ("builtins", "datetime", "markupsafe", "jinja2")
"""Packages whose values show their attributes, as far as Jinja2's sandbox lets them."""


def _shows(owner: Any, value: Any) -> bool:
    if isinstance(owner, ModuleType):
        return isinstance(value, FunctionType) and value.__module__ == owner.__name__
    if isinstance(owner, type | FunctionType):
        return False
    if type(owner).__module__.partition(".")[0] in _PLAIN:
        return True
    return is_dataclass(owner) and type(owner).__module__.startswith("forensics.")


class Sandbox(ImmutableSandboxedEnvironment):
    """Raises jinja2.exceptions.SecurityError where a template reaches for more than values."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # Whether there is such an attribute at all is said elsewhere.
        return (isinstance(obj, Undefined) or _shows(obj, value)) and super().is_safe_attribute(obj, attr, value)


def environment(loader: BaseLoader | None = None, **options: Any) -> Sandbox:
    """A sandbox in which a name that nobody gave is an error."""
    return Sandbox(loader=loader, undefined=StrictUndefined, **options)
