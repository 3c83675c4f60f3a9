"""`kairos review` on a pseudo-terminal: one key a decision, of the card that was on screen."""

from __future__ import annotations

from typing import Any

import pytest

AFTER = b"# Demo\nmore\n"


PROMPT = "[y n e s t c l w d m u j k q ?] "


@pytest.fixture
def review(terminal: Any) -> Any:
    return lambda *args: terminal("review", *args)


def test_y_approves_and_carries_out_without_enter(kairos: Any, seeded: Any, review: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    screen = review()
    card = screen.until(PROMPT)
    assert raised.id in card and "+more" in card
    screen.press("y")
    screen.until("executed")
    screen.until("Nothing is left to decide")
    screen.until("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert (seeded.root / "README.md").read_bytes() == AFTER


def test_enter_and_unknown_keys_do_nothing(state_of: Any, seeded: Any, review: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    screen = review()
    screen.until(PROMPT)
    for keys in ("\r", "\n", "\t", "z", "\x1b[A\x1b[B", "\x1bOP", "\x1b[15~", "\x1b"):
        screen.press(keys)
        screen.pause()
    screen.press("?")
    screen.until("what is undecided stays")
    screen.until(PROMPT)
    screen.press("q")
    assert screen.end() == 0
    assert state_of(raised.id) == "pending"


def test_high_risk_wants_the_first_letters_of_the_id(state_of: Any, seeded: Any, review: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER), risk="high")
    screen = review()
    screen.until(PROMPT)
    screen.press("y")
    screen.until(f"type {raised.id[:4]} and Enter to approve: ")
    screen.press("y\n")
    screen.until("not approved")
    screen.until(PROMPT)
    assert state_of(raised.id) == "pending"
    screen.press("y")
    screen.until("to approve: ")
    screen.press(f"{raised.id[:4]}\n")
    screen.until("executed")
    screen.until("[u q]")
    screen.press("q")
    assert screen.end() == 0


def test_n_takes_one_of_six_reasons(kairos: Any, seeded: Any, review: Any) -> None:
    raised = seeded.raise_(seeded.note())
    screen = review()
    screen.until(PROMPT)
    screen.press("n")
    screen.until("1 wrong  2 not now  3 style  4 too risky  5 duplicate  6 other")
    screen.press("x")
    screen.until("not rejected")
    screen.until(PROMPT)
    screen.press("n")
    screen.until("6 other")
    screen.press("6")
    screen.until("in your words: ")
    screen.press("we like it so\n")
    screen.until("never propose this here? [y/N] ")
    screen.press("y")
    screen.until("rejected")
    screen.until("[u q]")
    screen.press("q")
    assert screen.end() == 0
    event = seeded.log.stream(f"proposal-{raised.id}")[-1].event
    assert (event.reason, event.text, event.never) == ("other", "we like it so", True)


def test_l_defers(kairos: Any, seeded: Any, review: Any) -> None:
    raised = seeded.raise_(seeded.note())
    screen = review(raised.id)
    screen.until(PROMPT)
    screen.press("l")
    screen.until("1 1h  2 tonight  3 tomorrow  4 next-commit  5 evidence")
    screen.press("4")
    screen.until("deferred")
    screen.until("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert seeded.log.stream(f"proposal-{raised.id}")[-1].event.until is None


def test_w_shows_the_chain_and_d_cycles_the_diff(kairos: Any, seeded: Any, review: Any) -> None:
    seeded.raise_(seeded.patch("README.md", AFTER))
    screen = review()
    screen.until(PROMPT)
    screen.press("w")
    assert "TurnStarted" in screen.until(PROMPT)
    screen.press("d")
    numbers = screen.until(PROMPT)
    assert "+1" in numbers and "+more" not in numbers
    screen.press("d")
    hidden = screen.until(PROMPT)
    assert "+1  -0" not in hidden and "folded, seen" in hidden
    screen.press("d")
    assert "+more" in screen.until(PROMPT)
    screen.press("q")
    assert screen.end() == 0


def test_j_and_k_walk_and_u_takes_back_the_last_approval(kairos: Any, seeded: Any, review: Any) -> None:
    patch = seeded.raise_(seeded.patch("README.md", AFTER), seed="a", risk="medium")
    note = seeded.raise_(seeded.note(), seed="b")
    screen = review()
    assert patch.id in screen.until(PROMPT)
    screen.press("j")
    assert note.id in screen.until(PROMPT)
    screen.press("k")
    assert patch.id in screen.until(PROMPT)
    screen.press("y")
    assert note.id in screen.until(PROMPT)
    screen.press("u")
    assert "undone" in screen.until(PROMPT)
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"
    screen.press("u")
    screen.until("nothing was decided yet")
    screen.until(PROMPT)
    screen.press("q")
    assert screen.end() == 0


def test_a_key_decides_only_what_is_still_as_it_was_shown(kairos: Any, state_of: Any, seeded: Any, review: Any) -> None:
    """N17: somebody else decides while the card is on screen; the key is refused, not applied to what comes next."""
    first = seeded.raise_(seeded.patch("README.md", AFTER), seed="a", risk="medium")
    second = seeded.raise_(seeded.note(), seed="b")
    screen = review()
    assert first.id in screen.until(PROMPT)
    assert kairos("reject", first.id, "-m", "no").code == 0
    screen.until(f"{first.id} was rejected already")
    screen.until("[w d m")
    screen.press("y")
    screen.until("y decides nothing now")
    screen.until("[w d m")
    screen.press("j")
    screen.until(second.id)
    screen.until(PROMPT)
    assert state_of(second.id) == "pending"
    assert (seeded.root / "README.md").read_bytes() == b"# Demo\n"
    screen.press("q")
    assert screen.end() == 0


@pytest.mark.parametrize(
    "pasted",
    ["yaml files are next, see the ticket", "yyyy", "yn", "y\n", "\ny\ny\n", "\x1b[200~y\x1b[201~", "\x1b[200~y",
     "q\x1b[A", "y\x00\xff", "ypastéd", "\x1b[Ay", "\x1b[200~n1\n\x1b[201~n1"],
)  # fmt: skip
def test_what_arrives_at_once_and_is_no_key_decides_nothing(
    state_of: Any, seeded: Any, review: Any, pasted: str
) -> None:
    raised = seeded.raise_(seeded.note())
    screen = review()
    screen.until(PROMPT)
    screen.press(pasted)
    screen.pause()
    if "\x1b[200~" in pasted:
        screen.press("\x1b[201~")
        screen.pause()
    screen.press("?")
    screen.until("what is undecided stays")
    screen.until(PROMPT)
    assert state_of(raised.id) == "pending"
    screen.press("q")
    assert screen.end() == 0


def test_without_a_terminal_review_names_the_commands_to_use(kairos: Any, seeded: Any) -> None:
    said = kairos("review")
    assert said.code == 2
    assert "approve ID --digest D" in said.err


def test_u_takes_back_one_decision_after_another_and_shows_the_card_again(
    state_of: Any, seeded: Any, review: Any
) -> None:
    ids = [seeded.raise_(seeded.note(f"{n}"), seed=f"{n}").id for n in range(3)]
    screen = review(*ids)
    screen.until(PROMPT)
    screen.press("n")
    screen.until("6 other")
    screen.press("1")
    screen.until(PROMPT)
    screen.press("l")
    screen.until("4 next-commit")
    screen.press("1")
    screen.until(PROMPT)
    for noun in ("deferral", "rejection"):
        screen.press("u")
        assert f"took back the {noun} of" in screen.until(PROMPT)
    screen.press("q")
    assert screen.end() == 0
    assert {state_of(id_) for id_ in ids} == {"pending"}


@pytest.mark.parametrize(("answer", "state"), [("y", "pending"), ("n", "rejected"), ("q", "rejected")])
def test_u_in_a_new_review_asks_before_it_takes_back_an_older_decision(
    kairos: Any, state_of: Any, seeded: Any, review: Any, answer: str, state: str
) -> None:
    refused = seeded.raise_(seeded.note("a"), seed="a").id
    seeded.raise_(seeded.note("b"), seed="b")
    assert kairos("reject", refused, "-m", "slipped").code == 0
    screen = review()
    screen.until(PROMPT)
    screen.press("u")
    assert f"Take back the rejection of {refused}" in screen.until("Proceed? [y/N] ")
    screen.press(answer)
    screen.until(PROMPT)
    screen.press("q")
    assert screen.end() == 0
    assert state_of(refused) == state
