"""What the main thread is asked to do is kept from the first moment on, and done in order."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import os, signal, sys, threading
from kairos.daemon.signals import Asked
asked = Asked()
def me(number):
    os.kill(os.getpid(), number)
{what}
"""


def said(what: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASKED.format(what=what)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def test_ticks_and_the_end_are_kept_until_they_are_asked_for() -> None:
    assert said("me(signal.SIGUSR1); me(signal.SIGTERM); print(asked.next(), asked.next())") == ["True", "False"]
    assert said("me(signal.SIGINT); print(asked.next())") == ["False"]


def test_a_stop_before_it_is_ready_ends_the_wait_for_that() -> None:
    assert said("me(signal.SIGUSR1); me(signal.SIGTERM); print(asked.waited())") == ["False"]
    assert said("asked.stop(); print(asked.waited())") == ["False"]


def test_a_word_from_another_thread_ends_the_wait() -> None:
    assert said("threading.Timer(0.05, asked.go_on).start(); print(asked.waited())") == ["True"]
    assert said("threading.Timer(0.05, asked.stop).start(); print(asked.next())") == ["False"]


def test_being_told_to_go_on_once_more_is_no_tick() -> None:
    assert said("asked.go_on(); print(asked.waited()); asked.go_on(); asked.stop(); print(asked.next())") == [
        "True",
        "False",
    ]


def test_a_flood_of_signals_ends_nothing() -> None:
    what = "[me(signal.SIGUSR1) for _ in range(100_000)]; asked.next(); print('alive')"
    assert said(what) == ["alive"]
