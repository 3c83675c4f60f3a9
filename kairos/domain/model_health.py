"""How the model's calls and turns went lately, as a fold: what keeps it from being called, what to say of it. Pure."""

from __future__ import annotations

import msgspec

from kairos.domain.amounts import count
from kairos.domain.events import AttentionHeld, DaemonStarted, Event, ModelCalled, TurnEnded, TurnStarted

TOPICS = frozenset({"ModelCalled", "TurnStarted", "TurnEnded", "AttentionHeld", "DaemonStarted"})
REFUSED = frozenset({401, 403})
"""The HTTP statuses of a server that refuses the key."""
REFUSALS = 3
"""After so many refusals in a row the model is not called."""
_REST_US = 3_600_000_000
_WAIT_AT_MOST_US = 86_400_000_000
_UNHELD = ("model-paused@1", "model-waiting@1", "model-key_refused@1")
"""Holds that are said otherwise: by the pause itself, or from the calls."""


class ModelHealth(msgspec.Struct, kw_only=True):
    """`refused`: attempts in a row whose key was refused, the last at `refused_at`; `wait_until`: when the server wants
    to be called again; `held`: why model turns are not started, since the last one was; `failures`: model turns in a
    row that failed or parked, the last with `outcome` and `why`. Times in us."""

    refused: int = 0
    refused_at: int = 0
    wait_until: int = 0
    held: str = ""
    failures: int = 0
    outcome: str = ""
    why: str = ""


class Ailment(msgspec.Struct, frozen=True):
    """What is wrong with the model now. `state`: key_refused | waiting (it is not called before `until`, us) | held |
    failed | parked."""

    state: str
    why: str
    until: int | None = None


def evolve(health: ModelHealth, event: Event, at: int) -> None:
    """Folds one event recorded at `at` (us) into the state, in place."""
    match event:
        case DaemonStarted():  # with another environment, perhaps with another key
            health.refused, health.held = 0, ""
        case ModelCalled():
            _called(health, event, at)
        case AttentionHeld(rule=rule) if rule.startswith("model-") and rule not in _UNHELD:
            health.held = event.why
        case TurnStarted(engine="model"):
            health.held = ""
        case TurnEnded(engine="model", outcome="failed" | "parked"):
            health.failures += 1
            health.outcome, health.why = event.outcome, event.why
        case TurnEnded(engine="model", outcome="quiet" | "proposed"):
            health.failures, health.outcome, health.why = 0, "", ""
        case _:
            pass


def _called(health: ModelHealth, event: ModelCalled, at: int) -> None:
    if event.outcome == "ok":
        health.refused = health.wait_until = 0
    elif event.status in REFUSED:
        health.refused, health.refused_at = health.refused + 1, at
    if event.retry_at is not None:
        health.wait_until = max(health.wait_until, min(event.retry_at, at + _WAIT_AT_MOST_US))


def barred(health: ModelHealth, now: int) -> Ailment | None:
    """Why the model must not be called now, None if it may be: its key was refused again and again, or its server wants
    a pause. Once the time is over it is tried again."""
    if health.refused >= REFUSALS and now < health.refused_at + _REST_US:
        why = f"the server refused the key {count(health.refused, 'time')} in a row"
        return Ailment("key_refused", why, health.refused_at + _REST_US)
    if now < health.wait_until:
        return Ailment("waiting", "the model's server asked to be left alone", health.wait_until)
    return None


def ailment(health: ModelHealth, now: int) -> Ailment | None:
    """What is wrong with the model now, None if nothing is known to be."""
    found = barred(health, now)
    if found is not None:
        return found
    if health.held:
        return Ailment("held", f"model turns are not started: {health.held}")
    if health.outcome:
        last = "the last model turn" if health.failures == 1 else f"the last {count(health.failures, 'model turn')}"
        done = "was parked" if health.outcome == "parked" and health.failures == 1 else "failed"
        return Ailment(health.outcome, f"{last} {done}: {health.why}")
    return None
