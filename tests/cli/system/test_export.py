"""`kairos export`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any


def test_to_standard_output_there_are_only_lines_of_json(kairos_command: list[str], seeded: Any) -> None:
    done = subprocess.run([*kairos_command, "export"], capture_output=True, check=True)
    assert {json.loads(line)["kind"] for line in done.stdout.splitlines()} >= {"export", "repository", "event"}


def test_to_a_file_it_says_what_was_written_and_a_second_time_is_refused(
    kairos: Any, seeded: Any, tmp_path: Path
) -> None:
    seeded.raise_(seeded.note())
    data = kairos("export", tmp_path / "x.ndjson", "--json").data
    assert (data["proposals"], data["path"]) == (1, str(tmp_path / "x.ndjson"))
    assert kairos("export", tmp_path / "x.ndjson").code == 2


def test_an_export_to_a_terminal_asks_for_a_file(seeded: Any, terminal: Any) -> None:
    screen = terminal("export", size=(90, 30))
    assert screen.end() == 2
    assert "Name a FILE" in "\n".join(screen.shown)
