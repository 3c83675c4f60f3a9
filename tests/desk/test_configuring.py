"""Settings by dotted key: what is wrong is not written, and a password is not shown."""

from __future__ import annotations

import pytest

from kairos.desk import configuring
from kairos.desk.desk import Desk
from kairos.errors import NotFound, UsageError


def test_a_setting_is_read_as_it_was_set(desk: Desk) -> None:
    assert configuring.set_(desk, "attention.per_day", "7").value == 7
    assert configuring.get(desk, "attention.per_day").value == 7
    assert configuring.get(desk, "attention").value["per_day"] == 7
    assert configuring.get(desk, "").value["attention"]["per_day"] == 7


@pytest.mark.parametrize(("key", "value"), [("attention.per_day", "many"), ("attention.nonsense", "1"), ("x", "1")])
def test_what_is_wrong_is_not_written(desk: Desk, key: str, value: str) -> None:
    configuring.set_(desk, "attention.per_day", "7")
    before = desk.home.config_file.read_bytes()
    with pytest.raises(UsageError):
        configuring.set_(desk, key, value)
    assert desk.home.config_file.read_bytes() == before


def test_there_is_no_setting_of_another_name(desk: Desk) -> None:
    with pytest.raises((NotFound, UsageError)):
        configuring.get(desk, "no.such")


def test_a_password_is_kept_and_not_shown(desk: Desk) -> None:
    said = [configuring.set_(desk, "log.url", "postgresql://ada:s3cret@h/d?password=oth3r")]
    said += [configuring.get(desk, key) for key in ("", "log", "log.url")]
    assert desk.home.log_url == "postgresql://ada:s3cret@h/d?password=oth3r"
    for one in said:
        assert "ada" in str(one.value) and "s3cret" not in str(one.value) and "oth3r" not in str(one.value)
