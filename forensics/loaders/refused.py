"""Formats that investigators are handed in place of a readable one: recognised by content, refused by their name.

`FORMATS` is the whole knowledge: what each is called, how it is recognised and what to ask for instead. A format is one
entry; `marks` compares. A readable form always wins: the list is asked only about content that no loader claims, and,
at the end of a survey, about files in which a loader found nothing of its own. Only `magic`, which no text begins with,
comes before the loaders.

Sources of the marks: Microsoft Learn ("Protocol logging", "Connectivity logging", "Anti-spam agent logging in Exchange
Server", "Message tracking", Get-MessageTraceDetail, Search-UnifiedAuditLog, Search-MailboxAuditLog, "W3C Extended Log
File Format"; [MS-PST], [MS-EVEN], [MS-EVEN6]), TechNet "Exchange 2003 message tracking log format"; Google Workspace
Admin Help, "Email log search" and "Gmail log events"; Mimecast, "Understanding SIEM logs"; Proofpoint, "PoD Log API"
and "SIEM API"; Cisco, "AsyncOS user guide", chapter Logging; Barracuda, "Syslog and the Email Security Gateway";
NoSpamProxy, Get-NspMessageTrack; the manuals of sendmail, qmail (multilog), SQLite, tcpdump (pcap, pcapng), Parquet
and systemd; RFC 4155 (mbox), RFC 5322, RFC 4287 (Atom).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Format(NamedTuple):
    """One format that is not read. A content is of it when any one of its marks fits."""

    name: str
    instead: str
    """What to ask for or to do, with the command or menu: the end of a sentence that names the format."""
    magic: bytes = b""
    """What the bytes begin with, with at least one that no text holds (regular expression)."""
    start: str = ""
    """Text that the content begins with, behind blanks (regular expression)."""
    lines: str = ""
    """What some line begins with, or has near its beginning (regular expression)."""
    columns: tuple[str, ...] = ()
    """Columns (small letters and digits alone) that a header row names, in any order among others."""
    keys: tuple[str, ...] = ()
    """Keys of a JSON document."""

    @property
    def words(self) -> str:
        """The reason for which a source is not read."""
        return f"{self.name}, which is not read: {self.instead}"


TRACKING: Final = (
    "give the message tracking logs of the same servers (TransportRoles\\Logs\\MessageTracking\\MSGTRK*.LOG), or "
    "`Get-TransportService | Get-MessageTrackingLog -ResultSize Unlimited | ConvertTo-Json -Depth 3 | "
    "Set-Content -Encoding UTF8 tracking.json`"
)
TRACE: Final = (
    "export the message trace: `Get-MessageTraceV2 -StartDate … -EndDate … -ResultSize 5000 | "
    "Export-Csv trace.csv -NoTypeInformation -Encoding UTF8` (10 days at a time), or an extended report "
    "(Exchange admin center > Mail flow > Message trace)"
)
GATEWAY: Final = (
    "no export of it is read; give the log of a gateway that the same mail passed (Postfix, Exim, Exchange message "
    "tracking)"
)
EVENTS: Final = (
    "in advanced hunting run `EmailEvents | project Timestamp, NetworkMessageId, InternetMessageId, "
    "SenderMailFromAddress, RecipientEmailAddress, Subject, EmailDirection, DeliveryAction, DeliveryLocation, "
    "LatestDeliveryAction, LatestDeliveryLocation`, times shown in UTC, and export the result as CSV"
)
_FILLED: Final = "give the log files that it was made from"
_MAIL: Final = "give the log of the mail server; a message itself does not show to whom it was delivered"
_STAMP: Final = r"(?:<\d{1,3}>)?[^\n]{0,120}?"
"""What stands in front of a line's own text."""
_HEAD_FIELD: Final = r"[A-Za-z][A-Za-z0-9-]{1,60}:(?:[ \t][^\n]*)?\n(?:[ \t][^\n]*\n)*"

FORMATS: Final = (
    Format(
        "Exchange SMTP protocol log (SMTP send, SMTP receive)", TRACKING,
        lines=r"#Log-type: ?SMTP (?:Send|Receive) Protocol Log"
        r"|\d{4}-\d\d-\d\dT[\d:.]+Z,[^,\n]*,[0-9A-F]{16},\d+,[^,\n]*,[^,\n]*,[-+*<>],",
        columns=("connectorid sessionid sequencenumber localendpoint remoteendpoint",),
    ),
    Format(
        "Exchange connectivity log", TRACKING,
        lines=r"#Log-type: ?[^\n]{0,40}Connectivity Log",
        columns=("datetime session source destination direction description",),
    ),
    Format(
        "Exchange anti-spam agent log", TRACKING,
        lines=r"#Log-type: ?Agent Log",
        columns=("sessionid p1fromaddress p2fromaddresses agent",),
    ),
    Format(
        "Exchange routing log", TRACKING,
        lines=r"#Log-type: ?[^\n]{0,40}Routing[^\n]{0,20} Log",
        start=r"(?:<\?xml[^>]{0,200}\?>\s*)?<Routing(?:Config|Table)",
    ),
    Format(
        "log of another part of Exchange (EWS, ECP, OWA, MAPI, HttpProxy, PowerShell and the like)", TRACKING,
        lines=r"#Log-type:(?! ?Message Tracking)[^\n]{1,80}",
        columns=("datetime requestid majorversion minorversion buildversion",),
    ),
    Format(
        "IIS log in W3C format (OWA, EWS, ECP, ActiveSync, the SMTP service)", TRACKING,
        lines=r"#Software: ?Microsoft (?:Internet Information|HTTP Server|SMTP)"
        r"|#Fields: (?=[^\n]{0,400}\bc-ip\b)[^\n]{0,400}\b(?:cs-method|cs-uri-stem)\b",
    ),
    Format(
        "Exchange 2000 or 2003 message tracking log", GATEWAY,
        lines=r"# ?Message Tracking Log File|# ?Exchange System Attendant Version",
        columns=("partnername serverhostname recipientaddress eventid msgid",),
    ),
    Format(
        "Get-MessageTraceDetail export", f"it tells what happened to a few messages, not what was sent; {TRACE}",
        columns=("messagetraceid event action detail", "messageid date event action detail data"),
        keys=("MessageTraceId Event Detail",),
    ),
    Format(
        "unified audit log", f"it tells who used a mailbox, not what was delivered; {TRACE}",
        columns=("auditdata operations", "auditdata operation"),
        keys=("AuditData RecordType", "CreationTime Operation Workload RecordType"),
    ),
    Format(
        "mailbox audit log", f"it tells who used a mailbox, not what was delivered; {TRACE}",
        columns=("operation operationresult logontype mailboxguid",),
        keys=("Operation OperationResult LogonType MailboxGuid",),
    ),
    Format(
        "list or table as PowerShell shows it on the screen",
        "what did not fit is left out of it; run the command again with `| Export-Csv FILE.csv -NoTypeInformation "
        "-Encoding UTF8` for a message trace, with `| ConvertTo-Json -Depth 3 | Set-Content -Encoding UTF8 FILE.json` "
        "for Get-MessageTrackingLog",
        lines=r"(?:Received +Sender ?Address|(?:Timestamp +)?EventId +Source +Sender) +Recip"
        r"|(?i:(?:Network|Internal)?Message ?(?:Trace ?)?Id|MessageSubject|RecipientStatus|(?:Recipient|Sender) ?"
        r"Address|EventId|(?:Client|Server)Hostname|ConnectorId) +: ",
    ),
    Format(
        "EmailEvents with times of the browser's own zone",
        "in Log Analytics set the time zone of the results to UTC, then export again",
        columns=("timegeneratedlocaltime networkmessageid",),
    ),
    Format(
        "Defender table other than EmailEvents, or EmailEvents without the columns that say who sent what to whom",
        EVENTS,
        columns=(
            "networkmessageid recipientemailaddress", "networkmessageid urldomain", "networkmessageid sha256",
            "networkmessageid actiontype", "networkmessageid deliveryaction", "internetmessageid deliverylocation",
        ),
        keys=(
            "NetworkMessageId RecipientEmailAddress", "NetworkMessageId UrlDomain", "NetworkMessageId SHA256",
            "NetworkMessageId ActionType", "NetworkMessageId DeliveryAction", "InternetMessageId DeliveryLocation",
        ),
    ),
    Format(
        "answer of the Log Analytics service as it stands, with columns and rows apart",
        "export the result as CSV, or use `az monitor log-analytics query -w WORKSPACE --analytics-query EmailEvents "
        "-o json`",
        keys=("tables columns rows",),
    ),
    Format(
        "Google Workspace email log search or Gmail log events", GATEWAY,
        columns=("messageid startdate enddate sender recipientaddress eventstatus",
                 "messageid fromenvelope toenvelope"),
        keys=("message_info event_info",),
    ),
    Format(
        "Proofpoint log (filter log, Smart Search, log or SIEM API)", GATEWAY,
        lines=_STAMP + r"filter_instance\d+(?:\[\d+\])?: (?:rprt|info|note|warn) "
        r"|\[\d{4}-\d\d-\d\d [\d:.]+ [-+]\d{4}\] (?:rprt|info) (?:s|mod)=",
        columns=("sender recipients finalrule", "sender recipients policyroute", "sender recipients policyroutes",
                 "sender messageid headerfrom headerreturnpath"),
        keys=("guid envelope msgParts", "messagesDelivered messagesBlocked", "clicksPermitted clicksBlocked",
              "GUID QID completelyRewritten"),
    ),
    Format(
        "Mimecast log (SIEM log, message finder)", GATEWAY,
        lines=_STAMP + r"datetime=[^|\n]{10,40}\|(?:aCode|acc)=",
        keys=("aCode acc datetime", "trackedEmails", "processingId aggregateId eventType"),
    ),
    Format(
        "NoSpamProxy message track", GATEWAY,
        columns=("wasreceivedfromrelayserver", "status sender recipient signed encrypted messageid"),
        keys=("WasReceivedFromRelayServer",),
    ),
    Format(
        "Barracuda Email Security Gateway log", GATEWAY,
        lines=_STAMP + r"(?:inbound/pass\d|outbound/smtp|scan)(?:\[\d+\])?: \S+ \S+ \d+ \d+ (?:RECV|SCAN|SEND)\b",
    ),
    Format(
        "Cisco Secure Email (IronPort) mail log", GATEWAY,
        lines=_STAMP + r"\b(?:Info|Warning): (?:New SMTP (?:I|D)CID \d|Start MID \d|MID \d+ |Message (?:finished|done) "
        r"|Delivery start DCID \d)|[^\n]{0,120}?CEF:\d\|Cisco\|[^|\n]{0,40}Email",
    ),
    Format(
        "list of messages as a console shows it (Exchange admin center > Message trace > Export results)",
        "it has no id that tells one message from another; choose the report type Enhanced summary or Extended there, "
        "which Downloadable reports then offers as a file, or use `Get-MessageTraceV2 -StartDate … -EndDate … "
        "-ResultSize 5000 | Export-Csv trace.csv -NoTypeInformation -Encoding UTF8` (10 days at a time)",
        columns=("date sender recipient subject status", "dateutc sender recipient subject status",
                 "received sender recipient subject status", "receivedutc sender recipient subject status"),
    ),
    Format(
        "PowerMTA accounting file", GATEWAY,
        columns=("type timelogged orig rcpt dsnstatus",),
    ),
    Format(
        "PowerShell objects as CliXML (Export-Clixml)",
        "read them back where PowerShell is: `Import-Clixml FILE | ConvertTo-Json -Depth 3 | "
        "Set-Content -Encoding UTF8 FILE.json`",
        start=r"(?:#< CLIXML\s*)?<Objs\b[^>]{0,200}schemas\.microsoft\.com/powershell",
    ),
    Format(
        "XML answer of the Office 365 reporting web service (OData, Atom)",
        "ask for the same address with `&$format=Json` at its end",
        start=r"(?:<\?xml[^>]{0,200}\?>\s*)?<(?:feed|entry)\b(?=[^>]{0,600}(?:w3\.org/2005/Atom|dataservices))",
    ),
    Format(
        "Windows event log (.evtx, .evt, or its XML)",
        "deliveries do not stand in event logs; " + TRACKING,
        magic=rb"ElfFile\0|\x30\0\0\0LfLe",
        start=r"(?:<\?xml[^>]{0,200}\?>\s*)?<(?:Events?)\b(?=[\s\S]{0,400}schemas\.microsoft\.com/win/2004)",
    ),
    Format("Outlook data file (.pst, .ost)", _MAIL, magic=rb"!BDN.{4}S[MO].\0"),
    Format("Exchange database (.edb, mail.que)", TRACKING, magic=rb".{4}\xef\xcd\xab\x89"),
    Format(
        "mailbox file (mbox)", _MAIL,
        start=r"From \S+ +[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d(?::\d\d)?[^\n]{0,40}\n"
        r"[A-Za-z>][A-Za-z0-9-]{1,60}:",
    ),
    Format(
        "mail message (.eml)", _MAIL,
        start=rf"(?=(?:{_HEAD_FIELD}){{3}})(?=(?:{_HEAD_FIELD}){{0,80}}?(?:From|To|Subject|Date|Received):)"
        r"(?:Received|Return-Path|Delivered-To|Message-ID|From|To|Cc|Subject|Date|MIME-Version|X-[A-Za-z0-9-]+"
        r"|DKIM-Signature|ARC-[A-Za-z-]+|Authentication-Results|Reply-To|Sender|Content-Type|Thread-[A-Za-z]+):",
    ),
    Format(
        "sendmail log", GATEWAY,
        lines=_STAMP + r": [A-Za-z0-9]{12,16}: (?:from=[^\n]{0,2000}\bnrcpts=\d|to=[^\n]{0,2000}\b(?:mailer|delay)="
        r"[^\n]{0,2000}\bstat=)",
    ),
    Format(
        "qmail log", GATEWAY,
        lines=r"(?:@[0-9a-f]{24} |\d{9,10}\.\d+ |[^\n]{0,80}\bqmail(?:-send)?(?:\[\d+\])?: (?:\d+\.\d+ )?)"
        r"(?:(?:new|end) msg \d|info msg \d+: bytes \d|starting delivery \d+: msg \d|delivery \d+: (?:success|failure|"
        r"deferral): |status: local \d)",
    ),
    Format(
        "journal of systemd in its own binary form", "export it: `journalctl --file FILE -o export > FILE.export`",
        magic=rb"LPKSHHRH[\0-\x07]\0\0\0",
    ),
    Format(
        "network capture (pcap, pcapng)", "give the log of the mail server that the traffic belongs to",
        magic=rb"\xd4\xc3\xb2\xa1|\xa1\xb2\xc3\xd4|\x4d\x3c\xb2\xa1|\xa1\xb2\x3c\x4d"
        rb"|\n\r\r\n.{4}(?:\x1a\x2b\x3c\x4d|\x4d\x3c\x2b\x1a)",
    ),
    Format("SQLite database", _FILLED, magic=rb"SQLite format 3\0"),
    Format("Parquet file", _FILLED, magic=rb"PAR[1E][\0-\x08\x0e-\x1f]"),
    Format(
        "disk image (EnCase)", "mount it read-only and give the log files that it holds",
        magic=rb"[EL]VF\x09\x0d\x0a\xff\0",
    ),
    Format(
        "Outlook message, older Office document or encrypted Office document (OLE)",
        "open it where it was made and save the table as CSV UTF-8 with dates as ISO 8601; of a message give the log "
        "of the mail server",
        magic=rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    ),
    Format("PDF document", "ask for the export that it was printed from", start=r"%PDF-\d"),
    Format("RTF document", "ask for the export that it was made from", start=r"\{\\rtf\d"),
    Format("web page (HTML)", "ask for the export (CSV, JSON) of what it shows",
           start=r"(?:<!--[\s\S]{0,400}?-->\s*)?<(?:!doctype\s+html|html)\b"),
    Format(
        "log of Postfix inside a form that is not known",
        "export its lines as they are, one a line, or in one of the forms that `missent formats` lists",
        lines=r"[^\n]{0,400}?\bpostfix(?:[\w.-]*/)+(?:smtpd?|lmtp|qmgr|cleanup|local|virtual|pipe|bounce)\[\d+\]\"?[:|,;\t]",
    ),
    Format(
        "table of mail whose columns have no known names",
        "a command or a report names its columns in English, whatever the language of the console: of Exchange Online "
        f"{TRACE}; of another server give the log itself",
        start=r"(?=[^\n@]{5,4000}\n)(?=[^\n]*[,;\t|])[^\n]*\n"
        r"[^\n@]{0,600}[^\s,;|\"<>@]@[\w.-]+\"?[,;\t|][^\n@]{0,600}@[\w.-]",
    ),
)  # fmt: skip
"""In the order in which they are asked: the particular before the general."""
