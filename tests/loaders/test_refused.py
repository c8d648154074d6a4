"""Formats that are not read: each is refused by its own name, and no readable log is ever taken for one of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import loaders, wraps
from forensics.loaders import marks
from forensics.loaders.refused import FORMATS

from ..ingesting import line, message, to

DATA = Path(__file__).resolve().parents[1] / "data"
EXCHANGE = "#Software: Microsoft Exchange Server\r\n#Version: 15.0.0.0\r\n#Log-type: {}\r\n#Fields: {}\r\n"
SMTP = "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context"
EWS = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,AuthenticationType"
GMAIL = (
    "Message ID,Start date,End date,Sender,Message size,Subject,Direction,Attachments,Recipient address,Event status"
)
ARF = "From ann@albion.example Wed Mar 13 08:00:00 2024\nReturn-Path: <ann@albion.example>\nSubject: x\n\nbody\n"
EML = "Received: from a by b; Wed, 13 Mar 2024 08:00:00 +0000\r\n\tid 4\r\nFrom: a@albion.example\r\nSubject: x\r\n\r\nbody"
SENDMAIL = (
    "Mar 13 08:00:00 mx1 sendmail[71]: 42D8003a000071: from=<ann@albion.example>, size=900, class=0, nrcpts=1, "
    "msgid=<m1@albion.example>, proto=ESMTP, relay=pc1 [10.0.0.1]\n"
    "Mar 13 08:00:01 mx1 sm-mta[73]: 42D8003a000071: to=<bob@navy.example>, ctladdr=<ann@albion.example> (1/1), "
    "delay=00:00:01, xdelay=00:00:01, mailer=esmtp, pri=120900, relay=mx.navy.example. [203.0.113.5], dsn=2.0.0, "
    "stat=Sent (ok)\n"
)

SAMPLES: dict[str, list[str | bytes]] = {
    "Exchange SMTP protocol log": [
        EXCHANGE.format("SMTP Receive Protocol Log", SMTP),
        SMTP + "\n",
        "2024-03-13T08:00:00.000Z,Internet,08DC3A5F9E1B2C30,0,10.0.0.1:1,203.0.113.9:25,>,RCPT TO:<x@navy.example>,\n",
        (DATA / "exchange-refused" / "smtpsend.log").read_bytes(),
    ],
    "Exchange connectivity log": [
        EXCHANGE.format("Transport Connectivity Log", "date-time,session,source,Destination,direction,description"),
        "date-time,session,source,Destination,direction,description,version\n",
    ],
    "Exchange anti-spam agent log": [
        EXCHANGE.format("Agent Log", "Timestamp,SessionId,P1FromAddress,P2FromAddresses,Recipient,Agent,Event,Action"),
        "Timestamp,SessionId,LocalEndpoint,MessageId,P1FromAddress,P2FromAddresses,Recipients,Agent,Event,Action\n",
    ],
    "Exchange routing log": [
        EXCHANGE.format("Transport Routing Table Log", "a,b"),
        '<?xml version="1.0" encoding="utf-8"?>\n<RoutingTables version="15">',
    ],
    "log of another part of Exchange": [
        EWS + "\r\n" + EXCHANGE.format("EWS Logs", EWS),
        EXCHANGE.format("HttpProxy Logs", "x,y"),
        EXCHANGE.format("ECP Activity Context Log", "TimeStamp,ServerName"),
    ],
    "IIS log in W3C format": [
        "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem c-ip\n",
        "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip sc-status\n",
    ],
    "Exchange 2000 or 2003 message tracking log": [
        "# Message Tracking Log File\n# Exchange System Attendant Version 6.5.7638.1\n# Date\tTime\tclient-ip\n",
        "# Date\tTime\tclient-ip\tClient-hostname\tPartner-Name\tServer-hostname\tserver-IP\tRecipient-Address\t"
        "Event-ID\tMSGID\tPriority\n",
    ],
    "Get-MessageTraceDetail export": [
        (DATA / "exchange-refused" / "detail.csv").read_bytes(),
        '#TYPE x\n"Message ID";"Message Trace ID";"Date";"Event";"Action";"Detail";"Data"\n',
        '[{"MessageId": "<a@b>", "MessageTraceId": "1", "Date": "x", "Event": "Send", "Action": "", "Detail": ""}]',
        '{"d":{"results":[{"MessageId":"<a@b>","MessageTraceId":"1","Date":"x","Event":"Send","Detail":"",'
        '"SenderAddress":"a@b","RecipientAddress":"c@d","StartDate":"x"}]}}',
    ],
    "unified audit log": [
        (DATA / "exchange-refused" / "ual.csv").read_bytes(),
        "RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits\n",
        '{"CreationTime": "2024-03-13T08:00:00", "Operation": "Send", "RecordType": 2, "Workload": "Exchange"}\n',
        '[{"RecordType": 2, "AuditData": "{\\"Operation\\":\\"Send\\"}"}]',
    ],
    "mailbox audit log": ['"Operation","OperationResult","LogonType","ExternalAccess","MailboxGuid"\n'],
    "list or table as PowerShell shows it on the screen": [
        "\r\nReceived            Sender Address\r\n--------\r\n".replace("Sender Address", "SenderAddress Recipient"),
        "EventId  Source   Sender            Recipients        MessageSubject\n-------  ------\n",
        "\n\nMessage Trace ID  : 1111\nMessage ID        : <m1@albion.example>\nReceived          : 13/03/2024\n",
        "\n\nTimestamp       : 13/03/2024\nRecipientStatus         : {250 2.1.5 OK}\n",
        "\n\nTimestamp  : 13/03/2024 08:00:00\nEventId    : SENDEXTERNAL\nSender     : ann@albion.example\n",
        "**********************\nWindows PowerShell transcript start\nStart time: 20240313080000\n"
        "PS C:\\> Get-MessageTrackingLog | fl\n\n\nTimestamp  : 13/03/2024\nMessageId  : <m1@albion.example>\n",
    ],
    "EmailEvents with times of the browser's own zone": ['"TimeGenerated [Local Time]",NetworkMessageId,Subject\n'],
    "Defender table other than EmailEvents": [
        "Timestamp,NetworkMessageId,InternetMessageId,Action,ActionType,RecipientEmailAddress\n",
        "Timestamp,NetworkMessageId,Url,UrlDomain\n",
        '{"NetworkMessageId": "1", "SHA256": "2"}',
    ],
    "answer of the Log Analytics service": [
        '{"tables":[{"name":"PrimaryResult","columns":[{"name":"TimeGenerated"}],"rows":[[]]}]}'
    ],
    "Google Workspace": [
        (DATA / "exchange-refused" / "gws.csv").read_bytes(),
        GMAIL + "\n",
        "Date,Message ID,Subject,Event,From (Header address),From (Envelope),To (Envelope)\n",
        '{"event_info":{"timestamp_usec":"1"},"message_info":{"subject":"x"}}\n',
    ],
    "Proofpoint log": [
        "Apr 17 18:33:26 mx1 filter_instance1[195529]: rprt s=2hdryp02r6 m=1 x=2hdryp02r6-1 cmd=send profile=mail\n",
        "[2024-03-13 07:52:30.007522 -0500] rprt s=4cwtbdrj71 mod=session cmd=disconnect module= rule= action=\n",
        "Date,Sender,Recipients,Subject,Final_Action,Final_Rule,Policy_Route\n",
        '{"guid":"x","connection":{},"envelope":{"from":"a@b"},"filter":{},"msgParts":[]}\n',
    ],
    "Mimecast log": [
        "datetime=2024-03-13T08:00:00+0000|aCode=7O7I7MvGP1mj8plHRDuHEA|acc=C0A0|Dir=Outbound|Rcpt=x@navy.example|\n",
        '{"datetime":"2024-03-13T08:00:00+0000","aCode":"x","acc":"C0A0","Dir":"Outbound"}\n',
        '{"meta":{},"data":[{"trackedEmails":[{"id":"1"}]}]}',
    ],
    "NoSpamProxy message track": [
        "sent;subject;status;sender;recipient;signed;encrypted;messageid\n",
        '[{"Id": 1, "WasReceivedFromRelayServer": true}]',
    ],
    "Barracuda": [
        "Mar 13 08:00:00 gw outbound/smtp[5]: 203.0.113.5 1126226282-27564-2-0 1126226286 1126226328 SEND - 1 ABC 250\n",
        "Mar 13 08:00:00 gw inbound/pass1: x[203.0.113.5] 1126-2 1126226286 1126226328 RECV a@b c@d 0\n",
    ],
    "Cisco Secure Email": [
        "Wed Mar 13 08:00:00 2024 Info: New SMTP ICID 5 interface Data 1 (10.0.0.1) address 203.0.113.5\n"
        "Wed Mar 13 08:00:00 2024 Info: MID 38637862 ICID 69610481 From: <ann@albion.example>\n",
        "Mar 13 08:00:00 gw mail_logs: Info: Start MID 38637862 ICID 69610481\n",
    ],
    "list of messages as a console shows it": [
        '"Date","Sender","Recipient","Subject","Status"\r\n"3/13/2024 8:00 AM","a@contoso.com","x@fabrikam.com","",""\r\n',
        "Date (UTC),Sender,Recipient,Subject,Status,Size\r\n",
    ],
    "PowerMTA": ["type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag\n"],
    "PowerShell objects as CliXML": [
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">\n<Obj RefId="0">',
    ],
    "XML answer of the Office 365 reporting": [
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xml:base="https://reports.office365.com/ecp/" '
        'xmlns="http://www.w3.org/2005/Atom">',
    ],
    "Windows event log": [
        b"ElfFile\0" + bytes(56),
        b"\x30\0\0\0LfLe" + bytes(40),
        "<?xml version=\"1.0\"?><Events><Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>",
    ],
    "Outlook data file": [b"!BDN\x12\x34\x56\x78SM\x17\0\x13\0" + bytes(50)],
    "Exchange database": [b"\x11\x22\x33\x44\xef\xcd\xab\x89" + bytes(50)],
    "mailbox file (mbox)": [ARF],
    "mail message (.eml)": [EML],
    "sendmail log": [SENDMAIL],
    "qmail log": [
        "@4000000065f15f8014a1b2c4 new msg 93\n@4000000065f15f8014a1b2c4 info msg 93: bytes 900 from <a@b> qp 7 uid 7\n",
        "Mar 13 08:00:00 mx1 qmail: 1710316800.123456 starting delivery 3: msg 93 to remote bob@navy.example\n",
        "1710316800.123456 delivery 3: success: 203.0.113.5_accepted_message./\n",
    ],
    "journal of systemd": [b"LPKSHHRH\x03\0\0\0\x1c\0\0\0" + bytes(50)],
    "network capture": [
        b"\xd4\xc3\xb2\xa1\x02\0\x04\0" + bytes(16),
        b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a" + bytes(16),
    ],
    "SQLite database": [b"SQLite format 3\0\x10\0" + bytes(80) + SENDMAIL.encode()],
    "Parquet file": [b"PAR1\x15\x04\x15" + bytes(50) + b"PAR1"],
    "disk image": [b"EVF\x09\x0d\x0a\xff\0\x01" + bytes(50)],
    "Outlook message, older Office document": [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)],
    "PDF document": [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"],
    "RTF document": [r"{\rtf1\ansi x}"],
    "web page (HTML)": ["\n<!DOCTYPE html><html>", "<!-- saved from url=(0014)about:internet -->\n<html lang='en'>"],
    "log of Postfix inside a form": [
        '{"when": 1, "what": "mx1 postfix/smtp[3]: 3ABCDEF: to=<bob@navy.example>"}\n',
        'ID,FromHost,SysLogTag,Message\n1,mx1,postfix/smtp[3]:,"3ABCDEF: to=<bob@navy.example>"\n',
        "today|mx1|postfix/smtp[3]|3ABCDEF: to=<bob@navy.example>\n",
    ],
    "table of mail whose columns have no known names": [
        "Datum (UTC);Absender;Empfänger;Betreff;Status\r\n13.03.2024 08:00;ann@albion.example;bob@navy.example;x;y\r\n",
        '"De","À","Objet"\n"ann@albion.example","bob@navy.example","x"\n',
        "quando\tda\ta\n13/03/2024\tann@albion.example\tbob@navy.example\n",
    ],
}
CLAIMED = {
    ("postfix", name)
    for name in (
        "Exchange SMTP protocol log", "Proofpoint log", "Barracuda", "Cisco Secure Email", "sendmail log", "qmail log"
    )
}  # fmt: skip
"""Lines with a stamp in front: only at the end of the survey is it known that none was of Postfix."""
READABLE = sorted(
    path
    for folder in ("contract", "exchange-samples", "exchange-albion", "exchange-albion-inside", "postfix-albion")
    for path in (DATA / folder).iterdir()
    if path.suffix in (".log", ".csv", ".json", ".ndjson", ".gz")
)
POSTFIX = message("3ABCDEF", to("bob@navy.example"))


def content(sample: str | bytes) -> bytes:
    return sample if isinstance(sample, bytes) else sample.encode()


def test_each_format_has_samples_and_is_named() -> None:
    assert len(SAMPLES) == len(FORMATS)
    for (name, samples), form in zip(SAMPLES.items(), FORMATS, strict=True):
        assert form.name.startswith(name)
        assert samples
        assert form.instead
        assert not form.instead[0].isupper()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_refused_by_its_own_name(name: str) -> None:
    for sample in SAMPLES[name]:
        found = marks.recognise(content(sample))
        assert found is not None, sample
        assert found.name.startswith(name)
        assert loaders.refusal(content(sample)) == f"{found.name}, which is not read: {found.instead}"
        claimed = loaders.recognise(content(sample))
        assert claimed is None or (claimed, name) in CLAIMED, sample


@pytest.mark.parametrize("coding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", [n for n, s in SAMPLES.items() if isinstance(s[0], str) and not s[0][0].isspace()])
def test_encodings_change_no_name(name: str, coding: str) -> None:
    sample = SAMPLES[name][0]
    assert isinstance(sample, str)
    found = marks.recognise(sample.encode(coding))
    assert found
    assert found.name.startswith(name)


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_no_readable_log_is_one_of_them(path: Path) -> None:
    """But for EmailEvents, of which an entry has what lacks a column, for Postfix inside other forms and for tables of
    whatever names: a loader, which is asked first, has these whole and plain."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    head = data[: wraps.HEAD]
    inside = wraps.inside(head, wraps.recognise(head))
    assert loaders.recognise(inside)
    for found in (marks.recognise(head), marks.recognise(inside)):
        assert found is None or found.name.startswith(
            ("Defender table other than EmailEvents, or", "log of Postfix inside", "table of mail whose columns")
        )


def test_unknown_content_has_no_name() -> None:
    for data in (b"", b"\0" * 100, b"hello, world\n", b"a,b,c\n1,2,3\n", b"[]", b'{"a": 1}', b"<root/>", b"\xff" * 99):
        assert loaders.refusal(data) is None


WORDS = [content(s) for samples in SAMPLES.values() for s in samples]
LOGS = {
    "postfix": POSTFIX,
    "exim": (DATA / "contract" / "exim.log").read_text(),
    "exchange": (DATA / "exchange-samples" / "2016-2019.log").read_bytes().decode(),
    "trace": (DATA / "exchange-samples" / "trace-v2.csv").read_text(),
    "events": (DATA / "exchange-samples" / "email-events.csv").read_text("utf-8-sig"),
}
FORGED = [
    *(text for text in (one.decode("utf-8", "replace") for one in WORDS)),
    *(line for text in LOGS.values() for line in text.splitlines()[:8]),
    "1rkABC-000000-0A => bob@navy.example R=x T=y",
    "mx1 postfix/smtp[3]: 3ABCDEF: to=<bob@navy.example>, relay=x[192.0.2.1]:25, delay=1, status=sent (250 ok)",
    "local ok", "Unable to relay recipient", "error: x/y", "#Log-type: Message Tracking Log",
]  # fmt: skip


def escaped(text: str, *, lines: bool = False) -> str:
    """As servers write what was sent to them: control characters replaced; line ends too, unless a table quotes them."""
    return "".join(c if c.isprintable() or (lines and c == "\n") else "?" for c in text)


def written(form: str, text: str) -> tuple[list[str], str]:
    """(log with a sender's or remote server's text in it, the loader that reads it)."""
    said, quoted = escaped(text), escaped(text, lines=True).replace('"', '""')
    if form == "postfix":
        lines = [
            line(f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[203.0.113.5]: 554; helo=<{said}>"),
            line(f"postfix/cleanup[1]: 3ABCDEF: warning: header Subject: {said} from x[203.0.113.5]"),
            line(f"postfix/smtp[1]: 3ABCDEF: to=<b@navy.example>, status=bounced (host x said: 550 {said})"),
            line(f"postfix/qmgr[1]: 3ABCDEF: from=<{said}>, size=1, nrcpt=1 (queue active)"),
        ]
        return [one + POSTFIX for one in lines], "postfix"
    if form == "exim":
        front = "2024-03-01 10:00:05 "
        lines = [
            f'{front}1rfzAB-0001aB-Cd <= ann@albion.example H=({said}) [10.0.0.1] P=esmtp S=1234 T="{said}"\n',
            f"{front}H=x ({said}) [203.0.113.5] F=<a@b.example> rejected RCPT <b@navy.example>: {said}\n",
            f'{front}1rfzAB-0001aB-Cd => bob@navy.example R=dnslookup T=remote_smtp H=x [203.0.113.5] C="250 {said}"\n',
        ]
        return [one + LOGS["exim"] for one in lines], "exim"
    if form == "exchange":
        header, rest = LOGS["exchange"].split("2023-02-01", 1)
        cells = [""] * 30
        cells[0], cells[5], cells[17] = "2024-03-04T10:00:00.000Z", f'"08DC;250 {quoted}"', f'"{quoted}"'
        return [header + ",".join(cells) + "\n2023-02-01" + rest], "exchange"
    header, _, rest = LOGS[form].partition("\n")
    row = f'"{quoted}"' + "," * header.count(",") + "\n"
    return [header + "\n" + row + rest], "exchange"


@given(text=st.sampled_from(FORGED), form=st.sampled_from(sorted(LOGS)), before=st.sampled_from(["", "x ", "\n"]))
def test_a_sender_cannot_have_a_log_refused_or_taken_for_another(text: str, form: str, before: str) -> None:
    """Whatever a sender or a remote server has written into a readable log, its own loader reads it."""
    logs, loader = written(form, before + text)
    for log in logs:
        assert loaders.recognise(log.encode()[: 64 << 10]) == loader


REFUSED_TABLES = {
    "gws.csv": (GMAIL + "\n", "<m1@a>,2024/03/13 08:00:00 UTC,x,{},5000,{},Sent,0,x@navy.example,Delivered\n"),
    "ual.csv": ("RecordType,CreationDate,UserIds,Operations,AuditData\n", "2,2024-03-13T08:00:00Z,a,Send,{}{}\n"),
    "smtpsend.log": (
        EXCHANGE.format("SMTP Receive Protocol Log", SMTP),
        "2024-03-13T08:00:00.000Z,Internet,08DC,0,10.0.0.1:1,203.0.113.9:25,<,{},{}\n",
    ),
    "track.csv": ("sent;subject;status;sender;recipient;signed;encrypted;messageid\n", "2024-03-13;{};x;{};x@y;;;\n"),
}


@given(
    text=st.sampled_from(FORGED), form=st.sampled_from(sorted(REFUSED_TABLES)), before=st.sampled_from(["", "x ", "\n"])
)
def test_a_sender_cannot_have_a_refused_table_read(text: str, form: str, before: str) -> None:
    """Nor are deliveries made of text in a form that is not read."""
    header, row = REFUSED_TABLES[form]
    quoted = '"' + escaped(before + text, lines=True).replace('"', '""') + '"'
    log = (header + row.format(quoted, quoted) * 3).encode()
    assert loaders.recognise(log) is None
    assert loaders.refusal(log)


@given(st.binary(max_size=600), st.sampled_from(WORDS))
def test_any_bytes_have_a_name_or_none(data: bytes, word: bytes) -> None:
    for one in (data, data + word, word + data, word[: len(data)]):
        marks.recognise(one)
