"""Changing the patch of a proposal: as text, by hunks; comments and deferrals until the evidence changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.desk import deciding, editing
from kairos.desk.cards import card
from kairos.desk.reading import inbox
from kairos.domain.hunks import groups
from kairos.domain.proposal import Proposal
from kairos.errors import KairosError, NotFound, Stale, UsageError

BASE = "".join(f"line {n}\n" for n in range(40))


@pytest.fixture
def patched(desk: Any, seeded: Any, repo: Any) -> Any:
    """A proposal that changes three places of one file."""
    repo.write("x.md", BASE)
    after = BASE.replace("line 3\n", "three\n").replace("line 5\n", "five\n").replace("line 30\n", "thirty\n")
    raised = seeded.raise_(seeded.patch("x.md", after.encode()))
    return lambda: inbox(desk).proposals[raised.id]


def test_an_edited_patch_is_approved_under_its_new_digest_only(desk: Any, patched: Any, repo: Any) -> None:
    before: Proposal = patched()
    text = editing.patch_to_edit(desk, before).replace("+three", "+3")
    done = editing.edit_patch(desk, before, text)
    assert (done.id, done.changed, done.was) == (before.id, "you edited the patch", before.raised.digest)
    with pytest.raises(Stale):
        deciding.approve(desk, before, before.raised.digest)
    assert deciding.approve(desk, patched(), done.digest).state == "executed"
    assert "\n3\n" in (repo.root / "x.md").read_text()


def test_an_unchanged_text_changes_nothing(desk: Any, patched: Any) -> None:
    before = patched()
    done = editing.edit_patch(desk, before, editing.patch_to_edit(desk, before))
    assert (done.changed, done.digest, done.positions) == ("", before.raised.digest, [])


@pytest.mark.parametrize(
    "text",
    ["", "nonsense\n", "--- a/../out\n+++ b/../out\n@@ -1 +1 @@\n-a\n+b\n",
     "--- a/x.md\n+++ b/x.md\n@@ -1 +1 @@\n-no\n+b\n",
     "--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+b\n", "--- a/gone\n+++ b/gone\n@@ -1 +1 @@\n-a\n+b\n"],
)  # fmt: skip
def test_a_text_that_is_no_patch_here_is_refused_whole(desk: Any, patched: Any, text: str) -> None:
    before = patched()
    with pytest.raises(KairosError):
        editing.edit_patch(desk, before, text)
    assert patched() == before


def test_a_path_through_a_link_out_of_the_root_is_refused(desk: Any, patched: Any, repo: Any, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/f").write_text("a\n")
    (repo.root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(KairosError, match="link"):
        editing.edit_patch(desk, patched(), "--- a/link/f\n+++ b/link/f\n@@ -1 +1 @@\n-a\n+b\n")


def test_an_edit_of_a_moved_base_is_stale(desk: Any, patched: Any, repo: Any) -> None:
    before = patched()
    text = editing.patch_to_edit(desk, before)
    repo.write("x.md", "other\n")
    with pytest.raises(Stale):
        editing.edit_patch(desk, before, text)


def test_only_the_picked_hunks_stay(desk: Any, patched: Any, repo: Any) -> None:
    before = patched()
    first, second = groups(before.raised.action)
    done = editing.keep_hunks(desk, before, [second], 1)
    assert done.changed == "you kept 1 and dropped 1 hunk"
    assert deciding.approve(desk, patched(), done.digest).state == "executed"
    assert (repo.root / "x.md").read_text() == BASE.replace("line 30\n", "thirty\n")
    assert len(first.hunks) == 2


def test_a_picked_hunk_can_be_edited(desk: Any, patched: Any) -> None:
    from kairos.domain.hunks import group_text

    before = patched()
    base = editing.base_of(desk, before)
    group = groups(before.raised.action)[1]
    changed = editing.edited_group(group, group_text(group, base).replace("+thirty", "+XXX"), base)
    done = editing.keep_hunks(desk, before, [changed], 1)
    assert done.changed and "XXX" in card(desk, patched()).patch
    with pytest.raises(UsageError):
        editing.edited_group(group, "--- a/y\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n", base)


def test_a_note_has_nothing_to_edit(desk: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    with pytest.raises(UsageError, match="is no patch"):
        editing.patch_to_edit(desk, inbox(desk).proposals[raised.id])


def test_a_patch_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        editing.read_patch(tmp_path / "none")
    (tmp_path / "raw").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        editing.read_patch(tmp_path / "raw")


def test_a_comment_is_kept_on_the_card(desk: Any, patched: Any) -> None:
    before = patched()
    deciding.comment(desk, before.id, "  say it shorter ", "x.md")
    found = card(desk, patched())
    assert [(c.file, c.text) for c in found.comments] == [("x.md", "say it shorter")]
    assert patched().state == before.state
    with pytest.raises(UsageError):
        deciding.comment(desk, before.id, "  ")
    deciding.reject(desk, before.id, "style", "")
    with pytest.raises(Stale):
        deciding.comment(desk, before.id, "too late")


def test_a_deferral_until_the_evidence_changes_ends_with_a_revision_and_with_nothing_else(
    desk: Any, patched: Any, seeded: Any
) -> None:
    from kairos.domain.proposal import give_back

    before = patched()
    assert deciding.later(desk, before.id, "evidence").state == "deferred"
    assert card(desk, patched()).deferred_on == "evidence"
    assert give_back(patched(), None) == [] and give_back(patched(), 2**60) == []
    done = editing.edit_patch(desk, patched(), editing.patch_to_edit(desk, patched()).replace("+three", "+3"))
    assert done.state == "raised"
    deciding.later(desk, before.id, "next-commit")
    assert card(desk, patched()).deferred_on == "commit"
    assert give_back(patched(), None) != []


def test_trying_now_records_what_came_of_it(desk: Any, patched: Any) -> None:
    after = editing.try_now(desk, patched())
    assert after.state == "pending" and after.verified is not None and after.verified.ok
    assert editing.check_of(desk, after) == []


def test_a_proposal_that_is_not_there(desk: Any, seeded: Any) -> None:
    with pytest.raises(NotFound):
        inbox(desk).find("zzzz")
