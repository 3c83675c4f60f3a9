"""The logs of a person's programs: which are watched, what was learnt of them, and what would have been told."""

from __future__ import annotations

import re
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.given import place, refuse_name, refuse_unkept, typed
from kairos.desk.reading import repositories, repository_here
from kairos.desk.records.log_watches import LogBacktestOut, LogNewsOut, LogWatchRemovedOut, WatchedLogOut
from kairos.domain.checks.suggesting import free_name
from kairos.domain.events import LogWatchNamed, LogWatchRemoved
from kairos.domain.logs.state import WatchedLog, kept_view, shown_source, watch_stream
from kairos.errors import NotFound, UsageError
from kairos.eventlog.record import Drop, NewEvent
from kairos.eventlog.views.log_watches import LogWatchesView
from kairos.eventlog.views.repositories import Repository

_UNIT = re.compile(r"\A[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}\Z")
_EXAMPLE = "kairos watch-log add --file /var/log/app.log"


def add(
    desk: Desk, only: Repository | None, *, file: str | None = None, unit: str | None = None, user: bool = False,
    command: str | None = None, read_roots: Sequence[str] = (), name: str | None = None, every: bool = False,
) -> WatchedLogOut:  # fmt: skip
    """Watches a log for a repository, or changes the one of this name: exactly one of a file, a unit (`user`: one of
    the person's own) and a command line, which may read `read_roots` besides. UsageError, NotFound."""
    repo = repository_here(desk, only)
    if sum(source is not None for source in (file, unit, command)) != 1:
        raise UsageError("say in exactly one way what to watch", f"--file, --unit or --command: {_EXAMPLE}")
    _refuse_stray(user=user and unit is None, read_roots=bool(read_roots) and command is None)
    known = desk.view(LogWatchesView()).of(repo.id)
    event = LogWatchNamed(repo=repo.id, name=name or "", kind="file", every=every)
    if file is not None:
        event, called = replace(event, path=_file(desk, file)), Path(file).stem
    elif unit is not None:
        event, called = replace(event, kind="unit", unit=_unit(unit), user=user), unit.removesuffix(".service")
    else:
        words, folders = _words(command or ""), [str(place(root)) for root in read_roots]
        refuse_unkept(words, folders, "--command 'tail -F build.log'")
        event, called = replace(event, kind="command", command=words, read_roots=folders), Path(words[0]).name
    name = name or free_name(_name_of(called), set(known))
    refuse_name(name, "a log")
    event = replace(event, name=name)
    desk.log.append([NewEvent(watch_stream(repo.id, name), event, None, "user")])
    return next(w for w in listed(desk, repo) if w.name == name)


def remove(desk: Desk, only: Repository | None, name: str) -> LogWatchRemovedOut:
    """Ends the watch of a log, and forgets what was learnt of it. NotFound (4)."""
    repo = repository_here(desk, only)
    if name not in desk.view(LogWatchesView()).of(repo.id):
        raise NotFound(f"{repo.root} watches no log `{name}`", "`kairos watch-log ls` lists them.")
    event = NewEvent(watch_stream(repo.id, name), LogWatchRemoved(repo=repo.id, name=name), None, "user")
    (position,) = desk.log.append([event], writes=[Drop(kept_view(repo.id), name.encode())])
    return LogWatchRemovedOut(repo=repo.root, name=name, position=position)


@of_one_moment
def listed(desk: Desk, only: Repository | None) -> list[WatchedLogOut]:
    """The watched logs of a repository, or of all, with what was learnt of them until it was saved last."""
    known = desk.view(LogWatchesView())
    repos = [only] if only is not None else repositories(desk).watched()
    return [_out(desk, repo, watch) for repo in repos for _, watch in sorted(known.of(repo.id).items())]


def unreadable(desk: Desk, only: Repository | None) -> list[WatchedLogOut]:
    """The watched logs of which nothing can be read now."""
    return [log for log in listed(desk, only) if log.why] if desk.view(LogWatchesView()).by_repo else []


def backtest(path: Path) -> LogBacktestOut:
    """Reads a log file as if live: what it would have told of its second half. NotFound, UsageError."""
    from kairos.daemon.log_replay import replay

    try:
        found = replay(path.resolve())
    except OSError as error:
        kind = NotFound if isinstance(error, FileNotFoundError) else UsageError
        raise kind(f"{path} cannot be read: {(error.strerror or str(error)).lower()}", "Give a log file.") from error
    news = [
        LogNewsOut(
            news=n.news.kind, level=n.news.level, template=n.news.template.text, example=n.news.example, line=n.line,
            here=n.news.here,
        )
        for n in found.news
    ]  # fmt: skip
    return LogBacktestOut(
        path=str(path), lines=found.lines, entries=found.entries, learnt=found.learnt, templates=found.templates,
        unsaid=found.unsaid, news=news,
    )  # fmt: skip


def _out(desk: Desk, repo: Repository, watch: WatchedLog) -> WatchedLogOut:
    from kairos.daemon.log_kept import kept_of

    kept = kept_of(desk.log, repo.id, watch)
    why = "" if kept is None else kept.why
    return WatchedLogOut(
        repo=repo.root, name=watch.name, kind=watch.kind, source=shown_source(watch),
        every=watch.every, state="not read yet" if kept is None else "cannot be read" if why else "reading", why=why,
        entries=0 if kept is None else kept.past.entries, templates=0 if kept is None else len(kept.past.templates),
        told=watch.told, unsaid=0 if kept is None else kept.past.unsaid, skipped=0 if kept is None else kept.skipped,
    )  # fmt: skip


def _file(desk: Desk, text: str) -> str:
    """The absolute path of a log file; its directories with links resolved, itself not: rotation may make it a link."""
    from kairos.domain.secrets import redact  # it loads the native library

    given = typed(text)
    path = place(str(given.parent)) / given.name
    if redact(str(path)) != str(path):
        raise UsageError(
            f"the path {redact(str(path))} carries a credential-like value",
            "It would be cut from the log: move the file.",
        )
    if path.is_relative_to(desk.home.data):
        raise UsageError(f"{text} is Kairos's own", "It does not watch what it writes itself.")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{text} is no file", f"Give a log file: {_EXAMPLE}")
    except (FileNotFoundError, NotADirectoryError):
        pass  # it may come later
    except OSError as error:
        raise UsageError(f"{text} cannot be read: {error.strerror}", "Give a log file that you may read.") from error
    return str(path)


def _refuse_stray(*, user: bool, read_roots: bool) -> None:
    if user:
        raise UsageError("--user says whose unit it is", "It goes with --unit UNIT.")
    if read_roots:
        raise UsageError("--read says what a command may read", "It goes with --command 'CMD …'.")


def _unit(name: str) -> str:
    from kairos.domain.secrets import redact  # it loads the native library

    if _UNIT.match(name) is None or redact(name) != name:
        raise UsageError(f"`{redact(name)}` is no name of a unit", "`systemctl list-units` lists them.")
    return name


def _words(line: str) -> list[str]:
    """A command line as words; no shell looks at it."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the command cannot be read: {error}", "Quote it as a shell would want it.") from error


def _name_of(called: str) -> str:
    """A name by what is watched: `app` of /var/log/app.log."""
    return re.sub(r"[^a-z0-9._-]+", "-", called.lower()).strip("-._")[:30] or "log"
