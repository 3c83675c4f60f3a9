"""The tree of tests stands beside the tree of sources: a module has its tests in its place, a test has its module."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

Graph = Callable[..., dict[str, set[str]]]

COVERED = {
    "dream/extract.py": "tests/dream/test_phases.py",
    "kairos/acting/applying.py": "tests/acting/test_recovery.py",
    "kairos/acting/hook_scripts.py": "tests/acting/test_hooking.py",
    "kairos/acting/performing.py": "tests/acting/test_executor.py",
    "kairos/daemon/finding.py": "tests/daemon/test_keeping.py",
    "kairos/daemon/manners.py": "tests/daemon/test_speaking.py",
    "kairos/daemon/model_worker.py": "tests/agent/test_worker.py",
    "kairos/detectors/stale_reference/references.py": "tests/detectors/stale_reference/test_detector.py",
    "kairos/domain/catalogue.py": "tests/house/test_docs.py",
    "kairos/domain/deciding.py": "tests/domain/test_proposal.py",
    "kairos/domain/events/detectors.py": "tests/domain/test_awaited.py",
    "kairos/domain/events/base.py": "tests/domain/test_events.py",
    "kairos/domain/finding.py": "tests/domain/test_raising.py",
    "kairos/domain/holds.py": "tests/domain/test_raising.py",
    "kairos/eventlog/opener.py": "tests/eventlog/killing/acts.py",
    "kairos/eventlog/postgres/making.py": "tests/eventlog/postgres/test_engine.py",
    "kairos/eventlog/postgres/queries.py": "tests/eventlog/postgres/test_engine.py",
    "kairos/eventlog/reader.py": "tests/eventlog/test_log.py",
    "kairos/eventlog/record.py": "tests/eventlog/test_log.py",
    "kairos/eventlog/sqlite/engine.py": "tests/eventlog/test_log.py",
    "kairos/eventlog/sqlite/making.py": "tests/eventlog/test_cutovers.py",
    "kairos/eventlog/sqlite/queries.py": "tests/eventlog/test_log.py",
    "kairos/eventlog/sqlite/recorder.py": "tests/eventlog/test_stock.py",
    "kairos/eventlog/views/checks.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/log_watches.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/attention.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/controls.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/roster.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/shadows.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/log_views.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/replay.py": "tests/eventlog/views/test_projection.py",
    "kairos/eventlog/views/filed.py": "tests/eventlog/views/test_inbox.py",
    "kairos/eventlog/views/index.py": "tests/eventlog/views/test_inbox.py",
    "kairos/sensing/attribution.py": "tests/sensing/test_git_moves.py",
    "kairos/sensing/causes.py": "tests/sensing/test_git_moves.py",
    "kairos/sensing/git_watch.py": "tests/sensing/test_sensor.py",
    "kairos/sensing/head_objects.py": "tests/sensing/test_damage.py",
    "kairos/sensing/hints.py": "tests/sensing/test_sensor.py",
    "kairos/sensing/ignoring.py": "tests/sensing/test_sensor.py",
    "kairos/sensing/listings.py": "tests/sensing/test_sensor.py",
    "kairos/sensing/observing.py": "tests/sensing/test_sensor.py",
    "kairos/sensing/status.py": "tests/sensing/test_sensor.py",
}
"""Modules whose tests speak of what they are a part of: there they can fail, and here would be said again."""

STORIES = {
    "tests/acting/test_hostile_undo.py": "undo on trees that were tampered with, fail, or change meanwhile",
    "tests/acting/test_folding.py": "what is applied and undone where a file system folds case",
    "tests/domain/test_innocent_values.py": "what looks like a credential and is none",
    "tests/backtest/test_measuring.py": "what makes a measured row of docs/detectors.md old",
    "tests/backtest/test_repo_idq.py": "what a decision to speak counts, in benches/repo_idq.py",
    "tests/acting/test_attacks.py": "what a confined command tries, against all of acting and the launcher",
    "tests/agent/test_scratch_turns.py": "turns that change their scratch tree, and a model that obeys injected wishes",
    "tests/agent/test_troubled_servers.py": "turns whose server is slow, silent, cut off, or wrong about what it used",
    "tests/cli/decide/test_review_screen.py": "a whole review on screens of several sizes",
    "tests/cli/decide/test_taken_by_git.py": "approve, undo and redo around what git throws away",
    "tests/acting/test_ordinary_checks.py": "what ordinary test suites use, in the sandbox",
    "tests/cli/look/test_foreign_events.py": "every command, with events of another application in the log",
    "tests/cli/test_answers.py": "every answer of a recorded home",
    "tests/cli/test_fuzz.py": "every command, with hostile arguments and in troubled places",
    "tests/domain/checks/test_hostile_reports.py": "a megabyte of anything, to all readers of reports",
    "tests/cli/test_one_moment.py": "each command answers from one state of the log",
    "tests/cli/test_shared_log.py": "every command on PostgreSQL",
    "tests/cli/test_startup.py": "what a quick command imports",
    "tests/cli/test_terminal.py": "every command on a terminal",
    "tests/daemon/test_amid_a_checkout.py": "looks while git is at work",
    "tests/daemon/test_checks_on_branches.py": "the cards of checks while branches come and go",
    "tests/daemon/test_answering_comments.py": "a comment on a proposal, from the review to the model and back",
    "tests/daemon/test_silenced.py": "a detector that fell silent, and how it wakes",
    "tests/daemon/test_kept_findings.py": "lives of secrets and of files that were left out",
    "tests/daemon/test_kept_forgotten.py": "decisions on proposals of which an event was forgotten",
    "tests/daemon/test_kept_patches.py": "lives of patches that no detector makes anew",
    "tests/daemon/test_kept_places.py": "lives of secrets that move among commits, the index and the work tree",
    "tests/daemon/test_kept_thrown_away.py": "lives of patches that were carried out and that git took out of the tree",
    "tests/detectors/test_forgotten.py": "what any room shows of a name, forgetting finds",
    "tests/dream/test_killing.py": "a dream killed at every write",
    "tests/eventlog/test_applications.py": "stock applications of eventsourcing on a log",
    "tests/eventlog/test_cutovers.py": "readers while sealing, folding and a change of layout go on",
    "tests/eventlog/test_feeding.py": "rows on both ways into a segment",
    "tests/eventlog/test_folded_logs.py": "logs that earlier versions folded",
    "tests/eventlog/test_folding_stories.py": "random pasts through sealing, folding and moving",
    "tests/eventlog/test_foreign_events.py": "events of another application, sealed, moved, forgotten",
    "tests/eventlog/test_full_disk.py": "the disk full at every page",
    "tests/eventlog/test_killing.py": "a log killed at every system call",
    "tests/eventlog/test_mutations.py": "faults planted in the log's own code",
    "tests/eventlog/test_tampering.py": "every changed byte of a log",
    "tests/sensing/test_back_and_forth.py": "branches switched faster than they are looked at",
    "tests/sensing/test_damage.py": "repositories that cannot be read",
    "tests/sensing/test_git_moves.py": "what git does to a watched tree",
    "tests/sensing/test_offline.py": "what happens while nobody watches",
    "tests/sensing/test_patience.py": "bursts that do not end",
    "tests/sensing/test_storms.py": "thousands of changes and lost hints",
}
"""Tests of a room as a whole, each with what it is about."""

ACROSS = ("tests/golden/", "tests/house/", "tests/native/", "tests/nights/", "tests/walk/")
"""Folders of tests that belong to no room of the Python house: old files, the house itself, the native floor, and the
whole program from outside."""


def mirror(source: str) -> str:
    """Where the tests of a module are: `kairos/repo/git.py` → `tests/repo/test_git.py`. Those of a package's own
    file and of `__main__` are named after what they run."""
    parts = source.removeprefix("kairos/").removesuffix("/__init__.py").removesuffix(".py").split("/")
    return "/".join(["tests", *parts[:-1], f"test_{parts[-1].strip('_')}.py"])


def only_declares(tree: ast.Module) -> bool:
    """Whether a module defines data and shapes alone: no function of it does anything."""
    return all(
        all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.fixture(scope="session")
def tests(root: Path) -> dict[str, ast.Module]:
    """Path below the checkout → syntax tree, of every Python file of the tests."""
    return {p.relative_to(root).as_posix(): ast.parse(p.read_text("utf-8")) for p in (root / "tests").rglob("*.py")}


def test_every_module_has_tests_in_its_place_or_is_named(
    trees: dict[str, ast.Module], tests: dict[str, ast.Module]
) -> None:
    doing = {path for path, tree in trees.items() if not only_declares(tree)}
    assert len(doing) > 100
    alone = {path for path in doing if mirror(path) not in tests}
    assert sorted(alone - set(COVERED)) == [], "write the tests of these, or name those that can fail for them"
    assert sorted(set(COVERED) - alone) == [], "these need no naming any more"


def test_the_tests_that_are_named_for_a_module_reach_it(
    trees: dict[str, ast.Module], tests: dict[str, ast.Module], graph: Graph
) -> None:
    arrows = graph(trees)
    entered = graph(tests, frozenset(arrows))
    lost = []
    for source, test in COVERED.items():
        assert test in tests, test
        place = test.removesuffix(".py").split("/")
        beside = [".".join([*place[:n], "conftest"]) for n in range(1, len(place))]
        found, waiting = set[str](), [m for name in [".".join(place), *beside] for m in entered.get(name, ())]
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting += arrows.get(module, entered.get(module, ()))  # a helper of the tests leads on
        if source.removesuffix(".py").replace("/", ".") not in found:
            lost.append(f"{test} does not come to {source}")
    assert lost == []


def test_every_test_stands_beside_its_module_or_is_named(
    trees: dict[str, ast.Module], tests: dict[str, ast.Module]
) -> None:
    places = {mirror(path) for path in trees}
    written = {path for path in tests if path.rpartition("/")[2].startswith("test_") and not path.startswith(ACROSS)}
    assert len(written) > 80
    assert sorted(written - places - set(STORIES)) == [], "move these beside what they test, or say what they are about"
    assert sorted(set(STORIES) - written) + sorted(set(STORIES) & places) == [], "these need no naming any more"


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("kairos/repo/git.py", "tests/repo/test_git.py"), ("dream/__main__.py", "tests/dream/test_main.py"),
        ("kairos/domain/events/__init__.py", "tests/domain/test_events.py"), ("kairos/clock.py", "tests/test_clock.py"),
        ("cli/look/log.py", "tests/cli/look/test_log.py"), ("kairos/_version.py", "tests/test_version.py"),
    ],
)  # fmt: skip
def test_a_place_follows_from_the_path(source: str, test: str) -> None:
    assert mirror(source) == test


@pytest.mark.parametrize(
    ("text", "declares"),
    [
        ("A = 1\nclass S:\n    x: int = 0\n", True),
        ("class P(Protocol):\n    def f(self) -> int:\n        '''Says.'''\n        ...\n", True),
        ("def f():\n    return 1\n", False),
        ("class S:\n    @property\n    def x(self):\n        return self.y\n", False),
    ],
)
def test_a_module_without_a_function_that_does_something_only_declares(text: str, declares: bool) -> None:
    assert only_declares(ast.parse(text)) is declares
