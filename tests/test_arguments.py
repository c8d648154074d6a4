"""Wrong types are errors of Missent, for every function that programs may call; right ones are let through."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from forensics import opened, pipeline, proof, workbench
from forensics.arguments import checked
from forensics.errors import MissentError, UsageError

if TYPE_CHECKING:
    from forensics.case import Case as Unknown


@checked
def example(
    one: str | Path,
    several: Sequence[str] = (),
    *,
    count: int | None = None,
    share: float = 0.5,
    at: datetime | None = None,
    by: Mapping[str, Any] | None = None,
    call: Callable[[int], None] | None = None,
    unknown: Unknown | None = None,
) -> str:
    return f"{one}{len(several)}"


@pytest.mark.parametrize(
    "given",
    [
        {"one": 5}, {"one": b"x"}, {"one": None}, {"several": "text"}, {"several": b"x"}, {"several": [1]},
        {"several": 5}, {"several": {"a"}}, {"count": "1"}, {"count": 1.5}, {"share": "x"}, {"at": "2024-01-01"},
        {"by": ["x"]}, {"call": 5}, {"other": 1},
    ],
)  # fmt: skip
def test_wrong_types_are_said_with_the_argument(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"example: .*{next(iter(given))}"):
        example(**{"one": "x", **given})


def test_right_ones_go_through() -> None:
    assert example(Path("x"), ["a", "b"], count=3, share=1, at=datetime(2024, 1, 1), by={}, call=print) == "x2"  # noqa: DTZ001
    assert example("x", ("a",), unknown=object()) == "x1"  # type: ignore[arg-type]
    assert example("x", count=np.int64(3), share=np.float32(0.5)) == "x0"  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="missing a required argument"):
        example()  # type: ignore[call-arg]


FUNCTIONS = [
    getattr(module, name)
    for module in (opened, pipeline, proof, workbench)
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_every_function_for_programs_refuses_what_it_cannot_use(
    function: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) or parameter.name == "progress":
            continue  # what `progress` is, the type checker alone knows
        needed = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
        with pytest.raises(MissentError):
            function(
                **{one.name: "x" for one in needed if one.kind is not one.VAR_KEYWORD} | {parameter.name: object()}
            )
    assert list(tmp_path.iterdir()) == []
