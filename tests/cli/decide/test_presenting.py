"""The card on the screen of a review while the log goes on: marked at once, and never decided by what was not read."""

from __future__ import annotations

from typing import Any

from kairos.domain.action import digest, effects_of
from kairos.domain.events import ProposalParked, ProposalRevised, ProposalUnparked

ELSEWHERE = "commit 77ab12000000 is in branch f, and not in the history of what is checked out"
RETURNS = "It returns by itself with what it rests on"


def park(seeded: Any, id_: str) -> None:
    seeded.append(ProposalParked(id=id_, why=ELSEWHERE), f"proposal-{id_}")


def words(screen: Any) -> str:
    return " ".join(" ".join(screen.shown).split())


def test_a_card_that_is_parked_while_a_review_shows_it_is_marked_at_once_and_no_key_decides_it(
    state_of: Any, seeded: Any, terminal: Any
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    screen = terminal("review", size=(90, 40))
    screen.shows("1 of 1 · the end")
    park(seeded, raised.id)
    screen.shows("not to be decided now")
    assert f"! {raised.id} is parked: {ELSEWHERE}. {RETURNS}" in words(screen)
    for key in "ynlestc":
        screen.press(key)
        screen.shows(f"{key} decides nothing now")
    assert state_of(raised.id) == "parked" and seeded.read("README.md") == b"# Demo\n"
    seeded.append(ProposalUnparked(id=raised.id), f"proposal-{raised.id}")
    screen.shows("waits for you again")
    screen.press("y")
    screen.shows("[y n e")
    assert state_of(raised.id) == "pending", "the first key only says that it was seen"
    screen.press("y")
    screen.shows("Nothing is left to decide")
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "executed"


def test_after_a_parked_card_the_review_goes_on_with_the_next_and_its_end_says_what_is_parked(
    kairos: Any, seeded: Any, terminal: Any
) -> None:
    first = seeded.raise_(seeded.note("One."), seed="a", risk="medium")
    second = seeded.raise_(seeded.note("Two."), seed="b")
    screen = terminal("review", size=(90, 40))
    screen.shows(f"{first.id} ·")
    park(seeded, first.id)
    screen.shows("not to be decided now")
    screen.press("j")
    screen.shows(f"{second.id} ·")
    screen.press("y")
    screen.shows("Nothing is left to decide")
    assert f"{first.id} is parked: {ELSEWHERE}" in words(screen)
    screen.press("q")
    assert screen.end() == 0


def test_a_card_that_is_revised_while_a_review_shows_it_is_read_before_a_key_decides_it(
    state_of: Any, seeded: Any, terminal: Any
) -> None:
    raised = seeded.raise_(seeded.note("One."))
    screen = terminal("review", size=(90, 40))
    screen.shows("One.")
    action = seeded.note("Two.")
    effects = effects_of(action)
    seeded.append(
        ProposalRevised(
            id=raised.id, digest=digest(action, effects, "p1"), detector_version=1, turn="turn-1", key="key-a",
            title="Add a line", claim="It is otherwise.", risk="low", action=action, effects=effects,
            evidence=raised.evidence, policy_version="p1", changed="the text is another one",
        ),
        f"proposal-{raised.id}",
    )  # fmt: skip
    screen.shows("Two.")
    screen.shows("is not what you read: the text is another one")
    screen.press("y")
    screen.shows("[y n e")
    assert state_of(raised.id) != "acknowledged"
    screen.press("q")
    assert screen.end() == 0


def test_review_of_a_card_that_cannot_be_decided_now_says_why_and_what_brings_it_back_as_every_door_does(
    kairos: Any, seeded: Any, terminal: Any
) -> None:
    parked = seeded.raise_(seeded.note("One."), seed="a")
    later = seeded.raise_(seeded.note("Two."), seed="b")
    park(seeded, parked.id)
    kairos("defer", later.id, "--until", "evidence")
    screen = terminal("review", parked.id, size=(90, 40))
    assert screen.end() == 5
    assert f"error: {parked.id} is parked: {ELSEWHERE} {RETURNS}" in words(screen)
    assert f"{parked.id} is parked: {ELSEWHERE}\n  {RETURNS}" in kairos("defer", parked.id, "--until", "1h").err
    assert f"parked: {ELSEWHERE}. {RETURNS}" in " ".join(kairos("show", parked.id).out.split())
    screen = terminal("review", parked.id, later.id, size=(90, 40))
    assert screen.end() == 5
    assert f"{later.id} is deferred until what it rests on changes" in words(screen)
    assert f"now: `kairos undo {later.id[:4]}` or `kairos approve {later.id[:4]}`" in words(screen)
    assert f"{parked.id} is parked" in words(screen)
