"""The flow of misdirected mail: from senders, through the domain they meant, to the domain it went to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from forensics import domains
from forensics.report.charts import svg
from forensics.report.charts.svg import rect, ribbon, text
from forensics.report.facts import Facts, Flow
from forensics.report.text.blocks import Chart
from forensics.report.text.wording import Words

WIDTH = 760
_SENDERS, _DOMAINS = 10, 12
_NODE = 9
_PAD = 10
_COLUMNS = (188.0, 376.0, 560.0)
"""Behind the last stand names of domains, up to 24 letters, and their numbers."""
_TOP = 24


@dataclass
class _Node:
    name: str
    total: int = 0
    accepted: int = 0
    y: float = 0
    height: float = 0
    used: dict[str, float] = field(default_factory=lambda: {"in": 0.0, "out": 0.0})


def flows(facts: Facts, words: Words) -> Chart | None:
    """Three columns, bands as high as the number of deliveries; what was accepted is in the warning colour."""
    if not facts.flows:
        return None
    shared = _shared_domain(facts.flows)
    keys = (
        _named(facts.flows, lambda f: f.sender.removesuffix(shared) or words("chart.null_sender"), _SENDERS, words),
        _named(facts.flows, lambda f: domains.u_label(f.intended), _DOMAINS, words),
        _named(facts.flows, lambda f: domains.u_label(f.observed), _DOMAINS, words),
    )
    columns: list[dict[str, _Node]] = [{}, {}, {}]
    links: list[dict[tuple[str, str], list[int]]] = [{}, {}]
    for flow in facts.flows:
        names = [key(flow) for key in keys]
        for column, name in zip(columns, names, strict=True):
            node = column.setdefault(name, _Node(name))
            node.total += flow.deliveries.value
            node.accepted += flow.accepted.value
        for side, pair in zip(links, ((names[0], names[1]), (names[1], names[2])), strict=True):
            sums = side.setdefault(pair, [0, 0])
            sums[0] += flow.deliveries.value
            sums[1] += flow.accepted.value
    total = sum(flow.deliveries.value for flow in facts.flows)
    rows = max(len(column) for column in columns)
    height = max(220.0, rows * 27.0)
    scale = (height - (rows - 1) * _PAD) / total
    for column in columns:
        _place(column, scale, height, words)
    parts = _heads(words, shared)
    for n, side in enumerate(links):
        parts += _bands(side, columns[n], columns[n + 1], _COLUMNS[n] + _NODE, _COLUMNS[n + 1], scale)
    for n, column in enumerate(columns):
        parts += _nodes(column, _COLUMNS[n], n)
    alt = _alt(facts, words)
    drawn = svg.document("flows", WIDTH, _TOP + height + 6, alt, parts)
    return Chart(drawn, alt, words("chart.flows"), wide=True)


def _named(flows: Sequence[Flow], key: Callable[[Flow], str], most: int, words: Words) -> Callable[[Flow], str]:
    """The key, with all but the largest under one name."""
    sums: dict[str, int] = {}
    for flow in flows:
        sums[key(flow)] = sums.get(key(flow), 0) + flow.deliveries.value
    ordered = sorted(sums, key=lambda name: (-sums[name], name))
    if len(ordered) <= most:
        return key
    kept = set(ordered[: most - 1])
    rest = words("chart.others", n=len(ordered) - len(kept))
    return lambda flow: key(flow) if key(flow) in kept else rest


def _place(column: dict[str, _Node], scale: float, height: float, words: Words) -> None:
    last = words("chart.others", n=0)[-3:]
    nodes = sorted(column.values(), key=lambda n: (n.name[:1].isdigit() and n.name.endswith(last), -n.total, n.name))
    pad = (height - sum(n.total for n in nodes) * scale) / max(1, len(nodes) - 1) if len(nodes) > 1 else 0
    y = float(_TOP)
    for node in nodes:
        node.y, node.height = y, node.total * scale
        y += node.height + pad
    column.clear()
    column.update({node.name: node for node in nodes})


def _shared_domain(flows: Sequence[Flow]) -> str:
    """`@albion-defence.uk` when every sender writes from there, so that the labels need not repeat it."""
    found = {f"@{domains.parts(flow.sender)[1]}" for flow in flows}
    return found.pop() if len(found) == 1 else ""


def _heads(words: Words, shared: str) -> list[str]:
    sender = words("chart.from") + (f" ({svg.label(shared, 28)})" if len(shared) > 1 else "")
    return [
        text(2, 10, sender, size=12, bold=True),
        text(_COLUMNS[1] + _NODE / 2, 10, words("chart.meant"), size=12, bold=True, anchor="middle"),
        text(_COLUMNS[2], 10, words("chart.went"), size=12, bold=True),
    ]


def _bands(
    side: dict[tuple[str, str], list[int]],
    left: dict[str, _Node],
    right: dict[str, _Node],
    x1: float,
    x2: float,
    scale: float,
) -> list[str]:
    order_left, order_right = list(left), list(right)
    out = []
    for (a, b), (total, accepted) in sorted(
        side.items(), key=lambda item: (order_left.index(item[0][0]), order_right.index(item[0][1]))
    ):
        source, target = left[a], right[b]
        for count, fill, opacity in ((accepted, "warn", 0.42), (total - accepted, "soft", 0.22)):
            if not count:
                continue
            band = count * scale
            out.append(ribbon(x1, source.y + source.used["out"], x2, target.y + target.used["in"], band, fill, opacity))
            source.used["out"] += band
            target.used["in"] += band
    return out


def _nodes(column: dict[str, _Node], x: float, n: int) -> list[str]:
    out = []
    for node in column.values():
        out.append(rect(x, node.y, _NODE, max(1.5, node.height), "ink"))
        middle = node.y + node.height / 2 + 4
        name = svg.label(node.name, 26 if n == 0 else 24)
        if n == 0:
            out.append(text(x - 6, middle, f"{name}  {node.total}", size=11, anchor="end"))
        else:
            out.append(text(x + _NODE + 6, middle, f"{name}  {node.total}", size=11.5, bold=n == 2, halo=True))
    return out


def _alt(facts: Facts, words: Words) -> str:
    pairs: dict[tuple[str, str], int] = {}
    for flow in facts.flows:
        pair = (domains.u_label(flow.intended), domains.u_label(flow.observed))
        pairs[pair] = pairs.get(pair, 0) + flow.deliveries.value
    top = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:6]
    listed = words.join([words("chart.pair", meant=svg.label(a), typed=svg.label(b), n=n) for (a, b), n in top])
    senders = len({flow.sender for flow in facts.flows})
    return words("chart.flows_alt", n=senders, pairs=listed)
