"""Proposals of which an event was forgotten: later decisions are recorded or refused, and the daemon goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kairos.acting import decisions, taking_back, undo
from kairos.acting.executor import execute
from kairos.domain.proposal import LASTING
from kairos.errors import KairosError, NotFound, Stale
from kairos.eventlog.cold.forgetting import forget_positions
from tests.daemon.kept import CONFIG, PAGE, Kept

LATER: dict[str, Callable[[Kept, str], object]] = {
    "approve": lambda k, i: decisions.approve(k.log, k.home, CONFIG, i),
    "reject": lambda k, i: decisions.reject(k.log, i, "wrong"),
    "defer": lambda k, i: decisions.defer(k.log, i, None),
    "comment": lambda k, i: decisions.comment(k.log, i, "why?"),
}


@pytest.fixture
def storied(kept: Kept) -> Kept:
    """A proposal that has met all that a proposal meets before it is decided."""
    kept.repo.git("checkout", "-q", "-b", "work")
    kept.repo.git("mv", "src/pay.py", "src/billing.py")
    kept.commit()
    first = kept.one().id
    decisions.comment(kept.log, first, "why?")
    kept.world.catch_up()
    kept.write("a.md", f"more\n{PAGE}")
    kept.git("stash", "-q", what="stash")
    kept.git("checkout", "-q", "main", what="checkout")
    kept.git("checkout", "-q", "work", what="checkout")
    decisions.defer(kept.log, first, None)
    kept.world.catch_up()
    return kept


def stream(kept: Kept) -> list[tuple[str, int]]:
    kept.world.catch_up()
    return [(r.topic, r.position) for r in kept.log.stream(kept.one().stream)]


def test_the_story_has_every_kind_of_event(storied: Kept) -> None:
    topics = {topic for topic, _ in stream(storied)}
    assert {"ProposalVerified", "ProposalDelivered", "ProposalCommented", "ProposalRevised", "ProposalParked",
            "ProposalUnparked", "ProposalDeferred"} <= topics  # fmt: skip


@pytest.mark.parametrize("nth", range(1, 10))
def test_what_is_decided_after_an_event_was_forgotten_never_conflicts(storied: Kept, nth: int) -> None:
    told = stream(storied)
    if nth >= len(told):
        pytest.skip("the story is shorter")
    id_ = storied.one().id
    forget_positions(storied.log, [told[nth][1]], "mine", "user")
    storied.start()
    for name in ("comment", "defer", "approve"):
        try:
            LATER[name](storied, id_)
        except Stale as refused:
            assert refused.message
        storied.world.catch_up()
    storied.write("a.md", f"still more\n{PAGE}")
    p = storied.by_id(id_)
    assert p.version == storied.log.version(p.stream)
    assert p.state in LASTING, p.why
    assert storied.log.stream(p.stream)[-1].position > storied.log.head() - 20
    decisions.reject(storied.log, id_, "wrong")
    p = storied.by_id(id_)
    assert p.state == "rejected"
    version = storied.log.version(p.stream)
    taking_back.take_back(storied.log, id_, version)
    assert storied.by_id(id_).state != "rejected"


@pytest.mark.parametrize("nth", range(1, 8))
def test_what_was_carried_out_is_undone_after_an_event_was_forgotten(storied: Kept, nth: int) -> None:
    id_ = storied.one().id
    decisions.approve(storied.log, storied.home, CONFIG, id_)
    assert execute(storied.log, storied.home, CONFIG, storied.by_id(id_), storied.repo.root).state == "executed"
    told = stream(storied)
    topic, position = told[-nth]
    forget_positions(storied.log, [position], "mine", "user")
    storied.start()
    before = (storied.repo.root / "a.md").read_text()
    try:
        done = undo.undo(storied.log, storied.home, id_)
    except KairosError as refused:
        assert topic in ("ExecutionStarted", "ExecutionFinished", "ProposalApproved"), f"{topic}: {refused.message}"
        assert "Conflict" not in type(refused).__name__
        assert (storied.repo.root / "a.md").read_text() == before
        return
    assert done.state == "undone"
    assert "src/pay.py" in (storied.repo.root / "a.md").read_text()


def test_a_proposal_whose_beginning_was_forgotten_is_not_there(storied: Kept) -> None:
    id_ = storied.one().id
    forget_positions(storied.log, [stream(storied)[0][1]], "mine", "user")
    storied.start()
    assert storied.all() == []
    for decide in LATER.values():
        with pytest.raises(NotFound):
            decide(storied, id_)
    storied.restart()
    storied.write("a.md", f"above\n{PAGE}")
    storied.commit()
