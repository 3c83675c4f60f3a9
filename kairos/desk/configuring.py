"""Reading and changing settings by dotted key."""

from __future__ import annotations

from typing import Any

from kairos.desk.desk import Desk
from kairos.desk.records.system import ConfigOut
from kairos.eventlog.postgres.address import secrets_of
from kairos.settings import get_value, set_value


def get(desk: Desk, key: str) -> ConfigOut:
    """One setting, or all of them for an empty key; passwords are left out. NotFound, UsageError."""
    return ConfigOut(key=key, value=_without_password(key, get_value(desk.home, key)))


def set_(desk: Desk, key: str, value: str) -> ConfigOut:
    """Sets a key to a value, read as TOML or else as text. UsageError. A daemon reads it when it starts."""
    return ConfigOut(key=key, value=_without_password(key, set_value(desk.home, key, value)))


def _without_password(key: str, value: Any) -> Any:
    """A setting without its password, for display: the URL of the log may contain one."""
    if isinstance(value, dict):
        return {name: _without_password(f"{key}.{name}" if key else name, below) for name, below in value.items()}
    if key != "log.url":
        return value
    for word in secrets_of(str(value)):
        value = value.replace(word, "…")
    return value
