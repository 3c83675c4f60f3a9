"""The check without a patch runs once for a tree. Each run prints another number, so that equal output is one run."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import before_runs, confine
from kairos.acting.verifier import verify
from kairos.eventlog.views.inbox import InboxView
from kairos.settings import Check, Config

DRAW = ["/bin/sh", "-c", "od -An -N8 -tx8 /dev/urandom"]


@pytest.fixture
def drawing(bench: Any, repo: Any) -> Any:
    """Tries a patch of a file; gives what the check printed without the patch."""
    if confine.tier(bench.home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")
    before_runs._remembered.clear()
    for name in "abc":
        repo.write(f"{name}.txt", "one\n")
    repo.commit("one")
    bench.config = Config(check={str(bench.root): Check(command=DRAW, seconds=30)})

    def draw(name: str, after: str = "two\n") -> str:
        p = bench.verified(bench.patch({f"{name}.txt": after}))
        assert p.verified is not None and p.verified.exit == 0 and p.verified.before_exit == 0
        assert p.verified.before_output != p.verified.output, "the patch itself is tried each time"
        return str(p.verified.before_output)

    return draw


def test_proposals_in_one_clean_tree_share_one_run(drawing: Any) -> None:
    assert drawing("a") == drawing("b") == drawing("c")


def test_the_log_remembers_it_for_another_process(drawing: Any) -> None:
    first = drawing("a")
    before_runs._remembered.clear()
    assert drawing("b") == first


def test_what_is_tried_again_in_the_same_tree_is_compared_with_the_same_run(drawing: Any, bench: Any) -> None:
    first = drawing("a")
    before_runs._remembered.clear()
    p = InboxView().load(bench.log)[0].live()[0]
    again = verify(bench.log, bench.home, bench.config, p, bench.root)
    assert again.verified is not None and again.verified.before_output == first


@pytest.mark.parametrize("how", ["edit", "stage", "untracked", "mode", "link", "commit"])
def test_another_tree_is_run_again(drawing: Any, repo: Any, how: str) -> None:
    first = drawing("a")
    match how:
        case "edit" | "stage":
            repo.write("c.txt", "mine\n")
            if how == "stage":
                repo.git("add", "c.txt")
        case "untracked":
            repo.write("new.txt", "new\n")
        case "mode":
            (repo.root / "c.txt").chmod(0o755)
        case "link":
            (repo.root / "link").symlink_to("c.txt")
        case _:
            repo.write("c.txt", "mine\n")
            repo.commit("two")
    second = drawing("b")
    assert second != first and drawing("b", "three\n") == second, "a changed tree is known as well"
    if how == "edit":
        repo.write("c.txt", "mine too\n")
        assert drawing("b", "four\n") not in (first, second)


def test_another_check_is_run_again(drawing: Any, bench: Any) -> None:
    first = drawing("a")
    bench.config = Config(check={str(bench.root): Check(command=[*DRAW, "x"], seconds=30)})
    assert drawing("b") != first


def test_what_is_too_large_to_compare_is_run_each_time(
    drawing: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before_runs, "_MOST_BYTES", 2)
    repo.write("large.txt", "more than two bytes\n")
    assert drawing("a") != drawing("b")


def test_many_changed_files_are_compared_only_up_to_a_bound_in_all(
    drawing: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before_runs, "_MOST_IN_ALL", 120)
    for n in range(3):
        repo.write(f"some{n}.txt", "x" * 30)
    assert drawing("a") == drawing("b")
    repo.write("more.txt", "x" * 30)
    assert drawing("a", "three\n") != drawing("b", "three\n")


def test_a_tree_with_too_many_changes_is_not_read_to_its_end(
    drawing: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(before_runs, "_MOST_FILES", 3)
    for n in range(3):
        repo.write(f"some{n}.txt", "x")
    assert drawing("a") == drawing("b")
    for n in range(2_000):
        repo.write(f"many/{n}-{'x' * 60}.txt", "x")
    assert drawing("a", "three\n") != drawing("b", "three\n")
