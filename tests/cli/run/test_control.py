"""`pause`, `resume`, `mute`, `tick` and `stop`."""

from __future__ import annotations

from typing import Any

from kairos.daemon.presence import claim
from kairos.domain import events as ev


def test_pause_holds_until_resumed_and_is_in_the_log(kairos: Any, seeded: Any) -> None:
    assert kairos("pause", "--json").data["until"] is None
    assert kairos("status", "--json").data["paused"] is True
    assert "Next: kairos resume" in kairos().out
    assert kairos("resume", "--json").data["paused"] is False
    assert kairos("resume", "--json").data["position"] is None
    assert kairos("status", "--json").data["paused"] is False
    types = [line.split()[2] for line in kairos("log", "--after", "5").out.splitlines()]
    assert types == ["Paused", "Resumed"]


def test_a_pause_and_its_end_are_said_as_people_say_times(kairos: Any, seeded: Any) -> None:
    assert kairos("pause").out == "everything is paused until kairos resume\n"
    said = kairos("pause", "tomorrow", "--repo", seeded.root).out
    assert said == f"{seeded.root} is paused until tomorrow 09:00; kairos resume --repo {seeded.root} ends it\n"
    assert kairos("resume").out == f"resumed: everything, {seeded.root}\n"
    kairos("pause", "tomorrow")
    assert "paused until tomorrow 09:00" in kairos("status").out
    done = kairos("resume", "--json").data
    assert done["resumed"] == [None]
    assert kairos("resume").out == "nothing was paused\n"


def test_a_wrong_pause_is_answered_with_what_a_pause_takes(kairos: Any, seeded: Any) -> None:
    said = kairos("pause", "10")
    assert said.code == 2 and "`10` has no unit" in said.err and "Say 10m, 10h or 10d." in said.err
    said = kairos("pause", "soon")
    assert "next-commit" not in said.err and "tonight" in said.err
    assert "next-commit" in kairos("defer", "x", "--until", "soon").err


def test_a_pause_takes_a_duration(kairos: Any, seeded: Any) -> None:
    assert kairos("pause", "2h", "--json").data["until"].endswith("Z")
    for bad in ("later", "next-commit", "2"):
        assert kairos("pause", bad).code == 2


def test_mute_is_everywhere_or_in_one_repository(kairos: Any, seeded: Any) -> None:
    assert kairos("mute", "secret", "--json").data["repo"] is None
    here = kairos("mute", "conflict-marker", "--repo", seeded.root, "--json").data
    assert here["repo"] == str(seeded.root)
    assert seeded.log.at(here["position"]).event.repo == seeded.id
    assert kairos("unmute", "secret", "--json").data["muted"] is False
    said = kairos("mute", "nonsense")
    assert said.code == 2 and "stale-reference" in said.err


def test_stop_without_a_daemon_is_exit_10(kairos: Any) -> None:
    said = kairos("stop", "--json")
    assert (said.code, said.error["name"]) == (10, "no_daemon")


def test_a_second_daemon_is_exit_11_at_once(kairos: Any, home: Any) -> None:
    with claim(home):
        said = kairos("daemon", "run", "--json")
        assert (said.code, said.error["name"]) == (11, "locked")
        assert "ready" not in said.err.splitlines()


def test_a_tick_needs_a_daemon(kairos: Any) -> None:
    assert kairos("tick", "--json").code == 10


def test_a_mute_says_how_to_take_it_back(kairos: Any, seeded: Any) -> None:
    said = kairos("mute", "secret").out
    position = seeded.log.head()
    assert f"kairos unmute secret (or kairos undo {position}) ends this" in said
    kairos("mute", "conflict-marker", "--repo", seeded.root)  # a later decision, so that the last one is another
    undone = kairos("undo", str(position), "--yes").out
    assert "took back the mute of secret everywhere" in undone and undone.endswith("Redo: kairos redo --all\n")
    kairos("mute", "secret")
    kairos("mute", "secret", "--repo", seeded.root)
    said = kairos("unmute", "secret", "--repo", seeded.root).out
    assert "secret is heard in" in said and "another mute of it is in force" in said
    held = ev.AttentionHeld(repo=seeded.id, subject="secret:1", rule="mute@1", why="", detector="secret")
    seeded.append(held, seeded.id)
    assert "1 finding that the mute held back: looked at again when the daemon runs" in kairos("unmute", "secret").out
