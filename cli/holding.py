"""Doing something in a repository from the command line, on a log that other homes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.context import Context
from kairos.errors import Locked, TryAgain
from kairos.eventlog.views import Repository


@contextmanager
def leased(context: Context, repo: str) -> Iterator[bool]:
    """Takes the lease on a repository for the while, and fences what is appended. False while a daemon or another
    command has it. Always True on a log of one home."""
    if not context.log.shared:
        yield True
        return
    from kairos.eventlog.leases import holding, repo_lease

    with holding(context.log, repo_lease(repo), context.actor, context.config.log.lease_seconds) as mine:
        yield mine


@contextmanager
def acting_in(context: Context, repo: str) -> Iterator[None]:
    """As `leased`, or under the lease that this home's own daemon has. Locked (11) if another home has it."""
    with leased(context, repo) as mine:
        if mine:
            yield
            return
        from kairos.eventlog.leases import held_by, holder, repo_lease

        found = held_by(context.log, repo_lease(repo))
        if found is None:
            raise TryAgain("the repository changes hands at this very moment", "Try again.")
        if found[0] != holder(context.log.owner):
            raise Locked(
                f"{found[0]} has this repository: what was done there can be taken back there only",
                "Run the command in that home, or try again when its daemon is stopped.",
            )
        before = context.log.fences
        context.log.fences = (*before, *found[1])
        try:
            yield
        finally:
            context.log.fences = before


def is_here(context: Context, repository: Repository) -> bool:
    """Whether the directory of a repository is on this machine, as far as the log is shared with others."""
    if not context.log.shared:
        return True
    from kairos.daemon.duties import is_here as on_this_machine

    return on_this_machine(repository)


def other_daemons(context: Context) -> list[str]:
    """Who runs a daemon on the shared log, this home left out."""
    leases = context.log.leases()
    if leases is None:
        return []
    from kairos.eventlog.leases import daemon_lease

    own = daemon_lease(context.log.owner)
    try:
        return [one.holder for one in leases.current() if one.name.startswith("daemon/") and one.name != own]
    finally:
        leases.close()


def holders(context: Context) -> dict[str, str]:
    """Repository id → which other home or command holds it now; empty on a log of one home."""
    if not context.log.shared or not context.has_log:
        return {}
    leases = context.log.leases()
    if leases is None:
        return {}
    from kairos.eventlog.leases import holder

    own = holder(context.log.owner)
    try:
        found = [one for one in leases.current() if one.name.startswith("repo/") and one.holder != own]
        return {one.name.removeprefix("repo/"): one.holder for one in found}
    finally:
        leases.close()


def repository_id_of(context: Context, root: Path, dev: int, ino: int) -> tuple[str, str]:
    """(id, machine) under which the directory at a root is registered or will be. On a shared log the machine is part
    of it, unless the log came from one of a single home and knows the directory already."""
    from kairos.eventlog.views import RepositoriesView, repository_id
    from kairos.home import machine

    plain = repository_id(dev, ino, str(root))
    if not context.log.shared:
        return plain, ""
    known = RepositoriesView().load(context.log)[0].by_id.get(plain) if context.has_log else None
    if known is not None and known.watched:
        return plain, ""
    return repository_id(dev, ino, str(root), machine()), machine()
