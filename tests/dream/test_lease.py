"""One dream at a time, on this machine and among homes; one that died does not keep the next from dreaming."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dream import lease
from kairos.clock import SECOND
from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.memory.claims import Claims

HOLDING = """
import sys, time
from pathlib import Path
from dream.lease import alone
with alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(100)
"""


def test_another_process_that_dreams_means_try_again_until_it_dies(tmp_path: Path) -> None:
    lock = tmp_path / "dream.lock"
    with subprocess.Popen([sys.executable, "-P", "-c", HOLDING, lock], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(TryAgain, match="another dream"), lease.alone(lock):
            pytest.fail("two dream")
        other.send_signal(signal.SIGKILL)
        other.wait()
        with lease.alone(lock):
            assert lock.stat().st_mode & 0o777 == 0o600
    with lease.alone(lock):
        pass


@pytest.mark.parametrize(("until", "host"), [(0, "elsewhere"), (99, "elsewhere"), (100, "elsewhere"), (10**9, None)])
def test_a_lease_that_ran_out_or_is_this_machines_own_is_taken_over(until: int, host: str | None) -> None:
    lease.check(Claims(lease_until=until, lease_host=host or lease.host()), 100)


def test_a_lease_of_another_machine_holds_and_says_how_long() -> None:
    with pytest.raises(TryAgain, match="ends in 7 s"):
        lease.check(Claims(lease_until=100 + 7 * SECOND, lease_host="elsewhere"), 100)


def test_on_a_shared_log_one_home_dreams_and_then_the_other(postgres: Any, tmp_path: Path) -> None:
    url = postgres.url()
    ours, theirs = (Log(tmp_path / name / "log.db", url=url, owner=name) for name in ("ours", "theirs"))
    with closing(ours), closing(theirs):
        with lease.among_homes(ours):
            assert ours.fences, "what the dream appends is fenced"
            with pytest.raises(TryAgain, match="another home"), lease.among_homes(theirs):
                pytest.fail("two homes dream")
        with lease.among_homes(theirs):
            assert theirs.fences
