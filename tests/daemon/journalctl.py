"""A small `journalctl` for tests: it speaks the documented options and `short-iso`, over a file a unit beside it."""

from __future__ import annotations

import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

PROGRAM = """#!{python}
import os, sys
from datetime import datetime
here = os.path.dirname(os.path.realpath(__file__))
options = dict(word.partition("=")[::2] for word in sys.argv[1:])
assert {{"--follow", "--no-pager"}} <= set(options) and options["--output"] == "short-iso", sys.argv
known = "--follow --no-pager --output --unit --user-unit --since --no-tail --lines"
assert set(options) <= set(known.split()), sys.argv
unit = options.get("--unit") or "user-" + options["--user-unit"]
path = os.path.join(here, unit + ".journal")
if os.path.exists(os.path.join(here, "broken")):
    sys.exit("Failed to get journal access: Permission denied")
lines = open(path).read().splitlines()
shown = lines[-int(options.get("--lines", len(lines))):]
if "--since" in options:
    assert "--no-tail" in options
    at = int(options["--since"].removeprefix("@"))
    stamps = [line[:24] for line in lines]
    late = [i for i, s in enumerate(stamps) if s[:1] == "2" and datetime.fromisoformat(s).timestamp() >= at]
    shown = lines[late[0]:] if late else []
print("-- Journal begins at Tue 2026-12-01 00:00:00 UTC. --")
print("\\n".join(shown), end="\\n" if shown else "", flush=True)
os.execvp("tail", ["tail", "-n", "+%d" % (len(lines) + 1), "-F", path])
"""


class Journal:
    """The journal of a unit, and the program that prints it, in a directory for PATH."""

    def __init__(self, folder: Path, unit: str = "app.service") -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.path = folder, folder / f"{unit}.journal"
        program = folder / "journalctl"
        program.write_text(PROGRAM.format(python=Path(sys.base_prefix) / "bin" / "python3"))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.path.touch()

    def add(self, *said: str, at: float | None = None) -> None:
        """Lines that the unit wrote at a moment (s since 1970; now)."""
        moment = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
        with self.path.open("a") as out:
            out.writelines(f"{moment:%Y-%m-%dT%H:%M:%S}+0000 host app[7]: {line}\n" for line in said)
