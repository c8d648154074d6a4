"""Which Postfix of its host a record is of: several may run there, each with a queue and a name of its own
(syslog_name, multi_instance_name in postconf(5)).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.hosts import host_hash
from forensics.native.text import SEED, between, find_first, hashed, mix

HOST, NAME = range(2)
"""Columns of `seen`: hashes of a host, and of a name of its."""


@kernel
def name_hash(buf, ints, r):
    """A hash of what stands before the program in the tag of event r: `postfix-out` of `postfix-out/smtp[3]: `; 0 where
    nothing does. The tag is the first word behind the host that holds a slash."""
    i, first = ints[r, w.HOST + 1], ints[r, w.OFFSET]
    end = first + ints[r, w.LENGTH]
    if i < first or i > end:  # the host was given another name
        i = first
    if between(ints[r, w.QID], first, end):
        end = ints[r, w.QID]
    while i < end:
        stop = find_first(buf, i, end, 32, 91, 58)
        slash = stop
        while slash > i and buf[slash - 1] != 47:
            slash -= 1
        if slash > i:
            return mix(hashed(buf, i, slash - 1, SEED))
        i = stop + 1
    return np.uint64(0)


@entry("const uint8[:], const int32[:,:], const int64[:], uint64[:,:]")
def several(buf, ints, rows, seen, result):
    """1 when events `rows` of one host have more than one name, or there are more hosts than `seen` (zeros) has room
    for; else 0."""
    hosts = 0
    for n in range(rows.size):
        host, name = host_hash(buf, ints, rows[n]), name_hash(buf, ints, rows[n])
        k = 0
        while k < hosts and seen[k, HOST] != host:
            k += 1
        if k == hosts:
            if hosts == seen.shape[0]:
                result[0] = 1
                return
            seen[k, HOST], seen[k, NAME] = host, name
            hosts += 1
        elif seen[k, NAME] != name:
            result[0] = 1
            return
    result[0] = 0


@entry("const uint8[:], const int32[:,:], const int64[:], uint64[:], boolean[:]")
def names(buf, ints, rows, out, told, result):
    """For each of the events `rows` a hash of its host and name, and whether there is a name."""
    for n in range(rows.size):
        name = name_hash(buf, ints, rows[n])
        told[n] = name != np.uint64(0)
        out[n] = mix(host_hash(buf, ints, rows[n]) ^ name)
