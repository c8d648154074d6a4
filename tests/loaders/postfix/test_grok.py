"""The test lines of whyscream/postfix-grok-patterns (BSD-3): each is read as its expected fields say, or is not needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from forensics.loaders import base, timing, years
from forensics.loaders import postfix as loader
from forensics.native.postfix import words as w

NOT_NEEDED = {
    r"(dis)?connect (from|to) |disconnect from |lost connection|timeout after|CONNECT |DISCONNECT|HANGUP|PREGREET": "a session, no message",
    r"PASS |(WHITE|BLACK|ALLOW|DENY)LIST|DNSBL|COMMAND |NON-SMTP|BARE NEWLINE|bare <LF>|improper|discarding EHLO": "a session",
    r"(Un)?[Tt]rusted TLS|Anonymous TLS|Verified TLS|SSL_|certificate|setting up TLS": "TLS of a session",
    r"warning: |fatal: |statistics: |cache |Deleted: |Requeued: |Placed on hold: |Released from hold: ": "about the daemon",
    r"daemon |terminating|reload|using backwards|master|addr |stopping|starting|waiting|refreshing|the Postfix|ehlo=": "about the daemon",
    r"[0-9A-Fa-z]+: (host|lost connection|conversation|enabling PIX|SASL authentication failed|skipped)": "repeated in the status line",
    r"[0-9A-Za-z]+: (info|prepend|warning|milter-header-redirect): (?!header Subject)": "a header that is not kept",
    r"NOQUEUE: (reject: (CONNECT|VRFY)|discard: MAIL|filter|reject_warning)|proxy-accept": "no recipient refused",
    r"proxy-reject: ": "no queue id in front, as it is logged with one",
    r"[0-9./]+$|(may|dane)(:|/|\?|$)|helo=|1\.example\.com|\S+ with cipher|TLSv|\S+ \S+ (connection|CONNECT)|dnsblog": "part of a line",
}
EVENTS = {
    w.CLIENT: "client", w.PICKUP: "pickup", w.MSGID: "message-id", w.CHECK: "check", w.QUEUED: "queued", w.EXPIRED: "expired",
    w.REMOVED: "removed", w.DELIVERY: "delivery", w.REJECT: "reject", w.NOTIFY: "notify", w.DELETED: "deleted", w.HELD: "held",
    w.RELEASED: "released", w.REQUEUED: "requeued", w.SESSION: "session", w.PROXIED: "proxied", w.TAKEN: "taken",
}  # fmt: skip


BREAKS_OFF = w.REASONS[w.R_BREAKS]


def scanned(program: str, text: str) -> tuple[base.Scan, dict[str, Any] | None]:
    raw = f"2024-03-01T10:00:00+00:00 mx1 postfix/{program}[1]: {text}\n".encode()
    data = np.frombuffer(raw + bytes(64), np.uint8).copy()
    block = type("Block", (), {"data": data[: len(raw)], "offset": 0, "last": True, "padded": data})()
    scan = loader.scan(block, base.ScanContext(evidence=0, number=1, plan=timing.Plan(years.Clock())))
    if not scan.used:
        return scan, None
    events = scan.events
    row = events.ints[0]
    buffer = bytes(events.buffer)

    def span(column: int) -> str | None:
        return buffer[row[column] : row[column + 1]].decode() if row[column] >= 0 else None

    fields = {name: span(getattr(w, name)) for name in ("QID", "A", "B", "C", "D", "E", "F", "G")}
    return scan, fields | {"kind": EVENTS[int(row[w.KIND])], "N0": int(row[w.N0]), "N1": int(row[w.N1])}


def pairs(text: str) -> dict[str, str]:
    return {k: v.strip("<>") for k, v in re.findall(r"(\w+)=(<[^>]*>|[^, ]*)", text)}


def check_fields(found: dict[str, Any], results: dict[str, Any]) -> None:
    kind = found["kind"]
    if "postfix_queueid" in results and results["postfix_queueid"] != "NOQUEUE":
        assert found["QID"] == str(results["postfix_queueid"])
    values = pairs(str(results.get("postfix_keyvalue_data", "")))
    if kind == "delivery":
        relay = values["relay"]
        assert (found["A"], found["B"]) == (values["to"], values.get("orig_to"))
        assert found["E"] == values["dsn"]
        assert found["C"] == (None if relay == "none" else relay.split("[")[0])
        words = {"sent": w.SENT, "deferred": w.DEFERRED, "bounced": w.BOUNCED}
        assert found["N0"] == words.get(results.get("postfix_status", "sent"), w.PROBE)
        for name in (
            "postfix_smtp_response",
            "postfix_pipe_response",
            "postfix_local_response",
            "postfix_lmtp_response",
        ):
            if name in results:
                assert found["F"].endswith(results[name]) or results[name] in found["F"]
    elif kind == "queued":
        assert found["A"] == values["from"]
        assert (found["N0"], found["N1"]) == (int(values["size"]), int(values["nrcpt"]))
    elif kind == "expired":
        assert found["A"] == (results["postfix_from"] or "")
    elif kind == "reject":
        assert found["A"] == values["to"]
        assert found["B"] == values.get("from")
        if "postfix_client_ip" in results:
            assert found["D"] == results["postfix_client_ip"]
        if "postfix_status_code_enhanced" in results:
            assert found["E"] == str(results["postfix_status_code_enhanced"])
    elif kind == "message-id":
        assert (found["A"] or "") == results["postfix_message-id"]
    elif kind == "client":
        name, address = values["client"].rstrip("]").split("[")
        assert (found["A"], found["B"]) == (name, address)
    elif kind == "proxied":
        assert str(results["postfix_proxy_message"]).endswith(f"queued as {found['QID']}")
    elif kind == "pickup":
        assert found["A"] == values["from"]
    elif kind == "notify":
        assert found["G"] == str(results["postfix_bounce_queueid"])
    elif kind == "check":
        assert found["A"] == values["to"]
        assert found["B"] == values["from"]


def test_every_line_of_the_patterns(corpora: Path) -> None:
    """191 cases; `matched` and `not needed` must be all of them."""
    folder = corpora / "public-samples" / "postfix-grok"
    matched, left, troubles = 0, 0, []
    for path in sorted(folder.glob("*.yaml")):
        case = yaml.safe_load(path.read_text())
        program = path.stem.rsplit("_", 1)[0].replace("_", "-")
        program = {
            "script": "postfix-script",
            "tls-features": "smtp",
            "command-counter-data": "smtpd",
            "delays": "smtp",
        }.get(program, program)
        scan, found = scanned(program, str(case["data"]).replace("\n", "?").replace("\r", "?"))
        reason = next((why for pattern, why in NOT_NEEDED.items() if re.match(pattern, str(case["data"]))), None)
        reasons = scan.unread["reason"].to_pylist()
        if reason == "part of a line":  # its text alone may look like a queue id that was cut off ("dane")
            reasons = [why for why in reasons if why != BREAKS_OFF]
        try:
            assert not reasons, reasons
            if found is not None:
                check_fields(found, case["results"])
                matched += 1
            else:
                assert reason is not None, "neither read nor listed"
                left += 1
        except (AssertionError, KeyError) as error:
            troubles.append(f"{path.stem}: {case['data']!r}: {error!r} {found}")
    assert not troubles, "\n".join(troubles)
    assert matched + left == len(list(folder.glob("*.yaml"))) >= 150
    assert matched >= 50


@pytest.mark.parametrize("text", ["4B1C2D3E4F: to=<x@y.example>, relay=mx", "4B1C2D3E4F: to=<x", "4B1C2D3E4F: to="])
def test_malformed_delivery_lines_are_unread(text: str) -> None:
    scan, found = scanned("smtp", text)
    assert found is None
    assert scan.unread["reason"].to_pylist() == ["malformed delivery line"]
