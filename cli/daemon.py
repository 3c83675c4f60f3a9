"""`daemon run`, `start`, `stop`: the process that watches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.control import warn_of_configuration
from cli.outputs import RunningOut
from kairos.daemon.presence import read_status, running
from kairos.errors import Denied, IntegrityError, KairosError, Locked, NoDaemon, TryAgain, UsageError
from kairos.privacy import open_private

START_S, STOP_S = 30.0, 15.0
READY = "ready"


def run_here(context: Context, on_delivery: Callable[[str], None] | None = None) -> int:
    """The daemon in this process, until a signal ends it; returns its exit code."""
    from kairos.daemon.running import run

    context.home.prepare()
    return run(
        context.home,
        context.config,
        on_ready=lambda: render.exactly(READY),
        report=lambda text: render.message(context, render.inert(text, lines=True)),
        on_delivery=on_delivery,
    )


@click.group()
def daemon() -> None:
    """Run the daemon in the foreground."""


@daemon.command(short_help="Watch every trusted repository until SIGTERM.")
@pass_context
def run(context: Context) -> int:
    """Watch every trusted repository until SIGTERM; says `ready` on stderr when watching has begun everywhere."""
    return run_here(context)


def command(context: Context) -> list[str]:
    """How to start this very program's daemon on this home, from any working directory."""
    return [sys.executable, "-P", "-m", "cli", *home_flag(context), "daemon", "run"]


def home_flag(context: Context) -> list[str]:
    """`--home DIR` when the home is not the platform's own."""
    chosen = context.home_override or os.environ.get("KAIROS_HOME")
    return ["--home", str(context.home.data)] if chosen else []


@click.command()
@pass_context
def start(context: Context) -> None:
    """Start the daemon in the background. Harmless when one runs already."""
    _ = context.config  # what is wrong with it is said here, not in a file
    pid = running(context.home)
    if pid is None:
        pid = _spawn(context)
        text = f"{render.paint('✓', 'green')} the daemon watches (pid {pid})"
    else:
        from cli.status import warn_of_other_version

        warn_of_other_version(context, read_status(context.home))
        text = f"the daemon runs already (pid {pid})"
    render.emit(context, "start", RunningOut(running=True, pid=pid), text)


def _spawn(context: Context) -> int:
    """Starts a daemon in a session of its own and waits until it says that it watches; returns its pid."""
    context.home.prepare()
    record = context.home.run / "daemon.log"
    with os.fdopen(open_private(record, os.O_WRONLY | os.O_TRUNC), "wb") as sink:
        child = subprocess.Popen(
            command(context), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
            cwd=context.home.data,
        )  # fmt: skip
    deadline = time.monotonic() + START_S
    with render.progress(context, "starting"):
        while time.monotonic() < deadline:
            said = record.read_text("utf-8", "replace")
            if READY in said.splitlines():
                return child.pid
            code = child.poll()
            if code is not None:
                raise _ended(code, said, record)
            time.sleep(0.05)
    raise TryAgain(f"the daemon (pid {child.pid}) is still starting", "Look again with `kairos status`.")


def _ended(code: int, said: str, record: Path) -> KairosError:
    """What a daemon that ended at once said last, with its exit code."""
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    last = errors[-1].removeprefix("error: ") if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    failure = KairosError(
        f"the daemon ended at once ({code}): {last}",
        f"All of what it said is in {record}; `kairos doctor` looks for the usual causes.",
    )
    failure.code = code if code > 0 else 1
    failure.name = {known.code: known.name for known in (UsageError, Denied, IntegrityError, Locked, TryAgain)}.get(
        failure.code, failure.name
    )
    return failure


@click.command()
@pass_context
def stop(context: Context) -> None:
    """Stop the daemon; returns when it has drained and let the home go."""
    pid = running(context.home)
    if not pid:
        raise NoDaemon("no daemon is running", "`kairos start` starts one.")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        raise TryAgain("the daemon ended in this very moment", "Look again with `kairos status`.") from None
    deadline = time.monotonic() + STOP_S
    while running(context.home) is not None:
        if time.monotonic() >= deadline:
            raise TryAgain(f"the daemon (pid {pid}) still drains after {STOP_S:g} s", "Look again: `kairos status`.")
        time.sleep(0.05)
    render.emit(context, "stop", RunningOut(running=False, pid=None), f"{render.paint('✓', 'green')} stopped")
    warn_of_configuration(context)
