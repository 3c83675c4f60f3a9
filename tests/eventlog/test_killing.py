"""Killed at every system call and at any moment, or with the power cut after any sync: the log loses nothing.

The acts and what must hold after each are in `killing/`; shares of them run in processes of their own, side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLING = Path(__file__).parent / "killing"
CALLS = {"append": (1, 30), "seal-and-retire": (4, 240), "forget": (2, 100), "fold": (2, 90), "upgrade": (1, 60)}
"""Act to (shares, kills at the very least in all of them)."""
RANDOM = {"append": (1, 40), "seal-and-retire": (6, 170), "forget": (1, 80), "fold": (1, 60), "upgrade": (1, 60)}
"""Act to (shares, kills in each)."""
SYNCS = {"append": 4, "seal-and-retire": 18, "forget": 12, "fold": 6, "upgrade": 5}
"""Act to power cuts at the very least."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the stepper is ptrace and seccomp"),
]


def kills(*arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "acts", *arguments],
        env={**os.environ, "PYTHONPATH": str(KILLING)}, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    count, word = done.stdout.split()
    assert word == "kills"
    return int(count)


@pytest.mark.parametrize(
    ("act", "share"), [(act, f"{i}/{shares}") for act, (shares, _) in CALLS.items() for i in range(shares)]
)
def test_killed_at_any_system_call_nothing_is_lost(act: str, share: str) -> None:
    shares, least = CALLS[act]
    assert kills(act, "--share", share) >= least // shares


@pytest.mark.parametrize(
    ("act", "seed"), [(act, f"{seed}") for act, (shares, _) in RANDOM.items() for seed in range(shares)]
)
def test_killed_at_any_moment_nothing_is_lost(act: str, seed: str) -> None:
    least = RANDOM[act][1]
    assert kills(act, "--random", str(least), "--seed", seed) >= least


def test_sealing_and_retiring_are_killed_a_thousand_times_at_random() -> None:
    shares, each = RANDOM["seal-and-retire"]
    assert shares * each >= 1_000


@pytest.mark.parametrize("act", SYNCS)
def test_with_the_power_cut_after_any_sync_nothing_is_lost(act: str) -> None:
    assert kills(act, "--power") >= SYNCS[act]


@pytest.mark.parametrize(("act", "segments"), [("seal-and-retire", 2), ("forget", 1), ("fold", 1)])
def test_a_segment_is_synced_and_named_durably_before_the_database_hears_of_it(act: str, segments: int) -> None:
    assert kills(act, "--order") >= segments
