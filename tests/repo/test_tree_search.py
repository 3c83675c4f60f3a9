from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from kairos.agent.repository_files import PRIVATE, PUBLIC
from kairos.repo.git import Git
from kairos.repo.tree_search import LineQuestion, TreeSearch


@pytest.fixture
def search(repo: Any) -> TreeSearch:
    return TreeSearch(Git(repo.root), PRIVATE, PUBLIC)


def _names(search: TreeSearch, glob: str = "*") -> list[str]:
    return search.paths(glob, 0, 1_000, 10.0).paths


def _tree(repo: Any) -> None:
    repo.write(".gitignore", "build/\n*.log\n")
    repo.write("kept.log", "needle\n")
    repo.write("src/a.py", "needle\n")
    repo.write("src/deep/b.py", "Needle\n")
    repo.write("src.txt", "needle\n")
    repo.git("add", "-f", "kept.log")
    repo.commit()
    repo.write("build/out.py", "needle\n")
    repo.write("other.log", "needle\n")
    repo.write("new.py", "needle\n")


@pytest.mark.parametrize("version", ["2", "4"])
def test_the_files_are_those_that_git_knows_or_would_add(repo: Any, search: TreeSearch, version: str) -> None:
    _tree(repo)
    repo.git("update-index", "--index-version", version)
    known = repo.git("ls-files", "--cached", "--others", "--exclude-standard").split("\n")
    assert _names(search) == sorted(known)
    assert search.lists("kept.log") and not search.lists("other.log") and not search.lists("build/out.py")


def test_an_index_that_is_not_read_natively_is_asked_of_git(repo: Any, search: TreeSearch) -> None:
    _tree(repo)
    repo.git("update-index", "--split-index")
    assert "kept.log" in _names(search) and "other.log" not in _names(search)


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.py", ["new.py", "src/a.py", "src/deep/b.py"]),
        ("src/*.py", ["src/a.py"]),
        ("src/**/*.py", ["src/a.py", "src/deep/b.py"]),
        ("src/", ["src/a.py", "src/deep/b.py"]),
        ("{new,src/a}.py", ["new.py", "src/a.py"]),
        ("[k]ept.*", ["kept.log"]),
        ("./src.txt", ["src.txt"]),
        ("nothing/*", []),
        ("../*", []),
    ],
)
def test_globs_are_read_as_people_write_them(repo: Any, search: TreeSearch, glob: str, found: list[str]) -> None:
    _tree(repo)
    assert _names(search, glob) == found
    repo.git("add", "new.py")
    assert search.tracked(glob, 0, 100).paths == found


def test_hits_stand_in_the_order_of_paths_whatever_the_threads_do(repo: Any, search: TreeSearch) -> None:
    for number in range(400):
        repo.write(f"d{number % 7}/f{number:03}.txt", f"needle {number}\n")
    first = search.lines(LineQuestion("needle", limit=37, offset=11), 10.0)
    for _ in range(10):
        assert search.lines(LineQuestion("needle", limit=37, offset=11), 10.0).found == first.found
    paths = [hits.path for hits in first.found]
    assert paths == sorted(paths) and len(paths) == 37 and first.more


def test_nothing_outside_is_told_through_links_or_in_git(repo: Any, search: TreeSearch, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.txt").write_text("needle\n")
    (repo.root / "link").symlink_to(outside)
    (repo.root / "link.txt").symlink_to(outside / "x.txt")
    (repo.root / ".git" / "x.txt").write_text("needle\n")
    for name in (".GIT", "sub/.git", "git~1"):
        repo.write(f"{name}/x.txt", "needle\n")
    assert search.lines(LineQuestion("needle"), 10.0).found == []
    assert _names(search, "x.txt") == _names(search, "link*") == []
    assert not any(
        search.lists(p) for p in ("link.txt", "link/x.txt", ".git/x.txt", "sub/.git/x.txt", "../outside/x.txt")
    )


def test_context_lines_are_told_once(repo: Any, search: TreeSearch) -> None:
    repo.write("a.txt", "".join(f"{n}{' hit' if n in (3, 4, 6, 20) else ''}\n" for n in range(1, 25)))
    [found] = search.lines(LineQuestion("hit", before=2, after=2), 10.0).found
    assert [line.number for line in found.lines] == [1, 2, 3, 4, 5, 6, 7, 8, 18, 19, 20, 21, 22]
    assert [line.number for line in found.lines if line.hit] == [3, 4, 6, 20]
    assert found.hits == 4


def test_a_long_line_is_cut_around_its_match_and_searched_at_its_beginning_only(repo: Any, search: TreeSearch) -> None:
    repo.write("a.txt", "é" * 3_000 + "needle" + "x" * 90_000 + "late\nlate\n")
    page = search.lines(LineQuestion("needle|late"), 10.0)
    assert [line.number for hits in page.found for line in hits.lines] == [1, 2]
    shown = page.found[0].lines[0].text
    assert "needle" in shown and len(shown) < 350 and "\ufffd" not in shown
    assert page.left.long_lines == 1


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "[01]*1[01]{400}", "((a{0,20}){0,20}){0,5}", "(?:a?){200}a{200}", "(x+x+)+y"]
)
def test_no_pattern_runs_for_long(repo: Any, search: TreeSearch, pattern: str) -> None:
    repo.write("a.txt", "a" * 60_000 + "\n" + "01" * 30_000 + "\n" + "x" * 60_000)
    begun = time.monotonic()
    try:
        search.lines(LineQuestion(pattern), 1.0)
    except ValueError as error:
        assert "cannot be used" in str(error)
    assert time.monotonic() - begun < 15


def test_the_time_ends_a_search_and_that_is_said(repo: Any, search: TreeSearch) -> None:
    for number in range(300):
        repo.write(f"f{number}.txt", "x\n")
    page = search.lines(LineQuestion("x"), 0.0)
    assert page.late and page.files == 0


def test_names_of_any_bytes_come_back_as_they_are(repo: Any, search: TreeSearch) -> None:
    name = b"\xff\n\x1b[31m.txt"
    (Path(os.fsdecode(os.fsencode(repo.root) + b"/" + name))).write_text("needle\n")
    assert [os.fsencode(p) for p in _names(search, "*.txt")] == [name]
    assert search.lines(LineQuestion("needle"), 10.0).found[0].path == os.fsdecode(name)
    assert search.lists(os.fsdecode(name))
