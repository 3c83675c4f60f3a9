"""A part of a text is replaced: it must be there exactly once, or the answer says where it is."""

from __future__ import annotations

_LINES_SHOWN = 10


def replaced(text: str, old: str, new: str, *, every: bool = False) -> str:
    """The text with `new` in the place of `old`, which must occur exactly once, or with `every` at least once. In a
    text whose lines end with CR LF the line ends of both are taken to be these. ValueError that says where it occurs,
    or where its first line does."""
    if "\r\n" in text and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")
    if not old:
        raise ValueError("the old text is empty")
    times = text.count(old)
    if times == 0:
        raise ValueError(f"the old text does not occur in it{_near(text, old)}")
    if times > 1 and not every:
        places = ", ".join(map(str, _lines_of(text, old)[:_LINES_SHOWN]))
        raise ValueError(
            f"the old text occurs {times} times in it (lines {places}), not exactly once: copy more of the lines around"
        )
    return text.replace(old, new)


def _near(text: str, old: str) -> str:
    """Where the first line of a text that does not occur stands alone; empty if nowhere."""
    first = next((line.strip() for line in old.splitlines() if line.strip()), "")
    found = [n for n, line in enumerate(text.split("\n"), 1) if line.strip() == first] if first else []
    places = ", ".join(map(str, found[:_LINES_SHOWN]))
    return f"; its first line is line {places}, and what follows it differs, or its spaces do" if found else ""


def _lines_of(text: str, part: str) -> list[int]:
    """The lines, from 1, in which a part of a text begins."""
    found, at, line, end = [], text.find(part), 1, 0
    while at >= 0:
        line += text.count("\n", end, at)
        found.append(line)
        end, at = at, text.find(part, at + len(part))
    return found
