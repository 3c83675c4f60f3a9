"""What keeps the model from being called, and what is said of it, from what was recorded of its calls and turns."""

from __future__ import annotations

import pytest

from kairos.domain.events import AttentionHeld, DaemonStarted, Event, ModelCalled, TurnEnded, TurnStarted
from kairos.domain.model_health import REFUSALS, ModelHealth, ailment, barred, evolve

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
NOW = 20_000 * DAY


def called(outcome: str = "error", **more: int) -> ModelCalled:
    return ModelCalled(turn="t", call=1, attempt=1, model="m", outcome=outcome, spent_microusd=0, **more)


def ended(outcome: str, why: str = "") -> TurnEnded:
    return TurnEnded(turn="t", repo="r", engine="model", outcome=outcome, why=why)


def held(rule: str) -> AttentionHeld:
    return AttentionHeld(repo="r", subject="turn", why="the key is not there", rule=rule)


STARTED = TurnStarted(turn="t", repo="r", engine="model", boundary="commit", detectors=[])
BEGUN = DaemonStarted(program="1", pid=1)


def after(*events: Event) -> ModelHealth:
    health = ModelHealth()
    for event in events:
        evolve(health, event, NOW)
    return health


def states(*events: Event, at: int = NOW) -> tuple[str, str]:
    """What bars a call, and what is said."""
    health = after(*events)
    bar, ill = barred(health, at), ailment(health, at)
    return bar.state if bar else "", ill.state if ill else ""


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_again_and_again_is_not_tried_for_an_hour(status: int) -> None:
    refused = [called(status=status)] * REFUSALS
    assert states(*refused[1:]) == ("", "")
    assert states(*refused) == ("key_refused", "key_refused")
    assert states(*refused, at=NOW + HOUR - 1)[0] == "key_refused"
    assert states(*refused, at=NOW + HOUR)[0] == "", "then it is tried once more"
    assert barred(after(*refused), NOW) == ailment(after(*refused), NOW)


@pytest.mark.parametrize("between", [called("ok"), BEGUN])
def test_an_answer_or_a_new_daemon_begins_the_count_anew(between: Event) -> None:
    refused = [called(status=401)] * (REFUSALS - 1)
    assert states(*refused, between, *refused) == ("", "")


@pytest.mark.parametrize("other", [called(status=500), called("timeout"), called(status=429), called("garbage")])
def test_other_troubles_are_not_those_of_a_key(other: Event) -> None:
    assert states(*[other] * 9) == ("", "")


def test_a_server_that_wants_a_pause_gets_it_and_at_most_a_day() -> None:
    assert states(called(status=429, retry_at=NOW + HOUR)) == ("waiting", "waiting")
    assert states(called(status=429, retry_at=NOW + HOUR), at=NOW + HOUR) == ("", "")
    assert states(called(status=429, retry_at=NOW + HOUR), called("ok")) == ("", "")
    assert states(called(status=503, retry_at=NOW + HOUR), called(status=429, retry_at=NOW), at=NOW + MINUTE)[0]
    assert states(called(status=429, retry_at=NOW + 900 * DAY), at=NOW + DAY) == ("", "")


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([ended("failed", "x")], "the last model turn failed: x"),
        ([ended("parked", "x")], "the last model turn was parked: x"),
        ([ended("failed", "y"), ended("parked", "x")], "the last 2 model turns failed: x"),
        ([ended("failed", "x"), ended("stopped"), ended("interrupted")], "the last model turn failed: x"),
        ([held("model-no_key@1")], "model turns are not started: the key is not there"),
    ],
)
def test_what_fails_parks_or_does_not_start_is_said(events: list[Event], why: str) -> None:
    found = ailment(after(*events), NOW)
    assert found is not None and found.why == why


@pytest.mark.parametrize(
    "events",
    [
        [], [ended("failed"), ended("quiet")], [ended("parked"), ended("proposed")], [ended("stopped")],
        [held("model-no_key@1"), STARTED], [held("model-no_key@1"), BEGUN], [held("model-paused@1")], [held("mute@1")],
        [TurnEnded(turn="t", repo="r", engine="rules", outcome="failed")],
    ],
)  # fmt: skip
def test_a_model_that_works_or_waits_for_a_person_is_not_ill(events: list[Event]) -> None:
    assert ailment(after(*events), NOW) is None
