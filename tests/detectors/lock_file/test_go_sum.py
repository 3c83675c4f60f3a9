"""go.mod in its forms."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.lock_file.go_sum import lacking


def test_single_lines_and_blocks_are_read():
    mod = "require a.io/x v1.0.0\nrequire (\n b.io/y v2.0.0+incompatible\n c.io/z v1.0.0 // indirect\n)\n"
    assert [one.name for one in lacking(mod, "")] == ["a.io/x", "b.io/y"]
    assert list(lacking(mod, "a.io/x v1.0.0/go.mod h1:\nb.io/y v2.0.0+incompatible h1:\n")) == []
    assert list(lacking("require a.io/x v1.0.0\nreplace (\n a.io/x v1.0.0 => ./x\n)\n", "")) == []
    assert list(lacking("exclude a.io/x v1.0.0\nretract v1.0.0\n", "")) == []


@given(st.text(max_size=100), st.text(max_size=100))
def test_anything_is_read_without_failing(mod, sums):
    list(lacking(mod, sums))
