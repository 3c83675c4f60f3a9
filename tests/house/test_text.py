"""What may not stand in any file: addresses of package indexes, and paths of the machine it was written on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Written in pieces, so that this file does not hold what it looks for.
_CRATES = "crates" + ".io"
_HOSTS = ("pypi" + ".org", "python" + "hosted", _CRATES, "npmjs" + ".", "golang" + ".org")
HOSTS = re.compile("|".join(map(re.escape, _HOSTS)))
CARGO_SOURCE = f'source = "registry+https://github.com/rust-lang/{_CRATES}-index"'
"""How every Cargo.lock names the default registry; cargo refuses a lock file without it."""
MACHINE = re.compile(r"(?<![\w.}*-])/" + r"(?:root|work)/[\w.]|(?<![\w.}*-])/home/" + r"(?!(?:ada|anna|me|you)\b)\w")


def found(root: Path, ours: list[str], pattern: re.Pattern[str]) -> Iterator[str]:
    for path in ours:
        text = (root / path).read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line) and not (path == "Cargo.lock" and line == CARGO_SOURCE):
                yield f"{path}:{number}: {line.strip()[:120]}"


def test_no_file_names_a_package_index(root: Path, ours: list[str]) -> None:
    assert list(found(root, ours, HOSTS)) == []


def test_no_file_holds_a_path_of_the_machine_it_was_written_on(root: Path, ours: list[str]) -> None:
    assert list(found(root, ours, MACHINE)) == []


def test_the_lock_file_pins_every_package_with_its_hashes(root: Path) -> None:
    lines = (root / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(pins) > 20
    assert [p for p in pins if not re.fullmatch(r"[\w.\[\],-]+==\S+(?: ; .+)? \\", p)] == []
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)
