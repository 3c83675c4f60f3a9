"""Replays public renames: `python -m benches.renames CLONES [--most N] [--only NAME] [--examples N]`.

For each commit with renames the plain move alone is applied on its parent, the detector makes its patch, and what it
changes is compared with what the people changed in that commit, line by line. CLONES is a folder of clones (`x` or
`x/repo`); a clone is shared, nothing is written into it.

A *reference that people fixed* is a token on a changed line whose old form holds a word of the old path that the new
path has not, and whose new form holds a word of the new one (or, in a moved file, a relative path to the same name).
It is `exact` if the detector writes the same token, `missed` if it leaves the line, `other` if it writes another one.
A line that the detector changed and people left alone is `alone`; `later` if they wrote the same line in a later
commit; `stale` if the detector proposes the same after their commit, too, that is, if they left it naming nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from benches.rename_truth import Fix, Hunk, fixes, kind_of, tokens
from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.scene import Scene, scene_of
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.stale_reference.moves import moves_of
from kairos.domain.action import PatchAction
from kairos.domain.events import CommitChange, CommitRecorded, GitMoved, Name, name_fields
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git
from kairos.repo.objects import PastCommit

REPO = "repo-history"
_OUTCOMES = ("exact", "missed", "other", "later", "stale", "alone")
_LARGEST = 400
"""Commits with more renames than this are left out: they are imports of other repositories."""


class Example(NamedTuple):
    commit: str
    path: str
    line: str
    expected: str
    ours: str


@dataclass
class Tally:
    """The outcomes of all commits: counts by kind, examples, and the wrong lines by commit."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    examples: dict[tuple[str, str], list[Example]] = field(default_factory=lambda: defaultdict(list))
    commits: int = 0
    patches: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    open: list[tuple[str, Example]] = field(default_factory=list)
    """Lines of the current commit that people left alone."""

    def judge(self, again: Callable[[], set[tuple[str, str]]]) -> None:
        """Sorts the open lines into those that name nothing after the commit of people either, and the others."""
        still = again() if self.open else set()
        for kind, example in self.open:
            self.add(kind, "stale" if (example.path, example.ours.strip()) in still else "alone", example)
        self.open = []

    def add(self, kind: str, outcome: str, example: Example) -> None:
        self.counts[kind][outcome] += 1
        self.examples[kind, outcome].append(example)
        if outcome in ("other", "alone"):
            self.wrong[example.commit] += 1


class Replay:
    """One clone in which the commits with renames are tried one after the other."""

    def __init__(self, source: Path, clone: Path) -> None:
        self.source, self.clone = source, clone
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(source), str(clone)], check=True)
        self.git = Git(clone)
        self.known = Repository(id=REPO, root=str(clone), dev=0, ino=0, trusted_at=1)

    def commits(self, most: int) -> list[str]:
        """The latest commits with renames, oldest first."""
        out = self._run("log", "--all", "--no-merges", "--diff-filter=R", "-M", "--format=%H", f"--max-count={most}")
        return list(reversed(out.split()))

    def last(self) -> tuple[str, str]:
        """HEAD and its parent."""
        head, parent = self._run("rev-list", "--parents", "-n1", "HEAD").split()
        return head, parent

    def try_one(self, oid: str, tally: Tally) -> None:
        parents = self._run("rev-list", "--parents", "-n1", oid).split()[1:]
        if len(parents) != 1:
            return
        human = self.scene(oid, parents[0])
        if not 0 < sum(f.status == "R" for f in human.commits[0].changes) <= _LARGEST:
            return
        moved = moves_of(human)[0].moved
        if not moved:
            return
        plain = self._plain(parents[0], moved)
        scene = self.scene(plain, parents[0])
        begun = time.perf_counter()
        found = list(StaleReference().look(scene))
        tally.seconds += time.perf_counter() - begun
        tally.commits += 1
        edits = {
            edit.fs: edit.hunks
            for finding in found
            if isinstance(finding.action, PatchAction)
            for edit in finding.action.edits
        }
        tally.patches += bool(edits)
        changed = self._hunks(plain, oid)
        exists = frozenset(self._run("ls-tree", "-r", "-z", "--name-only", oid).split("\0"))
        for path in sorted(changed.keys() | edits.keys()):
            if path in exists and kept_by_hand(path):
                ours = {
                    hunk.start + n: hunk.new[n] if n < len(hunk.new) else ""
                    for hunk in edits.get(path, ())
                    for n in range(len(hunk.old))
                }
                olds = {hunk.start + n: line for hunk in edits.get(path, ()) for n, line in enumerate(hunk.old)}
                self._compare(oid, path, changed.get(path, []), olds, ours, moved, tally)
        tally.judge(lambda: self._again(oid, parents[0]))

    def _compare(
        self,
        oid: str,
        path: str,
        hunks: list[Hunk],
        olds: dict[int, str],
        ours: dict[int, str],
        moved: dict[str, str],
        tally: Tally,
    ) -> None:
        explained: set[int] = set()
        name = f"{self.source.parent.name if self.source.name == 'repo' else self.source.name} {oid[:10]}"
        for fix in fixes(path, hunks, moved):
            mine = ours.get(fix.line)
            outcome = "missed" if mine is None else "exact" if _is_exact(fix, mine) else "other"
            explained.add(fix.line)
            tally.add(fix.kind, outcome, Example(name, path, fix.before, fix.after, mine or ""))
        added = {line.strip() for hunk in hunks for line in hunk.new}
        for number, mine in ours.items():
            if number in explained:
                continue
            within = any(hunk.start <= number < hunk.start + len(hunk.old) for hunk in hunks)
            if mine.strip() in added and within:
                continue
            if within:
                said = " | ".join(n.strip() for h in hunks if h.start <= number < h.start + len(h.old) for n in h.new)
                tally.add(kind_of(path, olds[number]), "other", Example(name, path, olds[number], said[:300], mine))
            elif self._later(oid, path, mine):
                tally.add(kind_of(path, olds[number]), "later", Example(name, path, olds[number], "", mine))
            else:
                tally.open.append((kind_of(path, olds[number]), Example(name, path, olds[number], "", mine)))

    def _again(self, oid: str, parent: str) -> set[tuple[str, str]]:
        """(path, new line) of everything that the detector proposes after the commit of people itself."""
        return {
            (edit.fs, line.strip())
            for finding in StaleReference().look(self.scene(oid, parent))
            if isinstance(finding.action, PatchAction)
            for edit in finding.action.edits
            for hunk in edit.hunks
            for line in hunk.new
        }

    def _later(self, oid: str, path: str, line: str) -> bool:
        """Whether people wrote this line into the file later."""
        out = self._run("log", "--format=%h", "-1", f"-S{line.strip()}", f"{oid}..HEAD", "--", path)
        return bool(out.strip())

    def scene(self, oid: str, parent: str) -> Scene:
        """What a detector sees right after a commit."""
        self._run("checkout", "-q", "--force", "--detach", oid)
        out = self._run("diff-tree", "-r", "-M", "-l0", "-z", "--name-status", parent, oid)
        commit = PastCommit(oid, [parent], list(_statuses(out)))
        return scene_of(self.known, self.git, _trigger(commit), "commit", 0, salt=b"history")

    def _plain(self, parent: str, moved: dict[str, str]) -> str:
        """A commit on `parent` that moves these files and changes nothing else."""
        index = {"GIT_INDEX_FILE": str(self.clone / ".git" / "plain.index")}
        self._run("read-tree", parent, env=index)
        rows = []
        listed = self._run("ls-tree", "-r", "-z", parent, "--", env=index)
        held = dict(reversed(row.split("\t", 1)) for row in listed.split("\0") if row)
        for old, new in moved.items():
            mode, _, blob = held[old].split()
            rows += [f"0 {'0' * 40}\t{old}\0", f"{mode} {blob}\t{new}\0"]
        self._run("update-index", "-z", "--index-info", env=index, text="".join(rows))
        tree = self._run("write-tree", env=index).strip()
        return self._run("commit-tree", tree, "-p", parent, "-m", "plain").strip()

    def _hunks(self, before: str, after: str) -> dict[str, list[Hunk]]:
        out = self._run(
            "diff-tree", "-r", "-p", "-U0", "--no-renames", "--diff-filter=M", "--no-prefix", "--no-color",
            "--no-ext-diff", "--no-textconv", before, after,
        )  # fmt: skip
        return parse(out)

    def _run(self, *args: str, env: dict[str, str] | None = None, text: str = "") -> str:
        who = {f"GIT_{role}_{what}": "bench@bench" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *args],
            cwd=self.clone, input=os.fsencode(text), capture_output=True, check=True,
            env={**os.environ, **who, **(env or {})},
        )  # fmt: skip
        return done.stdout.decode("utf-8", "surrogateescape")


def _trigger(commit: PastCommit) -> list[Recorded]:
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


def _is_exact(fix: Fix, mine: str) -> bool:
    if mine.strip() == fix.after.strip():
        return True
    have = tokens(mine)
    return fix.new in have and (fix.old not in have or fix.old in tokens(fix.after))


def _statuses(out: str) -> Iterator[tuple[str, str, str | None]]:
    fields = iter(out.split("\0"))
    for status in fields:
        if not status:
            return
        first = next(fields)
        if status[0] in "RC":
            yield next(fields), status[0], first
        else:
            yield first, status[0], None


def parse(patch: str) -> dict[str, list[Hunk]]:
    """The hunks of a patch without context, by path."""
    found: dict[str, list[Hunk]] = defaultdict(list)
    path = ""
    for line in patch.split("\n"):
        if line.startswith("diff --git "):
            path = ""
        elif not path and line.startswith("+++ "):
            path = line[4:].rstrip("\t")
        elif path and line.startswith("@@ "):
            start, _, count = line.split(" ")[1][1:].partition(",")
            found[path].append(Hunk(int(start) - (count != "0"), [], []))
        elif path and found[path] and line.startswith("-"):
            found[path][-1].old.append(line[1:])
        elif path and found[path] and line.startswith("+"):
            found[path][-1].new.append(line[1:])
    return found


def show(tally: Tally, examples: int) -> None:
    """Prints the table and the examples."""
    print(f"{'kind':<22}{'people':>8}" + "".join(f"{o:>8}" for o in _OUTCOMES) + f"{'exact %':>9}")
    for kind, counts in sorted(tally.counts.items()):
        people = counts["exact"] + counts["missed"] + counts["other"]
        share = f"{100 * counts['exact'] / people:.1f}" if people else "-"
        print(f"{kind:<22}{people:>8}" + "".join(f"{counts[o]:>8}" for o in _OUTCOMES) + f"{share:>9}")
    print(
        f"{tally.commits} commits with renames, {tally.patches} patches, {len(tally.wrong)} with a wrong line, "
        f"{1000 * tally.seconds / max(1, tally.commits):.0f} ms a look"
    )
    for (kind, outcome), rows in sorted(tally.examples.items()):
        for row in rows[:examples] if outcome in ("missed", "other", "alone") else ():
            print(f"\n{kind} {outcome}: {row.commit} {row.path}\n  - {row.line.strip()}")
            print(f"  people {row.expected.strip()}" if row.expected else "  people left it", end="\n")
            print(f"  ours   {row.ours.strip()}")


def main() -> None:
    parser = argparse.ArgumentParser(description="References that people fixed in commits with renames, and ours.")
    parser.add_argument("clones", type=Path)
    parser.add_argument("--most", type=int, default=60, help="commits with renames a clone")
    parser.add_argument("--only", action="append", default=[], help="clones whose name contains this")
    parser.add_argument("--without", action="append", default=[], help="clones to leave out")
    parser.add_argument("--examples", type=int, default=0, help="so many examples of each kind and outcome")
    options = parser.parse_args()
    tally = Tally()
    for folder in sorted(p for p in options.clones.iterdir() if not p.name.startswith(".")):
        source = folder / "repo" if (folder / "repo").is_dir() else folder
        wanted = not options.only or any(word in folder.name for word in options.only)
        if not wanted or any(word in folder.name for word in options.without) or not (source / "objects").is_dir():
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-renames-", dir=os.environ.get("TMPDIR")) as place:
            replay = Replay(source.resolve(), Path(place) / "clone")
            commits, begun = replay.commits(options.most), time.perf_counter()
            for oid in commits:
                replay.try_one(oid, tally)
            print(f"{folder.name}: {len(commits)} commits, {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    show(tally, options.examples)


if __name__ == "__main__":
    main()
