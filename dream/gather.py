"""Gathers what is new since the last dream: commits, passed checks, corrections. Excludes Kairos's own activity."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from kairos.domain.events import CommitRecorded, DecisionRedone, DecisionUndone, ProposalRejected, ProposalVerified
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.inbox import Inbox, InboxView
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.memory.history import Histories, HistoryView
from kairos.repo.git import Git, GitError

TOPICS = frozenset({"CommitRecorded", "ProposalVerified", "ProposalRejected", "DecisionUndone", "DecisionRedone"})


@dataclass(frozen=True)
class Rename:
    """A rename that a commit recorded. `at` in us."""

    old: str
    new: str
    position: int
    at: int


@dataclass
class Repo:
    """A repository as the dream sees it. `alive`: the paths in its HEAD, None if it cannot be read."""

    id: str
    name: str
    head: str = ""
    alive: frozenset[str] | None = None
    moves: list[Rename] = field(default_factory=list)

    def lives(self, path: str) -> bool:
        """Whether a path exists at HEAD; True if HEAD cannot be read."""
        return self.alive is None or path in self.alive

    def renames(self) -> dict[str, str]:
        """Former path → current path of each file renamed since the last dream."""
        now: dict[str, str] = {}
        for move in self.moves:
            for old, new in now.items():
                if new == move.old:
                    now[old] = move.new
            now[move.old] = move.new
        return {old: new for old, new in now.items() if old != new}


@dataclass
class Material:
    """The signal in (`after`, `upto`]. `upto` is the position of the newest signal event, `at` its time (us)."""

    after: int
    upto: int
    at: int
    count: int
    repos: dict[str, Repo]
    histories: Histories
    inbox: Inbox
    passed: list[tuple[int, int, str, list[str]]]
    """Every check that passed so far: (position, at, repo, command)."""
    refused: list[tuple[int, int, ProposalRejected]]
    """Every `never again` so far that was not taken back: (position, at, event)."""
    taken_back: frozenset[int] = frozenset()
    """The positions of decisions that were taken back."""


def signal(log: Log, after: int, head: int) -> list[Recorded]:
    """The events after a position that memory can learn from."""
    return [r for r in log.read(after, topics=TOPICS, upto=head) if _teaches(r) or _unteaches(log, r)]


def gather(log: Log, after: int, head: int, *, look: bool = True) -> Material | None:
    """Everything the extractors need; None if there is no new signal. `look` False: HEADs are not read."""
    new = signal(log, after, head)
    if not new:
        return None
    upto = new[-1].position
    known = RepositoriesView().load(log, upto=head)[0].by_id
    touched = {r.event.repo for r in new if isinstance(r.event, CommitRecorded)} | set(known)
    repos = {i: Repo(i, Path(known[i].root).name if i in known else i) for i in sorted(touched)}
    for recorded in new:
        if isinstance(recorded.event, CommitRecorded):
            repos[recorded.event.repo].moves += _moves(recorded.event, recorded.position)
    for repo in repos.values():
        if look and repo.id in known:
            repo.head, repo.alive = head_of(Path(known[repo.id].root))
    inbox = InboxView().load(log)[0]  # only raised proposals are read from it, and no later event changes those
    passed, refused = [], []
    for r in log.read(0, topics={"ProposalVerified", "ProposalRejected"}, upto=upto):
        if not _teaches(r):
            continue
        proposal = inbox.proposals.get(getattr(r.event, "id", ""))
        if isinstance(r.event, ProposalVerified) and proposal is not None:
            passed.append((r.position, r.at, proposal.raised.repo, r.event.check))
        elif isinstance(r.event, ProposalRejected) and proposal is not None:
            refused.append((r.position, r.at, r.event))
    histories = HistoryView().load(log, upto=upto)[0]
    gone = taken_back(log, upto)
    refused = [r for r in refused if r[0] not in gone]
    return Material(after, upto, new[-1].at, len(new), repos, histories, inbox, passed, refused, gone)


def taken_back(log: Log, upto: int) -> frozenset[int]:
    """The positions of the decisions on proposals that were taken back and not made again."""
    found = set[int]()
    for r in log.read(0, topics={"DecisionUndone", "DecisionRedone"}, upto=upto):
        match r.event:
            case DecisionUndone() as e if e.id:
                found.add(e.of)
            case DecisionRedone() as e:
                found.discard(e.of)
            case _:
                pass
    return frozenset(found)


def head_of(root: Path) -> tuple[str, frozenset[str] | None]:
    """(commit of HEAD, its paths); ("", None) when the repository cannot be read or has no commit."""
    git = Git(root)
    try:
        head = git.head()
        if head is None:
            return "", None
        raw = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", head)
    except GitError:
        return "", None
    return head, frozenset(os.fsdecode(path) for path in raw.split(b"\0") if path)


def _teaches(recorded: Recorded) -> bool:
    match recorded.event:
        case CommitRecorded():
            return True
        case ProposalVerified() as e:
            return e.ok and e.exit == 0 and bool(e.check)
        case ProposalRejected() as e:
            return e.never
        case _:
            return False


def _unteaches(log: Log, recorded: Recorded) -> bool:
    """Whether an event takes back, or makes again, a decision that memory can learn from."""
    event = recorded.event
    if not isinstance(event, DecisionUndone | DecisionRedone) or event.what != "reject":
        return False
    try:
        return _teaches(log.at(event.of))
    except NotFound:  # erased
        return True


def _moves(event: CommitRecorded, position: int) -> list[Rename]:
    return [
        Rename(change.was.path, change.path, position, max(0, event.at_s) * 1_000_000)
        for change in event.changes
        if change.status == "R" and change.was is not None and change.was.path is not None and change.path is not None
    ]
