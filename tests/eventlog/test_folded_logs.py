"""A log with folded positions moves, forgets and folds on like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kairos.errors import IntegrityError, NotFound
from kairos.eventlog.cold import compaction, verify
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.exchange import export_log, import_log
from kairos.eventlog.cold.forgetting import forget_paths, forget_positions, forget_repository
from kairos.eventlog.cold.jumps import jump_row
from kairos.eventlog.cold.segment import Run
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.views.watched_tree import fold_tree

CANARY = "private/diary-of-an-owl.txt"


def test_a_folded_log_moves_and_folds_on(past: Any, tmp_path: Path) -> None:
    past.busy(20)
    past.fold()
    anchor, tree, gone, told = past.log.anchor(), fold_tree(past.log, past.repo), past.gone(), past.told_of()
    moved = past.moved_to(tmp_path / "other")
    assert (moved.log.anchor(), fold_tree(moved.log, past.repo), moved.gone()) == (anchor, tree, gone)
    assert list(moved.log.read()) == list(past.log.read())
    assert moved.log.version(past.repo) == past.log.version(past.repo)
    assert verify_log(moved.log, anchor).problems == []
    with pytest.raises(NotFound, match="was folded"):
        moved.log.at(3)
    assert moved.log.version("") == 0
    moved.log.refuse_unknown()
    moved.busy(10)
    before = moved.told_of()
    assert moved.fold().segments
    assert moved.told_of() == before and before[0] == told[0] + 10
    assert verify_log(moved.log, anchor).problems == []


def test_a_moved_log_seals_runs_whole_however_small_its_segments_are(
    past: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past.attend(past.observe("x", "y"))
    past.busy(20)
    past.fold()
    moved = past.moved_to(tmp_path / "other")
    monkeypatch.setattr(compaction, "ROWS_A_SEGMENT", 3)
    compact(moved.log)
    assert [(s[0], s[1]) for s in moved.log.reader().segments()][:3] == [(1, 2), (3, 21), (22, 24)]
    assert moved.gone() == past.gone()
    assert verify_log(moved.log, past.log.anchor()).problems == []
    assert [r.position for r in moved.log.read(upto=23)] == [1, 2, 22, 23]


def test_proving_goes_on_while_the_log_is_folded(past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    past.busy(20)
    compact(past.log)
    other, walk, done = type(past)(Log(past.log.path)), verify.walk_segment, []

    def meanwhile(*args: Any) -> Any:
        if not done:
            done.append(other.fold())
        return walk(*args)

    monkeypatch.setattr(verify, "walk_segment", meanwhile)
    assert verify_log(past.log).problems == []
    assert done[0].segments
    other.log.close()


def test_folding_is_the_same_on_either_engine(past: Any, any_log: Log) -> None:
    told = type(past)(any_log)
    told.propose([told.busy(20)[4]], "k" * 12)
    anchor, tree, before = any_log.anchor(), fold_tree(any_log, told.repo), told.told_of()
    (segment,) = told.fold().segments
    assert (segment.events, segment.kept) == (18, 2)
    assert told.gone() == set(range(1, 20)) - {5}
    assert (fold_tree(any_log, told.repo), told.told_of()) == (tree, before)
    assert verify_log(any_log, anchor).problems == []
    assert told.views()
    assert told.fold().segments == []


@pytest.mark.parametrize("harm", ["dropped", "enlarged", "other link", "more in it"])
def test_a_jump_that_was_changed_on_the_way_is_refused(past: Any, harm: str, tmp_path: Path) -> None:
    past.attend(past.observe("x", "y"))
    past.busy(20)
    past.fold()
    with (tmp_path / "out").open("wb") as out:
        export_log(past.log, out)
    lines = (tmp_path / "out").read_bytes().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"topic":""' in line)
    match harm:
        case "dropped":
            del lines[at]
        case "enlarged":
            lines[at] = lines[at].replace(b'"correlation":3', b'"correlation":2')
            del lines[at - 1]
        case "other link":
            lines[at] = lines[at].replace(b'"leaf":"', b'"leaf":"00')
        case "more in it":
            lines[at] = lines[at].replace(b'"at":0', b'"at":1')
    other = Log(tmp_path / "other.db")
    with pytest.raises(IntegrityError):
        import_log(other, lines)
    assert other.head() == 0


def traces(log: Log, text: str) -> list[str]:
    return [p.name for p in log.path.parent.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


@pytest.mark.parametrize("gone", ["rows", "a payload"])
def test_an_export_that_leaves_something_out_without_a_word_is_refused_whole(
    past: Any, gone: str, tmp_path: Path
) -> None:
    past.busy(9)
    with (tmp_path / "out").open("wb") as out:
        export_log(past.log, out)
    lines = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    if gone == "rows":
        jump = jump_row(Run(3, 5, b"", bytes.fromhex(lines[5]["link"])))
        names = ("position", "stream", "version", "topic", "v", "at", "caused_by", "correlation", "origin")
        lines[3:6] = [dict(zip(names, jump, strict=False), leaf=lines[5]["link"], link=lines[5]["link"])]
    else:
        del lines[4]["payload"]
    other = Log(tmp_path / "other.db")
    with pytest.raises(IntegrityError, match="missing, and no"):
        import_log(other, [json.dumps(line, separators=(",", ":")).encode() for line in lines])
    assert other.head() == 0


def test_a_forgotten_path_goes_from_what_was_folded_too(past: Any) -> None:
    past.observe("src/a.py", "src/b.py", "src/c.py", "once.py", size=42)
    past.busy(10, "src/a.py", "src/b.py", "src/c.py", CANARY)
    past.observe("src/a.py", "src/b.py", "src/c.py")
    past.fold()
    log: Log = past.log
    compact(log)  # what tells what is left is cold, too
    (event,) = past.left()
    assert CANARY in {p.path for p in event.paths}
    assert [p.path for p in event.paths if p.last is not None] == ["once.py", CANARY]
    anchor, tree = log.anchor(), fold_tree(log, past.repo)
    done = forget_paths(log, "private/*", "not yours", "user")
    assert done.positions and traces(log, CANARY) == []
    assert past.left() == []
    assert verify_log(log, anchor).problems == []
    assert fold_tree(log, past.repo) == {p: e for p, e in tree.items() if p != CANARY.encode()}
    past.views()
    past.busy(10)
    past.fold()
    assert verify_log(log, anchor).problems == []


def test_a_folded_position_cannot_be_forgotten_alone_and_says_so(past: Any) -> None:
    past.busy(10)
    past.fold()
    with pytest.raises(NotFound, match="was folded; a summary is at"):
        forget_positions(past.log, [4], "slip", "user")


def test_a_repository_is_forgotten_with_what_was_folded_of_it(past: Any) -> None:
    past.busy(10)
    other = type(past)(past.log, "repo-2")
    other.busy(10)
    past.fold()
    tree = fold_tree(past.log, "repo-2")
    forget_repository(past.log, past.repo, "/srv/one", "left", "user")
    assert fold_tree(past.log, past.repo) == {}
    assert fold_tree(past.log, "repo-2") == tree
    assert verify_log(past.log).ok


def test_an_erased_observation_stays_erased(past: Any) -> None:
    past.busy(10)
    compact(past.log)
    forget_positions(past.log, [4], "slip", "user")
    past.fold()
    assert 4 not in past.gone()
    with pytest.raises(NotFound, match="was erased"):
        past.log.at(4)
    assert verify_log(past.log).problems == []
