from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.turn import (
    Accepted,
    Answered,
    Ask,
    Ceased,
    CheckPatch,
    Declining,
    Effect,
    End,
    FileChange,
    Garbled,
    Malformed,
    Patch,
    Proposing,
    Refused,
    Reply,
    Request,
    Say,
    Signal,
    Started,
    Turn,
    Use,
    UseDone,
    Using,
    handle,
)

PATCH = Patch("t", "c", [FileChange("a", "b", "c")])
READ = Using("r", "read_file", {})
PROPOSE = Proposing("p", PATCH)
DECLINE = Declining("n")
WRONG = Malformed("m", "broken")
REQUESTS: list[Request] = [READ, PROPOSE, DECLINE, WRONG]


def _run(*signals: Signal, limit: int = 8) -> tuple[Turn, list[Effect]]:
    turn, effects = Turn(limit=limit), list[Effect]()
    for signal in signals:
        turn, effects = handle(turn, signal)
    return turn, effects


def test_a_turn_starts_by_asking() -> None:
    assert _run(Started())[1] == [Ask(final=False)]


def test_readings_are_run_and_then_the_model_is_asked_again() -> None:
    assert _run(Started(), Answered([READ, READ]))[1] == [Use([READ, READ])]
    assert _run(Started(), Answered([READ]), UseDone())[1] == [Ask(final=False)]


def test_too_many_readings_at_once_are_told_so() -> None:
    many: list[Request] = [Using(f"r{n}", "grep", {}) for n in range(10)]
    effects = _run(Started(), Answered(many))[1]
    assert [type(e) for e in effects] == [Reply, Reply, Use]


def test_a_proposal_is_judged_and_ends_the_turn() -> None:
    assert _run(Started(), Answered([READ, PROPOSE]))[1][-1] == CheckPatch(PROPOSE)
    turn, effects = _run(Started(), Answered([PROPOSE]), Accepted())
    assert (turn.ended, effects) == ("proposed", [End("proposed", "")])


def test_a_change_of_the_scratch_tree_is_made_before_a_proposal_of_the_same_answer_is_looked_at() -> None:
    write = Using("w", "write_file", {}, changes=True)
    effects = _run(Started(), Answered([write, PROPOSE]))[1]
    assert [type(e) for e in effects] == [Reply, Use] and effects[-1] == Use([write])
    assert _run(Started(), Answered([write, DECLINE]))[1] == [End("quiet", "")]


def test_nothing_ends_the_turn_quietly() -> None:
    assert _run(Started(), Answered([DECLINE]))[1] == [End("quiet", "")]


def test_each_kind_of_wrong_answer_is_corrected_once() -> None:
    wrong: list[Signal] = [
        Answered([]), Answered([WRONG, READ]), Answered([PROPOSE, PROPOSE]), Answered([PROPOSE, DECLINE]), Garbled("x"),
    ]  # fmt: skip
    for signal in wrong:
        effects = _run(Started(), signal)[1]
        assert effects[-1] == Ask(final=False) and all(isinstance(e, Reply | Say) for e in effects[:-1])
        turn, effects = _run(Started(), signal, signal)
        assert turn.ended == "failed" and len(effects) == 1
    assert _run(Started(), Answered([PROPOSE]), Refused("p", "no"), Answered([WRONG]))[0].ended == "failed"


def test_the_last_call_is_final_and_there_is_none_after_it() -> None:
    assert _run(Started(), limit=1)[1] == [Ask(final=True)]
    turn, effects = _run(Started(), Answered([READ]), UseDone(), limit=1)
    assert (turn.ended, effects) == ("failed", [End("failed", "1 call and no answer")])


def test_what_ends_it_from_outside_is_passed_on() -> None:
    assert _run(Started(), Ceased("parked", "budget"))[1] == [End("parked", "budget")]


SIGNALS = st.one_of(
    st.lists(st.sampled_from(REQUESTS), max_size=4).map(Answered),
    st.sampled_from([Garbled("x"), UseDone(), Accepted(), Refused("p", "w"), Ceased("stopped", "s"), Started()]),
)


@given(st.lists(SIGNALS, max_size=40), st.integers(0, 8))
def test_whatever_comes_in_calls_stay_within_the_limit_and_it_ends_at_most_once(signals: list[Signal], n: int) -> None:
    turn, asked, ended, corrected = Turn(limit=n), 0, 0, 0
    for signal in [Started(), *signals]:
        was = turn
        turn, effects = handle(turn, signal)
        asked += sum(isinstance(e, Ask) for e in effects)
        ended += sum(isinstance(e, End) for e in effects)
        corrected += turn.corrected and not was.corrected
        assert was.ended is None or effects == []
        assert sum(isinstance(e, CheckPatch) for e in effects) <= 1
    assert asked == turn.calls <= n
    assert ended == (turn.ended is not None)
    assert corrected <= 1
