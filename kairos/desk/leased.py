"""Leases on repositories for commands, on a log shared by several homes: which home holds one, and taking one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kairos.desk.desk import Desk
from kairos.errors import Locked, TryAgain
from kairos.eventlog.views.repositories import Repository


@contextmanager
def leased(desk: Desk, repo: str) -> Iterator[bool]:
    """Holds the lease on a repository for the duration of the block, and fences the events appended. False while a
    daemon or another command holds it. Always True on a log of one home."""
    if not desk.log.shared:
        yield True
        return
    from kairos.eventlog.leases import holding, repo_lease

    with holding(desk.log, repo_lease(repo), desk.actor, desk.config.log.lease_seconds) as mine:
        yield mine


@contextmanager
def acting_in(desk: Desk, repo: str) -> Iterator[None]:
    """As `leased`, or under the lease of this home's own daemon. Locked (11) if another home holds it."""
    with leased(desk, repo) as mine:
        if mine:
            yield
            return
        from kairos.eventlog.leases import held_by, holder, repo_lease

        found = held_by(desk.log, repo_lease(repo))
        if found is None:
            raise TryAgain("another home is taking over the repository", "Try again in a moment.")
        if found[0] != holder(desk.log.owner):
            raise Locked(
                f"{found[0]} holds this repository, and only that home can undo what it did",
                "Run the command in that home, or try again when its daemon is stopped.",
            )
        with desk.log.fenced(found[1], also=True):
            yield


def is_here(desk: Desk, repository: Repository) -> bool:
    """Whether the directory of a repository is on this machine; always True if the log is not shared."""
    if not desk.log.shared:
        return True
    from kairos.daemon.duties import is_here as on_this_machine

    return on_this_machine(repository)


def other_daemons(desk: Desk) -> list[str]:
    """The other homes that run a daemon on the shared log."""
    leases = desk.log.leases()
    if leases is None:
        return []
    from kairos.eventlog.leases import daemon_lease

    own = daemon_lease(desk.log.owner)
    try:
        return [one.holder for one in leases.current() if one.name.startswith("daemon/") and one.name != own]
    finally:
        leases.close()


def holders(desk: Desk) -> dict[str, str]:
    """Repository id → the other home or command that holds it now; empty on a log of one home."""
    if not desk.log.shared or not desk.has_log:
        return {}
    leases = desk.log.leases()
    if leases is None:
        return {}
    from kairos.eventlog.leases import holder

    own = holder(desk.log.owner)
    try:
        found = [one for one in leases.current() if one.name.startswith("repo/") and one.holder != own]
        return {one.name.removeprefix("repo/"): one.holder for one in found}
    finally:
        leases.close()


def repository_id_of(desk: Desk, root: Path, dev: int, ino: int) -> tuple[str, str]:
    """(id, machine) under which the directory at a root is registered or will be. On a shared log the machine is part
    of the id, unless the log was imported from a single home and already has the directory."""
    from kairos.eventlog.views.repositories import RepositoriesView, repository_id
    from kairos.home import machine

    plain = repository_id(dev, ino, str(root))
    if not desk.log.shared:
        return plain, ""
    known = RepositoriesView().load(desk.log)[0].by_id.get(plain) if desk.has_log else None
    if known is not None and known.watched:
        return plain, ""
    return repository_id(dev, ino, str(root), machine()), machine()
