"""A commit is split into its hunks, and its tree can be laid with any of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from kairos.acting import commit_pieces
from kairos.acting.commit_pieces import CommitPieces, pieces_of
from kairos.repo.git import Git

BEFORE = [f"line {n}\n" for n in range(40)]


def pieces(repo: Any) -> CommitPieces | None:
    git = Git(repo.root)
    return pieces_of(git, repo.git("rev-parse", "HEAD^"), repo.git("rev-parse", "HEAD"))


def text(found: CommitPieces, chosen: Sequence[int], path: str, whole: str) -> str | None:
    """A file of the commit with only the chosen pieces."""
    laid = found.without_others(chosen)
    if path not in laid:
        return whole
    content = laid[path]
    return None if content is None else content[0].decode()


@pytest.fixture
def two(repo: Any) -> CommitPieces:
    """A commit that changes two places of one file, adds one and deletes one."""
    repo.write("a.txt", "".join(BEFORE))
    repo.write("gone.txt", "gone\n")
    repo.commit()
    lines = [*BEFORE]
    lines[2:3] = ["first\n", "more\n"]
    lines[30] = "second\n"
    repo.write("a.txt", "".join(lines))
    repo.write("new/b.txt", "new\n", 0o755)
    repo.git("rm", "-q", "gone.txt")
    repo.commit()
    found = pieces(repo)
    assert found is not None
    return found


def test_every_set_of_pieces_gives_its_tree(two: CommitPieces, repo: Any) -> None:
    after = (repo.root / "a.txt").read_text()
    assert len(two.pieces) == 4
    assert two.without_others(range(4)) == {}
    none = two.without_others([])
    assert none == {"a.txt": ("".join(BEFORE).encode(), 0o644), "gone.txt": (b"gone\n", 0o644), "new/b.txt": None}
    one = text(two, [0], "a.txt", after)
    assert one is not None and "first" in one and "second" not in one
    other = text(two, [1, 3], "a.txt", after)
    assert other is not None and "second" in other and "first" not in other
    assert text(two, [0, 1], "a.txt", after) == after
    assert "new/b.txt" not in two.without_others([3])


def test_a_person_reads_file_lines_and_change(two: CommitPieces) -> None:
    said = two.described([1])
    assert said.splitlines()[0] == "a.txt, line 31"
    assert "-line 29" in said and "+second" in said and "first" not in said
    assert two.described([0]).startswith("a.txt, lines 3-4\n")
    assert two.described([2]).startswith("gone.txt (deleted)\n")
    assert two.described([3]).startswith("new/b.txt (new)\n")
    assert two.described([0, 1, 2, 3]).endswith("and 1 more")


def test_what_cannot_be_split_is_not(repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def after(change: Any) -> CommitPieces | None:
        repo.write("t.txt", "t")
        repo.commit()
        change()
        repo.write("t.txt", "u")
        repo.commit()
        return pieces(repo)

    assert after(lambda: (repo.root / "link").symlink_to("x")) is None
    assert after(lambda: (repo.root / "raw.bin").write_bytes(b"\xff\xfe\0")) is None
    assert after(lambda: [repo.write(f"m{n}.txt", "x") for n in range(70)]) is None
    monkeypatch.setattr(commit_pieces, "MOST_PIECES", 1)
    assert after(lambda: repo.write("more.txt", "x")) is None


def test_a_change_of_mode_alone_is_a_piece(repo: Any) -> None:
    repo.write("run.sh", "x\n", 0o644)
    repo.commit()
    (repo.root / "run.sh").chmod(0o755)
    repo.commit()
    found = pieces(repo)
    assert found is not None
    assert found.described([0]).startswith("run.sh (its mode)")
    assert found.without_others([]) == {"run.sh": (b"x\n", 0o644)}
