"""The views every door reads: repositories and proposals. Each is a projection; see `projection`."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.domain import attention, proposal
from kairos.domain.attention import Attention
from kairos.domain.events import BaselineRecorded, ModelCalled, RepoTrusted, RepoUnwatched, RootFound, RootLost
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.projection import Projection
from kairos.eventlog.record import Recorded, Write


class Repository(msgspec.Struct, kw_only=True):
    """A repository as the log knows it. `stream` of its facts is its id."""

    id: str
    root: str
    dev: int
    ino: int
    trusted_at: int
    watched: bool = True
    ready_at: int = 0
    lost: bool = False

    @property
    def ready(self) -> bool:
        """Whether its baseline is complete."""
        return self.ready_at > 0


class Repositories(msgspec.Struct):
    by_id: dict[str, Repository] = {}

    def watched(self) -> list[Repository]:
        return [r for r in self.by_id.values() if r.watched and r.ready]

    def at(self, root: str) -> Repository | None:
        """The repository registered at a root, watched or not; the latest if it was replaced."""
        found = [r for r in self.by_id.values() if r.root == root]
        return max(found, key=lambda r: (r.watched, r.trusted_at), default=None)


class RepositoriesView(Projection[Repositories]):
    name = "repositories"
    version = 3
    state = Repositories
    topics = frozenset({"RepoTrusted", "RepoUnwatched", "BaselineRecorded", "RootLost", "RootFound"})

    def apply(self, state: Repositories, recorded: Recorded) -> None:
        match recorded.event:
            case RepoTrusted() as e:
                for other in state.by_id.values():  # one root is one directory: who was there before is not watched
                    other.watched = other.watched and other.root != e.root
                known = state.by_id.get(e.repo)
                state.by_id[e.repo] = Repository(
                    id=e.repo, root=e.root, dev=e.dev, ino=e.ino, trusted_at=recorded.position,
                    ready_at=known.ready_at if known else 0,
                )  # fmt: skip
            case RepoUnwatched() as e if e.repo in state.by_id:
                state.by_id[e.repo].watched = False
            case BaselineRecorded() as e if e.repo in state.by_id:
                state.by_id[e.repo].ready_at = recorded.position
            case RootLost() as e if e.repo in state.by_id:
                state.by_id[e.repo].lost = True
            case RootFound() as e if e.repo in state.by_id:
                state.by_id[e.repo].lost = False


class Inbox(msgspec.Struct):
    """Every proposal by id, as the aggregate folds it, with the positions of its events."""

    proposals: dict[str, Proposal] = {}
    positions: dict[str, list[int]] = {}

    def find(self, prefix: str) -> Proposal:
        """The proposal of an id or unique prefix. NotFound when none or several."""
        if prefix in self.proposals:
            return self.proposals[prefix]
        found = [p for i, p in self.proposals.items() if i.startswith(prefix)] if prefix else []
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotFound(f"no proposal has the id `{prefix}`", "`kairos inbox` lists what is pending.")
        ids = ", ".join(sorted(p.id for p in found)[:5])
        raise NotFound(f"`{prefix}` is ambiguous: {ids}", "Type more of the id.")

    def pending(self) -> list[Proposal]:
        return [p for p in self.proposals.values() if p.state in proposal.UNDECIDED]


class InboxView(Projection[Inbox]):
    name = "inbox"
    state = Inbox
    topics = proposal.TOPICS

    def apply(self, state: Inbox, recorded: Recorded) -> None:
        id_ = getattr(recorded.event, "id", "")
        folded = proposal.evolve(state.proposals.get(id_), recorded.event, recorded.at)
        if folded is not None:
            state.proposals[id_] = folded
            state.positions.setdefault(id_, []).append(recorded.position)


def repository_id(dev: int, ino: int, root: str) -> str:
    """The id (and stream) of a repository, from the directory that trust binds to."""
    from hashlib import sha256

    return "repo-" + sha256(f"{dev}:{ino}:{root}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


class AttentionView(Projection[Attention]):
    name = "attention"
    state = Attention
    topics = attention.TOPICS

    def apply(self, state: Attention, recorded: Recorded) -> None:
        attention.evolve(state, recorded.event, recorded.at, recorded.origin)


class Ledger(msgspec.Struct):
    """What was spent and done, for `today` figures: calls as (at us, micro-USD), turns as times."""

    calls: list[tuple[int, int]] = []
    turns: list[int] = []


class LedgerView(Projection[Ledger]):
    name = "ledger"
    state = Ledger
    topics = frozenset({"ModelCalled", "TurnStarted"})
    KEEP = 3 * 86_400_000_000

    def apply(self, state: Ledger, recorded: Recorded) -> None:
        if isinstance(recorded.event, ModelCalled):
            state.calls = [c for c in state.calls if c[0] > recorded.at - self.KEEP]
            state.calls.append((recorded.at, recorded.event.spent_microusd))
        else:
            if state.turns and state.turns[0] <= recorded.at - self.KEEP:
                state.turns = [t for t in state.turns if t > recorded.at - self.KEEP]
            state.turns.append(recorded.at)


def all_views() -> tuple[Projection[Any], ...]:
    """Every projection that is kept, in a fixed order."""
    return (RepositoriesView(), InboxView(), AttentionView(), LedgerView())


def keep_views(log: Log) -> None:
    """Brings the kept views to the head: readers after this start from there, and sealing is not held back."""
    writes: list[Write] = []
    for view in all_views():
        state, position = view.load(log)
        if log.tracking(view.key) < position:
            writes += view.saving(state, position)
    log.append([], writes=writes)
