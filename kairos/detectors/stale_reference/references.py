"""The result of a search for names of moved files."""

from __future__ import annotations

from dataclasses import dataclass, field

from kairos.detectors.patching import Span


@dataclass
class Found:
    """The references found in one file: `spans` (characters) to rewrite, `lines` (0-based) of references to rewrite,
    `dead` lines that name a deleted file, and `doubts` (0-based line, reason) that a person must judge."""

    spans: list[Span] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    count: int = 0
    dead: set[int] = field(default_factory=set)
    doubts: list[tuple[int, str]] = field(default_factory=list)

    def rewrite(self, line: int, *spans: Span) -> None:
        """Adds one reference, which is rewritten by one or more spans."""
        self.spans += spans
        self.lines.add(line)
        self.count += 1
