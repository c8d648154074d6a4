"""Evidence comes back as the bytes that went in, whatever it is packed in and however it is damaged."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import socket
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.custody import containers, evidence, packings, streams
from forensics.custody.evidence import Block, Digests, Source, blocks, discover
from forensics.errors import EvidenceError, UsageError

LOG = b"".join(b"Jan  1 00:00:%02d gw postfix/qmgr[1]: %08X: removed\n" % (i % 60, i) for i in range(20_000))


def lines(data: np.ndarray, last: bool) -> int:
    return len(data) if last else data.tobytes().rfind(b"\n") + 1


def read(source: Source, *, size: int = 1 << 20) -> tuple[bytes, list[Block], Digests]:
    digests = Digests()
    found = list(blocks(source, lines, size=size, digests=digests))
    return b"".join(block.data.tobytes() for block in found), found, digests


def only(path: Path) -> Source:
    found = discover([path])
    assert not found.problems
    assert len(found.sources) == 1
    return found.sources[0]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def reasons(path: Path) -> dict[str, str]:
    return {Path(one.path).name: one.reason for one in discover([path]).problems}


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zstd": lambda data: zstandard.ZstdCompressor(level=1, write_checksum=True).compress(data),
}


def tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(min_size=1, max_size=4096),
        st.lists(st.binary(max_size=90), min_size=1, max_size=60).map(lambda parts: b"\n".join(parts) or b"x"),
    ).filter(lambda data: evidence.head is not None and data.strip(b"\0")),
    inner=st.lists(st.sampled_from(sorted(PACK)), max_size=2),
    archive=st.sampled_from([None, "tar", "zip", "zip-stored"]),
    outer=st.lists(st.sampled_from(sorted(PACK)), max_size=2),
    size=st.integers(1, 5000),
    cut=st.integers(1, 4095),
)
def test_any_bytes_through_any_chain(tmp_path, content, inner, archive, outer, size, cut):
    if containers.kind(content) or packings.unsupported(content):
        return
    packed = content
    for name in inner:
        one, two = packed[:cut], packed[cut:]
        packed = PACK[name](one) + (PACK[name](two) if two else b"")
    member = packed
    if archive == "tar":
        packed = tar({"../../etc/\u202ename": packed})
    elif archive:
        packed = zipped({"a": packed}, zipfile.ZIP_DEFLATED if archive == "zip" else zipfile.ZIP_STORED)
    else:
        outer = outer[: 3 - len(inner)]
    if archive and archive != "tar":
        outer = []
    for name in outer:
        packed = PACK[name](packed)
    path = tmp_path / "evidence"
    path.write_bytes(packed)
    source = only(path)
    got, found, digests = read(source, size=size)
    assert got == content
    assert digests.damage is None
    assert digests.content_sha256 == sha(content)
    assert digests.content_size == len(content)
    assert digests.file_sha256 == sha(packed)
    assert digests.file_size == len(packed)
    assert digests.member_sha256 == (sha(member) if archive else None)
    assert [block.offset for block in found] == np.cumsum([0, *(len(b.data) for b in found)])[:-1].tolist()
    assert [block.last for block in found] == [False] * (len(found) - 1) + [True]
    for block in found:
        assert block.last or block.data[-1] == 10
        assert len(block.padded) >= len(block.data) + evidence.PADDING
        assert not block.padded[len(block.data) :].any()


@pytest.mark.parametrize("name", sorted(PACK))
@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_truncated_keeps_what_could_be_read(tmp_path, name, size):
    content = LOG * 3
    whole = PACK[name](content)
    path = tmp_path / "log"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    got, _, digests = read(only(path), size=size)
    assert 0 < len(got) < len(content)
    assert content.startswith(got)
    assert digests.damage and f"byte {path.stat().st_size:,}" in digests.damage and "cut off" in digests.damage
    assert digests.content_sha256 == sha(got)
    assert digests.file_sha256 == sha(path.read_bytes())


@pytest.mark.parametrize("name", sorted(PACK))
def test_damage_does_not_depend_on_block_size(tmp_path, name):
    whole = bytearray(PACK[name](LOG * 3))
    whole[len(whole) // 2] ^= 0xFF
    path = tmp_path / "log"
    path.write_bytes(whole)
    seen = {read(only(path), size=size)[2].content_sha256 for size in (777, 4096, 1 << 20)}
    assert len(seen) == 1
    got, _, digests = read(only(path))
    assert digests.damage
    assert "byte" in digests.damage
    assert digests.file_sha256 == sha(bytes(whole))
    assert digests.content_sha256 == sha(got)


def test_gzip_is_kept_up_to_the_damaged_byte(tmp_path):
    """Deflate is read a byte at a time before damage: nothing decodable before it is lost."""
    whole = bytearray(gzip.compress(LOG, mtime=0))
    at = len(whole) * 3 // 4
    whole[at : at + 40] = b"\xff" * 40
    path = tmp_path / "log"
    path.write_bytes(whole)
    got = read(only(path))[0]
    decoder = zlib.decompressobj(31)
    safe = decoder.decompress(bytes(whole[:at]))
    assert got.startswith(safe)


@pytest.mark.parametrize("name", sorted(PACK))
def test_trailing_garbage_is_named_and_left_out(tmp_path, name):
    path = tmp_path / "log"
    packed = PACK[name](LOG)
    path.write_bytes(packed + b"garbage that is no member")
    got, _, digests = read(only(path))
    assert got == LOG
    assert f"from byte {len(packed):,}" in digests.damage
    assert digests.file_sha256 == sha(path.read_bytes())


@pytest.mark.parametrize("name", sorted(PACK))
def test_zero_padding_between_and_after_members_is_no_damage(tmp_path, name):
    path = tmp_path / "log"
    path.write_bytes(PACK[name](LOG[:500]) + bytes(512) + PACK[name](LOG[500:]) + bytes(1024))
    got, _, digests = read(only(path))
    assert got == LOG
    assert digests.damage is None


def test_zstd_skippable_frames(tmp_path):
    path = tmp_path / "log"
    skippable = b"\x51\x2a\x4d\x18\x05\0\0\0hello"
    path.write_bytes(skippable + PACK["zstd"](LOG[:77]) + skippable + PACK["zstd"](LOG[77:]))
    got, _, digests = read(only(path))
    assert (got, digests.damage) == (LOG, None)


def test_memory_hungry_zstd_window_is_refused(tmp_path):
    path = tmp_path / "log"
    parameters = zstandard.ZstdCompressionParameters(window_log=30)
    hungry = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    path.write_bytes(hungry.compress(LOG) + hungry.flush())
    assert "requires too much memory" in reasons(tmp_path)["log"]


def test_folder_with_everything_that_is_no_evidence(tmp_path):
    (tmp_path / "good.log").write_bytes(LOG)
    (tmp_path / "empty.log").touch()
    with (tmp_path / "hole.log").open("wb") as hole, (tmp_path / "partly.log").open("wb") as partly:
        hole.truncate(50 << 30)
        partly.seek(1 << 20)
        partly.write(LOG)
    (tmp_path / "empty.gz").write_bytes(gzip.compress(b""))
    (tmp_path / "broken.gz").write_bytes(gzip.compress(LOG)[:9])
    (tmp_path / "old.7z").write_bytes(b"7z\xbc\xaf\x27\x1cxxxx")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "sub" / "same.log").symlink_to(tmp_path / "good.log")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        found = discover([tmp_path])
    assert [source.name for source in found.sources] == [str(tmp_path / "good.log"), str(tmp_path / "partly.log")]
    why = {Path(one.path).name: one.reason for one in found.problems}
    assert why == {
        "empty.log": "it is empty (0 bytes)",
        "hole.log": "nothing was ever written into it: a copy that broke off, or room that was only reserved "
        "(all of its 53,687,091,200 bytes are zeros)",
        "empty.gz": "there is nothing in it once it is unpacked",
        "broken.gz": "nothing in it can be read: the gzip data is cut off at byte 9 of the stored file",
        "old.7z": packings.unsupported(b"7z\xbc\xaf\x27\x1c"),
        "dangling": "there is no such file or folder",
        "self": "it is a symbolic link that leads to itself",
        "up": "it is a link back to a folder that contains it",
        "pipe": "it is a pipe; give its content on standard input, as `-`",
        "socket": "it is a socket; give its content on standard input, as `-`",
    }


def test_missing_device_and_nul(tmp_path):
    found = discover([tmp_path / "no.log", "/dev/null", str(tmp_path / "*.nope"), "a\0b", tmp_path])
    assert not found.sources
    assert {one.reason for one in found.problems} == {
        "there is no such file or folder",
        "it is a device; give its content on standard input, as `-`",
        "no file fits this pattern",
        "a path cannot hold a NUL character",
        "the folder is empty",
    }


def test_no_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("NOT RUN: root may read every file, so that refusal of permission cannot be shown")
    (tmp_path / "secret.log").write_bytes(LOG)
    (tmp_path / "secret.log").chmod(0)
    assert reasons(tmp_path) == {"secret.log": "no permission to read it"}


def test_no_permission_as_any_user(tmp_path, monkeypatch):
    (tmp_path / "secret.log").write_bytes(LOG)
    (tmp_path / "open.log").write_bytes(LOG)
    real = streams.open_readonly

    def refuse(path):
        if "secret" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(streams, "open_readonly", refuse)
    found = discover([tmp_path])
    assert [Path(one.path).name for one in found.sources] == ["open.log"]
    assert [one.reason for one in found.problems] == ["no permission to read it"]
    gone = Source(str(tmp_path / "secret.log"), size=len(LOG))
    with pytest.raises(EvidenceError, match="no permission to read it"):
        list(blocks(gone, lines))


def test_nothing_named_and_stdin_without_a_case():
    with pytest.raises(UsageError):
        discover([])
    with pytest.raises(UsageError, match="standard input"):
        discover(["-"])


def test_patterns_and_order_of_arguments(tmp_path):
    for name in ("b.log", "a.log", "c[1].log", "c1.log"):
        (tmp_path / name).write_bytes(LOG + name.encode())
    names = [Path(one.path).name for one in discover([f"{tmp_path}/*.log"]).sources]
    assert names == ["a.log", "b.log", "c1.log", "c[1].log"]
    assert [Path(one.path).name for one in discover([tmp_path / "c[1].log"]).sources] == ["c[1].log"]
    given = [tmp_path / "b.log", tmp_path, f"{tmp_path}/a*"]
    assert discover(given) == discover(given[::-1])
    assert len(discover(given).sources) == 4


def test_hostile_member_names_are_labels_only(tmp_path):
    names = ["../../../etc/passwd", "/etc/shadow", "a\nb\x1b[31m", "\u202egnp.gol", "n" * 65_536]
    members = {name: LOG + str(index).encode() for index, name in enumerate(names)}
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "bad.tar").write_bytes(tar(members))
    found = discover([tmp_path / "x"])
    assert not found.problems
    assert [one.member for one in found.sources] == names
    for source, data in zip(found.sources, members.values(), strict=True):
        assert read(source)[0] == data
        assert source.name.isprintable()
        assert len(source.name) < 1000
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bad.tar", "x"]


def test_undecodable_file_names(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.log"
    Path(os.fsdecode(raw)).write_bytes(LOG)
    source = only(tmp_path)
    assert source.name.endswith("caf\\xe9.log")
    source.name.encode("utf-8")
    assert read(source)[0] == LOG


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_of_compressed_logs(tmp_path, mode):
    members = {f"mail.log.{i}.gz": gzip.compress(LOG[i:]) for i in range(5)}
    path = tmp_path / "no-hint-in-the-name"
    path.write_bytes(tar(members, mode))
    found = discover([path])
    assert [source.member for source in found.sources] == list(members)
    for index in (4, 0, 2, 1, 3):
        got, _, digests = read(found.sources[index])
        assert got == LOG[index:]
        assert digests.member_sha256 == sha(members[f"mail.log.{index}.gz"])
        assert digests.file_sha256 == sha(path.read_bytes())
    expected = {"w": "gzip in tar", "w:gz": "gzip in tar in gzip", "w:bz2": "gzip in tar in bzip2"}
    assert found.sources[0].container == expected.get(mode, "gzip in tar in xz")


def test_compressed_tar_is_unpacked_once_when_read_in_order(tmp_path, monkeypatch):
    path = tmp_path / "many.tgz"
    path.write_bytes(tar({f"{i}.log": LOG for i in range(30)}, "w:gz"))
    sources = discover([path]).sources
    made = []
    real = streams.Cursor.__init__
    monkeypatch.setattr(streams.Cursor, "__init__", lambda self, *a: made.append(1) or real(self, *a))
    for source in sources:
        assert read(source)[0] == LOG
    assert len(made) <= 1


def test_truncated_tgz(tmp_path):
    whole = tar({f"{i}.log": os.urandom(50_000) for i in range(4)}, "w:gz")
    path = tmp_path / "cut.tgz"
    path.write_bytes(whole[: len(whole) * 5 // 8])
    found = discover([path])
    assert [one.member for one in found.sources] == ["0.log", "1.log", "2.log"]
    assert "cut off" in found.problems[0].reason
    damage = [read(source)[2].damage for source in found.sources]
    assert damage[:2] == [None, None]
    assert "cut off" in damage[2]


def test_a_case_among_evidence_is_told_in_one_line(tmp_path):
    """What it was made of may have come by standard input; what somebody has put beside its own files is read."""
    case = tmp_path / "logs" / "case"
    for name in ("manifest.json", "custody.jsonl", "case.toml", "deliveries/month=2024-03/day-01.parquet", "reports/x"):
        (case / name).parent.mkdir(parents=True, exist_ok=True)
        (case / name).write_text("{}")
    for name in ("streams/" + "a" * 64, "more.log", "evidence/mail.log"):
        (case / name).parent.mkdir(parents=True, exist_ok=True)
        (case / name).write_bytes(LOG)
    (tmp_path / "logs" / "mail.log").write_bytes(LOG)
    found = discover([tmp_path / "logs"])
    assert [(Path(one.path), "Missent case" in one.reason) for one in found.problems] == [(case, True)]
    names = ["case/evidence/mail.log", "case/more.log", "case/streams/" + "a" * 64, "mail.log"]
    assert [str(Path(one.path).relative_to(tmp_path / "logs")) for one in found.sources] == names


def test_a_tar_that_was_cut_off_before_it_was_handed_in(tmp_path):
    """It is the archive that ends, not a file that somebody shortened while it was read."""
    whole = tar({f"{i}.log": LOG[:5_000] for i in range(3)})
    path = tmp_path / "cut.tar"
    for end in (512 + 4_000, 2 * 5_632 + 512 + 100):
        path.write_bytes(whole[:end])
        found = discover([path])
        assert "is cut off" in found.problems[0].reason
        *others, last = (read(source) for source in found.sources)
        assert [got for got, *_ in others] == [LOG[:5_000]] * len(others)
        assert last[0] == LOG[: end % 5_632 - 512] and last[2].damage == "the archive ends inside it: it is cut off"


@pytest.mark.parametrize("end", [5_632, 2 * 5_632, 5_632 - 50], ids=["behind one", "behind two", "in the filling"])
def test_a_tar_that_was_cut_off_between_two_files_is_told(tmp_path, end):
    """Nothing in it is damaged: only that its end mark is missing shows that there were more files."""
    path = tmp_path / "cut.tar"
    path.write_bytes(tar({f"{i}.log": LOG[:5_000] for i in range(3)})[:end])
    found = discover([path])
    assert len(found.sources) == -(-end // 5_632)
    assert len(found.problems) == 1 and "without its end mark: it is cut off" in found.problems[0].reason
    assert [read(source)[2].damage for source in found.sources] == [None] * len(found.sources)


def test_tar_that_claims_an_endless_header(tmp_path):
    whole = bytearray(tar({"n" * 300: LOG}))
    whole[124:136] = b"77777777777\0"
    whole[148:156] = b"        "
    whole[148:156] = b"%06o\0 " % sum(whole[:512])
    path = tmp_path / "bad.tar"
    path.write_bytes(whole)
    found = discover([path])
    assert not found.sources
    assert "header of 8,589,934,591 bytes" in found.problems[0].reason


def test_zip_troubles(tmp_path):
    good = zipped({"ok.log": LOG, "x.gz": gzip.compress(LOG)})
    (tmp_path / "cut.zip").write_bytes(good[:-30])
    broken = bytearray(good)
    broken[5000] ^= 0xFF
    (tmp_path / "broken.zip").write_bytes(broken)
    locked = bytearray(zipped({"locked.log": LOG}))
    central = locked.rfind(b"PK\x01\x02")
    locked[central + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    (tmp_path / "nested.zip").write_bytes(zipped({"inner.zip": good, "inner.tar": tar({"a": LOG})}))
    (tmp_path / "packed.zip.gz").write_bytes(gzip.compress(good))
    (tmp_path / "lzma.zip").write_bytes(zipped({"l.log": LOG}, zipfile.ZIP_LZMA))
    why = reasons(tmp_path)
    assert "cut off or damaged" in why["cut.zip"]
    assert why["locked.zip"] == packings.ENCRYPTED.words
    assert why["inner.zip"] == why["inner.tar"] == "it is an archive inside an archive; unpack the outer one first"
    assert why["packed.zip.gz"] == "it is a zip archive that was compressed again; unpack it first"
    assert why["l.log"] == "it is compressed by zip method 14, which is not read"
    bad, fine = discover([tmp_path / "broken.zip"]).sources
    assert read(bad)[2].damage
    assert read(fine)[0] == LOG


def test_zip_crc_is_checked(tmp_path):
    whole = bytearray(zipped({"a.log": LOG}, zipfile.ZIP_STORED))
    whole[whole.find(b"removed")] = ord("R")
    (tmp_path / "a.zip").write_bytes(whole)
    got, _, digests = read(only(tmp_path / "a.zip"))
    assert len(got) == len(LOG)
    assert "CRC-32" in digests.damage


def test_bomb_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(streams, "BOMB_SIZE", 8 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(gzip.compress(bytes(64 << 20))))
    got, _, digests = read(only(path), size=1 << 20)
    assert len(got) <= (9 << 20)
    assert "unpacks to more than 1,000 times its size" in digests.damage


def test_too_many_layers(tmp_path):
    packed = LOG
    for _ in range(4):
        packed = gzip.compress(packed)
    (tmp_path / "deep.gz").write_bytes(packed)
    assert reasons(tmp_path)["deep.gz"] == "it is compressed more than 3 times over; unpack it first"


def test_long_record_grows_the_buffer_and_is_cut_at_the_bound(tmp_path, monkeypatch):
    path = tmp_path / "long"
    path.write_bytes(b"x" * 100_000 + b"\nshort\n" + b"y" * 3_000_000 + b"\nend")
    monkeypatch.setattr(evidence, "LONGEST_RECORD", 1 << 20)
    got, found, _ = read(only(path), size=1000)
    assert got == path.read_bytes()
    assert [len(block.data) for block in found if block.cut] == [1 << 20, 1 << 20]
    assert found[0].data.tobytes() == b"x" * 100_000 + b"\n" or found[0].data.tobytes().endswith(b"\nshort\n")


def test_remainder_that_split_refuses_is_handed_over(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"a\nb\nrest")
    found = list(blocks(only(path), lambda data, last: data.tobytes().rfind(b"\n") + 1))
    assert [(block.data.tobytes(), block.offset, block.last) for block in found] == [
        (b"a\nb\n", 0, False),
        (b"rest", 4, True),
    ]


def test_growing_and_shrinking_files(tmp_path):
    path = tmp_path / "live.log"
    path.write_bytes(LOG)
    source = only(path)
    with path.open("ab") as file:
        file.write(b"later\n")
    assert read(source)[0] == LOG
    os.truncate(path, 1000)
    got, _, digests = read(source)
    assert got == LOG[:1000]
    assert "shortened" in digests.damage


def test_evidence_is_not_touched(tmp_path):
    path = tmp_path / "mail.log.gz"
    path.write_bytes(gzip.compress(LOG))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    path.chmod(0o444)
    before = path.stat()
    read(only(path))
    after = path.stat()
    assert path.read_bytes()[:3] == b"\x1f\x8b\x08"
    assert (before.st_mtime_ns, before.st_ctime_ns, before.st_size) == (
        after.st_mtime_ns,
        after.st_ctime_ns,
        after.st_size,
    )
    assert after.st_atime_ns == before.st_atime_ns


def test_only_opened_for_reading(tmp_path, monkeypatch):
    path = tmp_path / "mail.log"
    path.write_bytes(LOG)
    modes = []
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda p, flags, *rest, **more: modes.append(flags) or real(p, flags, *rest, **more)
    )
    read(only(path))
    assert modes
    assert all(flags & os.O_ACCMODE == os.O_RDONLY for flags in modes)


def test_standard_input_is_kept(tmp_path, monkeypatch):
    class Piped:
        buffer = io.BytesIO(gzip.compress(LOG, mtime=0))

        def isatty(self):
            return False

    monkeypatch.setattr("sys.stdin", Piped())
    found = discover(["-"], tmp_path / "streams")
    (source,) = found.sources
    assert source.name == f"standard input ({source.file.name[:12]})"
    assert source.container == "gzip"
    assert read(source)[0] == LOG
    (kept,) = (tmp_path / "streams").iterdir()
    assert kept.name == sha(gzip.compress(LOG, mtime=0))
    assert kept.stat().st_mode & 0o777 == 0o444
    monkeypatch.setattr(Piped, "buffer", io.BytesIO(b""))
    found = discover(["-"], tmp_path / "streams")
    assert not found.sources
    assert found.problems[0].reason == "it is empty (0 bytes)"
    assert len(list((tmp_path / "streams").iterdir())) == 1


def test_abandoned_reading_leaves_no_thread_behind(tmp_path):
    import threading

    path = tmp_path / "log"
    path.write_bytes(LOG * 5)
    digests = Digests()
    reading = blocks(only(path), lines, size=1000, digests=digests)
    next(reading)
    reading.close()
    assert digests.content_sha256 == ""
    assert not [one for one in threading.enumerate() if one.name == "missent-sha256"]


def test_sources_can_be_sent_to_workers(tmp_path):
    import pickle

    (tmp_path / "a.tgz").write_bytes(tar({"a.log": LOG}, "w:gz"))
    source = only(tmp_path / "a.tgz")
    assert pickle.loads(pickle.dumps(source)) == source


WHOLE = {
    **{name: pack(LOG[:6000]) for name, pack in PACK.items()},
    "tar": tar({"a.log": LOG[:3000], "b.gz": gzip.compress(LOG[:3000], mtime=0), "n" * 150: LOG[:600]}),
    "tgz": gzip.compress(tar({"a.log": LOG[:3000], "b.log": LOG[:900]}), mtime=0),
    "zip": zipped({"a.log": LOG[:3000], "b.gz": gzip.compress(LOG[:3000], mtime=0)}),
}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=0, max_size=12)), max_size=6),
    end=st.integers(1, 20_000),
)
def test_mutated_containers_end_in_content_damage_or_a_problem(tmp_path, name, changes, end):
    data = bytearray(WHOLE[name])
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new
    path = tmp_path / "mutated"
    path.write_bytes(data[: max(end, 1)])
    found = discover([path])
    assert found.sources or found.problems
    for source in found.sources:
        one, _, digests = read(source, size=3000)
        two, _, again = read(source, size=70)
        assert one == two
        assert (digests.content_sha256, digests.damage) == (again.content_sha256, again.damage)
        assert digests.file_sha256 == sha(path.read_bytes())
        assert source.name.isprintable()
