"""Containerfile, read and not built: what it promises of the image can be seen in its lines."""

from __future__ import annotations

import re

from tests.conftest import ROOT

LINES = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text("utf-8")).splitlines()
STEPS = [tuple(line.split(None, 1)) for line in LINES if line and not line.startswith("#")]


def named(word: str) -> list[str]:
    return [rest for step, rest in STEPS if step == word]


def test_its_base_is_of_one_release() -> None:
    bases = {rest.split(" AS ")[0] for rest in named("FROM")}
    assert len(bases) == 1 and re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-[a-z]+", bases.pop())


def test_what_it_installs_is_held_to_digests_and_is_the_release() -> None:
    installs = re.findall(r"pip install [^&]+", " ".join(named("RUN")))
    assert len(installs) == 2 and "--require-hashes" in installs[0]
    assert "--no-index --no-deps /dist/*.whl" in installs[1]
    assert named("ADD") == [] and [rest.split()[-2:] for rest in named("COPY")] == [
        ["dist", "/dist"],
        ["/opt/missent"] * 2,
    ]
    assert (ROOT / ".dockerignore").read_text("utf-8") == "*\n!dist\n"


def test_nobody_is_root_in_it() -> None:
    last = max(n for n, (step, _) in enumerate(STEPS) if step == "FROM")
    after = STEPS[last:]
    users = [n for n, (step, rest) in enumerate(after) if step == "USER" and rest == "examiner"]
    assert len(users) == 1 and "useradd --uid 10001 " in " ".join(named("RUN"))
    assert {step for step, _ in after[users[0] :]} == {"USER", "RUN", "WORKDIR", "ENTRYPOINT"}


def test_the_page_shows_how_to_run_it() -> None:
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    assert '--volume "$PWD/evidence:/evidence:ro"' in page and "--network none" in page and "--read-only" in page
    assert "has not been built by a test" in page
