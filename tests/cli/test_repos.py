"""`--repo` limits a command to one repository, or is refused; no command ignores it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest

from cli.main import root
from cli.repos import OWN, WHOLE
from cli.verbs import VERBS
from kairos._version import VERSION
from kairos.clock import now_us
from kairos.daemon.presence import Status, claim, publish
from kairos.desk.desk import Desk
from kairos.desk.reading import attention
from kairos.desk.when import at_hand
from kairos.domain.events import AttentionHeld, Memory, MemoryAccepted
from kairos.eventlog.log import Log
from kairos.home import Home

Run = Callable[..., Any]
ARGUMENTS = {
    "approve": ["abcd", "--yes"], "config get": [], "config set": ["model.name", "x"], "completion": ["bash"],
    "defer": ["abcd", "--until", "2h"], "log import": ["/dev/null"], "memory recall": ["word"],
    "edit": ["abcd", "--patch", "/dev/null"],
    "memory related": ["a.py"], "memory show": ["abcd"], "mute": ["secret"], "reject": ["abcd", "-m", "no"],
    "sandbox run": ["true"], "show": ["abcd"], "unmute": ["secret"], "why": ["abcd"], "undo": ["--yes"],
    "redo": ["--yes"], "policy allow": ["x", "--path", "docs/*"], "policy test": ["--path", "a"],
    "watch-log add": ["--file", "x"], "watch-log rm": ["x"], "watch-log backtest": ["x"],
    "policy revoke": ["x"], "check add": ["--kind", "test", "--", "true"], "check rm": ["x"],
    "detectors reset": ["secret"], "detectors add": ["todo", "true"], "detectors rm": ["x"],
    "detectors promote": ["secret"], "detectors shadow": ["secret"], "detectors off": ["secret"],
    "turn show": ["1"],
}  # fmt: skip
"""The least that a command must be given."""


def leaves() -> Iterator[str]:
    """Every command as it is typed."""

    def walk(name: str, command: click.Command) -> Iterator[str]:
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield name
            for word, below in command.commands.items():
                yield from walk(f"{name} {word}", below)
        else:
            yield name

    context = click.Context(root)
    for verb in VERBS:
        found = root.get_command(context, verb)
        assert found is not None
        yield from walk(verb, found)


COMMANDS = sorted(leaves())


def test_every_command_says_what_repo_means_for_it() -> None:
    known = set(COMMANDS)
    assert known - OWN - set(WHOLE) == set(), "name these in OWN or in WHOLE"
    assert not OWN & set(WHOLE)
    assert OWN - known == {""}


@pytest.mark.parametrize("command", sorted(set(COMMANDS) & set(WHOLE)))
@pytest.mark.parametrize("first", [True, False])
def test_where_it_can_mean_nothing_it_is_refused_with_the_reason(
    kairos: Run, tmp_path: Path, command: str, first: bool
) -> None:
    words = [*command.split(), *ARGUMENTS.get(command, [])]
    flag = ["--repo", str(tmp_path)]
    said = kairos(*flag, *words, "--json") if first else kairos(*words, *flag, "--json")
    assert (said.code, said.out) == (2, "")
    assert f"`kairos {command}` takes no --repo" in said.error["message"]


GUARD = {
    "guard check",
    "guard install",
    "guard remove",
    "guard status",
    "guard uninstall",
}  # of any repository, known or not
OF_ONE = sorted((set(COMMANDS) | {""}) & OWN - {"backtest", "init", "watch", "forget", "review"} - GUARD)


@pytest.mark.parametrize("command", OF_ONE)
def test_a_repository_that_nobody_knows_is_never_taken_for_all(
    kairos: Run, seeded: Any, tmp_path: Path, command: str
) -> None:
    seeded.raise_(seeded.note())
    words = [*command.split(), *ARGUMENTS.get(command, [])]
    head = seeded.log.head()
    assert kairos("--repo", str(tmp_path), *words, "--no-input", "--json").code == 4
    assert kairos("--repo", str(tmp_path / "absent"), *words, "--no-input", "--json").code == 2
    assert seeded.log.head() == head


class Two(NamedTuple):
    """Two repositories, a proposal in each."""

    one: Any
    other: Any
    mine: Any
    foreign: Any


@pytest.fixture
def two(log: Log, seeded: Any, tmp_path: Path) -> Two:
    place = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    other = sys.modules["seeded"].Seeded(log, place.resolve())
    return Two(seeded, other, seeded.raise_(seeded.note(), seed="1"), other.raise_(other.note("there"), seed="2"))


@pytest.mark.parametrize("command", ["approve", "defer", "reject", "show", "why"])
def test_a_proposal_of_another_repository_is_not_found_and_not_decided(kairos: Run, two: Two, command: str) -> None:
    head = two.one.log.head()
    rest = ARGUMENTS[command][1:]
    assert kairos("--repo", two.one.root, command, two.foreign.id, *rest, "--no-input").code == 4
    assert two.one.log.head() == head
    assert kairos("--repo", two.other.root, command, two.foreign.id, *rest, "--no-input").code == 0


def test_status_inbox_and_log_are_those_of_one(kairos: Run, two: Two) -> None:
    status = kairos("status", "--repo", two.one.root, "--json").data
    assert [r["path"] for r in status["repos"]] == [str(two.one.root)]
    assert status["inbox"]["pending"] == 1 and kairos("status", "--json").data["inbox"]["pending"] == 2
    assert status["today"]["turns"] == 1
    assert [p["id"] for p in kairos("inbox", "--repo", two.other.root, "--json").data] == [two.foreign.id]
    kairos("reject", two.foreign.id, "-m", "no")
    lines = kairos("log", "--repo", two.other.root, "--json").out
    assert "ProposalRejected" in lines and two.mine.id not in lines and str(two.one.root) not in lines


def test_doctor_looks_at_one_repository(kairos: Run, two: Two, tmp_path: Path) -> None:
    two.other.root.rename(tmp_path / "moved")
    checks = {c["name"]: c for c in kairos("doctor", "--json").data["checks"]}
    assert (
        checks["repositories"]["state"] == "problem"
        and f"kairos unwatch {two.other.root}" in checks["repositories"]["hint"]
    )
    checks = {c["name"]: c for c in kairos("doctor", "--repo", two.one.root, "--json").data["checks"]}
    assert checks["repositories"]["what"] == "1 watched, all in place"


def test_a_pause_of_one_repository_leaves_the_other_alone(kairos: Run, two: Two, home: Home) -> None:
    done = kairos("pause", "2h", "--repo", two.one.root, "--json").data
    assert done["repo"] == str(two.one.root) and done["until"]
    with closing(Desk()) as desk:
        state = attention(desk)
    assert state.is_paused(now_us(), two.one.id) and not state.is_paused(now_us(), two.other.id)
    rows = {r["path"]: r for r in kairos("status", "--json").data["repos"]}
    assert rows[str(two.one.root)]["paused"] and rows[str(two.one.root)]["paused_until"] == done["until"]
    assert not rows[str(two.other.root)]["paused"]
    assert f"{two.one.root} is paused until {at_hand(done['until'])}" in kairos("status").out
    assert kairos("approve", two.mine.id, "--yes").code in (0, 75)
    assert kairos("resume", "--repo", two.other.root, "--json").data["position"] is None
    assert kairos("resume", "--repo", two.one.root, "--json").data["position"] is not None
    assert not kairos("status", "--json").data["repos"][0]["paused"]


def test_resume_ends_every_pause_and_of_one_only_its_own(kairos: Run, two: Two, home: Home) -> None:
    kairos("pause", "--repo", two.one.root)
    kairos("pause", "1h")
    said = kairos("resume", "--repo", two.one.root)
    assert said.code == 2 and "everything is paused" in said.err
    kairos("resume")
    with closing(Desk()) as desk:
        state = attention(desk)
    assert not state.is_paused(now_us(), two.one.id)


@pytest.mark.parametrize("text", ["0m", "0s", "0 d", "next-commit", "2020-01-01", "soon"])
def test_a_pause_that_would_be_none_is_refused(kairos: Run, seeded: Any, text: str) -> None:
    head = seeded.log.head()
    assert kairos("pause", text).code == 2
    assert seeded.log.head() == head


def test_status_says_until_when_everything_is_paused(kairos: Run, seeded: Any) -> None:
    until = kairos("pause", "2h", "--json").data["until"]
    assert kairos("status", "--json").data["paused_until"] == until
    assert f"paused until {at_hand(until)}" in kairos("status").out


def test_a_dream_of_one_repository_is_refused_and_a_rehearsal_shows_its_changes(kairos: Run, two: Two) -> None:
    assert kairos("dream", "--repo", two.one.root).code == 2
    assert kairos("dream", "--dry-run", "--repo", two.one.root, "--json").data == []


def test_memories_are_those_of_one(kairos: Run, two: Two) -> None:
    for seed, where in (("aaaa1", two.one), ("bbbb2", two.other)):
        memory = Memory(
            id=seed, repo=where.id, kind="convention", subject="s", predicate="is", value="v", text="it is so",
            cites=[1], support=1, trust="git", valid_from=1, seen=1,
        )  # fmt: skip
        where.append(MemoryAccepted(memory=memory), "memory")
    assert [m["id"] for m in kairos("memory", "ls", "--repo", two.one.root, "--json").data] == ["aaaa1"]
    assert kairos("memory", "show", "bbbb2", "--repo", two.one.root).code == 4
    assert kairos("memory", "show", "bbbb2", "--repo", two.other.root).code == 0


def test_path_and_repo_together_are_refused_and_repo_alone_stands_for_path(kairos: Run, two: Two) -> None:
    assert kairos("files", two.one.root, "--repo", two.one.root).code == 2
    assert kairos("files", "--repo", two.one.root).code == 0
    assert kairos("unwatch", two.one.root, "--repo", two.other.root).code == 2
    assert kairos("unwatch", "--repo", two.one.root, "--json").data["path"] == str(two.one.root)


def test_a_folder_inside_a_repository_is_told_where_it_lies(kairos: Run, two: Two) -> None:
    (two.one.root / "sub").mkdir()
    said = kairos("unwatch", two.one.root / "sub")
    assert said.code == 4 and f"It lies in {two.one.root}: name that." in said.err


def test_an_approved_action_that_a_broken_policy_holds_is_said_everywhere(kairos: Any, seeded: Any, home: Home) -> None:
    """With a daemon, which would carry it out."""
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        home.policy_file.write_text("mode = 'perhaps'\n")
        said = kairos("approve", raised.id, "--digest", raised.digest[:12])
        assert "nothing is carried out until policy.toml is corrected" in said.err
        assert "line 1: mode is `perhaps`" in kairos("status", "--json").data["policy_error"]
        assert "Nothing is carried out until policy.toml is corrected" in kairos("status").out
        card = kairos("show", raised.id, "--json").data
        assert card["state"] == "approved" and "policy.toml" in card["held"]
        assert "Not carried out:" in kairos("show", raised.id).out
        checks = {c["name"]: c["state"] for c in kairos("doctor", "--json").data["checks"]}
        assert checks["configuration"] == "problem"
        home.policy_file.unlink()
        assert kairos("show", raised.id, "--json").data["held"] is None
        kairos("pause", "1h")
        assert "paused" in kairos("show", raised.id, "--json").data["held"]


def test_rows_name_a_repository_by_its_id_and_by_its_path(kairos: Any, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    row = kairos("inbox", "--json").data[0]
    assert (row["repo"], row["repo_id"]) == (str(seeded.root), seeded.id)
    seeded.append(AttentionHeld(repo=seeded.id, subject="turn", why="busy", rule="self@1"), seeded.id)
    held = kairos("why-not", "--json").data[0]
    assert (held["repo"], held["repo_path"]) == (seeded.id, str(seeded.root))
    memory = Memory(
        id="aaaa1", repo=seeded.id, kind="convention", subject="s", predicate="is", value="v", text="it is so",
        cites=[1], support=1, trust="git", valid_from=1, seen=1,
    )  # fmt: skip
    seeded.append(MemoryAccepted(memory=memory), "memory")
    assert kairos("memory", "ls", "--json").data[0]["repo_path"] == str(seeded.root)
