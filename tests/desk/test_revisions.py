"""Revisions as git names them, and text that is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.revisions import commit_named


def test_a_revision_is_resolved_in_the_repository_that_is_meant(desk: Desk, seeded: Any, repo: Any) -> None:
    one, oid = repositories(desk).by_id[seeded.id], repo.git("rev-parse", "HEAD")
    for only, here in ((one, Path("/")), (None, one_below(repo)), (None, Path("/"))):
        assert commit_named(desk, "HEAD", only, here) == (oid, one)
    assert commit_named(desk, oid[:7], None, Path("/")) == (oid, one)


def one_below(repo: Any) -> Path:
    inner: Path = repo.root / "inner"
    inner.mkdir()
    return inner


@pytest.mark.parametrize("text", ["", "\0", "x" * 300, "--all", "-x", "no such", "HEAD~99", "HEAD:README.md", "a\nb"])
def test_what_names_no_commit_is_none(desk: Desk, seeded: Any, text: str) -> None:
    assert commit_named(desk, text, None, Path("/")) is None


def test_a_repository_that_is_gone_names_nothing(desk: Desk, seeded: Any, repo: Any) -> None:
    repo.root.rename(repo.root.with_name("elsewhere"))
    assert commit_named(desk, "HEAD", None, Path("/")) is None
