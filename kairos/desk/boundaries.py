"""The boundaries at which Kairos looks and speaks, in plain words."""

from __future__ import annotations

WORDS = {
    "again": "what held it back ended",
    "baseline": "a repository was registered",
    "brief": "the morning brief",
    "burst": "files changed",
    "check": "a check ended",
    "comment": "you commented",
    "commit": "you committed",
    "idle_return": "you came back",
    "later": "you said later",
    "log": "a log said something new",
    "manual": "you asked",
    "switch": "you switched branches",
}
"""What happened, by the name of the boundary in events."""


def in_words(boundary: str) -> str:
    """What happened at a boundary; of an unknown one, its name."""
    return WORDS.get(boundary, boundary or "boundary unknown")
