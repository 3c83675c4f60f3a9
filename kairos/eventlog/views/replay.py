"""Replays the log: checks that a saved view plus the tail equals the full fold, and measures the time."""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from kairos.eventlog.log import Log
from kairos.eventlog.views.projection import Projection


class Replayed(msgspec.Struct, frozen=True):
    """`projections`: name → SHA-256 of the full fold. `identical`: each saved view plus tail gave the same."""

    events: int
    seconds: float
    projections: dict[str, str]
    identical: bool


def replay_verify(log: Log, views: Iterable[Projection[Any]]) -> Replayed:
    """Decodes every event and folds each of these views twice: from the start of the log, and from the saved state."""
    head = log.head()
    begun = time.perf_counter()
    events = sum(1 for _ in log.read(upto=head))
    digests, identical = {}, True
    for view in views:
        full = view.encode(view.load(log, upto=head, fresh=True)[0])
        with log.snapshot():  # so that a daemon saving at the same time does not look like a difference
            kept = view.encode(view.load(log, upto=head)[0])
        digests[view.name] = sha256(full).hexdigest()
        identical = identical and full == kept
    return Replayed(events, round(time.perf_counter() - begun, 3), digests, identical)
