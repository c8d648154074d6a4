"""A time-stamping authority of the tests' own, made by openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,{use}
subjectKeyIdentifier = hash
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/authority.pem
certs = {folder}/root.pem
signer_key = {folder}/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256,sha512
accuracy = secs:1
tsa_name = yes
ess_cert_id_alg = sha256
"""
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Authority:
    folder: Path

    @property
    def root(self) -> Path:
        """Its certificate, which whoever checks has from elsewhere."""
        return self.folder / "root.pem"

    def reply(self, request: Path, place: Path) -> Path:
        openssl("ts", "-reply", "-config", self.folder / "cnf", "-section", "one", "-queryfile", request, "-out", place)
        return place


def make(folder: Path, name: str = "Authority", use: str = "timeStamping") -> Authority:
    folder.mkdir()
    made = Authority(folder)
    (folder / "cnf").write_text(CONFIGURATION.format(folder=folder, use=use))
    (folder / "serial").write_text("01\n")
    common = ("-config", folder / "cnf")
    openssl("req", "-x509", *CURVE, "-keyout", folder / "root.key", "-out", made.root, "-days", "9999",
            "-subj", f"/O=Tests/CN={name} root", "-extensions", "root", *common)  # fmt: skip
    openssl("req", "-new", *CURVE, "-keyout", folder / "authority.key", "-out", folder / "csr",
            "-subj", f"/O=Tests/CN={name}", *common)  # fmt: skip
    openssl("x509", "-req", "-in", folder / "csr", "-CA", made.root, "-CAkey", folder / "root.key", "-CAcreateserial",
            "-days", "9999", "-extfile", folder / "cnf", "-extensions", "authority",
            "-out", folder / "authority.pem")  # fmt: skip
    return made


def openssl(*arguments: object) -> bytes:
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_its_use(good: Path, folder: Path, wrong: Authority) -> bytes:
    """The reply `good`, its token signed anew by an authority whose certificate is not for time stamps (which openssl's
    own refuses to use)."""
    openssl("ts", "-reply", "-in", good, "-token_out", "-out", folder / "token")
    openssl("cms", "-verify", "-noverify", "-inform", "DER", "-in", folder / "token", "-out", folder / "info",
            "-binary")  # fmt: skip
    openssl("cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-in", folder / "info",
            "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-signer", wrong.folder / "authority.pem",
            "-inkey", wrong.folder / "authority.key", "-outform", "DER", "-out", folder / "signed")  # fmt: skip
    body = bytes.fromhex("3003020100") + (folder / "signed").read_bytes()
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body
