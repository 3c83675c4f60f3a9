"""`undo` and `redo` without a daemon, against a real repository."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.acting.undo import undo
from kairos.desk.records.proposals import UndoneOut
from tests.seeded import Seeded

AFTER = b"# Demo\nmore\n"


def test_undo_and_redo_keep_what_the_user_did_since(kairos: Any, seeded: Any, repo: Any) -> None:
    repo.write("long.txt", "".join(f"line {n}\n" for n in range(30)))
    raised = seeded.raise_(
        seeded.patch("long.txt", (seeded.root / "long.txt").read_bytes().replace(b"line 3\n", b"3!\n"))
    )
    assert kairos("approve", raised.id, "--yes").code == 0
    mine = (seeded.root / "long.txt").read_bytes().replace(b"line 25\n", b"mine\n")
    repo.write("long.txt", mine)
    undone = kairos("undo", "--yes", "--json")
    assert undone.code == 0
    out = msgspec.convert(undone.data, UndoneOut)
    assert (out.id, out.state, out.kept, out.files) == (raised.id, "undone", ["long.txt"], ["long.txt"])
    assert seeded.log.at(out.positions[-1]).topic == "Undone"
    assert (seeded.root / "long.txt").read_bytes() == mine.replace(b"3!\n", b"line 3\n")
    assert kairos("redo", "--yes", "--json").data["state"] == "redone"
    assert (seeded.root / "long.txt").read_bytes() == mine


def test_a_conflicting_undo_shows_the_conflict_and_writes_nothing(kairos: Any, seeded: Any, repo: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    repo.write("README.md", "# Demo\nmore of mine\n")
    said = kairos("undo", raised.id, "--yes")
    assert said.code == 5
    assert "more of mine" in said.err or "README.md" in said.err
    assert seeded.read("README.md") == b"# Demo\nmore of mine\n"


def test_undo_without_a_terminal_needs_yes(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    said = kairos("undo")
    assert said.code == 2 and "--yes" in said.err
    assert seeded.read("README.md") == AFTER


def test_nothing_to_undo_or_redo_is_not_found(kairos: Any, seeded: Any, tmp_path: Any) -> None:
    for verb in ("undo", "redo"):
        assert kairos(verb, "--yes").code == 4
        assert kairos(verb, "--yes", "--home", tmp_path / "empty").code == 4


@pytest.mark.parametrize("named", [True, False])
def test_an_undo_repeated_after_a_crash_takes_back_one_thing_only(
    kairos: Any, seeded: Any, home: Any, repo: Any, killed_at: Any, named: bool
) -> None:
    ids = []
    for name in ("one.txt", "two.txt"):
        raised = seeded.raise_(seeded.patch(name, b"text\n"), seed=name)
        assert kairos("approve", raised.id, "--digest", raised.digest).code == 0
        ids.append(raised.id)
    with killed_at("placed") as on_step:
        undo(seeded.log, home, ids[1], on_step=on_step)
    done = kairos("--json", "undo", *(ids[1:] if named else []), "--yes")
    assert (done.code, done.data["id"], done.data["state"]) == (0, ids[1], "undone")
    assert (repo.root / "one.txt").exists() and not (repo.root / "two.txt").exists()


@pytest.fixture
def second(log: Any, tmp_path: Any) -> Any:
    """Another trusted repository."""
    root = tmp_path / "second"
    root.mkdir()
    return Seeded(log, root)


DECIDED = {
    "reject": (["reject", "{}", "-m", "no"], "rejection", "pending"),
    "never": (["reject", "{}", "-m", "no", "--never"], "rejection", "pending"),
    "defer": (["defer", "{}", "--until", "2h"], "deferral", "pending"),
    "acknowledge": (["approve", "{}", "--yes"], "acknowledgement", "pending"),
}


@pytest.mark.parametrize("named", [True, False], ids=["by id", "without"])
@pytest.mark.parametrize("how", DECIDED)
def test_any_decision_is_taken_back_and_made_again(kairos: Any, seeded: Any, how: str, named: bool) -> None:
    command, noun, before = DECIDED[how]
    id_ = seeded.raise_(seeded.note(), title="Look here").id
    assert kairos(*(arg.format(id_) for arg in command)).code == 0
    state = kairos("show", id_, "--json").data["state"]
    said = kairos("undo", *([id_[:5]] if named else []), "--yes")
    assert said.code == 0
    assert f"took back the {noun} of {id_[:4]} “Look here” in {seeded.root.name}: {before}" in said.out
    assert [p["id"] for p in kairos("inbox", "--json").data] == [id_]
    again = kairos("redo", *([id_] if named else []), "--yes", "--json").data
    assert (again["id"], again["state"], again["repo"]) == (id_, state, str(seeded.root))
    assert not kairos("inbox", "--json").data or how == "defer"


@pytest.mark.parametrize(
    ("do", "undone", "redone"),
    [
        (["mute", "secret"], "took back the mute of secret everywhere: heard", "muted"),
        (["mute", "secret", "--repo", "{}"], "took back the mute of secret in {}: heard", "muted"),
        (["pause"], "took back the pause everywhere: running", "paused"),
        (["pause", "2h"], "took back the pause everywhere: running", "paused"),
    ],
)
def test_mutes_and_pauses_are_taken_back(kairos: Any, seeded: Any, do: list[str], undone: str, redone: str) -> None:
    assert kairos(*(arg.format(seeded.root) for arg in do)).code == 0
    assert undone.format(seeded.root.name) in kairos("undo", "--all", "--yes").out
    assert kairos("undo", "--all", "--yes").code == 4
    assert kairos("redo", "--all", "--yes", "--json").data["state"] == redone
    back = ["resume"] if do[0] == "pause" else ["unmute", *do[1:]]
    assert kairos(*(arg.format(seeded.root) for arg in back)).code == 0
    assert kairos("undo", "--all", "--yes", "--json").data["state"] == redone


@pytest.mark.parametrize(("do", "after"), [(["pause"], "running"), (["mute", "secret"], "heard")])
def test_a_slip_about_all_repositories_is_taken_back_in_any_of_them(
    kairos: Any, seeded: Any, do: list[str], after: str
) -> None:
    id_ = seeded.raise_(seeded.note()).id
    kairos("reject", id_, "-m", "no")
    assert kairos(*do).code == 0
    said = kairos("undo", "--yes", "--repo", seeded.root, "--json").data
    assert (said["what"], said["state"], said["repo"]) == (do[0], after, None)
    assert kairos("redo", "--yes", "--repo", seeded.root, "--json").data["what"] == do[0]
    assert kairos("undo", "--yes", "--repo", seeded.root, "--json").data["state"] == after
    assert kairos("undo", "--yes", "--repo", seeded.root, "--json").data["id"] == id_


@pytest.mark.parametrize("do", [["pause"], ["mute", "secret"]])
def test_what_was_decided_before_another_decision_is_no_slip(kairos: Any, seeded: Any, do: list[str]) -> None:
    id_ = seeded.raise_(seeded.note()).id
    assert kairos(*do).code == 0
    kairos("reject", id_, "-m", "no")
    assert kairos("undo", "--yes", "--repo", seeded.root, "--json").data["id"] == id_
    refused = kairos("undo", "--yes", "--repo", seeded.root)
    assert refused.code == 4 and f"the {do[0]}" in refused.err
    assert kairos("redo", "--yes", "--repo", seeded.root, "--json").data["id"] == id_


def test_a_decision_about_all_repositories_is_in_the_stack_of_none(
    kairos: Any, seeded: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `resume` made after a rejection: in the repository `undo` takes back the rejection, never the resume."""
    id_ = seeded.raise_(seeded.note()).id
    assert kairos("pause").code == 0
    kairos("reject", id_, "-m", "no")
    assert kairos("resume").code == 0
    at = seeded.log.head()
    assert kairos("undo", "--yes", "--json", "--repo", seeded.root).data["id"] == id_
    said = kairos("undo", "--yes", "--repo", seeded.root)
    assert said.code == 4 and "the resume of all repositories: `kairos undo --all`" in said.err
    said = kairos("undo", "--yes")  # outside of any repository
    assert said.code == 2 and "it concerns all repositories" in said.err and f"kairos undo {at} --yes" in said.err
    assert not kairos("status", "--json").data["paused"]
    screen = terminal("undo", "--all")
    assert "Take back the resume everywhere: Kairos is paused in all repositories then." in screen.until("[y/N] ")
    screen.press("n\n")
    screen.until("nothing was changed")
    assert screen.end() == 0
    assert kairos("undo", str(at), "--yes", "--json").data["state"] == "paused"
    assert kairos("undo", "--all", "--repo", seeded.root).code == 2


def test_what_cannot_be_undone_says_how_to_step_over_it(kairos: Any, seeded: Any, repo: Any) -> None:
    older = seeded.raise_(seeded.patch("other.txt", b"text\n"), seed="a", title="Older").id
    newer = seeded.raise_(seeded.patch("README.md", AFTER), seed="b").id
    for id_ in (older, newer):
        assert kairos("approve", id_, "--yes").code == 0
    repo.write("README.md", "# Demo\nmore of mine\n")
    said = kairos("undo", "--yes")
    assert said.code == 5
    assert f"To step over it: `kairos undo {older[:4]}` (the approval of {older[:4]} “Older”)." in said.err
    assert kairos("undo", older[:4], "--yes", "--json").data["state"] == "undone"
    assert not (seeded.root / "other.txt").exists() and seeded.read("README.md") == b"# Demo\nmore of mine\n"


def test_an_older_change_that_a_newer_one_covers_names_the_newer_one(kairos: Any, seeded: Any) -> None:
    older = seeded.raise_(seeded.patch("README.md", b"# Demo\none\n"), seed="a").id
    assert kairos("approve", older, "--yes").code == 0
    newer = seeded.raise_(seeded.patch("README.md", b"# Demo\ntwo\n"), seed="b").id
    assert kairos("approve", newer, "--yes").code == 0
    said = kairos("undo", older, "--yes")
    assert said.code == 5 and f"to take that back first: `kairos undo {newer[:4]}`" in said.err


def test_kept_is_said_only_of_edits_since_the_last_run(kairos: Any, seeded: Any, repo: Any) -> None:
    lines = [f"line {n}\n" for n in range(30)]
    repo.write("long.txt", "".join(lines))
    after = "".join(lines).replace("line 3\n", "3!\n").replace("line 15\n", "15!\n")
    raised = seeded.raise_(seeded.patch("long.txt", after.encode()))
    assert kairos("approve", raised.id, "--yes").code == 0
    repo.write("long.txt", after.replace("15!\n", "line 15\n"))  # half of it undone by hand: no edit of theirs stays
    kept = []

    def step(verb: str, edit: tuple[str, str] = ("", "")) -> None:
        now = seeded.read("long.txt").decode()
        repo.write("long.txt", now.replace(*edit) if edit[0] else now)
        done = kairos(verb, "--yes")
        assert done.code == 0
        kept.append("kept your later edits in long.txt" in done.out)

    step("undo")
    step("redo")
    step("undo", ("line 25\n", "mine\n"))
    step("redo")
    step("undo")
    step("redo", ("line 28\n", "mine too\n"))
    assert kept == [False, False, True, False, False, True]
    assert [e.kept for e in _runs(seeded, raised.id)] == [[], [], ["long.txt"], [], [], ["long.txt"]]


def _runs(seeded: Any, id_: str) -> list[Any]:
    return [r.event for r in seeded.log.stream(f"proposal-{id_}") if r.topic in ("Undone", "Redone")]


def test_redo_of_an_approval_says_what_it_did(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("pause")
    assert kairos("approve", raised.id, "--yes").code == 75
    assert kairos("undo", raised.id, "--yes", "--json").data["state"] == "pending"
    said = kairos("redo", raised.id, "--yes")
    assert said.code == 75 and "paused" in said.err
    assert kairos("undo", raised.id, "--yes", "--json").data["state"] == "pending"
    kairos("resume")
    said = kairos("redo", raised.id, "--yes")
    assert said.code == 0 and f"{raised.id[:4]} applied again in {seeded.root.name}" in said.out
    assert ": README.md." in said.out and seeded.read("README.md") == AFTER


@pytest.mark.parametrize("how", ["--repo", "inside", "deep inside"])
def test_another_repository_is_left_alone(
    kairos: Any, seeded: Any, second: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    assert kairos("approve", raised.id, "--yes").code == 0
    refused = seeded.raise_(seeded.note(), seed="b").id
    assert kairos("reject", refused, "-m", "no").code == 0
    if how == "--repo":
        where = ["--repo", second.root]
    else:
        where = []
        folder = second.root / "sub" if "deep" in how else second.root
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
    head = seeded.log.head()
    for verb in ("undo", "redo"):
        said = kairos(verb, "--yes", *where)
        assert (said.code, second.root.name in said.err) == (4, True)
    said = kairos("undo", raised.id, "--repo", second.root, "--yes")
    assert (said.code, f"not in {second.root}" in said.err) == (4, True)
    assert kairos("undo", "", "--yes").code == 2
    assert seeded.log.head() == head and seeded.read("README.md") == AFTER
    assert kairos("undo", raised.id, "--yes", "--json").data["repo"] == str(seeded.root)  # by id, from anywhere
    assert seeded.read("README.md") == b"# Demo\n"


def test_in_an_unknown_repository_nothing_is_undone(
    kairos: Any, seeded: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kairos("pause")
    unknown = tmp_path / "unknown"
    (unknown / ".git").mkdir(parents=True)
    monkeypatch.chdir(unknown)
    said = kairos("undo", "--yes")
    assert said.code == 4 and "unknown is not a repository that Kairos knows" in said.err


def test_outside_of_any_repository_the_last_of_all_is_named_and_asked_for(
    kairos: Any, terminal: Any, seeded: Any, second: Any
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    assert kairos("approve", raised.id, "--yes").code == 0
    said = kairos("undo", "--yes")
    assert said.code == 2 and f"in {seeded.root.name} (README.md;" in said.err
    assert seeded.read("README.md") == AFTER
    screen = terminal("undo")
    assert f"in {seeded.root.name} (README.md; executed" in screen.until("Proceed? [y/N] ")
    screen.press("y\n")
    screen.until(f"undone in {seeded.root.name} ")
    assert screen.end() == 0
    assert seeded.read("README.md") == b"# Demo\n"


def test_undo_walks_back_over_decisions_and_executions_in_one_order(kairos: Any, seeded: Any) -> None:
    patch = seeded.raise_(seeded.patch("README.md", AFTER), seed="a").id
    refused = seeded.raise_(seeded.note(), seed="b").id
    later = seeded.raise_(seeded.note(), seed="c").id
    kairos("reject", refused, "-m", "no")
    kairos("approve", patch, "--yes")
    kairos("mute", "secret")
    kairos("defer", later, "--until", "1h")
    walked = [kairos("undo", "--all", "--yes", "--json").data for _ in range(4)]
    assert [(w["what"], w["id"]) for w in walked] == [
        ("defer", later), ("mute", ""), ("approve", patch), ("reject", refused)
    ]  # fmt: skip
    assert kairos("undo", "--yes").code == 4
    assert [kairos("redo", "--yes", "--json").data["id"] for _ in range(2)] == [refused, patch]
    kairos("approve", later, "--yes")
    assert kairos("redo", "--yes").code == 4, "a new decision cuts the redo line"
    assert kairos("undo", "--yes", "--json").data["id"] == later


def test_why_shows_the_decision_and_that_it_was_taken_back(kairos: Any, seeded: Any) -> None:
    id_ = seeded.raise_(seeded.note()).id
    kairos("reject", id_, "-m", "slipped")
    at = seeded.log.head()
    kairos("undo", "--yes")
    kairos("redo", "--yes")
    said = kairos("why", id_).out
    assert f"the rejection at {at} was taken back" in said
    assert f"the rejection at {at} holds again" in said


def test_undo_of_what_nobody_decided_is_stale(kairos: Any, seeded: Any) -> None:
    id_ = seeded.raise_(seeded.note()).id
    for verb in ("undo", "redo"):
        said = kairos(verb, id_, "--yes")
        assert said.code == 5 and f"{id_} is pending: there is nothing to {verb}" in said.err


def test_after_an_undo_undo_says_that_redo_is_there(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    assert kairos("reject", raised.id, "-m", "no").code == 0
    unasked = kairos("undo", "--repo", str(seeded.root))
    assert unasked.code == 2 and "error: `undo` needs a yes" in unasked.err and "With --yes it does this" in unasked.err
    assert kairos("undo", "--yes", "--repo", str(seeded.root)).code == 0
    nothing = kairos("undo", "--yes", "--repo", str(seeded.root))
    assert nothing.code == 4 and "was taken back: `kairos redo` makes it again" in nothing.err
