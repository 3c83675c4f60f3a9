"""The floor of learning: how soon a detector that is wrong falls silent, and how rarely one that is right does.

Findings come one after another; each is welcome with the detector's own share. A detector is looked at after each, as
live. `python -m benches.floor` prints, for each share: how many of 2 000 lives were silent within 100 findings, and
after how many findings half of those were. No peer: the goal is 0.1 % at 80 % (what a detector must reach to be
enabled) and all at 20 %.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from kairos.domain.learning import learned
from kairos.domain.learning.learned import Learned, judged

SHARES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
LIVES, FINDINGS = 2_000, 100


def silenced_after(share: float, rng: random.Random, edited: float = 0.0) -> int | None:
    """After how many findings a detector of this share is silent, None if it is not. `edited`: the share of what is
    welcome that a person changes first."""
    state = Learned()
    for number in range(1, FINDINGS + 1):
        welcome = rng.random() < share
        changed = welcome and rng.random() < edited
        yes, no = (0.75, 0.25) if changed else (float(welcome), float(not welcome))
        learned.add(state, "d", "r", "docs", yes, no)
        if judged(state, "d", "r", "docs").silent:
            return number
    return None


def measured(share: float, edited: float = 0.0, lives: int = LIVES) -> tuple[float, int | None]:
    """(share of lives that fell silent, the median number of findings until then)."""
    rng = random.Random(7)
    found: Sequence[int] = sorted(n for _ in range(lives) if (n := silenced_after(share, rng, edited)) is not None)
    return len(found) / lives, found[len(found) // 2] if found else None


def main() -> None:
    print(f"{'welcome':>8}  {'silent':>7}  {'after':>5}   {'silent, all edited':>18}  {'after':>5}")
    for share in SHARES:
        (plain, after), (edits, later) = measured(share), measured(share, 1.0)
        print(f"{share:>8.0%}  {plain:>7.1%}  {after or '–':>5}   {edits:>18.1%}  {later or '–':>5}")


if __name__ == "__main__":
    main()
