"""Compaction as a child process: `python -P -m kairos.daemon.compacting BEFORE_US`. Its memory is its own."""

from __future__ import annotations

import sys

from kairos.errors import KairosError
from kairos.eventlog.compaction import compact
from kairos.eventlog.log import Log
from kairos.settings import Config, find_home, load_config


def ended(config: Config) -> set[str]:
    """The followers that a person switched off: what they did not read holds nothing back."""
    return ({"dream"} if not config.schedule.dream else set()) | ({"modeller"} if not config.model.name else set())


def main(before: int) -> int:
    """Seals and retires what is older than `before` (us); says what it did on standard output."""
    home = find_home()
    try:
        done = compact(Log(home.log), before=before, ended=ended(load_config(home)))
    except KairosError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.code
    sys.stdout.write(f"{len(done.sealed)} segments sealed, {done.retired} rows retired\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
