"""Evidence folders and archives that somebody made to be read elsewhere, for ever, or a thousand times over."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zlib
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from forensics import pipeline
from forensics.cli import main
from forensics.custody import archives, containers, evidence
from forensics.custody.evidence import Digests, blocks, discover
from forensics.errors import UsageError
from tests.ingesting import message, to

LOG = message("4F1C2D3E4F", to("x1@navy.example"), at="2024-03-04T10:00:00.000000+00:00").encode()
ORG = ["albion.example"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "mail.log").write_bytes(LOG)
    return tmp_path / "evidence"


def content(path: Path) -> tuple[bytes, str | None]:
    digests = Digests()
    (source,) = discover([path]).sources
    return b"".join(bytes(block.data) for block in blocks(source, lambda d, _: len(d), digests=digests)), digests.damage


def test_a_link_out_of_the_folder_is_recorded_and_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mail.log").write_bytes(LOG.replace(b"x1@", b"x2@"))
    (folder / "file").symlink_to(tmp_path / "other" / "mail.log")
    (folder / "folder").symlink_to(tmp_path / "other")
    (folder / "same").symlink_to("mail.log")
    found = discover([folder])
    assert [Path(one.path).name for one in found.sources] == ["mail.log"]
    assert {Path(one.path).name: one.reason.split(":")[0] for one in found.problems} == {
        "file": f"it is a link out of the folder, to {tmp_path / 'other' / 'mail.log'}",
        "folder": f"it is a link out of the folder, to {tmp_path / 'other'}",
    }
    assert found.links == ()
    followed = discover([folder], follow_links=True)
    assert len(followed.sources) == 2 and not followed.problems
    assert followed.links == tuple(
        (str(folder / name), str(tmp_path / "other" / rest)) for name, rest in (("file", "mail.log"), ("folder", ""))
    )
    # What is named is wanted: a link, or a folder that is one.
    assert len(discover([folder / "file"]).sources) == 1
    assert len(discover([folder / "folder"]).sources) == 1


def test_links_are_told_in_report_manifest_and_custody_log(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "away.log").write_bytes(LOG.replace(b"x1@", b"x2@"))
    (folder / "link").symlink_to(tmp_path / "away.log")
    for follow in (False, True):
        case = tmp_path / f"case-{follow}"
        pipeline.ingest([folder], case, org=ORG, follow_links=follow)
        held = json.loads((case / "manifest.json").read_text())
        last = json.loads((case / "custody.jsonl").read_text().splitlines()[-1])
        assert len(held["evidence"]) == 1 + follow
        assert len(held["skipped"]) == 1 - follow
        assert ("links_followed" in last["details"]) is follow


def test_a_thousand_folders_in_each_other(folder: Path) -> None:
    deepest = folder
    for _ in range(1000):
        deepest /= "d"
        deepest.mkdir()
    (deepest / "deep.log").write_bytes(LOG.replace(b"x1@", b"x2@"))
    try:
        assert len(discover([folder]).sources) == 2
    finally:  # not left to pytest, which removes folders by recursion
        (deepest / "deep.log").unlink()
        while deepest != folder:
            deepest.rmdir()
            deepest = deepest.parent


SKIPPABLE = b"\x50\x2a\x4d\x18" + struct.pack("<L", 0)


@pytest.mark.parametrize(
    ("name", "one", "empty"),
    [
        ("a.gz", gzip.compress(LOG, mtime=0), gzip.compress(b"", mtime=0)),
        ("a.bz2", bz2.compress(LOG), bz2.compress(b"")),
        ("a.xz", lzma.compress(LOG), lzma.compress(b"")),
        ("a.zst", zstandard.compress(LOG), zstandard.compress(b"")),
    ],
)
def test_parts_without_content_end_somewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, one: bytes, empty: bytes
) -> None:
    monkeypatch.setattr(containers, "MOST_EMPTY", 100)
    (folder / name).write_bytes(one + empty * 90 + one)
    assert content(folder / name) == (LOG * 2, None)
    (folder / name).write_bytes(one + empty * 200 + one)
    data, damage = content(folder / name)
    assert data == LOG
    assert damage is not None and "parts without content" in damage


def test_skippable_frames_are_passed_over(folder: Path) -> None:
    """As many as a seekable file has, and three million of them (RFC 8878, 3.1.2)."""
    one = zstandard.compress(LOG)
    for between in (
        SKIPPABLE,
        b"\x5f\x2a\x4d\x18" + struct.pack("<L", 300_000) + bytes(300_000),
        SKIPPABLE * 3_000_000,
    ):
        (folder / "a.zst").write_bytes(between + one + between + one + between)
        assert content(folder / "a.zst") == (LOG * 2, None)


def test_many_small_members_are_one_content(folder: Path) -> None:
    lines = [b"line %d\n" % number for number in range(5000)]
    (folder / "a.gz").write_bytes(b"".join(gzip.compress(line, mtime=0) for line in lines))
    assert content(folder / "a.gz") == (b"".join(lines), None)


def overlapping(members: int) -> bytes:
    """A zip whose directory names the same stored bytes again and again (Fifield 2019, "A better zip bomb")."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packer.compress(LOG) + packer.flush()
    local = struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, 0, 8, 0, 33, zlib.crc32(LOG), len(body), len(LOG), 1, 0)
    out = local + b"a" + body
    directory = b""
    for number in range(members):
        name = b"%05d" % number
        directory += struct.pack(
            "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 20, 20, 0, 8, 0, 33, zlib.crc32(LOG), len(body), len(LOG), len(name), 0, 0,
            0, 0, 0, 0,
        ) + name  # fmt: skip
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, members, members, len(directory), len(out), 0)
    return out + directory + end


def test_files_that_share_their_bytes_in_a_zip_are_read_once(folder: Path) -> None:
    (folder / "a.zip").write_bytes(overlapping(500))
    found = discover([folder / "a.zip"])
    assert [one.index for one in found.sources] == [0]
    assert {one.reason for one in found.problems} == {archives.OVERLAPS}


def test_the_directory_of_a_zip_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.zip").write_bytes(overlapping(500))
    monkeypatch.setattr(archives, "LARGEST_DIRECTORY", 1000)
    found = discover([folder / "a.zip"])
    assert not found.sources
    assert "has a directory of" in found.problems[0].reason


def test_an_archive_with_too_many_files_is_coverage_lost(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(folder / "many.tar", "w") as tar:
        for number in range(30):
            data = LOG.replace(b"x1@", b"y%d@" % number)
            info = tarfile.TarInfo(f"{number}.log")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    monkeypatch.setattr(archives, "MOST_MEMBERS", 20)
    done = CliRunner().invoke(
        main, ["run", str(folder), "--org", ORG[0], "--case", str(tmp_path / "case"), "--format", "json,html"]
    )
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "case" / "reports" / "incident.json").read_text())
    assert report["coverage"]["search"] != "read"
    page = (tmp_path / "case" / "reports" / "incident.html").read_text()
    assert "1 archive holds beyond the part that was read" in page.split('id="', 1)[1]


def test_headers_of_a_tar_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(folder / "many.tar", "w") as tar:
        for number in range(30):
            info = tarfile.TarInfo(f"d{number}")
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
    monkeypatch.setattr(archives, "MOST_HEADERS", 20)
    assert "more than 20 headers" in discover([folder / "many.tar"]).problems[0].reason


def test_all_that_is_unpacked_has_a_bound(folder: Path, tmp_path: Path) -> None:
    """Of everything together, told with the option that raises it; and the case is as it was."""
    for number in range(4):
        (folder / f"{number}.gz").write_bytes(gzip.compress(LOG.replace(b"x1@", b"z%d@" % number) * 2000, mtime=0))
    size = 4 * 2000 * len(LOG)
    case = tmp_path / "case"
    for workers in (1, 4):
        with pytest.raises(UsageError) as told:
            pipeline.ingest([folder], case, org=ORG, max_expanded=size - 1, workers=workers)
        assert "--max-expanded" in str(told.value) and f"{size - 1:,} bytes" in str(told.value)
        assert not case.exists()
    assert pipeline.ingest([folder], case, org=ORG, max_expanded=size, workers=4).evidence == 5
    done = CliRunner().invoke(
        main, ["ingest", str(folder), "--org", ORG[0], "--case", str(tmp_path / "other"), "--max-expanded", "10K"]
    )
    assert done.exit_code == 2 and "10,240 bytes" in done.output


def test_plain_files_are_not_counted(folder: Path, tmp_path: Path) -> None:
    assert pipeline.ingest([folder], tmp_path / "case", org=ORG, max_expanded=1).evidence
    assert evidence.EXPANDED == 1 << 40


@pytest.mark.parametrize("size", ["0", "-1", "1X", "", "1.5G", "99999999999999999"])
def test_a_size_that_is_none(folder: Path, tmp_path: Path, size: str) -> None:
    done = CliRunner().invoke(main, ["ingest", str(folder), "--case", str(tmp_path / "case"), "--max-expanded", size])
    assert done.exit_code == 2 and "no size" in done.output
