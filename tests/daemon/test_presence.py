"""One daemon a home, and what it says of itself to quick readers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from kairos.daemon.presence import RepoStatus, Status, claim, publish, read_status, running
from kairos.errors import Locked
from kairos.home import Home

HOLDER = """
import sys
from kairos.home import find_home
from kairos.daemon.presence import claim
with claim(find_home()):
    print("mine", flush=True)
    sys.stdin.read()
"""


def status(pid: int, state: str = "watching") -> Status:
    repo = RepoStatus(path="/r", state=state, directories=1, watched=1, polled=0, ignored=0)
    return Status(pid=pid, program="1", repos=[repo])


def test_a_home_is_one_daemons_until_it_ends(home: Home) -> None:
    assert running(home) is None
    with claim(home):
        assert running(home) == os.getpid()
        with pytest.raises(Locked, match=f"pid {os.getpid()}"), claim(home):
            pass
        assert running(home) == os.getpid()
    assert running(home) is None
    with claim(home):
        pass


def test_the_claim_of_a_killed_daemon_is_over(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"mine\n"
        assert running(home) == holder.pid
        publish(home, status(holder.pid))
        assert read_status(home) == status(holder.pid)
        holder.kill()
        holder.wait()
        assert running(home) is None and read_status(home) is None
    with claim(home):
        assert read_status(home) is None, "what it says is its predecessor's"
        publish(home, status(os.getpid()))
        assert read_status(home) == status(os.getpid())


def test_a_quick_reader_never_keeps_a_daemon_from_its_claim(home: Home) -> None:
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            running(home)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            with claim(home):
                pass
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_status_that_says_the_same_is_not_written_again(home: Home) -> None:
    publish(home, status(1))
    before = home.status_file.stat().st_ino
    publish(home, status(1))
    assert home.status_file.stat().st_ino == before
    publish(home, status(1, "degraded"))
    assert home.status_file.stat().st_ino != before


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"\xff"])
def test_a_damaged_status_is_none(home: Home, content: bytes) -> None:
    with claim(home):
        home.status_file.write_bytes(content)
        assert read_status(home) is None
