"""What people did about findings is shown, silences a detector where it should, and is forgotten on request."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.desk import learning
from kairos.desk.desk import Desk
from kairos.desk.explaining import why_not
from kairos.desk.reading import repositories
from kairos.desk.silence import grouped
from kairos.desk.status import status, unheard
from kairos.domain import events as ev
from kairos.errors import UsageError


def reject(seeded: Any, number: int, path: str = "docs/a.md", reason: str = "wrong") -> list[str]:
    """So many proposals about a file are rejected."""
    (seeded.root / path).parent.mkdir(parents=True, exist_ok=True)
    (seeded.root / path).write_text("old\n")
    ids = []
    for n in range(number):
        raised = seeded.raise_(seeded.patch(path, b"new\n"), seed=f"{path} {n} {reason}", title=f"Change {path}")
        seeded.append(ev.ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
        seeded.append(ev.ProposalRejected(id=raised.id, reason=reason), f"proposal-{raised.id}")
        ids.append(raised.id)
    return ids


def one(desk: Desk, name: str = "stale-reference", **kwargs: Any) -> Any:
    return next(d for d in learning.detectors(desk, **kwargs) if d.detector == name)


def test_a_detector_of_which_nothing_is_known_is_shown_so(desk: Desk, seeded: Any) -> None:
    fresh = one(desk)
    assert (fresh.state, fresh.places, fresh.last, fresh.learned.yes, fresh.learned.no) == ("on", [], [], 0, 0)
    assert one(desk, "dangling-link").state == "off"


def test_a_silence_is_shown_with_its_figures_everywhere_and_ends_with_a_reset(desk: Desk, seeded: Any) -> None:
    ids = reject(seeded, 5)
    shown = one(desk)
    assert shown.state == "silenced" and [t.id for t in shown.last] == ids[::-1]
    assert {(p.repo, p.path, p.no) for p in shown.places} == {
        (None, "", 5), (str(seeded.root), "", 5), (str(seeded.root), "docs", 5)
    }  # fmt: skip
    (silent,) = learning.silent_now(desk)
    assert "0 of 5 findings were welcome" in silent.why and silent.ends.startswith(
        "kairos detectors reset stale-reference --repo "
    )
    assert any(silent.why in line for line in unheard(status(desk)))
    (held,) = [h for h in why_not(desk, None, None) if h.subject == "silence"]
    assert held.rule == "floor@1" and "0 of 5" in held.why and "kairos detectors reset" in held.remedy
    assert any("a silence of stale-reference" in s.what for s in grouped(desk, [held]))
    done = learning.reset(desk, "stale-reference", None)
    assert (done.forgotten, done.repo) == (5, None)
    assert one(Desk()).state == "on" and learning.silent_now(Desk()) == []


def test_a_directory_is_reset_alone(desk: Desk, seeded: Any) -> None:
    reject(seeded, 6)
    reject(seeded, 6, "src/a.py")
    repo = repositories(desk).by_id[seeded.id]
    for typed in (str(seeded.root / "docs"), "docs", "docs/"):
        assert learning._below(typed, repo) == "docs"
    assert learning.reset(desk, "stale-reference", repo, "docs").forgotten == 6
    paths = {p.path: p.silent for p in one(Desk(), only=repo).places}
    assert "docs" not in paths and paths["src"]


@pytest.mark.parametrize("path", ["../other", "/etc", "docs/../../x"])
def test_a_directory_outside_is_refused(desk: Desk, seeded: Any, path: str) -> None:
    repo = repositories(desk).by_id[seeded.id]
    with pytest.raises(UsageError):
        learning.reset(desk, "stale-reference", repo, path)
    with pytest.raises(UsageError):
        learning.reset(desk, "stale-reference", None, "docs")
    with pytest.raises(UsageError):
        learning.reset(desk, "nonsense", None)


def test_what_was_put_off_is_a_lesson_of_the_moment_alone(desk: Desk, seeded: Any) -> None:
    reject(seeded, 6, reason="not_now")
    shown = one(desk)
    (moment,) = shown.moments
    assert shown.state == "on" and shown.places == [] and (moment.boundary, moment.bad, moment.put_off) == (
        "commit", 6, True
    )  # fmt: skip


def test_a_finding_that_a_silence_holds_back_is_named_beside_the_reason(desk: Desk, seeded: Any) -> None:
    why = "Change a.md: stale-reference is silent in docs/, as 0 of 5 findings were welcome"
    held = ev.AttentionHeld(
        repo=seeded.id, subject="stale-reference:1", why=why, rule="floor@1", detector="stale-reference"
    )  # fmt: skip
    seeded.append(held, seeded.id)
    (said,) = grouped(desk, why_not(desk, None, None))
    assert said.what == "Change a.md" and said.why.startswith("stale-reference is silent in docs/, as 0 of 5")
