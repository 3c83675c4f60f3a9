"""What may be forgotten, by whom and when; what is left afterwards is told."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon.presence import claim
from kairos.desk.desk import Desk
from kairos.desk.forgetting import forget, refuse_nonsense
from kairos.domain import events as ev
from kairos.errors import Denied, KairosError, Locked, NotFound, UsageError
from kairos.eventlog.cold.verify import verify_log
from kairos.home import Home


@pytest.fixture
def owl(seeded: Any) -> int:
    changes = [ev.Change(path="owl.txt", kind="created"), ev.Change(path="a.py", kind="created")]
    position: int = seeded.append(
        ev.FilesChanged(repo=seeded.id, burst="b", part=1, parts=1, changes=changes), seeded.id
    )
    return position


@pytest.mark.parametrize(
    ("pattern", "positions", "root"), [(None, [], None), ("a", [1], None), ("a", [], "r"), (None, [1], "r")]
)
def test_what_to_forget_is_said_one_way(
    desk: Desk, seeded: Any, pattern: str | None, positions: list[int], root: str | None
) -> None:
    with pytest.raises(UsageError):
        refuse_nonsense(desk, pattern, positions, root)


def test_there_is_nothing_to_forget_in_an_empty_home(desk: Desk) -> None:
    with pytest.raises(NotFound):
        forget(desk, "a", [], None, "reason")
    assert not desk.has_log


def test_a_path_goes_with_what_was_learned_of_it_and_the_proof_stays(
    desk: Desk, home: Home, seeded: Any, owl: int
) -> None:
    (home.memory / "owl.md").write_text("`owl.txt` matters")
    (seeded.root / "owl.txt").touch()
    (home.config / "notes").write_text("owl.txt")
    done = forget(desk, "owl.*", [], None, "private")
    assert done.positions == [owl] and done.position is not None
    assert desk.log.at(done.position).topic == "Erased"
    assert not (home.memory / "owl.md").exists()
    assert done.left == [str(home.config / "notes")], "a person's own file is named, not changed"
    assert done.seen == [str(seeded.root / "owl.txt")], "it would be recorded again"
    assert verify_log(seeded.log, None).ok
    assert b"owl.txt" not in b"".join(p.read_bytes() for p in home.data.rglob("*") if p.is_file() and p.name != "notes")


def test_one_position_is_forgotten_without_asking_what_it_says(desk: Desk, seeded: Any, owl: int) -> None:
    done = forget(desk, None, [owl], None, "private")
    assert (done.positions, done.seen) == ([owl], [])
    with pytest.raises(KairosError):
        seeded.log.at(owl)


def test_only_a_repository_that_is_not_watched_any_more_is_forgotten(desk: Desk, seeded: Any, owl: int) -> None:
    with pytest.raises(Denied, match="still watched"):
        forget(desk, None, [], str(seeded.root), "private")
    with pytest.raises(NotFound):
        forget(desk, None, [], str(seeded.root.parent), "private")
    seeded.append(ev.RepoUnwatched(repo=seeded.id, root=str(seeded.root)), seeded.id)
    assert owl in forget(desk, None, [], str(seeded.root), "private").positions


def test_nothing_is_forgotten_while_a_daemon_could_tell_it_again(desk: Desk, home: Home, seeded: Any, owl: int) -> None:
    head = seeded.log.head()
    with claim(home), pytest.raises(Locked):
        forget(desk, "owl.txt", [], None, "private")
    assert seeded.log.head() == head and seeded.log.at(owl).topic == "FilesChanged"


def test_the_memory_files_are_written_anew_from_what_is_left(desk: Desk, home: Home, seeded: Any, commit: Any) -> None:
    from kairos.desk.remembering import dream_changes

    for _ in range(4):
        commit("pay.py", "tax.py")
        commit("owl.txt", "barn.txt")
    dream_changes(desk, dry_run=False)
    assert "owl.txt" in (home.memory / "MEMORY.md").read_text()
    forget(desk, "owl.txt", [], None, "private")
    index = (home.memory / "MEMORY.md").read_text()
    assert "owl.txt" not in index and "tax.py" in index
