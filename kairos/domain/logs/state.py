"""Which logs are watched in which repository, folded from their events. Pure."""

from __future__ import annotations

import shlex

import msgspec

from kairos.domain.events import Event, LogKind, LogLineTold, LogWatchNamed, LogWatchRemoved

TOPICS = frozenset({"LogLineTold", "LogWatchNamed", "LogWatchRemoved"})


def watch_stream(repo: str, name: str) -> str:
    """The stream of the events of a watched log."""
    return f"log-watch-{repo}-{name}"


def kept_view(repo: str) -> str:
    """The view with a row for each watched log of a repository, what was learnt of it. It may be dropped: it is learnt
    again."""
    return f"snapshot/log-watch/{repo}@1"


class WatchedLog(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A watched log as a person named it, its source as in `LogWatchNamed`. `named`: the position of that; `told`: how
    often something was new in it since, the last time at position `last`."""

    name: str
    kind: LogKind
    named: int
    path: str = ""
    every: bool = False
    told: int = 0
    last: int = 0
    unit: str = ""
    user: bool = False
    command: tuple[str, ...] = ()
    read_roots: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What is watched: as long as it is the same, what was learnt of it holds."""
        return "\0".join([self.kind, shown_source(self)])


def shown_source(watch: WatchedLog | LogWatchNamed) -> str:
    """What is watched, as a person typed it: a path, a unit, or a command line."""
    if watch.kind == "unit":
        return f"{watch.unit} (--user)" if watch.user else watch.unit
    return watch.path or shlex.join(watch.command)


class WatchedLogs(msgspec.Struct, kw_only=True):
    """Repository → name → the watched log."""

    by_repo: dict[str, dict[str, WatchedLog]] = {}

    def of(self, repo: str) -> dict[str, WatchedLog]:
        return self.by_repo.get(repo, {})


def evolve(state: WatchedLogs, event: Event, position: int) -> None:
    """Folds one event into the state, in place."""
    match event:
        case LogWatchNamed():
            state.by_repo.setdefault(event.repo, {})[event.name] = WatchedLog(
                name=event.name, kind=event.kind, named=position, path=event.path, every=event.every, unit=event.unit,
                user=event.user, command=tuple(event.command), read_roots=tuple(event.read_roots),
            )  # fmt: skip
        case LogWatchRemoved():
            state.of(event.repo).pop(event.name, None)
        case LogLineTold():
            known = state.of(event.repo).get(event.watch)
            if known is not None:
                state.by_repo[event.repo][event.watch] = msgspec.structs.replace(
                    known, told=known.told + 1, last=position
                )
        case _:
            pass
