"""A selection is judged as it would have been then."""

from __future__ import annotations

from kairos.domain.checks.simulating import kind_of, simulate


def test_kinds() -> None:
    assert [kind_of(p) for p in ("a/b.py", "Makefile", ".gitignore", "x.tar.gz")] == [
        ".py", "Makefile", ".gitignore", ".gz",
    ]  # fmt: skip


def test_a_kind_that_never_broke_anything_is_skipped_after_a_while() -> None:
    found = simulate([(2.0, ["a.md"], False)] * 8 + [(2.0, ["a.py", "a.md"], True), (2.0, ["a.md"], False)])
    assert (found.runs, found.skipped, found.saved) == (10, 3, 6.0)
    assert (found.red, found.missed) == (1, 0)
    assert found.kinds == []  # the markdown came with what broke


def test_what_it_would_have_missed_is_counted() -> None:
    found = simulate([(1.0, ["a.md"], False)] * 6 + [(1.0, ["a.md"], True)])
    assert (found.red, found.missed) == (1, 1)
