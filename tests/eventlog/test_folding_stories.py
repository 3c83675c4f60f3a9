"""Whatever happened to a log, folding changes no tree, view or sum, loses nothing cited, and comes out the same."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.domain.events import ActivityFolded, Change, Name
from kairos.eventlog import codec
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.watched_tree import fold_tree

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where a log that lives for a moment is put: every append waits for the disk otherwise."""

WORDS = st.lists(
    st.tuples(st.sampled_from(["created", "modified", "deleted", "moved"]), st.integers(0, 5), st.integers(0, 5)),
    min_size=1,
    max_size=4,
)
ORIGINS = st.sampled_from(["live", "live", "live", "offline", "self", "baseline"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), WORDS, ORIGINS),
        st.tuples(st.just("tell"), WORDS, ORIGINS),
        st.tuples(st.just("tell"), WORDS, ORIGINS),
        st.tuples(st.sampled_from(["attend", "propose", "remember"]), st.integers(0, 99), st.integers(0, 99)),
        st.tuples(st.just("seal"), st.none(), st.none()),
        st.tuples(st.just("fold"), st.none(), st.none()),
        st.tuples(st.just("move"), st.none(), st.none()),
    ),
    min_size=10,
    max_size=60,
)


def changes_in(events: list[ActivityFolded]) -> int:
    """How many changes folded events count."""
    return sum(p.created + p.modified + p.deleted + p.moved for event in events for p in event.paths)


class Story:
    """A random past, and what must hold whatever happened to it."""

    def __init__(self, past: Any, folder: Path) -> None:
        self.past = past
        self.folder = folder
        self.told: list[int] = []
        self.cited: set[int] = set()
        self.events = 0
        self.origins = Counter[str]()
        self.ids = 0
        self.anchors = [past.log.anchor()]

    def step(self, what: str, first: Any, second: Any) -> None:
        self.ids += 1
        match what:
            case "tell":
                self.tell(first, second)
            case "seal":
                compact(self.past.log)
            case "fold":
                self.fold()
            case "move":
                log = self.past.log
                self.past = self.past.moved_to(self.folder / f"moved{self.ids}")
                log.close()
            case _ if self.there():
                there = self.there()
                cites = [there[first % len(there)], there[second % len(there)]]
                self.cited.update(cites[:1] if what == "attend" else cites)
                if what == "attend":
                    self.past.attend(cites[0])
                else:
                    getattr(self.past, what)(cites, f"{what}{self.ids}")

    def there(self) -> list[int]:
        """Told positions that something may still cite: nothing cites what it cannot read."""
        gone = self.past.gone()
        return [position for position in self.told if position not in gone]

    def tell(self, drawn: list[tuple[str, int, int]], origin: str) -> None:
        changes = [
            Change(
                path=f"src/{a}.py", kind=kind, was=Name(path=f"src/{b}.py") if kind == "moved" else None,  # type: ignore[arg-type]
                size=len(self.told), mode=0o644, mtime_ns=5,
            )
            for kind, a, b in drawn
        ]  # fmt: skip
        new = NewEvent(self.past.repo, self.past.told(changes), None, origin)  # type: ignore[arg-type]
        with self.past.at((10 + len(self.told) // 7) * self.past.DAY):
            self.told += self.past.log.append([new])
        self.events += 1
        self.origins[origin] += len(changes)

    def fold(self) -> None:
        log = self.past.log
        self.anchors.append(log.anchor())
        compact(log)
        before = fold_tree(log, self.past.repo), self.past.views()
        log.close()
        copy = self.folder / f"copy{self.ids}"
        shutil.copytree(log.path.parent, copy)
        twin = type(self.past)(Log(copy / log.path.name))
        assert fold(twin.log, self.past.ALL) == fold(log, self.past.ALL)
        assert [codec.encode(e) for e in twin.left()] == [codec.encode(e) for e in self.past.left()]
        twin.log.close()
        assert (fold_tree(log, self.past.repo), self.past.views()) == before
        self.holds()
        head = log.anchor()
        assert fold(log, self.past.ALL).segments == []
        assert log.anchor() == head

    def holds(self) -> None:
        assert self.past.told_of() == (self.events, +self.origins)
        assert changes_in(self.past.left()) == sum(
            told.changes for event in self.past.left() if event.part == 1 for told in event.origins
        )
        for position in self.cited:
            assert self.past.log.at(position).topic == "FilesChanged"
        gone = self.past.gone()
        for anchor in self.anchors:
            assert anchor[0] in gone or verify_log(self.past.log, anchor).problems == []


def test_whatever_happened_folding_changes_no_tree_no_view_and_no_sum(past: Any) -> None:
    @settings(max_examples=20, deadline=None)
    @given(steps=STEPS)
    def holds(steps: list[Any]) -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            story = Story(type(past)(Log(Path(folder) / "first" / "log.db")), Path(folder))
            for step in [*steps, ("fold", None, None)]:
                story.step(*step)
            story.past.log.close()

    holds()
