"""What a long command says of how far it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import bar, progress
from forensics.progress import At


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def watched(every: float = 0.5) -> tuple[progress.Watch, list[At], Clock]:
    said: list[At] = []
    clock = Clock()
    return progress.Watch(said.append, every=every, clock=clock), said, clock


def test_a_step_is_told_when_it_begins_at_most_every_half_second_and_when_it_is_done() -> None:
    watch, said, clock = watched()
    for done in range(101):
        watch("read", done * 10, 1000)
        watch("read", done * 10, 1000)
        clock.now += 0.125
    assert [one.done for one in said] == [0, *range(40, 1000, 40), 1000]


def test_rate_and_time_left_are_of_what_was_done_lately() -> None:
    watch, said, clock = watched()
    watch.current("first.log")
    watch("survey", 0, 10_000)
    assert (said[0].rate, said[0].left, said[0].file) == (None, None, None)
    for _ in range(30):
        clock.now += 1
        watch.current("mail.log")
        watch("survey", 10, 10_000)
    for step in range(1, 41):
        clock.now += 1
        watch("survey", 10 + step * 100, 10_000)
    assert said[-1].rate == pytest.approx(100)
    assert said[-1].left == pytest.approx(59.9)
    assert (said[-1].file, said[-1].elapsed) == ("mail.log", 70)


def test_a_file_of_one_step_is_not_told_of_the_next() -> None:
    watch, said, _ = watched()
    meter = progress.Meter(watch, "survey", 5)
    meter.of("mail.log", 5).add(5)
    progress.Meter(watch, "compare", 5)
    assert [(one.step, one.file) for one in said] == [("survey", None), ("survey", "mail.log"), ("compare", None)]


def test_a_step_that_begins_once_more_is_no_step_backwards() -> None:
    watch, said, clock = watched()
    for done in (0, 50, 90, 10):
        watch("read", done, 100)
        clock.now += 1
    assert (said[-1].done, said[-1].elapsed, said[-1].rate) == (10, 0, None)


@given(parts=st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(0, 40)))))
def test_what_is_read_twice_or_not_at_all_counts_once(parts: list[tuple[int, list[int]]]) -> None:
    total = sum(most for most, _ in parts)
    heard: list[tuple[int, int]] = []
    meter = progress.Meter(lambda _, done, total: heard.append((done, total)), "survey", total)
    for most, counts in parts:
        part = meter.of("x", most)
        for count in counts:
            part.add(count)
        part.finish()
    assert heard[-1] == (total, total)
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)


@pytest.mark.parametrize(
    ("done", "total", "rate", "left", "words"),
    [
        (1_200_000_000, 3_500_000_000, 210e6, 10.95, "1.2 GB of 3.5 GB (34 %), 210.0 MB/s, 11 s left"),
        (0, 3_500_000_000, None, None, "0 bytes of 3.5 GB (0 %)"),
        (12, 0, None, None, "12 bytes"),
        (0, 0, None, None, ""),
        (999, 1000, 3.2, 3725.0, "999 bytes of 1.0 kB (99 %), 3 bytes/s, 1 h 2 min left"),
    ],
)
def test_in_words(done: int, total: int, rate: float | None, left: float | None, words: str) -> None:
    assert progress.words(At("read", "Reading", done, total, "bytes", None, 1.0, rate, left)) == words


def test_lines_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with bar.progress("json", quiet=True) as shown:
        assert shown is not None
        meter = progress.Meter(shown, "survey", 10)
        meter.of("a\x1b[31m\udcff.log", 10).add(10)
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.err.splitlines()]
    assert [(one["step"], one["done"], one["total"], one["unit"]) for one in lines] == [
        ("survey", 0, 10, "bytes"), ("survey", 10, 10, "bytes"),
    ]  # fmt: skip
    assert captured.err.isascii() and "\x1b" not in captured.err
    assert captured.out == ""


def test_the_bar_draws_names_of_files_as_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes rich take any stream for a terminal
    monkeypatch.setenv("COLUMNS", "200")
    with bar.progress("bar") as shown:
        assert shown is not None
        progress.Meter(shown, "survey", 10).of("[red]x[bold]\x1b]0;title\x07.log", 10).add(10)
    told = capsys.readouterr().err
    assert "[red]x[bold]" in told
    assert "\x1b]0;" not in told


def test_nothing_is_drawn_where_nobody_looks() -> None:
    for how in ("auto", "none"):
        with bar.progress(how) as shown:
            assert shown is None


def test_an_interruption_says_what_is_kept() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted, progress.if_interrupted("all of it"):
        raise KeyboardInterrupt
    assert interrupted.value.__notes__ == ["all of it"]
