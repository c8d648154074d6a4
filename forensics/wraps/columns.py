"""Where the exports of log systems keep the record, its time, its host and its program: one line each.

The same table recognises an export and reads it. The first entry of which a record has a message column (and all of
`needs`) is the record's. `a.b` names a field inside an object, or a column of that name.

Sources: Splunk, "Export search results" and REST `search/jobs/export`; Amazon CloudWatch Logs API, GetLogEvents and
GetQueryResults; Microsoft Learn, Azure Monitor tables Syslog and CommonSecurityLog; Google Cloud, LogEntry; Elastic
Common Schema, Filebeat's and Winlogbeat's exported fields; Graylog, "GELF" and "Export messages"; Grafana Loki,
logcli; grafana/grafana `inspector/utils/download.ts`; systemd.journal-fields(7); Wazuh, archives; Kiwi Syslog Server
Administrator Guide; fluentd `in_syslog`; Fluent Bit, tail and syslog inputs; Vector, `syslog` source; rsyslog,
properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple


class Export(NamedTuple):
    """One log system's export. The columns stand in the order in which they are preferred."""

    name: str
    message: tuple[str, ...]
    time: tuple[str, ...]
    host: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    pid: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Columns that must be there as well, where the message column's name is too common."""


_TIMES: Final = (
    "@timestamp", "timereported", "timestamp", "time", "ts", "date", "datetime", "eventtime", "timegenerated", "_time",
)  # fmt: skip
_HOSTS: Final = (
    "hostname", "host.hostname", "host.name", "host", "logsource", "syslog_hostname", "fromhost", "_HOSTNAME",
    "log.syslog.hostname", "observer.hostname", "agent.hostname", "agent.name", "beat.hostname", "labels.host",
    "labels.hostname", "labels.node_name", "kubernetes.host", "source_host", "computer", "container_name",
)  # fmt: skip
_PROGRAMS: Final = (
    "syslogtag", "program", "programname", "ident", "appname", "app-name", "app_name", "application_name",
    "_application_name", "syslog_program", "process.name", "process.program", "log.syslog.appname",
    "system.syslog.program", "syslog_identifier", "SYSLOG_IDENTIFIER", "_SYSLOG_IDENTIFIER",
)  # fmt: skip
_PIDS: Final = (
    "pid", "procid", "process.pid", "syslog_pid", "process_id", "_process_id", "log.syslog.procid",
    "system.syslog.pid", "SYSLOG_PID", "_PID", "_SYSLOG_PID",
)  # fmt: skip
_REALTIME: Final = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
_JOURNALD: Final = Export(
    "journald", ("MESSAGE",), _REALTIME, ("_HOSTNAME",), ("SYSLOG_IDENTIFIER", "_COMM"), ("SYSLOG_PID", "_PID")
)
_LABELS: Final = ("labels", "fields", "stream")
"""Where Loki's clients keep the labels of a stream."""

EXPORTS: Final = (
    *(_JOURNALD._replace(needs=(name,)) for name in _REALTIME),
    Export("Splunk", ("_raw",), ("_time", "timestamp"), ("host",)),
    Export("CloudWatch Logs Insights", ("@message",), ("@timestamp", "@ingestionTime")),
    Export("CloudWatch Logs", ("message",), ("timestamp",), needs=("ingestionTime",)),
    Export(
        "Azure Monitor Syslog",
        ("SyslogMessage",),
        ("EventTime", "TimeGenerated"),
        ("HostName", "Computer"),
        ("ProcessName",),
        ("ProcessID",),
    ),
    Export("Azure Monitor", ("RawData",), ("TimeGenerated",), ("Computer",)),
    Export(
        "Wazuh",
        ("full_log",),
        ("timestamp",),
        ("predecoder.hostname", "agent.name", "manager.name"),
        ("predecoder.program_name",),
    ),
    Export(
        "Google Cloud Logging",
        ("textPayload", "jsonPayload.message", "jsonPayload.MESSAGE", "jsonPayload.log"),
        ("jsonPayload.timestamp", "timestamp", "receiveTimestamp"),
        (
            "jsonPayload.host",
            "jsonPayload.hostname",
            "jsonPayload._HOSTNAME",
            "labels.compute.googleapis.com/resource_name",
            "resource.labels.instance_id",
        ),
        ("jsonPayload.ident", "jsonPayload.SYSLOG_IDENTIFIER"),
        ("jsonPayload.pid", "jsonPayload._PID"),
    ),
    Export("GELF", ("full_message", "short_message"), ("timestamp",), ("host",), _PROGRAMS, _PIDS),
    Export(
        "Loki",
        ("line", "Line"),
        ("timestamp", "ts", "tsNs", "date", "Date", "Time"),
        tuple(f"{where}.{name}" for where in _LABELS for name in ("host", "hostname", "node_name")),
        tuple(f"{where}.app" for where in _LABELS),
    ),
    Export(
        "Graylog",
        ("message",),
        ("timestamp",),
        ("source",),
        ("application_name", "program", "app_name", "process"),
        ("process_id", "procid", "pid"),
        needs=("source", "timestamp"),
    ),
    Export("Elastic", ("message", "event.original"), ("@timestamp",), _HOSTS, _PROGRAMS, _PIDS, ("@timestamp",)),
    Export("Elastic", ("event.original",), ("@timestamp",), _HOSTS, _PROGRAMS, _PIDS),
    Export("Vector", ("message",), ("timestamp",), ("hostname", "host"), ("appname",), ("procid",), ("source_type",)),
    Export("fluentd or Fluent Bit", ("log",), ("time", "@timestamp", "date"), _HOSTS, ("ident", "program"), ("pid",)),
    Export(
        "Kiwi Syslog",
        ("MsgText", "Message"),
        ("MsgDateTime", "Date Time", "DateTime", "Date"),
        ("MsgHostname", "Hostname", "HostAddress"),
        needs=("Priority",),
    ),
    Export(
        "JSON or CSV",
        ("message", "msg", "Message", "MESSAGE", "log", "body", "Body", "rawmsg", "raw", "event"),
        _TIMES,
        _HOSTS,
        (*_PROGRAMS, "tag"),
        _PIDS,
    ),
)
"""Every export that is known by its columns, the particular before the common."""

FORMATS: Final = (
    ("encodings", "UTF-8 and UTF-16 with or without mark, any line ends, NUL bytes after a crash, terminal colours"),
    (
        "journald",
        "journalctl -o json, json-pretty, json-sse, json-seq, export, verbose and every short mode with a date",
    ),
    ("Splunk", "CSV and JSON with _raw"),
    ("Elastic, OpenSearch", "JSON of a search, one document a line, Kibana CSV; fields of Filebeat and ECS"),
    ("Graylog", "CSV, JSON, GELF"),
    ("Loki, Grafana", "logcli in its modes, JSON of the API, Grafana's text, JSON and CSV"),
    ("CloudWatch Logs", "Insights CSV and JSON, get-log-events, filter-log-events, tail"),
    ("Azure Monitor, Sentinel", "table Syslog as CSV, as rows of JSON and as the API gives it"),
    ("Google Cloud Logging", "gcloud logging read --format=json, exported JSON lines"),
    ("syslog servers", "rsyslog and syslog-ng JSON, Kiwi Syslog, Wazuh archives, fluentd, Fluent Bit, Vector"),
    ("containers", "Docker, Kubernetes (also kubectl logs --prefix), docker compose"),
    ("line prefixes", "file names and numbers of grep, zgrep and cat -n"),
)
"""(name, what) of all that may stand around records, for `missent formats`."""

_LETTER: Final = frozenset(("subject", "Subject"))
"""Fields of a mail, whose text is its sender's: no log system's record has them beside a message."""
_NAMES: Final = frozenset(name for export in EXPORTS for names in export[1:] for name in names)
_SPELLED: Final = {name.casefold(): name for name in sorted(_NAMES)}
"""Of names that differ in capitals alone, the one in small letters."""


_MESSAGES: Final = frozenset(part for one in EXPORTS for name in one.message for part in (name, name.partition(".")[0]))
"""One of these fields has any record that holds a message."""


def spelled(name: str) -> str:
    """A header's column name as `EXPORTS` spells it: the portal of Azure adds the zone, others change capitals.

    >>> spelled("TimeGenerated [UTC]"), spelled("_RAW"), spelled("_source.message"), spelled("Facility")
    ('TimeGenerated', '_raw', 'message', 'Facility')
    """
    bare = name.strip().removeprefix("\ufeff").strip('" ').removesuffix("[UTC]").strip().removeprefix("_source.")
    return bare if bare in _NAMES else _SPELLED.get(bare.casefold(), bare)


def field(record: Mapping[str, Any], name: str) -> Any:
    """The value of a field; `a.b` also looks into objects. None where there is none."""
    value = record.get(name)
    if value is None and "." in name:
        outer, _, inner = name.partition(".")
        nested = record.get(outer)
        return field(nested, inner) if isinstance(nested, Mapping) else None
    return value


def text(value: Any) -> bytes | None:
    """The bytes that a value stands for: text, a number, a list of one, or of bytes (journald); None for others."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return encoded(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return text(value[0])
    if isinstance(value, list) and value and all(type(v) is int and 0 <= v < 256 for v in value):
        return bytes(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value).encode()
    return None


def encoded(value: str) -> bytes:
    """Text as UTF-8; bytes that were none come back as they were (PEP 383), halves of JSON's escapes as three bytes."""
    for errors in ("strict", "surrogateescape"):
        try:
            return value.encode("utf-8", errors)
        except UnicodeEncodeError:
            continue
    return value.encode("utf-8", "surrogatepass")


def first(record: Mapping[str, Any], names: tuple[str, ...]) -> tuple[bytes, str] | None:
    """(text, name) of the first of these fields that holds any."""
    for name in names:
        found = text(field(record, name))
        if found:
            return found, name
    return None


def export_of(record: Mapping[str, Any]) -> Export | None:
    """The export that a record with these fields is of, with the columns that it may have; None where it has no
    message, or is a mail."""
    if _MESSAGES.isdisjoint(record):
        return None
    fields = tuple(record)
    usual = len(fields) <= 64 and all(len(name) <= 128 for name in fields)  # others would fill the memory
    for export in (_possible if usual else _possible.__wrapped__)(fields):
        if any(text(field(record, name)) is not None for name in export.message) and all(
            field(record, name) is not None for name in export.needs
        ):
            return export
    return None


@lru_cache(maxsize=1024)
def _possible(fields: tuple[str, ...]) -> tuple[Export, ...]:
    """The exports that records with these fields may be of, each with the columns that may be found in them."""
    known = frozenset(fields)

    def found(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in known or name.partition(".")[0] in known)

    narrowed = (
        one._replace(
            message=found(one.message),
            time=found(one.time),
            host=found(one.host),
            program=found(one.program),
            pid=found(one.pid),
        )
        for one in (EXPORTS if _LETTER.isdisjoint(known) else EXPORTS[:-1])
    )
    return tuple(one for one in narrowed if one.message and len(found(one.needs)) == len(one.needs))


def read_by(export: Export) -> frozenset[str]:
    """Keys of which something is read, whole and in their parts."""
    names = (*export.message, *export.time, *export.host, *export.program, *export.pid)
    return frozenset(part for name in names for part in (name, *name.split(".")))


def whole(export: Export) -> Export:
    """The entry of `EXPORTS` that `export_of` gave a part of."""
    return next(one for one in EXPORTS if (one.name, one.needs) == (export.name, export.needs))
