"""The co-change evidence of one repository: a node for each file, read from the rows of a view when it is needed.

Loading reads no node, learning reads those that a commit touches, and saving writes those that changed, so the cost of
a night does not grow with the history. Each row has the position at which it was saved: if another process saved the
view further on meanwhile, that is noticed instead of being counted twice.
"""

from __future__ import annotations

from _blake2 import blake2b  # importing hashlib loads OpenSSL, which is too slow for a quick command
from collections.abc import Iterator

import msgspec

from kairos.errors import TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Write
from kairos.eventlog.views.index import after
from kairos.eventlog.views.projection import DamagedView, checked, sealed
from kairos.memory.counts import File, Node, Pair, Totals

KEPT = 20_000
"""How many nodes stay in memory after a save."""
_NODE, _PATH, _TOTALS = b"n", b"p", b"t"
_WIDTH = 8
_CHUNK = 500
"""Rows fetched at a time when all are read."""


class Rows:
    """The saved rows of one view as of the position `upto`; without a log there are none."""

    def __init__(self, view: str, log: Log | None = None, upto: int = 0) -> None:
        self.view = view
        self.log = log
        self.upto = upto

    def get(self, key: bytes) -> bytes | None:
        """The content of a row. DamagedView if it is damaged, TryAgain if it was saved at a later position."""
        raw = None if self.log is None else self.log.view_row(self.view, key)
        return None if raw is None else self._content(raw)

    def items(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows whose keys begin with a prefix, in order of their keys, fetched in chunks."""
        first, before = prefix, after(prefix)
        while self.log is not None:
            found = self.log.view_rows(self.view, first, before, _CHUNK)
            for key, raw in found:
                yield key, self._content(raw)
            if len(found) < _CHUNK:
                return
            first = found[-1][0] + b"\0"

    def _content(self, raw: bytes) -> bytes:
        try:
            content = checked(raw)
        except ValueError:
            raise DamagedView(self.view) from None
        if int.from_bytes(content[:_WIDTH], "big") > self.upto:
            raise TryAgain("another process saved newer counts meanwhile", "Try again.")
        return content[_WIDTH:]

    def put(self, key: bytes, content: bytes, position: int) -> Put:
        """The write of a row, saved at a position."""
        return Put(self.view, key, sealed(position.to_bytes(_WIDTH, "big") + content))


class _FileOnly(msgspec.Struct, array_like=True):
    """A node of which only the file is decoded."""

    file: File
    pairs: msgspec.Raw
    lower: msgspec.Raw


class Evidence:
    """The files and pairs of one repository. Files have an identity that survives renames."""

    def __init__(self, repo: str = "", rows: Rows | None = None) -> None:
        self.repo = repo
        self._rows = rows if rows is not None else Rows("")
        self._tag = blake2b(repo.encode("utf-8", "surrogatepass"), digest_size=_WIDTH).digest().hex().encode()
        raw = self._rows.get(_TOTALS + self._tag)
        self.totals = Totals() if raw is None else msgspec.msgpack.decode(raw, type=tuple[str, Totals])[1]
        self._nodes: dict[int, Node | None] = {}
        """Nodes in memory; None for a removed one."""
        self._changed: set[int] = set()
        self._idents: dict[str, int | None] = {}
        """Path → identity as far as known; None if no file has it."""
        self._moved: set[str] = set()

    def ident(self, path: str) -> int | None:
        """The identity of the file that has this path now; None if there is none."""
        if path not in self._idents:
            raw = self._rows.get(self._path_key(path))
            self._idents[path] = None if raw is None else int.from_bytes(raw, "big")
        return self._idents[path]

    def file(self, ident: int) -> File:
        """A file that exists."""
        return self._node(ident).file

    def pair(self, one: int, other: int) -> Pair | None:
        """What is known of two files together; None if no commit changed both."""
        return self._node(min(one, other)).pairs.get(max(one, other))

    def beside(self, ident: int) -> Iterator[tuple[int, tuple[File, Pair]]]:
        """Every file that a commit changed together with this one, with their pair."""
        node = self._node(ident)
        for other, pair in node.pairs.items():
            yield other, (self._node(other).file, pair)
        for other in node.lower:
            found = self._node(other)
            yield other, (found.file, found.pairs[ident])

    def edit(self, ident: int) -> Node:
        """The node of a file, to be changed in place."""
        self._changed.add(ident)
        return self._node(ident)

    def add(self, path: str) -> int:
        """Makes a new file with this path; returns its identity."""
        ident = self.totals.next
        self.totals.next += 1
        self._nodes[ident] = Node(File(path, cites=[]), {}, {})
        self._changed.add(ident)
        self._set(path, ident)
        return ident

    def rename(self, ident: int, path: str) -> None:
        """Gives a file another path, which no file has."""
        file = self.edit(ident).file
        self._set(file.path, None)
        file.path = path
        self._set(path, ident)

    def remove(self, ident: int) -> None:
        """Removes a file and its pairs."""
        node = self.edit(ident)
        for other in node.pairs:
            self.edit(other).lower.pop(ident)
        for other in node.lower:
            self.edit(other).pairs.pop(ident)
        self._set(node.file.path, None)
        self._nodes[ident] = None

    def files(self) -> Iterator[tuple[int, File]]:
        """Every file by its identity, ascending. Pairs are not decoded."""
        for ident, found in self._each():
            yield ident, found.file if isinstance(found, Node) else msgspec.msgpack.decode(found, type=_FileOnly).file

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Every node by its identity, ascending; those that were not needed before do not stay in memory."""
        for ident, found in self._each():
            yield ident, found if isinstance(found, Node) else msgspec.msgpack.decode(found, type=Node)

    def writes(self, position: int) -> list[Write]:
        """The writes that save the changes at a position."""
        rows = self._rows
        totals = msgspec.msgpack.encode((self.repo, self.totals))
        out: list[Write] = [rows.put(_TOTALS + self._tag, totals, position)]
        for ident in sorted(self._changed):
            node, key = self._nodes[ident], self._node_key(ident)
            out.append(Drop(rows.view, key) if node is None else rows.put(key, msgspec.msgpack.encode(node), position))
        for path in sorted(self._moved):
            known, key = self._idents[path], self._path_key(path)
            out.append(
                Drop(rows.view, key) if known is None else rows.put(key, known.to_bytes(_WIDTH, "big"), position)
            )
        return out

    def saved(self) -> None:
        """Called after `writes` were appended and the rows were brought to that position."""
        self._changed.clear()
        self._moved.clear()
        if len(self._nodes) > KEPT:
            self._nodes.clear()
        if len(self._idents) > KEPT:
            self._idents.clear()

    def _each(self) -> Iterator[tuple[int, Node | bytes]]:
        """Every node, in memory or as its stored bytes, ascending by identity."""
        prefix = _NODE + self._tag
        new = sorted(i for i in self._changed if self._nodes[i] is not None)
        place = 0
        for key, raw in self._rows.items(prefix):
            ident = int(key[len(prefix) :], 16)
            while place < len(new) and new[place] < ident:
                yield from self._known(new[place])
                place += 1
            place += place < len(new) and new[place] == ident
            if ident in self._nodes:
                yield from self._known(ident)
            else:
                yield ident, raw
        for ident in new[place:]:
            yield from self._known(ident)

    def _known(self, ident: int) -> Iterator[tuple[int, Node]]:
        node = self._nodes[ident]
        if node is not None:
            yield ident, node

    def _node(self, ident: int) -> Node:
        node = self._nodes.get(ident)
        if node is None:
            raw = self._rows.get(self._node_key(ident))
            if raw is None or ident in self._nodes:
                raise DamagedView(self._rows.view)
            node = self._nodes[ident] = msgspec.msgpack.decode(raw, type=Node)
        return node

    def _set(self, path: str, ident: int | None) -> None:
        self._idents[path] = ident
        self._moved.add(path)

    def _node_key(self, ident: int) -> bytes:
        return _NODE + self._tag + b"%016x" % ident

    def _path_key(self, path: str) -> bytes:
        raw = path.encode("utf-8", "surrogatepass")
        return _PATH + self._tag + blake2b(raw, digest_size=16).digest()


def saved_repositories(rows: Rows) -> list[str]:
    """The ids of the repositories that have saved rows, sorted."""
    return sorted(msgspec.msgpack.decode(raw, type=tuple[str, Totals])[0] for _, raw in rows.items(_TOTALS))
