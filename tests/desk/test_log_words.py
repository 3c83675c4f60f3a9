"""An event of a watched log on one line."""

from __future__ import annotations

from kairos.desk.log_words import of_log
from kairos.domain.events import LogLineTold, LogWatchNamed, LogWatchRemoved, Paused


def test_each_event_of_a_watched_log_has_words() -> None:
    assert of_log(LogWatchNamed(repo="r", name="app", kind="file", path="/a.log")) == "app: /a.log"
    assert of_log(LogWatchNamed(repo="r", name="app", kind="unit", unit="app.service")) == "app: app.service"
    assert of_log(LogWatchRemoved(repo="r", name="app")) == "app"
    told = LogLineTold(
        repo="r", watch="app", id="1", news="new", template="no *", example="e", commit="c" * 40, place="a.py:3"
    )
    assert of_log(told) == "app: new: no * (a.py:3, cccccccc)"
    more = LogLineTold(repo="r", watch="app", id="1", news="more", here=40, template="no *", example="e")
    assert of_log(more) == "app: 40 in ten minutes: no *"
    assert of_log(Paused()) == ""
