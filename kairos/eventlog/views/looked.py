"""The view of the patches that model turns have looked at: a rebased or amended commit is not looked at again."""

from __future__ import annotations

import msgspec

from kairos.domain.events import TurnEnded
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.projection import Projection

KEPT = 1_000
"""So many patches of a repository are known, the newest last."""


class Looked(msgspec.Struct):
    """By repository: the hashes of patches that a model has looked at."""

    patches: dict[str, list[str]] = {}


class LookedView(Projection[Looked]):
    name = "looked"
    state = Looked
    topics = frozenset({"TurnEnded"})

    def apply(self, state: Looked, recorded: Recorded) -> None:
        match recorded.event:
            case TurnEnded(engine="model", outcome="quiet" | "proposed") as e if e.patches:
                known = [p for p in state.patches.get(e.repo, []) if p not in e.patches]
                state.patches[e.repo] = [*known, *e.patches][-KEPT:]
            case _:
                pass
