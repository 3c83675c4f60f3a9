"""A disk that is full at any step: the error says so and can be tried again, nothing is lost, work goes on with space.

Append, upgrade, seal, manifest, retire, fold and forget, each with ever one page more: see `killing/full.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KILLING = Path(__file__).parent / "killing"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
STEPS = {
    "append": {"begin": 5},
    "upgrade": {"begin": 10},
    "seal-and-retire": {"begin": 15, "seal": 2, "retire": 20},
    "forget": {"begin": 4, "seal": 1, "manifest": 1},
    "fold": {"begin": 4, "seal": 2, "manifest": 5},
}
"""How often each act ends at each step for want of space, at the very least. Sealing removes a file that it could not
name in the manifest: that is `begin` again, beyond the nine pages that the index of SQLite takes."""


@pytest.fixture(scope="module")
def namespace() -> list[str]:
    """What a command is run with so that it may mount: nothing but a namespace of its own."""
    for prefix in (NAMESPACE, [*NAMESPACE[:1], "--mount"]):
        if (
            shutil.which("unshare")
            and not subprocess.run(
                [*prefix, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
            ).returncode
        ):
            return prefix
    pytest.skip("nothing can be mounted here")


@pytest.mark.slow
@pytest.mark.parametrize("act", STEPS)
def test_a_full_disk_at_any_step_loses_nothing_and_work_goes_on_when_space_returns(
    namespace: list[str], act: str
) -> None:
    done = subprocess.run(
        [*namespace, sys.executable, "-P", "-m", "full", act],
        env={**os.environ, "PYTHONPATH": str(KILLING)}, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    ended = {step: int(count) for step, _, count in (word.partition("=") for word in done.stdout.split())}
    assert {step: ended.get(step, 0) >= least for step, least in STEPS[act].items()} == dict.fromkeys(STEPS[act], True)
