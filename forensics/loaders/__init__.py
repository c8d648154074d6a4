"""Every log format Missent reads. The order decides ties of `detect`; it is explicit and part of the contract."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from forensics.loaders import marks
from forensics.loaders.base import Loader

LOADERS: tuple[str, ...] = ("exim", "postfix", "exchange")
"""Packages under `forensics.loaders`, imported only when needed (`load`), so that `--help` stays quick."""

CONFIDENT = 0.5
"""An evidence that no loader claims with at least this confidence is not recognised."""
SURE = 0.8
"""With less confidence than this the rest of an evidence is looked at, too."""


@cache
def load(name: str) -> Loader:
    """The loader module of that name."""
    module: Loader = import_module(f"forensics.loaders.{name}")
    return module


def systems() -> tuple[str, ...]:
    """What all loaders call the systems that they read, in order."""
    return tuple(system for name in LOADERS for system in load(name).SYSTEMS)


def recognise(head: bytes) -> str | None:
    """Name of the loader that is surest about this content; the earlier in LOADERS wins a tie; None when none is."""
    return surest(head)[0]


def surest(head: bytes) -> tuple[str | None, float]:
    """The same, with its confidence."""
    if marks.is_binary(head):
        return None, 0.0
    head = marks.plain(head)
    best, name = 0.0, None
    for candidate in LOADERS:
        confidence = load(candidate).detect(head)
        if confidence > best:
            best, name = confidence, candidate
        if best >= 1.0:  # nobody can be surer
            break
    return (name, best) if best >= CONFIDENT else (None, 0.0)


def refusal(head: bytes) -> str | None:
    """Why content that no loader reads is not read, and what to give instead, if it is a format that is known by name
    (`refused.FORMATS`)."""
    form = marks.recognise(head)
    return form.words if form else None
