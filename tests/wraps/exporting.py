"""Logs put into every export that is read: lines in, the bytes of a file out."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

_SYSLOG = re.compile(r"(\S+) (\S+) ([^\s\[:]+)\[(\d+)\]: (.*)")


@dataclass(frozen=True)
class Entry:
    """One line of a log, and what a log system knows of it."""

    raw: str
    at: datetime
    host: str = "mx1"
    program: str = ""
    pid: str = ""
    text: str = ""

    @property
    def iso(self) -> str:
        return self.at.isoformat(timespec="microseconds")

    @property
    def z(self) -> str:
        return self.at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def epoch(self, unit: int) -> int:
        return (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * unit // 1_000_000


def syslog(log: str) -> list[Entry]:
    """Lines of syslog with ISO stamps, taken apart."""
    out = []
    for line in log.splitlines():
        found = _SYSLOG.fullmatch(line)
        assert found, line
        at, *rest = found.groups()
        out.append(Entry(line, datetime.fromisoformat(at), *rest))
    return out


def local(entries: Iterable[Entry], hours: int) -> list[Entry]:
    """The same with stamps of RFC 3164 in a zone: no year, no zone, no fraction."""
    zone = timezone(timedelta(hours=hours))
    return [
        Entry(
            f"{e.at.astimezone(zone):%b} {e.at.astimezone(zone).day:2d} {e.at.astimezone(zone):%H:%M:%S} "
            f"{e.host} {e.program}[{e.pid}]: {e.text}",
            e.at, e.host, e.program, e.pid, e.text,
        )
        for e in entries
    ]  # fmt: skip


def lines(log: str) -> list[Entry]:
    """Lines of any log; those without a stamp have that of the line before."""
    at = datetime(2024, 3, 1, 9, tzinfo=UTC)
    out = []
    for line in log.splitlines():
        found = re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d", line)
        at = datetime.fromisoformat(found[0]).replace(tzinfo=UTC) if found else at
        out.append(Entry(line, at))
    return out


def _csv(names: str, row: Callable[[Entry], list[Any]], separator: str = ",") -> Callable[[list[Entry]], str]:
    def made(entries: list[Entry]) -> str:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(names.split(","))
        writer.writerows(row(e) for e in entries)
        return out.getvalue()

    return made


def _lines(record: Callable[[Entry], Any]) -> Callable[[list[Entry]], str]:
    return lambda entries: "".join(json.dumps(record(e)) + "\n" for e in entries)


def _array(record: Callable[[Entry], Any], indent: int | None = None) -> Callable[[list[Entry]], str]:
    return lambda entries: json.dumps([record(e) for e in entries], indent=indent)


def _page(
    wrap: Callable[[list[Any]], Any], record: Callable[[Entry], Any], indent: int | None = None
) -> Callable[[list[Entry]], str]:
    return lambda entries: json.dumps(wrap([record(e) for e in entries]), indent=indent)


def _prefix(before: Callable[[Entry], str]) -> Callable[[list[Entry]], str]:
    return lambda entries: "".join(before(e) + e.raw + "\n" for e in entries)


def _streams(entries: list[Entry]) -> str:
    hosts = sorted({e.host for e in entries})
    result = [
        {"stream": {"host": h, "job": "mail"}, "values": [[str(e.epoch(10**9)), e.raw] for e in entries if e.host == h]}
        for h in hosts
    ]
    return json.dumps({"status": "success", "data": {"resultType": "streams", "result": result}})


def _kibana(at: datetime) -> str:
    return f"{at:%b} {at.day}, {at:%Y} @ {at:%H:%M:%S}.{at.microsecond // 1000:03d}"


RAW: dict[str, Callable[[list[Entry]], str]] = {
    "Splunk CSV": _csv("_serial,_time,source,sourcetype,host,index,_raw", lambda e: [0, e.iso, "/var/log/mail.log", "syslog", e.host, "main", e.raw]),
    "Splunk CSV, semicolons": _csv("_time,host,_raw", lambda e: [e.iso, e.host, e.raw], ";"),
    "Splunk JSON lines": _lines(lambda e: {"preview": False, "offset": 0, "result": {"_raw": e.raw, "_time": e.z, "host": e.host}}),
    "Splunk JSON results": _page(lambda r: {"preview": False, "results": r}, lambda e: {"_raw": e.raw, "_time": e.iso, "host": e.host}),
    "Splunk JSON rows": _page(lambda r: {"fields": ["_time", "host", "_raw"], "rows": r}, lambda e: [e.iso, e.host, e.raw]),
    "Elastic hits": _page(
        lambda r: {"took": 3, "timed_out": False, "hits": {"total": {"value": len(r)}, "hits": r}, "status": 200},
        lambda e: {"_index": "logs", "_id": "x", "_source": {"@timestamp": e.z, "host": {"name": e.host}, "message": e.raw}},
    ),
    "Elastic hits, indented": _page(
        lambda r: {"hits": {"hits": r}}, lambda e: {"_id": "x", "_source": {"@timestamp": e.z, "message": e.raw}}, 2
    ),
    "Elastic hits, fields": _page(lambda r: {"hits": {"hits": r}}, lambda e: {"_id": "x", "fields": {"@timestamp": [e.z], "message": [e.raw]}}),
    "Elastic documents": _lines(lambda e: {"_index": "logs", "_type": "_doc", "_source": {"@timestamp": e.z, "message": e.raw}}),
    "Filebeat": _lines(lambda e: {"@timestamp": e.z, "@metadata": {"beat": "filebeat"}, "log": {"offset": 0, "file": {"path": "/var/log/mail.log"}}, "message": e.raw, "host": {"name": e.host}}),
    "ECS with event.original": _lines(lambda e: {"@timestamp": e.z, "event": {"original": e.raw, "kind": "event"}, "host": {"hostname": e.host}}),
    "Kibana CSV": _csv("@timestamp,host.name,message", lambda e: [_kibana(e.at), e.host, e.raw]),
    "Graylog CSV": _csv("timestamp,source,message", lambda e: [e.z, e.host, e.raw]),
    "Graylog JSON": _page(lambda r: {"query": "*", "messages": r, "total_results": 1}, lambda e: {"message": {"timestamp": e.z, "source": e.host, "message": e.raw}, "index": "graylog_0"}),
    "GELF": _lines(lambda e: {"version": "1.1", "host": e.host, "short_message": e.raw[:20], "full_message": e.raw, "timestamp": e.epoch(1000) / 1000}),
    "logcli jsonl": _lines(lambda e: {"labels": {"host": e.host, "job": "mail"}, "line": e.raw, "timestamp": e.iso}),
    "logcli default": _prefix(lambda e: f'{e.at:%Y-%m-%dT%H:%M:%S}Z {{filename="/var/log/mail.log", host="{e.host}"}}   '),
    "logcli raw": _prefix(lambda e: ""),
    "Loki API": _streams,
    "Grafana JSON": _array(lambda e: {"line": e.raw, "timestamp": str(e.epoch(10**9)), "date": e.z, "fields": {"host": e.host}}),
    "Grafana CSV": _csv("Date,labels,Time,Line,tsNs,id", lambda e: [e.z, '{"host":"mx1"}', e.epoch(1000), e.raw, e.epoch(10**9), "1_a"]),
    "Grafana text": _prefix(lambda e: f"{e.epoch(1000)}\t{e.z}\t"),
    "CloudWatch Insights CSV": _csv("@timestamp,@message", lambda e: [f"{e.at:%Y-%m-%d %H:%M:%S}.000", e.raw]),
    "CloudWatch Insights JSON": _page(lambda r: {"results": r, "statistics": {}, "status": "Complete"}, lambda e: [{"field": "@timestamp", "value": f"{e.at:%Y-%m-%d %H:%M:%S}.000"}, {"field": "@message", "value": e.raw}, {"field": "@ptr", "value": "x"}]),
    "CloudWatch get-log-events": _page(lambda r: {"events": r, "nextForwardToken": "f/1"}, lambda e: {"timestamp": e.epoch(1000), "message": e.raw, "ingestionTime": e.epoch(1000) + 999}, 4),
    "CloudWatch subscription": lambda entries: "".join(json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": e.epoch(1000), "message": e.raw}]}) for e in entries),
    "CloudWatch CSV": _csv("timestamp,message", lambda e: [e.epoch(1000), e.raw]),
    "aws logs tail": _prefix(lambda e: f"{e.iso} mail/mx1/0123 "),
    "Azure CSV": _csv("TimeGenerated [UTC],Computer,Facility,SyslogMessage", lambda e: [e.z, e.host, "mail", e.raw]),
    "Azure rows": _array(lambda e: {"TimeGenerated": e.z, "Computer": e.host, "SyslogMessage": e.raw}, 2),
    "Azure tables": lambda entries: json.dumps({"tables": [{"name": "PrimaryResult", "columns": [{"name": "TimeGenerated", "type": "datetime"}, {"name": "Computer", "type": "string"}, {"name": "SyslogMessage", "type": "string"}], "rows": [[e.z, e.host, e.raw] for e in entries]}]}),
    "Google text": _array(lambda e: {"textPayload": e.raw, "timestamp": e.z, "insertId": "x", "resource": {"type": "gce_instance", "labels": {"instance_id": "1"}}}, 2),
    "Google JSON": _lines(lambda e: {"jsonPayload": {"message": e.raw}, "timestamp": e.z, "receiveTimestamp": e.z}),
    "Kiwi text": _prefix(lambda e: f"{e.at:%Y-%m-%d\t%H:%M:%S}\tMail.Info\t192.0.2.10\t"),
    "Kiwi CSV": _csv("Date,Time,Priority,Hostname,Message", lambda e: [f"{e.at:%Y-%m-%d}", f"{e.at:%H:%M:%S}", "Mail.Info", "192.0.2.10", e.raw]),
    "fluentd file": lambda entries: "".join(f"{e.at:%Y-%m-%dT%H:%M:%S}+00:00\tmail.log\t{json.dumps({'message': e.raw})}\n" for e in entries),
    "Fluent Bit lines": _lines(lambda e: {"date": e.epoch(1000) / 1000, "log": e.raw}),
    "Fluent Bit stdout": lambda entries: "".join(f"[{n}] mail: [[{e.epoch(1000) / 1000:.9f}, {{}}], {{{json.dumps('log')}=>{json.dumps(e.raw)}}}]\n" for n, e in enumerate(entries)),
    "Fluent Bit file": lambda entries: "".join(f"mail: [{e.epoch(1000) / 1000:.9f}, {json.dumps({'log': e.raw})}]\n" for e in entries),
    "Vector": _lines(lambda e: {"file": "/var/log/mail.log", "host": e.host, "message": e.raw, "source_type": "file", "timestamp": e.z}),
    "Wazuh log": _prefix(lambda e: f"{e.at:%Y %b %d %H:%M:%S} ({e.host}) 192.0.2.1->/var/log/mail.log "),
    "Wazuh JSON": _lines(lambda e: {"timestamp": e.at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"), "agent": {"id": "001", "name": e.host}, "manager": {"name": "siem"}, "full_log": e.raw, "location": "/var/log/mail.log"}),
    "Docker json-file": _lines(lambda e: {"log": e.raw + "\n", "stream": "stdout", "time": e.z}),
    "Filebeat around Docker": _lines(lambda e: {"@timestamp": e.z, "message": json.dumps({"log": e.raw + "\n", "stream": "stdout", "time": e.z})}),
    "rsyslog JSON": _lines(lambda e: {"timereported": e.iso, "fromhost": e.host, "rawmsg": e.raw}),
    "JSON strings": _array(lambda e: e.raw),
    "grep": _prefix(lambda e: "/var/log/mail.log.1:"),
    "grep -n": _prefix(lambda e: "mail.log:12:"),
    "grep -n, Windows": _prefix(lambda e: "C:\\logs\\mail.log:12:"),
    "cat -n": _prefix(lambda e: "     7\t"),
    "kubectl --prefix": _prefix(lambda e: "[pod/postfix-0/postfix] "),
    "stern": _prefix(lambda e: "postfix-0 postfix "),
    "colours": lambda entries: "".join("\x1b[32m" + e.raw.replace("navy", "\x1b[01;31m\x1b[Knavy\x1b[m\x1b[K") + "\x1b[0m\n" for e in entries),
    "NUL bytes": lambda entries: "".join("\0" * 700 + e.raw + "\n" for e in entries) + "\0" * 99,
    "marks of joined files": lambda entries: "".join("\ufeff" * (n % 3 == 0) + e.raw + "\n" for n, e in enumerate(entries)),
}  # fmt: skip
"""Exports of whole lines, of whatever log."""


def _journal(e: Entry) -> dict[str, str]:
    return {
        "__CURSOR": "s=1", "__REALTIME_TIMESTAMP": str(e.epoch(1_000_000)), "_HOSTNAME": e.host, "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": e.program, "SYSLOG_PID": e.pid, "MESSAGE": e.text,
    }  # fmt: skip


def _export(entries: list[Entry]) -> str:
    return "".join("".join(f"{k}={v}\n" for k, v in _journal(e).items()) + "\n" for e in entries)


def _verbose(entries: list[Entry]) -> str:
    return "".join(
        f"{e.at:%a %Y-%m-%d %H:%M:%S.%f} UTC [s=0a;i=1;b=0b;m=1;t={e.epoch(1_000_000):x};x=1]\n"
        + "".join(f"    {k}={v}\n" for k, v in _journal(e).items() if k[:2] != "__")
        for e in entries
    )


PARSED: dict[str, Callable[[list[Entry]], str]] = {
    "journalctl -o json": _lines(_journal),
    "journalctl -o json-pretty": lambda entries: "".join(json.dumps(_journal(e), indent=8) + "\n" for e in entries),
    "journalctl -o json-sse": lambda entries: "".join(f"data: {json.dumps(_journal(e))}\n\n" for e in entries),
    "journalctl -o json-seq": lambda entries: "".join(f"\x1e{json.dumps(_journal(e))}\n" for e in entries),
    "journalctl -o export": _export,
    "journalctl -o verbose": _verbose,
    "journalctl -o short-full": lambda entries: "".join(f"{e.at:%a %Y-%m-%d %H:%M:%S.%f} UTC {e.host} {e.program}[{e.pid}]: {e.text}\n" for e in entries),
    "journalctl -o short-unix": lambda entries: "".join(f"{e.at.timestamp():.6f} {e.host} {e.program}[{e.pid}]: {e.text}\n" for e in entries),
    "journalctl -o short-iso-precise": lambda entries: "".join(f"{e.at:%Y-%m-%dT%H:%M:%S.%f}+0000 {e.host} {e.program}[{e.pid}]: {e.text}\n" for e in entries),
    "rsyslog JSON": _lines(lambda e: {"timereported": e.iso, "hostname": e.host, "syslogtag": f"{e.program}[{e.pid}]:", "msg": " " + e.text}),
    "logstash": _lines(lambda e: {"@timestamp": e.iso, "host": {"name": e.host}, "program": e.program, "pid": int(e.pid), "message": e.text}),
    "ECS": _lines(lambda e: {"@timestamp": e.iso, "host": {"hostname": e.host}, "process": {"name": e.program, "pid": int(e.pid)}, "message": e.text}),
    "ECS syslog": _lines(lambda e: {"@timestamp": e.iso, "log": {"syslog": {"hostname": e.host, "appname": e.program, "procid": e.pid}}, "message": e.text}),
    "Graylog CSV": _csv("timestamp,source,application_name,process_id,message", lambda e: [e.iso, e.host, e.program, e.pid, e.text]),
    "Graylog JSON lines": _lines(lambda e: {"timestamp": e.iso, "source": e.host, "application_name": e.program, "process_id": e.pid, "message": e.text}),
    "GELF": _lines(lambda e: {"version": "1.1", "host": e.host, "short_message": e.text, "timestamp": e.epoch(1_000_000) / 1_000_000, "_application_name": e.program, "_process_id": e.pid}),
    "Azure CSV": _csv("TimeGenerated [UTC],EventTime [UTC],Computer,HostName,ProcessName,ProcessID,SyslogMessage", lambda e: [e.z, e.iso, "agent", e.host, e.program, e.pid, e.text]),
    "Azure rows": _array(lambda e: {"TimeGenerated": e.iso, "HostName": e.host, "ProcessName": e.program, "ProcessID": int(e.pid), "SyslogMessage": e.text}),
    "Google JSON": _array(lambda e: {"timestamp": e.iso, "jsonPayload": {"host": e.host, "ident": e.program, "pid": e.pid, "message": e.text}}),
    "fluentd": lambda entries: "".join(f"{e.iso}\tmail.info\t{json.dumps({'host': e.host, 'ident': e.program, 'pid': e.pid, 'message': e.text})}\n" for e in entries),
    "Vector": _lines(lambda e: {"appname": e.program, "host": "vector", "hostname": e.host, "message": e.text, "procid": int(e.pid), "source_type": "syslog", "timestamp": e.iso}),
    "Wazuh JSON": _lines(lambda e: {"timestamp": e.iso, "predecoder": {"program_name": e.program, "hostname": e.host}, "full_log": f"{e.program}[{e.pid}]: {e.text}"}),
}  # fmt: skip
"""Exports that took lines of syslog apart."""


def binary_export(entries: list[Entry]) -> bytes:
    """journalctl -o export with every message in binary."""
    out = b""
    for e in entries:
        fields = _journal(e)
        raw = fields.pop("MESSAGE").encode()
        out += "".join(f"{k}={v}\n" for k, v in fields.items()).encode()
        out += b"MESSAGE\n" + struct.pack("<Q", len(raw)) + raw + b"\n\n"
    return out
