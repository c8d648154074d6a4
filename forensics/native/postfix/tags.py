"""The tag of a record: `NAME[/INSTANCE…]/PROGRAM[PID]:`, and the programs of Postfix."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.text import SEED, at, between, find_byte, hashed, is_digit

PROGRAM_NAMES, PROGRAM_ENDS, SLOTS = w.PROGRAM_NAMES, w.PROGRAM_ENDS, w.SLOTS
L_POSTFIX, BARE = w.L_POSTFIX, w.BARE


@kernel
def fill_programs(programs):
    """Make `programs` (zeros) the table in which `program_number` looks: numbers, by the hash of the name."""
    for number in range(1, PROGRAM_ENDS.size):
        slot = hashed(PROGRAM_NAMES, PROGRAM_ENDS[number - 1], PROGRAM_ENDS[number], SEED) % np.uint64(SLOTS)
        while programs[slot] != 0:
            slot = (slot + np.uint64(1)) % np.uint64(SLOTS)
        programs[slot] = number


@kernel
def program_number(buf, i, end, programs):
    """Number of the Postfix program named in [i, end), 0 when it is none."""
    slot = hashed(buf, i, end, SEED) % np.uint64(SLOTS)
    while programs[slot] != 0:
        number = programs[slot]
        start = PROGRAM_ENDS[number - 1]
        size = PROGRAM_ENDS[number] - start
        if size == end - i:
            same = True
            for k in range(size):
                if buf[i + k] != PROGRAM_NAMES[start + k]:
                    same = False
                    break
            if same:
                return np.int64(number)
        slot = (slot + np.uint64(1)) % np.uint64(SLOTS)
    return np.int64(0)


@kernel
def blanks(buf, i, end):
    """Where the blanks at i end."""
    while i < end and (buf[i] == 32 or buf[i] == 9):
        i += 1
    return i


@kernel
def word_end(buf, i, end):
    """Where the word at i ends."""
    return find_byte(buf, i, end, 32)


@kernel
def level_end(buf, i, end):
    """End of ` <Info>` (macOS, behind the process id) at i, or i."""
    if buf[i] != 32 or buf[i + 1] != 60:
        return i
    k = i + 2
    while k < end and between(buf[k] | 32, 97, 122):
        k += 1
    return k + 1 if k < end and buf[k] == 62 else i


@kernel
def untagged_process(buf, i, end):
    """Behind ` PROCID MSGID DATA ` (RFC 5424's fields without its version in front) at i, or i."""
    k = i + 1
    if buf[k] == 45:
        k += 1
    else:
        while k < end and is_digit(buf[k]):
            k += 1
    if k == i + 1 or k >= end or buf[k] != 32:
        return i
    k = word_end(buf, k + 1, end) + 1
    if k >= end or (buf[k] != 45 and buf[k] != 91):
        return i
    return data_end(buf, k, end)


@kernel
def data_end(buf, k, end):
    """Behind RFC 5424's structured data at k."""
    if buf[k] == 45:
        return k + 1
    while k < end and buf[k] == 91:
        quoted = False
        while k < end:
            c = buf[k]
            if c == 92:
                k += 1
            elif c == 34:
                quoted = not quoted
            elif c == 93 and not quoted:
                break
            k += 1
        k += 1
    return k


@kernel
def tag_at(buf, i, end, programs):
    """(start of the program's name, its end, start of the text, number) of the tag at i; start -1 when it is none.

    Without a `/` the name is the whole tag, and the number 0, but BARE for `postfix` alone. A colon in an address, or
    in front of a port, ends no tag: a blank follows the colon of one, unless a process id or a Postfix program is in
    front of it.
    """
    k = i
    start = i
    while k < end:
        c = buf[k]
        if c == 47:
            start = k + 1
        elif c == 91 or c == 58 or c == 32:
            break
        k += 1
    if k == i:
        return -1, i, i, np.int64(0)
    stop = k
    process = False
    if k < end and buf[k] == 91:
        while k < end and buf[k] != 93 and buf[k] != 32:
            k += 1
        if k >= end or buf[k] != 93:
            return -1, i, i, np.int64(0)
        k = level_end(buf, k + 1, end)
        process = True
    number = np.int64(0)
    if start > i:
        number = program_number(buf, start, stop, programs)
    elif stop - i == 7 and at(buf, i, L_POSTFIX):
        number = np.int64(BARE)
    if k < end and buf[k] == 58:
        k += 1
        if k < end and buf[k] > 32 and not process and number == 0:
            return -1, i, i, np.int64(0)
    elif number == 0 or (k < end and buf[k] != 32):
        return -1, i, i, np.int64(0)
    else:
        k = untagged_process(buf, k, end)
    return start, stop, blanks(buf, k, end), number


@kernel
def named(c):
    """Whether a byte may stand in a syslog_name, or between the names in one."""
    return between(c | 32, 97, 122) or is_digit(c) or between(c, 45, 47) or c == 95


@kernel
def names_daemon(buf, i, end, programs):
    """True when [i, end) holds the tag of a Postfix program with its process id (`NAME/smtpd[101]: `, in RFC 5424
    `NAME/smtpd 101 - `)."""
    k = find_byte(buf, i, end, 47)
    while k < end:
        e = k + 1
        while e < end and e - k < 24 and (between(buf[e], 97, 122) or buf[e] == 45):
            e += 1
        d = e + 1
        while d < end and is_digit(buf[d]):
            d += 1
        numbered = d > e + 1 and d + 2 < end
        if numbered and buf[e] == 91:
            numbered = buf[d] == 93 and buf[d + 1] == 58
        elif numbered:
            numbered = buf[e] == 32 and buf[d] == 32 and buf[d + 1] == 45 and buf[d + 2] == 32
        if numbered:
            b = k
            while b > i and named(buf[b - 1]):
                b -= 1
            if b < k and buf[b] != 47 and buf[b] != 46 and program_number(buf, k + 1, e, programs) > 0:
                return True
        k = find_byte(buf, k + 1, end, 47)
    return False
