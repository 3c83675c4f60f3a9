"""One execution at a time in one home; a process that dies lets go."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from kairos.acting.lock import exec_lock
from kairos.errors import TryAgain
from kairos.home import Home

HOLDING = """
import sys, time
from kairos.acting.lock import exec_lock
from kairos.home import find_home
with exec_lock(find_home()):
    print("held", flush=True)
    time.sleep(100)
"""


def test_another_process_that_holds_the_lock_means_try_again_until_it_dies(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-P", "-c", HOLDING], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(TryAgain, match="another action"), exec_lock(home, wait_s=0.05):
            pytest.fail("two hold the lock")
        other.send_signal(signal.SIGKILL)
        other.wait()
        with exec_lock(home, wait_s=20):
            pass


def test_the_lock_is_let_go_after_an_error_and_its_file_is_private(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), exec_lock(home):
        raise ZeroDivisionError
    with exec_lock(home, wait_s=0):
        assert home.exec_lock.stat().st_mode & 0o777 == 0o600
