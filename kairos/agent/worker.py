"""The work of the worker process: reads one assignment from standard input, runs one turn and writes the result as the
last line of standard output. `kairos.daemon.model_worker` is the process.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from kairos.agent.driver import Driver
from kairos.agent.model import Halt, ModelPort
from kairos.agent.outputs import Assignment, Result
from kairos.agent.repository_files import Files
from kairos.agent.tools.scratch import MakeBench
from kairos.agent.worker_setup import wall_seconds
from kairos.clock import local_zone
from kairos.errors import KairosError, UsageError
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.home import Home, find_home
from kairos.repo.git import Git
from kairos.settings import load_config

BenchOf = Callable[[Home, Log, Assignment], MakeBench]


def main(bench_of: BenchOf) -> int:
    """Returns the exit status: 0 if a result was written, otherwise the error's code, with its message on standard
    error. `bench_of`: what makes the bench on which the commands of a turn run."""
    out = os.dup(1)
    os.dup2(2, 1)  # output printed by a library must not be taken for the result
    halt = Halt()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, halt.set)
    try:
        result = work(sys.stdin.buffer.read(), halt, bench_of)
    except KairosError as error:
        sys.stderr.write(f"{error.message}. {error.hint}\n")
        return error.code
    with os.fdopen(out, "wb") as last:
        last.write(msgspec.json.encode(result) + b"\n")
    return 0


def work(given: bytes, halt: Halt, bench_of: BenchOf) -> Result:
    """Runs the turn of a JSON assignment. UsageError if it is not an assignment or no model is configured."""
    parent = os.getppid()
    try:
        assignment = msgspec.json.decode(given, type=Assignment)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the assignment is wrong: {error}") from error
    home = find_home()
    model = load_config(home).model
    if not model.name:
        raise UsageError("no model is configured", "`kairos config set model.name NAME`.")
    signal.alarm(math.ceil(wall_seconds(model)))  # last resort: ends the process even if a library hangs
    port = ModelPort(model, os.environ.get(model.key_env, "") if model.key_env else "")
    log = open_log(home)
    with closing(log), log.fenced(assignment.fences):
        files = Files(Git(Path(assignment.root)))
        return Driver(
            log, model, port, files, assignment, local_zone(), halt, gone=lambda: os.getppid() != parent,
            make_bench=bench_of(home, log, assignment),
        ).run()  # fmt: skip
