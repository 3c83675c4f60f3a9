"""Verifying the log: whole, or for the doctor what is new and a piece of what is older, remembered beside the log."""

from __future__ import annotations

import msgspec

from kairos.desk.desk import Desk
from kairos.desk.records.system import CheckOut
from kairos.desk.units import count, number
from kairos.durable import replace_file
from kairos.errors import TryAgain
from kairos.eventlog.cold.recheck import Rechecked, Remembered, recheck, remember
from kairos.eventlog.cold.verify import Verified, verify_log

_AT_MOST = 4_096


def verified(desk: Desk, anchor: tuple[int, str] | None) -> Verified:
    """Verifies the whole log. A success is remembered, so that the doctor goes on from there."""
    found = verify_log(desk.log, anchor)
    if found.ok:
        _keep(desk, remember(desk.log, found))
    return found


def rechecked(desk: Desk) -> CheckOut:
    """The doctor's look at the chain: its cost does not grow with the log."""
    found = recheck(desk.log, _kept(desk))
    if not found.verified.ok:
        places = count(len(found.verified.problems), "damaged place")
        hint = "`kairos log verify` names them; restore a backup."
        return CheckOut(name="log", state="problem", what=places, hint=hint, fixed=False)
    lost = _keep(desk, found.remembered)
    what = _told(found) + (f" in {desk.log.name}" if desk.log.shared else "") + lost
    hint = "`kairos log verify` reads all of them." if found.gap is not None else ""
    return CheckOut(name="log", state="ok", what=what, hint=hint, fixed=False)


def _told(found: Rechecked) -> str:
    """What was looked at, in words."""
    if found.older is None and found.gap is None:
        return f"{count(found.verified.head, 'event')} verified"
    parts = []
    if found.new is not None:
        parts.append(f"the newest {number(found.new[1] - found.new[0] + 1)}")
    if found.older is not None:
        parts.append(f"of the older ones {number(found.older[0])} to {number(found.older[1])}")
    text = f"{count(found.verified.head, 'event')}; verified now: {', '.join(parts)}"
    if found.gap is None:
        return f"{text}; the others were verified before"
    return f"{text}; {number(found.gap[0])} to {number(found.gap[1])} were never verified here"


def _kept(desk: Desk) -> Remembered | None:
    """What was remembered; None if nothing was, or it is damaged: then more is verified, never less."""
    try:
        with desk.home.verified_file.open("rb") as file:
            return msgspec.json.decode(file.read(_AT_MOST), type=Remembered)
    except (OSError, msgspec.MsgspecError):
        return None


def _keep(desk: Desk, found: Remembered) -> str:
    """Remembers; returns what to say if that is not possible."""
    try:
        replace_file(desk.home.verified_file, msgspec.json.encode(found))
    except (TryAgain, OSError):
        return " (that could not be remembered)"
    return ""
