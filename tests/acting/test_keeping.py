"""Hard links, attributes, ACLs, owners and modes live through an action, its rollback, a kill and its undo."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.acting import keeping, undo
from kairos.acting.keeping import PIECE, is_torn, note
from tests.acting.test_recovery import killed

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
LARGE = 3 * PIECE + 100
ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, who)
    for tag, rights, who in (
        (1, 6, 2**32 - 1),
        (2, 4, 12345),
        (4, 4, 2**32 - 1),
        (16, 4, 2**32 - 1),
        (32, 4, 2**32 - 1),
    )
)
"""An access ACL: the owner rw, user 12345 r, group r, mask r, others r."""


def picture(root: Path) -> dict[str, Any]:
    """All that a person could see of each file, times of status changes left out."""
    found = {}
    for path in sorted(root.rglob("*")):
        if ".git" in path.relative_to(root).parts or not path.is_file():
            continue
        stat = path.lstat()
        kept = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        found[str(path.relative_to(root))] = (
            path.read_bytes(), stat.st_ino, stat.st_nlink, stat.st_mode, stat.st_uid, stat.st_gid, stat.st_mtime_ns,
            kept,
        )  # fmt: skip
    return found


def inodes(bench: Any, *paths: str) -> set[int]:
    return {(bench.root / path).stat().st_ino for path in paths}


def linked(repo: Any, first: str, *others: str, content: str = "one\ntwo\n") -> Path:
    path = repo.write(first, content)
    for other in others:
        (repo.root / other).parent.mkdir(parents=True, exist_ok=True)
        os.link(path, repo.root / other)
    os.setxattr(path, "user.note", b"mine")
    return Path(path)


LINKED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "both names": ({"a.md": "new\n", "twin.md": "new\n"}, ["a.md", "twin.md", "d/third.md"]),
    "all names": ({"a.md": "new\n", "d/third.md": "new\n", "twin.md": "new\n"}, ["a.md", "twin.md", "d/third.md"]),
    "one name of three": ({"d/third.md": "new\n"}, ["a.md", "twin.md", "d/third.md"]),
    "a longer text": ({"a.md": "new\n" * 50_000, "twin.md": "new\n" * 50_000}, ["a.md", "twin.md", "d/third.md"]),
    "no text at all": ({"a.md": "", "twin.md": ""}, ["a.md", "twin.md", "d/third.md"]),
    "one goes, one changes": ({"a.md": None, "twin.md": "new\n"}, ["twin.md", "d/third.md"]),
    "another mode": (
        {"a.md": ("one\ntwo\n", 0o755), "twin.md": ("one\ntwo\n", 0o755)},
        ["a.md", "twin.md", "d/third.md"],
    ),
    "other files beside": ({"a.md": "new\n", "twin.md": "new\n", "z.md": "z\n", "b.md": None}, ["a.md", "twin.md"]),
}


@pytest.mark.parametrize("name", LINKED)
def test_names_of_one_file_stay_names_of_one_file(bench: Any, repo: Any, tmp_path: Path, name: str) -> None:
    wanted, together = LINKED[name]
    linked(repo, "a.md", "twin.md", "d/third.md")
    os.link(repo.root / "a.md", tmp_path / "outside.md")
    repo.write("b.md", "b\n")
    before = inodes(bench, *together)
    done = bench.executed(wanted)
    assert inodes(bench, *together) == before == {(tmp_path / "outside.md").stat().st_ino}
    for path, new in wanted.items():
        assert new is None or (repo.root / path).read_text() == (new if isinstance(new, str) else new[0])
    assert os.getxattr(repo.root / "twin.md", "user.note") == b"mine"
    assert not list(repo.root.rglob(".kairos-*"))
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert (repo.root / "a.md").read_text() == (repo.root / "twin.md").read_text() == "one\ntwo\n"
    assert inodes(bench, *together) == before
    assert undo.redo(bench.log, bench.home, done.id).state == "redone"


def test_names_of_one_file_that_would_have_to_differ_are_refused_before_anything_is_touched(
    bench: Any, repo: Any
) -> None:
    linked(repo, "a.md", "d/twin.md")
    repo.write("b.md", "b\n")
    before = picture(repo.root)
    p = bench.verified(bench.patch({"b.md": "c\n", "a.md": "new\n", "d/twin.md": "other\n"}))
    assert p.state == "withdrawn" and "a.md and d/twin.md are two names of one file" in p.why
    assert picture(repo.root) == before


def test_links_made_after_the_approval_are_refused_the_same_way(bench: Any, repo: Any) -> None:
    repo.write("a.md", "one\n")
    repo.write("b.md", "one\n")
    approved = bench.approved(bench.patch({"a.md": "new\n", "b.md": "other\n"}))
    (repo.root / "b.md").unlink()
    os.link(repo.root / "a.md", repo.root / "b.md")
    before = picture(repo.root)
    with pytest.raises(Exception, match="two names of one file"):
        bench.execute(approved)
    assert picture(repo.root) == before


def test_a_card_says_before_that_a_file_has_other_names(bench: Any, repo: Any) -> None:
    linked(repo, "a.md", "twin.md")
    p = bench.verified(bench.patch({"a.md": "new\n"}))
    assert p.verified is not None and "a.md has 2 names (hard links)" in p.verified.why
    repo.write("b.md", "b\n")
    p = bench.verified(bench.patch({"b.md": "new\n"}))
    assert p.verified is not None and "hard links" not in p.verified.why
    assert note([("a", 2), ("b", 3), ("c", 2), ("d", 9), ("e", 1)]).count("names") == 3
    assert note([("a", 1)]) == ""


@pytest.mark.parametrize("kept", ["user.note", "system.posix_acl_access", "both", "mode"])
def test_attributes_and_acls_are_kept_through_apply_and_undo(bench: Any, repo: Any, kept: str) -> None:
    path = repo.write("a.md", "one\n", 0o640)
    if kept in ("user.note", "both"):
        os.setxattr(path, "user.note", b"mine")
        os.setxattr(path, "user.empty", b"")
    if kept in ("system.posix_acl_access", "both"):
        os.setxattr(path, "system.posix_acl_access", ACL)
    before = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    mode, owner = path.stat().st_mode, (path.stat().st_uid, path.stat().st_gid)
    done = bench.executed({"a.md": "new\n"})
    undo.undo(bench.log, bench.home, done.id)
    undo.redo(bench.log, bench.home, done.id)
    assert path.read_text() == "new\n"
    assert {name: os.getxattr(path, name) for name in os.listxattr(path)} == before
    assert path.stat().st_mode == mode and (path.stat().st_uid, path.stat().st_gid) == owner


def test_an_acl_that_a_directory_hands_down_is_not_put_on_a_file_that_had_none(bench: Any, repo: Any) -> None:
    path = repo.write("d/a.md", "one\n", 0o600)
    os.setxattr(path.parent, "system.posix_acl_default", ACL)
    bench.executed({"d/a.md": "new\n"})
    assert os.listxattr(path) == [] and path.stat().st_mode & 0o7777 == 0o600


@AS_ROOT
@pytest.mark.parametrize("owner", [(12345, 0), (0, 12345), (12345, 54321)])
def test_owner_and_group_are_kept(bench: Any, repo: Any, owner: tuple[int, int]) -> None:
    path = repo.write("a.md", "one\n", 0o664)
    os.chown(path, *owner)
    done = bench.executed({"a.md": "new\n"})
    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o7777) == (*owner, 0o664)
    undo.undo(bench.log, bench.home, done.id)
    assert (path.stat().st_uid, path.stat().st_gid) == owner and path.read_text() == "one\n"


def test_a_file_whose_attributes_cannot_be_given_to_another_is_rewritten_in_place(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = repo.write("a.md", "one\n")
    os.setxattr(path, "user.note", b"mine")
    inode = path.stat().st_ino

    def refused(*_: Any) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(keeping.os, "setxattr", refused)
    done = bench.executed({"a.md": "new\n"})
    undo.undo(bench.log, bench.home, done.id)
    assert path.stat().st_ino == inode and os.getxattr(path, "user.note") == b"mine"


@pytest.mark.parametrize("swaps", [True, False])
@pytest.mark.parametrize("when", ["staged z.md", "placed a.md", "placed b.md", "placed gone.md", "placed new/n.md"])
def test_a_run_that_is_rolled_back_has_changed_nothing(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch, when: str, swaps: bool
) -> None:
    """The same files are there again, with their times, attributes and links; where a file system cannot swap two
    names, at least their contents, modes and attributes are."""
    linked(repo, "a.md", "twin.md", content="x" * LARGE)
    os.setxattr(repo.write("b.md", "b\n", 0o755), "user.note", b"b")
    os.setxattr(repo.write("gone.md", "gone\n", 0o600), "user.note", b"gone")
    repo.write("z.md", "z\n")
    if not swaps:
        monkeypatch.setattr(keeping, "_renameat2", lambda: None)
    wanted = {"a.md": "new\n", "twin.md": "new\n", "b.md": "new\n", "gone.md": None, "new/n.md": "n\n", "z.md": "y\n"}
    approved = bench.approved(bench.patch(wanted))
    before = picture(repo.root)

    def meddle(step: str) -> None:
        if step == when:
            repo.write("z.md", "mine\n")

    failed = bench.execute(approved, on_step=meddle)
    assert failed.state in ("failed", "stale") and "z.md" in failed.why
    after = picture(repo.root)
    assert after.pop("z.md")[0] == b"mine\n" and before.pop("z.md")[0] == b"z\n"
    assert not (repo.root / "new").exists()
    if not swaps:
        for seen in (before, after):
            seen["b.md"] = tuple(part for at, part in enumerate(seen["b.md"]) if at not in (1, 6))
    for path in ("a.md", "twin.md"):  # rewritten and put back: the time of the last write moves
        for seen in (before, after):
            seen[path] = tuple(part for at, part in enumerate(seen[path]) if at != 6)
    assert after == before


@pytest.mark.parametrize(("grows", "steps"), [(True, (1, 4, 5, 6, 7, 8, 10, 13, 20)), (False, (5, 7, 8))])
@pytest.mark.timeout(400)
def test_a_kill_at_any_step_of_a_rewrite_in_place_leaves_all_or_nothing(
    bench: Any, repo: Any, grows: bool, steps: tuple[int, ...]
) -> None:
    old, new = ("old\n" * 40_000, "newer\n" * 50_000) if grows else ("older\n" * 50_000, "new\n" * 40_000)
    linked(repo, "a.md", "d/twin.md", content=old)
    repo.write("b.md", "b\n")
    inode = inodes(bench, "a.md", "d/twin.md")
    states = set()
    for step in steps:
        approved = bench.approved(bench.patch({"a.md": new, "d/twin.md": new, "b.md": "c\n"}))
        assert killed(bench, approved, "apply", step)["died"] == (step < 20)
        now = bench.of(approved.id)
        states.add(now.state)
        assert now.state in ("approved", "failed", "executed"), (step, now.state)
        whole = {(repo.root / path).read_text() for path in ("a.md", "d/twin.md")}
        assert whole == {new if now.state == "executed" else old}, step
        assert inodes(bench, "a.md", "d/twin.md") == inode and not list(repo.root.rglob(".kairos-*"))
        if now.state == "executed":
            undo.undo(bench.log, bench.home, now.id)
    assert "executed" in states and (not grows or states & {"approved", "failed"})


def test_a_file_system_without_modes_of_its_own_takes_a_patch(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("a.md", "one\n", 0o644)
    change = os.fchmod

    def refused(file: int, mode: int) -> None:
        if str(repo.root) in str(Path(f"/proc/self/fd/{file}").readlink()):
            raise PermissionError(1, "not permitted")
        change(file, mode)

    monkeypatch.setattr(keeping.os, "fchmod", refused)
    approved = bench.approved(bench.patch({"a.md": "new\n"}))
    assert bench.execute(approved).state == "executed"
    approved = bench.approved(bench.patch({"a.md": ("new\n", 0o755)}))
    assert bench.execute(approved).state in ("failed", "stale"), "the executable bit is part of the patch"


@given(old=st.binary(max_size=3_000), new=st.binary(max_size=3_000), data=st.data())
def test_whatever_an_interrupted_rewrite_leaves_is_recognized(old: bytes, new: bytes, data: Any) -> None:
    cut = data.draw(st.integers(0, len(new)))
    left = new[:cut] + old[cut:]
    assert is_torn(left, old, new)
    blocks = [data.draw(st.sampled_from([old, new]))[at : at + 512] for at in range(0, min(len(old), len(new)), 512)]
    mixed = b"".join(blocks)
    if len(mixed) == min(len(old), len(new)):
        assert is_torn(mixed, old, new)


@pytest.mark.parametrize("found", [b"", b"old text and more", b"neither\n", b"old texT", b"xld text", b"new texts"])
def test_what_somebody_else_wrote_is_not_taken_for_a_rewrite(found: bytes) -> None:
    assert not is_torn(found, b"old text", b"new text")
