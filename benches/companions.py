"""Whether a learned ranking could say what a commit left out: `python -m benches.companions FOLDER`.

FOLDER holds clones of the repositories that `benches/repositories.txt` lists (see `benches.detectors`). Each history is
walked commit by commit with the learner that a dream uses; each file that memory knows to change with a commit's files,
and that the commit left out, is a case: described by what was known then, and labelled by whether one of the next three
descendants changed it. A logistic model learns from the older part of two thirds of the repositories, is calibrated
on the next part of the same, and is judged on the newest part of all, the remaining third apart. Pure and seeded by
nothing: the same clones give the same figures.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from math import log
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import NamedTuple

from benches.companions_model import Case, report
from benches.detectors import clone_of, listed
from dream.extract import COMPANIONS, LEAST_COMMITS, LEAST_CONFIDENCE
from kairos.domain.hindsight import Awaiting
from kairos.memory.cochange import LARGEST, Learner
from kairos.memory.history import commit_of
from kairos.memory.naming import stem_of
from kairos.repo.git import Git, GitError
from kairos.repo.past_tree import BlobReader
from kairos.sensing.commits import history

LAST, WARM = 3_000, 200
"""The walk takes so many commits; the first are only learned from."""
HORIZON = 3
_LATELY = 100
_READ = 65_536
"""So many bytes of a file are looked at for a name."""

NAMES = (
    "confidence", "support", "omitted", "followed", "follows", "base rate", "lift", "since it changed",
    "since both changed", "same stem", "test beside source", "same directory", "named in the text", "files", "votes",
    "sweeps",
)  # fmt: skip


class _Waiting(NamedTuple):
    case: Case
    path: str


class Past:
    """At which numbers of the walk each file changed, and with how many others."""

    def __init__(self) -> None:
        self.at: dict[str, list[int]] = defaultdict(list)
        self.sizes: list[int] = []
        self.born: dict[str, int] = {}

    def add(self, paths: Sequence[str]) -> None:
        number = len(self.sizes)
        self.sizes.append(len(paths))
        for path in dict.fromkeys(paths):
            self.at[path].append(number)
            self.born.setdefault(path, number)

    def base_rate(self, path: str) -> float:
        """The share of stretches of HORIZON commits, lately, in which a file changed."""
        now = len(self.sizes)
        since = max(self.born.get(path, now), now - _LATELY)
        changed = len(self.at[path]) - bisect_left(self.at[path], since)
        rate = min(1.0, (changed + 0.5) / (now - since + 2))
        return float(1 - (1 - rate) ** HORIZON)

    def omissions(self, path: str, other: str) -> tuple[int, int]:
        """(how often `path` changed without `other`, how many of these `other` followed within the horizon)."""
        ours, theirs = self.at[path], self.at[other]
        omitted = followed = 0
        for number in ours[-300:]:
            if number < self.born.get(other, 0) or number + HORIZON >= len(self.sizes) or self.sizes[number] > LARGEST:
                continue
            first = bisect_left(theirs, number)
            if first < len(theirs) and theirs[first] == number:
                continue
            omitted += 1
            followed += first < len(theirs) and theirs[first] <= number + HORIZON
        return omitted, followed

    def both(self, path: str, other: str) -> tuple[int, float]:
        """(commits since both changed together, the mean size of the commits in which they did)."""
        shared = sorted(set(self.at[path][-300:]) & set(self.at[other][-300:]))
        if not shared:
            return len(self.sizes), float(LARGEST)
        return len(self.sizes) - shared[-1], sum(self.sizes[n] for n in shared) / len(shared)


def logit(share: float) -> float:
    share = min(0.995, max(0.005, share))
    return log(share / (1 - share))


def cases_of(git: Git, repository: str, last: int = LAST) -> Iterator[Case]:
    """The cases of the history of a clone, in the order in which they are decided."""
    head = git.head()
    assert head is not None
    learner, past = Learner(), Past()
    waiting: deque[tuple[Awaiting, list[_Waiting]]] = deque()
    commits = list(history(git, "bench", head, last))
    with closing(BlobReader(git)) as blobs:
        for number, commit in enumerate(commits):
            changed = {c.fs for c in commit.changes}
            yield from _decided(waiting, commit.oid, commit.parents, changed)
            plain = len(commit.parents) < 2
            if plain and number >= WARM and 0 < len(changed) <= LARGEST and not commit.cut and not commit.left_out:
                asked = sorted(c.fs for c in commit.changes if not c.status.startswith("D"))
                made = _cases(learner, past, blobs, commit.oid, asked, changed, number / len(commits), repository)
                if made:
                    waiting.append((Awaiting(commit.oid, HORIZON, []), made))
            if plain:
                past.add([c.fs for c in commit.changes])
            learned = commit_of(commit, number + 1, commit.at_s * 1_000_000)
            if learned is not None:
                learner.learn(learned)


def _decided(
    waiting: deque[tuple[Awaiting, list[_Waiting]]], oid: str, parents: Sequence[str], changed: set[str]
) -> Iterator[Case]:
    for _ in range(len(waiting)):
        awaiting, some = waiting.popleft()
        if awaiting.follow(oid, parents):
            left = []
            for one in some:
                if one.path in changed:
                    yield one.case._replace(right=True)
                elif awaiting.seen >= HORIZON:
                    yield one.case
                else:
                    left.append(one)
            some = left
        if some:
            waiting.append((awaiting, some))


def _cases(
    learner: Learner, past: Past, blobs: BlobReader, oid: str, asked: Sequence[str], changed: set[str], when: float,
    repository: str,
) -> list[_Waiting]:  # fmt: skip
    best: dict[str, tuple[float, int, str]] = {}
    votes: dict[str, int] = defaultdict(int)
    for path in asked:
        for found in learner.related([path], COMPANIONS, guess=False):
            if found.path in changed or found.support < LEAST_COMMITS or found.confidence < LEAST_CONFIDENCE:
                continue
            votes[found.path] += 1
            if found.path not in best or found.confidence > best[found.path][0]:
                best[found.path] = (found.confidence, found.support, path)
    made = []
    for other, (confidence, support, path) in sorted(best.items(), key=lambda x: (-x[1][0], x[0]))[:COMPANIONS]:
        base = past.base_rate(other)
        omitted, followed = past.omissions(path, other)
        gap, size = past.both(path, other)
        stem = stem_of(path)
        named = _names(blobs, oid, path, other) or _names(blobs, oid, other, path)
        follows = (followed + 2 * base) / (omitted + 2)
        last = past.at[other][-1] if past.at[other] else 0
        values = (
            logit(confidence), log(1 + support), log(1 + omitted), log(1 + followed), logit(follows), logit(base),
            log(confidence / base), log(len(past.sizes) - last), log(gap), float(bool(stem) and stem == stem_of(other)),
            float(bool(stem) and stem == stem_of(other) and basename(path) != basename(other)
                  and ("test" in path) != ("test" in other)),
            float(dirname(path) == dirname(other)), float(named), log(len(changed)), log(votes[other]), log(size),
        )  # fmt: skip
        made.append(_Waiting(Case(repository, when, values, base, confidence, False), other))
    return made


def _names(blobs: BlobReader, oid: str, path: str, other: str) -> bool:
    """Whether the beginning of a file of a commit holds the name of another file."""
    word = splitext(basename(other))[0].encode("utf-8", "surrogateescape")
    return len(word) > 2 and word in (blobs.read(f"{oid}:{path}") or b"")[:_READ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.companions", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--last", type=int, default=LAST, help="so many commits of each history")
    parser.add_argument("--only", nargs="*", help="only these repositories")
    options = parser.parse_args()
    every: list[Case] = []
    for repository in options.only or listed():
        git = clone_of(options.folder, repository)
        if git is not None:
            try:
                found = list(cases_of(git, repository, options.last))
            except GitError as error:
                print(f"{repository}: {error.message}", file=sys.stderr)
                continue
            print(f"{repository:28} {len(found):6} cases, {sum(c.right for c in found)} right", flush=True)
            every += found
    print(report(every, NAMES))


if __name__ == "__main__":
    main()
