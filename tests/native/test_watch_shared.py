"""All watchers of a process share one inotify instance, and none notices the others."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos._native import Watcher

DEADLINE = 60.0


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    made = [Watcher() for _ in range(3)]
    yield made
    for one in made:
        one.close()


def inotify_handles() -> list[Path]:
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        try:
            if handle.readlink().name == "anon_inode:inotify":
                found.append(handle)
        except OSError:
            continue  # the handle of this listing
    return found


def instances() -> int:
    return len(inotify_handles())


def kernel_watches() -> int:
    """How many watches the kernel has for this process."""
    return sum(Path("/proc/self/fdinfo", h.name).read_text().count("inotify wd:") for h in inotify_handles())


def waiting(watcher: Watcher, timeout_ms: int | None = None) -> tuple[threading.Thread, list[Any]]:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(watcher.wait(timeout_ms)))
    thread.start()
    return thread, answers


def test_a_process_has_one_instance_while_it_watches_and_none_before_or_after(place: Path) -> None:
    before = instances()
    some = [Watcher() for _ in range(20)]
    assert instances() == before
    for number, one in enumerate(some):
        (place / str(number)).mkdir()
        assert one.add([bytes(place / str(number))]) == []
    assert instances() == max(before, 1)
    for one in some:
        one.close()
    assert instances() == before


def test_two_watchers_of_one_directory_both_hear_and_one_may_leave(place: Path, watchers: list[Watcher]) -> None:
    for one in watchers:
        one.add([bytes(place)])
    (place / "a").touch()
    assert [one.wait(10_000) for one in watchers] == [([bytes(place)], [])] * 3
    watchers[0].remove([bytes(place)])
    watchers[1].close()
    (place / "b").touch()
    assert watchers[2].wait(10_000) == ([bytes(place)], [])
    assert watchers[0].wait(50) == ([], [])


def test_each_hears_only_the_kind_it_asked_for(place: Path, watchers: list[Watcher]) -> None:
    inner = place / "inner"
    inner.mkdir()
    (inner / "file").touch()
    changes, opened, itself = watchers
    changes.add([bytes(inner)])
    opened.add([bytes(inner)], kind="opened")
    itself.add([bytes(inner)], kind="itself")
    (inner / "file").read_bytes()
    assert opened.wait(10_000) == ([bytes(inner)], [])
    assert changes.wait(50) == itself.wait(50) == ([], [])
    (inner / "file").write_bytes(b"x")
    assert changes.wait(10_000) == ([bytes(inner)], [])
    assert itself.wait(50) == ([], [])
    inner.rename(place / "elsewhere")
    assert itself.wait(10_000) == ([bytes(place), bytes(inner)], [])
    assert (itself.watched, changes.watched) == (0, 0)
    with pytest.raises(ValueError, match="kind"):
        changes.add([bytes(place)], kind="nonsense")  # type: ignore[arg-type]


def test_whoever_reads_gives_the_others_theirs(place: Path, watchers: list[Watcher]) -> None:
    """The first to wait reads; it goes on to the next when that one has what it waited for, or waits no longer."""
    for number, one in enumerate(watchers):
        (place / str(number)).mkdir()
        one.add([bytes(place / str(number))])
    threads = [waiting(one) for one in watchers]
    for number, (thread, answers) in enumerate(threads):
        (place / str(number) / "file").touch()
        thread.join(DEADLINE)
        assert answers == [([bytes(place / str(number))], [])]
    first, _ = waiting(watchers[0], 100)
    second, answers = waiting(watchers[1])
    first.join(DEADLINE)
    (place / "1/again").touch()
    second.join(DEADLINE)
    assert answers == [([bytes(place / "1")], [])]


def test_one_that_reads_for_others_is_not_woken_by_them(place: Path, watchers: list[Watcher]) -> None:
    (place / "loud").mkdir()
    watchers[1].add([bytes(place / "loud")])
    reader, answers = waiting(watchers[0])
    for number in range(100):
        (place / "loud" / str(number)).touch()
        assert watchers[1].wait(10_000) == ([bytes(place / "loud")], [])
    assert reader.is_alive() and answers == []
    watchers[0].wake()
    reader.join(DEADLINE)
    assert answers == [([], [])]


def test_a_full_queue_is_told_to_everybody(place: Path, watchers: list[Watcher]) -> None:
    for number in range(40):
        (place / f"d{number}").mkdir()
    watchers[0].add([bytes(place / f"d{number}") for number in range(40)])
    (place / "other").mkdir()
    watchers[1].add([bytes(place / "other")])
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(queue // 2 + 100):
        path = place / f"d{number % 40}" / f"f{number // 80}"
        path.touch()
        path.unlink()
    assert watchers[1].wait(0) == ([], ["overflow"])
    assert watchers[0].wait(0)[1] == ["overflow"]
    assert watchers[2].wait(0) == ([], ["overflow"])
    (place / "other/late").touch()
    assert watchers[1].wait(10_000) == ([bytes(place / "other")], [])


@pytest.mark.parametrize("how", ["closed", "moved away", "dropped"])
def test_more_watches_than_the_queue_holds_end_without_a_loss(place: Path, watchers: list[Watcher], how: str) -> None:
    """The kernel says of each watch that it ends, through the queue of all."""
    count = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) + 1_000
    large = place / "root/large"
    dirs = [large / str(number) for number in range(count)]
    for path in dirs:
        path.mkdir(parents=True)
    watchers[0].add([bytes(place / "root"), *map(bytes, [large, *dirs])])
    (place / "small").mkdir()
    watchers[1].add([bytes(place / "small")])
    assert watchers[0].watched == count + 2
    if how == "closed":
        watchers[0].close()
    elif how == "dropped":
        watchers[0].remove_tree(bytes(large))
        assert watchers[0].watched == 1
    else:
        large.rename(place / "away")
        assert watchers[0].wait(10_000) == ([bytes(place / "root")], [])
        assert watchers[0].watched == 1
    (place / "small/file").touch()
    assert watchers[1].wait(10_000) == ([bytes(place / "small")], [])
    assert watchers[1].wait(0) == ([], [])
    assert kernel_watches() <= 2


def test_a_directory_moved_while_its_watches_are_given_up_is_watched_anew(place: Path, watchers: list[Watcher]) -> None:
    """The kernel may still have the watch that is about to end, and gives it out for the new name."""
    (place / "a/inner").mkdir(parents=True)
    one = watchers[0]
    one.add([bytes(place), bytes(place / "a"), bytes(place / "a/inner")])
    for number in range(50):
        old, new = (place / "a", place / "b") if number % 2 == 0 else (place / "b", place / "a")
        old.rename(new)
        while one.missing([bytes(new)]) == []:
            one.wait(10_000)
        one.wait(0)
        assert one.add([bytes(new), bytes(new / "inner")]) == []
        one.wait(0)
        (new / "inner/file").write_bytes(b"x")
        assert bytes(new / "inner") in one.wait(10_000)[0]


def test_adding_and_removing_from_many_threads_leaves_every_watch_true(place: Path, watchers: list[Watcher]) -> None:
    dirs = [place / str(number) for number in range(200)]
    for path in dirs:
        path.mkdir()
    raw = list(map(bytes, dirs))
    over = threading.Event()

    def churn(watcher: Watcher, mine: list[bytes]) -> None:
        while not over.is_set():
            watcher.add(mine)
            watcher.remove(mine)

    def move() -> None:
        moved = place / "moved"
        while not over.is_set():
            moved.mkdir()
            moved.rename(place / "again")
            (place / "again").rmdir()

    threads = [threading.Thread(target=churn, args=(watchers[n], raw[n * 50 :])) for n in (0, 1)]
    threads.append(threading.Thread(target=move))
    watchers[2].add([bytes(place)])
    for thread in threads:
        thread.start()
    for _ in range(200):
        assert watchers[2].add(raw) == []
        watchers[2].wait(0)
        watchers[2].remove(raw[::2])
    watchers[2].add(raw)
    over.set()
    for thread in threads:
        thread.join(DEADLINE)
    while watchers[2].wait(50) != ([], []):
        pass
    for path in dirs:
        (path / "file").touch()
    dirty: set[bytes] = set()
    while not dirty.issuperset(raw):
        found, losses = watchers[2].wait(10_000)
        assert found and losses == []
        dirty.update(found)


def test_watches_taken_back_before_they_have_ended_live_on(place: Path, watchers: list[Watcher]) -> None:
    """They end some at a time, so the kernel still gives out the old one for the same directory."""
    dirs = [bytes(place / str(number)) for number in range(3_000)]
    for path in dirs:
        Path(os.fsdecode(path)).mkdir()
    watchers[0].add(dirs)
    watchers[0].remove_tree(bytes(place))
    assert watchers[0].watched == 0
    assert watchers[0].add(dirs) == []
    watchers[0].wait(0)
    assert kernel_watches() == len(dirs)
    for path in dirs:
        Path(os.fsdecode(path), "file").touch()
    assert watchers[0].wait(10_000) == (sorted(dirs), [])


def test_a_watch_added_while_somebody_waits_already_is_heard_of(place: Path) -> None:
    for number in range(20):
        alone = Watcher()
        thread, answers = waiting(alone, int(DEADLINE * 1000))
        alone.add([bytes(place)])
        (place / str(number)).touch()
        thread.join(DEADLINE / 2)
        assert answers == [([bytes(place)], [])]
        alone.close()


def test_a_directory_replaced_while_it_is_added_is_missing_or_heard_of(place: Path, watchers: list[Watcher]) -> None:
    one = watchers[0]
    one.add([bytes(place)])
    dirty: set[bytes] = set()
    heard, over = threading.Condition(), threading.Event()

    def listen() -> None:
        while not over.is_set():
            found, losses = one.wait(100)
            with heard:
                dirty.update(found, map(str.encode, losses))
                heard.notify_all()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        for turn in range(150):
            paths = [place / f"{turn}-{number}" for number in range(60)]
            for path in paths:
                path.mkdir()
            adding = threading.Thread(target=one.add, args=([bytes(path) for path in paths],))
            adding.start()
            for path in paths:
                path.rmdir()
                path.mkdir()
            adding.join(DEADLINE)
            marker = place / f"{turn}"
            marker.mkdir()
            with heard:
                dirty.discard(bytes(place))
                marker.rmdir()
                assert heard.wait_for(lambda: bytes(place) in dirty, DEADLINE)
                dirty.clear()
            watched = {bytes(path) for path in paths} - set(one.missing([bytes(path) for path in paths]))
            for path in watched:
                Path(os.fsdecode(path), "file").touch()
            with heard:
                assert heard.wait_for(lambda watched=watched: dirty >= watched, 10), watched - dirty  # type: ignore[misc]
    finally:
        over.set()
        listener.join(DEADLINE)


LIMITED = """
import os, sys; from pathlib import Path; from kairos._native import *
limit = Path('/proc/sys/user/max_inotify_instances')
limit.write_text('0')
top = os.fsencode(sys.argv[1]); w = Watcher(); s = Scanner(top)
found = [os.path.join(top, d) if d else top for d, _ in s.walk(watcher=w)[0]]
print(len(found), w.watched, sorted({e for _, e in w.add(w.missing(found))}), w.wait(10))
limit.write_text('1')
print(w.add(found), w.watched, Watcher().add(found))
Path(sys.argv[1], 'file').touch()
print(w.wait(10_000) == ([top], []))
"""


def test_without_an_instance_nothing_can_be_added_until_there_is_one(place: Path) -> None:
    for number in range(9):
        (place / f"d{number}").mkdir()
    unshare = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run([*unshare, sys.executable, "-c", LIMITED, place], capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"10 0 [{errno.EMFILE}] ([], [])", "[] 10 []", "True"], done.stderr


def test_a_storm_in_one_tree_loses_nothing_in_another(place: Path, watchers: list[Watcher]) -> None:
    loud, quiet = place / "loud", place / "quiet"
    for path in (loud, quiet):
        path.mkdir()
    watchers[0].add([bytes(loud)])
    watchers[1].add([bytes(quiet)])
    over = threading.Event()

    def storm(number: int) -> None:
        while not over.is_set():
            path = loud / str(number)
            path.touch()
            path.unlink()

    def listen() -> None:
        while not over.is_set():
            watchers[0].wait(10)

    threads = [threading.Thread(target=storm, args=(n,)) for n in range(2)] + [threading.Thread(target=listen)]
    for thread in threads:
        thread.start()
    try:
        for number in range(300):
            (quiet / str(number)).touch()
            dirty, losses = watchers[1].wait(int(DEADLINE * 1000))
            assert dirty == [bytes(quiet)] and losses == []
    finally:
        over.set()
        for thread in threads:
            thread.join(DEADLINE)
