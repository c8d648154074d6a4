"""How findings stand for one reviewer: what they ruled, what others did once they ruled themselves, and the way back.

A second reviewer rules before seeing the first: of a finding on which they have not ruled, they are told that somebody
else has, and neither what nor why. Reviewers are told apart by name, without regard to letter case. Whoever only reads
sees everything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from forensics.errors import UsageError
from forensics.review.verdicts import NewVerdict
from forensics.review.web.book import Book, Pair
from forensics.rulings import Held, Verdict, held, on

STATES = ("open", "confirmed", "dismissed", "undecided", "ask")
"""`ask`: undecided, and the sender is to be asked by a day."""


@dataclass(frozen=True)
class Standing:
    """One finding. `mine` is the reviewer's ruling; for somebody who only reads, the one that counts."""

    state: str
    mine: Verdict | None
    others: tuple[Verdict, ...]
    """Other reviewers' rulings that may be shown."""
    hidden: bool
    """Somebody else has ruled, and the reviewer has not."""
    counts: Verdict | None
    """What reports go by: of all reviewers' rulings the latest on the finding itself, else on its pair."""

    @property
    def differs(self) -> bool:
        """Whether reviewers disagree."""
        return any(self.mine is not None and one.verdict != self.mine.verdict for one in self.others)


@dataclass(frozen=True)
class Bench:
    """All findings of a book for one reviewer, who is nobody when they only read."""

    reviewer: str
    by_finding: Mapping[str, Standing]
    by_pair: Mapping[str, Counter[str]]
    """Pair's id → its findings by state; and those that somebody else alone has ruled on (`second`), or all differently
    (`differs`)."""
    totals: Mapping[str, int]
    """The sum of `by_pair`."""
    own: tuple[Verdict, ...]
    """All that the reviewer ever ruled, oldest first."""

    def states(self, pair: Pair) -> Counter[str]:
        return Counter({state: n for state, n in self.by_pair[pair.id].items() if state in STATES})

    def state(self, pair: Pair) -> str:
        """The state that all findings share, else `part`."""
        states = self.states(pair)
        return next(iter(states)) if len(states) == 1 else "part"


def name(reviewer: str) -> str:
    """What tells reviewers apart."""
    return " ".join(reviewer.split()).casefold()


def bench(book: Book, reviewer: str, earlier: tuple[Book, Bench] | None = None) -> Bench:
    """How everything stands for a reviewer; for nobody (an empty name), what counts.

    `earlier`: an older book with its bench; where the new one has nothing but more verdicts, only the pairs that these
    speak of are looked at again.
    """
    per: dict[str, list[Verdict]] = defaultdict(list)
    for one in book.verdicts:
        per[name(one.reviewer)].append(one)
    me = name(reviewer)
    known = {who: (held(own), _emptied(own)) for who, own in per.items()}
    every = held(book.verdicts)
    touched = _touched(book, reviewer, earlier)
    out = dict(earlier[1].by_finding) if earlier and touched is not None else {}
    pairs = dict(earlier[1].by_pair) if earlier and touched is not None else {}
    for pair in book.pairs:
        if touched is not None and pair.pair not in touched:
            continue
        counted: Counter[str] = Counter()
        for row in pair.findings:
            delivery = row["delivery_id"]
            ruled = {}
            for who, (latest, emptied) in known.items():
                last_word = on(latest, pair.pair, delivery)
                if last_word and (last_word.sequence, delivery if last_word.deliveries else "") not in emptied:
                    ruled[who] = last_word
            stand = out[delivery] = _standing(ruled, me, on(every, pair.pair, delivery))
            counted[stand.state] += 1
            counted["second"] += stand.hidden
            counted["differs"] += stand.differs
        pairs[pair.id] = counted
    totals: Counter[str] = Counter(dict.fromkeys(("second", "differs"), 0))
    for counted in pairs.values():
        totals.update(counted)
    return Bench(reviewer, out, pairs, totals, tuple(per.get(me, ())))


def _touched(book: Book, reviewer: str, earlier: tuple[Book, Bench] | None) -> set[tuple[str, str]] | None:
    """The pairs that verdicts newer than the earlier book speak of; None where all has to be looked at."""
    if earlier is None:
        return None
    old, before = earlier
    same = old.pairs is book.pairs and before.reviewer == reviewer
    if not same or book.verdicts[: len(old.verdicts)] != old.verdicts:
        return None
    return {one.pair for one in book.verdicts[len(old.verdicts) :]}


def _standing(ruled: Mapping[str, Verdict], me: str, counts: Verdict | None) -> Standing:
    mine = ruled.get(me) if me else counts
    if not me and counts is not None and counts not in ruled.values():
        mine = None  # it was withdrawn, and nothing stands in its place
    others = tuple(sorted((one for one in ruled.values() if one is not mine), key=lambda one: one.sequence))
    return Standing(state_of(mine), mine, others if mine or not me else (), bool(me and others and not mine), counts)


def state_of(verdict: Verdict | None) -> str:
    if verdict is None:
        return "open"
    return "ask" if verdict.ask else verdict.verdict


def _emptied(own: Sequence[Verdict]) -> set[tuple[int, str]]:
    """(sequence, delivery or nothing) of withdrawals before which the reviewer had not ruled: it is open again."""
    out = set()
    begun = {one.sequence: one.act or one.sequence for one in own}
    for one in own:
        if one.undoes:
            before = held([other for other in own if other.sequence < begun.get(one.undoes, one.undoes)])
            for delivery in one.deliveries or ("",):
                if on(before, one.pair, delivery) is None:
                    out.add((one.sequence, delivery))
    return out


def last(bench: Bench) -> tuple[Verdict, ...]:
    """The rulings that undo would withdraw: those of the reviewer's latest act, oldest first."""
    undone = {one.undoes for one in bench.own}
    left = [one for one in bench.own if not one.undoes and one.sequence not in undone]
    first = (left[-1].act or left[-1].sequence) if left else 0
    return tuple(one for one in left if first in (one.act, one.sequence))


def withdrawal(bench: Bench, sequence: int, reason: str) -> tuple[NewVerdict, ...]:
    """The rulings that withdraw the reviewer's latest act: what they held before holds again, else it is undecided.

    Raises UsageError when `sequence` is not the last ruling of it.
    """
    rulings = last(bench)
    if not rulings or rulings[-1].sequence != sequence:
        raise UsageError(f"ruling {sequence}: is not your latest one", remedy="look at the case again")
    earlier_ones = [one for one in bench.own if one.sequence < rulings[0].sequence]
    before, emptied = held(earlier_ones), _emptied(earlier_ones)
    return tuple(again for ruling in rulings for again in _withdrawn(ruling, before, emptied, reason))


def _withdrawn(
    ruling: Verdict, before: Held, emptied: Collection[tuple[int, str]], reason: str
) -> tuple[NewVerdict, ...]:
    groups: dict[Verdict | None, list[str]] = defaultdict(list)
    if ruling.deliveries:
        for delivery in ruling.deliveries:
            earlier = on(before, ruling.pair, delivery)
            open_again = earlier is None or (earlier.sequence, delivery if earlier.deliveries else "") in emptied
            groups[None if open_again else earlier].append(delivery)
    else:
        earlier = on(before, ruling.pair)
        groups[None if earlier is None or (earlier.sequence, "") in emptied else earlier] = []
    return tuple(_again(ruling, earlier, tuple(deliveries), reason) for earlier, deliveries in groups.items())


def _again(ruling: Verdict, earlier: Verdict | None, deliveries: tuple[str, ...], reason: str) -> NewVerdict:
    said = f"Ruling {ruling.sequence} ({ruling.verdict}) is withdrawn: {reason}"
    if earlier is None:
        return NewVerdict(*ruling.pair, "undecided", said, deliveries, undoes=ruling.sequence)
    said += f" Ruling {earlier.sequence} holds again: {earlier.reason}"
    return NewVerdict(*ruling.pair, earlier.verdict, said, deliveries, earlier.ask, ruling.sequence)
