"""Many aggregates in one view, each a row of its own: loading the view decodes none of them, saving it writes those
that changed. So neither grows with what was settled long ago.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from typing import Generic, TypeVar

V = TypeVar("V")
P = TypeVar("P")


class Shelf(Mapping[str, V], Generic[V]):
    """Values by id, in the order in which they came. `find` fetches one that is not here yet, `find_all` the rest of
    them at once; `changed` are the ids put in since they were last kept."""

    def __init__(
        self,
        ids: list[str] | None = None,
        find: Callable[[str], V] | None = None,
        find_all: Callable[[], dict[str, V]] | None = None,
    ) -> None:
        self._ids: dict[str, None] = dict.fromkeys(ids or ())
        self._here: dict[str, V] = {}
        self._find = find
        self._find_all = find_all
        self.changed: set[str] = set()

    def __getitem__(self, id_: str) -> V:
        if id_ not in self._here:
            if id_ not in self._ids or self._find is None:
                raise KeyError(id_)
            self._here[id_] = self._find(id_)
        return self._here[id_]

    def put(self, id_: str, value: V) -> None:
        """Sets a value; it is kept with the next saving."""
        self._ids[id_] = None
        self._here[id_] = value
        self.changed.add(id_)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def fetch(self) -> None:
        """Brings every value here, in one read: for whoever wants them all."""
        if self._find_all is not None and len(self._here) < len(self._ids):
            found = self._find_all()
            self._here = {**{i: v for i, v in found.items() if i in self._ids}, **self._here}
            self._find_all = None


class Part(Mapping[str, P], Generic[V, P]):
    """One side of each value of a shelf, as a mapping."""

    def __init__(self, shelf: Shelf[V], part: Callable[[V], P]) -> None:
        self._shelf = shelf
        self._part = part

    def __getitem__(self, id_: str) -> P:
        return self._part(self._shelf[id_])

    def __contains__(self, id_: object) -> bool:
        return id_ in self._shelf

    def __iter__(self) -> Iterator[str]:
        return iter(self._shelf)

    def __len__(self) -> int:
        return len(self._shelf)

    def values(self) -> ValuesView[P]:
        self._shelf.fetch()
        return super().values()

    def items(self) -> ItemsView[str, P]:
        self._shelf.fetch()
        return super().items()
