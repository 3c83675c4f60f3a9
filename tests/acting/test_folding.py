"""On a file system where names that differ only by case are one file: what is applied, undone and refused.

Linux has such file systems if its kernel folds case (tmpfs, ext4) or if ntfs-3g is installed. Where none can be
mounted, these tests are skipped, and say why.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import undo
from kairos.domain.action import PatchAction, edit
from kairos.eventlog.log import Log
from kairos.home import Home

TEXT = "".join(f"line {n}\n" for n in range(9))
IMAGE_BYTES = 32 << 20


def _said(*command: str | Path) -> str:
    """What a command said if it failed, else nothing."""
    if shutil.which(str(command[0])) is None:
        return f"{command[0]} is not installed"
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stderr.decode("utf-8", "replace").strip().partition("\n")[0] or "failed" if done.returncode else ""


def _image(folder: Path) -> Path:
    image = folder / "image"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    return image


def _tmpfs(folder: Path, place: Path) -> str:
    return _said("mount", "-t", "tmpfs", "-o", "casefold", "tmpfs", place)


def _ext4(folder: Path, place: Path) -> str:
    made = _image(folder)
    said = _said("mkfs.ext4", "-q", "-O", "casefold", "-E", "encoding=utf8", made)
    return said or _said("mount", "-o", "loop", made, place)


def _ntfs(folder: Path, place: Path) -> str:
    made = _image(folder)
    return _said("mkfs.ntfs", "-q", "-F", made) or _said("lowntfs-3g", "-o", "ignore_case,permissions", made, place)


KINDS: dict[str, Callable[[Path, Path], str]] = {"tmpfs": _tmpfs, "ext4": _ext4, "ntfs": _ntfs}


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Path]:
    """An empty folder in which `a` and `A` are one name."""
    place = tmp_path / "folding"
    place.mkdir()
    reasons = []
    for kind, mount in KINDS.items():
        said = mount(tmp_path, place)
        if not said:
            break
        reasons.append(f"{kind}: {said}")
    else:
        pytest.skip("no file system that folds case can be mounted; " + "; ".join(reasons))
    try:
        root = place / "repo"
        root.mkdir()
        if kind != "ntfs":
            subprocess.run(["chattr", "+F", root], check=True, capture_output=True)
        (root / "probe").touch()
        assert (root / "PROBE").exists()
        (root / "probe").unlink()
        yield root
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def bench(folding: Path, repo: Any, bench: Any, log: Log, home: Home) -> Any:
    """The bench, on a repository that folds case."""
    made = type(repo)(folding)
    made.git("init", "-q", "-b", "main")
    made.write("Docs/Guide.md", TEXT)
    made.write("Readme.md", "# Shop\n")
    made.commit()
    return type(bench)(log, home, folding)


def test_a_patch_is_applied_and_undone_and_a_later_edit_is_kept(bench: Any) -> None:
    guide = bench.root / "Docs/Guide.md"
    done = bench.executed({"Docs/Guide.md": TEXT.replace("line 1\n", "ours\n"), "new.md": "new\n"})
    assert guide.read_text() == TEXT.replace("line 1\n", "ours\n")
    guide.write_text(guide.read_text().replace("line 7\n", "theirs\n"))
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert guide.read_text() == TEXT.replace("line 7\n", "theirs\n")
    assert not (bench.root / "new.md").exists()


def test_a_renaming_by_case_alone_is_refused_and_nothing_is_lost(bench: Any) -> None:
    before = bench.state("Readme.md")
    edits = [edit("README.md", None, before), edit("Readme.md", before, None)]
    tried = bench.verified(PatchAction(repo=bench.repo, edits=edits))
    assert tried.state == "stale"
    assert bench.state("README.md") == before


@pytest.mark.parametrize("other", ["# Other\n", "# One\n", None])
def test_a_patch_may_name_a_file_by_one_of_its_names_only(bench: Any, other: str | None) -> None:
    left = bench.tree()
    tried = bench.verified(bench.patch({"Readme.md": "# One\n", "README.md": other}))
    assert tried.state == "withdrawn"
    assert "two names of one file" in tried.why
    assert bench.tree() == left


def test_the_case_of_a_name_on_disk_is_not_changed_by_a_patch(bench: Any) -> None:
    names = sorted((bench.root / "Docs").iterdir())
    bench.executed({"docs/guide.md": "other\n"})
    assert sorted((bench.root / "Docs").iterdir()) == names
