"""The boundaries at which detectors run, by their names in events."""

from __future__ import annotations

COMMIT, SWITCH, BURST, IDLE_RETURN = "commit", "switch", "burst", "idle_return"
BASELINE, MANUAL, LATER = "baseline", "manual", "later"
EVERY = frozenset({COMMIT, SWITCH, BURST, IDLE_RETURN, BASELINE, MANUAL, LATER})
WHOLE = frozenset({BASELINE, MANUAL})
"""The boundaries at which a detector checks the whole tree, not only the latest changes."""
