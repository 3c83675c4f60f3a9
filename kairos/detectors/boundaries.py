"""The moments at which detectors look, by the names that events carry."""

from __future__ import annotations

COMMIT, SWITCH, BURST, IDLE_RETURN = "commit", "switch", "burst", "idle_return"
BASELINE, MANUAL, LATER = "baseline", "manual", "later"
EVERY = frozenset({COMMIT, SWITCH, BURST, IDLE_RETURN, BASELINE, MANUAL, LATER})
WHOLE = frozenset({BASELINE, MANUAL})
"""The boundaries at which a detector looks at the whole tree, not only at what just changed."""
