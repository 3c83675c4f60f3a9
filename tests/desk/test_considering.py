"""What the detectors make of a commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.desk.considering import considered
from kairos.errors import NotFound


def test_it_lists_what_was_looked_at_what_stayed_below_and_what_nobody_covers(
    desk: Any, seeded: Any, commit: Callable[..., str]
) -> None:
    for _ in range(3):
        commit("Cargo.toml", "Cargo.lock")
    oid = commit("Cargo.toml")
    found = considered(desk, oid[:9], None)
    assert (found.commit, found.files) == (oid, 1)
    by = {d.detector: d for d in found.detectors}
    assert set(by) >= {"secret", "conflict-marker", "stale-reference", "missing-companion", "ignore-artifact"}
    (below,) = by["missing-companion"].below
    assert "Cargo.lock changes with Cargo.toml" in below.what and "support 3" in below.what
    assert "support 3 is less than 4" in below.why
    assert any("binary files" in text for text in found.uncovered)


def test_a_muted_detector_is_said_to_be_muted(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    from kairos.desk.controlling import mute

    oid = commit("a.md")
    mute(desk, "secret", None)
    assert "muted" in {d.detector: d.what for d in considered(desk, oid, None).detectors}["secret"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ffffffff", "no proposal, no position"), ("not-hex", "no commit of a watched"), ("", "no commit"),
        ("-x", "no commit"), ("HEAD", "is not in the log"), ("5", "5 is a position of the log"),
        ("5999", "there is no event 5 999: the last position of the log is"),
    ],
)  # fmt: skip
def test_what_is_no_commit_of_the_log_says_what_is_meant(desk: Any, seeded: Any, text: str, said: str) -> None:
    with pytest.raises(NotFound, match=said):
        considered(desk, text, None)


@pytest.mark.parametrize("name", ["HEAD", "main", "v1", "HEAD~0", "main^{commit}"])
def test_a_commit_may_be_named_as_git_names_it(desk: Any, seeded: Any, repo: Any, commit: Any, name: str) -> None:
    commit("a.md")
    oid = commit("b.md")
    repo.git("tag", "-a", "-m", "one", "v1")
    assert considered(desk, name, None).commit == oid


def test_a_large_commit_says_why_nothing_was_missed(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    oid = commit(*(f"f{n}.md" for n in range(40)))
    by = {d.detector: d for d in considered(desk, oid, None).detectors}
    assert by["missing-companion"].below[0].why == "it changes 40 files, more than 30"
