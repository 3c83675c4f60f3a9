from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from kairos.agent.worker_setup import prepare, worker_environment
from kairos.clock import DAY, now_us
from kairos.domain.events import DaemonStarted, ModelCalled, ModelReserved, Paused
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.home import Home
from kairos.settings import Config, Model

READY = Config(model=Model(name="m", key_env="MY_KEY", per_day_usd=0.01))


def _rule(log: Log, config: Config, environ: dict[str, str]) -> str:
    refusal = prepare(log, config, environ, "repo-1", now_us(), UTC)
    return refusal.rule if refusal else ""


def test_without_a_model_nothing_starts_and_the_log_is_not_even_read(tmp_path: Path) -> None:
    log = Log(tmp_path / "absent" / "log.db")
    assert _rule(log, Config(), {}) == "not_configured"
    assert not (tmp_path / "absent").exists()


def test_a_missing_key_a_pause_and_a_spent_budget_are_told_before_a_worker_is_started(log: Log) -> None:
    assert _rule(log, READY, {}) == "no_key"
    assert _rule(log, READY, {"MY_KEY": "k"}) == ""
    reserved = ModelReserved(turn="t", call=1, model="m", reserved_microusd=10_000)
    log.append([NewEvent("budget", reserved)])
    spent = prepare(log, READY, {"MY_KEY": "k"}, "repo-1", now_us(), UTC)
    assert spent is not None and spent.rule == "budget" and spent.until is not None
    assert spent.until % DAY == 0 and 0 < spent.until - now_us() <= DAY
    log.append([NewEvent("attention", Paused())])
    assert _rule(log, READY, {"MY_KEY": "k"}) == "paused"


def test_a_refused_key_and_a_server_that_wants_a_pause_start_no_worker(log: Log) -> None:
    def say(**more: int) -> None:
        called = ModelCalled(turn="t", call=1, attempt=1, model="m", outcome="error", spent_microusd=0, **more)
        log.append([NewEvent("budget", called)])

    until = now_us() + 3_600_000_000
    say(status=429, retry_at=until)
    refusal = prepare(log, READY, {"MY_KEY": "k"}, "repo-1", now_us(), UTC)
    assert refusal is not None and (refusal.rule, refusal.until) == ("waiting", until)
    for _ in range(3):
        say(status=401)
    assert _rule(log, READY, {"MY_KEY": "k"}) == "key_refused"
    log.append([NewEvent("daemon", DaemonStarted(program="1", pid=1))])
    assert _rule(log, READY, {"MY_KEY": "k"}) == "waiting", "the pause does not end with the daemon"


def test_a_program_without_the_model_extra_says_so(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert _rule(log, READY, {"MY_KEY": "k"}) == "not_installed"


def test_the_environment_is_an_allow_list_with_one_key(home: Home) -> None:
    environ = {
        "PATH": "/bin", "HOME": "/h", "MY_KEY": "k", "OTHER_KEY": "x", "LD_PRELOAD": "evil.so", "PYTHONPATH": "/evil",
        "OPENAI_API_BASE": "http://evil", "HTTPS_PROXY": "http://proxy", "GIT_DIR": "/evil", "KAIROS_HOME": "/other",
    }  # fmt: skip
    assert worker_environment(READY, home, environ) == {
        "PATH": "/bin", "HOME": "/h", "MY_KEY": "k", "HTTPS_PROXY": "http://proxy", "KAIROS_HOME": str(home.data),
        "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }  # fmt: skip
