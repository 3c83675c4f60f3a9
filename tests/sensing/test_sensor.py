"""The sensor on real files: everything is told, once, as what it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kairos.domain.events import Change, FilesChanged
from kairos.sensing.hints import InotifyHints


def changes(told: list[Any]) -> list[tuple[str, str]]:
    return [(c.kind, c.fs) for r in told if isinstance(r.event, FilesChanged) for c in r.event.changes]


def test_a_written_file_is_told_once(watch: Any, repo: Any) -> None:
    told = watch.told(lambda: repo.write("a.txt", "a"))
    assert changes(told) == [("created", "a.txt")]
    assert [(r.origin, r.caused_by, r.event.part, r.event.parts, r.event.cause) for r in told] == [
        ("live", None, 1, 1, None)
    ]
    assert watch.told(lambda: None) == []
    watch.check()


def test_every_kind_of_change_is_named(watch: Any, repo: Any) -> None:
    watch.told(lambda: (repo.write("d/e/f", "x"), repo.write("m", "m"), repo.write("gone", "")))
    assert changes(watch.told(lambda: repo.write("m", "mm"))) == [("modified", "m")]
    assert changes(watch.told(lambda: (repo.root / "m").chmod(0o755))) == [("modified", "m")]
    assert changes(watch.told(lambda: (repo.root / "gone").unlink())) == [("deleted", "gone")]
    moved = watch.told(lambda: (repo.root / "m").rename(repo.root / "n"))
    assert changes(moved) == [("moved", "n")]
    change: Change = moved[0].event.changes[0]
    assert change.was is not None and change.was.fs == "m"
    assert changes(watch.told(lambda: (repo.root / "l").symlink_to("nowhere"))) == [("created", "l")]
    assert changes(watch.told(lambda: (repo.root / "d").rename(repo.root / "z"))) == [
        ("moved", "z"),
        ("moved", "z/e"),
        ("moved", "z/e/f"),
    ]
    assert changes(watch.told(lambda: repo.write("z/e/f", "new"))) == [("modified", "z/e/f")]
    watch.check()


def test_directories_have_neither_size_nor_time(watch: Any, repo: Any) -> None:
    told = watch.told(lambda: (repo.root / "d").mkdir(mode=0o750))
    assert told[0].event.changes == [Change(path="d", kind="created", type="dir", mode=0o750)]


def test_a_name_in_any_bytes_survives_the_log(watch: Any) -> None:
    """N33."""
    names = [b"new\nline", b"\xff\xfe", b"x" * 255, "a\u202eb".encode(), b"\x1b[31mred", b"-dash", b"sp ace "]
    for name in names:
        inner = watch.root / os.fsdecode(b"d-" + name[:200])
        inner.mkdir()
        (inner / "inner").write_text("")
        (watch.root / os.fsdecode(name)).write_bytes(name)
    watch.settle()
    watch.check()
    assert {os.fsencode(path) for _, path in changes(watch.since(0))} >= set(names)
    for name in names:
        (watch.root / os.fsdecode(name)).unlink()
    watch.settle()
    watch.check()


def test_a_write_through_one_name_of_a_file_is_told_of_all_its_names(watch: Any, repo: Any) -> None:
    watch.told(lambda: (repo.write("one/a", "1"), (repo.root / "two").mkdir(), (repo.root / "three").mkdir()))
    for other in ("two/b", "three/c"):
        os.link(repo.root / "one/a", repo.root / other)
    watch.settle()
    watch.told(lambda: (repo.root / "two/b").write_text("longer"))
    watch.check()
    watch.start()
    watch.told(lambda: (repo.root / "three/c").write_text("and longer"))
    watch.check()


def test_ignore_rules_of_the_person_are_noticed_at_once(watch: Any, repo: Any, tmp_path: Path) -> None:
    home = tmp_path / "person"
    watch.told(lambda: (repo.write("a.bak", "1"), repo.write("a.old", "1")))

    def config() -> None:
        (home / "excludes").write_text("*.bak\n")
        (home / ".gitconfig").write_text(f"[core]\n\texcludesFile = {home}/excludes\n")

    watch.told((home / ".config").mkdir)
    for act in (
        lambda: ((home / ".config/git").mkdir(), (home / ".config/git/ignore").write_text("*.old\n")),
        config,
        lambda: (home / "excludes").write_text("*.bak\n*.old\n"),
        lambda: (home / ".gitconfig").unlink(),
    ):
        assert watch.told(act) != []
        watch.check()


def test_a_directory_that_is_gone_is_not_polled_any_more(tmp_path: Path) -> None:
    hints = InotifyHints()
    gone = bytes(tmp_path / "gone")
    hints.polled.add(gone)
    assert hints.confirm([gone]) == [] and hints.polled == set()
    hints.close()
