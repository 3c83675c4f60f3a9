"""The result of a search for names of moved files."""

from __future__ import annotations

from dataclasses import dataclass, field

from kairos.detectors.patching import Lines, Span, replaced


@dataclass
class Found:
    """The references found in one file: `spans` (characters) to rewrite, `lines` (0-based) of references to rewrite,
    `dead` lines that name a deleted file, and `doubts` (0-based line, reason) that a person must judge. `changed`: the
    lines in which a span begins, known when the search is over."""

    spans: list[Span] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    count: int = 0
    dead: set[int] = field(default_factory=set)
    doubts: list[tuple[int, str]] = field(default_factory=list)
    changed: frozenset[int] = frozenset()
    unsorted: bool = False
    _known: set[Span] = field(default_factory=set)
    _doubted: set[tuple[int, str]] = field(default_factory=set)

    def rewrite(self, line: int, *spans: Span) -> None:
        """Adds one reference, which is rewritten by one or more spans. The same spans are added once."""
        if self._known.issuperset(spans):
            return
        self._known.update(spans)
        self.spans += spans
        self.lines.add(line)
        self.count += 1

    def doubt(self, line: int, why: str) -> None:
        """Adds a place that a person must judge, once for each reason."""
        if (line, why) not in self._doubted:
            self._doubted.add((line, why))
            self.doubts.append((line, why))

    def add(self, other: Found, start: int = 0, line: int = 0) -> None:
        """Adds what was found in a part of the text that starts at character `start` in line `line`."""
        moved = [Span(s.start + start, s.end + start, s.new) for s in other.spans]
        if not self._known.issuperset(moved):
            self._known.update(moved)
            self.spans += moved
            self.lines |= {n + line for n in other.lines}
            self.count += other.count
        self.dead |= {n + line for n in other.dead}
        for number, why in other.doubts:
            self.doubt(number + line, why)

    def withdraw(self, why: str) -> None:
        """Turns every reference to rewrite into a doubt."""
        for line in sorted(self.lines):
            self.doubt(line, why)
        self.spans, self.lines, self.count, self._known = [], set(), 0, set()

    def leave_repeated(self, text: str) -> None:
        """Turns a reference into a doubt if its rewritten line already stands in the text: an entry of a list that
        would be there twice."""
        lines = Lines(text)
        present = {line.strip() for line in text.split("\n")}
        by_line: dict[int, list[Span]] = {}
        for span in self.spans:
            by_line.setdefault(lines.number(span.start), []).append(span)
        repeated: set[Span] = set()
        for number, spans in by_line.items():
            base = lines.starts[number]
            line = lines.slice(number, number)
            parts = [Span(s.start - base, s.end - base, s.new) for s in sorted(spans)]
            new = replaced(line, parts).strip()
            if parts[-1].end <= len(line) and new in present and new != line.strip():
                repeated.update(spans)
                self.lines.discard(number)
                self.count = max(self.count - 1, 0)
                self.doubt(number, "the line with the new path is already there")
        self.spans = [s for s in self.spans if s not in repeated]

    def without_idle(self, text: str) -> Found:
        """The same without spans that change nothing."""
        self.spans = [s for s in self.spans if text[s.start : s.end] != s.new]
        if not self.spans:
            self.lines, self.count = set(), 0
        return self
