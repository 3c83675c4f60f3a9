"""Tries one detector on the history of a repository: `python -m benches.on_history NAME REPO [COMMITS]`.

A clone in a temporary folder is checked out commit by commit, oldest first, and the detector looks at each as after
that commit. Prints what it would have found, and how many commits it stayed silent at. Not a backtest: nothing is
muted, held or labelled by what people did next.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kairos.detectors.looking import ALL
from kairos.detectors.protocol import Detector
from kairos.detectors.scene import Scene, scene_of
from kairos.domain.events import CommitChange, CommitRecorded, GitMoved, Name, name_fields
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.objects import Objects, PastCommit

REPO = "repo-history"


def scenes(clone: Path, commits: int) -> Iterator[tuple[PastCommit, Scene]]:
    """(commit, what a detector sees right after it) for the last so many commits of the main line, oldest first."""
    git = Git(clone)
    known = Repository(id=REPO, root=str(clone), dev=0, ino=0, trusted_at=1)
    for commit in Objects(git).latest(commits):
        git.run("checkout", "-q", "--force", "--detach", commit.oid)
        yield commit, scene_of(known, git, trigger(commit), "commit", 0, salt=b"history")


def trigger(commit: PastCommit) -> list[Recorded]:
    """The events that sensing records of a commit."""
    changes = [
        CommitChange(status=status, was=Name(**name_fields(was)) if was else None, **name_fields(path))
        for path, status, was in commit.files
    ]
    events = (
        GitMoved(repo=REPO, head="refs/heads/main", refs=[], what="commit"),
        CommitRecorded(
            repo=REPO, oid=commit.oid, parents=list(commit.parents), author="", at_s=0, subject="", changes=changes
        ),
    )
    return [
        Recorded(at, REPO, at, type(event).__name__, 1, 0, None, at, "live", event)
        for at, event in enumerate(events, 1)
    ]


def run(detector: Detector, source: Path, commits: int) -> None:
    """Prints a line for each finding, and the sum."""
    with tempfile.TemporaryDirectory(prefix="kairos-history-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", "--shared", str(source.resolve()), str(clone)], check=True)
        looked = spoke = 0
        for commit, scene in scenes(clone, commits):
            found = list(detector.look(scene))
            looked, spoke = looked + 1, spoke + bool(found)
            for finding in found:
                print(f"{commit.oid[:12]}  {finding.title}")
        print(f"{detector.name}: {looked} commits, {spoke} with a finding")


if __name__ == "__main__":
    wanted, repository, *most = sys.argv[1:]
    run(next(d for d in ALL if d.name == wanted), Path(repository), int(most[0]) if most else 200)
