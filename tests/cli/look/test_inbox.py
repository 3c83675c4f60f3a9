"""`inbox` and the ids of `show`."""

from __future__ import annotations

import json
import os
from typing import Any

import msgspec

from kairos._version import VERSION
from kairos.daemon.presence import Status, claim, publish
from kairos.desk.records.proposals import ProposalOut
from kairos.desk.records.repositories import InboxMoreOut
from kairos.domain import events as ev


def test_the_inbox_lists_what_waits_by_risk_then_age(kairos: Any, seeded: Any) -> None:
    low = seeded.raise_(seeded.note(), seed="a", risk="low")
    high = seeded.raise_(seeded.note("b"), seed="b", risk="high")
    unverified = seeded.raise_(seeded.note("c"), seed="c", risk="medium", verified=False)
    rows = msgspec.convert(kairos("inbox", "--json").data, list[ProposalOut], strict=True)
    assert [r.id for r in rows] == [high.id, unverified.id, low.id]
    assert [r.state for r in rows] == ["pending", "raised", "pending"]
    assert rows[0].evidence == [seeded.cause]
    assert rows[0].repo == str(seeded.root)
    assert rows[0].action.kind == "note"


def test_ls_is_the_inbox(kairos: Any, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    assert kairos("ls", "--json").out == kairos("inbox", "--json").out


def test_the_text_shows_short_ids_and_the_next_command(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    said = kairos("inbox").out
    assert f"  {raised.id[:4]}  note, low  0s   repo  Add a line  you committed (ev {seeded.cause})" in said
    assert "1 pending · 0 deferred · 0 model calls today.   Next: kairos review" in said


def test_exit_code_says_whether_something_waits(kairos: Any, seeded: Any) -> None:
    assert kairos("inbox").code == 0
    assert kairos("inbox", "--exit-code").code == 3
    seeded.raise_(seeded.note())
    assert kairos("inbox", "--exit-code").code == 0


def test_only_the_repository_of_the_flag_is_listed(kairos: Any, seeded: Any, tmp_path: Any) -> None:
    seeded.raise_(seeded.note())
    assert len(kairos("inbox", "--json", "--repo", seeded.root).data) == 1
    assert kairos("inbox", "--repo", tmp_path).code == 4
    assert kairos("inbox", "--repo", tmp_path / "no").code == 2


def test_an_unknown_and_an_ambiguous_id_exit_4_with_a_hint(kairos: Any, seeded: Any) -> None:
    first = seeded.raise_(seeded.note(), seed="s0")
    seeds = (f"s{n}" for n in range(1, 500))
    from kairos.domain.proposal import proposal_id

    twin = next(seed for seed in seeds if proposal_id(seed)[0] == first.id[0])
    seeded.raise_(seeded.note("b"), seed=twin)
    unknown = kairos("show", "zzzzzz", "--json")
    assert (unknown.code, unknown.error["name"]) == (4, "not_found")
    ambiguous = kairos("show", first.id[0])
    assert ambiguous.code == 4
    assert "ambiguous" in ambiguous.err and "Type more of the id" in ambiguous.err


def test_before_init_and_without_a_daemon_the_next_step_is_named(kairos: Any, home: Any) -> None:
    for verb in ("status", "inbox"):
        assert "Next: kairos watch PATH" in kairos(verb).out
    assert not home.log.exists()


def test_without_a_daemon_the_inbox_says_that_nothing_new_is_noticed(kairos: Any, seeded: Any, home: Any) -> None:
    said = kairos("inbox").out
    assert "The daemon is not running" in said and "Next: kairos start" in said
    assert kairos("status").out.rstrip().endswith("Next: kairos start")
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        assert "not running" not in kairos("inbox").out


def test_what_is_muted_and_parked_stands_below_the_list_and_parked_can_be_listed(kairos: Any, seeded: Any) -> None:
    away = seeded.raise_(seeded.note()).id
    seeded.append(ev.ProposalParked(id=away, why="b.txt is not there"), f"proposal-{away}")
    kairos("mute", "secret", "--repo", seeded.root)
    for verb in ("inbox", "status"):
        said = " ".join(kairos(verb).out.split())
        assert f"1 mute in force: secret in {seeded.root} (kairos unmute secret --repo {seeded.root})" in said
        assert "1 parked: b.txt is not there (kairos inbox --parked)" in said
    answer = json.loads(kairos("inbox", "--json").out)
    assert answer["data"] == []
    more = msgspec.convert(answer["more"], InboxMoreOut, strict=True)
    assert (more.parked, more.parked_for, more.muted[0].detector) == (1, ["b.txt is not there"], "secret")
    assert [p["id"] for p in kairos("inbox", "--parked", "--json").data] == [away]
    assert "WAITS FOR" in kairos("inbox", "--parked").out
    assert kairos("inbox", "--parked", "--all").code == 2


def test_an_unwatched_repository_is_named_below_the_list_with_the_way_back(kairos: Any, seeded: Any) -> None:
    id_ = seeded.raise_(seeded.patch("README.md", b"# x\n")).id
    kairos("unwatch", seeded.root)
    said = kairos("inbox")
    assert id_[:4] not in said.out and "0 pending" in said.out
    way = f"1 proposal of {seeded.root}, which is not watched (kairos init {seeded.root} brings it back)"
    assert way in said.out and way in kairos("status").out
    assert json.loads(kairos("inbox", "--json").out)["more"]["unwatched"] == {str(seeded.root): 1}
    assert kairos("status", "--json").data["inbox"]["pending"] == 0
    assert f"kairos init {seeded.root} brings it back" in kairos("why-not").out
    refused = kairos("approve", id_, "--yes")
    assert refused.code == 5 and "is not watched" in refused.err
    kairos("init", seeded.root, "--yes")
    assert id_[:4] in kairos("inbox").out and "not watched" not in kairos("inbox").out


def test_the_inbox_says_which_card_is_deferred_and_until_when_and_lists_those_alone(kairos: Any, seeded: Any) -> None:
    later = seeded.raise_(seeded.note(), seed="a", title="One")
    seeded.raise_(seeded.note(), seed="b", title="Two")
    kairos("defer", later.id, "--until", "next-commit")
    assert f"{later.id[:4]} is deferred until the next commit" in kairos("inbox").out
    said = kairos("inbox", "--deferred").out
    assert "UNTIL" in said and "the next commit" in said and "One" in said and "Two" not in said
    assert kairos("inbox", "--deferred", "--parked").code == 2


def test_show_without_an_id_shows_the_one_that_waits_and_names_several(kairos: Any, seeded: Any) -> None:
    none = kairos("show")
    assert none.code == 2 and "`show` needs an ID: 0 proposals wait" in none.err
    one = seeded.raise_(seeded.note(), seed="a")
    assert kairos("show", "--json").data["id"] == one.id
    other = seeded.raise_(seeded.note(), seed="b")
    both = kairos("show")
    assert both.code == 2 and "2 proposals wait (" in both.err
    assert one.id[:4] in both.err and other.id[:4] in both.err
