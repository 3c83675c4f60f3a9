"""What a walk shows of merges: a file counts as changed only if it differs from every parent."""

from __future__ import annotations

from contextlib import closing

from kairos.backtest.walk import HistoryWalk
from kairos.repo.git import Git
from kairos.repo.objects import Objects
from kairos.sensing.commits import history


def test_what_each_commit_introduced_is_what_git_says(repo):
    base = repo.commit("base")
    repo.write("ours.txt", "1\n")
    repo.write("both.txt", "1\n")
    repo.commit("ours")
    main = repo.git("rev-parse", "--abbrev-ref", "HEAD")
    repo.git("checkout", "-q", "-b", "other", base)
    repo.write("theirs.txt", "2\n")
    repo.write("both.txt", "2\n")
    repo.commit("theirs")
    repo.git("checkout", "-q", main)
    repo.git("merge", "-q", "--no-commit", "other", check=False)
    repo.write("both.txt", "1 and 2\n")
    head = repo.commit("merge")
    git = Git(repo.root)
    seen = {}
    with closing(HistoryWalk(git, b"s")) as walk:
        for at, commit in enumerate(history(git, "r", head, 0)):
            for scene in walk.scenes(commit, at):
                if scene.boundary == "commit":
                    seen[commit.oid] = sorted(map(repr, scene.facts.introduced([commit.oid])))
    assert len(seen) >= 4
    for oid, introduced in seen.items():
        assert introduced == sorted(map(repr, Objects(git).introduced([oid])))
