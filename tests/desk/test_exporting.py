"""An export holds everything known of a repository, and nothing of another; a file that exists stays as it is."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.exporting import export, export_to
from kairos.desk.reading import repositories
from kairos.errors import UsageError
from kairos.eventlog.cold.forgetting import forget_positions
from kairos.eventlog.log import Log


def lines(desk: Desk, only: Any = None) -> list[dict[str, Any]]:
    out = io.BytesIO()
    counts = export(desk, out, only)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert counts.events == sum(line["kind"] == "event" for line in found)
    return found


def test_it_holds_repositories_proposals_with_decisions_memories_and_every_event(
    desk: Desk, seeded: Any, remember: Any
) -> None:
    raised = seeded.raise_(seeded.note("Look at this."))
    known = remember("a.py", "b.py")
    found = lines(desk)
    kinds = [line["kind"] for line in found]
    assert kinds[0] == "export" and found[0]["data"]["head"] == seeded.log.head()
    assert kinds.count("event") == seeded.log.head()
    [proposal] = [line["data"] for line in found if line["kind"] == "proposal"]
    assert proposal["id"] == raised.id and [d["type"] for d in proposal["decisions"]] == ["ProposalVerified"]
    assert [line["data"]["id"] for line in found if line["kind"] == "memory"] == [known]


def test_of_one_repository_nothing_of_another_is_in_it(
    desk: Desk, log: Log, seeded: Any, remember: Any, tmp_path: Path
) -> None:
    place = tmp_path / "other"
    subprocess.run(["git", "init", "-q", str(place)], check=True)
    other = sys.modules["seeded"].Seeded(log, place.resolve())
    seeded.raise_(seeded.note(), seed="1")
    foreign = other.raise_(other.note("there"), seed="2")
    theirs = remember("c.py", "d.py", of=other)
    text = json.dumps(lines(desk, repositories(desk).by_id[seeded.id]))
    for word in (other.id, str(place), foreign.id, theirs):
        assert word not in text


def test_lines_beside_a_change_are_not_in_it_because_nobody_redacted_them(desk: Desk, seeded: Any, repo: Any) -> None:
    repo.write("app.env", "name=shop\nkey=AKIAQ3EGRT5HZX7WLMNP\n")
    raised = seeded.raise_(seeded.patch("app.env", b"name=store\nkey=AKIAQ3EGRT5HZX7WLMNP\n"))
    text = json.dumps(lines(desk))
    assert raised.id in text and "+name=store" in text and "AKIAQ3" not in text


def test_what_was_erased_is_left_out(desk: Desk, seeded: Any) -> None:
    seeded.raise_(seeded.note())
    forget_positions(seeded.log, [seeded.log.head()], "asked", "user")
    assert "proposal" in [line["kind"] for line in lines(desk)]


def test_an_empty_home_gives_the_first_line_alone(desk: Desk) -> None:
    assert [line["kind"] for line in lines(desk)] == ["export"]


def test_a_new_file_is_made_and_only_its_owner_reads_it(desk: Desk, seeded: Any, tmp_path: Path) -> None:
    done = export_to(desk, str(tmp_path / "mine.ndjson"), None)
    assert done.events == seeded.log.head()
    assert (tmp_path / "mine.ndjson").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling", "absent/below", "file/below"])
def test_a_place_that_exists_or_cannot_be_made_is_refused_and_stays(
    desk: Desk, seeded: Any, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UsageError):
        export_to(desk, str(tmp_path / kind), None)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_leaves_nothing(desk: Desk, seeded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kairos.desk.exporting.os.fsync", full)
    with pytest.raises(Exception, match="cannot be written"):
        export_to(desk, str(tmp_path / "mine"), None)
    assert not (tmp_path / "mine").exists()
