"""What is killed, and how: `PYTHONPATH=. python -P -m acts ACT [--share I/N] [--all] [--power] [--random N --seed S]`.

Every act runs on a small log of its own in memory (tmpfs), copied for each kill. Prints how often it killed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import holding
import logs
import stepper
from logs import Place
from power import SYNCS, Disk

from kairos.desk.traces import clean
from kairos.domain.events import Paused, Resumed
from kairos.eventlog.cold import compaction, folding, forgetting
from kairos.eventlog.opener import open_log
from kairos.eventlog.record import NewEvent, Put
from kairos.eventlog.views.watched_tree import fold_tree


@dataclass(frozen=True)
class Act:
    """`do` is killed; `after` checks at once, `then` (if any) lets the next run tidy and checks again. `repeats`: what
    was killed may be done again on what `after` left."""

    do: Callable[[Place], object]
    after: Callable[[Place], None]
    then: Callable[[Place], None] | None = None
    prepare: Callable[[Place], None] | None = None
    repeats: bool = False


def _append(place: Place) -> None:
    batch = [NewEvent("s1", Paused()), NewEvent("s2", Resumed(), -1), NewEvent("new", Paused(until=5), 1)]
    place.open().append(batch, writes=[Put("batch", b"k", b"v")])


def _compact(place: Place) -> None:
    compaction.compact(place.open())


def _half_cold(place: Place) -> None:
    """The first segment sealed and retired, the rest hot."""
    with closing(place.open()) as log:
        compaction.compact(log, before=log.at(120).at)


def _forget(place: Place) -> None:
    log = open_log(place.home, partial(clean, place.home))
    forgetting.forget_paths(log, logs.GLOB, "not yours", "user")


def _fold(place: Place) -> None:
    folding.fold(place.open(), 2**60)


def _all_cold(place: Place) -> None:
    """All sealed and retired; and what a folding of all of it leaves out."""
    with closing(place.open()) as log:
        compaction.compact(log)
        place.before = logs.rows(log)
        place.tree = fold_tree(log, "repo-1")
    trial = replace(place, folder=place.folder.with_name("trial"))
    shutil.copytree(place.folder, trial.folder)
    _fold(trial)
    with closing(trial.open()) as log:
        left = {r[0] for r in logs.rows(log) if r[3]}
    place.foldable = frozenset(r[0] for r in place.before if r[0] not in left)  # type: ignore[misc]
    assert len(place.foldable) > 20, "nothing worth folding"
    shutil.rmtree(trial.folder)


def _upgrade(place: Place) -> None:
    log = place.open()
    with log.errors():
        log.writer()


def _old_and_half_cold(place: Place) -> None:
    _half_cold(place)
    logs.to_first_layout(place)


ACTS = {
    "append": Act(_append, holding.appended),
    "seal-and-retire": Act(_compact, holding.holds, holding.settles, repeats=True),
    "forget": Act(_forget, holding.forgotten_or_not, holding.compacts, _half_cold),
    "fold": Act(_fold, holding.folded_or_not, holding.folds, _all_cold, repeats=True),
    "upgrade": Act(_upgrade, holding.upgraded, None, _old_and_half_cold),
}


@contextmanager
def template(act: Act) -> Iterator[Callable[[], Place]]:
    """Makes the log of an act on tmpfs, and gives a fresh copy of it whenever called: as another process that has it
    open leaves it, with a write-ahead log."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="kairos-kill-", dir=memory if memory.is_dir() else None) as name:
        place = logs.made(Path(name))
        if act.prepare is not None:
            act.prepare(place)
        if not place.before:
            shutil.copytree(place.folder, Path(name) / "read")  # reading would bring an old layout up to date
            with closing(replace(place, folder=Path(name) / "read").open()) as log:
                place.before = logs.rows(log)
        with closing(sqlite3.connect(place.home.log)) as db:
            db.execute("UPDATE head SET id = id")
            db.commit()
            shutil.copytree(place.folder, Path(name) / "open")

        def fresh() -> Place:
            work = replace(place, folder=Path(name) / "work")
            shutil.rmtree(work.folder, ignore_errors=True)
            shutil.copytree(Path(name) / "open", work.folder)
            return work

        yield fresh


def check(act: Act, place: Place, what: str) -> None:
    try:
        act.after(place)
        if act.then is not None:
            act.then(place)
    except BaseException:
        sys.stderr.write(f"{what}\n")
        raise


def at_every_call(act: Act, share: tuple[int, int], *, everything: bool) -> int:
    """Kills at each call of this share, and in the middle of each write; returns how often."""
    kills = 0
    with template(act) as fresh:
        place = fresh()
        whole = stepper.run(partial(act.do, place), watch=True, locks=everything)
        assert whole.status == 0, "the act fails by itself"
        check(act, place, "not killed at all")
        for number, call in enumerate(whole.calls, 1):
            if number % share[1] != share[0]:
                continue
            torn = call.name in ("write", "pwrite64") and "shm" not in call.path
            for half in (False, True) if torn else (False,):
                place = fresh()
                ran = stepper.run(partial(act.do, place), kill_at=number, torn=half, locks=everything)
                assert ran.killed or number > ran.count, ran.status
                kills += ran.killed
                check(act, place, f"killed at call {number}{', half written' if half else ''}: {call}")
    return kills


def at_random(act: Act, count: int, seed: int) -> int:
    """Kills at random moments, then also the run that follows and the one after it; returns how often."""
    chance = random.Random(seed)
    kills = 0
    with template(act) as fresh:
        place = fresh()
        begun = time.monotonic()
        assert not stepper.kill_after(partial(act.do, place), 20.0), "the act takes for ever"
        longest = time.monotonic() - begun
        while kills < count:
            place = fresh()
            again = 0
            while stepper.kill_after(partial(act.do, place), chance.uniform(0, longest)):
                kills += 1
                again += 1
                if again == 3 or not act.repeats:
                    break
                act.after(place)
            check(act, place, f"seed {seed}, after {kills} kills")
    return kills


def at_every_sync(act: Act) -> int:
    """Cuts the power after each sync, so that nothing survives but what was synced; returns how often."""
    with template(act) as fresh:
        place = fresh()
        disk = Disk.synced(place.folder)
        cuts = [(disk.copy(), "before the first sync")]

        def seen(call: stepper.Call) -> None:
            if disk.told(call):
                cuts.append((disk.copy(), f"after {call}"))

        whole = stepper.run(partial(act.do, place), seen=seen)
        assert whole.status == 0, "the act fails by itself"
        for number, (survived, when) in enumerate(cuts):
            shutil.rmtree(place.folder)
            survived.restore(place.folder)
            check(act, place, f"power cut {number}, {when}")
    return len(cuts)


def in_order(act: Act) -> int:
    """Each segment file is synced, named, its folder synced, and only then does anything reach the database; returns
    how many segments."""
    with template(act) as fresh:
        place = fresh()
        calls = stepper.run(partial(act.do, place), watch=True).calls
    named = [i for i, call in enumerate(calls) if call.name.startswith("rename") and call.path.endswith(".parquet")]
    for i in named:
        folder = str(Path(calls[i].path).parent)
        about = [c.name for c in calls[:i] if c.path.startswith(folder) and c.path.endswith(".tmp")]
        assert about and about[-1] in SYNCS, f"{calls[i].path} is named before it is synced: {about}"
        after = next(j for j, c in enumerate(calls) if j > i and (c.name in SYNCS or c.path.endswith("-wal")))
        assert calls[after].name in SYNCS and calls[after].path == folder, f"{calls[after]} comes before the folder"
    return len(named)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("act", choices=sorted(ACTS))
    parser.add_argument("--share", default="0/1")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--power", action="store_true")
    parser.add_argument("--order", action="store_true")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logs.sizes()
    act = ACTS[options.act]
    if options.power:
        kills = at_every_sync(act)
    elif options.order:
        kills = in_order(act)
    elif options.random:
        kills = at_random(act, options.random, options.seed)
    else:
        mine, _, of = options.share.partition("/")
        kills = at_every_call(act, (int(mine), int(of)), everything=options.all)
    sys.stdout.write(f"{kills} kills\n")


if __name__ == "__main__":
    main()
