"""Memories as records, and a dream that is asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from kairos.desk import remembering
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.records.memory import DreamChangeOut
from kairos.domain import events as ev
from kairos.errors import NotFound, UsageError


def test_memories_are_listed_best_first_and_closed_ones_when_asked(desk: Desk, seeded: Any, remember: Any) -> None:
    weak, strong = remember("a.py", "b.py"), remember("c.py", "d.py", support=30.0)
    gone = remember("e.py", "f.py")
    seeded.append(ev.MemoryInvalidated(id=gone, why="expired"), "memory")
    assert [m.id for m in remembering.listed(desk, None)] == [strong, weak]
    assert {m.id: m.state for m in remembering.listed(desk, None, closed=True)} == {
        strong: "open", weak: "open", gone: "closed"
    }  # fmt: skip
    assert remembering.listed(desk, None, kind="rename") == []
    assert len(remembering.listed(desk, repositories(desk).by_id[seeded.id])) == 2


def test_a_memory_is_found_by_words_and_by_the_start_of_its_id(desk: Desk, seeded: Any, remember: Any) -> None:
    one, _ = remember("pay.py", "tax.py"), remember("a.py", "b.py")
    assert [m.id for m in remembering.recall(desk, "tax", 5, None)] == [one]
    assert remembering.recall(desk, "nothing of it", 5, None) == []
    assert remembering.memory(desk, one[:6]).cites == [seeded.cause]
    assert one.startswith(remembering.letters(desk)[one])
    with pytest.raises(NotFound):
        remembering.memory(desk, "zzzz")


@pytest.mark.parametrize(
    ("type_", "data", "said"),
    [
        ("MemoryAccepted", {"memory": {"kind": "rename", "text": "a is b"}}, ("learned", "rename: a is b")),
        ("MemorySuperseded", {"id": "kk", "why": "newer"}, ("gave way", "kk: newer")),
        ("MemoryInvalidated", {"id": "kk", "why": "gone", "detail": "x"}, ("dropped", "kk: gone x")),
        ("MemoryFileEdited", {"file": "m.md", "what": "changed", "kept": "m.old"},
         ("MemoryFileEdited", "m.md was changed by hand, kept as m.old")),
    ],
)  # fmt: skip
def test_what_a_dream_changed_is_said_in_words(type_: str, data: dict[str, Any], said: tuple[str, str]) -> None:
    assert remembering.in_words(DreamChangeOut(position=1, type=type_, data=data)) == said


def test_a_dream_runs_on_the_home_of_the_desk_and_finds_nothing_twice(desk: Desk, seeded: Any, commit: Any) -> None:
    for _ in range(4):
        commit("pay.py", "tax.py")
    head = seeded.log.head()
    rehearsed = remembering.dream_changes(desk, dry_run=True)
    assert {c.data["memory"]["value"] for c in rehearsed} == {"pay.py", "tax.py"}
    assert seeded.log.head() == head, "a rehearsal writes nothing"
    told = remembering.dream_changes(desk, dry_run=False)
    assert [c.data["memory"]["text"] for c in told] == [c.data["memory"]["text"] for c in rehearsed]
    assert [r.position for r in seeded.log.read(topics={"MemoryAccepted"})] == [c.position for c in told]
    assert remembering.dream_changes(desk, dry_run=False) == []


def test_no_dream_begins_with_a_wrong_configuration(desk: Desk, seeded: Any) -> None:
    desk.home.config_file.write_text("nonsense = 1\n")
    with pytest.raises(UsageError):
        remembering.dream_changes(desk, dry_run=False)


def test_a_path_is_taken_from_where_the_person_stands(
    desk: Desk, seeded: Any, repo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("a.py", "lib/a.py", "lib/b.py"):
        repo.write(name, "x\n")
    here = repositories(desk).by_id[seeded.id]
    monkeypatch.chdir(seeded.root / "lib")
    for given, meant in {"a.py": "lib/a.py", "../a.py": "a.py", "./b.py": "lib/b.py", "gone.py": "gone.py"}.items():
        assert remembering.inside(here, given) == meant
    monkeypatch.chdir(tmp_path)
    for given, meant in {"lib/a.py": "lib/a.py", str(seeded.root / "lib/b.py"): "lib/b.py"}.items():
        assert remembering.inside(here, given) == meant
    outside = tmp_path / "outside.py"
    outside.touch()
    (seeded.root / "link.py").symlink_to(outside)
    assert remembering.inside(here, "link.py") == "link.py"
    assert remembering.inside(here, str(outside)) == str(outside)


def test_without_a_name_the_repository_is_the_one_of_the_path_or_the_only_one(
    desk: Desk, seeded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir("/")
    assert remembering.related(desk, None, ["a.py"], 5, None) == []
    other = tmp_path / "other"
    other.mkdir()
    stat = other.stat()
    trusted = ev.RepoTrusted(repo="other", root=str(other), dev=stat.st_dev, ino=stat.st_ino, by="user")
    seeded.append(trusted, "other")
    with pytest.raises(NotFound):
        remembering.related(desk, None, ["a.py"], 5, None)
    assert remembering.related(desk, None, [os.path.relpath(seeded.root / "a.py")], 5, None) == []
