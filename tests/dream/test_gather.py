"""What a dream gathers: what teaches something, once, and where files are now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dream.gather import Rename, Repo, gather, head_of, signal
from kairos.domain.events import Paused, ProposalRejected, ProposalVerified
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent


def moves(*pairs: str) -> list[Rename]:
    return [Rename(old, new, n, 0) for n, (old, new) in enumerate(pair.split(">") for pair in pairs)]


def test_renames_in_a_row_lead_from_each_former_name_to_where_the_file_is_now() -> None:
    assert Repo("r", "r", moves=moves("a>b", "b>c", "x>y")).renames() == {"a": "c", "b": "c", "x": "y"}


def test_a_file_that_came_back_did_not_move() -> None:
    assert Repo("r", "r", moves=moves("a>b", "b>a")).renames() == {"b": "a"}
    assert Repo("r", "r").renames() == {}


def test_where_nobody_can_look_nothing_is_dead() -> None:
    assert Repo("r", "r").lives("a")
    assert not Repo("r", "r", alive=frozenset()).lives("a")
    assert Repo("r", "r", alive=frozenset({"a"})).lives("a")


def test_head_and_its_paths_are_read_or_said_to_be_unknown(repo: Any, tmp_path: Path) -> None:
    repo.write("d/é\n", "x")
    oid = repo.commit()
    assert head_of(repo.root) == (oid, frozenset({"README.md", "d/é\n"}))
    repo.git("init", "-q", str(tmp_path / "fresh"))
    assert head_of(tmp_path / "fresh") == ("", None)
    assert head_of(tmp_path / "none") == ("", None)


def test_only_what_teaches_is_signal(log: Log) -> None:
    def verified(**fields: Any) -> ProposalVerified:
        return ProposalVerified(**{"id": "k", "digest": "d", "ok": True, "check": ["make"], "exit": 0, **fields})

    told = [
        Paused(), verified(), verified(ok=False), verified(check=[]), verified(exit=None),
        ProposalRejected(id="k", reason="other", text="", never=True),
        ProposalRejected(id="k", reason="other", text=""),
    ]  # fmt: skip
    log.append([NewEvent("s", event) for event in told])
    assert [r.position for r in signal(log, 0, 99)] == [2, 6]
    assert [r.position for r in signal(log, 2, 5)] == []


def test_without_news_there_is_nothing_to_dream_of(log: Log) -> None:
    log.append([NewEvent("s", Paused())])
    assert gather(log, 0, log.head()) is None


def test_commits_are_gathered_with_their_renames_up_to_the_last_that_teaches(life: Any) -> None:
    life.repo.git("mv", "notes.md", "docs.md")
    last = life.commit()
    life.log.append([NewEvent("s", Paused())])
    found = gather(life.log, 0, life.log.head())
    assert found is not None
    assert (found.after, found.upto, found.count) == (0, last, 6)
    repo = found.repos[life.id]
    assert repo.renames() == {"notes.md": "docs.md"}
    assert repo.lives("docs.md") and not repo.lives("notes.md") and repo.head == life.repo.git("rev-parse", "HEAD")
    unseen = gather(life.log, 0, life.log.head(), look=False)
    assert unseen is not None and unseen.repos[life.id].alive is None
