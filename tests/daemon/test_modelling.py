"""Model turns: one a commit, by the worker process; what a crash cut is ended and never rerun."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

from kairos.agent.outputs import REVIEW, Result
from kairos.clock import SECOND, now_us
from kairos.daemon.folded import World
from kairos.daemon.modelling import Modelling, track_of
from kairos.domain.events import (
    AttentionDue,
    CommitRecorded,
    DetectorMuted,
    GitMoved,
    ModelCalled,
    RefMove,
    TurnStarted,
)
from kairos.eventlog.leases import Everything
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import Fence, Track
from kairos.home import Home
from kairos.settings import Config, Model


@pytest.fixture
def make(others: Any, home: Home, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Modelling]:
    monkeypatch.setenv("SCRIPTED_KEY", "k-" + "1" * 20)

    def begin(model: Model, held: Everything | None = None) -> Modelling:
        config = Config(model=model)
        home.config_file.write_text(  # for the worker, which reads it itself
            "[model]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in given(model).items())
        )
        return Modelling(home, config, open_log(home), world, held or Everything(), lambda: UTC)

    return begin


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No turn waits for further commits."""
    monkeypatch.setattr("kairos.daemon.modelling.LULL_S", 0.0)


def given(model: Model) -> dict[str, Any]:
    return {"name": model.name, "base_url": model.base_url, "key_env": model.key_env}


def refusing() -> Model:
    """A model whose key is nowhere: no worker is ever started."""
    return Model(name="scripted", key_env="NOBODY_HAS_THIS_KEY")


def due(others: Any, boundary: str = "commit") -> int:
    """A commit was judged to be the moment for a turn."""
    event = AttentionDue(repo=others.repo, boundary=boundary, rule=f"{boundary}@1")
    return int(others.say(event, others.repo, others.cause, "system"))


def test_a_refusal_is_said_once_for_each_commit_with_its_tracking_position(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None]
) -> None:
    modelling = make(refusing())
    with running(modelling):
        until(lambda: modelling.position > 0)
        due(others, "burst")
        at = due(others)
        others.until("AttentionHeld")
        until(lambda: log.tracking(track_of(others.repo)) >= at)
    with running(make(refusing())):
        later = due(others)
        others.until("AttentionHeld", count=2)
    assert [e.rule for e in others.told("AttentionHeld")] == ["model-no_key@1"] * 2
    assert [r.caused_by for r in log.read(topics={"AttentionHeld"})] == [at, later]


def test_commits_from_before_the_model_was_configured_are_left_alone(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None]
) -> None:
    before = due(others)
    modelling = make(refusing())
    with running(modelling):
        until(lambda: modelling.position >= before)
        later = due(others)
        others.until("AttentionHeld")
    assert [r.caused_by for r in log.read(topics={"AttentionHeld"})] == [later]


def test_a_muted_detector_starts_no_worker(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None]
) -> None:
    others.say(DetectorMuted(detector=REVIEW, repo=""), origin="user")
    modelling, muted = make(Model(name="scripted", key_env="SCRIPTED_KEY")), log.head()
    with running(modelling):
        until(lambda: modelling.position >= muted)
        due(others)
        assert [e.rule for e in others.until("AttentionHeld")] == ["mute@1"]


def test_a_turn_that_a_crash_cut_is_ended_as_interrupted_and_not_rerun(
    others: Any, log: Log, make: Callable[..., Modelling]
) -> None:
    at = due(others)
    turn = f"turn-model-{others.repo[5:]}-{at}"
    log.append([], writes=[Track(track_of(others.repo), at - 1)])
    others.say(
        TurnStarted(turn=turn, repo=others.repo, engine="model", boundary="commit", detectors=[]), turn, at, "system"
    )
    modelling = make(Model(name="scripted", key_env="SCRIPTED_KEY"))
    modelling.position = modelling.catch_up()
    assert modelling._take(), "the commit comes again"
    modelling.step()
    modelling.close()
    assert log.tracking(track_of(others.repo)) == at
    assert [(e.turn, e.outcome) for e in others.told("TurnEnded")] == [(turn, "interrupted")]
    assert len(others.told("TurnStarted")) == 1


def test_what_a_worker_finds_is_raised_with_the_end_of_its_turn(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], repo: Any, server: Any
) -> None:
    repo.write("main.py", "import area\n\nprint(area.area(2, 3))\n")
    repo.write("area.py", "def area(w, h):\n    return w * h\n")
    repo.commit("add area")
    repo.write("area.py", "def surface(w, h):\n    return w * h\n")
    oid = repo.commit("rename area to surface")
    server.calls(
        (
            "propose_patch",
            {
                "title": "main.py still calls area.area", "claim": "The commit renamed area.",
                "files": [{"path": "main.py", "old_text": "area.area(2, 3)", "new_text": "area.surface(2, 3)"}],
                "evidence": [{"path": "area.py", "text": "def surface(w, h):"}],
            },
        )
    )  # fmt: skip
    model = Model(name="scripted", base_url=server.base_url, key_env="SCRIPTED_KEY")
    with running(make(model)):
        commit = CommitRecorded(
            repo=others.repo, oid=oid, parents=[], author="Ada", at_s=0, subject="rename", changes=[]
        )
        others.cause = others.say(commit, others.repo)
        due(others)
        others.until("TurnEnded")
    [raised], [ended] = others.told("ProposalRaised"), others.told("TurnEnded")
    assert (raised.engine, raised.detector, ended.proposals) == ("model", REVIEW, [raised.id])
    assert [r.topic for r in log.read(log.head() - 2)] == ["ProposalRaised", "TurnEnded"]


class Nothing(Everything):
    """Another daemon has every repository."""

    def fences(self, name: str) -> tuple[Fence, ...] | None:
        return None


def test_another_daemons_repositories_are_left_alone(others: Any, log: Log, make: Callable[..., Modelling]) -> None:
    log.append([], writes=[Track(track_of(others.repo), 1)])
    due(others)
    head = log.head()
    modelling = make(refusing(), Nothing())
    modelling.position = modelling.catch_up()
    modelling._take()
    modelling.step()
    assert log.head() == head and log.tracking(track_of(others.repo)) == 1
    modelling.close()


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("kairos.schedule.children.Child.run", OSError("no process can be started")),
        ("kairos.schedule.children.Child.run", RuntimeError("odd")),
        ("kairos.agent.worker_setup.prepare", ValueError("odd")),
        ("kairos.daemon.turns.Looker.raised", UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates")),
    ],
)
def test_an_error_of_kairos_ends_its_turn_and_neither_the_thread_nor_the_daemon(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch, place: str, error: Exception,
) -> None:  # fmt: skip
    def broken(*_: object, **__: object) -> None:
        raise error

    if place.endswith("raised"):
        monkeypatch.setattr("kairos.schedule.children.Child.run", lambda *_, **__: b"not a result")
    monkeypatch.setattr(place, broken)
    modelling = make(Model(name="scripted", key_env="SCRIPTED_KEY"))
    with running(modelling):
        until(lambda: modelling.position > 0)
        first = due(others)
        others.until("TurnEnded")
        second = due(others)
        others.until("TurnEnded", count=2)
        until(lambda: log.tracking(track_of(others.repo)) >= second)
    assert [r.caused_by for r in log.read(topics={"TurnEnded"})] == [first, second]
    for ended in others.told("TurnEnded"):
        assert (ended.outcome, ended.engine) == ("failed", "model") and type(error).__name__ in ended.why


def test_commits_in_quick_succession_are_one_turn(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None],
    repo: Any, server: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("kairos.daemon.modelling.LULL_S", 3_600.0)
    server.calls(("nothing", {}))
    modelling = make(Model(name="scripted", base_url=server.base_url, key_env="SCRIPTED_KEY"))
    with running(modelling):
        until(lambda: modelling.position > 0)
        old, dues = repo.git("rev-parse", "HEAD").strip(), []
        for number in range(8):
            repo.write(f"f{number}.txt", f"{number}\n")
            new = repo.commit(f"commit {number}")
            move = RefMove(name="refs/heads/main", old=old, new=new)
            moved = GitMoved(repo=others.repo, head="refs/heads/main", refs=[move], what="commit")
            others.cause, old = others.say(moved, others.repo), new
            dues.append(due(others))
        until(lambda: modelling.position >= dues[-1])
        monkeypatch.setattr("kairos.daemon.modelling.LULL_S", 0.0)
        modelling.wake()
        others.until("TurnEnded")
    [ended], [sent] = others.told("TurnEnded"), server.received
    assert (ended.outcome, len(ended.patches)) == ("quiet", 8)
    assert ended.turn == f"turn-model-{others.repo[5:]}-{dues[0]}"
    assert all(f"commit {n}" in sent.json["messages"][1]["content"] for n in range(8))
    assert log.tracking(track_of(others.repo)) == dues[-1]


def test_of_a_turn_that_a_crash_cut_no_commit_is_looked_at_again_and_a_later_one_is(
    others: Any, log: Log, make: Callable[..., Modelling]
) -> None:
    first, second, third = due(others), due(others), due(others)
    turn = f"turn-model-{others.repo[5:]}-{first}"
    log.append([], writes=[Track(track_of(others.repo), first - 1)])
    others.say(
        TurnStarted(turn=turn, repo=others.repo, engine="model", boundary="commit", detectors=[]),
        turn,
        second,
        "system",
    )
    modelling = make(refusing())
    modelling.position = modelling.catch_up()
    modelling._take()
    modelling.step()
    modelling.close()
    assert [r.caused_by for r in log.read(topics={"AttentionHeld"})] == [third]
    assert [(e.turn, e.outcome) for e in others.told("TurnEnded")] == [(turn, "interrupted")]


def test_the_place_in_the_log_does_not_move_past_commits_that_wait(
    others: Any, log: Log, make: Callable[..., Modelling], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kairos.daemon.modelling.LULL_S", 3_600.0)
    monkeypatch.setattr("kairos.daemon.modelling._TRACK_EVERY", 1)
    log.append([], writes=[Track(track_of(others.repo), log.head())])
    before = log.tracking(track_of(others.repo))
    due(others)
    modelling = make(refusing())
    modelling.position = modelling.catch_up()
    modelling._take()
    seconds = modelling.step()
    assert seconds is not None and 0 < seconds <= 3_600
    assert log.tracking(track_of(others.repo)) == before
    modelling.close()


def test_commits_that_the_model_must_wait_for_are_looked_at_when_that_is_over(
    others: Any, log: Log, make: Callable[..., Modelling], running: Callable[..., Any], until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    log.append([], writes=[Track(track_of(others.repo), log.head())])
    before = log.tracking(track_of(others.repo))
    refused = ModelCalled(
        turn="t", call=1, attempt=1, model="m", outcome="rate_limited", spent_microusd=0, status=429,
        retry_at=now_us() + 3_600 * SECOND,
    )  # fmt: skip
    others.say(refused, "budget", None, "system")
    modelling = make(Model(name="scripted", key_env="SCRIPTED_KEY"))
    assigned: list[Any] = []
    monkeypatch.setattr(modelling, "_work", lambda a: assigned.append(a) or Result(turn=a.turn, outcome="quiet"))
    first = due(others)
    modelling.position = modelling.catch_up()
    modelling._take()
    modelling.step()
    second = due(others)
    modelling._take()
    seconds = modelling.step()
    [held] = others.told("AttentionHeld")
    assert (held.rule, held.until) == ("model-waiting@1", refused.retry_at)
    assert seconds is not None and 3_000 < seconds <= 3_600
    assert log.tracking(track_of(others.repo)) == before, "after a crash they come again"
    modelling._done[others.repo] = later = second + 3  # as a comment that was answered meanwhile leaves it
    monkeypatch.setattr("kairos.daemon.modelling.now_us", lambda: now_us() + 3_601 * SECOND)
    modelling.step()
    modelling.close()
    [ended] = others.told("TurnEnded")
    assert (ended.outcome, [a.cause for a in assigned]) == ("quiet", [second])
    assert ended.turn.endswith(f"-{first}") and log.tracking(track_of(others.repo)) == later


def test_what_a_parked_turn_did_not_get_to_is_looked_at_with_the_next_commit(
    others: Any, log: Log, make: Callable[..., Modelling], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append([], writes=[Track(track_of(others.repo), log.head())])
    modelling = make(Model(name="scripted", key_env="SCRIPTED_KEY"))
    assigned: list[Any] = []
    outcomes = iter(("parked", "quiet", "quiet"))

    def work(assignment: Any) -> Result:
        assigned.append(assignment)
        return Result(turn=assignment.turn, outcome=next(outcomes))  # type: ignore[arg-type]

    monkeypatch.setattr(modelling, "_work", work)
    modelling.position = modelling.catch_up()
    moves = []
    for _ in range(3):
        moves.append(others.cause)
        due(others)
        modelling._take()
        modelling.step()
        others.cause = others.say(
            GitMoved(repo=others.repo, head="refs/heads/main", refs=[], what="commit"), others.repo
        )
    modelling.close()
    assert [a.evidence for a in assigned] == [[moves[0]], [moves[0], moves[1]], [moves[2]]]
