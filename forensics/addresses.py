"""Where an IP address or a socket lies, as the host sees it that logs it."""

from __future__ import annotations

import ipaddress
import socket
from bisect import bisect_right

from forensics.native.codes import OWN, PRIVATE, PUBLIC

_INSIDE = (
    "0.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "240.0.0.0/4",
)  # fmt: skip
"""What the world cannot reach of IPv4, but addresses for documentation (RFC 5737), which stand for those of the world
(IANA IPv4 Special-Purpose Address Registry, RFC 6890)."""
_INSIDE_6 = [
    ipaddress.IPv6Network(one)
    for one in ("::/128", "64:ff9b:1::/48", "100::/64", "2001:2::/48", "fc00::/7", "fe80::/10", "fec0::/10")
]
"""The same of IPv6; for documentation: 2001:db8::/32 (RFC 3849)."""
_HERE, _HERE_6 = ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1")


def _stretches() -> tuple[list[int], list[int]]:
    """(where stretches of IPv4 begin, in order; the reach of each)."""
    found = [(0, PUBLIC), (int(_HERE), OWN), (int(_HERE) + 1, PUBLIC)]
    for network in map(ipaddress.IPv4Network, _INSIDE):
        first, last = int(network.network_address), int(network.broadcast_address)
        found += [(first, PRIVATE), (last + 1, PUBLIC)]
    ordered = sorted(found, key=lambda one: one[0])  # of two that begin at once the network stands behind the end
    return [start for start, _ in ordered], [reach for _, reach in ordered]


STARTS, REACH = _stretches()
"""Where stretches of IPv4 begin whose addresses have one reach, in order, and that reach."""
LOOP = 127
"""The first number of 127.0.0.0/8."""


def reach(address: str) -> int:
    """`codes.OWN` for this host's own listener (127.0.0.1, ::1, a UNIX-domain socket), `PRIVATE` for networks that the
    world cannot reach (RFC 1918, RFC 4193, link-local), else `PUBLIC`.

    Other addresses in 127.0.0.0/8 are `PUBLIC`: they may be other hosts of a test bed, and what listens there for this
    host its log must show.

    >>> [reach(one) for one in ("127.0.0.1", "private/lmtp", "10.0.0.7", "127.0.0.2", "192.0.2.1", "mx.example")]
    [2, 2, 1, 0, 0, 0]
    """
    if "/" in address:
        return OWN
    ip = _parsed(address)
    if isinstance(ip, int):
        return REACH[bisect_right(STARTS, ip) - 1]
    if ip is None:
        return PUBLIC
    return OWN if ip == _HERE_6 else PRIVATE if any(ip in one for one in _INSIDE_6) else PUBLIC


def is_address(text: str) -> bool:
    """Whether a text is an IP address.

    >>> is_address("192.0.2.1"), is_address("fe80::1%3"), is_address("")
    (True, True, False)
    """
    return _parsed(text) is not None


def outside(address: str) -> bool:
    """Whether an address may be anybody's in the world (`reach`).

    >>> outside("192.0.2.1"), outside("10.0.0.1")
    (True, False)
    """
    return reach(address) == PUBLIC


def submission(user: bool, address: str | None, *, local: bool = False) -> str:
    """How a message came in (`schema.SUBMISSIONS`): whether somebody logged in, from where, or by a local program.

    >>> submission(True, "192.0.2.1"), submission(False, "192.0.2.1"), submission(False, "10.0.0.1")
    ('authenticated', 'outside', 'internal')
    >>> submission(False, None, local=True), submission(False, None)
    ('local', 'not-seen')
    """
    if user:
        return "authenticated"
    if local:
        return "local"
    return "not-seen" if address is None else "outside" if outside(address) else "internal"


def loops(address: str) -> bool:
    """Whether an address lies in 127.0.0.0/8: no packet with it comes from another host (RFC 1122, 3.2.1.3).

    >>> loops("127.0.1.1"), loops("192.0.2.1")
    (True, False)
    """
    ip = _parsed(address)
    return isinstance(ip, int) and ip >> 24 == LOOP


def _parsed(address: str) -> int | ipaddress.IPv6Address | None:
    """An IPv4 address, or one in IPv6 (RFC 4291, 2.5.5.2), as a number; None for what is no address. The system's
    parser takes a fraction of the time of `ipaddress`, and millions of addresses are asked for."""
    bare = address.partition("%")[0]
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, bare), "big")
    except (OSError, ValueError):
        if ":" not in bare:
            return None
    try:
        ip = ipaddress.IPv6Address(bare)
    except ValueError:
        return None
    return ip if ip.ipv4_mapped is None else int(ip.ipv4_mapped)
