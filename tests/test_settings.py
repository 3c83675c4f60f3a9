"""Configuration: refused whole or taken whole, never half; written atomically; never read from a repository."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.errors import UsageError
from kairos.home import Home
from kairos.settings import (
    Config,
    check_config,
    get_value,
    load_config,
    parse_clock,
    parse_config,
    parse_hours,
    set_value,
)


def write(home: Home, text: str) -> None:
    home.config_file.write_text(text)


def test_without_a_file_everything_has_its_default(home: Home) -> None:
    assert load_config(home) == Config()
    assert load_config(home).model.name == ""


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[attention]\nquite_hours = '22-08'\n", "quite_hours"),
        ("[atention]\nper_day = 3\n", "atention"),
        ("per_day = 3\n", "per_day"),
        ("[attention]\nper_day = 'three'\n", "per_day"),
        ("[attention]\nquiet_hours = '22h'\n", "quiet_hours"),
        ("[schedule]\ndream = '3 am'\n", "3 am"),
        ("[schedule]\ncompact = '25:00'\n", "25:00"),
        ("[notify]\ncommand = 'say'\n", "command"),
        ("[check.'/srv/shop']\nseconds = 5.0\n", "command"),
        ("[model]\nname = 'x'\napi_key = 'k'\n", "api_key"),
        ("[attention\n", "config.toml"),
        ("attention = 3\n", "attention"),
    ],
)
def test_a_wrong_key_or_value_is_refused_and_named(home: Home, text: str, named: str) -> None:
    write(home, "[proposals]\nexpire_days = 3.0\n" + text if text != "per_day = 3\n" else text)
    with pytest.raises(UsageError, match=named) as caught:
        load_config(home)
    assert str(home.config_file) in caught.value.message
    assert caught.value.hint


NUMBERS = [
    ("attention.per_day", int), ("attention.per_day_total", int), ("attention.idle_minutes", float),
    ("proposals.expire_days", float), ("proposals.approval_minutes", float), ("schedule.keep_hot_days", float),
    ("retention.fold_after_days", float), ("model.per_day_usd", float), ("model.per_turn_usd", float),
    ("model.input_usd_per_million", float), ("model.output_usd_per_million", float), ("model.max_output_tokens", int),
    ("model.cached_usd_per_million", float), ("model.first_token_seconds", float), ("model.idle_seconds", float),
    ("model.deadline_seconds", float), ("model.calls_per_turn", int), ("watching.sweep_minutes", float),
    ("log.lease_seconds", float), ('check."/srv/a.b".seconds', float), ('check."/srv/a.b".memory_mb', int),
]  # fmt: skip


def numbers(kind: Any, key: str = "") -> Iterator[str]:
    """The dotted key of every number below a kind."""
    if get_origin(kind) is dict:
        yield from numbers(get_args(kind)[1], f'{key}."/srv/a.b"')
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from numbers(field.type, f"{key}.{field.name}" if key else field.name)
    elif {int, float} & {kind, *get_args(kind), *(a for part in get_args(kind) for a in get_args(part))}:
        yield key


def test_the_table_of_numbers_is_complete() -> None:
    assert sorted(key for key, _ in NUMBERS) == sorted(numbers(Config))


@pytest.mark.parametrize(("key", "kind"), NUMBERS)
@pytest.mark.parametrize(
    "text",
    ["inf", "-inf", "nan", "-1", "-0.001", "1e400", "9" * 400, "9" * 5_000, "0x" + "f" * 5_000, str(2**63), str(2**64),
     '"3"', "three", "true", "[1]", "{}", "2026-01-01", "", " ", "\x00"],
)  # fmt: skip
def test_every_number_has_a_range_and_the_refusal_names_it(home: Home, key: str, kind: type, text: str) -> None:
    set_value(home, 'check."/srv/a.b".command', '["make"]')
    before = home.config_file.read_bytes()
    with pytest.raises(UsageError) as caught:
        set_value(home, key, text)
    assert home.config_file.read_bytes() == before
    noun = "a whole number" if kind is int else "a number"
    assert re.search(rf"{re.escape(key)} is .*; it must be {noun} from [\d .]+ to [\d ]+$", caught.value.message)
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("text", ["inf", "nan", "-1", "1e400", "9" * 5_000, "0x" + "f" * 5_000, "[" * 10_000, "'x'"])
def test_a_number_edited_by_hand_is_refused_with_its_key(home: Home, text: str) -> None:
    write(home, f"[model]\nper_day_usd = {text}\n")
    with pytest.raises(UsageError) as caught:
        load_config(home)
    known = "model.per_day_usd" in caught.value.message
    assert known or (text.startswith(("9", "[")) and "is not valid TOML" in caught.value.message)
    assert str(home.config_file) in caught.value.message


@pytest.mark.parametrize(("key", "kind"), NUMBERS)
def test_both_ends_of_a_range_are_in_it(home: Home, key: str, kind: type) -> None:
    set_value(home, 'check."/srv/a.b".command', '["make"]')
    with pytest.raises(UsageError) as caught:
        set_value(home, key, "-7")
    least, most = re.search(r"from ([\d .]+) to ([\d ]+)$", caught.value.message).groups()  # type: ignore[union-attr]
    for text in (least, most):
        assert get_value(home, key) != "" and set_value(home, key, text.replace(" ", "")) == float(
            text.replace(" ", "")
        )


@pytest.mark.parametrize(
    ("key", "text"),
    [("log.url", "mysql://ada:hunter22@h/d"), ("model.key_env", "sk-ant-hunter22")],
)
def test_a_refusal_does_not_repeat_what_may_be_a_secret(home: Home, key: str, text: str) -> None:
    with pytest.raises(UsageError, match=re.escape(key)) as caught:
        set_value(home, key, text)
    assert "hunter22" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("key", ["notify.command", 'check."/srv".command', 'check."/srv".read_roots'])
def test_a_word_of_a_command_holds_no_nul(home: Home, key: str) -> None:
    set_value(home, 'check."/srv".command', '["make"]')
    with pytest.raises(UsageError, match="NUL"):
        set_value(home, key, '["a\\u0000b"]')


@pytest.mark.parametrize(("key", "text"), [("model.name", "caf\udce9"), ('check."/caf\udce9".command', '["make"]')])
def test_what_is_not_utf_8_cannot_be_configured(home: Home, key: str, text: str) -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        set_value(home, key, text)


def test_a_file_that_is_no_text_is_refused(home: Home) -> None:
    home.config_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_config(home)


def test_a_folder_in_place_of_the_file_is_refused(home: Home) -> None:
    home.config_file.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load_config(home)


@pytest.mark.parametrize(
    ("text", "hours"), [("22-08", (22, 8)), ("", None), ("0-24", (0, 0)), ("9-17", (9, 17)), ("8-8", (8, 8))]
)
def test_quiet_hours_are_two_hours(text: str, hours: tuple[int, int] | None) -> None:
    assert parse_hours(text) == hours


@pytest.mark.parametrize("text", ["22", "22-", "-8", "24-8", "8-25", "a-b", "22:00-08:00", "22-8-9", "²-³", " "])
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HH-HH|invalid"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["3", "3:", ":30", "24:00", "12:60", "a:b", "12:00:00", "-1:00", "³:00"])
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HH:MM|invalid"):
        parse_clock(text)


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_minute_of_the_day_is_a_local_time(hour: int, minute: int) -> None:
    assert parse_clock(f"{hour:02}:{minute:02}") == (hour, minute)


@pytest.mark.parametrize(
    ("key", "text", "stored"),
    [
        ("attention.per_day", "9", 9),
        ("attention.idle_minutes", "2.5", 2.5),
        ("attention.quiet_hours", "23-07", "23-07"),
        ("attention.quiet_hours", '""', ""),
        ("model.name", "openai/gpt-x", "openai/gpt-x"),
        ("notify.command", '["notify-send", "Kairos"]', ["notify-send", "Kairos"]),
        ('check."/srv/a.b/shop".command', '["make", "test"]', ["make", "test"]),
    ],
)
def test_what_is_set_is_what_is_read(home: Home, key: str, text: str, stored: object) -> None:
    assert set_value(home, key, text) == stored
    assert get_value(home, key) == stored


def test_a_quoted_key_keeps_its_dots_together(home: Home) -> None:
    set_value(home, 'check."/srv/a.b".command', '["make"]')
    set_value(home, 'check."/srv/a.b".seconds', "5.0")
    assert list(load_config(home).check) == ["/srv/a.b"]
    assert load_config(home).check["/srv/a.b"].seconds == 5.0


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("attention.per_dya", "3"),
        ("attention.per_day", "lots"),
        ("attention.quiet_hours", "late"),
        ("attention", "3"),
        ("nothing.at.all", "1"),
        ("", "1"),
        ("attention.per_day.more", "1"),
        ("schedule.dream", "24:30"),
        ('check."/srv".seconds', "5.0"),
    ],
)
def test_a_setting_that_would_be_wrong_changes_nothing(home: Home, key: str, text: str) -> None:
    set_value(home, "attention.per_day", "7")
    before = home.config_file.read_bytes()
    with pytest.raises(UsageError):
        set_value(home, key, text)
    assert home.config_file.read_bytes() == before
    assert [p.name for p in home.config.iterdir() if p.name.endswith(".new")] == []


@pytest.mark.parametrize("key", ["attention.per_day", "model.name"])
def test_a_value_cannot_smuggle_in_a_second_setting(home: Home, key: str) -> None:
    set_value(
        home, key, '3\n[notify]\ncommand = ["evil"]' if key == "attention.per_day" else 'x"\n[notify]\ncommand = 1'
    )
    assert load_config(home).notify.command == []
    assert tomllib.loads(home.config_file.read_text()).keys() == {key.split(".")[0]}


def test_setting_keeps_what_a_person_wrote_elsewhere(home: Home) -> None:
    write(home, "[proposals]\nexpire_days = 3.0\n")
    set_value(home, "attention.per_day", "2")
    assert tomllib.loads(home.config_file.read_text()) == {
        "proposals": {"expire_days": 3.0},
        "attention": {"per_day": 2},
    }


WRITTEN = """\
# how I like to be spoken to
[attention]  # manners
per_day = 3      # no more
quiet_hours = '23-07'

[model]
name = "openai/x"   # cheap


# the checks of my repositories
[check."/srv/a.b"]
command = [
  "make",  # everything
  "test",
]
seconds = 5.0
"""


@pytest.mark.parametrize(
    ("key", "text", "line", "becomes"),
    [
        ("attention.per_day", "9", "per_day = 3      # no more", "per_day = 9      # no more"),
        ("attention.quiet_hours", "", "quiet_hours = '23-07'", 'quiet_hours = ""'),
        ('check."/srv/a.b".seconds', "7", "seconds = 5.0", "seconds = 7"),
    ],
)
def test_comments_and_order_outlast_a_setting(home: Home, key: str, text: str, line: str, becomes: str) -> None:
    write(home, WRITTEN)
    set_value(home, key, text)
    assert home.config_file.read_text() == WRITTEN.replace(line, becomes)


@pytest.mark.parametrize(
    ("key", "text", "ending"),
    [
        ("model.per_turn_usd", "0.5", None), ("proposals.expire_days", "3", "\n[proposals]\nexpire_days = 3\n"),
        ('check."/srv/c".command', '["make"]', '\n[check."/srv/c"]\ncommand = ["make"]\n'),
    ],
)  # fmt: skip
def test_a_new_setting_is_added_to_what_a_person_wrote(home: Home, key: str, text: str, ending: str | None) -> None:
    write(home, WRITTEN)
    set_value(home, key, text)
    found = home.config_file.read_text()
    kept = [line for line in found.splitlines() if line in WRITTEN.splitlines()]
    assert [line for line in kept if line] == [line for line in WRITTEN.splitlines() if line]
    assert ending is None or found == WRITTEN + ending


@pytest.mark.parametrize(
    "text",
    [
        "attention.per_day = 3 # dotted\n", "attention = { per_day = 3, quiet_hours = '' } # inline\n",
        "[attention]\r\nper_day = 3 # CRLF\r\n", "# only a comment", "", "[check]\n[attention]\n",
        "[check.a]\ncommand = ['x']\n[attention]\nper_day = 3\n[check.b]\ncommand = ['y'] # out of order\n",
        'check = { "/srv/a" = { command = ["x"] } }\n', "[ attention ]\n 'per_day'=3#tight\n",
        "[check.a]\ncommand = [\n'x', # one\n]\n\n\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("key", "value"),
    [("attention.per_day", "9"), ("attention.idle_minutes", "1.5"), ('check."/srv/n".command', '["make", "it"]')],
)
def test_a_setting_is_set_in_whatever_layout_and_everything_else_stays(
    home: Home, text: str, key: str, value: str
) -> None:
    home.config_file.write_bytes(text.encode())
    before = load_config(home)
    set_value(home, key, value)
    assert get_value(home, key) == tomllib.loads(f"v = {value}")["v"]
    home.config_file.write_bytes(home.config_file.read_bytes())
    after = load_config(home)
    rest = [f for f in Config.__struct_fields__ if f not in ("attention", "check")]
    assert [getattr(after, f) for f in rest] == [getattr(before, f) for f in rest]
    assert {k: v for k, v in after.check.items() if k != "/srv/n"} == dict(before.check)
    for comment in re.findall("#.*", text):
        assert comment.strip() in home.config_file.read_bytes().decode()
    assert ("\r\n" in text) is (b"\r\n" in home.config_file.read_bytes())


def test_everything_wrong_is_said_at_once(home: Home) -> None:
    write(home, "[model]\nper_day_usd = inf\nnmae = 'x'\n[attention]\nper_day = -1\n[schedule]\ndream = '25:00'\n")
    for call in (load_config, check_config, lambda h: set_value(h, "model.name", "x")):
        with pytest.raises(UsageError) as caught:
            call(home)
        for key in ("model.per_day_usd", "model.nmae", "attention.per_day", "schedule.dream"):
            assert key in caught.value.message
        assert caught.value.message.count("\n") == 4


def test_of_several_wrong_settings_one_may_be_corrected_at_a_time(home: Home) -> None:
    write(home, "[model]\nper_day_usd = inf # oops\n[attention]\nper_day = -1\n")
    with pytest.raises(UsageError, match="2 errors"):
        set_value(home, "model.per_turn_usd", "0.5")
    with pytest.raises(UsageError, match="2 errors"):
        set_value(home, "attention.per_day", "-2")
    set_value(home, "attention.per_day", "2")
    with pytest.raises(UsageError, match=r"model\.per_day_usd is inf"):
        load_config(home)
    set_value(home, "model.per_day_usd", "2")
    assert load_config(home).model.per_day_usd == 2.0
    assert "# oops" in home.config_file.read_text()


def test_a_link_to_a_configuration_elsewhere_stays_a_link(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "kairos.toml"
    elsewhere.write_text("# mine\n")
    home.config_file.symlink_to(elsewhere)
    set_value(home, "attention.per_day", "2")
    assert home.config_file.is_symlink()
    assert elsewhere.read_text().startswith("# mine\n")
    assert load_config(home).attention.per_day == 2


def test_a_setting_that_does_not_exist_cannot_be_read(home: Home) -> None:
    with pytest.raises(UsageError, match="no setting"):
        get_value(home, "attention.per_dya")
    assert get_value(home, "")["attention"]["per_day"] == 4


def test_a_repository_cannot_configure_its_own_watcher(home: Home, tmp_path: Path, monkeypatch: Any) -> None:
    for name in ("config.toml", ".kairos.toml", "kairos.toml", "pyproject.toml"):
        (tmp_path / name).write_text("[notify]\ncommand = ['evil']\n[tool.kairos.notify]\ncommand = ['evil']\n")
    monkeypatch.chdir(tmp_path)
    assert load_config(home).notify.command == []


def test_parsing_names_its_source() -> None:
    with pytest.raises(UsageError, match="the file"):
        parse_config({"x": 1}, "the file")


@pytest.mark.parametrize(
    ("key", "text"),
    [("log.url", "mysql://h/d"), ("log.url", "log.db"), ("log.lease_seconds", "0"), ("log.lease_seconds", "86400")],
)
def test_a_place_of_the_log_that_makes_no_sense_is_refused(home: Home, key: str, text: str) -> None:
    with pytest.raises(UsageError, match=key.replace(".", r"\.")):
        set_value(home, key, text)
