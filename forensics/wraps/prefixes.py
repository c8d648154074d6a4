"""What other programs put in front of every line: names and numbers of grep, pods of kubectl, stamps of log systems.

Containers' own prefixes (`name  | `, `stdout F `) are known to the scanners of syslog lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from forensics.wraps.wrap import LINES, Wrap

_HEAD: Final = (
    r"(?:<\d{1,3}>)?(?:1 )?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d"
    r"|[A-Z][a-z]{2} (?:[A-Z][a-z]{2} )?[ \d]?\d (?:\d{4} )?\d\d:\d\d|\d{4} [A-Z][a-z]{2} [ \d]?\d "
    r"|[A-Z][a-z]{2} \d{4}-\d\d-\d\d |\{\"|#(?:Fields|Software|Version|Log-type|Date): ?)"
)
"""What the records of logs begin with."""
_ISO: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE: Final = r"(?:Z|[+-]\d\d:?\d\d)"

PREFIXES: Final = {
    "cat -n": rf"(?!{_HEAD}) {{0,10}}\d{{1,12}}(?:\t|  ?)(?={_HEAD})",
    "grep": rf"(?!{_HEAD})[^\x00-\x1f]{{1,1024}}?[:-](?:\d{{1,12}}[:-]){{0,2}} ?(?={_HEAD})",
    "kubectl logs --prefix": r"\[(?:pod|container)/[^\]\s]{1,300}\] ",
    "stern": rf"(?!{_HEAD})[a-z0-9][a-z0-9.-]{{0,252}} [a-z0-9][a-z0-9.-]{{0,252}} (?={_HEAD})",
    "Wazuh archives.log": r"(?P<time>\d{4} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d) "
    r"(?:\((?P<host>[^)\n]{1,255})\) [^\s>]{1,255}|[^\s>]{1,255})->[^\s>]{1,1024} ",
    "logcli": rf"(?P<time>{_ISO}{_ZONE}) {{1,20}}"
    r"(?P<labels>\{(?:[^{}\"\n]|\"(?:[^\"\\\n]|\\.)*\")*\})[ \t]{1,200}",
    "fluentd": rf"(?P<time>{_ISO} ?{_ZONE}?)\t(?P<tag>[^\t\n]{{1,255}})\t(?=\{{)",
    "Grafana": rf"(?:\d{{13,19}}\t)?(?P<time>{_ISO}{_ZONE}?)\t",
    "Fluent Bit": r"(?:\[\d+\] )?(?P<tag>[^\s:\[\]]{1,255}): "
    r"\[\[?(?P<time>\d{9,10}\.\d{1,9})(?:, \{[^{}\n]*\}\])?, (?=\{)",
    "Kiwi Syslog": r"(?P<time>\d{4}-\d\d-\d\d[\t ]\d\d:\d\d:\d\d)\t\w{2,10}\.\w{2,10}\t(?P<host>\S{1,255})\t",
    "aws logs tail": rf"(?P<time>{_ISO}{_ZONE}) [^\s\[\]{{}}]{{1,512}} (?={_HEAD})",
    "journalctl -o short-full": r"[A-Z][a-z]{2} (?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) "
    r"(?P<zone>[A-Z][A-Za-z]{1,5}|[+-]\d\d(?:\d\d)?) (?=\S)",
    "journalctl -o short-unix": r"(?P<time>\d{9,10}\.\d{6}) (?=\S)",
}
"""Name → pattern of the prefix of a line, with the groups `time`, `zone`, `host`, `labels`, `tag` where it tells them.

Sources: grep(1), cat(1), kubectl logs --help, Wazuh archives, grafana/loki pkg/logcli/output, grafana/grafana
inspector/utils/download.ts, fluentd out_file, Fluent Bit stdout and file outputs, Kiwi Syslog Server Administrator
Guide, aws logs tail help, journalctl(1)."""
_COMPILED: Final = {name: re.compile(pattern.encode()) for name, pattern in PREFIXES.items()}
_ANY: Final = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", one) for one in PREFIXES.values()).encode())
"""Any of them."""
_LABEL: Final = re.compile(r'([A-Za-z_][\w.-]*)="((?:[^"\\]|\\.)*)"')
_ARROW: Final = re.compile(r'("(?:[^"\\]|\\.)*")=>')
_UNIT: Final = re.compile(
    rb"(\S+ )([^\s@\[\]:]{1,255})(?:@[^\s\[\]:]*)?\.(?:service|scope)(?:/\S{1,255})?((?:\[\d+\])?: )"
)
_LOOKED_AT: Final = 200


def recognise(head: bytes) -> Wrap | None:
    """The wrap of a content that begins like this: one prefix stands before half of its first lines at least."""
    lines = [line for line in head.split(b"\n", _LOOKED_AT + 1)[:_LOOKED_AT] if line.strip()]
    middle = len(lines) // 2 + 1
    some = [line for line in lines[:middle] if _ANY.match(line)]
    if not some:  # what follows is less than half
        return None
    some += [line for line in lines[middle:] if _ANY.match(line)]
    for name, pattern in _COMPILED.items():
        if sum(1 for line in some if pattern.match(line)) * 2 >= len(lines):
            return Wrap(form=LINES, prefix=name)
    return None


@cache
def _minutes(zone: str) -> str:
    """` +01:00` for the name of a zone that is known; empty for one that is not, or is that of several."""
    from forensics.native.postfix.stamps import SEVERAL, ZONES  # brings a compiler, which few contents need

    minutes = ZONES.get(zone, SEVERAL)
    return "" if minutes == SEVERAL else f" {'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def taken(line: bytes, name: str) -> tuple[bytes, Mapping[str, Any]] | None:
    """(what follows the prefix, what it tells as fields of a record); None where the line has no such prefix."""
    found = _COMPILED[name].match(line)
    if not found:
        return None
    groups = {k: v.decode("utf-8", "surrogateescape") for k, v in found.groupdict().items() if v is not None}
    rest = line[found.end() :]
    if "zone" in groups:
        zone = groups.pop("zone")
        if zone[0] in "+-" or zone in ("UTC", "GMT"):
            groups["time"] += " " + zone
        elif minutes := _minutes(zone):
            groups["time"] += minutes
        rest = _UNIT.sub(rb"\1\2\3", rest, count=1) if _UNIT.match(rest) else rest
    record: dict[str, Any] = dict(groups)
    if "labels" in groups:
        record["labels"] = {k: v.replace('\\"', '"') for k, v in _LABEL.findall(groups["labels"])}
    if name == "Fluent Bit":
        rest = _json(rest)
    return rest, record


def _json(rest: bytes) -> bytes:
    """Fluent Bit's `{"log"=>"…"}]` as JSON."""
    text = _ARROW.sub(r"\1:", rest.decode("utf-8", "surrogateescape").rstrip().removesuffix("]"))
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return rest
    return text.encode("utf-8", "surrogateescape")
