"""`python -P -m dream`: one consolidation run in a process of its own, started in Kairos's own directory.

Prints one line of JSON for each change with --json, else one line of text. Exit codes are those of `kairos`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import msgspec

from dream.phases import Dreamt, dream, rehearse
from kairos.domain.events import Event, MemoryAccepted, MemoryFileEdited, MemoryInvalidated, MemorySuperseded
from kairos.errors import KairosError
from kairos.home import find_home


def main(args: Sequence[str]) -> int:
    """Runs the command line and returns its exit code."""
    parser = argparse.ArgumentParser(prog="dream", description="Consolidate what the log taught into memory.")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
    parser.add_argument("--manual", action="store_true", help="a person asked: do not wait for the night")
    options = parser.parse_args(args)
    try:
        home = find_home()
        done = rehearse(home) if options.dry_run else dream(home, manual=options.manual)
    except KairosError as error:
        sys.stderr.write(f"{error.message}. {error.hint}\n".replace("..", "."))
        return error.code
    _tell(done, as_json=options.json)
    return 0


def _tell(done: Dreamt, *, as_json: bool) -> None:
    for note in done.notes:
        sys.stderr.write(f"{note}\n")
    for position, event in done.changes:
        if as_json:
            line = {"position": position, "type": type(event).__name__, "data": event}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        else:
            sys.stdout.write(f"{type(event).__name__}: {_said(event)}\n")


def _said(event: Event) -> str:
    match event:
        case MemoryAccepted():
            return event.memory.text
        case MemorySuperseded():
            return f"{event.id} gave way to {event.by}: {event.why}"
        case MemoryInvalidated():
            return f"{event.id}: {event.why} {event.detail}"
        case MemoryFileEdited():
            return f"{event.file} was {event.what} by hand"
        case _:
            return ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
