"""What is said of a finding by its card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kairos.daemon.finding import find
from kairos.desk import deciding, editing
from kairos.desk.cards_of_findings import spoken_of
from kairos.desk.considering import considered
from kairos.desk.reading import inbox, repositories
from kairos.desk.undoing import take_back
from kairos.domain.action import NoteAction, PatchAction
from kairos.domain.finding import Finding
from kairos.domain.proposal import proposal_id


def found(seeded: Any, key: str) -> Finding:
    return Finding(
        detector="d",
        version=1,
        key=key,
        title="T",
        claim="C",
        action=NoteAction(repo=seeded.id, text="x"),
        evidence=[1],
    )


def rejected(desk: Any, id_: str) -> str:
    deciding.reject(desk, id_, "wrong", "", never=False)
    return "you rejected it"


def read(desk: Any, id_: str) -> str:
    p = inbox(desk).proposals[id_]
    deciding.approve(desk, p, p.raised.digest)
    return "you have read it"


def waiting(desk: Any, id_: str) -> str:
    return "waits for your decision"


@pytest.mark.parametrize("decide", [waiting, rejected, read])
def test_a_finding_with_a_card_says_what_became_of_it(
    desk: Any, seeded: Any, decide: Callable[[Any, str], str]
) -> None:
    raised = seeded.raise_(seeded.note())
    words = decide(desk, raised.id)
    said = spoken_of(desk, repositories(desk).by_id[seeded.id], [found(seeded, raised.key)])
    assert raised.id[:4] in said and words in said
    assert spoken_of(desk, repositories(desk).by_id[seeded.id], [found(seeded, "d:other")]) == ""


@pytest.mark.parametrize("args", [("reset", "-q", "--hard"), ("checkout", "--", "."), ("stash", "-q")])
def test_what_git_threw_away_is_explained_by_its_commit(
    desk: Any, seeded: Any, repo: Any, commit: Callable[..., str], args: tuple[str, ...]
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    p = inbox(desk).proposals[raised.id]
    assert deciding.approve(desk, p, p.raised.digest).state == "executed"
    repo.git(*args)
    said = spoken_of(desk, repositories(desk).by_id[seeded.id], [found(seeded, raised.key)])
    assert f"kairos redo {raised.id[:4]}" in said and "not in the tree now" in said
    assert take_back(desk, "redo", raised.id, lambda plan: True) is not None
    assert (repo.root / "README.md").read_bytes() == b"# Demo\nmore\n"


def test_a_commit_whose_finding_has_a_card_names_it(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    repo = repositories(desk).by_id[seeded.id]
    (seeded.root / "keys.env").write_text("AWS_ACCESS_KEY_ID=AKIA" + "QWERTYUIOPASDFGH\n")
    oid = commit("other.md")
    (one,), problems = find(desk.log, repo, [desk.log.at(desk.log.head())], "manual", b"salt", "secret")
    assert not problems
    assert spoken_of(desk, repo, [one]) == ""
    raised = msgspec.structs.replace(seeded.raise_(seeded.note()), id=proposal_id("b"), key=one.key, subjects=[])
    seeded.append(raised, f"proposal-{raised.id}")
    assert spoken_of(desk, repo, [one]) == f"{raised.id[:4]} waits for your decision"
    assert considered(desk, oid, None).commit == oid


def test_what_a_person_left_out_of_a_change_is_called_that(desk: Any, seeded: Any, repo: Any) -> None:
    (seeded.root / "b.md").write_text("# Demo\n")
    both = PatchAction(
        repo=seeded.id,
        edits=[*seeded.patch("README.md", b"# Demo\nmore\n").edits, *seeded.patch("b.md", b"# Demo\nmore\n").edits],
    )
    raised = seeded.raise_(both)
    editing.edit_patch(
        desk, inbox(desk).proposals[raised.id], "--- a/README.md\n+++ b/README.md\n@@ -1 +1,2 @@\n # Demo\n+more\n"
    )
    p = inbox(desk).proposals[raised.id]
    assert deciding.approve(desk, p, p.raised.digest).state == "executed"
    said = spoken_of(desk, repositories(desk).by_id[seeded.id], [found(seeded, raised.key)])
    assert "left out of it" in said and "redo" not in said
    (seeded.root / "README.md").write_text("# Something else\n")
    said = spoken_of(desk, repositories(desk).by_id[seeded.id], [found(seeded, raised.key)])
    assert "its files changed since (README.md)" in said and "redo" not in said
