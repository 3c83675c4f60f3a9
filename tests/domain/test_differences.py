"""Differences of two texts: exact, few, and found with work that grows with the length of the texts."""

from __future__ import annotations

import difflib
import json
import random
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import apply_edit, edit, unified
from kairos.domain.differences import ChangedLines, diff_lines, differences

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=14)
HEADERS = ("old", "new")


def applied(old: Sequence[str], new: Sequence[str], found: Sequence[ChangedLines]) -> list[str]:
    """The old lines with the differences made; asserts that they are in order and apart."""
    out: list[str] = []
    at = new_at = 0
    for number, d in enumerate(found):
        assert d.start > at or number == 0
        assert d.end - d.start + d.new_end - d.new_start > 0
        assert list(old[at : d.start]) == list(new[new_at : d.new_start])
        out += [*old[at : d.start], *new[d.new_start : d.new_end]]
        at, new_at = d.end, d.new_end
    return [*out, *old[at:]]


def changed(found: Sequence[ChangedLines]) -> int:
    return sum(d.end - d.start + d.new_end - d.new_start for d in found)


def common(old: Sequence[str], new: Sequence[str]) -> int:
    """The length of the longest common subsequence, by the book."""
    row = [0] * (len(new) + 1)
    for one in old:
        before = 0
        for i, other in enumerate(new, 1):
            before, row[i] = row[i], before + 1 if one == other else max(row[i], row[i - 1])
    return row[-1]


@given(LINES, LINES)
def test_differences_are_exact_and_the_fewest(old: list[str], new: list[str]) -> None:
    found = differences(old, new)
    assert applied(old, new, found) == new
    assert changed(found) == len(old) + len(new) - 2 * common(old, new)


def shuffled(lines: list[str]) -> list[str]:
    out = list(lines)
    random.Random(1).shuffle(out)
    return out


MANY = [f"{n}\n" for n in range(3_000)]
FEW = [random.Random(n).choice("ab") + "\n" for n in range(3_000)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (MANY, shuffled(MANY)),
        (MANY, MANY[::-1]),
        (MANY, [line for n in MANY for line in (n, "{\n")]),
        (FEW, shuffled(FEW)),
        (["{\n"] * 3_000, ["{\n", "}\n"] * 3_000),
        (MANY + FEW, FEW + MANY),
    ],
)
def test_texts_that_differ_almost_everywhere_are_still_told_exactly(old: list[str], new: list[str]) -> None:
    assert applied(old, new, differences(old, new)) == new


def steps_of(work: Callable[[], object]) -> int:
    """How many lines of Python a piece of work executes: the same on every machine."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def one_number(text: str) -> str:
    middle = text.count('"on"') // 2
    return text.replace(f'"id": {middle},', '"id": -1,')


def both_ends(text: str) -> str:
    return f"[ \n{text[2:-2]}] \n"


def every_other(text: str) -> str:
    parts = text.split('"on": true')
    return "".join(part + f'"on": {"true" if n % 2 else "false"}' for n, part in enumerate(parts[:-1])) + parts[-1]


def all_but_brackets(text: str) -> str:
    return text.replace('"', "'")


@pytest.mark.parametrize("change", [one_number, both_ends, every_other, all_but_brackets])
def test_the_work_of_an_edit_grows_with_the_file_and_not_with_its_square(change: Callable[[str], str]) -> None:
    def edited(records: int) -> int:
        old = json.dumps([{"id": n, "tags": ["a", "b"], "on": True} for n in range(records)], indent=2) + "\n"
        before, after = (old.encode(), 0o644), (change(old).encode(), 0o644)

        def work() -> None:
            made = edit("a.json", before, after)
            assert apply_edit(made, before[0]) == after[0]
            assert unified(made, before[0]).startswith("--- a/a.json")

        return steps_of(work)

    assert edited(1_600) < 2.5 * edited(800)


def test_one_changed_line_among_many_alike_is_one_hunk() -> None:
    lines = ["{\n", '  "on": true\n', "},\n"] * 4_000
    changed_one = [*lines]
    changed_one[6_001] = '  "on": false\n'
    made = edit("a.json", ("".join(lines).encode(), 0o644), ("".join(changed_one).encode(), 0o644))
    assert [(h.start, h.old, h.new) for h in made.hunks] == [(6_001, ['  "on": true\n'], ['  "on": false\n'])]


@given(LINES, LINES, st.integers(0, 4))
def test_a_unified_diff_is_written_as_the_standard_library_writes_it(
    old: list[str], new: list[str], around: int
) -> None:
    found = differences(old, new)

    class Ours(difflib.SequenceMatcher):  # type: ignore[type-arg]
        """Their way of writing, of our differences."""

        def get_opcodes(self) -> Any:
            out: list[tuple[str, int, int, int, int]] = []
            at = new_at = 0
            for d in found:
                if d.start > at:
                    out.append(("equal", at, d.start, new_at, d.new_start))
                kind = "delete" if d.new_start == d.new_end else "insert" if d.start == d.end else "replace"
                out.append((kind, *d))
                at, new_at = d.end, d.new_end
            return [*out, ("equal", at, len(old), new_at, len(new))] if at < len(old) else out

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(difflib, "SequenceMatcher", Ours)
        theirs = list(difflib.unified_diff(old, new, *HEADERS, n=around))
    assert "".join(diff_lines(old, new, found, HEADERS, around)) == "".join(theirs)
