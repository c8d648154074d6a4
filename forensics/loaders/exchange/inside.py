"""Whose servers the other ends of hand-overs are, as far as addresses tell it.

Names do not: in a hand-off the other side names itself, in an acceptance whoever connects does. Addresses that the
world cannot reach are the organisation's, and so are those of its own servers, which their own rows show: where the
connector between transport services led, and from where a mailbox server submitted.

`rows` is a `rows.Rows`, which asks here whose the other ends are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.columns import reaches
from forensics.loaders.exchange import spans
from forensics.native.codes import PUBLIC
from forensics.native.exchange import codes

Array = spans.Array


def strangers(rows: Any) -> Array:
    """Rows that show an address of the world at their other end (the server that a hand-off went to, the client of an
    acceptance) that none of the organisation's own servers is seen to have."""
    handed = np.flatnonzero(np.isin(rows.effect, (codes.SEND, codes.SEND_OUT)))
    taken = np.flatnonzero(np.isin(rows.effect, (codes.ENTER, codes.REPORT)))
    at = np.concatenate([handed, taken])
    flags = rows.plain["flags"][at]
    addresses = pa.concat_arrays(
        [
            spans.text(rows.data, spans.unscoped(rows.data, rows.span(name, some)))
            for name, some in (("peer_address", handed), ("client_ip", taken))
        ]
    )
    own = np.r_[flags[: len(handed)] & codes.INTRA != 0, flags[len(handed) :] & codes.STORE != 0]
    known = pc.is_in(addresses, value_set=addresses.filter(pa.array(own)).drop_null())
    far = reaches(addresses)[0] == PUBLIC
    far &= addresses.is_valid().to_numpy(zero_copy_only=False) & ~known.to_numpy(zero_copy_only=False)
    out = np.zeros(len(rows), np.bool_)
    out[at[far]] = True
    return out


def apart(rows: Any, host: Array, peer: Array) -> Array:
    """`peer` (codes, as `host`), another for each hand-off to a server that only has the first label of its name in
    common with the one that logs it (`mail.contoso.example` to `mail.fabrikam.example`): where both names are whole,
    and where its address is a stranger's. A server hands a message to itself in nobody else's network."""
    old = rows.plain["flags"] & codes.OLD != 0  # the word of others tells whether a message left
    alike = np.flatnonzero(old & (rows.effect == codes.SEND) & (host >= 0) & (peer == host))
    if not len(alike):
        return peer
    own, other = (_name(rows.take(name, alike)) for name in ("host", "peer"))
    whole = pc.and_(pc.match_substring(own, "."), pc.match_substring(other, "."))
    differ = pc.not_equal(own, other).to_numpy(zero_copy_only=False)
    differ &= whole.to_numpy(zero_copy_only=False) | strangers(rows)[alike]
    out = peer.copy()
    out[alike[differ]] = max(host.max(initial=-1), peer.max(initial=-1)) + 1
    return out


def _name(column: pa.Array) -> pa.Array:
    """Servers' names as they are compared in whole."""
    return pc.utf8_rtrim(pc.utf8_trim_whitespace(pc.utf8_lower(column)), ".")
