"""The daemon's own log: one line with a time for each thing, redacted, in a file that stays small."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from kairos.daemon.daemon_log import DaemonLog, DaemonLogHandler, former

WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d \[\d+\] ")


def noted(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines()
    assert all(WHEN.match(line) for line in lines), lines
    return [WHEN.sub("", line) for line in lines]


def test_each_note_is_one_line_with_a_time_and_without_secrets_or_controls(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    with closing(DaemonLog(file)) as log:
        log.note("started")
        log.note("error: it broke\n\n  do this\n")
        log.note("\x1b[31mred AKIA" + "QWERTYUIOPASDFGH in it")
        log.note("x" * 9_000)
        assert not log.has_streams
    first, second, third, last = noted(file)
    assert (first, second) == ("started", "error: it broke | do this")
    assert "AKIAQ" not in third and "redacted" in third and "\x1b" not in third
    assert last.endswith("…") and len(last) < 5_000
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_file_stays_small_and_one_former_file_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    with closing(DaemonLog(file, most=2_000)) as log:
        for n in range(200):
            log.note(f"line {n}")
    assert file.stat().st_size < 2_200 and former(file).stat().st_size < 2_200
    kept = noted(former(file)) + noted(file)
    assert kept == [f"line {n}" for n in range(200 - len(kept), 200)]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_was_removed_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    with closing(DaemonLog(file)) as log:
        log.note("before")
        file.unlink()
        log.note("after")
    assert noted(file) == ["after"]


def test_standard_streams_that_go_to_the_file_go_on_in_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "daemon.log"
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from kairos.daemon.daemon_log import DaemonLog\n"
        "log = DaemonLog(Path(sys.argv[1]), most=1_000)\n"
        "assert log.has_streams\n"
        "os.write(2, b'x' * 1_500 + b'\\n')\n"
        "log.note('noted')\n"
        "os.write(2, b'raw\\n')\n"
    )
    with file.open("ab") as sink:
        subprocess.run([sys.executable, "-P", "-c", program, file], stderr=sink, check=True, timeout=60)
    assert former(file).stat().st_size == 1_501
    assert file.read_text().splitlines()[-1] == "raw" and "noted" in file.read_text()


def test_what_python_logs_is_noted() -> None:
    said: list[str] = []
    handler, logger = DaemonLogHandler(said.append), logging.getLogger("kairos.tests.daemon_log")
    logger.addHandler(handler)
    try:
        logger.warning("%s of %d", "one", 2)
        logger.info("nothing of it")
    finally:
        logger.removeHandler(handler)
    assert said == ["warning: one of 2"]


def test_a_full_disk_ends_nothing() -> None:
    if os.path.exists("/dev/full"):  # noqa: PTH110
        log = DaemonLog(Path("/dev/full"))
        log.note("lost")
        log.close()
