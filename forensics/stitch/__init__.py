"""Events → hops and legs (one module for each system) → deliveries (`journeys`)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from forensics.loaders.base import Assembled

ASSEMBLERS = {"postfix": "queues", "exchange": "tracking"}
"""Loader name → module of this package whose `assemble(events, *, final)` reads that loader's events."""


def assembler(loader: str) -> Callable[..., Assembled]:
    """`assemble(events, *, final: bool) -> Assembled` of that loader's system."""
    function: Callable[..., Assembled] = import_module(f"forensics.stitch.{ASSEMBLERS[loader]}").assemble
    return function
