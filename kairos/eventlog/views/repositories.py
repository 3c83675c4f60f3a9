"""The view of the repositories recorded in the log, and the id of a repository."""

from __future__ import annotations

import msgspec

from kairos.domain.events import BaselineRecorded, RepoTrusted, RepoUnwatched, RootFound, RootLost
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection


class Repository(msgspec.Struct, kw_only=True):
    """A repository as recorded in the log. Its id is also the stream of its events."""

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
                for other in state.by_id.values():  # an earlier repository at this root is no longer watched
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
    """The id (and stream) of a repository, derived from the trusted directory; `host` is given on a shared log."""
    from hashlib import sha256

    place = f"{dev}:{ino}:{root}" + (f":{host}" if host else "")
    return "repo-" + sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:12]
