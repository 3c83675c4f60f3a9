"""Facts and their findings as one turn."""

from __future__ import annotations

from typing import Any

from kairos.daemon.fact_turns import record_turn
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain.events import DetectorMuted, LogLineTold
from kairos.domain.finding import Finding
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent, Put
from kairos.home import Home


def test_facts_findings_and_writes_are_one_append_and_a_muted_one_raises_nothing(
    others: Any, home: Home, world: World
) -> None:
    log = open_log(home)
    looker = Looker(home, others.config, log, world)
    fact = LogLineTold(repo=others.repo, watch="app", id="1", news="new", template="t", example="e")
    finding = Finding(
        detector="log-watch", version=1, key="log-watch:app:1", title="New", claim="It is new.", action=others.note(),
        evidence=[others.cause],
    )  # fmt: skip
    for muted in (False, True):
        record_turn(
            log, world, looker, others.repository, detector="log-watch", boundary="log",
            facts=[NewEvent("log-watch-x", fact, others.cause, "system")], findings=[finding], cause=others.cause,
            writes=[Put("row", b"k", b"v")],
        )  # fmt: skip
        ended = others.told("TurnEnded")[-1]
        assert (ended.outcome, ended.why) == (("quiet", "log-watch is muted") if muted else ("proposed", ""))
        assert len(others.told("LogLineTold")) == 1 + muted
        assert len(others.told("ProposalRaised")) == 1
        assert log.view_row("row", b"k") == b"v"
        others.say(DetectorMuted(detector="log-watch"))
        world.catch_up()
    log.close()
