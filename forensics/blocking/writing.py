"""Block rules as mail servers, filters and resolvers read them.

| format | files |
|---|---|
| postfix | `postfix-transport` (`error:5.1.2 …`: local submission too), `postfix-access`; transport(5), access(5) |
| exchange | `exchange-rule.ps1`, `exchange-rule-undo.ps1`, `exchange-rule.csv` |
| online | `exchange-online-block.ps1`, `exchange-online-block-undo.ps1` (Tenant Allow/Block List) |
| list | `block-list.txt` |
| rpz | `rpz.zone` (response policy zone): cuts all use of the name, not mail alone |
| sigma | `sigma.yml` |
| splunk, elastic | `splunk-lookup.csv`, `elastic-lookup.ndjson` |

Values are lower-case names and addresses of a closed set of letters (`rules`), and quoted as each format asks.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from forensics.blocking.rules import Block, Rule
from forensics.review.sheets import guard

_CODE = "5.1.2"
"""Bad destination system address (RFC 3463, 3.2)."""


@dataclass(frozen=True)
class Sheet:
    """What every file says of itself."""

    case: str
    made: date
    until: date
    rules: tuple[Rule, ...]

    @property
    def head(self) -> list[str]:
        return [
            f"Block rules of case {self.case}, made by Missent on {self.made:%Y-%m-%d}.",
            f"They are meant to be taken out on {self.until:%Y-%m-%d}; look at them again before.",
            *(f"Would have refused {n}" for n in map(_refused, self.rules)),
        ]

    def of(self, kind: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.kind == kind]


def files(block: Block, names: Sequence[str], case: str, made: date, until: date) -> dict[str, bytes]:
    """{file name: content}. A format that reads a domain's rule with the names below it gets the rules of the
    addresses instead where something genuine lies below."""
    out: dict[str, bytes] = {}
    for name in names:
        below, write = FORMATS[name]
        sheet = Sheet(case, made, until, _chosen(block, below))
        out |= {file: ("\n".join(lines) + "\n").encode("utf-8") for file, lines in write(sheet).items()}
    return out


def _chosen(block: Block, below: bool) -> tuple[Rule, ...]:
    chosen: list[Rule] = []
    for rule in block.rules:
        if below and rule.kind == "domain" and rule.below.genuine:
            chosen.extend(block.spare[rule.value])
        else:
            chosen.append(rule)
    return tuple(chosen)


def _refused(rule: Rule) -> str:
    n = rule.exact
    parts = f"{n.confirmed} confirmed, {n.open} open, {n.genuine} held genuine"
    return f"{n.all} of this case to {rule.value} ({parts})."


def _says(rule: Rule) -> str:
    return f"probably mistyped, meant was {' or '.join(rule.meant)}"


def _postfix(sheet: Sheet) -> dict[str, list[str]]:
    transport = [f"{rule.value} error:{_CODE} {rule.value}: {_says(rule)}" for rule in sheet.rules]
    access = [f"{rule.value} REJECT {_CODE} {rule.value}: {_says(rule)}" for rule in sheet.rules]
    head = [f"# {line}" for line in sheet.head]
    undo = "# To undo: take the table out of main.cf, then postfix reload."
    return {
        "postfix-transport": [
            *head,
            "# postmap FILE, then put TYPE:FILE in front of transport_maps in main.cf. Refuses clients and programs of",
            "# this host alike.",
            undo,
            *transport,
        ],
        "postfix-access": [
            *head,
            "# postmap FILE, then check_recipient_access TYPE:FILE in front of what permits, in",
            "# smtpd_recipient_restrictions. Refuses at RCPT TO, so that the sender is told at once.",
            undo,
            *access,
        ],
    }


def _exchange(sheet: Sheet) -> dict[str, list[str]]:
    name = f"Missent {sheet.case}"
    head = [f"# {line}" for line in sheet.head]
    common = (
        f"-Priority 0 -FromScope InOrganization -RejectMessageEnhancedStatusCode 5.7.1 "
        f"-ExpiryDate {_quoted(f'{sheet.until:%Y-%m-%d}')} -Comments {_quoted(sheet.head[0])}"
    )
    lines, undo = [], []
    kinds = (("domain", "RecipientDomainIs", _quoted), ("address", "RecipientAddressMatchesPatterns", _pattern))
    for kind, condition, quote in kinds:
        if own := sheet.of(kind):
            values = ",".join(quote(rule.value) for rule in own)
            rule_name = _quoted(f"{name} {kind}")
            text = _quoted(
                "The address is probably mistyped: " + "; ".join(f"{r.value}: {_says(r)}" for r in own)[:900]
            )
            lines.append(
                f"New-TransportRule -Name {rule_name} -{condition} {values} {common} -RejectMessageReasonText {text}"
            )
            undo.append(f"Remove-TransportRule -Identity {rule_name} -Confirm:$false")
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["kind", "value", "meant", "expires", "confirmed", "open", "genuine"])
    for rule in sheet.rules:
        n = rule.exact
        row = [rule.kind, guard(rule.value), " ".join(rule.meant), f"{sheet.until:%Y-%m-%d}"]
        writer.writerow([*row, n.confirmed, n.open, n.genuine])
    return {
        "exchange-rule.ps1": [*head, "# RecipientDomainIs covers the names below each domain as well.", *lines],
        "exchange-rule-undo.ps1": [*head, "# Takes the rules out again.", *undo],
        "exchange-rule.csv": table.getvalue().rstrip("\n").split("\n"),
    }


def _online(sheet: Sheet) -> dict[str, list[str]]:
    head = [f"# {line}" for line in sheet.head]
    entries = ",".join(_quoted(rule.value) for rule in sheet.rules)
    notes = _quoted(sheet.head[0])
    block = (
        f"New-TenantAllowBlockListItems -ListType Sender -Block -Entries {entries} "
        f"-ExpirationDate {_quoted(f'{sheet.until:%Y-%m-%d}')} -Notes {notes}"
    )
    undo = f"Remove-TenantAllowBlockListItems -ListType Sender -Entries {entries}"
    return {
        "exchange-online-block.ps1": [
            *head,
            "# Stops mail to these names (550 5.7.703), and all mail FROM them, which goes to quarantine. A message to",
            "# several recipients is refused for all of them. Entries expire by themselves. Source: Microsoft Learn,",
            "# Allow or block email using the Tenant Allow/Block List.",
            *([block] if entries else []),
        ],
        "exchange-online-block-undo.ps1": [*head, "# Takes the entries out again.", *([undo] if entries else [])],
    }


def _list(sheet: Sheet) -> dict[str, list[str]]:
    return {"block-list.txt": [*(f"# {line}" for line in sheet.head), *(rule.value for rule in sheet.rules)]}


def _rpz(sheet: Sheet) -> dict[str, list[str]]:
    records = [f"{name} CNAME ." for rule in sheet.of("domain") for name in (rule.value, f"*.{rule.value}")]
    return {
        "rpz.zone": [
            *(f"; {line}" for line in sheet.head),
            "; Cuts every use of these names, web and mail alike. Addresses get no rule here.",
            "; To undo: take the zone out.",
            "$TTL 300",
            f"@ SOA localhost. nobody.invalid. {sheet.made:%Y%m%d}01 3600 600 86400 300",
            "@ NS localhost.",
            *records,
        ]
    }


def _sigma(sheet: Sheet) -> dict[str, list[str]]:
    ends = [json.dumps("@" + rule.value) for rule in sheet.of("domain")]
    whole = [json.dumps(rule.value) for rule in sheet.of("address")]
    lines = [
        *(f"# {line}" for line in sheet.head),
        f"title: {json.dumps(f'Mail to a mistyped domain of case {sheet.case}')}",
        "status: experimental",
        f"date: {sheet.made:%Y-%m-%d}",
        "logsource:",
        "    category: email",
        "detection:",
    ]
    names = []
    for name, field, values in (("domain", "recipient|endswith", ends), ("address", "recipient", whole)):
        if values:
            names.append(name)
            lines += [f"    {name}:", f"        {field}:", *(f"            - {value}" for value in values)]
    lines += [f"    condition: {' or '.join(names)}", "level: high"]
    return {"sigma.yml": lines if names else lines[: len(sheet.head)]}


def _splunk(sheet: Sheet) -> dict[str, list[str]]:
    rows = [f"{rule.value},{rule.kind},{' '.join(rule.meant)},{sheet.until:%Y-%m-%d}" for rule in sheet.rules]
    return {"splunk-lookup.csv": ["recipient,kind,meant,expires", *rows]}


def _elastic(sheet: Sheet) -> dict[str, list[str]]:
    rows = [
        json.dumps({"recipient": r.value, "kind": r.kind, "meant": r.meant, "expires": sheet.until.isoformat()})
        for r in sheet.rules
    ]
    return {"elastic-lookup.ndjson": rows}


FORMATS: dict[str, tuple[bool, Callable[[Sheet], dict[str, list[str]]]]] = {
    "postfix": (True, _postfix),
    "exchange": (True, _exchange),
    "online": (False, _online),
    "list": (False, _list),
    "rpz": (True, _rpz),
    "sigma": (False, _sigma),
    "splunk": (False, _splunk),
    "elastic": (False, _elastic),
}
"""format → (whether a domain's rule covers the names below it there, what writes it)."""


def _quoted(value: str) -> str:
    """A PowerShell string of which nothing is evaluated; curly quotes end it too (about_Quoting_Rules)."""
    return "'" + "".join(ch * 2 if ch in "'‘’‚‛" else ch for ch in value) + "'"


def _pattern(address: str) -> str:
    """The regular expression that matches this address alone."""
    escaped = "".join(ch if ch.isalnum() or ch in "@_-" else "\\" + ch for ch in address)
    return _quoted(f"^{escaped}$")
