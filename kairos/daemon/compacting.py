"""Compaction as a child process: `python -P -m kairos.daemon.compacting BEFORE_US`. Its memory is freed when it
ends."""

from __future__ import annotations

import sys

from kairos.clock import now_us
from kairos.daemon.all_views import kept_views
from kairos.domain.amounts import count
from kairos.domain.events import AttentionDue
from kairos.errors import KairosError
from kairos.eventlog.cold.compaction import compact
from kairos.eventlog.cold.folding import fold
from kairos.eventlog.log import Log
from kairos.eventlog.opener import open_log
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import find_home
from kairos.settings import Config, load_config


def ended(config: Config, log: Log) -> set[str]:
    """The followers for which compaction does not wait: those a person switched off, and the model turns of a
    repository that is no longer watched or has no commit waiting for a turn."""
    found = {"modeller"} | ({"dream"} if not config.schedule.dream else set())
    watched = {r.id for r in RepositoriesView().load(log)[0].watched()}
    for name, position in log.trackings().items():
        if name.startswith("modeller/"):
            repo = name.removeprefix("modeller/")
            if not config.model.name or repo not in watched or not _has_due(log, repo, position):
                found.add(name)
    return found


def _has_due(log: Log, repo: str, after: int) -> bool:
    due = log.read(after, topics={"AttentionDue"})
    return any(isinstance(r.event, AttentionDue) and r.event.repo == repo for r in due)


def main(before: int) -> int:
    """Seals and retires what is older than `before` (us), folds what the configured rule selects, and prints a summary
    to standard output."""
    try:
        home = find_home()
        config, log = load_config(home), open_log(home)
        with log.errors():
            done = compact(log, before=before, ended=ended(config, log), views=kept_views())
            said = f"{count(len(done.sealed), 'segment')} sealed, {count(done.retired, 'row')} retired"
            rule = config.retention.fold_before(now_us())
            if rule is not None:
                folded = sum(s.events for s in fold(log, rule).segments)
                said += f", {count(folded, 'observation')} folded"
    except KairosError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.code
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1])))
