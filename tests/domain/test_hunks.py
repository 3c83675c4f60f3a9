"""Picking hunks of a patch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import PatchAction, apply_edit, edit
from kairos.domain.hunks import group_text, groups, picked, split
from kairos.domain.patch_text import applied

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n"]), min_size=1, max_size=40).map(
    lambda x: "".join(x).encode()
)


@given(LINES, LINES, st.sets(st.integers(0, 40)))
def test_what_is_picked_and_what_is_left_make_the_whole(old: bytes, new: bytes, wanted: set[int]) -> None:
    action = PatchAction(repo="r", edits=[edit("f", (old, 0o644), (new, 0o644))] if old != new else [])
    parts = [part for group in groups(action) for part in split(group)]
    some = [part for n, part in enumerate(parts) if n in wanted]
    chosen = picked(action, some, {"f": old})
    for change in chosen.edits:
        content = apply_edit(change, old)
        assert content is not None
        assert sum(len(h.new) for h in change.hunks) <= sum(len(h.new) for p in some for h in p.hunks)
    assert picked(action, parts, {"f": old}) == action
    assert picked(action, [], {"f": old}).edits == []


@given(LINES, LINES)
def test_a_group_as_text_is_read_as_that_group_alone(old: bytes, new: bytes) -> None:
    if old == new:
        return
    action = PatchAction(repo="r", edits=[edit("f", (old, 0o644), (new, 0o644))])
    for group in groups(action):
        text = group_text(group, {"f": old})
        assert applied(text, {"f": (old, 0o644)}.get, "r") == picked(action, [group], {"f": old})


def test_hunks_near_each_other_are_one_group_that_can_be_split() -> None:
    lines = [f"{n}\n" for n in range(40)]
    after = list(lines)
    for at in (2, 5, 30):
        after[at] = "new\n"
    before, now = "".join(lines).encode(), "".join(after).encode()
    found = groups(PatchAction(repo="r", edits=[edit("f", (before, 0o644), (now, 0o644))]))
    assert [len(group.hunks) for group in found] == [2, 1]
    assert [len(part.hunks) for group in found for part in split(group)] == [1, 1, 1]


def test_a_created_or_deleted_file_is_picked_as_a_whole_and_a_mode_goes_with_any_hunk() -> None:
    created, deleted = edit("new", None, (b"a\nb\n", 0o755)), edit("old", (b"a\n", 0o644), None)
    both = edit("x", (b"a\n" * 20, 0o644), (b"b\n" + b"a\n" * 19 + b"c\n", 0o755))
    action = PatchAction(repo="r", edits=[created, deleted, both])
    found = groups(action)
    assert [(g.edit.fs, g.whole) for g in found] == [("new", True), ("old", True), ("x", False), ("x", False)]
    assert split(found[0]) == [found[0]]
    chosen = picked(action, [found[0], found[3]], {"old": b"a\n", "x": b"a\n" * 20})
    assert [e.fs for e in chosen.edits] == ["new", "x"]
    assert chosen.edits[1].after is not None and chosen.edits[1].after.mode == 0o755


def test_hunks_that_overlap_are_refused() -> None:
    action = PatchAction(repo="r", edits=[edit("f", (b"a\n", 0o644), (b"b\n", 0o644))])
    (group,) = groups(action)
    with pytest.raises(ValueError, match="overlap"):
        picked(action, [group, group], {"f": b"a\n"})
