"""Versions and requirements as manifests write them, read only as far as they are certain."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?")
_COMPARED = re.compile(r"(\^|~|>=|<=|>|<|==|=)?\s*v?(\d{1,9}(?:\.\d{1,9}){0,2})")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
Parts = tuple[int, int, int]


class Lacking(NamedTuple):
    """Something that a manifest requires and its lock file provably does not hold: of which name, and a sentence."""

    name: str
    why: str


def version_of(text: str) -> Parts | None:
    """A plain version of numbers; None for anything else (a pre-release, a fourth part)."""
    m = _VERSION.fullmatch(text.strip())
    return None if m is None else (int(m[1]), int(m[2] or 0), int(m[3] or 0))


def allows(requirement: str, version: str, *, bare: str = "^") -> bool | None:
    """Whether a requirement (`^1.2`, `>=1, <2`; `bare`: what one without an operator means) allows a version. None if
    that is not certain."""
    found = version_of(version)
    if found is None:
        return None
    for part in requirement.split(","):
        m = _COMPARED.fullmatch(part.strip())
        if m is None:
            return None
        low = version_of(m[2])
        if low is None:
            return None
        if not _compared(m[1] or bare, low, m[2].count(".") + 1, found):
            return False
    return True


def _compared(operator: str, low: Parts, given: int, found: Parts) -> bool:
    match operator:
        case ">=":
            return found >= low
        case ">":
            return found > low if given == 3 else found[:given] > low[:given]
        case "<":
            return found < low
        case "<=":
            return found[:given] <= low[:given]
        case "=" | "==":
            return found[:given] == low[:given]
        case "~":
            fixed = min(given, 2)
        case _:
            fixed = next((n + 1 for n in range(given) if low[n]), given)
    return found >= low and found[:fixed] == low[:fixed]


def plain_name(name: str) -> str:
    """A Python package's name as locks write it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def required_name(requirement: str) -> str | None:
    """The normalised name of a PEP 508 requirement."""
    m = _NAME.match(requirement)
    return None if m is None else plain_name(m[1])
