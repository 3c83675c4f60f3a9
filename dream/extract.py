"""Extractors: derive candidate memories from the gathered material. Deterministic, each with a name and a version.

A memory made here has no id yet. Text from a repository is quoted in it, as data.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterator

import msgspec

from dream.gather import Material, Repo
from kairos.domain.events import Memory, Ref
from kairos.domain.memory import certainty, moved, newest
from kairos.domain.secrets import redact
from kairos.memory.claims import Claims
from kairos.memory.counts import Estimate
from kairos.memory.sentences import sentence

LEAST_COMMITS = 3
LEAST_CONFIDENCE = 0.35
COMPANIONS = 5
"""Maximum number of companions remembered for one file."""

Extractor = Callable[[Material, Claims], Iterator[Memory]]


def co_change(gathered: Material, claims: Claims) -> Iterator[Memory]:
    """co-change@1: confident pairs seen in 3 or more commits, and the current confidence of known pairs."""
    for repo in gathered.repos.values():
        learner = gathered.histories.of(repo.id)
        found: dict[tuple[str, str], Estimate] = {}
        strong: dict[str, list[Estimate]] = defaultdict(list)
        for path, estimate in learner.couples(LEAST_COMMITS):
            if estimate.confidence >= LEAST_CONFIDENCE and repo.lives(path) and repo.lives(estimate.path):
                strong[path].append(estimate)
        for path, estimates in strong.items():
            estimates.sort(key=lambda e: (-e.confidence, e.path))
            found |= {(path, e.path): e for e in estimates[:COMPANIONS]}
        renames = repo.renames()
        for claim in claims.open(repo.id, "co-change"):
            now = moved(claim.memory, renames)
            known = learner.estimate(now.subject, now.value)
            if known is not None:
                found.setdefault((now.subject, now.value), known)
        for (path, _), e in sorted(found.items()):
            yield _made(
                repo,
                Memory(
                    id="", repo=repo.id, kind="co-change", subject=path, predicate="changes-with", value=e.path,
                    text="", cites=newest(e.cites), support=e.support, confidence=round(e.confidence, 2), trust="git",
                    valid_from=e.since * 1_000_000, seen=e.last * 1_000_000,
                ),
                [path, e.path],
            )  # fmt: skip


def rename(gathered: Material, claims: Claims) -> Iterator[Memory]:
    """rename@1: the current path of a renamed file that people may still refer to by its former name."""
    for repo in gathered.repos.values():
        former: dict[str, list[str]] = defaultdict(list)
        for claim in claims.open(repo.id, "rename"):
            former[claim.memory.value].append(claim.memory.subject)
        cites = {c.memory.subject: list(c.memory.cites) for c in claims.open(repo.id, "rename")}
        now: dict[str, tuple[str, int]] = {}
        for move in repo.moves:
            names = [*former.pop(move.old, []), move.old]
            for name in names:
                cites[name] = [*cites.get(name, []), move.position]
                now[name] = (move.new, move.at)
            former[move.new] = [n for n in names if n != move.new]
        for old, (new, at) in sorted(now.items()):
            if old == new or not repo.lives(new) or (repo.alive is not None and old in repo.alive):
                continue
            yield _made(
                repo,
                Memory(
                    id="", repo=repo.id, kind="rename", subject=old, predicate="is-now", value=new, text="",
                    cites=newest(cites[old]), support=1, trust="git", valid_from=at, seen=at,
                ),
                [new],
            )  # fmt: skip


def command(gathered: Material, claims: Claims) -> Iterator[Memory]:
    """command@1: the check command that passed in a scratch tree, as configured by a person."""
    runs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for position, at, repo, argv in gathered.passed:
        runs[(repo, redact(shlex.join(argv)))].append((position, at))
    latest: dict[str, tuple[int, str]] = {}
    for (repo, line), seen in runs.items():
        latest[repo] = max(latest.get(repo, (0, "")), (seen[-1][0], line))
    for repo_id, (_, line) in sorted(latest.items()):
        seen = runs[(repo_id, line)]
        if repo_id in gathered.repos:
            yield _made(
                gathered.repos[repo_id],
                Memory(
                    id="", repo=repo_id, kind="command", subject="check", predicate="passes", value=line, text="",
                    cites=newest([p for p, _ in seen]), support=len(seen), confidence=certainty(len(seen)),
                    trust="test", valid_from=seen[0][1], seen=seen[-1][1],
                ),
                [],
            )  # fmt: skip


def preference(gathered: Material, claims: Claims) -> Iterator[Memory]:
    """preference@1: what a person rejected with `never again`. Only a person's own decision becomes a preference."""
    for position, at, rejected in gathered.refused:
        proposal = gathered.inbox.proposals[rejected.id].raised
        raised = gathered.inbox.positions[rejected.id][0]
        if proposal.repo in gathered.repos:
            yield _made(
                gathered.repos[proposal.repo],
                Memory(
                    id="", repo=proposal.repo, kind="preference", subject=proposal.detector, predicate="never",
                    value=redact(proposal.title), text="", cites=newest([raised, position]), support=1,
                    trust="user", valid_from=at, seen=at,
                ),
                [],
            )  # fmt: skip


EXTRACTORS: dict[str, Extractor] = {
    "co-change@1": co_change,
    "rename@1": rename,
    "command@1": command,
    "preference@1": preference,
}


def extract(gathered: Material, claims: Claims) -> list[Memory]:
    """The candidate memories of all extractors, in a fixed order."""
    return [memory for extractor in EXTRACTORS.values() for memory in extractor(gathered, claims)]


def taken_back(gathered: Material, claims: Claims) -> set[str]:
    """Ids of open preferences whose rejection was taken back."""
    return {c.memory.id for c in claims.open(kind="preference") if not gathered.taken_back.isdisjoint(c.memory.cites)}


def lost(gathered: Material, claims: Claims) -> set[str]:
    """Ids of open co-change memories whose files were deleted, even if other files have their names now."""
    out = set()
    for repo in gathered.repos.values():
        learner, renames = gathered.histories.of(repo.id), repo.renames()
        for claim in claims.open(repo.id, "co-change"):
            now = moved(claim.memory, renames)
            if learner.estimate(now.subject, now.value) is None:
                out.add(claim.memory.id)
    return out


def _made(repo: Repo, memory: Memory, paths: list[str]) -> Memory:
    """The memory with its path references, checked against HEAD, and its sentence."""
    refs = [Ref(kind="path", name=path, checked=repo.head) for path in paths]
    return msgspec.structs.replace(memory, refs=refs, text=sentence(memory))
