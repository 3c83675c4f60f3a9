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


@pytest.mark.parametrize("text", ["ffffffff", "not-hex", "", "-x", "HEAD"])
def test_a_commit_that_is_not_in_the_log(desk: Any, seeded: Any, text: str) -> None:
    with pytest.raises(NotFound, match="in the log"):
        considered(desk, text, None)


def test_a_large_commit_says_why_nothing_was_missed(desk: Any, seeded: Any, commit: Callable[..., str]) -> None:
    oid = commit(*(f"f{n}.md" for n in range(40)))
    by = {d.detector: d for d in considered(desk, oid, None).detectors}
    assert "more than 30 files" in by["missing-companion"].below[0].why
