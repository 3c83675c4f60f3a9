"""What `--repo PATH` means for each command: it acts on that repository alone, or it is refused."""

from __future__ import annotations

from typing import Any

import click

from cli.context import Context
from kairos.errors import UsageError

OWN = frozenset(
    {
        "", "approve", "backtest", "check add", "check ls", "check rm", "check run", "detectors", "detectors reset",
        "check simulate", "check suggest", "cost", "defer", "doctor", "dream", "edit", "export", "files", "forget",
        "guard check", "guard install", "guard remove", "guard status", "guard uninstall", "inbox", "init", "log",
        "ls", "memory brief", "memory ls", "memory recall", "memory related", "memory show", "mute", "pause",
        "policy allow",
        "policy ls", "policy test", "redo", "reject", "resume", "review", "sandbox run", "show", "status", "turn ls",
        "undo", "unmute", "unwatch", "watch", "watch-log add", "watch-log ls", "watch-log rm", "why", "why-not",
    }
)  # fmt: skip
"""The commands that `--repo` limits to one repository; an empty text is `kairos` alone."""

WHOLE = {
    "compact": "the log is one for all repositories",
    "completion": "a completion script is about no repository",
    "config get": "settings are for all repositories",
    "config path": "settings are for all repositories",
    "config set": "settings are for all repositories",
    "daemon logs": "one daemon watches all repositories",
    "daemon run": "one daemon watches all repositories",
    "demo": "the demo makes a repository of its own",
    **dict.fromkeys(
        (f"detectors {verb}" for verb in ("add", "off", "promote", "rm", "shadow")),
        "a detector looks at all repositories; `kairos mute` is about one",
    ),
    "log anchor": "the chain is one for all repositories",
    "log export": "the log is moved as a whole; `kairos export` is about one repository",
    "log import": "the log is moved as a whole",
    "log verify": "the chain is one for all repositories",
    "policy revoke": "a rule is named by its name",
    "turn show": "a turn is named by its id",
    "watch-log backtest": "a log file is named by its path",
    "replay": "the log is folded as a whole",
    "service install": "one daemon watches all repositories",
    "service status": "one daemon watches all repositories",
    "service uninstall": "one daemon watches all repositories",
    "start": "one daemon watches all repositories",
    "stop": "one daemon watches all repositories; `kairos unwatch` and `kairos pause` are about one",
    "tick": "one daemon looks at all repositories",
    "tools": "the tools are the same in all repositories",
}
"""The commands for which `--repo` can mean nothing, and why."""


def guarded(command: click.Command, name: str) -> None:
    """Changes a command so that it refuses `--repo` where that can mean nothing."""
    inner = command.callback
    if name in OWN or inner is None or isinstance(command, click.Group):
        return

    def callback(*args: Any, **kwargs: Any) -> Any:
        context = click.get_current_context().find_object(Context)
        if context is not None and context.repo is not None:
            why = WHOLE.get(name, "it is about no repository")
            raise UsageError(f"`kairos {name}` takes no --repo: {why}", "Leave --repo out.")
        return inner(*args, **kwargs)

    command.callback = callback


def one_path(context: Context, path: str | None, *, known: bool = True) -> str:
    """The directory that a command takes as PATH or as `--repo`; the current one without both. `known`: `--repo` names
    a registered repository, and gives its root. UsageError for both."""
    if path is not None and context.repo is not None:
        raise UsageError("PATH (or --root) and --repo both name a directory", "Give one of them.")
    if context.repo is not None and known:
        return str(context.only().root)
    return path or context.repo or "."
