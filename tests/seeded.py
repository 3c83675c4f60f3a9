"""A log with a trusted repository in it, and the means to raise proposals there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kairos.clock import DAY, now_us
from kairos.domain import events as ev
from kairos.domain.action import Action, NoteAction, PatchAction, digest, edit, effects_of
from kairos.domain.events.proposals import Risk
from kairos.domain.proposal import proposal_id
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import repository_id


class Seeded:
    """A trusted repository at `root` and the means to raise proposals in it."""

    def __init__(self, log: Log, root: Path) -> None:
        self.log = log
        self.root = root
        stat = root.stat()
        self.id = repository_id(stat.st_dev, stat.st_ino, str(root))
        trusted = ev.RepoTrusted(repo=self.id, root=str(root), dev=stat.st_dev, ino=stat.st_ino, by="user")
        log.append(
            [
                NewEvent(self.id, trusted, None, "user"),
                NewEvent(self.id, ev.BaselineRecorded(repo=self.id, entries=1), -1, "baseline"),
            ]
        )
        self.oid = "77ab12" + "0" * 34
        moved = ev.GitMoved(
            repo=self.id, head="refs/heads/main", refs=[ev.RefMove(name="refs/heads/main", old=None, new=self.oid)],
            what="commit", note="rename pay",
        )  # fmt: skip
        due = ev.AttentionDue(repo=self.id, boundary="commit", rule="commit@1")
        turn = ev.TurnStarted(
            turn="turn-1", repo=self.id, engine="rules", boundary="commit", detectors=["stale-reference"]
        )
        self.cause, _, self.turn = log.append(
            [NewEvent(self.id, moved), NewEvent(self.id, due, -1), NewEvent("turn-1", turn, -1)]
        )

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def patch(self, path: str, after: bytes) -> PatchAction:
        target = self.root / path
        before = (target.read_bytes(), target.stat().st_mode) if target.exists() else None
        return PatchAction(repo=self.id, edits=[edit(path, before, (after, before[1] if before else 0o644))])

    def note(self, text: str = "Look at this.") -> NoteAction:
        return NoteAction(repo=self.id, text=text)

    def raise_(
        self, action: Action, *, seed: str = "a", risk: Risk = "low", title: str = "Add a line", verified: bool = True,
        expires_in: int = DAY, unchecked: Sequence[str] = (),
    ) -> ev.ProposalRaised:  # fmt: skip
        effects = effects_of(action)
        raised = ev.ProposalRaised(
            id=proposal_id(seed), repo=self.id, digest=digest(action, effects, "p1"), detector="stale-reference",
            detector_version=1, engine="rules", turn="turn-1", key=f"key-{seed}", title=title,
            claim="It names a file that is gone.", risk=risk, action=action, effects=effects, evidence=[self.cause],
            expires_at=now_us() + expires_in, policy_version="p1", boundary="commit",
            unchecked=list(unchecked),
        )  # fmt: skip
        new = [NewEvent(f"proposal-{raised.id}", raised, self.turn)]
        if verified:
            ok = ev.ProposalVerified(id=raised.id, digest=raised.digest, ok=True)
            new.append(NewEvent(f"proposal-{raised.id}", ok, -1))
        self.log.append(new)
        return raised

    def event(self, text: str) -> NewEvent:
        return NewEvent("control", ev.FindingListed(repo=self.id, key=text, detector="secret", title=text))

    def append(self, event: ev.Event, stream: str = "control") -> int:
        return self.log.append([NewEvent(stream, event, None, "user")])[0]
