"""An own detector speaks of what a commit brought; findings keep their key, and patches fit exactly or are left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.detectors.looking import look
from kairos.detectors.own.answers import OwnRefused
from kairos.detectors.own.detector import MOST_NEW, OwnDetector, OwnQuestion
from kairos.detectors.scene import CommitFile, Scene, SeenCommit
from kairos.domain.action import NoteAction, PatchAction, apply_edit
from kairos.repo.git import Git


class Todo:
    """Answers for each line of the asked files that begins with TODO, by the tree of the asked commit."""

    def __init__(self, git: Git, **fields: Any) -> None:
        self.git, self.fields, self.asked = git, fields, []

    def __call__(self, scene: Scene, question: OwnQuestion) -> bytes:
        self.asked.append(question.commit)
        self.at = question.at
        out = []
        for path in question.paths:
            text = self.git.run("show", f"{question.commit}:{path}", ok=(0, 128)).decode()
            for number, line in enumerate(text.splitlines(), 1):
                if line.startswith("TODO"):
                    out.append(json.dumps({"path": path, "title": line, "line": number, "key": line, **self.fields}))
        return "\n".join(out).encode()


def seen(repo: Any, *, again: bool = False) -> Scene:
    git = Git(repo.root)
    oid, *parents = git.text("rev-list", "--parents", "-1", "HEAD").split()
    out = git.text("diff-tree", "--root", "-r", "--no-commit-id", "--name-status", "HEAD")
    files = [CommitFile(line.split("\t")[1], line[0], None) for line in out.splitlines() if line]
    commit = SeenCommit(oid, 5, parents, files, 0, 1_700_000_000)
    return Scene(
        repo="r", root=repo.root, git=git, boundary="commit", now_us=0, salt=b"s", cause=5, commits=[commit],
        again=again,
    )  # fmt: skip


def test_it_speaks_of_what_the_commit_brought_and_of_nothing_older(repo: Any) -> None:
    repo.write("a.txt", "TODO old\n")
    repo.write("b.txt", "TODO elsewhere\n")
    repo.commit()
    repo.write("a.txt", "\nTODO old\nTODO new\n")
    repo.commit()
    ask = Todo(Git(repo.root))
    (found,) = OwnDetector("todo", 1, ask).look(seen(repo))
    assert found.title == "TODO new" and found.claim == "TODO new (a.txt:3)" and found.evidence == [5]
    assert ask.at == 1_700_000_000_000_000, "on history it is asked as of then"
    assert len(ask.asked) == 2, "the parent is asked about only where something was found"
    repo.write("a.txt", "quiet\n")
    repo.commit()
    ask.asked.clear()
    assert list(OwnDetector("todo", 1, ask).look(seen(repo))) == [] and len(ask.asked) == 1


def test_a_finding_keeps_its_key_while_lines_move_and_is_gone_with_its_cause(repo: Any) -> None:
    repo.write("a.txt", "TODO 1\n")
    repo.commit()
    detector = OwnDetector("todo", 1, Todo(Git(repo.root)))
    (first,) = detector.look(seen(repo))
    repo.write("a.txt", "x\ny\nTODO 1\n")
    repo.commit()
    (again,) = detector.look(seen(repo, again=True))
    assert (again.key, again.fingerprint) == (first.key, first.fingerprint) and first.key.startswith("todo:")
    repo.write("a.txt", "x\n")
    repo.commit()
    assert list(detector.look(seen(repo, again=True))) == []


@pytest.mark.parametrize(
    ("edits", "left_out"),
    [
        ([{"path": "a.txt", "old": "TODO 1", "new": "done"}], ""),
        ([{"path": "a.txt", "old": "nowhere", "new": "x"}], "occurs 0 times"),
        ([{"path": "a.txt", "old": "\n", "new": "x"}], "occurs 2 times"),
        ([{"path": "../a.txt", "old": "TODO 1", "new": "x"}], "no tracked text file"),
        ([{"path": ".git/config", "old": "bare", "new": "x"}], "no tracked text file"),
        ([{"path": "a.txt", "old": "TODO 1", "new": "TODO 1"}], "would not change"),
        ([{"path": "a.txt", "old": "TODO 1", "new": "\x00"}], "no text"),
    ],
)
def test_a_patch_fits_exactly_or_is_left_out(repo: Any, edits: list[dict[str, str]], left_out: str) -> None:
    content = b"TODO 1\nx\n"
    repo.write("a.txt", content)
    repo.commit()
    (found,) = OwnDetector("todo", 1, Todo(Git(repo.root), edits=edits)).look(seen(repo))
    if left_out:
        assert isinstance(found.action, NoteAction) and left_out in found.unchecked[-1]
    else:
        assert isinstance(found.action, PatchAction)
        assert apply_edit(found.action.edits[0], content) == b"done\nx\n"


def test_too_many_new_things_are_refused(repo: Any) -> None:
    repo.write("a.txt", "".join(f"TODO {n}\n" for n in range(MOST_NEW + 1)))
    repo.commit()
    with pytest.raises(OwnRefused):
        list(OwnDetector("todo", 1, Todo(Git(repo.root))).look(seen(repo)))


def test_one_that_answers_nonsense_or_fails_loses_its_findings_and_nothing_else(repo: Any) -> None:
    repo.write("a.txt", "TODO 1\n")
    repo.commit()

    def nonsense(scene: Scene, question: OwnQuestion) -> bytes:
        return b"nonsense"

    both = [OwnDetector("bad", 1, nonsense), OwnDetector("todo", 1, Todo(Git(repo.root)))]
    findings, problems = look(seen(repo), detectors=both)
    assert [f.detector for f in findings] == ["todo"] and [p.detector for p in problems] == ["bad"]


def test_a_file_that_is_not_in_the_commit_is_no_finding(repo: Any) -> None:
    repo.write("a.txt", "TODO 1\n")
    repo.commit()
    for path in ("b.txt", "../a.txt", "/etc/passwd"):
        assert list(OwnDetector("todo", 1, Todo(Git(repo.root), path=path)).look(seen(repo))) == []
