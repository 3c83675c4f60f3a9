"""Reading the log for a command: the views, empty where nothing was ever recorded, and places in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from cli.context import Context
from cli.given import place
from kairos.domain.attention import Attention
from kairos.errors import NotFound
from kairos.eventlog.inbox import Inbox, InboxView
from kairos.eventlog.moment import Moment
from kairos.eventlog.moment import at_one_moment as one_moment
from kairos.eventlog.projection import Projection
from kairos.eventlog.record import Row
from kairos.eventlog.views import AttentionView, Ledger, LedgerView, Repositories, RepositoriesView, Repository
from kairos.home import machine

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")


def at_one_moment(context: Context, build: Callable[[], T]) -> T:
    """What `build` makes of one state of the log, whatever is appended meanwhile: an answer rests on one, however many
    views it reads. `build` only reads and may be called again; it neither prints nor asks."""
    if context.moment is not None:
        return build()

    def of(moment: Moment) -> T:
        context.moment = moment
        try:
            return build()
        finally:
            context.moment = None

    return one_moment(context.log if context.has_log else None, of)


def view(context: Context, wanted: Projection[S]) -> S:
    """The state of a view: that of the moment that is being read, else as of now."""
    return at_one_moment(context, lambda: _of_moment(context, wanted))


def _of_moment(context: Context, wanted: Projection[S]) -> S:
    assert context.moment is not None
    return context.moment.view(wanted)


def inbox(context: Context) -> Inbox:
    """Every proposal, as of now."""
    return view(context, InboxView())


def repositories(context: Context) -> Repositories:
    """Every repository the log knows."""
    return view(context, RepositoriesView())


def attention(context: Context) -> Attention:
    """What is muted, paused and held."""
    return view(context, AttentionView())


def ledger(context: Context) -> Ledger:
    """What was spent and done."""
    return view(context, LedgerView())


def repository_at(context: Context, path: Path) -> Repository:
    """The registered repository whose tree holds a path (default: its root). NotFound (4)."""
    known = repositories(context)
    found = place(str(path))
    for folder in (found, *found.parents):
        repository = known.at(str(folder), machine())
        if repository is not None:
            return repository
    raise NotFound(f"{path} is not a repository that Kairos knows", f"Register it with `kairos init {path}`.")


def selected(context: Context) -> Repository | None:
    """The repository that --repo names; None without the flag."""
    path = context.repo_path()
    return None if path is None else repository_at(context, path)


def names(known: Repositories) -> dict[str, str]:
    """Repository id → the short name people see: the directory's name, longer where two share it."""
    roots = {r.id: Path(r.root) for r in known.by_id.values()}
    shared = [root.name for root in roots.values()]
    return {i: root.name if shared.count(root.name) == 1 else str(root) for i, root in roots.items()}


def position_before(context: Context, at: int) -> int:
    """The last position recorded before a time (us), 0 if none: a bisection, for times ascend with positions."""
    low, high = 0, context.log.head()
    while low < high:
        middle = (low + high + 1) // 2
        row = standing_from(context, middle)
        if row is not None and row.at < at:
            low = middle
        else:
            high = middle - 1
    return low


def standing_from(context: Context, position: int) -> Row | None:
    """The first row at or after a position; what stands for folded positions has no time and is passed over."""
    row = next(context.log.reader().rows(position - 1, limit=1), None)
    while row is not None and not row.topic:
        row = next(context.log.reader().rows(row.position, limit=1), None)
    return row


def letters(context: Context, id_: str) -> str:
    """A proposal's id as people see and type it."""
    return short(list(inbox(context).proposals))[id_]


def short(ids: list[str], *, least: int = 4) -> dict[str, str]:
    """Each id → its shortest prefix, of at least so many letters, that no other id shares."""
    ordered = sorted(set(ids))
    out = {}
    for i, one in enumerate(ordered):
        need = least
        for other in (*ordered[max(0, i - 1) : i], *ordered[i + 1 : i + 2]):
            while need < len(one) and one[:need] == other[:need]:
                need += 1
        out[one] = one[:need]
    return out
