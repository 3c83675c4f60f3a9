"""Actions: a patch gives exactly what it promises, and the digest binds every byte of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import (
    Action,
    Hunk,
    NoteAction,
    PatchAction,
    apply_edit,
    canonical,
    digest,
    edit,
    effects_of,
    unified,
)

TEXT = st.text(alphabet="ab\n\r\u2028é", max_size=30)
FILE = st.one_of(st.none(), st.tuples(TEXT.map(str.encode), st.sampled_from([0o644, 0o755])))


@given(FILE, FILE)
def test_an_edit_turns_before_into_after_and_refuses_anything_else(before: object, after: object) -> None:
    change = edit("a", before, after)  # type: ignore[arg-type]
    old = None if before is None else before[0]  # type: ignore[index]
    new = None if after is None else after[0]  # type: ignore[index]
    assert apply_edit(change, old) == new
    with pytest.raises(ValueError, match="not the one"):
        apply_edit(change, (old or b"") + b"other")


@given(TEXT, TEXT)
def test_actions_survive_their_canonical_bytes(old: str, new: str) -> None:
    action = PatchAction(repo="r", edits=[edit("a", (old.encode(), 0o644), (new.encode(), 0o644))])
    assert msgspec.json.decode(canonical(action), type=Action) == action


def test_a_hunk_that_lies_is_refused() -> None:
    change = edit("a", (b"one\n", 0o644), (b"two\n", 0o644))
    lying = msgspec.structs.replace(change, hunks=[Hunk(start=0, old=["one\n"], new=["evil\n"])])
    with pytest.raises(ValueError, match="promised"):
        apply_edit(lying, b"one\n")
    with pytest.raises(ValueError, match="fit"):
        apply_edit(msgspec.structs.replace(change, hunks=[Hunk(start=5, old=["one\n"], new=["two\n"])]), b"one\n")


def test_the_digest_binds_content_mode_effects_and_policy() -> None:
    base = PatchAction(repo="r", edits=[edit("a", (b"1\n", 0o644), (b"2\n", 0o644))])
    mode = PatchAction(repo="r", edits=[edit("a", (b"1\n", 0o644), (b"2\n", 0o755))])
    other = PatchAction(repo="s", edits=base.edits)
    digests = {digest(a, effects_of(a), v) for a in (base, mode, other) for v in ("v1", "v2")}
    assert len(digests) == 6
    assert digest(base, effects_of(NoteAction(repo="r", text="")), "v1") not in digests


def test_a_diff_shows_missing_line_ends_and_both_names() -> None:
    change = edit("dir/a.txt", (b"one\ntwo", 0o644), (b"one\n2\n", 0o644))
    assert unified(change, b"one\ntwo") == (
        "--- a/dir/a.txt\n+++ b/dir/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+2\n"
    )
    created = edit("new", None, (b"x\n", 0o644))
    assert unified(created, None).startswith("--- /dev/null\n+++ b/new\n")
