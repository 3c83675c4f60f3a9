"""Child processes of Kairos itself: dream, model worker. Started with `-P` in Kairos's own directory: a plain
`python -m dream` inside a watched repository would run that repository's `dream/`."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kairos.errors import KairosError, TryAgain
from kairos.home import log_environment

GRACE_S = 2.0
"""Seconds that a child has to end after SIGTERM; the whole daemon has ten seconds."""


class ChildFailed(KairosError):
    """A child process failed; the message contains the last line of its standard error."""

    name = "child_failed"


def child_environment() -> dict[str, str]:
    """The environment of a child that needs no secrets: only the listed variables are passed on."""
    kept = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "KAIROS_CLOCK_FILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    found |= log_environment(os.environ)
    if "KAIROS_HOME" in os.environ:
        found["KAIROS_HOME"] = os.environ["KAIROS_HOME"]
    return {**found, "PYTHONDONTWRITEBYTECODE": "1"}


class Child:
    """Runs one child at a time. Can be stopped permanently from another thread, even while a child is starting."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def run(
        self,
        module: str,
        args: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        seconds: float,
        stdin: bytes = b"",
    ) -> bytes:
        """Returns the standard output of `python -P -m module args`. ChildFailed unless it exits 0 within `seconds`;
        TryAgain if it exits with 75."""
        with subprocess.Popen(
            [sys.executable, "-P", "-m", module, *args],
            cwd=cwd, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:  # fmt: skip
            self._process = process
            if self.stopped:
                _end(process)
            try:
                out, err = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired as error:
                _signal(process, signal.SIGKILL)
                process.communicate()
                raise ChildFailed(f"{module} took longer than {seconds:.0f} s and was stopped") from error
            finally:
                self._process = None
        if self.stopped and process.returncode:
            raise ChildFailed(f"{module} was stopped together with the daemon")
        if process.returncode == TryAgain.code:
            raise TryAgain(f"{module}: {_last_words(err)}")
        if process.returncode != 0:
            raise ChildFailed(f"{module} ended with {process.returncode}: {_last_words(err)}")
        return out

    def stop(self) -> None:
        """Ends the running child, if any, and its own children; returns after at most `GRACE_S` and a SIGKILL."""
        self.stopped = True
        process = self._process
        if process is not None:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def _last_words(err: bytes) -> str:
    lines = err.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
