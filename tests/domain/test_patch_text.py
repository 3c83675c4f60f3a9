"""Patches as text, edited and read again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import PatchAction, apply_edit, edit
from kairos.domain.patch_text import MOST_BYTES, PatchError, applied, parsed, printed

LINES = st.lists(
    st.sampled_from(["a\n", "b\n", "\n", "-- a/x\n", "+++ b\n", "@@ -1 +1 @@\n", "# no comment\n", "\\ x\r\n", "é\n"])
)
CONTENT = st.tuples(LINES, st.sampled_from(["", "end"])).map(lambda t: ("".join(t[0]) + t[1]).encode())
NAMES = st.sampled_from(["a.md", "dir/b c.txt", "ü.md", 'q"uote\\.md', "tab\t.md", "\udcff.bin"])


def reading(files: dict[str, tuple[bytes, int]]) -> Any:
    return files.get


@given(
    st.dictionaries(
        NAMES, st.tuples(st.none() | CONTENT, st.none() | CONTENT, st.sampled_from([0o644, 0o755])), max_size=4
    )
)
def test_a_printed_patch_is_read_as_the_same_action(changes: dict[str, Any]) -> None:
    edits, before = [], {}
    for path, (old, new, mode) in sorted(changes.items()):
        if (old is None and new is None) or (old == new and mode == 0o644):
            continue
        if old is not None:
            before[path] = (old, 0o644)
        change = edit(path, None if old is None else (old, 0o644), None if new is None else (new, mode))
        edits.append(change)
    text = printed(edits, {path: content for path, (content, _) in before.items()})
    assert applied(text, reading(before), "r") == PatchAction(repo="r", edits=edits)


@given(st.text(st.sampled_from('-+ @#\\\nab/123,dif git"')) | st.text(), CONTENT)
def test_any_text_is_a_patch_that_fits_or_is_refused(text: str, content: bytes) -> None:
    try:
        action = applied(text, reading({"a": (content, 0o644)}), "r")
    except PatchError:
        return
    for change in action.edits:
        apply_edit(change, content if change.before else None)


BASE = b"".join(b"line %d\n" % n for n in range(1, 31))


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("--- a/x\n+++ b/x\n@@ -1,2 +1,9 @@\n line 1\n-line 2\n+two\n", BASE.replace(b"line 2\n", b"two\n", 1)),
        ("--- a/x\n+++ b/x\n@@ -9,9 +9,9 @@\n line 1\n+one and a half\n line 2\n",
         BASE.replace(b"line 2\n", b"one and a half\nline 2\n", 1)),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -30 +30 @@\n-line 30\n+last\n\\ No newline at end of file\n",
         BASE.replace(b"line 30\n", b"last")),
        ("# a comment\n--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+zero\n# more\n\n", b"zero\n" + BASE),
    ],
)  # fmt: skip
def test_counts_are_not_trusted_and_a_moved_hunk_is_found(text: str, after: bytes) -> None:
    (change,) = applied(text, reading({"x": (BASE, 0o644)}), "r").edits
    assert apply_edit(change, BASE) == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello\n", "not part of a patch"),
        ("--- a/x\n+++ b/y\n@@ -1 +1 @@\n-line 1\n+x\n", "differ"),
        ("--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-line 1\n+x\n", "inside the repository"),
        ("--- a//etc/passwd\n+++ b//etc/passwd\n@@ -1 +1 @@\n-line 1\n+x\n", "inside the repository"),
        ("--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-line 1\n+x\n", "git's own directory"),
        ("--- a/.GIT/x\n+++ b/.GIT/x\n@@ -1 +1 @@\n-line 1\n+x\n", "git's own directory"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-line 99\n+x\n", "does not fit"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n*line 1\n", "begins with none of"),
        ("--- a/x\n+++ b/x\n@@ nonsense\n+x\n", "not the header of a hunk"),
        ("--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+x\n", "exists already"),
        ("--- a/new\n+++ b/new\n@@ -1 +1 @@\n-x\n+y\n", "is not in the tree"),
        ("--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-line 1\n", "not all of its lines"),
        ("diff --git a/x b/y\nrename from x\nrename to y\n", "not supported"),
        ("diff --git a/x b/x\nnew file mode 120000\n+++ b/x\n@@ -0,0 +1 @@\n+t\n", "not part of a patch"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-line 1\n+x\n--- a/x\n+++ b/x\n@@ -2 +2 @@\n-line 2\n+y\n", "twice"),
        ("diff --git a/x b/x\n", "is not changed"),
        ("--- \"a/x\n+++ b/x\n@@ -1 +1 @@\n-line 1\n+x\n", "not closed"),
        ("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-line 1\n+x\0\n", "NUL"),
    ],
)  # fmt: skip
def test_what_does_not_parse_does_not_fit_or_leaves_the_root_is_refused(text: str, why: str) -> None:
    with pytest.raises(PatchError, match=why):
        applied(text, reading({"x": (BASE, 0o644)}), "r")


def test_the_limit_of_a_patch_counts_bytes() -> None:
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-line 1\n+" + "é" * (MOST_BYTES // 2)
    assert len(text) < MOST_BYTES
    with pytest.raises(PatchError, match="longer than 8 MiB"):
        parsed(text)


def test_a_hunk_that_fits_two_places_is_refused() -> None:
    with pytest.raises(PatchError, match="does not fit"):
        applied("--- a/x\n+++ b/x\n@@ -9 +9 @@\n-a\n+b\n", reading({"x": (b"a\nc\na\n", 0o644)}), "r")


def test_a_removed_line_that_looks_like_a_header_is_a_line() -> None:
    text = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- a/y\n+++ b/y\n"
    (file,) = parsed(text)
    assert (file.hunks[0].old, file.hunks[0].new) == (["-- a/y\n"], ["++ b/y\n"])
