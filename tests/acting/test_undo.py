"""Undo takes back its own hunks and keeps a person's; where they overlap it writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.acting import undo
from kairos.domain.events import Undone
from kairos.errors import Stale

LINES = "".join(f"line {n}\n" for n in range(20))


def replaced(text: str, changes: dict[int, str | None]) -> str:
    """The text with these lines replaced (None: removed)."""
    lines: list[str | None] = list(text.splitlines(keepends=True))
    for n, new in changes.items():
        lines[n] = new
    return "".join(line for line in lines if line is not None)


def test_a_later_edit_elsewhere_in_the_file_is_kept(bench: Any, repo: Any) -> None:
    repo.write("a.txt", LINES)
    done = bench.executed({"a.txt": replaced(LINES, {3: "ours\n"})})
    repo.write("a.txt", replaced(LINES, {3: "ours\n", 15: "theirs\n"}))
    plan = undo.plan_undo(bench.log, bench.home, done.id)
    assert (plan.files, plan.hunks, plan.kept) == (1, 1, ["a.txt"])
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert (repo.root / "a.txt").read_text() == replaced(LINES, {15: "theirs\n"})
    last = bench.log.stream(done.stream)[-1].event
    assert isinstance(last, Undone)
    assert last.kept == ["a.txt"]
    undo.redo(bench.log, bench.home, done.id)
    assert (repo.root / "a.txt").read_text() == replaced(LINES, {3: "ours\n", 15: "theirs\n"})
    repo.write("a.txt", replaced(LINES, {3: "ours\n", 10: "more\n", 15: "theirs\n"}))
    undo.undo(bench.log, bench.home, done.id)
    assert (repo.root / "a.txt").read_text() == replaced(LINES, {10: "more\n", 15: "theirs\n"})


def test_an_overlapping_edit_is_a_conflict_that_is_shown_and_writes_nothing(bench: Any, repo: Any) -> None:
    repo.write("a.txt", LINES)
    repo.write("b.txt", LINES)
    done = bench.executed({"a.txt": replaced(LINES, {3: "ours\n"}), "b.txt": replaced(LINES, {3: "ours\n"})})
    repo.write("b.txt", replaced(LINES, {3: "mine\n"}))
    left, head = bench.tree(), bench.log.head()
    with pytest.raises(Stale, match="<<<<<<<") as told:
        undo.undo(bench.log, bench.home, done.id)
    assert "mine" in told.value.message
    assert told.value.code == 5
    assert bench.tree() == left
    assert bench.log.head() == head
    assert bench.of(done.id).state == "executed"


def test_a_created_file_goes_unless_it_was_edited(bench: Any, repo: Any) -> None:
    one = bench.executed({"x/new.txt": "hello\n"})
    undo.undo(bench.log, bench.home, one.id)
    assert not (repo.root / "x").exists()
    two = bench.executed({"x/new.txt": "hello\n"})
    repo.write("x/new.txt", "hello\nmore\n")
    with pytest.raises(Stale, match="edited since"):
        undo.undo(bench.log, bench.home, two.id)
    assert (repo.root / "x/new.txt").read_text() == "hello\nmore\n"


def test_a_directory_that_holds_something_else_by_now_stays(bench: Any, repo: Any) -> None:
    done = bench.executed({"x/new.txt": "hello\n"})
    repo.write("x/mine.txt", "mine\n")
    undo.undo(bench.log, bench.home, done.id)
    assert sorted(bench.tree()) == ["README.md", "x", "x/mine.txt"]


def test_a_deleted_file_returns_unless_something_took_its_place(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n", 0o600)
    done = bench.executed({"a.txt": None})
    repo.write("a.txt", "mine\n")
    with pytest.raises(Stale, match="exists now"):
        undo.undo(bench.log, bench.home, done.id)
    (repo.root / "a.txt").unlink()
    undo.undo(bench.log, bench.home, done.id)
    assert bench.tree()["a.txt"] == (b"old\n", 0o600)


def test_a_mode_change_is_taken_back_and_a_later_one_is_kept(bench: Any, repo: Any) -> None:
    repo.write("a.sh", "#!/bin/sh\n", 0o640)
    done = bench.executed({"a.sh": ("#!/bin/sh\n", 0o755)})
    assert bench.tree()["a.sh"][1] == 0o750
    undo.undo(bench.log, bench.home, done.id)
    assert bench.tree()["a.sh"][1] == 0o640
    again = bench.executed({"a.sh": "#!/bin/sh\necho\n"})
    (repo.root / "a.sh").chmod(0o755)
    undo.undo(bench.log, bench.home, again.id)
    assert bench.tree()["a.sh"] == (b"#!/bin/sh\n", 0o755)


def test_undo_of_what_was_not_carried_out_is_refused(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale):
        undo.undo(bench.log, bench.home, pending.id)
    done = bench.execute(bench.approved(bench.patch({"a.txt": "three\n"})))
    undo.undo(bench.log, bench.home, done.id)
    with pytest.raises(Stale):
        undo.undo(bench.log, bench.home, done.id)


def test_what_the_user_took_back_by_hand_is_refused_and_stays_executed(bench: Any, repo: Any) -> None:
    repo.write("a.txt", LINES)
    done = bench.executed({"a.txt": replaced(LINES, {3: "ours\n"})})
    target = repo.write("a.txt", LINES)
    before, head = target.stat().st_mtime_ns, bench.log.head()
    with pytest.raises(Stale, match=r"not in this tree: not in a\.txt; nothing was written"):
        undo.undo(bench.log, bench.home, done.id)
    assert target.stat().st_mtime_ns == before
    assert bench.log.head() == head
    assert bench.of(done.id).state == "executed"


@pytest.mark.parametrize(
    ("hand", "absent"),
    [
        ({"b.txt": LINES}, "b.txt, only in a.txt, c.sh, new.txt"),
        ({"a.txt": LINES, "b.txt": LINES}, "a.txt, b.txt, only in c.sh, new.txt"),
        ({"new.txt": None}, "new.txt, only in a.txt, b.txt, c.sh"),
        ({"c.sh": 0o644}, "c.sh, only in a.txt, b.txt, new.txt"),
    ],
)
def test_a_change_that_is_in_some_of_its_files_only_is_refused_whole(
    bench: Any, repo: Any, hand: dict[str, Any], absent: str
) -> None:
    for name in ("a.txt", "b.txt"):
        repo.write(name, LINES)
    repo.write("c.sh", "#!/bin/sh\n", 0o644)
    ours = replaced(LINES, {3: "ours\n"})
    done = bench.executed({"a.txt": ours, "b.txt": ours, "c.sh": ("#!/bin/sh\n", 0o755), "new.txt": "new\n"})
    for name, content in hand.items():
        if content is None:
            (repo.root / name).unlink()
        elif isinstance(content, int):
            (repo.root / name).chmod(content)
        else:
            repo.write(name, content)
    left = bench.tree()
    with pytest.raises(Stale) as told:
        undo.undo(bench.log, bench.home, done.id)
    assert f"not in {absent};" in told.value.message
    assert bench.tree() == left
    assert bench.of(done.id).state == "executed"


def test_a_redo_of_what_is_there_already_is_refused_and_stays_undone(bench: Any, repo: Any) -> None:
    for name in ("a.txt", "b.txt"):
        repo.write(name, LINES)
    ours = replaced(LINES, {3: "ours\n"})
    done = bench.executed({"a.txt": ours, "b.txt": ours})
    undo.undo(bench.log, bench.home, done.id)
    repo.write("b.txt", ours)
    with pytest.raises(Stale, match=r"it is in b\.txt, and not in a\.txt; nothing was written"):
        undo.redo(bench.log, bench.home, done.id)
    repo.write("a.txt", ours)
    with pytest.raises(Stale, match=r"it is in a\.txt, b\.txt; nothing was written"):
        undo.redo(bench.log, bench.home, done.id)
    assert bench.of(done.id).state == "undone"
    repo.write("a.txt", LINES)
    repo.write("b.txt", LINES)
    assert undo.redo(bench.log, bench.home, done.id).state == "redone"


def test_on_another_branch_it_is_refused_and_where_the_change_is_it_is_undone(bench: Any, repo: Any) -> None:
    repo.write("a.txt", LINES)
    repo.commit("base")
    done = bench.executed({"a.txt": replaced(LINES, {3: "ours\n"})})
    repo.commit("ours")
    repo.git("checkout", "-q", "-b", "other", "HEAD~1")
    repo.write("a.txt", replaced(LINES, {15: "theirs\n"}))
    with pytest.raises(Stale, match="not in this tree"):
        undo.undo(bench.log, bench.home, done.id)
    repo.git("checkout", "-q", "--", "a.txt")
    repo.git("checkout", "-q", "-")
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert (repo.root / "a.txt").read_text() == LINES


def test_a_link_put_in_the_way_is_never_followed(bench: Any, repo: Any, tmp_path: Path) -> None:
    repo.write("d/a.txt", "one\n")
    done = bench.executed({"d/a.txt": "two\n"})
    (repo.root / "d").rename(tmp_path / "outside")
    (repo.root / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(Stale, match="not a plain directory"):
        undo.undo(bench.log, bench.home, done.id)
    assert (tmp_path / "outside/a.txt").read_text() == "two\n"


SLOTS = 12


@st.composite
def stories(draw: st.DrawFn) -> tuple[str, dict[int, str | None], dict[int, str | None], bool]:
    """(text of distinct lines, our changes, the user's changes by line number, newline at the end)."""
    number = st.integers(0, SLOTS - 1)
    ours = draw(st.dictionaries(number, st.sampled_from(["ours\n", "ours\nours too\n", None]), min_size=1, max_size=4))
    theirs = draw(st.dictionaries(number, st.sampled_from(["mine\n", "mine\nand mine\n", None]), max_size=4))
    text = "".join(f"{n} {draw(st.text('abé ', max_size=3))}\n" for n in range(SLOTS))
    return text, ours, theirs, draw(st.booleans())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories(), mode=st.sampled_from([0o644, 0o600, 0o664, 0o755]))
def test_undo_restores_exactly_its_own_hunks_or_writes_nothing(bench: Any, repo: Any, story: Any, mode: int) -> None:
    text, ours, theirs, ended = story
    ours = {n: None if new is None else f"o{n} {new}" for n, new in ours.items()}
    theirs = {n: None if new is None else f"t{n} {new}" for n, new in theirs.items()}
    if not ended:
        text = text[:-1]
    repo.write("a.txt", text, mode)
    done = bench.executed({"a.txt": replaced(text, ours)})
    assert (repo.root / "a.txt").read_text() == replaced(text, ours)
    undo.undo(bench.log, bench.home, done.id)
    assert (repo.root / "a.txt").read_bytes() == text.encode()
    assert (repo.root / "a.txt").stat().st_mode & 0o7777 == mode
    undo.redo(bench.log, bench.home, done.id)
    disjoint = {n: new for n, new in theirs.items() if n not in ours}
    both = replaced(text, {**theirs, **ours}) if disjoint == theirs else replaced(text, {**ours, **theirs})
    repo.write("a.txt", both)
    try:
        undo.undo(bench.log, bench.home, done.id)
    except Stale:
        assert (repo.root / "a.txt").read_text() == both
        apart = all(abs(o - t) > 2 for o in ours for t in theirs)
        assert not apart, "changes far apart never conflict"
    else:
        if disjoint == theirs:
            assert (repo.root / "a.txt").read_text() == replaced(text, theirs)
        else:
            assert "ours" not in (repo.root / "a.txt").read_text()


def test_merging_leaves_nothing_behind(bench: Any, repo: Any) -> None:
    repo.write("a.txt", LINES)
    done = bench.executed({"a.txt": replaced(LINES, {3: "ours\n"})})
    repo.write("a.txt", replaced(LINES, {3: "ours\n", 15: "theirs\n"}))
    undo.plan_undo(bench.log, bench.home, done.id)
    assert not [p for p in bench.home.scratch.iterdir() if p.name.startswith("merge-")]
