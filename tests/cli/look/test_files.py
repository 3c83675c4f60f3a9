"""`files`: the tree as the log tells it."""

from __future__ import annotations

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
