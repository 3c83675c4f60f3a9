"""Replaying the history of a real repository."""

from __future__ import annotations

from datetime import UTC

import pytest

from kairos.backtest.journal import Journal
from kairos.backtest.replay import Options, Replay
from kairos.detectors.looking import ALL
from kairos.domain.attention import Manners
from kairos.repo.git import Git

MANNERS = Manners(quiet=None, per_day=4, idle=600_000_000)


@pytest.fixture
def replay(repo, tmp_path):
    """replay() → the result of a backtest of the repository at its head."""

    def run(*names, journal="journal.jsonl", manners=MANNERS, **options):
        git = Git(repo.root)
        opened = Journal(tmp_path / journal)
        try:
            chosen = [d for d in ALL if not names or d.name in names]
            return Replay(git, chosen, Options(**options), manners, UTC, opened, b"salt").run(
                repo.git("rev-parse", "HEAD"), lambda done, total: None
            )
        finally:
            opened.close()

    return run
