"""Block rules as mail servers, filters and resolvers read them.

| format | files |
|---|---|
| postfix | `postfix-transport` (`error:5.1.2 …`: local submission too), `postfix-access`; transport(5), access(5) |
| exchange | `exchange-rule.ps1`, `exchange-rule-undo.ps1`, `exchange-rule.csv` |
| online | `exchange-online-block.ps1`, `exchange-online-block-undo.ps1` (Tenant Allow/Block List) |
| list | `block-list.txt` |
| rpz | `rpz.zone` (response policy zone): cuts all use of the name, not mail alone |
| sigma | `email_mistyped_domain.yml`: a detection rule (Sigma specification 2.1) |
| splunk | `splunk-lookup.csv`, `splunk-transforms.conf` (a CSV lookup, matched exactly) |
| elastic | `elastic-lookup-index.json`, `elastic-lookup.ndjson`, `elastic-lookup-undo.ndjson` (a lookup index) |

Values are lower-case names and addresses of a closed set of letters (`rules`), and quoted as each format asks.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import NAMESPACE_URL, uuid5

from forensics.blocking.rules import Block, Rule
from forensics.cells import guard

_CODE = "5.1.2"
"""Bad destination system address (RFC 3463, 3.2)."""


@dataclass(frozen=True)
class Sheet:
    """What every file says of itself."""

    case: str
    made: date
    until: date
    rules: tuple[Rule, ...]
    watch: bool = False
    """Whether the names are lookalikes to which nobody need have written, not those of confirmed pairs."""

    @property
    def head(self) -> list[str]:
        hit = [rule for rule in self.rules if rule.exact.all]
        rest = len(self.rules) - len(hit)
        return [
            f"{self.title}, made by Missent on {self.made:%Y-%m-%d}: {self.of_what}.",
            f"Meant to be taken out on {self.until:%Y-%m-%d}; look at it again before.",
            *(f"Would have refused {n}" for n in map(_refused, hit)),
            *([f"Would have refused nothing of this case to {rest:,} of these names."] if rest else []),
        ]

    @property
    def title(self) -> str:
        return f"{'Watch list' if self.watch else 'Block rules'} of case {self.case}"

    @property
    def of_what(self) -> str:
        if self.watch:
            return "lookalikes, one slip away, of names that the organisation writes to"
        return "domains and addresses of pairs that a person confirmed to be mistyped"

    def id(self, what: str) -> str:
        """A UUID (version 5) for one thing of this sheet: the same whenever the same is made again."""
        return str(uuid5(NAMESPACE_URL, json.dumps(["missent", self.case, self.made.isoformat(), what])))

    def of(self, kind: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.kind == kind]


def files(
    block: Block, names: Sequence[str], case: str, made: date, until: date, *, watch: bool = False
) -> dict[str, bytes]:
    """{file name: content}; `watch`: of lookalikes instead of confirmed pairs.

    A format that reads a domain's rule with the names below it gets the rules of the addresses instead where something
    genuine lies below.
    """
    out: dict[str, bytes] = {}
    for name in names:
        below, write = FORMATS[name]
        sheet = Sheet(case, made, until, _chosen(block, below), watch)
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
    name = f"Missent {'watch ' if sheet.watch else ''}{sheet.case}"
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
        "exchange-rule.ps1": [
            *head,
            "# RecipientDomainIs covers the names below each domain as well. To undo: exchange-rule-undo.ps1.",
            *lines,
        ],
        "exchange-rule-undo.ps1": [*head, "# To undo the rules: takes them out again.", *undo],
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
            "# Allow or block email using the Tenant Allow/Block List. To undo: exchange-online-block-undo.ps1.",
            *([block] if entries else []),
        ],
        "exchange-online-block-undo.ps1": [
            *head,
            "# To undo the entries: takes them out again.",
            *([undo] if entries else []),
        ],
    }


def _list(sheet: Sheet) -> dict[str, list[str]]:
    undo = "# To undo: take the names out again."
    return {"block-list.txt": [*(f"# {line}" for line in sheet.head), undo, *(rule.value for rule in sheet.rules)]}


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


_SIGMA = str.maketrans({sign: f"\\{sign}" for sign in "\\*?"})
"""What stands for other characters in a value of Sigma (specification 2.1, String Wildcard, Escape Character)."""


def _sigma(sheet: Sheet) -> dict[str, list[str]]:
    ends = ["@" + rule.value.translate(_SIGMA) for rule in sheet.of("domain")]
    whole = [rule.value.translate(_SIGMA) for rule in sheet.of("address")]
    parts = [
        (name, field, values)
        for name, field, values in (("domain", "recipient|endswith", ends), ("address", "recipient", whole))
        if values
    ]
    told = ["Detects mail to mistyped domains.", *sheet.head, "To undo: delete the rule.", _FIELD]
    lines = [
        f"title: {_yaml(f'Mail To Mistyped Domains Of Case {sheet.case}'[:_TITLE])}",
        f"id: {sheet.id('sigma')}",
        "status: experimental",
        f"description: {_yaml(' '.join(told))}",
        "author: Missent",
        f"date: {sheet.made:%Y-%m-%d}",
        "logsource:",
        "    category: email",
        "detection:",
    ]
    for name, field, values in parts:
        lines += [f"    {name}:", f"        {field}:", *(f"            - {_yaml(value)}" for value in values)]
    lines += [
        f"    condition: {' or '.join(name for name, _, _ in parts)}",
        "fields:",
        "    - recipient",
        "falsepositives:",
        f"    - {_yaml(f'Mail that is meant for these names: the case of {sheet.made:%Y-%m-%d} held none.')}",
        "level: high",
    ]
    return {"email_mistyped_domain.yml": [*(f"# {line}" for line in sheet.head), *(lines if parts else ())]}


def _yaml(text: str) -> str:
    """A double-quoted scalar: JSON's strings are YAML's (YAML 1.2.2, 1.3), but for pairs of escaped surrogates."""
    return json.dumps(text, ensure_ascii=False)


_TITLE = 256
"""Characters of a title, at most (JSON schema of the specification)."""
_FIELD = "Map recipient to the field of your log that holds the envelope recipient."


def _facts(sheet: Sheet, rule: Rule) -> dict[str, str | int]:
    """What a table says of one rule, flat."""
    n = rule.exact
    return {
        "recipient": rule.value,
        "kind": rule.kind,
        "meant": " ".join(rule.meant),
        "case": sheet.case,
        "made": sheet.made.isoformat(),
        "expires": sheet.until.isoformat(),
        "confirmed": n.confirmed,
        "open": n.open,
        "genuine": n.genuine,
    }


_COLUMNS = ("recipient", "kind", "meant", "case", "made", "expires", "confirmed", "open", "genuine")


def _splunk(sheet: Sheet) -> dict[str, list[str]]:
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rule in sheet.rules:
        facts = _facts(sheet, rule)
        writer.writerow({**facts, "case": guard(sheet.case)})
    return {
        "splunk-lookup.csv": table.getvalue().rstrip("\n").split("\n"),
        "splunk-transforms.conf": [
            *(f"# {line}" for line in sheet.head),
            "# Put splunk-lookup.csv into the lookups folder of an app, this stanza into its local/transforms.conf.",
            "# Then, of events with the envelope recipient in recipient:",
            '#   | eval recipient=lower(recipient), domain=mvindex(split(recipient, "@"), -1)',
            "#   | lookup missent_block recipient OUTPUT kind meant case expires",
            "#   | lookup missent_block recipient AS domain OUTPUTNEW kind meant case expires",
            '#   | where isnotnull(kind) AND expires >= strftime(now(), "%Y-%m-%d")',
            "# To undo: take the stanza and the table out again.",
            "[missent_block]",
            "filename = splunk-lookup.csv",
            "case_sensitive_match = false",
            "max_matches = 1",
        ],
    }


def _elastic(sheet: Sheet) -> dict[str, list[str]]:
    rows, undo = [], []
    for rule in sheet.rules:
        place = {"_index": _INDEX, "_id": sheet.id(rule.value)}
        rows += [json.dumps({"index": place}), json.dumps(_facts(sheet, rule))]
        undo.append(json.dumps({"delete": place}))
    kinds = {"made": "date", "expires": "date", **dict.fromkeys(("confirmed", "open", "genuine"), "integer")}
    index = {
        "settings": {"index.mode": "lookup"},
        "mappings": {
            "_meta": {"about": sheet.head, "use": _ELASTIC},
            "properties": {name: {"type": kinds.get(name, "keyword")} for name in _COLUMNS},
        },
    }
    return {
        "elastic-lookup-index.json": json.dumps(index, indent=1).split("\n"),
        "elastic-lookup.ndjson": rows,
        "elastic-lookup-undo.ndjson": undo,
    }


_INDEX = "missent-block"
_ELASTIC = [
    f"PUT {_INDEX} with elastic-lookup-index.json, then POST _bulk with elastic-lookup.ndjson.",
    'FROM logs | EVAL address = TO_LOWER(recipient), recipient = MV_LAST(SPLIT(address, "@"))'
    f' | LOOKUP JOIN {_INDEX} ON recipient | WHERE kind == "domain" AND expires >= NOW()',
    f"FROM logs | EVAL recipient = TO_LOWER(recipient) | LOOKUP JOIN {_INDEX} ON recipient"
    ' | WHERE kind == "address" AND expires >= NOW()',
    "To undo: POST _bulk with elastic-lookup-undo.ndjson.",
]


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
