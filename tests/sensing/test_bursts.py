"""Differences as changes: moves are only what moved, parts are never too large."""

from __future__ import annotations

from kairos.sensing.bursts import PART, Label, changes_of, events_of
from kairos.sensing.listings import Difference, Stat


def stat(ino: int, kind: str = "file", mtime: int = 1, size: int = 3) -> Stat:
    return Stat(kind, 0o644, ino, size, mtime, 0)


def kinds(differences: list[Difference]) -> dict[str, tuple[str, str | None]]:
    return {c.fs: (c.kind, c.was.fs if c.was else None) for c in changes_of(differences)}


def test_a_move_has_inode_size_and_time_in_common() -> None:
    gone = Difference(b"a", stat(1), None)
    assert kinds([gone, Difference(b"b", None, stat(1))]) == {"b": ("moved", "a")}
    for other in (stat(2), stat(1, mtime=2), stat(1, size=4), stat(1, kind="symlink")):
        assert kinds([gone, Difference(b"b", None, other)]) == {"a": ("deleted", None), "b": ("created", None)}


def test_a_directory_with_a_used_inode_number_did_not_move() -> None:
    gone, came = Difference(b"d", stat(1, "dir"), None), Difference(b"e", None, stat(1, "dir", mtime=9))
    assert kinds([gone, came]) == {"d": ("deleted", None), "e": ("created", None)}
    child, there = Difference(b"d/x", stat(5), None), Difference(b"e/x", None, stat(5))
    assert kinds([gone, came, child, there]) == {"e": ("moved", "d"), "e/x": ("moved", "d/x")}


def test_one_path_that_went_becomes_one_move_at_most() -> None:
    found = kinds([Difference(b"a", stat(1), None), Difference(b"b", None, stat(1)), Difference(b"c", None, stat(1))])
    assert sorted(kind for kind, _ in found.values()) == ["created", "moved"]


def test_a_file_that_became_a_directory_is_modified_in_type() -> None:
    change = changes_of([Difference(b"a", stat(1), stat(2, "dir"))])[0]
    assert (change.kind, change.type, change.size, change.mtime_ns) == ("modified", "dir", None, None)


def test_each_group_is_a_burst_of_its_own_in_parts() -> None:
    many = [Difference(b"f%05d" % n, None, stat(n)) for n in range(PART * 2 + 1)]
    ids = iter("abc")
    groups = {Label("live", "git"): many, Label("self", None, 7): many[:1], Label("live"): []}
    events = events_of("r", groups, lambda: next(ids), 3)
    assert [(e.event.burst, e.event.part, e.event.parts, len(e.event.changes)) for e in events] == [  # type: ignore[attr-defined]
        ("a", 1, 3, PART), ("a", 2, 3, PART), ("a", 3, 3, 1), ("b", 1, 1, 1)
    ]  # fmt: skip
    assert [(e.caused_by, e.origin) for e in events] == [(-3, "live"), (-4, "live"), (-5, "live"), (7, "self")]
