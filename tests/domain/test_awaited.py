"""What is awaited of a finding, and what another look says: the labelling that backtests and shadow mode share."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.action import NoteAction, PatchAction, edit
from kairos.domain.awaited import named, seen_again
from kairos.domain.basis import basis_of
from kairos.domain.events.detectors import Named
from kairos.domain.finding import Finding

NOTE = NoteAction(repo="r", text="Look\n  src/b.py:3")
PATCH = PatchAction(repo="r", edits=[edit("docs/a.md", (b"x\n", 0o644), (b"y\n", 0o644))])


def finding(**fields: Any) -> Finding:
    return Finding(**{
        "detector": "d", "version": 1, "key": "d:1", "title": "a title", "claim": "a claim", "action": NOTE,
        "evidence": [1], "fingerprint": ["p", "q"], **fields,
    })  # fmt: skip


def test_a_commit_concerns_a_finding_if_it_touches_what_it_names() -> None:
    cases = [
        (finding(), "src/b.py", "src/c.py"),
        (finding(action=PATCH), "docs/a.md", "docs/b.md"),
        (finding(action=PATCH, basis=basis_of(absent=["old.py"], present=["new.py"])), "old.py", "other.py"),
        (finding(title="in lib/x.py"), "lib/x.py", "lib/y.py"),
    ]
    for one, touched, other in cases:
        assert named(one).concerns(["z", touched]) and not named(one).concerns(["z", other]), touched


def test_another_look_tells_what_is_left_what_is_gone_and_what_is_moot() -> None:
    of = named(finding())
    left = seen_again(of, [finding(fingerprint=["q"]), finding(key="d:2", fingerprint=["r"])], lambda _: True)
    assert left.places == ["q"] and not left.moot
    assert seen_again(of, [], lambda _: True).places is None
    moved = named(finding(basis=basis_of(absent=["old.py"], present=["new.py"])))
    assert seen_again(moved, [], lambda p: p == "old.py").moot, "the rename was undone"
    assert seen_again(moved, [], lambda _: False).moot, "the file moved on"
    assert not seen_again(moved, [], lambda p: p == "new.py").moot


def test_parts_are_names_of_a_finding() -> None:
    of = named(finding(subjects=["d:2", "d:3"]))
    assert of.names == ["d:1", "d:2", "d:3"]
    assert seen_again(of, [finding(key="d:9", subjects=["d:3"])], lambda _: True).places == ["p", "q"]


@given(st.lists(st.text(max_size=8), max_size=5))
def test_names_of_any_kind_are_told_as_text(paths: list[str]) -> None:
    of = named(finding(basis=basis_of(absent=["\udcff.py", *filter(None, paths)])))
    assert all(p.encode("utf-8") is not None for p in of.absent) and of.concerns(["\udcff.py"])


def test_what_an_earlier_version_asked_to_change_still_tells() -> None:
    of = Named(names=["d:1"], paths=["a"], asks=["CHANGES"])
    assert of.concerns(["CHANGES"]) and not of.concerns(["a"])
