"""Everything known of a repository or of all, as lines of JSON that a person can keep: repositories, proposals with
their decisions, memories, events. Redacted as the log is: what was cut before it was appended is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from kairos._version import VERSION
from kairos.clock import now_us, rfc3339
from kairos.desk.cards import card_of, patch_text
from kairos.desk.desk import Desk
from kairos.desk.events import event_out
from kairos.desk.given import typed
from kairos.desk.reading import repositories, repository_of, roots_of
from kairos.desk.records.export import ExportedOut, ExportLineOut
from kairos.desk.remembering import claims, memory_out
from kairos.domain.action import PatchAction
from kairos.domain.proposal import Proposal
from kairos.durable import FULL, sync_folder
from kairos.errors import TryAgain, UsageError
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import Repositories, Repository
from kairos.privacy import open_private


def export_to(desk: Desk, file: str, only: Repository | None) -> ExportedOut:
    """Writes an export to a new file, which only its owner can read. UsageError if the path exists or cannot be made,
    TryAgain on a full disk; nothing is left then."""
    path = typed(file)
    try:
        handle = open_private(path, os.O_WRONLY | os.O_EXCL)
    except FileExistsError as error:
        raise UsageError(f"{file} exists already", "Name a file that does not exist.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be written: {reason}", "Name a file in a directory that exists.") from error
    try:
        with os.fdopen(handle, "wb") as out:
            counts = export(desk, out, only)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(path.absolute().parent)
    except BaseException as error:
        with suppress(FileNotFoundError):
            Path(path).unlink()
        if isinstance(error, OSError):
            kind = TryAgain if error.errno in FULL else UsageError
            raise kind(f"{file} cannot be written: {error.strerror}", "Free space, or name another file.") from error
        raise
    return msgspec.structs.replace(counts, path=str(path))


def export(desk: Desk, out: IO[bytes], only: Repository | None) -> ExportedOut:
    """Writes an export, a line a record; returns how many of each kind."""
    counts = {"repository": 0, "proposal": 0, "memory": 0, "event": 0}
    for line in _lines(desk, only):
        out.write(msgspec.json.encode(line) + b"\n")
        if line.kind in counts:
            counts[line.kind] += 1
    return ExportedOut(
        path=None, repositories=counts["repository"], proposals=counts["proposal"], memories=counts["memory"],
        events=counts["event"],
    )  # fmt: skip


def _lines(desk: Desk, only: Repository | None) -> Iterator[ExportLineOut]:
    head, hash_ = desk.log.anchor() if desk.has_log else (0, "0" * 64)
    about = {"version": 1, "program": VERSION, "at": rfc3339(now_us()), "head": head, "hash": hash_,
             "repo": only.root if only is not None else None}  # fmt: skip
    yield ExportLineOut(kind="export", data=about)
    if not head:
        return
    known, roots = repositories(desk), roots_of(desk)
    for repository in sorted(known.by_id.values(), key=lambda r: r.root):
        if only is None or repository.id == only.id:
            yield ExportLineOut(kind="repository", data=msgspec.to_builtins(repository))
    inbox = InboxView().load(desk.log, upto=head)[0]
    for id_ in list(inbox.proposals):
        proposal = inbox.proposals[id_]
        if only is None or proposal.raised.repo == only.id:
            positions = inbox.positions[id_]
            card = _card(proposal, known, positions)
            decisions = [msgspec.to_builtins(event_out(desk.log.at(p))) for p in _present(desk, positions[1:])]
            yield ExportLineOut(kind="proposal", data=card | {"decisions": decisions})
    for claim in claims(desk).by_id.values():
        if only is None or claim.memory.repo == only.id:
            yield ExportLineOut(kind="memory", data=msgspec.to_builtins(memory_out(claim, roots)))
    for recorded in desk.log.read(upto=head):
        if only is None or only.id in (recorded.stream, repository_of(desk, recorded.event)):
            yield ExportLineOut(kind="event", data=msgspec.to_builtins(event_out(recorded)))


def _card(proposal: Proposal, known: Repositories, positions: list[int]) -> dict[str, Any]:
    """The card, its patch without context lines: these would come from the files on disk, which are not redacted."""
    action = proposal.raised.action
    patch = patch_text(action, None) if isinstance(action, PatchAction) else None
    card: dict[str, Any] = msgspec.to_builtins(card_of(proposal, known, positions))
    return card | {"patch": patch}


def _present(desk: Desk, positions: list[int]) -> Iterator[int]:
    """Those of these positions whose payload was not erased."""
    for position in positions:
        if desk.log.at_row(position).payload is not None:
            yield position
