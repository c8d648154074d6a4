"""Time stamps and signatures over entries of the custody log: made and checked offline, and every alteration seen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import errors, proof
from forensics.case import Case
from forensics.cli import main
from forensics.custody import attested, canonical, log, manifest, programs
from forensics.errors import UsageError, VerificationFailed
from tests.custody import authority
from tests.custody.authority import Authority
from tests.custody.made import Built
from tests.test_exit_codes import FOUND
from tests.test_exit_codes import log as written

pytestmark = [
    pytest.mark.skipif(not programs.there("openssl"), reason="openssl is not installed: it stamps"),
    pytest.mark.skipif(not programs.there("ssh-keygen"), reason="ssh-keygen is not installed: it signs"),
]


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.make(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.make(tmp_path_factory.mktemp("tsa") / "other", "Other")


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Of the same name, with another root."""
    return authority.make(tmp_path_factory.mktemp("tsa") / "twin")


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Of the same name; its certificate is a web server's."""
    return authority.make(tmp_path_factory.mktemp("tsa") / "web", use="serverAuth")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("osei", "okafor"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name]
        subprocess.run(command, check=True)
        public = (folder / f"{name}.pub").read_text()
        (folder / f"{name}.signers").write_text(f'{name}@example.org namespaces="missent" {public}')
    return folder


@pytest.fixture
def asked(built: Built, tmp_path: Path) -> Path:
    made = proof.stamp(built.case.folder, query=tmp_path / "head.tsq", examiner="R. Osei")
    assert (made.kind, made.entry) == ("query", 3)
    return made.file


@pytest.fixture
def stamped(built: Built, asked: Path, tsa: Authority, tmp_path: Path) -> Case:
    reply = tsa.reply(asked, tmp_path / "head.tsr")
    made = proof.stamp(built.case.folder, reply=reply, ca=tsa.root)
    assert (made.kind, made.entry, made.verified) == ("stamp", 3, True)
    return built.case


@pytest.fixture
def signed(built: Built, keys: Path) -> Case:
    made = proof.sign(built.case.folder, key=keys / "osei", examiner="R. Osei")
    assert made.entry == 3 and made.by.startswith("SHA256:")
    return built.case


def test_a_stamp_is_shown(stamped: Case, tsa: Authority) -> None:
    told = call("verify", stamped.folder)
    assert "ok      time stamp of entry 3: existed before" in told and "DirName:/O=Tests/CN=Authority" in told
    assert "after it: 4 stamp-query, 5 stamp" in told and "kept in the case: compare it, or give --ca" in told
    assert "checked by the certificate given" in call("verify", stamped.folder, "--ca", tsa.root)
    assert "VERIFIED" in told


def test_a_stamp_by_hand(stamped: Case, tsa: Authority, tmp_path: Path) -> None:
    """As docs/custody.md says: one line of the log, the reply, the authority's certificate."""
    line = subprocess.run(["sed", "-n", "3p", stamped.custody_log], capture_output=True, check=True).stdout
    (tmp_path / "line").write_bytes(line)
    reply = stamped.folder / attested.FOLDER / "3.tsr"
    told = authority.openssl("ts", "-verify", "-data", tmp_path / "line", "-in", reply, "-CAfile", tsa.root)
    assert b"Verification: OK" in told


def test_without_a_certificate_it_is_present_and_not_verified(
    built: Built, asked: Path, tsa: Authority, other: Authority, tmp_path: Path
) -> None:
    reply = tsa.reply(asked, tmp_path / "head.tsr")
    assert "present, not verified" in call("stamp", "--reply", reply, "--case", built.case.folder)
    told = call("verify", built.case.folder)
    assert "none    time stamp of entry 3" in told and "present, not verified: no --ca was given" in told
    assert "ok      time stamp of entry 3" in call("verify", built.case.folder, "--ca", tsa.root)
    assert "FAILED  time stamp of entry 3" in call("verify", built.case.folder, "--ca", other.root, code=4)


def test_a_reply_to_somebody_elses_request(built: Built, asked: Path, tsa: Authority, tmp_path: Path) -> None:
    authority.openssl("ts", "-query", "-digest", "ab" * 32, "-sha256", "-cert", "-out", tmp_path / "q")
    reply = tsa.reply(tmp_path / "q", tmp_path / "r")
    told = call("stamp", "--reply", reply, "--ca", tsa.root, "--case", built.case.folder, code=4)
    assert "another digest (abab" in told
    assert [one["action"] for one in log.read(built.case)][-1] == attested.QUERY, "nothing of it was recorded"


def test_a_reply_to_another_request_for_the_same_entry(
    built: Built, asked: Path, tsa: Authority, tmp_path: Path
) -> None:
    """Somebody replays an older reply: the imprint fits, the nonce does not."""
    line = attested.line(log.read(built.case)[2])
    (tmp_path / "line").write_bytes(line)
    authority.openssl("ts", "-query", "-data", tmp_path / "line", "-sha256", "-cert", "-out", tmp_path / "q")
    reply = tsa.reply(tmp_path / "q", tmp_path / "r")
    with pytest.raises(VerificationFailed, match="nonce"):
        proof.stamp(built.case.folder, reply=reply, ca=tsa.root)


def test_a_reply_by_another_authority(
    built: Built, asked: Path, other: Authority, tsa: Authority, tmp_path: Path
) -> None:
    reply = other.reply(asked, tmp_path / "r")
    with pytest.raises(VerificationFailed, match="not by the authority"):
        proof.stamp(built.case.folder, reply=reply, ca=tsa.root)
    assert not (built.case.folder / attested.FOLDER / "3.tsr").exists()


def test_a_certificate_that_is_not_for_time_stamps(
    built: Built, asked: Path, tsa: Authority, web: Authority, tmp_path: Path
) -> None:
    good = tsa.reply(asked, tmp_path / "good")
    (tmp_path / "bad").write_bytes(authority.without_its_use(good, tmp_path, web))
    with pytest.raises(VerificationFailed, match="purpose"):
        proof.stamp(built.case.folder, reply=tmp_path / "bad", ca=web.root)


def test_the_same_reply_signed_anew_by_an_authority_is_taken(
    built: Built, asked: Path, tsa: Authority, twin: Authority, tmp_path: Path
) -> None:
    """What the test above makes fails by the certificate's use alone."""
    good = tsa.reply(asked, tmp_path / "good")
    (tmp_path / "anew").write_bytes(authority.without_its_use(good, tmp_path, twin))
    assert proof.stamp(built.case.folder, reply=tmp_path / "anew", ca=twin.root).verified


def test_a_certificate_that_has_ended_since(stamped: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain is checked at the stamp's own time: a stamp does not end with its certificate."""
    seen: list[list[object]] = []
    real = programs.run
    monkeypatch.setattr(
        programs, "run", lambda name, arguments, **o: (seen.append(list(arguments)), real(name, arguments, **o))[1]
    )
    call("verify", stamped.folder)
    (command,) = (one for one in seen if "-verify" in one)
    at = next(one.told["at"] for one in attested.read(log.read(stamped)) if one.action == attested.STAMP)
    from datetime import datetime

    assert command[command.index("-attime") + 1] == str(int(datetime.fromisoformat(at).timestamp()))


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"\x30\x03\x02\x01\x00", bytes.fromhex("30053003020102"), b"0" * (2 << 20)]
)
def test_what_no_reply_is(built: Built, asked: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r").write_bytes(content)
    call("stamp", "--reply", tmp_path / "r", "--case", built.case.folder, code=2)


def test_mistakes(built: Built, asked: Path, tsa: Authority, tmp_path: Path, keys: Path) -> None:
    case = built.case.folder
    call("stamp", "--case", case, code=2)
    call("stamp", "--query", asked, "--case", case, code=2)
    call("stamp", "--query", tmp_path / "x", "--ca", tsa.root, "--case", case, code=2)
    call("stamp", "--reply", tmp_path / "no", "--case", case, code=2)
    call("sign", "--key", tmp_path / "no", "--examiner", "x", "--case", case, code=2)
    call("sign", "--key", keys / "osei", "--case", case, code=2)
    call("sign", "--key", tsa.root, "--examiner", "x", "--case", case, code=2)
    call("verify", case, "--ca", tmp_path / "no", code=2)
    reply = tsa.reply(asked, tmp_path / "head.tsr")
    proof.stamp(case, reply=reply)
    with pytest.raises(UsageError, match="stamp already"):
        proof.stamp(case, reply=reply)


def test_a_reply_to_a_request_that_was_never_made(built: Built, tsa: Authority, tmp_path: Path) -> None:
    authority.openssl("ts", "-query", "-digest", "ab" * 32, "-sha256", "-cert", "-out", tmp_path / "q")
    with pytest.raises(VerificationFailed):
        proof.stamp(built.case.folder, reply=tsa.reply(tmp_path / "q", tmp_path / "r"))


def test_openssl_is_not_installed(stamped: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    told = call("verify", stamped.folder)
    assert "present, not checked: openssl is not installed" in told and "VERIFIED" in told
    assert "is not installed" in call("stamp", "--query", tmp_path / "x", "--case", stamped.folder, code=2)


def test_a_signature_is_shown(signed: Case, keys: Path) -> None:
    told = call("verify", signed.folder)
    assert "ok      signature of entry 3: by the key SHA256:" in told and "R. Osei" in told
    assert "whose it is was not checked: no --signers was given" in told
    assert "by osei@example.org" in call("verify", signed.folder, "--signers", keys / "osei.signers")
    assert "does not allow" in call("verify", signed.folder, "--signers", keys / "okafor.signers", code=4)


def test_a_signature_by_hand(signed: Case, keys: Path) -> None:
    line = subprocess.run(["sed", "-n", "3p", signed.custody_log], capture_output=True, check=True).stdout
    sig = signed.folder / attested.FOLDER / "3.sig"
    command = [
        "ssh-keygen",
        "-Y",
        "verify",
        "-f",
        keys / "osei.signers",
        "-I",
        "osei@example.org",
        "-n",
        "missent",
        "-s",
        sig,
    ]
    done = subprocess.run(command, input=line, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_they_go_with_the_bag_and_stand_in_the_log(stamped: Case, keys: Path, tmp_path: Path) -> None:
    proof.sign(stamped.folder, key=keys / "osei", examiner="R. Osei", note="handed to the court")
    proof.export(stamped.folder, out=tmp_path / "bag")
    told = call("verify", tmp_path / "bag", "--signers", keys / "osei.signers")
    assert "ok      time stamp of entry 3" in told and "ok      signature of entry 5: by osei@example.org" in told
    assert log.read(stamped)[-1]["note"] == "handed to the court"


def test_a_report_prints_what_was_attested_before(tmp_path: Path, tsa: Authority, keys: Path) -> None:
    case = tmp_path / "case"
    call("run", written(tmp_path, FOUND), "--org", "example.org", "--case", case, "--format", "md")
    proof.sign(case, key=keys / "osei", examiner="R. Osei")
    proof.stamp(case, query=tmp_path / "q")
    proof.stamp(case, reply=tsa.reply(tmp_path / "q", tmp_path / "r"), ca=tsa.root)
    call("report", "--case", case, "--format", "md,html,json")
    page = (case / "reports" / "incident.md").read_text()
    assert "Entry 3 of the custody log" in page and "is signed by R. Osei with the key" in page
    assert "Entry 4 of the custody log" in page and "CN=Authority, checked against" in page.replace("\\", "")
    assert re.search(r"existed before \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC:", page)
    assert "existed before" in (case / "reports" / "incident.html").read_text()
    told = call("verify", case)
    assert "VERIFIED" in told and "earlier state" not in told, "what is attested is no part of the case state"
    call("report", "--case", case, "--format", "md,json", "--edition", "redacted")
    assert "Osei" not in (case / "reports" / "redacted" / "incident.md").read_text()


def recorded(case: Case, change: Callable[[dict[str, object]], None]) -> None:
    """What a forger does who knows the format: the last entry of the log another one, all digests right."""
    from forensics.custody import canonical, chain

    lines = case.custody_log.read_bytes().splitlines(True)
    entry = json.loads(lines[-1])
    change(entry["details"])
    del entry["digest"]
    entry["digest"] = canonical.digest(entry)
    case.custody_log.write_bytes(b"".join(lines[:-1]) + (canonical.line(entry) + "\n").encode())
    from dataclasses import replace

    held = manifest.read(case)
    manifest.write(case, replace(held, custody=chain.Head(entry["sequence"], entry["digest"])))


def flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[-40] ^= 1
    place.write_bytes(content)


def rehash(case: Case, name: str) -> None:
    digest = canonical.file_digest(case.folder / "attested" / name)
    recorded(case, lambda details: details["attested"].update({name: digest}))  # type: ignore[attr-defined]


STAMPS: dict[str, Callable[[Case, Authority], object]] = {
    "a byte of the reply": lambda case, _: flip(case.folder / "attested" / "3.tsr"),
    "a byte of the reply, the log made to fit": lambda case, _: (
        flip(case.folder / "attested" / "3.tsr"), rehash(case, "3.tsr"),
    ),
    "the reply gone": lambda case, _: (case.folder / "attested" / "3.tsr").unlink(),
    "the request gone": lambda case, _: (case.folder / "attested" / "3.tsq").unlink(),
    "the certificate exchanged": lambda case, other: shutil.copy(other.root, case.folder / "attested" / "3.pem"),
    "the certificate exchanged, the log made to fit": lambda case, other: (
        shutil.copy(other.root, case.folder / "attested" / "3.pem"), rehash(case, "3.pem"),
    ),
    "the time in the log": lambda case, _: recorded(case, lambda d: d.update(at="2020-01-01T00:00:00.000000Z")),
    "the entry that it covers": lambda case, _: recorded(case, lambda d: d.update(covers=2)),
    "the digest that it covers": lambda case, _: recorded(case, lambda d: d.update(digest="0" * 64)),
    "another entry and its digest": lambda case, _: recorded(
        case, lambda d: d.update(covers=2, digest=log.read(case)[1]["digest"]),
    ),
    "a file beside": lambda case, _: (case.folder / "attested" / "9.tsr").write_bytes(b"x"),
}  # fmt: skip


@pytest.mark.parametrize("change", STAMPS.values(), ids=STAMPS)
def test_an_altered_stamp_is_seen(stamped: Case, other: Authority, change: Callable[[Case, Authority], object]) -> None:
    change(stamped, other)
    told = call("verify", stamped.folder, code=errors.VERIFICATION_FAILED)
    assert "FAILED  time stamp" in told or "FAILED  attested" in told


def test_a_log_forged_behind_a_stamp(stamped: Case, tsa: Authority) -> None:
    """Whoever makes the whole chain anew, with right digests, has no stamp of it."""
    from dataclasses import replace

    from forensics.custody import canonical, chain

    entries = [json.loads(line) for line in stamped.custody_log.read_bytes().splitlines()]
    previous = chain.GENESIS
    digests = {}
    for entry in entries:
        entry["user"] = "somebody"
        if "covers" in entry["details"]:
            entry["details"]["digest"] = digests[entry["details"]["covers"]]
        entry["previous"] = previous
        del entry["digest"]
        previous = entry["digest"] = digests[entry["sequence"]] = canonical.digest(entry)
    stamped.custody_log.write_text("".join(canonical.line(entry) + "\n" for entry in entries))
    manifest.write(stamped, replace(manifest.read(stamped), custody=chain.Head(len(entries), previous)))
    told = call("verify", stamped.folder, "--ca", tsa.root, code=errors.VERIFICATION_FAILED)
    assert "ok      custody log" in told, "the chain alone shows nothing"
    assert "FAILED  time stamp of entry 3: is of another digest than this entry's line" in told


SIGNATURES: dict[str, Callable[[Case, Path], object]] = {
    "a byte": lambda case, _: flip(case.folder / "attested" / "3.sig"),
    "a byte, the log made to fit": lambda case, _: (flip(case.folder / "attested" / "3.sig"), rehash(case, "3.sig")),
    "gone": lambda case, _: (case.folder / "attested" / "3.sig").unlink(),
    "by another, the log made to fit": lambda case, keys: (exchange(case, keys), rehash(case, "3.sig")),
    "said to be another's": lambda case, _: recorded(case, lambda d: d.update(key="SHA256:x")),
    "of another entry": lambda case, _: recorded(
        case, lambda d: d.update(covers=2, digest=log.read(case)[1]["digest"])
    ),
    "no file named": lambda case, _: recorded(case, lambda d: d.update(attested={})),
}


def exchange(case: Case, keys: Path) -> None:
    (case.folder / "line").write_bytes(attested.line(log.read(case)[2]))
    command = ["ssh-keygen", "-q", "-Y", "sign", "-f", keys / "okafor", "-n", "missent", case.folder / "line"]
    subprocess.run(command, check=True, capture_output=True)
    (case.folder / "line").unlink()
    (case.folder / "line.sig").replace(case.folder / "attested" / "3.sig")


@pytest.mark.parametrize("change", SIGNATURES.values(), ids=SIGNATURES)
def test_an_altered_signature_is_seen(signed: Case, keys: Path, change: Callable[[Case, Path], object]) -> None:
    change(signed, keys)
    told = call("verify", signed.folder, code=errors.VERIFICATION_FAILED)
    assert "FAILED  signature" in told or "FAILED  attested" in told


def test_who_exchanges_key_and_record_is_seen_by_the_signers_alone(signed: Case, keys: Path) -> None:
    from forensics.custody import signatures

    exchange(signed, keys)
    rehash(signed, "3.sig")
    sig = (signed.folder / "attested" / "3.sig").read_bytes()
    key = signatures.signer(attested.line(log.read(signed)[2]), sig)
    recorded(signed, lambda details: details.update(key=key))
    assert "was not checked: no --signers was given" in call("verify", signed.folder)
    assert "does not allow" in call("verify", signed.folder, "--signers", keys / "osei.signers", code=4)
