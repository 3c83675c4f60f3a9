"""How memories are scored and when one replaces another. Pure rules; times in microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log1p

import msgspec

from kairos.domain.events import Memory
from kairos.domain.proposal import ALPHABET

FUNCTIONAL = frozenset({"is-now", "passes"})
"""Predicates with at most one open value per subject."""
SAME_PATHS = frozenset({"changes-with"})
"""Predicates whose subject and value are both paths that must exist."""
TRUST: Mapping[str, float] = {"user": 6.0, "test": 4.0, "git": 3.0, "tool": 2.0, "file": 1.0, "web": 0.5}
LIMITS: Mapping[str, int] = {"co-change": 1_000, "rename": 400, "command": 20, "preference": 200}
"""The maximum number of open memories of a kind per repository; the lowest-scored beyond it are closed as expired, not
erased."""
TEXT_CHARS = 200
CITES = 8
_STEP = 0.15
_DAY = 86_400_000_000
_HALF_LIFE_DAYS = 180.0

Key = tuple[str, str, str, str, str]


def memory_id(memory: Memory, generation: int = 0) -> str:
    """12 letters k–z from what makes the memory unique: its claim, its evidence, its confidence, and how many times
    exactly that was recorded before."""
    from hashlib import sha256

    what = [*key_of(memory), repr(memory.cites), f"{memory.confidence:.2f}", f"{memory.support:g}", str(generation)]
    seed = "\0".join(what)
    return "".join(ALPHABET[int(c, 16)] for c in sha256(seed.encode()).hexdigest()[:12])


def key_of(memory: Memory) -> Key:
    """What the memory says, regardless of confidence: (repo, kind, subject, predicate, value)."""
    return memory.repo, memory.kind, memory.subject, memory.predicate, memory.value


def slot_of(memory: Memory) -> Key:
    """The slot in which at most one value may be open: the key, without the value for a functional predicate."""
    repo, kind, subject, predicate, value = key_of(memory)
    return repo, kind, subject, predicate, "" if predicate in FUNCTIONAL else value


def matters(old: Memory, new: Memory) -> bool:
    """Whether the new memory is worth a new version: another value, a clearly different confidence, twice the support,
    or fresh evidence after a quarter of a year."""
    return (
        key_of(old) != key_of(new)
        or abs(old.confidence - new.confidence) >= _STEP - 1e-9
        or new.support >= 2 * old.support
        or new.seen - old.seen >= 90 * _DAY
    )


def living_paths(memory: Memory) -> list[str]:
    """The paths that must exist for the memory to be valid."""
    return [ref.name for ref in memory.refs if ref.kind == "path"]


def moved(memory: Memory, renames: Mapping[str, str]) -> Memory:
    """The memory with its paths updated for renames. The subject of a rename memory is a former name and is never
    updated."""
    if memory.predicate not in SAME_PATHS and memory.predicate != "is-now":
        return memory
    subject = renames.get(memory.subject, memory.subject) if memory.predicate in SAME_PATHS else memory.subject
    value = renames.get(memory.value, memory.value)
    if (subject, value) == (memory.subject, memory.value):
        return memory
    refs = [
        msgspec.structs.replace(r, name=renames.get(r.name, r.name)) if r.kind == "path" else r for r in memory.refs
    ]
    return msgspec.structs.replace(memory, subject=subject, value=value, refs=refs)


def score(memory: Memory, *, at: int, uses: int = 0, against: int = 0) -> float:
    """The score of the memory in the index: trust × log(1+support) × 2^(−age/180 d) × (1+uses) − 2 × contra. Age runs
    from `seen` to `at`; confidence scales support."""
    age = max(0, at - (memory.seen or memory.valid_from)) / _DAY
    worth = TRUST[memory.trust] * log1p(memory.support * memory.confidence) * 2 ** (-min(age, 1e5) / _HALF_LIFE_DAYS)
    pinned = 1_000.0 if memory.pinned else 0.0
    return worth * (1 + uses) - 2 * (memory.contra + against) + pinned


def newest(cites: Sequence[int]) -> list[int]:
    """The newest few positions, ascending, without duplicates."""
    return sorted(set(cites))[-CITES:]


def rank(scored: Mapping[str, float], bytes_of: Mapping[str, int]) -> list[str]:
    """Ids by score per byte, best first; ties by id, so that the order is always the same."""
    return sorted(scored, key=lambda i: (-scored[i] / max(1, bytes_of[i]), i))


def certainty(passed: int) -> float:
    """The confidence in a command that passed n times: 1 − 1/(n+1), always below 1."""
    return round(1 - 1 / (passed + 1), 2)
