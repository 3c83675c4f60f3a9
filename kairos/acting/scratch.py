"""Tries a proposed patch in a scratch view: whether it applies to the tree, and whether the check passes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kairos.acting.confine import Limits, Seed, SeedRefused, run
from kairos.acting.scratch_home import sweep as sweep
from kairos.domain.secrets import redact

# Characters from the end of the check's output that are recorded with the proposal.
_TAIL = 8 * 1024


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a trial. `exit` is None if no check ran, or if a signal or a limit (`stopped`) ended it."""

    applies: bool
    exit: int | None
    output_tail: str
    seconds: float
    tier: str
    stopped: str | None = None
    # The optional layers that the sandbox does not have here.
    missing: tuple[str, ...] = ()


def verify(
    root: Path,
    seed: Seed,
    check: Sequence[str] | None,
    *,
    scratch_home: Path,
    limits: Limits | None = None,
    read_roots: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
) -> Verification:
    """Applies `seed` (the post-images of a patch) to a scratch view of `root` and runs `check` there.

    Without a check, only tests whether the seed can be applied. The user's tree is not touched and no files remain.
    Raises SandboxUnavailable if the trial could not be confined.
    """
    try:
        done = run(
            root,
            list(check) if check else ["/bin/true"],
            scratch_home=scratch_home,
            seed=seed,
            limits=limits,
            read_roots=read_roots,
            cancelled=cancelled,
        )
    except SeedRefused as error:
        return Verification(applies=False, exit=None, output_tail=error.message, seconds=0.0, tier="T2")
    with done:
        output = done.stdout + done.stderr
        return Verification(
            applies=True,
            exit=done.exit if check else None,
            output_tail=redact(output.decode("utf-8", "replace"))[-_TAIL:] if check else "",
            seconds=done.seconds,
            tier=done.tier,
            stopped=done.stopped,
            missing=done.missing,
        )
