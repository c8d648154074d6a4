"""The slip set letter by letter: `navy.m`**`i`**`l` → `navy.ml`."""

from __future__ import annotations

from forensics import domains
from forensics.report.facts import Segment, Slip

_FAR = 0.5
"""Above this share of changed letters a letter-by-letter setting says less than the two names side by side."""


HIDDEN = "…."
"""Stands for all that lies before the suffix, where the edition does not show it."""


def segments(typed: str, meant: str) -> tuple[Segment, ...]:
    """The two names as one row of pieces, in reading order; empty when they share too little.

    >>> [(s.kind, s.typed, s.meant) for s in segments("navy.ml", "navy.mil")]
    [('same', 'navy.m', 'navy.m'), ('missing', '', 'i'), ('same', 'l', 'l')]
    >>> [(s.kind, s.typed, s.meant) for s in segments("nvay.mil", "navy.mil")]
    [('same', 'n', 'n'), ('swapped', 'va', 'av'), ('same', 'y.mil', 'y.mil')]
    """
    from rapidfuzz.distance import Levenshtein

    blocks = Levenshtein.opcodes(typed, meant)
    changed = sum(max(b.src_end - b.src_start, b.dest_end - b.dest_start) for b in blocks if b.tag != "equal")
    if changed > max(1.0, _FAR * max(len(typed), len(meant))):
        return ()
    kinds = {"equal": "same", "insert": "missing", "delete": "extra", "replace": "replaced"}
    row = [
        Segment(kinds[b.tag], typed[b.src_start : b.src_end], meant[b.dest_start : b.dest_end])
        for b in blocks
        if b.src_end > b.src_start or b.dest_end > b.dest_start
    ]
    return _joined(_swaps(row))


def _swaps(row: list[Segment]) -> list[Segment]:
    """Two letters that changed places, where the edit script says insert + keep + delete or two replacements."""
    out: list[Segment] = []
    i = 0
    while i < len(row):
        for width in (3, 2, 1):
            piece = row[i : i + width]
            typed = "".join(s.typed for s in piece)
            meant = "".join(s.meant for s in piece)
            ends = len(piece) == width and (piece[0].kind != "same" and piece[-1].kind != "same")
            if ends and len(typed) == 2 and typed == meant[::-1] and typed != meant:
                out.append(Segment("swapped", typed, meant))
                i += width
                break
        else:
            out.append(row[i])
            i += 1
    return out


def _joined(row: list[Segment]) -> tuple[Segment, ...]:
    out: list[Segment] = []
    for piece in row:
        if out and out[-1].kind == piece.kind and piece.kind != "swapped":
            out[-1] = Segment(piece.kind, out[-1].typed + piece.typed, out[-1].meant + piece.meant)
        else:
            out.append(piece)
    return tuple(out)


def slip(kind: str, typed: str, meant: str) -> Slip:
    """A slip as the report shows it: names in Unicode form where that is what a person typed."""
    return Slip(kind=kind, typed=typed, meant=meant, segments=segments(domains.u_label(typed), domains.u_label(meant)))


def in_suffix(mark: Slip) -> bool:
    """Whether everything that differs lies behind the registered name, in the public suffix.

    Such a slip (`.mil` → `.ml`) is a fact about suffixes and names nobody.
    """
    if mark.segments and mark.segments[0].typed == HIDDEN:
        return True
    a, b = domains.split(mark.typed), domains.split(mark.meant)
    typed = mark.typed.removesuffix("." + a.suffix) if a.suffix else mark.typed.rpartition(".")[0]
    meant = mark.meant.removesuffix("." + b.suffix) if b.suffix else mark.meant.rpartition(".")[0]
    return typed == meant and typed != ""
