"""Whether records hold what rows say of them: tokens looked for in bytes, each by itself."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import entry, kernel


@kernel
def lower(byte):
    """ASCII letters small, all else as it is."""
    if byte >= 65 and byte <= 90:
        return byte + 32
    return byte


@kernel
def is_alnum(byte):
    """A letter or digit of ASCII."""
    byte = lower(byte)
    return (byte >= 97 and byte <= 122) or (byte >= 48 and byte <= 57)


@kernel
def stands_alone(data, begin, end, at, size, is_address):
    """Whether the token at `at`, of `size` bytes, does not go on to its left or right, in the record from `begin` to
    `end`. Where a neighbour is not ASCII that is not told here: no."""
    if at > begin:
        before = data[at - 1]
        if before >= 128:
            return False
        if is_alnum(data[at]) and (is_alnum(before) or before == 46 or before == 95 or before == 43 or before == 45):
            return False
    after = at + size
    if after >= end:
        return True
    byte = data[after]
    if byte >= 128:
        return False
    if is_alnum(data[after - 1]) and (is_alnum(byte) or byte == 95 or byte == 45):
        return False
    if byte == 46 and is_address and after + 1 < end:
        following = data[after + 1]
        return following < 128 and not is_alnum(following)
    return True


@kernel
def holds(data, begin, end, text, first, size, is_address):
    """Whether the record holds the token in any case of its letters, by itself."""
    head = text[first]
    for at in range(begin, end - size + 1):
        if lower(data[at]) != head:
            continue
        n = 1
        while n < size and lower(data[at + n]) == text[first + n]:
            n += 1
        if n == size and stands_alone(data, begin, end, at, size, is_address):
            return True
    return False


@entry(
    "const uint8[:], const int64[:], const int64[:], const int32[:], const uint8[:], const int64[:], uint8, uint8, "
    "uint8[:]"
)
def look(data, begins, ends, codes, text, bounds, without, mark, flags, result):
    """Of each record, `begins` to `ends` of `data`, whether it holds the token that `codes` names (-1: none), which is
    `text` between two of `bounds`, in small letters and ASCII: then `mark` is set in its `flags`.

    Records with all of `without` in their flags are passed over. The result is how many got the mark.
    """
    made = 0
    for n in range(begins.size):
        code = codes[n]
        if code < 0 or flags[n] & without == without:
            continue
        first = bounds[code]
        size = bounds[code + 1] - first
        if size == 0:
            continue
        is_address = False
        for at in range(first, first + size):
            if text[at] == 64:
                is_address = True
        if holds(data, begins[n], ends[n], text, first, size, is_address):
            flags[n] |= mark
            made += 1
    result[0] = made
