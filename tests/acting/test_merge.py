"""A step from one state of a file to another, taken on top of what the file has become."""

from __future__ import annotations

import pytest

from kairos.acting.merge import Merged, merge
from kairos.acting.worktree import Blob
from kairos.home import Home

LINES = "".join(f"{n}\n" for n in range(12))


def blob(text: str | bytes, mode: int = 0o644) -> Blob:
    return Blob(text.encode() if isinstance(text, str) else text, mode)


def merged(home: Home, base: Blob | None, ours: Blob | None, theirs: Blob | None) -> Merged:
    return merge(home, "a.txt", base=base, ours=ours, theirs=theirs)


A, B, C = blob("a\n"), blob("b\n"), blob("c\n")


@pytest.mark.parametrize(("base", "theirs"), [(A, B), (A, None), (None, B), (A, blob("a\n", 0o755))])
def test_where_nothing_changed_since_the_step_is_taken(home: Home, base: Blob | None, theirs: Blob | None) -> None:
    assert merged(home, base, base, theirs) == Merged(theirs, kept=False)


@pytest.mark.parametrize(("base", "theirs"), [(A, B), (A, None), (None, B)])
def test_a_step_that_is_there_already_is_no_conflict(home: Home, base: Blob | None, theirs: Blob | None) -> None:
    assert merged(home, base, theirs, theirs) == Merged(theirs, kept=False)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "why"),
    [
        (A, None, B, "deleted since"), (None, C, B, "exists now"), (A, C, None, "edited since"), (A, C, B, "<<<<<<<"),
        (blob(b"a\0\n"), blob(b"c\0\n"), blob(b"b\0\n"), "not text"),
    ],
)  # fmt: skip
def test_what_cannot_be_both_is_a_conflict_that_says_why(
    home: Home, base: Blob | None, ours: Blob | None, theirs: Blob | None, why: str
) -> None:
    found = merged(home, base, ours, theirs)
    assert found.blob is None and found.kept
    assert found.conflict.startswith("a.txt") and why in found.conflict


def test_a_later_edit_elsewhere_is_kept(home: Home) -> None:
    found = merged(home, blob(LINES), blob(LINES + "later\n"), blob("first\n" + LINES))
    assert found == Merged(blob("first\n" + LINES + "later\n"), kept=True)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "mode"),
    [
        (0o644, 0o644, 0o755, 0o755), (0o644, 0o600, 0o644, 0o600), (0o644, 0o600, 0o755, 0o700),
        (0o755, 0o750, 0o644, 0o640), (0o644, 0o755, 0o644, 0o755), (0o644, 0o755, 0o755, 0o755),
        (0o755, 0o644, 0o644, 0o644),
    ],
)  # fmt: skip
def test_modes_are_merged_apart_from_content(home: Home, base: int, ours: int, theirs: int, mode: int) -> None:
    found = merged(home, blob(LINES, base), blob(LINES + "later\n", ours), blob("first\n" + LINES, theirs))
    assert found.blob is not None and found.blob.mode == mode


def test_nothing_is_left_in_the_scratch_directory(home: Home) -> None:
    merged(home, A, C, B)
    assert list(home.scratch.iterdir()) == []
