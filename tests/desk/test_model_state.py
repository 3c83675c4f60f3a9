"""A model that fails, waits or is not started is said wherever a person looks."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.clock import now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.doctoring import model_key
from kairos.desk.holding import in_force
from kairos.desk.model_state import model_state
from kairos.desk.silence import grouped
from kairos.desk.status import one_line, status, unheard
from kairos.domain import events as ev
from kairos.home import Home

LATER = now_us() + 3_600_000_000


@pytest.fixture(autouse=True)
def configured(home: Home) -> None:
    home.config_file.write_text('[model]\nname = "m"\nbase_url = "http://127.0.0.1:9/v1"\n')


def called(**more: Any) -> ev.ModelCalled:
    return ev.ModelCalled(turn="t", call=1, attempt=1, model="m", outcome="error", spent_microusd=0, **more)


def ended(outcome: str) -> ev.TurnEnded:
    return ev.TurnEnded(turn="t", repo="r", engine="model", outcome=outcome, why="the reason")


def hold() -> ev.AttentionHeld:
    return ev.AttentionHeld(repo="r", subject="turn", why="the reason", rule="model-no_key@1", detector="review-change")


@pytest.mark.parametrize(
    ("events", "state", "why"),
    [
        ([called(status=401)] * 3, "key_refused", "the server refused the key 3 times in a row"),
        ([called(status=429, retry_at=LATER)], "waiting", "the model's server asked to be left alone"),
        ([hold()], "held", "model turns are not started: the reason"),
        ([ended("failed")], "failed", "the last model turn failed: the reason"),
        ([ended("parked")], "parked", "the last model turn was parked: the reason"),
    ],
)
def test_a_model_in_trouble_is_said_in_status_inbox_why_not_and_doctor(
    desk: Desk, seeded: Any, events: list[ev.Event], state: str, why: str
) -> None:
    for event in events:
        seeded.append(event, "budget")
    found = status(desk)
    assert found.model is not None and (found.model.name, found.model.state, found.model.why) == ("m", state, why)
    assert found.model.remedy and "{" not in found.model.remedy
    [said] = unheard(found)
    assert said.startswith(why) and found.model.remedy in said
    assert one_line(found).endswith(f"model {state.replace('_', ' ')}")
    [held] = in_force(desk)
    assert (held.rule, held.why, held.until) == (f"model-{state}@1", why, found.model.until)
    [silent] = grouped(desk, [held])
    assert (silent.what, silent.why, silent.remedy) == ("the model", why, held.remedy)
    checked = model_key(desk, False)
    assert checked.state == ("problem" if state == "key_refused" else "warning") and why in checked.what


def test_a_pause_that_a_server_wants_ends_when_it_says(desk: Desk, seeded: Any) -> None:
    seeded.append(called(status=429, retry_at=LATER), "budget")
    found = model_state(desk)
    assert found is not None and found.until == rfc3339(LATER)


def test_a_model_that_works_is_no_news(desk: Desk, seeded: Any) -> None:
    seeded.append(ended("quiet"), "turn")
    found = status(desk)
    assert found.model is not None and found.model.state == "ready"
    assert unheard(found) == in_force(desk) == [] and "model" not in one_line(found)
    assert model_key(desk, False).state == "ok"


def test_without_a_model_its_past_is_not_said(desk: Desk, seeded: Any, home: Home) -> None:
    home.config_file.write_text("")
    seeded.append(ended("failed"), "turn")
    assert model_state(desk) is None and unheard(status(desk)) == []
