"""The examples in the detector's docstrings say what it does."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from forensics import detector

MODULES = sorted(m.name for m in pkgutil.iter_modules(detector.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"forensics.detector.{name}"))
    assert found.failed == 0


def test_there_are_examples() -> None:
    count = sum(doctest.testmod(importlib.import_module(f"forensics.detector.{name}")).attempted for name in MODULES)
    assert count >= 15
