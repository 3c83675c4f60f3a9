"""The views every door reads: repositories, proposals, attention, spending. Each is a projection; see `projection`."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.domain import attention
from kairos.domain.attention import Attention
from kairos.domain.events import (
    BaselineRecorded,
    ModelCalled,
    RepoTrusted,
    RepoUnwatched,
    RootFound,
    RootLost,
    TurnEnded,
    TurnStarted,
)
from kairos.eventlog.inbox import Inbox as Inbox
from kairos.eventlog.inbox import InboxView as InboxView
from kairos.eventlog.projection import Projection
from kairos.eventlog.record import Recorded


class Repository(msgspec.Struct, kw_only=True):
    """A repository as the log knows it. `stream` of its facts is its id."""

    id: str
    root: str
    dev: int
    ino: int
    trusted_at: int
    host: str = ""
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

    def at(self, root: str, host: str = "") -> Repository | None:
        """The repository registered at a root of this machine, watched or not; the latest if it was replaced."""
        found = [r for r in self.by_id.values() if r.root == root and r.host in ("", host)]
        return max(found, key=lambda r: (r.watched, r.trusted_at), default=None)


class RepositoriesView(Projection[Repositories]):
    name = "repositories"
    version = 4
    state = Repositories
    topics = frozenset({"RepoTrusted", "RepoUnwatched", "BaselineRecorded", "RootLost", "RootFound"})

    def apply(self, state: Repositories, recorded: Recorded) -> None:
        match recorded.event:
            case RepoTrusted() as e:
                for other in state.by_id.values():  # one root is one directory: who was there before is not watched
                    elsewhere = "" not in (other.host, e.host) and other.host != e.host
                    other.watched = other.watched and (elsewhere or other.root != e.root)
                known = state.by_id.get(e.repo)
                state.by_id[e.repo] = Repository(
                    id=e.repo, root=e.root, dev=e.dev, ino=e.ino, trusted_at=recorded.position,
                    host=e.host, ready_at=known.ready_at if known else 0,
                )  # fmt: skip
            case RepoUnwatched() as e if e.repo in state.by_id:
                state.by_id[e.repo].watched = False
            case BaselineRecorded() as e if e.repo in state.by_id:
                state.by_id[e.repo].ready_at = recorded.position
            case RootLost() as e if e.repo in state.by_id:
                state.by_id[e.repo].lost = True
            case RootFound() as e if e.repo in state.by_id:
                state.by_id[e.repo].lost = False


def repository_id(dev: int, ino: int, root: str, host: str = "") -> str:
    """The id (and stream) of a repository, from the directory that trust binds to; `host` on a shared log."""
    from hashlib import sha256

    place = f"{dev}:{ino}:{root}" + (f":{host}" if host else "")
    return "repo-" + sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:12]


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


class Turns(msgspec.Struct):
    """Model turns that have not ended: turn → (repository, position of its start)."""

    open: dict[str, tuple[str, int]] = {}


class TurnsView(Projection[Turns]):
    name = "turns"
    state = Turns
    topics = frozenset({"TurnStarted", "TurnEnded"})

    def apply(self, state: Turns, recorded: Recorded) -> None:
        match recorded.event:
            case TurnStarted(engine="model") as e:
                state.open[e.turn] = (e.repo, recorded.position)
            case TurnEnded() as e:
                state.open.pop(e.turn, None)
            case _:
                pass


def all_views() -> tuple[Projection[Any], ...]:
    """The projections of this storey, in a fixed order. Rooms and memory have more: `daemon.kept` names them all."""
    return (RepositoriesView(), InboxView(), AttentionView(), LedgerView(), TurnsView())
