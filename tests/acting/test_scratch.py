"""Trying a patch in a scratch tree: the verdict, the check's output, and that nothing is left behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kairos.acting.confine import Limits
from kairos.acting.scratch import verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="commands are confined on Linux only")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "calc.sh").write_text("echo 4\n")
    return tree


def test_a_good_patch_passes_its_check_and_the_tree_keeps_its_bytes(tree: Path, tmp_path: Path) -> None:
    done = verify(
        tree, {"calc.sh": (b"echo 5\n", 0o644)}, ["sh", "-c", "sh calc.sh; test $(sh calc.sh) = 5"],
        scratch_home=tmp_path / "scratch",
    )  # fmt: skip
    assert (done.applies, done.exit, done.output_tail, done.tier) == (True, 0, "5\n", done.tier)
    assert done.tier in ("T2", "T3") and done.seconds > 0
    assert (tree / "calc.sh").read_text() == "echo 4\n"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_failing_check_is_told_with_the_end_of_its_output(tree: Path, tmp_path: Path) -> None:
    check = ["sh", "-c", "yes line | head -20000; echo the end; exit 7"]
    done = verify(tree, {}, check, scratch_home=tmp_path / "scratch")
    assert (done.applies, done.exit) == (True, 7)
    assert done.output_tail.endswith("the end\n") and len(done.output_tail) == 8192


def test_without_a_check_only_the_fit_is_tried(tree: Path, tmp_path: Path) -> None:
    done = verify(tree, {"new": (b"x", 0o644)}, None, scratch_home=tmp_path / "scratch")
    assert (done.applies, done.exit, done.output_tail) == (True, None, "")


def test_a_patch_that_does_not_fit_is_told_apart(tree: Path, tmp_path: Path) -> None:
    done = verify(tree, {"gone": None}, ["true"], scratch_home=tmp_path / "scratch")
    assert (done.applies, done.exit) == (False, None) and "gone" in done.output_tail
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_hanging_check_ends_at_its_deadline(tree: Path, tmp_path: Path) -> None:
    done = verify(tree, {}, ["sleep", "60"], scratch_home=tmp_path / "scratch", limits=Limits(wall=0.3))
    assert (done.exit, done.stopped) == (None, "wall") and done.seconds < 5
