"""The worker process of a model turn, `python -P -m kairos.daemon.model_worker`, started in Kairos's own directory with
the environment of `agent.worker_setup`: the agent with a bench on which its commands and checks run confined."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kairos.acting.laid_tree import LaidTree
from kairos.agent.outputs import Assignment
from kairos.agent.tools.scratch import MakeBench
from kairos.agent.worker import main
from kairos.eventlog.log import Log
from kairos.eventlog.views.checks import ChecksView
from kairos.home import Home


def bench_of(home: Home, log: Log, assignment: Assignment) -> MakeBench:
    """What makes the bench of a turn: with the checks that the person named for its repository."""
    root, repo = Path(assignment.root), assignment.repo
    return lambda files: LaidTree(
        home, root, [check.named for check in ChecksView().load(log)[0].of(repo).values()], files
    )


if __name__ == "__main__":
    status = main(bench_of)
    sys.stderr.flush()
    os._exit(status)  # threads of a library or an abandoned call must not keep the process alive
