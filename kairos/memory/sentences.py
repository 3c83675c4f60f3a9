"""Renders a memory as one sentence for a person. Text that may come from a repository is put in a code span."""

from __future__ import annotations

from kairos.domain.events import Memory
from kairos.domain.inert import BRIEF, code_span, escape
from kairos.domain.memory import TEXT_CHARS

HEADINGS = {
    "preference": "What you decided",
    "command": "Commands that worked",
    "co-change": "Files that change together",
    "rename": "Former names",
}
"""Heading of each kind, in the order of the index; other kinds follow under their own name."""


def sentence(memory: Memory) -> str:
    """The sentence of a memory: at most 200 characters, one line, inert."""
    subject, value = code_span(memory.subject, BRIEF), code_span(memory.value, BRIEF)
    match memory.kind:
        case "co-change":
            commits = f"{memory.support:g} commit{'s' if memory.support != 1 else ''}"
            text = f"{subject} → {value} ({memory.confidence:.0%}, {commits})"
        case "rename":
            text = f"{subject} is now {value}"
        case "command":
            text = f"the check {value} passed {memory.support:g}×"
        case "preference":
            text = f"never again from {subject}: {value}"
        case _:
            text = f"{escape(memory.predicate)}: {subject} {value}"
    return text[:TEXT_CHARS]


def cited(memory: Memory, most: int = 3) -> str:
    """`(ev 123, 140)`: the newest positions the memory rests on."""
    return f"(ev {', '.join(str(p) for p in memory.cites[-most:])})"


def heading(kind: str) -> str:
    """The heading of a kind."""
    return HEADINGS.get(kind, kind.capitalize())


def order(kind: str) -> tuple[int, str]:
    """The sort key of a kind in the index."""
    kinds = list(HEADINGS)
    return (kinds.index(kind) if kind in kinds else len(kinds), kind)
