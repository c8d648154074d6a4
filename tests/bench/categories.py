"""Categories of slips by (writer, address): what the log knows of the address meant, what was meant, how it came about.

Told by the log and the labels, never by the detector's answer. An address may stand in several: of the first four,
which say who knows the address meant, it stands in one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from forensics import domains
from forensics.detector.channel import GROUPS
from forensics.detector.freemail import is_freemail
from forensics.detector.slips import classify_far

if TYPE_CHECKING:
    from tests.bench.labelled import Corpus, Key

CATEGORIES: Mapping[str, str] = {
    "writer knows the address": "the writer wrote to the address meant, at any time in the log",
    "others know it": "the log shows the address meant, in other people's mail",
    "new person": "it shows the domain meant, not that address",
    "never seen": "it does not show the domain meant",
    "own domain": "the organisation's own domain was meant",
    "free mail": "a large mail provider's domain was meant",
    "suffix": "another suffix, or one mistyped",
    "IDN": "one of the two names has letters beyond ASCII",
    "long cut": "more than three letters were lost at the end",
    "address book": "the same writer made the same slip before: it came from an address book",
    "reply-all": "somebody else's slip, taken over by answering all",
    "list member": "a mistyped member of a distribution list",
}
"""The last three are told by the labels of simulations and scenarios alone; of real logs nobody knows them."""

_ORIGINS = {"address-book": "address book", "reply-all": "reply-all", "list": "list member"}


def of(corpus: Corpus) -> dict[Key, frozenset[str]]:
    """The categories of every labelled slip of one log."""
    connection = corpus.connection
    written = set(
        connection.execute(
            "select distinct writer_local, writer_domain, recipient_local, recipient_domain from pairs"
        ).fetchall()
    )
    addresses = set(connection.execute("select distinct l, d from addresses").fetchall())
    seen = {domain for _, domain in addresses}
    found = {}
    for key, meant in corpus.truth.meant.items():
        local, typed = key[2], key[3]
        names = {_ORIGINS[o] for o in corpus.truth.origins.get(key, ()) if o in _ORIGINS}
        names.add(
            "writer knows the address"
            if (key[0], key[1], local, meant) in written
            else "others know it"
            if (local, meant) in addresses
            else "new person"
            if meant in seen
            else "never seen"
        )
        slip = classify_far(typed, meant, local)
        told = {
            "own domain": domains.within(meant, corpus.org),
            "free mail": is_freemail(meant),
            "suffix": slip is not None and GROUPS[slip.kind] == "suffix",
            "IDN": any(label.startswith("xn--") for label in f"{typed}.{meant}".split(".")),
            "long cut": slip is not None and slip.kind == "long-cut",
        }
        found[key] = frozenset(names | {name for name, so in told.items() if so})
    return found


def line(recall: Mapping[str, Any]) -> str:
    """Categories of which there is a slip, in one line."""
    return ", ".join(f"{name} {one['hits']}/{one['of']}" for name, one in recall.items() if one["of"])
