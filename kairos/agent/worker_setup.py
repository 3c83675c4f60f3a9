"""Decides before starting a worker whether a model turn may start, and builds its environment. Cheap to import."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import tzinfo
from typing import Literal

import msgspec

from kairos.agent.ledger import Pauses, caps_of, day_start_us, spent_today
from kairos.clock import DAY
from kairos.domain.model_health import barred
from kairos.eventlog.log import Log
from kairos.eventlog.views.model_health import ModelHealthView
from kairos.home import Home
from kairos.settings import Config, Model

_KEPT = (
    "PATH", "HOME", "LANG", "TZ", "KAIROS_HOME", "KAIROS_CLOCK_FILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
IMPORT_SECONDS = 60.0


class Refusal(msgspec.Struct, frozen=True):
    """The reason why no worker is started, and until when (us), if that is known. `not_configured` is silent: it is not
    reported."""

    rule: Literal["not_configured", "not_installed", "no_key", "key_refused", "waiting", "paused", "budget"]
    why: str
    until: int | None = None


def prepare(
    log: Log, config: Config, environ: Mapping[str, str], repo: str, now_us: int, zone: tzinfo
) -> Refusal | None:
    """Returns None if a worker may be started. The budget is checked again, exactly, before each call."""
    model = config.model
    if not model.name:
        return Refusal("not_configured", "no model is configured")
    if importlib.util.find_spec("litellm") is None or importlib.util.find_spec("stamina") is None:
        return Refusal("not_installed", "the model extra is not installed: pip install 'kairos-assistant[model]'")
    if model.key_env and not environ.get(model.key_env):
        return Refusal("no_key", f"model.key_env names {model.key_env}, which is not in the daemon's environment")
    if Pauses(log).in_force(now_us, repo):
        return Refusal("paused", "paused by a person")
    bar = barred(ModelHealthView().load(log)[0], now_us)
    if bar is not None:
        return Refusal("key_refused" if bar.state == "key_refused" else "waiting", bar.why, bar.until)
    today = spent_today(log, now_us, zone).microusd
    if today and today >= caps_of(model).per_day:
        tomorrow = day_start_us(day_start_us(now_us, zone) + DAY + DAY // 2, zone)
        return Refusal("budget", f"{today / 1e6:.4f} USD of {model.per_day_usd} USD are spent today", tomorrow)
    return None


def worker_environment(config: Config, home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: the variables of an allow-list and the one key named in the configuration."""
    found = {name: environ[name] for name in _KEPT if name in environ}
    if home.config == home.data:
        found["KAIROS_HOME"] = str(home.data)
    key = config.model.key_env
    if key and key in environ:
        found[key] = environ[key]
    return {
        **found,
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }


def wall_seconds(model: Model) -> float:
    """Seconds after which a running worker is killed: its own deadline, plus import time and a grace period."""
    return model.deadline_seconds + IMPORT_SECONDS
