"""The detectors that watch unless a person says otherwise."""

from __future__ import annotations

ENABLED = frozenset({"secret", "conflict-marker", "stale-reference", "ignore-artifact", "lock-file", "unparsable"})
"""One is listed here once it was right in at least 80 % of its findings on public histories, with 65 % as the lower end
of the 95 % interval, or for a reason that docs/detectors.md gives."""
