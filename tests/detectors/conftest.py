"""A scene of a real repository: events as sensing would record them, made from git itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kairos.detectors.scene import Scene, scene_of
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.domain import events as ev
from kairos.domain.action import PatchAction, apply_edit
from kairos.domain.events import Change, CommitChange, Event, Name, name_fields
from kairos.domain.finding import Finding
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.objects import Objects

REPO = "repo-0123456789ab"


def recorded(position: int, event: Event) -> Recorded:
    return Recorded(position, REPO, position, type(event).__name__, 1, 0, None, position, "live", event)


@pytest.fixture
def see(repo: Any) -> Callable[..., Scene]:
    """see("commit") → the scene of the last commit; see("burst", "a.txt") → of created paths; see("baseline")."""

    def scene(
        boundary: str,
        *paths: str,
        commits: int = 1,
        kind: str = "modified",
        salt: bytes = b"salt",
    ) -> Scene:
        root: Path = repo.root
        git = Git(root)
        trigger: list[Recorded] = []
        if boundary in ("commit", "switch", "idle_return", "later"):
            trigger.append(recorded(100, ev.GitMoved(repo=REPO, head="refs/heads/main", refs=[], what="commit")))
            for at, commit in enumerate(Objects(git).latest(commits), 101):
                changes = [
                    CommitChange(status=s, was=Name(**name_fields(was)) if was else None, **name_fields(path))
                    for path, s, was in commit.files
                ]
                trigger.append(
                    recorded(
                        at,
                        ev.CommitRecorded(
                            repo=REPO, oid=commit.oid, parents=list(commit.parents), author="Ada", at_s=0,
                            subject="s", changes=changes,
                        ),
                    )
                )  # fmt: skip
        if paths:
            changed = [Change(kind=kind, **name_fields(p)) for p in paths]  # type: ignore[arg-type]
            trigger.append(recorded(200, ev.FilesChanged(repo=REPO, burst="b", part=1, parts=1, changes=changed)))
        known = Repository(id=REPO, root=str(root), dev=1, ino=1, trusted_at=1)
        return scene_of(known, git, trigger, boundary, 0, salt=salt)

    return scene


@pytest.fixture
def apply(repo: Any) -> Callable[[Finding], None]:
    """Applies a finding's patch to the work tree."""

    def run(finding: Finding) -> None:
        assert isinstance(finding.action, PatchAction)
        for change in finding.action.edits:
            target = repo.root / change.fs
            after = apply_edit(change, target.read_bytes() if target.exists() else None)
            assert after is not None
            target.write_bytes(after)

    return run


@pytest.fixture
def moved(repo: Any, see: Callable[..., Scene]) -> Callable[..., list[Finding]]:
    """moved({path: content}, [(old, new)]) → findings after committing the files, then the renames."""

    def run(files: dict[str, str | bytes], renames: list[tuple[str, str]], boundary: str = "commit") -> list[Finding]:
        for path, content in files.items():
            repo.write(path, content)
        repo.commit("files")
        for old, new in renames:
            (repo.root / new).parent.mkdir(parents=True, exist_ok=True)
            repo.git("mv", old, new)
        repo.git("commit", "-q", "-m", "rename")
        return list(StaleReference().look(see(boundary)))

    return run


@pytest.fixture
def applied(
    repo: Any, moved: Callable[..., list[Finding]], apply: Callable[[Finding], None]
) -> Callable[..., list[Finding]]:
    """applied(files, renames) → the findings, after every patch among them was applied to the work tree."""

    def run(files: dict[str, str | bytes], renames: list[tuple[str, str]]) -> list[Finding]:
        found = moved(files, renames)
        for finding in found:
            if isinstance(finding.action, PatchAction):
                apply(finding)
        return found

    return run


@pytest.fixture
def text(repo: Any) -> Callable[[str], str]:
    """The text of a file of the work tree."""
    return lambda path: (repo.root / path).read_bytes().decode()
