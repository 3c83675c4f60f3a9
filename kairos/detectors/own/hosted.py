"""`python -P -m kairos.detectors.own.hosted NAME QUESTION`: runs the detector of an entry point and writes its findings
as JSON lines. It runs confined: nothing of a package is imported into the daemon.

An entry point of the group `kairos.detectors` is a function that takes an `OwnCommit` and returns findings, each a
dictionary with `path`, `title`, and what `OwnAnswer` has besides.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path

GROUP = "kairos.detectors"


class OwnCommit:
    """A commit that a detector is asked about: its id and the paths that it touched. The process stands in its tree."""

    def __init__(self, commit: str, paths: Sequence[str]) -> None:
        self.commit = commit
        self.paths = tuple(paths)

    def text(self, path: str) -> str | None:
        """The text of a file of the tree; None if it is not there, or is no UTF-8 text."""
        try:
            return Path(path).read_text("utf-8")
        except (OSError, ValueError):
            return None


def installed() -> list[str]:
    """The names of the detectors that installed packages bring. Imports none of them."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def main(name: str, question: str) -> int:
    """Asks the detector of this name. 0, or 2 if there is none."""
    point = next((p for p in entry_points(group=GROUP) if p.name == name), None)
    if point is None:
        sys.stderr.write(f"no installed package has a detector `{name}`\n")
        return 2
    asked = json.loads(Path(question).read_text("utf-8"))
    for finding in point.load()(OwnCommit(asked["commit"], asked["paths"])):
        sys.stdout.write(json.dumps(finding) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
