"""What was read, kept until it is too much in bytes: what was asked for longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

LIMIT = 64 << 20
EACH = 200
"""About what a key takes, in bytes; so what is known not to be there counts as well."""
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Values by key; None is a value too. `size`: the bytes of a value; at most about `limit` bytes are kept, or one
    value."""

    def __init__(self, size: Callable[[V], int], limit: int = LIMIT) -> None:
        self._size = size
        self._limit = limit
        self._kept: OrderedDict[K, V | None] = OrderedDict()
        self.held = 0

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def __getitem__(self, key: K) -> V | None:
        self._kept.move_to_end(key)
        return self._kept[key]

    def keep(self, key: K, value: V | None) -> V | None:
        """Keeps a value and returns it."""
        if key in self._kept:
            self.held -= self._bytes(self._kept.pop(key))
        self._kept[key] = value
        self.held += self._bytes(value)
        while self.held > self._limit and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self.held -= self._bytes(dropped)
        return value

    def _bytes(self, value: V | None) -> int:
        return EACH + (0 if value is None else self._size(value))
