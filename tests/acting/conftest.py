"""A trusted repository on a bench: patches are raised, verified, approved and carried out as the daemon would."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kairos.acting import decisions
from kairos.acting.executor import execute
from kairos.acting.verifier import verify
from kairos.clock import now_us
from kairos.domain.action import Action, PatchAction, edit
from kairos.domain.events import ProposalRaised, RepoTrusted
from kairos.domain.finding import Finding
from kairos.domain.policy import Policy
from kairos.domain.proposal import Proposal, stream_of
from kairos.domain.raising import raise_findings
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.inbox import InboxView
from kairos.eventlog.views.repositories import repository_id
from kairos.home import Home
from kairos.settings import Config

DAY = 86_400_000_000


class Workbench:
    """`change` turns wanted contents into a patch; `executed` takes it all the way."""

    def __init__(self, log: Log, home: Home, root: Path) -> None:
        self.log, self.home, self.root = log, home, root
        self.config = Config()
        found = root.stat()
        self.repo = repository_id(found.st_dev, found.st_ino, str(root))
        trusted = RepoTrusted(repo=self.repo, root=str(root), dev=found.st_dev, ino=found.st_ino, by="user")
        self.cause = log.append([NewEvent(self.repo, trusted)])[0]
        self.count = 0

    def state(self, path: str) -> tuple[bytes, int] | None:
        target = self.root / path
        return (target.read_bytes(), target.stat().st_mode) if target.exists() else None

    def tree(self) -> dict[str, tuple[bytes | None, int]]:
        """Every file (content, mode) and directory (None, mode) of the work tree, git's own left out."""
        out: dict[str, tuple[bytes | None, int]] = {}
        for folder, folders, files in os.walk(self.root):
            folders[:] = [f for f in folders if f != ".git"]
            for name in folders + files:
                full = Path(folder) / name
                mode = full.stat().st_mode & 0o7777
                out[str(full.relative_to(self.root))] = (full.read_bytes() if full.is_file() else None, mode)
        return out

    def patch(self, wanted: Mapping[str, str | tuple[str, int] | None]) -> PatchAction:
        edits = []
        for path, new in wanted.items():
            before = self.state(path)
            if isinstance(new, str):
                new = (new, before[1] if before else 0o644)
            edits.append(edit(path, before, None if new is None else (new[0].encode(), new[1])))
        return PatchAction(repo=self.repo, edits=edits)

    def finding(self, action: Action, **fields: Any) -> Finding:
        self.count += 1
        given = {"detector": "test-detector", "version": 1, "key": f"test-detector:thing:{self.count}",
                 "title": "Change things", "claim": "Things should change.", "evidence": [self.cause]}  # fmt: skip
        return Finding(action=action, **{**given, **fields})

    def raised(
        self, action: Action, *, policy: Policy | None = None, now: int | None = None, **fields: Any
    ) -> Proposal:
        known = InboxView().load(self.log)[0].proposals
        (raised,) = raise_findings(
            [self.finding(action, **fields)], known=list(known.values()), taken=known, listed=(), repo=self.repo,
            turn="turn-1", boundary="commit", policy=policy or Policy(), now=now_us() if now is None else now,
            expire_us=14 * DAY, root=str(self.root),
        )  # fmt: skip
        assert isinstance(raised, ProposalRaised), raised
        self.log.append([NewEvent(stream_of(raised.id), raised, self.cause, "system")])
        return self.of(raised.id)

    def verified(self, action: Action, **fields: Any) -> Proposal:
        return verify(self.log, self.home, self.config, self.raised(action, **fields), self.root)

    def approved(self, action: Action, **fields: Any) -> Proposal:
        pending = self.verified(action, **fields)
        return decisions.approve(self.log, self.home, self.config, pending.id, pending.raised.digest).proposal

    def execute(self, proposal: Proposal, **options: Any) -> Proposal:
        return execute(self.log, self.home, self.config, proposal, self.root, **options)

    def executed(self, wanted: Mapping[str, str | tuple[str, int] | None]) -> Proposal:
        done = self.execute(self.approved(self.patch(wanted)))
        assert done.state == "executed", done.why
        return done

    def of(self, proposal_id: str) -> Proposal:
        return InboxView().load(self.log)[0].find(proposal_id)

    def topics(self, proposal: Proposal) -> list[str]:
        return [r.topic for r in self.log.stream(proposal.stream)]


@pytest.fixture
def bench(log: Log, home: Home, repo: Any) -> Workbench:
    return Workbench(log, home, repo.root)
