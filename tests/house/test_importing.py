"""Importing does nothing: every module, each in a fresh process in an empty directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in ("kairos", "dream", "cli")
    for p in (ROOT / package).rglob("*.py")
)

PROBE = """
import os, signal, sys, threading
before = dict(os.environ), os.getcwd(), os.umask(0o22), [signal.getsignal(s) for s in signal.valid_signals()]
import {module}
found = []
if [t.name for t in threading.enumerate()] != ["MainThread"]:
    found.append(f"threads: {{threading.enumerate()}}")
for number in os.listdir("/proc/self/fd"):
    try:
        target = os.readlink(f"/proc/self/fd/{{number}}")
    except FileNotFoundError:
        continue
    if int(number) > 2 and not target.startswith("/proc/"):
        found.append(f"open: {{target}}")
if before != (dict(os.environ), os.getcwd(), os.umask(0o22), [signal.getsignal(s) for s in signal.valid_signals()]):
    found.append("the process was changed")
if "{module}".startswith(("kairos", "dream")):
    found += [f"imports {{m}}" for m in sys.modules if m == "cli" or m.startswith("cli.")]
if "{module}".startswith(("kairos", "cli")):
    found += [f"imports {{m}}" for m in sys.modules if m == "dream" or m.startswith("dream.")]
found += [f"imports {{m}}" for m in ("litellm", "pydantic") if m in sys.modules]
assert not found, found
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="what a process has open is read from /proc")
@pytest.mark.parametrize("module", MODULES)
def test_importing_does_nothing(module: str, tmp_path: Path) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-B", "-W", "error", "-c", PROBE.format(module=module)],
        cwd=here, env={"PATH": os.environ["PATH"], "HOME": str(home)}, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [*here.rglob("*"), *home.rglob("*")] == []
