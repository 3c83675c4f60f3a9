"""Which repositories a person trusts to be watched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from kairos.desk.desk import Desk
from kairos.desk.given import whole
from kairos.desk.leased import leased, repository_id_of
from kairos.desk.reading import registered_at, repositories
from kairos.desk.records.repositories import InitOut, UnwatchOut
from kairos.desk.units import count
from kairos.domain.events import CommitRecorded, FindingListed, RepoTrusted, RepoUnwatched
from kairos.domain.inert import as_text
from kairos.errors import TryAgain, UsageError
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.projection import keep_views
from kairos.eventlog.views.repositories import Repository
from kairos.repo.git import Git, open_repository


class Progress(Protocol):
    """Called with (done, total) during long work."""

    def __call__(self, done: int, total: int, /) -> None: ...


class Told(NamedTuple):
    """Callbacks of the caller during registration: `trusts` asks whether to trust a root and raises if refused,
    `progress` is a context entered while the tree is read that receives the progress, `warn` receives problems of
    detectors."""

    trusts: Callable[[Path], None]
    progress: Callable[[str], AbstractContextManager[Progress]]
    warn: Callable[[str], None]


def register(desk: Desk, path: str, *, history: int | None, told: Told, first: int | None = None) -> InitOut:
    """Trusts and registers the repository that holds `path`, once; its baseline starts no turn.

    `history`: None no commits, 0 all, else that many of the last ones; `first`: the same for a repository that is new,
    if `history` is None. UsageError (2), Denied (6), and what
    `told.trusts` raises."""
    git = open_repository(Path(path))
    root = git.root
    refuse_own(desk, root)
    refuse_unnamed(root)
    stat = root.stat()
    id_, host = repository_id_of(desk, root, stat.st_dev, stat.st_ino)
    known = repositories(desk).by_id.get(id_)
    new = known is None or not known.watched or not known.ready
    history = first if new and history is None else history
    if known is None or not known.watched:
        told.trusts(root)
        desk.home.prepare()
    with leased(desk, id_) as mine:
        if new and not mine:
            raise TryAgain(f"{root} is being registered by another command", "Wait for it to end.")
        if known is None or not known.watched:
            trusted = RepoTrusted(repo=id_, root=str(root), dev=stat.st_dev, ino=stat.st_ino, by="user", host=host)
            desk.log.append([NewEvent(id_, trusted, None, "user")])
        return _recorded(desk, id_, git, told, new=new, history=history)


def _recorded(desk: Desk, id_: str, git: Git, told: Told, *, new: bool, history: int | None) -> InitOut:
    """Records the baseline of a registered repository and its findings, if they are not in the log yet."""
    entries, before = 0, desk.log.head()
    if new or history is not None:
        entries = _baseline(desk, repositories(desk).by_id[id_], git, history, told)
    commits = _imported(desk, id_, before)
    findings = _listed(desk, id_)
    if new or not _is_listed(desk, id_):
        findings = _list_findings(desk, repositories(desk).by_id[id_], told)
    if new or history is not None:
        from kairos.daemon.all_views import kept_views

        keep_views(desk.log, kept_views())
    return InitOut(
        path=str(git.root), repo=id_, new=new, entries=entries, commits=commits.total(), findings=findings,
        left_out=_left_out(git, commits) if history is not None else [],
    )  # fmt: skip


def _imported(desk: Desk, id_: str, before: int) -> Counter[str]:
    """How many commits were recorded after a position, by what was left out of them (empty: nothing)."""
    found = (r for r in desk.log.read(before, topics={"CommitRecorded"}) if r.stream == id_)
    return Counter(r.event.left_out for r in found if isinstance(r.event, CommitRecorded))


def _left_out(git: Git, commits: Counter[str]) -> list[str]:
    """What the clone does not hold, as sentences; nothing was fetched."""
    from kairos.repo.clones import is_partial

    found = []
    if commits["trees"]:
        number = count(commits["trees"], "commit")
        found.append(f"the changes of {number}: this partial clone does not hold their trees")
    if commits["parents"]:
        number = count(commits["parents"], "commit")
        found.append(f"the changes of {number}: this shallow clone does not hold what was before")
    if commits.total() > commits["trees"] and is_partial(git):
        found.append("renames of files that also changed, where this partial clone does not hold their contents")
    return found


def refuse_own(desk: Desk, root: Path) -> None:
    """Kairos's own folders are never watched as a repository. UsageError (2)."""
    for own in desk.home.roots:
        if root == own.resolve() or own.resolve() in root.parents:
            raise UsageError(f"{root} lies inside Kairos's own directory {own}", "Name another repository.")


def refuse_unnamed(root: Path) -> None:
    """The log names a repository by its path, as text. UsageError (2) if the path is not valid text; names inside the
    repository may be any bytes."""
    name = as_text(str(root))
    if name != str(root):
        raise UsageError(f"the path {name} is not UTF-8, so the log cannot record it", "Rename the directory.")


def _baseline(desk: Desk, repository: Repository, git: Git, history: int | None, told: Told) -> int:
    from kairos.daemon.salt import salt_of
    from kairos.sensing.baseline import record_baseline

    salt = salt_of(desk.log, desk.home)
    with told.progress(repository.root) as progress:
        return record_baseline(
            desk.log, repository, git, excluded=desk.home.roots, history=history, progress=progress, salt=salt
        )


def _listed(desk: Desk, repo: str) -> list[str]:
    """The findings that were listed at init, as text."""
    trusted = repositories(desk).by_id[repo].trusted_at
    found = [r.event for r in desk.log.read(trusted, topics={"FindingListed"})]
    return [f"{e.detector}: {e.title}" for e in found if isinstance(e, FindingListed) and e.repo == repo]


def _is_listed(desk: Desk, repo: str) -> bool:
    """Whether init recorded its findings; False if it was killed after the baseline."""
    from kairos.daemon.first_findings import is_listed

    return is_listed(desk.log, repo)


def _list_findings(desk: Desk, repository: Repository, told: Told) -> list[str]:
    from kairos.daemon.first_findings import list_baseline_findings
    from kairos.daemon.salt import salt_of
    from kairos.desk.detecting import roster_of

    roster = roster_of(desk)
    _, problems = list_baseline_findings(desk.log, repository, salt_of(desk.log, desk.home), roster)
    for problem in problems:
        told.warn(problem)
    return _listed(desk, repository.id)


def parse_history(text: str | None) -> int | None:
    """`all` as 0, a number as itself, nothing as None. UsageError."""
    if text is None:
        return None
    if text == "all":
        return 0
    wanted = whole(text)
    if not wanted:
        raise UsageError(f"--history is `all` or a number of commits, not `{text}`", "For example --history 500.")
    return wanted


def unwatch(desk: Desk, path: str) -> UnwatchOut:
    """Stops watching the repository with this root; its history stays. NotFound (4)."""
    found = registered_at(desk, path)
    position = found.trusted_at
    if found.watched:
        event = RepoUnwatched(repo=found.id, root=found.root)
        position = desk.log.append([NewEvent(found.id, event, None, "user")])[0]
    return UnwatchOut(path=found.root, repo=found.id, position=position)
