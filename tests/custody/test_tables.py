"""A table's content digest follows its content, not the layout of its file."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import schema
from forensics.case import Case
from forensics.custody import tables
from forensics.custody.tables import Leaves
from forensics.errors import VerificationFailed

KIND = pa.schema(
    [
        ("text", pa.string()),
        ("code", schema.CODE),
        ("count", pa.int32()),
        ("ratio", pa.float64()),
        ("flag", pa.bool_()),
        ("at", schema.TIME),
        ("raw", pa.binary()),
        ("many", pa.list_(pa.struct([("evidence", schema.CODE), ("n", pa.int64())]))),
    ]
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=4),
            "code": st.none() | st.sampled_from(["a", "b", ""]),
            "count": st.none() | st.integers(-5, 5),
            "ratio": st.none() | st.sampled_from([0.0, 0.5, -1.0]),
            "flag": st.none() | st.booleans(),
            "at": st.none() | st.datetimes(timezones=st.just(UTC)),
            "raw": st.none() | st.binary(max_size=3),
            "many": st.none()
            | st.lists(
                st.none() | st.fixed_dictionaries({"evidence": st.sampled_from("xy"), "n": st.integers(0, 3)}),
                max_size=3,
            ),
        }
    ),
    max_size=12,
)


def digest(table: pa.Table, size: int) -> str:
    leaves = Leaves()
    for batch in table.to_batches(max_chunksize=size):
        leaves.update(batch)
    return leaves.digest()


@settings(deadline=None)
@given(one=rows, two=rows, size=st.integers(1, 5), start=st.integers(0, 3))
def test_digest_is_of_content(one, two, size, start):
    table = pa.Table.from_pylist(one, KIND)
    other = pa.Table.from_pylist(two, KIND)
    assert (digest(table, size) == digest(other, 1000)) == (one == two)
    plain = KIND.set(1, pa.field("code", pa.string()))
    assert digest(table.cast(plain), size) == digest(table, 1000)
    rebuilt = pa.Table.from_pylist(one[start:], KIND)
    assert digest(table.slice(start), size) == digest(rebuilt, 1000)


def test_layout_does_not_matter(tmp_path):
    table = pa.Table.from_pylist(
        [
            {"text": f"t{i}", "code": "ab"[i % 2], "count": i, "many": [{"evidence": "x", "n": i}] * (i % 3)}
            for i in range(5000)
        ],
        KIND,
    )
    seen = set()
    for index, options in enumerate(
        ({"row_group_size": 100}, {"use_dictionary": False, "compression": "none"}, {"compression": "zstd"})
    ):
        case = Case(tmp_path / str(index))
        case.deliveries.mkdir(parents=True)
        pq.write_table(table, case.deliveries / "part.parquet", **options)
        seen.add(tables.content_digest(case, "deliveries"))
    assert len(seen) == 1


def test_files_and_rows(tmp_path):
    case = Case(tmp_path)
    assert tables.existing(case) == ()
    case.deliveries.mkdir()
    assert [(one.name, one.rows, one.files) for one in tables.existing(case)] == [("deliveries", 0, ())]
    for month in ("2023-02", "2023-01"):
        place = case.deliveries / f"month={month}"
        place.mkdir()
        pq.write_table(pa.table({"a": [1, 2]}), place / "p.parquet")
    (found,) = tables.existing(case)
    assert found.rows == 4
    assert [one.path for one in found.files] == [
        "deliveries/month=2023-01/p.parquet",
        "deliveries/month=2023-02/p.parquet",
    ]


def test_broken_file(tmp_path):
    Path(tmp_path / "findings.parquet").write_bytes(b"no table")
    with pytest.raises(VerificationFailed, match="not a readable table"):
        tables.existing(Case(tmp_path))
