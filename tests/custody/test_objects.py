"""Evidence in an object store: the same rows as from files, asked for only, and failing by name where it fails.

Against a server of the tests' own on loopback (`tests.custody.store`), which can misbehave, and against OpenStack
Swift, which checks users and signatures, where that is installed.
"""

from __future__ import annotations

import bz2
import gzip
import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import pipeline, proof, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import manifest, objects
from forensics.custody.discovery import discover
from forensics.custody.evidence import head
from forensics.custody.names import display, undisplay
from forensics.errors import EvidenceError, MachineError, UsageError, VerificationFailed
from forensics.ingest import survey, units
from tests.custody import store as stores
from tests.custody import swift
from tests.custody.store import Store

DAYS = ("20230603.gz", "20230606.gz", "20230607.bz2", "20230608.xz", "20230609")
PREFIX = "s3://evidence/logs/"


def ingest(logs: list[Any], case: Path, **options: Any) -> Any:
    return pipeline.ingest(logs, case, org=["albion.example"], org_add=True, year=2023, **options)


def tables(case: Path) -> dict[str, bytes]:
    return {p.relative_to(case).as_posix(): p.read_bytes() for p in sorted(case.rglob("*.parquet"))}


@pytest.fixture
def logs(data: Path, tmp_path: Path) -> Path:
    """One folder of every kind of container."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for day in DAYS:
        shutil.copy(data / "postfix-albion" / f"mail.log-{day}", folder)
    exchange = sorted((data / "exchange-albion").glob("MSGTRK2023060[67]*"))[:3]
    with tarfile.open(folder / "a.tar.gz", "w:gz") as tar, tarfile.open(folder / "b.tar", "w") as plain:
        tar.add(exchange[0], "inside/one")
        plain.add(exchange[1], "inside/two")
    with zipfile.ZipFile(folder / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(exchange[2], "inside/three")
    return folder


def put(store: Store, folder: Path) -> None:
    for path in folder.iterdir():
        store.put(f"logs/{path.name}", path.read_bytes())


def test_the_same_tables_as_from_files(store: Store, logs: Path, tmp_path: Path) -> None:
    put(store, logs)
    before = dict(store.objects)
    here, there = tmp_path / "here", tmp_path / "there"
    by_path, by_address = ingest([logs], here), ingest([PREFIX], there)
    assert (by_path.evidence, by_path.records, by_path.deliveries) == (
        by_address.evidence, by_address.records, by_address.deliveries
    )  # fmt: skip
    assert by_address.evidence == 8 and not by_address.skipped
    assert tables(here) == tables(there)
    assert store.methods() == {"GET", "HEAD"} and store.objects == before
    one, other = (manifest.read(Case(case)).evidence for case in (here, there))
    apart = {name for a, b in zip(one, other, strict=True) for name in vars(a) if vars(a)[name] != vars(b)[name]}
    assert apart == {"names", "locations"}
    for a, b in zip(one, other, strict=True):
        assert [name.replace(str(logs) + "/", PREFIX) for name in a.names] == list(b.names)
        assert [place.path.replace(str(logs) + "/", PREFIX) for place in a.locations] == [
            place.path for place in b.locations
        ]
    assert workbench.verify(there, all_records=True, rerun=True).ok


def test_the_same_report_as_from_files(store: Store, logs: Path, tmp_path: Path) -> None:
    """Where evidence lay is no part of a report; records are quoted from objects as from files."""
    put(store, logs)
    written = {}
    for name, log in (("here", logs), ("there", PREFIX)):
        pipeline.run([log], tmp_path / name, org=["albion-defence.uk"], year=2023, formats=("json", "md", "forms"))
        reports = tmp_path / name / "reports"
        files = (path for path in sorted(reports.rglob("*")) if path.is_file() and ".seal." not in path.name)
        written[name] = {path.relative_to(reports).as_posix(): path.read_bytes() for path in files}
    assert written["here"] == written["there"] and b"postfix/" in b"".join(written["there"].values())


def test_no_client_is_made_for_files(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Any:
        raise AssertionError("a client of an object store")

    monkeypatch.setattr(objects, "_client", refuse)
    pipeline.run([logs], tmp_path / "case", org=["albion.example"], year=2023, formats="html")
    assert workbench.verify(tmp_path / "case", evidence=logs).ok


def test_one_object(store: Store, logs: Path, tmp_path: Path) -> None:
    put(store, logs)
    result = ingest([f"{PREFIX}mail.log-20230603.gz"], tmp_path / "case")
    assert result.evidence == 1
    assert {key for _, _, key in store.asked} == {"logs/mail.log-20230603.gz"}


def test_a_workbook(store: Store, tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, "two"])
    held = io.BytesIO()
    book.save(held)
    address = store.put("book.xlsx", held.getvalue())
    (source,) = discover([address]).sources
    assert (source.name, source.container) == (f"{address}!/Sheet", "xlsx")
    assert head(source) == b"a,b\n1,two\n"


def test_keys_are_read_as_they_stand_or_refused_by_name(store: Store) -> None:
    read = [
        "p/%41.log", "p/A.log", "p/[x]*", "p/a.log", "p/a.log/b", "p/back\\slash", "p/both", "p/h#x", "p/mark/in",
        "p/new\nline", "p/q?a=b", "p/s p+x", "p/tab\t", "p/" + "x" * 900, "p/é", "p/\u202e", "p/\x1b[31m",
    ]  # fmt: skip
    for key in read:
        store.put(key, key.encode())
    refused = {
        "p/..": "copy it", "p/../a.log": "copy it", "p/./dot": "copy it", "p//lead": "copy it",
        "p/b//c.log": "copy it", "p/dir/": "copy it", "p/both/": "copy it", "p/empty": "it is empty",
    }  # fmt: skip
    for key in refused:
        store.put(key, b"" if key == "p/empty" else b"other")
    store.put("p/mark/", b"")
    store.put("a.log", b"what p/../a.log would be as a path")
    found = discover(["s3://evidence/p"])
    assert [one.path for one in found.sources] == [
        f"s3://evidence/{key}" for key in sorted(read, key=lambda key: key.encode())
    ]
    assert [one.size for one in found.sources] == [len(key.encode()) for key in sorted(read, key=str.encode)]
    told = {one.path.removeprefix("s3://evidence/"): one.reason for one in found.problems}
    assert set(told) == {key.removesuffix("/") if key in ("p/dir/", "p/both/") else key for key in refused}
    for key, words in refused.items():
        assert words in told[key.removesuffix("/") if key in ("p/dir/", "p/both/") else key]
    assert ("GET", "evidence", "a.log") not in store.asked
    assert all(one.name.isprintable() for one in found.sources)


KEYS = st.text("ab/.%+?#*~ \\\n\u202eé", min_size=1, max_size=7)


@given(st.sets(KEYS, min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_every_key_is_read_as_its_own_content_or_named(store: Store, keys: set[str]) -> None:
    store.objects.clear()
    for key in keys:
        store.put(f"p/{key}", f"this is {key!r}".encode())
    found = discover(["s3://evidence/p/"])
    read = {one.path: head(one).decode() for one in found.sources}
    assert read == {f"s3://evidence/p/{key}": f"this is {key!r}" for key in keys if f"s3://evidence/p/{key}" in read}
    named = {one.path for one in found.problems}
    for key in keys:
        address = f"s3://evidence/p/{key}"
        assert address in read or named & {display(address), display(address.rstrip("/")), display(address[:-1])}


@given(KEYS | st.text())
def test_a_recorded_address_leads_to_the_same_object(key: str) -> None:
    one = objects.Object("evidence", key)
    assert objects.recorded(undisplay(display(str(one)))) == one


def test_what_an_address_names(store: Store) -> None:
    for key in ("a", "a/b", "a/c", "b/d"):
        store.put(key, key.encode())

    def paths(*given: str) -> list[str]:
        return [one.path.removeprefix("s3://evidence/") for one in discover(given).sources]

    assert paths("s3://evidence/a") == ["a"]
    assert paths("s3://evidence/a/") == ["a/b", "a/c"]
    assert paths("s3://evidence/b") == paths("s3://evidence/b/") == ["b/d"]
    assert paths("s3://evidence") == paths("s3://evidence/", "s3://evidence/a/c") == ["a", "a/b", "a/c", "b/d"]
    for nothing in ("s3://evidence/*", "s3://evidence/aa", "s3://evidence/c/"):
        found = discover([nothing])
        assert not found.sources and "no such object" in found.problems[0].reason
    assert "bucket" in discover(["s3://elsewhere/a"]).problems[0].reason


@pytest.mark.parametrize(
    "address",
    [
        "s3://AKIAKEY:hush/hush@evidence/logs/", "s3://hush@evidence/a", "s3://evidence/a?X-Amz-Signature=hush",
        "s3://evidence/a?endpoint_override=hush", "s3://:hush@evidence/a", "s3://evidence:9000/hush",
    ],
)  # fmt: skip
def test_an_address_with_a_secret_is_refused_and_not_repeated(store: Store, tmp_path: Path, address: str) -> None:
    case = tmp_path / "case"
    done = CliRunner().invoke(main, ["ingest", address, "--case", str(case), "--org", "albion.example"])
    assert done.exit_code == 2 and "hush" not in done.output and "AWS_" in done.output
    assert not case.exists() and not store.asked
    with pytest.raises(UsageError, match="holds a user"):
        workbench.verify(tmp_path, evidence=address)


@pytest.mark.parametrize("address", ["gs://b/k", "abfss://c@a.dfs.core.windows.net/k", "https://host/log", "s3a://b/k"])
def test_other_stores_are_refused_by_name(tmp_path: Path, address: str) -> None:
    with pytest.raises(UsageError, match=address.partition(":")[0]):
        ingest([address], tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_a_wrong_address_of_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    address = store.put("a", b"a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1")
    assert discover([address]).problems[0].reason.startswith("AWS_ENDPOINT_URL says neither")
    assert not store.asked


def changing(store: Store, key: str, after: int, content: bytes | None, method: str = "GET") -> None:
    """Another content, or none, once the key was asked for so often."""
    count = 0

    def change(asked: str, bucket: str, wanted: str) -> None:
        nonlocal count
        if (asked, wanted) == (method, key):
            count += 1
            if count > after:
                if content is None:
                    store.objects.pop((bucket, key), None)
                else:
                    store.objects[bucket, key] = content

    store.before = change


@pytest.mark.parametrize("name", ["mail.log-20230609", "mail.log-20230607.bz2", "b.tar", "c.zip"])
@pytest.mark.parametrize("gone", [False, True])
def test_an_object_that_changes_while_it_is_read_fails_by_name(
    store: Store, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, gone: bool
) -> None:
    """Between the survey and the reading, whichever it is: nothing of it comes into the case."""
    put(store, logs)
    key = f"logs/{name}"
    content = store.objects["evidence", key]
    finish = survey.finish

    def then(*args: Any) -> Any:
        found = finish(*args)
        if gone:
            del store.objects["evidence", key]
        else:
            store.objects["evidence", key] = content[:-1] + bytes([content[-1] ^ 1])
        return found

    monkeypatch.setattr("forensics.ingest.survey.finish", then)
    with pytest.raises(MachineError) as caught:
        ingest([PREFIX], tmp_path / "case")
    assert name in caught.value.what
    assert not (tmp_path / "case" / "manifest.json").exists()


def test_an_object_that_is_replaced_before_it_is_surveyed_is_not_read(store: Store, logs: Path, tmp_path: Path) -> None:
    """A longer one would be read as far as the first was long."""
    put(store, logs)
    key = "logs/mail.log-20230609"
    longer = store.objects["evidence", key] * 2
    changing(store, key, 2, longer, "HEAD")
    result = ingest([PREFIX], tmp_path / "case")
    assert [(name, "another was put in its place" in why) for name, why in result.skipped] == [
        (f"s3://evidence/{key}", True)
    ]
    assert all(
        name != f"s3://evidence/{key}" for one in manifest.read(Case(tmp_path / "case")).evidence for name in one.names
    )


@pytest.mark.parametrize("trouble", [403, 500, "cut"])
def test_a_store_that_does_not_answer_is_told_by_name(
    store: Store, logs: Path, tmp_path: Path, trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "ATTEMPTS", 1)
    objects._client.cache_clear()
    put(store, logs)
    case = tmp_path / "case"
    command = ["ingest", PREFIX, "--case", str(case), "--org", "albion.example", "--year", "2023"]
    if trouble == "cut":
        store.cut = 100
    else:
        store.before = lambda method, bucket, key: trouble
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 3, done.output
    assert PREFIX in done.output and "Traceback" not in done.output and "Request ID" not in done.output
    assert not (case / "manifest.json").exists()
    objects._client.cache_clear()


def test_a_store_that_fails_while_it_is_read_is_not_said_to_have_changed(
    store: Store, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, logs)
    finish = survey.finish

    def then(*args: Any) -> Any:
        found = finish(*args)
        store.before = lambda method, bucket, key: 403 if key else None
        return found

    monkeypatch.setattr("forensics.ingest.survey.finish", then)
    with pytest.raises(MachineError, match="denies access") as caught:
        ingest([PREFIX], tmp_path / "case")
    assert "changed" not in caught.value.what


def test_verify_reads_the_objects_again(store: Store, logs: Path, tmp_path: Path) -> None:
    put(store, logs)
    case = tmp_path / "case"
    ingest([PREFIX], case)
    key = ("evidence", "logs/mail.log-20230609")
    content = store.objects[key]
    store.asked.clear()
    assert workbench.verify(case).ok and store.methods() == {"GET", "HEAD"}

    store.objects[key] = content.replace(b"status=sent", b"status=bent", 1)
    (bad,) = [one for one in workbench.verify(case).checks if one.ok is False and "20230609" in one.name]
    assert "its content was changed" in bad.text

    store.objects[key] = content + b"more\n"
    (grown,) = [one for one in workbench.verify(case).checks if "20230609" in one.name]
    assert grown.ok and "grown by 5 bytes" in grown.text

    del store.objects[key]
    (missing,) = [one for one in workbench.verify(case).checks if one.ok is False and "20230609" in one.name]
    assert "missing or no longer readable" in missing.text
    found = workbench.verify(case, evidence=logs)
    assert found.ok and any("found at" in one.text for one in found.checks)
    store.objects["evidence", "moved/elsewhere"] = content
    found = workbench.verify(case, evidence="s3://evidence/moved/")
    assert found.ok and any("found at s3://evidence/moved/elsewhere" in one.text for one in found.checks)


def test_a_store_that_cannot_be_reached_is_like_a_missing_file(
    store: Store, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, logs)
    case = tmp_path / "case"
    ingest([f"{PREFIX}mail.log-20230609"], case)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    found = workbench.verify(case)
    assert not found.ok
    assert any("missing or no longer readable" in one.text for one in found.checks)
    assert workbench.verify(case, evidence=logs).ok


def test_a_case_of_others_opens_no_connection(store: Store, logs: Path, tmp_path: Path, nobody_named: Path) -> None:
    """Whoever made a case chose the addresses in it; who opens it is asked nothing of, unless they name the bucket."""
    put(store, logs)
    case = tmp_path / "case"
    pipeline.run([PREFIX], case, org=["albion.example"], year=2023, formats="html")
    assert nobody_named.read_text() == "evidence\n"
    assert workbench.verify(case).ok
    nobody_named.write_text("another\n")
    objects._here.clear()
    store.asked.clear()
    found = workbench.verify(case)
    assert not found.ok
    told = [one.text for one in found.checks if one.name.startswith("evidence ")]
    assert told and all("was not asked for" in text and "`--evidence s3://evidence/`" in text for text in told)
    pipeline.report(case, formats="html")
    for command in (["explain", "--case", str(case), "albion.example"], ["doctor", "--case", str(case)]):
        CliRunner().invoke(main, command)
    new = tmp_path / "new.log"
    new.write_text(
        "Jun  9 10:00:00 mx postfix/qmgr[1]: 4B1C2D3E4F: from=<a@b.example>, size=1, nrcpt=1 (queue active)\n"
    )
    with pytest.raises(EvidenceError, match="is no longer at s3://evidence/"):
        ingest([new], case)
    assert not store.asked
    assert workbench.verify(case, evidence=PREFIX).ok
    assert nobody_named.read_text() == "another\n"


def test_more_objects_cost_what_they_hold(
    store: Store, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    read_ = units.read
    monkeypatch.setattr(
        units, "read", lambda folder, unit, given=None: (
            read.extend(part.item.source.name for part in unit), read_(folder, unit, given))[1]
    )  # fmt: skip
    for path in sorted(logs.iterdir())[:-1]:
        store.put(f"logs/{path.name}", path.read_bytes())
    case = tmp_path / "case"
    ingest([PREFIX], case)
    put(store, logs)
    read.clear()
    new = f"{PREFIX}mail.log-20230609"
    ingest([new], case)
    assert set(read) == {new}
    ingest([PREFIX], tmp_path / "whole")
    assert tables(case) == tables(tmp_path / "whole")
    again = ingest([PREFIX], case)
    assert again.evidence == 8 and workbench.verify(case).ok


def test_a_known_object_that_was_replaced_is_named(store: Store, logs: Path, tmp_path: Path) -> None:
    """By another of the same size, before more evidence is read."""
    names = ("mail.log-20230608.xz", "mail.log-20230609")
    old, new = (store.put(f"logs/{name}", (logs / name).read_bytes()) for name in names)
    case = tmp_path / "case"
    ingest([new], case)
    key = ("evidence", f"logs/{names[1]}")
    store.objects[key] = store.objects[key].replace(b"status=sent", b"status=bent", 1)
    with pytest.raises(VerificationFailed, match=names[1]):
        ingest([old], case)


def test_an_object_that_vanishes_while_it_is_looked_for_is_told_by_name(
    store: Store, logs: Path, tmp_path: Path
) -> None:
    put(store, logs)
    case = tmp_path / "case"
    ingest([PREFIX], case)
    key = "logs/mail.log-20230609"
    changing(store, key, 2, None, "HEAD")
    command = ["ingest", PREFIX, "--case", str(case), "--org", "albion.example", "--year", "2023"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 6 and f"s3://evidence/{key}: there is no object of this key" in done.output, done.output


def test_a_bag_holds_the_objects(store: Store, logs: Path, tmp_path: Path) -> None:
    put(store, logs)
    case = tmp_path / "case"
    ingest([PREFIX], case)
    proof.export(case, out=tmp_path / "bag")
    store.asked.clear()
    assert workbench.verify(tmp_path / "bag").ok
    assert not store.asked
    kept = {path.read_bytes() for path in (tmp_path / "bag" / "data" / "evidence").iterdir()}
    assert kept == set(store.objects.values())


def test_an_archive_that_cannot_be_reached_is_not_said_to_be_damaged(store: Store, logs: Path) -> None:
    address = store.put("c.zip", (logs / "c.zip").read_bytes())
    short = store.put("short.zip", b"PK\x03\x04")
    assert len(discover([address]).sources) == 1
    (problem,) = discover([short]).problems
    assert "cut off or damaged" in problem.reason
    for after in range(1, 4):
        count = 0

        def deny(method: str, bucket: str, key: str, after: int = after) -> int | None:
            nonlocal count
            count += method == "GET"
            return 403 if method == "GET" and count > after else None

        store.before = deny
        found = discover([address])
        assert len(found.sources) == 1 or found.problems[0].reason == "the object store denies access to it"


def test_who_interrupts_does_not_wait_for_all_objects(store: Store) -> None:
    for number in range(400):
        store.put(f"many/{number}", b"x")

    def interrupt(step: str, done: int, total: int) -> None:
        if step == "discover" and done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        discover(["s3://evidence/many/"], progress=interrupt)
    assert len({key for _, _, key in store.asked}) < 400


def test_few_requests(store: Store) -> None:
    """Reading on asks for more each time: a long object is no thousand requests."""
    content = bz2.compress(bytes(range(256)) * 10) + gzip.compress(b"x")
    address = store.put("a", content + bytes(20 << 20))
    store.asked.clear()
    stored = objects.Opened(objects.parse(address))
    held = bytearray(1 << 10)
    for at in range(0, stored.size, 1 << 10):
        stored.readinto(memoryview(held), at)
    stored.close()
    assert len(store.asked) < 14
    assert stored.readinto(memoryview(held), stored.size) == 0


@pytest.fixture(scope="module")
def swift_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    programs = swift.programs()
    if programs is None:
        pytest.skip(
            f"NOT RUN: OpenStack Swift is not installed in {swift.INSTALLED} (MISSENT_SWIFT names another place)"
        )
    with swift.serving(tmp_path_factory.mktemp("swift"), programs) as url:
        yield url


@pytest.mark.slow
def test_a_real_store(
    swift_at: str, logs: Path, tmp_path: Path, nobody_named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenStack Swift, which holds every request to a user's signature."""
    from pyarrow import fs

    writer = fs.S3FileSystem(
        access_key=swift.KEY, secret_key=swift.SECRET, endpoint_override=swift_at, region="us-east-1",
        allow_bucket_creation=True,
    )  # fmt: skip
    writer.create_dir("evidence")
    odd = {"logs/a b+%41.log": b"x\n", "logs/new\nline": b"y\n", "logs/\u202e": b"z\n", "logs/empty": b""}
    for key, content in {**{f"logs/{path.name}": path.read_bytes() for path in logs.iterdir()}, **odd}.items():
        with writer.open_output_stream(f"evidence/{key}") as stream:
            stream.write(content)
    stores.use(monkeypatch, swift_at, swift.KEY, swift.SECRET)
    here, there = tmp_path / "here", tmp_path / "there"
    ingest([logs], here)
    result = ingest([PREFIX], there)
    assert tables(here) == tables(there)
    assert sorted(name for name, _ in result.skipped) == sorted(display(f"s3://evidence/{key}") for key in odd)
    assert workbench.verify(there, all_records=True).ok
    for bad in ({"AWS_SECRET_ACCESS_KEY": "wrong"}, {"AWS_ACCESS_KEY_ID": "test:nobody"}):
        for name, value in bad.items():
            monkeypatch.setenv(name, value)
        objects._client.cache_clear()
        with pytest.raises(EvidenceError) as caught:
            ingest([PREFIX], tmp_path / "refused")
        assert "s3://evidence/logs/" in str(caught.value) and "the object store" in str(caught.value)
        stores.use(monkeypatch, swift_at, swift.KEY, swift.SECRET)
    objects._client.cache_clear()
