"""One event as one line for a person. The line is not escaped yet: the caller must escape it before showing it."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.clock import rfc3339
from kairos.desk.boundaries import in_words
from kairos.desk.check_words import of_check
from kairos.desk.desk import Desk
from kairos.desk.log_words import of_log
from kairos.desk.units import count, number
from kairos.domain import events as ev
from kairos.domain.inert import as_text
from kairos.domain.taking_back import NOUNS
from kairos.errors import KairosError
from kairos.eventlog.record import ForeignEvent, Recorded


def summary(recorded: Recorded) -> str:
    """The content of the event in one line, without its type and position."""
    event = recorded.event
    if isinstance(event, ForeignEvent):
        return f"{count(event.bytes, 'byte')} of another application"
    text = _of_repository(event) or _of_proposal(event) or _of_turn(event) or _of_night(event) or of_check(event)
    text = text or of_log(event)
    return as_text(
        text + (f" [{recorded.origin}]" if recorded.origin in ("offline", "self", "baseline", "history") else "")
    )


def cited(desk: Desk, positions: Sequence[int]) -> list[tuple[int, str, str]]:
    """(position, type, summary) of cited events; for one that was removed, `?` and what became of it."""
    found = []
    for position in positions:
        try:
            recorded = desk.log.at(position)
        except KairosError as error:
            found.append((position, "?", error.message))
            continue
        found.append((position, recorded.topic, summary(recorded)))
    return found


_LEFT_OUT = {
    "trees": "what it changed is not in this partial clone",
    "parents": "what it changed is not in this shallow clone",
}


def _of_repository(event: ev.Event) -> str:
    match event:
        case ev.FilesChanged():
            shown = ", ".join(_change(c) for c in event.changes[:3])
            more = f" and {len(event.changes) - 3} more" if len(event.changes) > 3 else ""
            return f"{shown}{more}" + (" (by git)" if event.cause == "git" else "")
        case ev.ActivityFolded():
            part = f", part {event.part} of {event.parts}" if event.parts > 1 else ""
            return f"{event.day}: {count(event.events, 'observation')}, {count(len(event.paths), 'path')}{part}"
        case ev.GitMoved():
            moved = next((r.new for r in event.refs if r.new), None)
            return f"{event.what}" + (f" {moved[:8]}" if moved else "") + (f" “{event.note}”" if event.note else "")
        case ev.CommitRecorded():
            size = _LEFT_OUT.get(event.left_out) or count(len(event.changes) + event.cut, "file")
            return f"commit {event.oid[:8]} “{event.subject}” {size}, {event.author}"
        case ev.RepoTrusted() | ev.RepoUnwatched():
            return event.root
        case ev.BaselineRecorded():
            return f"{count(event.entries, 'entry', 'entries')}, {count(event.commits, 'commit')}"
        case ev.WatchGap():
            return f"{event.reason}: a full comparison follows"
        case ev.RootLost():
            return event.why
        case ev.RootFound():
            return "the directory is back"
        case _:
            return ""


def _change(change: ev.Change) -> str:
    was = f" (was {change.was.fs})" if change.was else ""
    return f"{change.kind} {change.fs}{was}"


def _of_proposal(event: ev.Event) -> str:
    match event:
        case ev.ProposalRaised():
            cited = ", ".join(map(str, event.evidence[:5]))
            return f"{event.id} {event.title} · digest {event.digest[:8]}… evidence {cited}"
        case ev.ProposalVerified():
            tried = f"`{' '.join(event.check)}` exit {event.exit}" if event.check else "the action applies"
            return f"{tried}, in a scratch tree" if event.ok else f"not verified: {event.why}"
        case ev.ProposalDelivered():
            return f"delivered at boundary {event.boundary}"
        case ev.ProposalApproved():
            return f"by {event.by}, digest {event.digest[:8]}… until {rfc3339(event.expires_at)}"
        case ev.ProposalAcknowledged():
            return "read"
        case ev.ProposalRejected():
            return f"{event.reason} {event.text}".strip() + (" (never again here)" if event.never else "")
        case ev.ProposalDeferred():
            on = "its evidence changes" if event.on_evidence else "the next commit"
            return f"until {rfc3339(event.until)}" if event.until else f"until {on}"
        case ev.ProposalCommented():
            return f"{event.file}: {event.text}" if event.file else event.text
        case ev.CommentAnswered():
            words = {"revised": "a model changed the patch", "unchanged": "the patch stays as it is"}
            return f"{words.get(event.outcome, 'no model was asked')}{f': {event.why}' if event.why else ''}"
        case ev.ProposalReturned():
            return f"pending again: {event.why}" if event.why else "pending again"
        case ev.ProposalRevised():
            stays = " · stays deferred" if event.deferred else ""
            return f"{event.changed}{stays} · digest {event.digest[:8]}…"
        case ev.ProposalParked():
            return f"parked: {event.why}"
        case ev.ProposalUnparked():
            return "what it rests on is in the tree again"
        case ev.ProposalStale():
            return f"the base moved: {', '.join(event.paths[:3])}"
        case ev.ProposalSuperseded():
            return event.why
        case ev.ProposalExpired():
            return "nobody decided in time"
        case ev.ExecutionStarted():
            return f"{event.run}: {count(len(event.expect), 'file')}" + (
                f", {' '.join(event.argv)}" if event.argv else ""
            )
        case ev.ExecutionFinished():
            return f"{event.run}: {event.outcome} {event.why}".strip()
        case ev.ExecutionUnknown():
            return f"{event.run}: the outcome is unknown; look at {', '.join(event.paths[:3])}"
        case ev.Undone():
            return "undone" + (f"; later edits kept in {', '.join(event.kept[:3])}" if event.kept else "")
        case ev.Redone():
            return "applied again"
        case ev.DecisionUndone():
            return f"the {NOUNS.get(event.what, event.what)} at {number(event.of)} was taken back"
        case ev.DecisionRedone():
            return f"the {NOUNS.get(event.what, event.what)} at {number(event.of)} holds again"
        case _:
            return ""


def _of_turn(event: ev.Event) -> str:
    match event:
        case ev.AttentionDue():
            return f"boundary: {event.boundary} (rule {event.rule})"
        case ev.AttentionHeld():
            return f"{event.subject}: {event.why} (rule {event.rule})"
        case ev.TurnStarted():
            return f"engine={event.engine} {', '.join(event.detectors)}".strip()
        case ev.TurnEnded():
            return f"{event.outcome} {event.why}".strip()
        case ev.FindingListed():
            return f"{event.detector}: {event.title}"
        case ev.ModelReserved():
            return f"{event.model}: up to ${event.reserved_microusd / 1e6:.4f}"
        case ev.ModelCalled():
            said = [f"{event.model}: {event.outcome}, ${event.spent_microusd / 1e6:.4f}", event.why, event.anomaly]
            return " · ".join(filter(None, said))
        case ev.ToolUsed():
            return f"{event.tool} {event.what}: {event.outcome} {event.why}".strip()
        case ev.DetectorMuted() | ev.DetectorUnmuted() | ev.DetectorReset() | ev.DetectorRemoved():
            return event.detector
        case ev.DetectorAdded():
            return f"{event.detector}: {' '.join(event.command)}"
        case ev.DetectorSwitched():
            return f"{event.detector}: {event.state}"
        case ev.DetectorFailed():
            return f"{event.detector}: {event.why or 'it works again'}"
        case ev.HindsightJudged():
            return f"{event.detector}: {event.label}" + (f" by {event.by[:8]}" if event.by else "")
        case ev.Paused():
            return f"until {rfc3339(event.until)}" if event.until else "until resumed"
        case ev.Resumed():
            return "resumed"
        case _:
            return ""


def _of_night(event: ev.Event) -> str:
    match event:
        case ev.OccurrenceDue():
            late = f", {event.late // 1_000_000} s late" if event.late else ""
            return f"{event.job} {rfc3339(event.scheduled)}{late}"
        case ev.OccurrenceEnded():
            return f"{event.job} {event.outcome} {event.why}".strip()
        case ev.DreamStarted():
            return f"events {event.after + 1} to {event.upto}"
        case ev.DreamFinished():
            return f"{event.accepted} new, {event.superseded} superseded, {event.invalidated} dropped"
        case ev.DreamRejected():
            return event.why
        case ev.MemoryAccepted():
            return f"{event.memory.kind}: {event.memory.text}"
        case ev.MemorySuperseded() | ev.MemoryInvalidated():
            return f"{event.id}: {event.why}"
        case ev.MemoryFileEdited():
            return f"{event.file} was {event.what} by hand" + (f", kept as {event.kept}" if event.kept else "")
        case ev.IndexPublished():
            return f"{count(event.lines, 'line')}, {count(event.bytes, 'byte')}"
        case ev.DaemonStarted():
            return f"version {event.program}, pid {event.pid}"
        case ev.DaemonStopped():
            return f"pid {event.pid}"
        case ev.SegmentSealed():
            return f"{event.first} to {event.last} in {event.file}"
        case ev.SegmentRetired():
            return f"{event.first} to {event.last}"
        case ev.SegmentFolded():
            return f"{count(event.events, 'observation')} of {event.first} to {event.last}"
        case ev.Erased():
            return f"{count(len(event.positions), 'payload')}: {event.reason}"
        case _:
            return ""


def in_plain_words(recorded: Recorded) -> str:
    """What a look or a telling says to a person, where the summary has the name of a boundary; else empty."""
    match recorded.event:
        case ev.AttentionDue(boundary=boundary, rule=rule):
            return f"{in_words(boundary)}: a look begins (rule {rule})"
        case ev.ProposalDelivered(boundary=boundary):
            return f"told: {in_words(boundary)}"
        case _:
            return ""
