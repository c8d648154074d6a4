"""What surrounds slips and genuine neighbours in a simulated log: the rates that the corpora publish, measured.

Over distinct (sender, address) pairs: had the sender written the same local part at the other domain before, within
seven days after, was the other domain among the co-recipients, does the observed domain ever send mail itself.
Automated mail and list expansion are left out: nobody typed those addresses.
"""

from __future__ import annotations

from collections import defaultdict

from tests.bench.mail import Message

WEEK = 7 * 86_400


def rates(messages: list[Message], partners: dict[str, str]) -> dict[str, dict[str, float]]:
    """Rates for `mistyped` and `neighbour` pairs; `partners` names the domain a genuine neighbour resembles."""
    sends = {m.sender.rpartition("@")[2] for m in messages if m.user is None and m.sender}
    history: dict[tuple[str, str], list[float]] = defaultdict(list)
    seen: dict[tuple[str, str], tuple[str, str, float, set[str]]] = {}
    for m in messages:
        if m.user is None:
            continue
        domains = {g.recipient.rpartition("@")[2] for g in m.legs}
        for g in m.legs:
            history[m.sender, g.recipient].append(m.at)
            local, _, domain = g.recipient.rpartition("@")
            if g.original or m.sender.startswith("noreply@"):
                continue
            if g.label == "misdirected":
                kind, meant = "mistyped", g.intended
            elif g.label == "genuine" and domain in partners:
                kind, meant = "neighbour", f"{local}@{partners[domain]}"
            else:
                continue
            seen.setdefault((m.sender, g.recipient), (kind, meant, m.at, domains))
    result: dict[str, dict[str, float]] = {}
    for wanted in ("mistyped", "neighbour"):
        pairs = [(sender, address, *rest[1:]) for (sender, address), rest in seen.items() if rest[0] == wanted]
        count = max(len(pairs), 1)
        before = sum(any(t < at for t in history[s, meant]) for s, _, meant, at, _ in pairs)
        after = sum(any(at < t <= at + WEEK for t in history[s, meant]) for s, _, meant, at, _ in pairs)
        beside = sum(meant.rpartition("@")[2] in domains for _, _, meant, _, domains in pairs)
        own = sum(address.rpartition("@")[2] in sends for _, address, _, _, _ in pairs)
        result[wanted] = {"pairs": len(pairs), "before": before / count, "after": after / count,
                          "beside": beside / count, "sends": own / count}  # fmt: skip
    return result
