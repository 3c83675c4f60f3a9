"""A desk opens each part when it is asked for, and creates nothing by looking."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from kairos.desk.desk import Desk
from kairos.desk.reading import attention, inbox, repositories, usage
from kairos.domain.events import Paused
from kairos.errors import UsageError
from kairos.eventlog.record import NewEvent
from kairos.home import Home


def test_looking_at_an_empty_home_finds_nothing_and_creates_nothing(tmp_path: Path) -> None:
    with closing(Desk(str(tmp_path / "none"))) as desk:
        assert not desk.has_log
        assert inbox(desk).proposals == {} and repositories(desk).by_id == {}
        assert attention(desk).paused is False and usage(desk).turns == []
    assert not (tmp_path / "none").exists()


def test_a_desk_sees_what_was_recorded_after_it_was_opened(desk: Desk, home: Home) -> None:
    assert not desk.has_log
    with closing(Desk()) as other:
        other.log.append([NewEvent("control", Paused(), None, "user")])
    assert desk.has_log and attention(desk).paused


def test_nothing_is_done_half_configured_but_for_a_lenient_desk(desk: Desk, home: Home) -> None:
    home.config_file.parent.mkdir(parents=True, exist_ok=True)
    home.config_file.write_text("[attention]\nper_day = 'many'\n")
    with pytest.raises(UsageError, match="per_day"):
        _ = desk.log
    desk.lenient = True
    assert desk.log.head() == 0
    with closing(desk.again()) as other:
        assert other.lenient and other.home.data == desk.home.data


def test_closing_a_desk_twice_is_harmless_and_it_opens_again(desk: Desk) -> None:
    desk.log.append([NewEvent("control", Paused(), None, "user")])
    desk.close()
    desk.close()
    assert desk.log.head() == 1
