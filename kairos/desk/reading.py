"""Reading for answers: the views (empty without a log), positions by time, and short ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import place
from kairos.domain.attention import Attention
from kairos.domain.events import Event
from kairos.domain.learning.learned import Learned
from kairos.domain.proposal import UNDECIDED, Proposal
from kairos.errors import NotFound
from kairos.eventlog.record import Row
from kairos.eventlog.views.attention import AttentionView
from kairos.eventlog.views.inbox import Inbox, InboxView
from kairos.eventlog.views.repositories import Repositories, RepositoriesView, Repository
from kairos.eventlog.views.usage import Usage, UsageView
from kairos.home import machine

RISKS = {"urgent": 0, "high": 1, "medium": 2, "low": 3}


def inbox(desk: Desk) -> Inbox:
    """Every proposal, as of now."""
    return desk.view(InboxView())


def repositories(desk: Desk) -> Repositories:
    """Every repository the log knows."""
    return desk.view(RepositoriesView())


def attention(desk: Desk) -> Attention:
    """The state of attention: what is muted, paused and held."""
    return desk.view(AttentionView())


def learned_of(desk: Desk) -> Learned:
    """What was learned of each detector."""
    return inbox(desk).learned


def usage(desk: Desk) -> Usage:
    """What was spent and how much was done."""
    return desk.view(UsageView())


@of_one_moment
def repository_at(desk: Desk, path: Path) -> Repository:
    """The registered repository whose tree holds a path (default: its root). NotFound (4)."""
    known = repositories(desk)
    start = place(str(path))
    for folder in (start, *start.parents):
        repository = known.at(str(folder), machine())
        if repository is not None:
            return repository
    raise NotFound(f"{path} is not a repository that Kairos knows", f"Register it with `kairos init {path}`.")


def repository_here(desk: Desk, only: Repository | None) -> Repository:
    """The repository that `--repo` names, else the one that a person stands in. NotFound (4)."""
    return only if only is not None else repository_at(desk, Path.cwd())


def registered_at(desk: Desk, path: str | Path) -> Repository:
    """The repository with this root, watched or not. NotFound (4)."""
    known = repositories(desk)
    repository = known.at(str(place(str(path))), machine())
    if repository is not None:
        return repository
    hint = "`kairos status` lists them."
    for folder in place(str(path)).parents:
        if known.at(str(folder), machine()) is not None:
            hint = f"It lies in {folder}: name that."
            break
    raise NotFound(f"{path} is not the root of a repository that Kairos knows", hint)


def selected(desk: Desk, path: Path | None) -> Repository | None:
    """The repository that a command is limited to; None if no path was given."""
    return None if path is None else repository_at(desk, path)


def roots_of(desk: Desk) -> dict[str, str]:
    """Repository id → its root."""
    return {id_: repository.root for id_, repository in repositories(desk).by_id.items()}


def names(known: Repositories) -> dict[str, str]:
    """Repository id → the short name shown to people: the directory's name, longer if two share it."""
    roots = {r.id: Path(r.root) for r in known.by_id.values()}
    shared = [root.name for root in roots.values()]
    return {i: root.name if shared.count(root.name) == 1 else str(root) for i, root in roots.items()}


def in_order(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The proposals in display order: highest risk first, then oldest first."""
    return sorted(proposals, key=lambda p: (RISKS[p.raised.risk], p.raised_at, p.id))


@of_one_moment
def proposal_of(desk: Desk, prefix: str, only: Repository | None) -> Proposal:
    """The proposal with an id or unique prefix, of one repository if one is given. NotFound (4)."""
    proposal = inbox(desk).find(prefix)
    if only is not None and proposal.raised.repo != only.id:
        other = repositories(desk).by_id.get(proposal.raised.repo)
        where = f"in {other.root}" if other is not None else "elsewhere"
        raise NotFound(f"{proposal.id} is {where}, not in {only.root}", "Leave --repo out, or name that repository.")
    return proposal


@of_one_moment
def chosen(desk: Desk, prefixes: Sequence[str], only: Repository | None = None) -> list[Proposal]:
    """The proposals with these id prefixes, each once, in display order. NotFound (4)."""
    return in_order([proposal_of(desk, prefix, only) for prefix in dict.fromkeys(prefixes)])


@of_one_moment
def undecided(desk: Desk, ids: Sequence[str]) -> list[Proposal]:
    """Those of these proposals that still wait for a decision, in the order given."""
    known, away = inbox(desk).proposals, unwatched(desk)
    return [known[i] for i in ids if known[i].state in UNDECIDED and known[i].raised.repo not in away]


def repository_of(desk: Desk, event: Event) -> str:
    """The id of the repository that an event is about: its own, or that of its proposal or memory. Empty for none."""
    for named in (getattr(event, "repo", ""), getattr(getattr(event, "memory", None), "repo", "")):
        if isinstance(named, str) and named:
            return named
    proposal = inbox(desk).proposals.get(str(getattr(event, "id", "")))
    return "" if proposal is None else proposal.raised.repo


@of_one_moment
def waiting(desk: Desk, only: Repository | None = None) -> list[Proposal]:
    """Undecided proposals of what is watched, of one repository if one is given, in display order."""
    away = unwatched(desk)
    pending = (p for p in inbox(desk).pending() if p.raised.repo not in away)
    return in_order([p for p in pending if only is None or p.raised.repo == only.id])


def unwatched(desk: Desk) -> dict[str, str]:
    """The repositories that are not watched any more: id → root. Their proposals rest until they are watched again."""
    return {r.id: r.root for r in repositories(desk).by_id.values() if not r.watched}


@of_one_moment
def resting(desk: Desk, only: Repository | None = None) -> dict[str, int]:
    """How many undecided proposals rest because their repository is not watched, by its root."""
    away = unwatched(desk)
    mine = (p.raised.repo for p in inbox(desk).pending() if only is None or p.raised.repo == only.id)
    return dict(Counter(away[repo] for repo in mine if repo in away))


def position_before(desk: Desk, at: int) -> int:
    """The last position recorded before a time (us), 0 if none. Found by bisection, because times ascend with
    positions."""
    low, high = 0, desk.log.head()
    while low < high:
        middle = (low + high + 1) // 2
        row = standing_from(desk, middle)
        if row is not None and row.at < at:
            low = middle
        else:
            high = middle - 1
    return low


def standing_from(desk: Desk, position: int) -> Row | None:
    """The first row at or after a position; rows that replace folded positions have no time and are skipped."""
    row = next(desk.log.reader().rows(position - 1, limit=1), None)
    while row is not None and not row.topic:
        row = next(desk.log.reader().rows(row.position, limit=1), None)
    return row


@of_one_moment
def letters(desk: Desk, id_: str) -> str:
    """A proposal's id in the short form that people see and type."""
    return inbox(desk).letters(id_)


@of_one_moment
def rejection_of(desk: Desk, repo: str, key: str, detector: str) -> str:
    """What `undo` takes to take back the rejection that holds back a finding: the short id of the rejected proposal,
    `ID` if none is known."""
    known = inbox(desk)
    found = known.known(repo, [key], []) or known.known(repo, [], [detector])
    return next((known.letters(p.id) for p in reversed(found) if p.state == "rejected"), "ID")


def short(ids: list[str], *, least: int = 4) -> dict[str, str]:
    """Each id → its shortest prefix, of at least `least` letters, that no other id shares."""
    ordered = sorted(set(ids))
    out = {}
    for i, one in enumerate(ordered):
        need = least
        for other in (*ordered[max(0, i - 1) : i], *ordered[i + 1 : i + 2]):
            while need < len(one) and one[:need] == other[:need]:
                need += 1
        out[one] = one[:need]
    return out
