"""Where addresses lie: the fast reading of them against the standard library's, over addresses of every kind."""

from __future__ import annotations

import ipaddress

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forensics import addresses, columns
from forensics.native.codes import OWN, PRIVATE, PUBLIC

DOCUMENTATION = [ipaddress.ip_network(one) for one in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
LOOP = ipaddress.ip_network("127.0.0.0/8")
EDGES = [
    int(ipaddress.ip_network(network)[end]) + by
    for network in (*addresses._INSIDE, "127.0.0.0/8", "127.0.0.1/32", *map(str, DOCUMENTATION))
    for end in (0, -1)
    for by in (-1, 0, 1)
]


@given(
    st.one_of(
        st.ip_addresses(v=4), st.sampled_from([one for one in EDGES if 0 <= one < 2**32]).map(ipaddress.IPv4Address)
    )
)
def test_an_ipv4_address_lies_where_the_standard_library_has_it(ip: ipaddress.IPv4Address) -> None:
    if ip in ipaddress.ip_network("192.0.0.0/24"):  # versions of the library differ on parts of it
        expected = PRIVATE
    elif ip in LOOP:
        expected = OWN if str(ip) == "127.0.0.1" else PUBLIC
    else:
        expected = PRIVATE if ip.is_private and not any(ip in one for one in DOCUMENTATION) else PUBLIC
    for written in (str(ip), f"::ffff:{ip}", f"{ip}%eth0"):
        assert addresses.reach(written) == expected
        assert addresses.loops(written) == (ip in LOOP)


@given(st.one_of(st.text(), st.from_regex(r"[0-9a-f.:%/]{0,20}", fullmatch=True)))
@example("010.0.0.1")
@example("10.1")
@example("0x7f.1")
@example("127.0.0.1\x00")
@example("10.0.0.1 ")
def test_what_the_standard_library_takes_for_no_address_is_none(text: str) -> None:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        assert addresses.reach(text) == (OWN if "/" in text else PUBLIC)
        assert not addresses.loops(text)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("::1", OWN), ("::", PRIVATE), ("fd12::1", PRIVATE), ("fe80::1%eth0", PRIVATE), ("2001:db8::1", PUBLIC),
        ("2a00:1450::1", PUBLIC), ("2001:0:53aa::1", PUBLIC), ("::ffff:10.0.0.7", PRIVATE), ("::ffff:127.0.0.1", OWN),
    ],
)  # fmt: skip
def test_an_ipv6_address_lies_where_its_network_is(address: str, expected: int) -> None:
    assert addresses.reach(address) == expected


some = st.one_of(
    st.none(), st.ip_addresses().map(str), st.from_regex(r"[0-9a-f.:%/]{0,20}", fullmatch=True),
    st.sampled_from(["010.0.0.1", "10.1", "0.0.0.0", "00.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3.4.5", "1.2.3.",
                     "127.0.0.1", "127.9.9.9", "::ffff:10.0.0.7", "10.0.0.7%eth0", "private/lmtp", "mx1", "", "\u00e9"]),
)  # fmt: skip


@given(st.lists(some, max_size=12))
def test_a_column_of_addresses_lies_where_each_of_them_does(written: list[str | None]) -> None:
    reach, loops = columns.reaches(pa.array(written, pa.string()))
    assert reach.tolist() == [PUBLIC if one is None else addresses.reach(one) for one in written]
    assert loops.tolist() == [one is not None and addresses.loops(one) for one in written]
