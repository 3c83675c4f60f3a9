"""A repository with checks, for the tests of their rounds."""

from __future__ import annotations

from typing import Any

from kairos.daemon.check_rounds import CheckRounds
from kairos.daemon.folded import World
from kairos.daemon.turns import Looker
from kairos.domain.checks.state import check_stream
from kairos.domain.events import CheckNamed
from kairos.domain.proposal import Proposal
from kairos.eventlog.log import Log
from kairos.home import Home

TEXT = 'for n in a b c; do if grep -q $n bad.txt; then echo "not ok $n"; else echo "ok $n"; fi; done; echo 1..3'


class Checked:
    """A repository with checks, its rounds, and what came of them."""

    def __init__(self, others: Any, repo: Any, home: Home, log: Log, world: World) -> None:
        self.others, self.repo, self.log, self.world = others, repo, log, world
        self.rounds = CheckRounds(home, log, world, Looker(home, others.config, log, world))

    def name(self, *command: str, name: str = "t", **more: Any) -> None:
        event = CheckNamed(
            **{"repo": self.others.repo, "name": name, "kind": "test", "command": list(command), "seconds": 60,
               "memory_mb": 1024, **more}
        )  # fmt: skip
        self.others.say(event, check_stream(self.others.repo, name), origin="user")

    def bad(self, letters: str, message: str = "change") -> str:
        """Commits a tree at which these cases are red."""
        self.repo.write("bad.txt", letters + "\n")
        return str(self.repo.commit(message))

    def settle(self) -> None:
        for _ in range(60):
            if not self.rounds.step(self.others.repository):
                return
        raise AssertionError("it does not end")

    def cards(self) -> dict[str, str]:
        """Title → state of every proposal."""
        with self.world.reading() as views:
            return {p.raised.title: p.state for p in views.inbox.proposals.values()}

    def proposals(self) -> list[Proposal]:
        with self.world.reading() as views:
            return list(views.inbox.proposals.values())

    def runs(self) -> list[tuple[str, str]]:
        return [(e.commit, e.outcome) for e in self.others.told("CheckRan")]
