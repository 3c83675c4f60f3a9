"""A command run confined, on a scratch view of a directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from kairos.desk.desk import Desk


def run_confined(
    desk: Desk,
    root: Path,
    command: tuple[str, ...],
    *,
    limits: dict[str, Any],
    net: Literal["none", "loopback"] = "none",
    exported: bool = False,
) -> dict[str, Any]:
    """Runs `command` and returns a record shaped as `SandboxOut`; `limits` as `acting.confine.Limits` names them.

    `exported`: changes that pass the gate are applied to `root`. SandboxUnavailable, UsageError."""
    from kairos.acting.confine import Limits, run
    from kairos.acting.exporting import export
    from kairos.domain.events.base import name_fields

    with run(root, command, scratch_home=desk.home.scratch, limits=Limits(**limits), net=net) as done:
        refused = [*done.refused, *(export(done) if exported else ())]
        return {
            "exit": done.exit,
            "signal": done.signal,
            "timed_out": done.timed_out,
            "stopped": done.stopped,
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
            "truncated": done.truncated,
            "tier": done.tier,
            "layers": list(done.layers),
            "missing": list(done.missing),
            "seconds": round(done.seconds, 3),
            "changes": [
                {**name_fields(change.path), "kind": change.kind, "mode": _octal(change.mode)}
                for change in done.changes
            ],
            "refused": [{**name_fields(refusal.path), "why": refusal.why} for refusal in refused],
        }


def _octal(mode: int | None) -> str | None:
    """A mode as git writes it: 100644 or 100755; None for a deleted file."""
    return None if mode is None else f"{mode:o}"
