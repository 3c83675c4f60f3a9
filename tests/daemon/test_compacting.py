"""What holds sealing back, and what the child process says of a compaction."""

from __future__ import annotations

from kairos.daemon.compacting import ended
from kairos.domain.events import AttentionDue, BaselineRecorded, RepoTrusted, RepoUnwatched
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Track
from kairos.home import Home
from kairos.settings import Config, Model, ScheduleSettings


def test_model_turns_hold_sealing_back_only_where_a_commit_waits_for_one(log: Log, home: Home) -> None:
    def trusted(repo: str) -> NewEvent:
        return NewEvent(repo, RepoTrusted(repo=repo, root=f"/{repo}", dev=1, ino=1, by="me"))

    log.append([trusted("a"), trusted("b"), trusted("c")])
    log.append([NewEvent(r, BaselineRecorded(repo=r, entries=0, commits=0)) for r in ("a", "b", "c")])
    log.append([NewEvent("c", RepoUnwatched(repo="c", root="/c"))])
    log.append([NewEvent(r, AttentionDue(repo=r, boundary="commit", rule="commit@1")) for r in ("a", "b", "c")])
    log.append([], writes=[Track("modeller/a", 7), Track("modeller/b", 9), Track("modeller/c", 7)])
    config = Config(model=Model(name="m"), schedule=ScheduleSettings(dream=""))
    assert ended(config, log) == {"dream", "modeller", "modeller/b", "modeller/c"}
    assert ended(Config(), log) == {"modeller", "modeller/a", "modeller/b", "modeller/c"}
