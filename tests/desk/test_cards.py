"""A proposal as a record: its exact patch whatever became of the file, and what was not checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.desk.cards import card, patch_text, row_of, unchecked, why_now
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox, repositories
from kairos.domain import events as ev
from kairos.domain.action import CommandAction, PatchAction, edit
from kairos.domain.proposal import Proposal

BEFORE = b"one\ntwo\nthree\n"


def patch(path: str, before: bytes | None, after: bytes | None, was: int = 0o644, now: int = 0o644) -> PatchAction:
    sides = (None if before is None else (before, was)), (None if after is None else (after, now))
    return PatchAction(repo="r", edits=[edit(path, *sides)])


def the(desk: Desk, id_: str) -> Proposal:
    return inbox(desk).proposals[id_]


def test_the_lines_around_a_change_come_from_the_file_only_while_it_is_the_one_that_was_read(tmp_path: Path) -> None:
    action = patch("a.txt", BEFORE, BEFORE.replace(b"two", b"2"))
    bare = "--- a/a.txt\n+++ b/a.txt\n@@ -2,1 +2,1 @@\n-two\n+2\n"
    assert patch_text(action, tmp_path) == bare, "there is no such file"
    assert patch_text(action, None) == bare, "nobody knows the repository"
    (tmp_path / "a.txt").write_bytes(BEFORE)
    assert patch_text(action, tmp_path) == "--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    (tmp_path / "a.txt").write_bytes(BEFORE + b"four\n")
    assert patch_text(action, tmp_path) == bare, "it has changed"


@pytest.mark.parametrize("path", ["../a.txt", "b/../../a.txt"])
def test_no_file_outside_of_the_root_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "a.txt").write_bytes(BEFORE)
    assert " one" not in patch_text(patch(path, BEFORE, BEFORE.replace(b"two", b"2")), tmp_path / "root")


def test_later_hunks_are_counted_in_the_lines_of_the_new_file() -> None:
    before = b"".join(b"%d\n" % n for n in range(1, 41))
    after = before.replace(b"3\n", b"3\n3.5\n", 1).replace(b"38\n", b"", 1)
    heads = [line for line in patch_text(patch("a", before, after), None).split("\n") if line.startswith("@@")]
    assert heads == ["@@ -3,0 +4,1 @@", "@@ -38,1 +38,0 @@"]


@pytest.mark.parametrize(
    ("action", "first"),
    [
        (patch("a", b"x\n", None), "deleted file: a"),
        (patch("a", b"x\n", b"x\n", 0o644, 0o755), "mode of a: 644 → 755"),
        (patch("a", None, b"x\n", now=0o755), "new file mode 100755: a"),
        (patch("a", None, b"x\n"), "--- /dev/null"),
    ],
)
def test_what_git_would_say_of_a_mode_is_said(action: PatchAction, first: str) -> None:
    assert patch_text(action, None).split("\n")[0] == first


def test_a_file_without_a_last_line_end_is_shown_as_such() -> None:
    text = patch_text(patch("a", b"x", b"y"), None)
    assert text.endswith("-x\n\\ No newline at end of file\n+y\n\\ No newline at end of file\n")


def test_the_card_tells_what_the_log_tells(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    shown = card(desk, the(desk, raised.id))
    assert (shown.digest, shown.repo, shown.state) == (raised.digest, str(seeded.root), "pending")
    assert shown.verification is not None and shown.verification.ok
    assert [desk.log.at(p).topic for p in shown.positions] == ["ProposalRaised", "ProposalVerified"]
    assert shown.patch is not None and shown.patch.endswith(" # Demo\n+more\n")
    assert shown.argv is None


def test_a_row_has_what_the_card_has_of_the_same_name(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(CommandAction(repo=seeded.id, argv=["make", "x"]))
    seeded.append(ev.ProposalDeferred(id=raised.id, until=1_900_000_000_000_000), f"proposal-{raised.id}")
    proposal = the(desk, raised.id)
    row, full = row_of(proposal, repositories(desk)), card(desk, proposal)
    assert {name: getattr(full, name) for name in row.__struct_fields__} == {
        name: getattr(row, name) for name in row.__struct_fields__
    }
    assert (full.argv, full.patch, row.deferred_until) == (["make", "x"], None, "2030-03-17T17:46:40.000000Z")


def test_what_was_not_checked_depends_on_what_was_tried(desk: Desk, seeded: Any) -> None:
    action = seeded.patch("README.md", b"# Demo\nmore\n")
    waiting = seeded.raise_(action, seed="a", verified=False).id
    applied = seeded.raise_(action, seed="b").id
    read = seeded.raise_(seeded.note(), seed="c").id
    tested = seeded.raise_(action, seed="d", verified=False)
    ok = ev.ProposalVerified(id=tested.id, digest=tested.digest, ok=True, check=["make"], exit=0)
    seeded.append(ok, f"proposal-{tested.id}")
    assert ["scratch tree" in t for t in unchecked(the(desk, waiting))] == [True]
    assert ["no check command" in t for t in unchecked(the(desk, applied))] == [True]
    assert unchecked(the(desk, read)) == unchecked(the(desk, tested.id)) == ["nothing else"]


def test_why_now_of_commits_that_came_together_names_the_last_of_them(desk: Desk, seeded: Any) -> None:
    """A merge brings the commits of the other branch; the one that the person made is the merge."""
    side, made = (
        seeded.append(
            ev.CommitRecorded(repo=seeded.id, oid=oid * 40, parents=[], author="a", at_s=1, subject="s", changes=[]),
            seeded.id,
        )
        for oid in "ab"
    )
    raised = seeded.raise_(seeded.note())
    found = the(desk, raised.id)
    for evidence in ([side, made], [seeded.turn, side, made]):
        merged = msgspec.structs.replace(found, raised=msgspec.structs.replace(found.raised, evidence=evidence))
        assert why_now(desk, merged) == f"you committed (ev {made})"


def test_why_now_names_the_event_that_caused_it(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert why_now(desk, the(desk, raised.id)) == f"you committed (ev {seeded.cause})"
