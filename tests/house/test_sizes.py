"""One noun a file, and small ones."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

LONGEST = 400
USUAL = 250
VAGUE = {"utils", "util", "core", "common", "helpers", "helper", "misc"}


def test_no_source_file_is_longer_than_400_lines(root: Path, ours: list[str]) -> None:
    lengths = {p: len((root / p).read_bytes().splitlines()) for p in ours if p.endswith((".py", ".rs"))}
    assert len(lengths) > 100
    long = {p: n for p, n in lengths.items() if n > LONGEST}
    watch = ", ".join(f"{p} ({n})" for p, n in sorted(lengths.items(), key=lambda x: -x[1]) if n > USUAL)
    assert not long, f"split these: {long}; and keep an eye on those above {USUAL}: {watch}"


def test_no_file_or_folder_has_a_name_that_says_nothing(ours: list[str]) -> None:
    vague = [p for p in ours if {part.split(".")[0].lower() for part in PurePosixPath(p).parts} & VAGUE]
    assert vague == []


def test_only_the_three_packages_and_the_floor_hold_the_product(root: Path, ours: list[str]) -> None:
    """A new folder at the root is a new floor of the house: DESIGN's list grows first."""
    folders = {PurePosixPath(p).parts[0] for p in ours if "/" in p}
    assert folders == {".ci", "benches", "cli", "docs", "dream", "kairos", "native", "tests"}
