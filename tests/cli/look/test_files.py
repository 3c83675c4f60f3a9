"""`files`: the tree as the log tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def test_files_of_an_unknown_repository_are_not_found(kairos: Any, tmp_path: Path) -> None:
    assert kairos("files", tmp_path).code == 4


def test_files_come_from_the_log_not_from_the_disk(kairos: Any, repo: Any) -> None:
    repo.write("a/b.txt", "hello\n")
    kairos("init", repo.root, "--yes")
    before = kairos("files", repo.root, "--json").out
    assert '"path":"a/b.txt"' in before and '"kind":"dir"' in before
    (repo.root / "a" / "b.txt").unlink()
    assert kairos("files", repo.root, "--json").out == before


def test_a_path_inside_a_repository_names_a_part_of_its_tree(kairos: Any, repo: Any) -> None:
    for name in ("a/b.txt", "a/c/d.txt", "ab.txt"):
        repo.write(name, "hello\n")
    kairos("init", repo.root, "--yes")

    def told(path: Path) -> list[str]:
        return [json.loads(line)["path"] for line in kairos("files", path, "--json").out.splitlines()]

    assert told(repo.root / "a") == ["a", "a/b.txt", "a/c", "a/c/d.txt"]
    assert told(repo.root / "ab.txt") == ["ab.txt"]
    said = kairos("files", repo.root / "missing")
    assert said.code == 4 and f"kairos files {repo.root}" in said.err
