"""missing-companion: a file that, by history, usually changes together with the files just committed was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kairos.detectors.boundaries import COMMIT, IDLE_RETURN, LATER
from kairos.detectors.scene import Companion, Facts, Scene, SeenCommit
from kairos.detectors.wording import evidence, fingerprint_of, key_of
from kairos.domain.action import NoteAction
from kairos.domain.basis import basis_of, paths_of
from kairos.domain.events import CommitRecorded, ProposalRaised
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.eventlog.record import Recorded

CONFIDENCE, SUPPORT = 0.7, 4
WINDOW, LOOK_BACK = 3, 1_000
OMISSIONS, FOLLOWED = 3, 0.6
"""The required number of earlier omissions, and the share of them after which the other file was changed soon.

Changing together is not enough: in ten public histories only 24 % of the files left out changed within the next three
commits. If the pair had been committed separately before and the other file followed soon, it was 64 %."""
MOST_FILES, MOST_NOTES = 30, 3


class MissingCompanion:
    """Checks only the author's own, unpushed, ordinary commits. Commits that change very many files are no evidence."""

    name = "missing-companion"
    version = 1
    boundaries = frozenset({COMMIT, IDLE_RETURN, LATER})

    def look(self, scene: Scene) -> Iterator[Finding]:
        changed = {f.path for c in scene.commits for f in c.changes}
        for commit in scene.commits:
            if len(commit.parents) > 1 or commit.cut or not 0 < len(commit.changes) <= MOST_FILES:
                continue
            missing: dict[str, tuple[str, Companion]] = {}
            for path in sorted(f.path for f in commit.changes if f.status != "D"):
                for companion in scene.companions([path]):
                    known = missing.get(companion.path)
                    if self._misses(scene, changed, companion) and (
                        not known or known[1].confidence < companion.confidence
                    ):
                        missing[companion.path] = (path, companion)
            best = sorted(missing.values(), key=lambda m: (-m[1].confidence, -m[1].support, m[1].path))
            if best and commit.oid in scene.unpushed:
                yield from self._likely(scene, commit, best)

    def _likely(self, scene: Scene, commit: SeenCommit, missing: list[tuple[str, Companion]]) -> Iterator[Finding]:
        history = scene.facts.before(commit.oid, LOOK_BACK)
        notes = 0
        for path, companion in missing:
            omitted, followed = _omissions(history, path, companion.path)
            if scene.again and scene.objects.changed_since(commit.oid, companion.path):
                continue  # it followed
            if omitted >= OMISSIONS and followed >= FOLLOWED * omitted and notes < MOST_NOTES:
                notes += 1
                yield self._finding(scene, commit, path, companion, omitted, followed)

    @staticmethod
    def _misses(scene: Scene, changed: set[str], companion: Companion) -> bool:
        return (
            companion.confidence >= CONFIDENCE
            and companion.support >= SUPPORT
            and companion.path not in changed
            and companion.path in scene.tracked
            and scene.exists(companion.path)
        )

    def _finding(
        self, scene: Scene, commit: SeenCommit, path: str, companion: Companion, omitted: int, followed: int
    ) -> Finding:
        share, times = f"{companion.confidence:.0%}", f"{companion.support:.0f}"
        other = shown(companion.path)
        return Finding(
            detector=self.name,
            version=self.version,
            key=key_of(self.name, [path, companion.path]),
            fingerprint=fingerprint_of([f"{path}\0{companion.path}"]),
            basis=basis_of([[commit.oid]], present=[path, companion.path]),
            title=f"{other} usually changes with {shown(path)}",
            claim=f"Commit {commit.oid[:12]} changes {shown(path)} and not {other}; in {share} of the earlier commits "
            f"that changed it (about {times}) both changed, and of the {omitted} that left it out {followed} were "
            f"followed by it within {WINDOW} commits.",
            action=NoteAction(
                repo=scene.repo,
                text=f"{other} was left out of commit {commit.oid[:12]}.\nIt changed in {share} of the commits that "
                f"changed {shown(path)} (about {times}). Look whether it needs the same change.",
            ),
            evidence=evidence(scene.cause, [commit.position, *companion.cites]),
            asks=[companion.path],
            horizon=WINDOW,
            unchecked=[f"whether {other} needs a change this time"],
        )


def came_after(raised: ProposalRaised, seen: Sequence[Recorded], facts: Facts) -> str:
    """Why nothing is missing any more: the file that was left out was committed since, or the commit was pushed."""
    for commit in (r.event for r in seen if isinstance(r.event, CommitRecorded)):
        left_out = paths_of(raised.basis) - {c.fs for c in commit.changes}
        for path in sorted(left_out):
            since = facts.objects.changed_since(commit.oid, path)
            if since is not None:
                return f"{shown(path)} was committed since, in {since[:12]}"
        if commit.oid not in facts.unpushed:
            return f"commit {commit.oid[:12]} was pushed"
    return "it no longer usually changes with what was committed"


def _omissions(history: Sequence[frozenset[str]], path: str, other: str) -> tuple[int, int]:
    """Returns (the number of times `path` changed without `other`, how many of these `other` followed within the
    window). `history` has the newest commit first. The newest commits count only after their window is over; commits
    that change very many files do not count."""
    omitted = followed = 0
    for at in range(WINDOW, len(history)):
        if path in history[at] and other not in history[at] and len(history[at]) <= MOST_FILES:
            omitted += 1
            followed += any(other in history[at - i] for i in range(1, WINDOW + 1))
    return omitted, followed
