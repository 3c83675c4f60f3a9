"""The native watcher, call by call; storms are in test_watch_storm."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from kairos._native import Scanner, Watcher

DEADLINE = 60.0


def test_the_end_of_the_root_makes_it_and_its_parent_dirty(place: Path, watcher: Watcher) -> None:
    root = place / "root"
    root.mkdir()
    assert watcher.add([bytes(root)]) == []
    root.rmdir()
    assert watcher.wait(10_000) == ([bytes(place), bytes(root)], [])
    assert watcher.watched == 0
    root.mkdir()
    watcher.add([bytes(root)])
    root.rename(place / "other")
    assert watcher.wait(10_000) == ([bytes(place), bytes(root)], [])
    assert watcher.watched == 0


def test_watches_that_cannot_be_are_returned_with_their_errno(place: Path, watcher: Watcher) -> None:
    (place / "file").touch()
    (place / "dir").mkdir()
    (place / "link").symlink_to("dir")
    names = [bytes(place / name) for name in ("dir", "file", "gone", "link", "dir")]
    failed = watcher.add(names)
    assert failed == [(names[1], errno.ENOTDIR), (names[2], errno.ENOENT), (names[3], errno.ENOTDIR)]
    assert watcher.watched == 1
    assert watcher.missing(names) == names[1:4]


def test_the_limit_of_watches_is_an_error_and_not_a_silence(place: Path) -> None:
    """In a user namespace of its own the limit can be lowered without touching anybody else's."""
    script = (
        "import os, sys; from pathlib import Path; from kairos._native import *\n"
        "Path('/proc/sys/user/max_inotify_watches').write_text('3')\n"
        "top = os.fsencode(sys.argv[1]); w = Watcher(); s = Scanner(top)\n"
        "found = [os.path.join(top, d) for d, _ in s.walk(watcher=w)[0]]\n"
        "print(len(found), w.watched, sorted({e for _, e in w.add(w.missing(found))}))\n"
    )
    for number in range(9):
        (place / f"d{number}").mkdir()
    unshare = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run([*unshare, sys.executable, "-c", script, place], capture_output=True, text=True)
    assert done.stdout.strip() == f"10 3 [{errno.ENOSPC}]", done.stderr


def test_names_of_any_bytes_are_watched(place: Path, watcher: Watcher) -> None:
    odd = [place / os.fsdecode(name) for name in (b"line\nbreak", b"\xff\xfe", b"n" * 255)]
    for path in odd:
        path.mkdir()
    assert watcher.add([bytes(path) for path in odd]) == []
    for path in odd:
        (path / os.fsdecode(b"\xff")).mkdir()
    assert watcher.wait(10_000) == (sorted(map(bytes, odd)), [])


def test_removing_a_tree_leaves_its_neighbours(place: Path, watcher: Watcher) -> None:
    for name in ("a", "a/b", "a/b/c", "a-b", "a0"):
        (place / name).mkdir()
    names = [bytes(place / name) for name in ("a", "a/b", "a/b/c", "a-b", "a0")]
    watcher.add(names)
    watcher.remove_tree(names[0])
    assert watcher.missing(names) == names[:3]
    watcher.remove([names[4], b"/never/watched"])
    assert watcher.watched == 1
    (place / "a/b/late").touch()
    (place / "a-b/late").touch()
    assert watcher.wait(10_000) == ([names[3]], [])


def test_a_replaced_directory_gets_its_own_watch(place: Path, watcher: Watcher) -> None:
    path = place / "dir"
    path.mkdir()
    watcher.add([bytes(path)])
    path.rename(place / "old")
    path.mkdir()
    watcher.add([bytes(path)])
    assert watcher.watched == 1
    (place / "old/file").touch()
    assert watcher.wait(100) == ([], [])
    (path / "file").touch()
    assert watcher.wait(10_000) == ([bytes(path)], [])


def test_wake_ends_a_wait_in_another_thread(watcher: Watcher) -> None:
    answers: list[tuple[list[bytes], list[str]]] = []
    thread = threading.Thread(target=lambda: answers.append(watcher.wait()))
    thread.start()
    watcher.wake()
    thread.join(DEADLINE)
    assert answers == [([], [])]
    watcher.wake()
    watcher.wake()
    assert watcher.wait() == ([], [])
    assert watcher.wait(0) == ([], [])


def test_close_ends_a_wait_and_every_use(place: Path) -> None:
    watcher = Watcher()
    waiting = threading.Thread(target=watcher.wait)
    waiting.start()
    watcher.close()
    waiting.join(DEADLINE)
    assert not waiting.is_alive()
    watcher.close()
    with pytest.raises(ValueError, match="closed"):
        watcher.wait(0)
    with pytest.raises(ValueError, match="closed"):
        Scanner(bytes(place)).walk(watcher=watcher)


def test_a_timeout_is_kept(watcher: Watcher) -> None:
    start = time.monotonic()
    assert watcher.wait(80) == ([], [])
    assert 0.07 < time.monotonic() - start < DEADLINE


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals need the main thread")
def test_a_signal_runs_its_handler_while_the_wait_goes_on(watcher: Watcher) -> None:
    got: list[int] = []

    def handle(number: int, frame: object) -> None:
        got.append(number)
        if len(got) == 2:
            raise InterruptedError("second")

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    try:
        with pytest.raises(InterruptedError, match="second"):
            watcher.wait(int(DEADLINE * 1000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert got == [signal.SIGALRM] * 2


def test_waiting_leaves_other_threads_running(watcher: Watcher) -> None:
    counted = 0
    thread = threading.Thread(target=watcher.wait, args=(300,))
    thread.start()
    while thread.is_alive():
        counted += 1
    assert counted > 1000
