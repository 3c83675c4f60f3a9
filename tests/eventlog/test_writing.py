"""The chain as other programs may compute it: a MessagePack array of the header, hashed with the leaf."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos._native import blake3_hash, chain_drafts, link_row

INT = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-300, 300), st.integers(65_000, 66_000))
TEXT = st.one_of(st.text(max_size=40), st.text(min_size=250, max_size=300))
TOPIC = TEXT.filter(bool)
HEADERS = st.tuples(INT, TEXT, INT, TOPIC, INT, INT, st.none() | INT, INT, TEXT)


@given(HEADERS, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_link_is_the_hash_of_the_link_before_the_header_and_the_leaf(
    header: tuple[int, str, int, str, int, int, int | None, int, str], previous: bytes, leaf: bytes
) -> None:
    packed = msgspec.msgpack.encode(header)
    expected = blake3_hash(previous + len(packed).to_bytes(8, "little") + packed + leaf)
    assert link_row(previous, header, leaf) == expected


@given(HEADERS, st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_a_row_that_stands_for_folded_positions_carries_the_link_after_them(
    header: tuple[int, str, int, str, int, int, int | None, int, str], previous: bytes, leaf: bytes
) -> None:
    assert link_row(previous, (*header[:3], "", *header[4:]), leaf) == leaf


def test_drafts_become_rows_whose_versions_causes_and_links_follow() -> None:
    drafts = [("a", "T", 1, b"x", 4, "live"), ("b", "T", 2, b"y", -1, "self"), ("a", "T", 1, b"z", None, "live")]
    rows = chain_drafts(bytes(32), 7, 99, {"a": 3, "b": 0}, {4: 2}, drafts)
    assert [r[:10] for r in rows] == [
        (7, "a", 4, "T", b"x", 1, 99, 4, 2, "live"),
        (8, "b", 1, "T", b"y", 2, 99, 7, 2, "self"),
        (9, "a", 5, "T", b"z", 1, 99, None, 9, "live"),
    ]
    link = bytes(32)
    for row in rows:
        link = link_row(link, (*row[:4], *row[5:10]), blake3_hash(row[4]))
        assert row[10:] == (link,)


def test_a_stream_whose_version_is_not_given_is_refused() -> None:
    with pytest.raises(ValueError, match="version of a is not given"):
        chain_drafts(bytes(32), 1, 0, {}, {}, [("a", "T", 1, b"", None, "live")])
