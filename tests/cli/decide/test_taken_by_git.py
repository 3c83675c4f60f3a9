"""A change that git takes away, or would: it is never called carried out, and can be applied again."""

from __future__ import annotations

from typing import Any

import pytest

AFTER = b"# Demo\nmore\n"
TAKEN = [("checkout", "--", "."), ("restore", "."), ("reset", "-q", "--hard"), ("stash", "-q")]


def stopped(repo: Any, what: str) -> None:
    """Leaves git in the middle of an operation, stopped by a conflict in x.txt."""
    repo.write("x.txt", "base\n")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "other")
    repo.write("x.txt", "theirs\n")
    repo.commit("theirs")
    repo.git("checkout", "-q", "main")
    repo.write("x.txt", "mine\n")
    repo.commit("mine")
    if what == "bisect":
        repo.git("bisect", "start")
    elif what == "am":
        repo.write("../patch", repo.git("format-patch", "-1", "--stdout", "other") + "\n")
        repo.git("am", "-q", "../patch", check=False)
    else:
        given = {"revert": ["--no-edit", "HEAD~1"], "rebase": ["--apply", "other"]}.get(what.split()[0], ["other"])
        given = ["other"] if what == "rebase merge" else given
        repo.git(what.split()[0], *given, check=False)


@pytest.mark.parametrize(
    ("what", "words"),
    [("rebase merge", "a rebase"), ("rebase apply", "a rebase"), ("merge", "a merge"),
     ("cherry-pick", "a cherry-pick"), ("revert", "a revert"), ("bisect", "a bisect"), ("am", "git am")],
)  # fmt: skip
def test_nothing_is_approved_or_redone_while_git_is_in_the_middle(
    kairos: Any, seeded: Any, repo: Any, what: str, words: str
) -> None:
    done = seeded.raise_(seeded.patch("other.txt", b"new\n"), seed="b")
    taken = seeded.raise_(seeded.patch("third.txt", b"new\n"), seed="c")
    assert kairos("approve", done.id, "--yes").code == 0
    assert kairos("undo", done.id, "--yes").code == 0
    stopped(repo, what)
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    for command in (("approve", raised.id), ("redo", done.id), ("approve", taken.id)):
        said = kairos(*command, "--yes")
        assert said.code == 5 and words in said.err and f"kairos {command[0]} {command[1]}" in said.err, said
    assert seeded.read("README.md") == b"# Demo\n" and not (repo.root / "other.txt").exists()
    shown = kairos("show", raised.id)
    assert words in shown.out and "finish or abort it, then approve" in shown.out
    assert kairos("--json", "show", raised.id).data["state"] == "pending"
    note = seeded.raise_(seeded.note(), seed="n")
    assert kairos("approve", note.id, "--yes").code == 0


def test_what_a_stopped_rebase_refused_is_approved_after_its_abort(kairos: Any, seeded: Any, repo: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    stopped(repo, "rebase merge")
    assert kairos("approve", raised.id, "--yes").code == 5
    repo.git("rebase", "--abort")
    assert "in the middle" not in kairos("show", raised.id).out
    assert kairos("approve", raised.id, "--yes").code == 0
    assert seeded.read("README.md") == AFTER


@pytest.mark.parametrize("taken", TAKEN, ids=lambda t: t[0])
def test_a_change_that_git_took_away_is_not_called_carried_out(
    kairos: Any, seeded: Any, repo: Any, taken: tuple[str, ...]
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    assert kairos("approve", raised.id, "--yes").code == 0
    assert kairos("approve", raised.id, "--yes").code == 0  # repeated while it is there
    said = kairos("redo", raised.id, "--yes")
    assert said.code == 5 and "already" in said.err
    repo.git(*taken)
    assert seeded.read("README.md") == b"# Demo\n"
    said = kairos("approve", raised.id, "--yes")
    assert said.code == 5 and "executed" not in said.out
    assert "no longer in this tree" in said.err and f"kairos redo {raised.id}" in said.err
    said = kairos("undo", raised.id, "--yes")
    assert said.code == 5 and f"kairos redo {raised.id}" in said.err
    assert seeded.read("README.md") == b"# Demo\n"
    again = kairos("redo", raised.id, "--yes")
    assert again.code == 0 and "applied again" in again.out, again
    assert seeded.read("README.md") == AFTER
    assert kairos("approve", raised.id, "--yes").code == 0
    assert kairos("undo", "--yes", "--repo", str(repo.root)).code == 0
    assert seeded.read("README.md") == b"# Demo\n"


def test_a_change_that_an_abort_threw_away_is_redone(kairos: Any, seeded: Any, repo: Any) -> None:
    """What was approved before the rebase lies in the tree uncommitted, put back from a stash."""
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    assert kairos("approve", raised.id, "--yes").code == 0
    repo.git("stash", "-q")
    stopped(repo, "rebase merge")
    repo.git("stash", "apply", "-q", check=False)
    repo.write("README.md", AFTER)
    repo.git("rebase", "--abort")
    assert seeded.read("README.md") == b"# Demo\n"
    assert kairos("approve", raised.id, "--yes").code == 5
    assert kairos("redo", raised.id, "--yes").code == 0
    assert seeded.read("README.md") == AFTER


def test_a_redo_keeps_later_edits_and_refuses_a_conflict(kairos: Any, seeded: Any, repo: Any) -> None:
    lines = "".join(f"line {n}\n" for n in range(30))
    repo.write("long.txt", lines)
    repo.commit("long")
    raised = seeded.raise_(seeded.patch("long.txt", lines.replace("line 3\n", "3!\n").encode()))
    assert kairos("approve", raised.id, "--yes").code == 0
    repo.git("checkout", "--", ".")
    repo.write("long.txt", lines.replace("line 3\n", "mine\n"))
    said = kairos("redo", raised.id, "--yes")
    assert said.code == 5 and seeded.read("long.txt") == lines.replace("line 3\n", "mine\n").encode()
    mine = lines.replace("line 25\n", "mine\n")
    repo.write("long.txt", mine)
    redone = kairos("--json", "redo", raised.id, "--yes")
    assert redone.code == 0 and redone.data["kept"] == ["long.txt"]
    assert seeded.read("long.txt") == mine.replace("line 3\n", "3!\n").encode()


def test_an_approval_of_what_was_undone_names_the_redo(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    kairos("undo", raised.id, "--yes")
    said = kairos("approve", raised.id, "--yes")
    assert said.code == 5 and f"kairos redo {raised.id}" in said.err


def test_an_undo_of_a_second_deferral_says_until_when_the_first_lasts(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    for first, words in (("2030-01-02T09:00", "2030"), ("next-commit", "until the next commit")):
        assert kairos("defer", raised.id, "--until", first).code == 0
        assert kairos("defer", raised.id, "--until", "1h").code == 0
        said = kairos("undo", raised.id, "--yes")
        assert said.code == 0 and ": deferred, until" in said.out and words in said.out, said


def test_an_approval_that_was_taken_back_is_made_again_only_after_the_rebase(
    kairos: Any, seeded: Any, repo: Any
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("pause")
    kairos("approve", raised.id, "--yes")
    assert kairos("undo", raised.id, "--yes").code == 0
    kairos("resume")
    stopped(repo, "rebase merge")
    said = kairos("redo", raised.id, "--yes")
    assert said.code == 5 and "a rebase" in said.err and seeded.read("README.md") == b"# Demo\n"
    repo.git("rebase", "--abort")
    assert kairos("redo", raised.id, "--yes").code == 0
    assert seeded.read("README.md") == AFTER
