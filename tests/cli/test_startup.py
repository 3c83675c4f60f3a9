"""The quick commands stay quick: what they must not import."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

HEAVY = (
    "litellm", "pydantic", "apscheduler", "watchdog", "rich", "eventsourcing", "platformdirs", "kairos._native",
    "hashlib", "psycopg", "tomlkit",
)  # fmt: skip
_PROGRAM = """
import sys
from cli.main import main
code = main(sys.argv[1:])
sys.stderr.write("\\n".join(sorted(sys.modules)))
raise SystemExit(code)
"""


@pytest.mark.parametrize(
    "args",
    [["status", "--json"], [], ["inbox"], ["log", "--json"], ["log", "anchor"], ["why-not"], ["status", "--short"]],
)
def test_quick_commands_import_nothing_heavy(seeded: Any, args: list[str]) -> None:
    seeded.raise_(seeded.note())
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM, *args], capture_output=True, text=True, check=True, env=os.environ
    )
    loaded = set(done.stderr.split())
    assert "cli.main" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []


def test_a_configuration_costs_a_quick_command_no_more_than_reading_it(seeded: Any, home: Any) -> None:
    home.config_file.write_text('[attention]\nper_day = 3\n[log]\nurl = ""\n')
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM, "status", "--json"], capture_output=True, text=True, check=True,
        env=os.environ,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert "tomllib" in loaded
    assert [name for name in loaded if name.startswith((*HEAVY, "kairos.contract"))] == []


def test_importing_the_command_line_does_nothing(seeded: Any) -> None:
    program = "import cli.main, sys; print(len([m for m in sys.modules if m.startswith('cli.')]))"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 5
    assert done.stderr == ""
