"""A detector that a person adds, as `docs/how-to/detector.md` lets a newcomer write one, asked as the product asks it.

It is the how-to's function of an installed package with `TODO` for `FIXME`, which is too rare to teach anything: a
file in which a TODO came in. It runs in this process and not confined, which changes nothing of what it says. All else
is the product's `OwnDetector`: that what stood in the parent is no finding, and what a later look makes of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from kairos.detectors.own.detector import OwnDetector, OwnQuestion
from kairos.detectors.scene import Scene
from kairos.repo.git import Git
from kairos.repo.past_tree import BlobReader

WORD = "TODO"


class Added:
    """The added detector over one clone. Close it."""

    def __init__(self, git: Git) -> None:
        self._blobs = BlobReader(git)
        self.detector = OwnDetector("todo-came-in", 1, self._ask)

    def _ask(self, scene: Scene, question: OwnQuestion) -> bytes:
        return b"".join(json.dumps(found).encode() + b"\n" for found in self._look(question))

    def _look(self, commit: OwnQuestion) -> Iterator[dict[str, str]]:
        for path in commit.paths:
            if WORD in self._text(commit.commit, path):
                yield {"path": path, "title": f"A {WORD} came in", "key": WORD.lower()}

    def _text(self, commit: str, path: str) -> str:
        try:
            return (self._blobs.read(f"{commit}:{path}") or b"").decode("utf-8")
        except UnicodeDecodeError:
            return ""

    def close(self) -> None:
        """Ends the process that it holds."""
        self._blobs.close()
