"""`undo` and `redo` without a daemon, against a real repository."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.acting.undo import undo
from kairos.desk.records.proposals import UndoneOut

AFTER = b"# Demo\nmore\n"


def test_undo_and_redo_keep_what_the_user_did_since(kairos: Any, seeded: Any, repo: Any) -> None:
    repo.write("long.txt", "".join(f"line {n}\n" for n in range(30)))
    raised = seeded.raise_(
        seeded.patch("long.txt", (seeded.root / "long.txt").read_bytes().replace(b"line 3\n", b"3!\n"))
    )
    assert kairos("approve", raised.id, "--yes").code == 0
    mine = (seeded.root / "long.txt").read_bytes().replace(b"line 25\n", b"mine\n")
    repo.write("long.txt", mine)
    undone = kairos("undo", "--yes", "--json")
    assert undone.code == 0
    out = msgspec.convert(undone.data, UndoneOut)
    assert (out.id, out.state, out.kept, out.files) == (raised.id, "undone", ["long.txt"], ["long.txt"])
    assert seeded.log.at(out.positions[-1]).topic == "Undone"
    assert (seeded.root / "long.txt").read_bytes() == mine.replace(b"3!\n", b"line 3\n")
    assert kairos("redo", "--yes", "--json").data["state"] == "redone"
    assert (seeded.root / "long.txt").read_bytes() == mine


def test_a_conflicting_undo_shows_the_conflict_and_writes_nothing(kairos: Any, seeded: Any, repo: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    repo.write("README.md", "# Demo\nmore of mine\n")
    said = kairos("undo", raised.id, "--yes")
    assert said.code == 5
    assert "more of mine" in said.err or "README.md" in said.err
    assert seeded.read("README.md") == b"# Demo\nmore of mine\n"


def test_undo_without_a_terminal_needs_yes(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", AFTER))
    kairos("approve", raised.id, "--yes")
    said = kairos("undo")
    assert said.code == 2 and "--yes" in said.err
    assert seeded.read("README.md") == AFTER


def test_nothing_to_undo_or_redo_is_not_found(kairos: Any, seeded: Any, tmp_path: Any) -> None:
    for verb in ("undo", "redo"):
        assert kairos(verb, "--yes").code == 4
        assert kairos(verb, "--yes", "--home", tmp_path / "empty").code == 4


@pytest.mark.parametrize("named", [True, False])
def test_an_undo_repeated_after_a_crash_takes_back_one_thing_only(
    kairos: Any, seeded: Any, home: Any, repo: Any, killed_at: Any, named: bool
) -> None:
    ids = []
    for name in ("one.txt", "two.txt"):
        raised = seeded.raise_(seeded.patch(name, b"text\n"), seed=name)
        assert kairos("approve", raised.id, "--digest", raised.digest).code == 0
        ids.append(raised.id)
    with killed_at("placed") as on_step:
        undo(seeded.log, home, ids[1], on_step=on_step)
    done = kairos("--json", "undo", *(ids[1:] if named else []), "--yes")
    assert (done.code, done.data["id"], done.data["state"]) == (0, ids[1], "undone")
    assert (repo.root / "one.txt").exists() and not (repo.root / "two.txt").exists()
