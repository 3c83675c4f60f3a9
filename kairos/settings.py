"""The configuration. Only the entry points (cli, dream, daemon, worker) read it.

Nothing in a watched repository is read here: a repository cannot configure its own watcher.
"""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from kairos.durable import replace_file
from kairos.errors import UsageError
from kairos.home import Home, read_toml

HOURS = r"\A(?:(?:[01]?[0-9]|2[0-3])-(?:[01]?[0-9]|2[0-4]))?\Z"
CLOCK = r"\A(?:(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9])?\Z"
Clock = Annotated[str, Meta(pattern=CLOCK, description="a local time HH:MM, or empty for never")]
Argument = Annotated[str, Meta(pattern=r"\A[^\0]*\Z", description="a text without NUL")]
"""A text that the operating system accepts as an argument or as a path."""


_HINT = "Correct it, or `kairos config set KEY VALUE`."
_NOTHING = "nothing was set"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every configuration table: an unknown key is refused. Every number declares its range."""


class AttentionSettings(_Table, frozen=True, kw_only=True):
    """When proposals are delivered. Quiet hours are local `HH-HH` (empty: none); they hold back delivery, not
    evaluation. `per_day` findings are told a day in one repository, `per_day_total` in all."""

    quiet_hours: Annotated[str, Meta(pattern=HOURS, description="local hours HH-HH, or empty for none")] = "22-08"
    per_day: Annotated[int, Meta(ge=0, le=1_000)] = 4
    per_day_total: Annotated[int, Meta(ge=0, le=10_000)] = 12
    idle_minutes: Annotated[float, Meta(ge=0, le=10_080)] = 10.0


class Proposals(_Table, frozen=True, kw_only=True):
    """How long a proposal and an approval stay valid."""

    expire_days: Annotated[float, Meta(ge=0.01, le=3_650)] = 14.0
    approval_minutes: Annotated[float, Meta(ge=0.1, le=43_200)] = 15.0


class ScheduleSettings(_Table, frozen=True, kw_only=True):
    """Local times HH:MM of nightly work; empty: never."""

    dream: Clock = "03:30"
    compact: Clock = "04:00"
    keep_hot_days: Annotated[float, Meta(ge=0, le=36_500)] = 7.0


class Retention(_Table, frozen=True, kw_only=True):
    """Retention: after this many days, observations in segments are folded into `ActivityFolded`; 0: never."""

    fold_after_days: Annotated[float, Meta(ge=0, le=36_500)] = 0.0

    def fold_before(self, now: int) -> int | None:
        """The time (us) before which observations are folded; None if folding is off."""
        return now - round(self.fold_after_days * 86_400_000_000) if self.fold_after_days else None


class Notify(_Table, frozen=True, kw_only=True):
    """A command run at boundaries, with the title of the delivered proposal as its last argument."""

    command: list[Argument] = []


class Model(_Table, frozen=True, kw_only=True):
    """The model, absent by default. `name` as litellm names it; `key_env` names the environment variable that
    holds the key; prices in USD per million tokens override the built-in table. A turn ends after
    `deadline_seconds`; an attempt ends sooner if nothing comes within `first_token_seconds`, or nothing more within
    `idle_seconds`. `tools`: "text" for a model without tool calls, which answers with JSON under a schema."""

    name: str = ""
    base_url: str = ""
    key_env: Annotated[
        str,
        Meta(pattern=r"\A[A-Za-z0-9_]*\Z", description="the name of an environment variable", extra={"secret": True}),
    ] = ""
    per_day_usd: Annotated[float, Meta(ge=0, le=100_000)] = 1.0
    per_turn_usd: Annotated[float, Meta(ge=0, le=100_000)] = 0.25
    input_usd_per_million: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    output_usd_per_million: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    cached_usd_per_million: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] = 2_000
    deadline_seconds: Annotated[float, Meta(ge=1, le=86_400)] = 120.0
    first_token_seconds: Annotated[float, Meta(ge=0.1, le=86_400)] = 60.0
    idle_seconds: Annotated[float, Meta(ge=0.1, le=86_400)] = 30.0
    calls_per_turn: Annotated[int, Meta(ge=1, le=1_000)] = 8
    tools: Literal["native", "text"] = "native"


class Check(_Table, frozen=True, kw_only=True):
    """A repository's own check command, keyed by its path in `[check."/path"]`, run confined in a scratch tree."""

    command: list[Argument]
    seconds: Annotated[float, Meta(ge=0.1, le=86_400)] = 600.0
    memory_mb: Annotated[int, Meta(ge=16, le=4_194_304)] = 4096
    read_roots: list[Argument] = []


class WatchSettings(_Table, frozen=True, kw_only=True):
    """`observer`: inotify (own reader, Linux) or watchdog. Sweep: a full comparison every this many minutes."""

    observer: Literal["auto", "inotify", "watchdog"] = "auto"
    sweep_minutes: Annotated[float, Meta(ge=0.1, le=10_080)] = 10.0


class LogPlace(_Table, frozen=True, kw_only=True):
    """Where the log is: `url` empty for SQLite under the data directory, else postgresql://USER@HOST/DATABASE; the
    environment variable KAIROS_LOG takes precedence. On a shared log another home may take over from a dead daemon
    after `lease_seconds`."""

    url: Annotated[
        str,
        Meta(
            pattern=r"\A(?:postgres(?:ql)?://.*)?\Z",
            description="empty or a postgresql:// address",
            extra={"secret": True},
        ),
    ] = ""
    lease_seconds: Annotated[float, Meta(ge=1, le=3_600)] = 15.0


class Config(_Table, frozen=True, kw_only=True):
    """config.toml as a whole."""

    log: LogPlace = LogPlace()

    attention: AttentionSettings = AttentionSettings()
    proposals: Proposals = Proposals()
    schedule: ScheduleSettings = ScheduleSettings()
    retention: Retention = Retention()
    notify: Notify = Notify()
    model: Model = Model()
    watching: WatchSettings = WatchSettings()
    check: dict[str, Check] = {}


def load_config(home: Home) -> Config:
    """The configuration, with defaults for missing keys. UsageError names the wrong key; a file with an error is
    refused whole."""
    return parse_config(read_toml(home.config_file), str(home.config_file))


def parse_config(data: dict[str, Any], source: str) -> Config:
    """A parsed TOML document as a Config. UsageError for wrong keys, types or values: it names all of them."""
    try:
        return msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        from kairos.contract import Fault, problems, refusal  # imported here because it is slow to import

        found = problems(data, Config) or [Fault("", str(error), "")]
        raise refusal(source, found, _HINT, _text_of(source)) from error


def _text_of(source: str) -> str:
    """The text of a file that was just parsed, to name lines of it; empty if there is none."""
    try:
        return Path(source).read_text("utf-8")
    except (OSError, ValueError):
        return ""


def check_config(home: Home) -> Config:
    """The configuration as `load_config` reads it, also validated by `kairos.contract`, which reports every error."""
    from kairos.contract import problems, refusal

    data = read_toml(home.config_file)
    found = problems(data, Config)
    if found:
        raise refusal(str(home.config_file), found, _HINT, _text_of(str(home.config_file)))
    return parse_config(data, str(home.config_file))


def parse_hours(text: str) -> tuple[int, int] | None:
    """`22-08` as (22, 8); None when empty. ValueError."""
    if not re.search(HOURS, text):
        raise ValueError(f"quiet hours are HH-HH, not `{text}`")
    first, _, last = text.partition("-")
    return (int(first), int(last) % 24) if text else None


def parse_clock(text: str) -> tuple[int, int] | None:
    """`03:30` as (3, 30); None when empty. ValueError."""
    if not re.search(CLOCK, text):
        raise ValueError(f"a local time is HH:MM, not `{text}`")
    hour, _, minute = text.partition(":")
    return (int(hour), int(minute)) if text else None


def get_value(home: Home, key: str) -> Any:
    """The value of a dotted key, defaults included; the whole configuration for an empty key."""
    value: Any = msgspec.to_builtins(load_config(home))
    for part in filter(None, _split_key(key)):
        if not isinstance(value, dict) or part not in value:
            raise UsageError(f"there is no setting `{key}`", "`kairos config get` lists them all.")
        value = value[part]
    return value


def set_value(home: Home, key: str, text: str) -> Any:
    """Sets a dotted key from text read as TOML, else as a string; everything else in the file is unchanged, comments
    and order included. Refused unless the result is valid, or has only errors that were there before, so that several
    wrong settings can be corrected one at a time."""
    try:
        f"{key}{text}".encode()
    except UnicodeEncodeError as error:
        raise UsageError("the key or the value is not UTF-8", "A configuration is UTF-8 text.") from error
    parts, value = _split_key(key), _value_of(text)
    _with_value(home, key, parts, value)  # what is refused makes no home
    with home.configuring():
        replace_file(home.config_file.resolve(), _with_value(home, key, parts, value).encode())
    return value


def _with_value(home: Home, key: str, parts: list[str], value: Any) -> str:
    """The text of the configuration file with one value set. UsageError if the result is not valid."""
    before = read_toml(home.config_file)
    wanted = _with(before, parts, value, key)
    _refuse_worse(before, wanted)
    written = _edited(home.config_file, parts, value)
    if not _same(_parsed(written), wanted):
        raise UsageError(f"{home.config_file} has a layout in which {key} cannot be set", "Edit it by hand.")
    return written


def _with(data: dict[str, Any], parts: list[str], value: Any, key: str) -> dict[str, Any]:
    """A document with one value set."""
    found = deepcopy(data)
    table = found
    for part in parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UsageError(f"`{key}` is not a table", "`kairos config get` lists every key.")
    table[parts[-1]] = value
    return found


def _refuse_worse(before: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raises UsageError with every error of the new document, unless it only has some of the errors of the old one."""
    from kairos.contract import problems, refusal

    left, had = problems(wanted, Config), problems(before, Config)
    left = [fault._replace(hint=_how(fault.key) or fault.hint) for fault in left]
    had = [fault._replace(hint=_how(fault.key) or fault.hint) for fault in had]
    if not left:
        parse_config(wanted, _NOTHING)
    elif not set(left) < set(had):
        raise refusal(_NOTHING, left, _HINT)


def _how(key: str) -> str:
    """An example of how a setting is set, for those that are not one word or number; else empty."""
    top = key.partition("[")[0]
    if top == "notify.command":
        return """For example: kairos config set notify.command '["notify-send", "Kairos"]'."""
    if key == "log.url":
        return "For example postgresql://USER@HOST/DATABASE; empty for a log in the home."
    if top.partition(".")[0] == "check":
        return """For example: kairos config set 'check."/path/to/repo".command' '["make", "test"]'."""
    return ""


def _edited(path: Path, parts: list[str], value: Any) -> str:
    """The text of a file with one value set and nothing else changed."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import InlineTable

    try:
        document = tomlkit.parse(path.read_bytes().decode() if path.exists() else "")
        table: Any = document
        for depth, part in enumerate(parts[:-1], 2):
            if part not in table:
                inline = isinstance(table, InlineTable)
                table[part] = tomlkit.inline_table() if inline else tomlkit.table(is_super_table=depth < len(parts))
            table = table[part]
        table[parts[-1]] = value
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, LookupError) as error:  # a layout that tomlkit cannot edit
        raise UsageError(f"{path} cannot be edited automatically: {error}", "Edit it by hand.") from error


def _same(one: Any, other: Any) -> bool:
    """Whether two documents are equal; unlike with `==`, NaN equals NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and (one == other or (one != one and other != other))


def _split_key(key: str) -> list[str]:
    """`check."/a/b".command` → the parts; a quoted part may contain dots."""
    parts, quoted, part = [], False, ""
    for char in key:
        if char == '"':
            quoted = not quoted
        elif char == "." and not quoted:
            parts.append(part)
            part = ""
        else:
            part += char
    return [*parts, part]


def _value_of(text: str) -> Any:
    """The text parsed as a TOML value, or the text itself if it is not one."""
    found = _parsed(f"value = {text}")
    return text if found is None else found["value"]


def _parsed(text: str) -> dict[str, Any] | None:
    """The text parsed as TOML; None if it is not TOML."""
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
