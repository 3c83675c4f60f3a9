"""A row of docs/detectors.md is measured again when code that decides it changes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from benches import detectors
from benches.detectors import Measured, code_of, imported
from benches.detectors_page import by_eye, page
from kairos.backtest.result import BacktestResult, RaisedThen
from kairos.detectors.looking import ALL

BY_NAME = {d.name: d for d in ALL}


@pytest.mark.parametrize(
    ("detector", "module"),
    [
        ("lock-file", "kairos.detectors.lock_file.cargo"),
        ("lock-file", "kairos.domain.config_text"),
        ("ignore-artifact", "kairos.detectors.generated_signs"),
        ("stale-reference", "kairos.detectors.stale_reference.markdown_links"),
        ("secret", "kairos.domain.secrets"),
        ("unparsable", "kairos.detectors.past"),
        ("unparsable", "kairos.repo.past_tree"),
        ("conflict-marker", "kairos.backtest.walk"),
        ("conflict-marker", "kairos.domain.hindsight"),
    ],
)
def test_a_change_in_what_it_uses_makes_a_row_old(detector, module, monkeypatch):
    before = code_of(BY_NAME[detector])
    assert code_of(BY_NAME[detector]) == before
    changed = Path(importlib.util.find_spec(module).origin)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path == changed else b""))
    assert code_of(BY_NAME[detector]) != before


def test_a_change_in_the_native_part_makes_every_row_old_and_one_in_another_detector_none(monkeypatch):
    before = {d.name: code_of(d) for d in ALL}
    changed = [detectors.HERE.parent / "native/secrets/src/judge.rs"]
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"//" if path in changed else b""))
    assert all(code_of(d) != before[d.name] for d in ALL)
    changed[:] = [detectors.HERE.parent / "kairos/detectors/case_collision.py"]
    assert [d.name for d in ALL if code_of(d) != before[d.name]] == ["case-collision"]


def test_imports_are_followed_into_functions_and_packages():
    found = imported("kairos.detectors.looking")
    assert {"kairos.detectors.stale_reference.rest_tables", "kairos.detectors", "kairos.repo.git"} <= found
    assert "kairos.detectors.looking" not in imported("kairos.domain.hindsight")


def test_what_was_read_by_eye_names_repositories_of_the_public_set_and_shows_in_the_page():
    known = by_eye()
    assert {detector for detector, _, _ in known} <= set(BY_NAME)
    assert {repository for _, repository, _ in known} <= set(detectors.listed())
    assert all(len(commit) == 10 and read.why for (_, _, commit), read in known.items())
    raised = [
        RaisedThen(
            detector="unparsable", commit=commit + "0" * 30, at_s=1, title="t", claim="c", boundary="", label=label
        )
        for commit, label in (("fb95cf0d0a", "left"), ("fb95cf0d0b", "left"), ("fb95cf0d0c", "done"))
    ]  # fmt: skip
    result = BacktestResult(
        head="f" * 40, commits=100, first_s=0, last_s=9, days=1, detectors=["unparsable"], horizon=30,
        raised=raised,
    )  # fmt: skip
    text = page([Measured("celery/celery", "unparsable", code_of(BY_NAME["unparsable"]), result)])
    (row,) = [line for line in text.splitlines() if line.startswith("| `unparsable`")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[2:8] == ["3", "1 of 1", "1", "3.00", "1", "2"] and cells[-1] == "1 of 1 right"
