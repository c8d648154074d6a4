"""Where an IP address or a socket lies, as the host sees it that logs it."""

from __future__ import annotations

import functools
import ipaddress

from forensics.native.codes import OWN, PRIVATE, PUBLIC

_DOCUMENTATION = [
    ipaddress.ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
"""RFC 5737 and RFC 3849: they stand for addresses of the world."""
_SELF = frozenset({"127.0.0.1", "::1"})
_LOOP = ipaddress.ip_network("127.0.0.0/8")


@functools.lru_cache(maxsize=65_536)
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
    if ip is None or ip in _LOOP or any(ip in one for one in _DOCUMENTATION):
        return OWN if str(ip) in _SELF else PUBLIC
    return OWN if str(ip) in _SELF else PRIVATE if ip.is_private else PUBLIC


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
    return ip is not None and ip in _LOOP


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip
