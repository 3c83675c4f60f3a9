"""What a person's rules approved without asking: a change that nobody was asked about is told of."""

from __future__ import annotations

from kairos.clock import DAY, now_us, rfc3339
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox, letters, names, repositories
from kairos.desk.records.repositories import ByRuleOut
from kairos.desk.units import count
from kairos.domain.deciding import rule_of
from kairos.eventlog.views.repositories import Repository

_NAMED = 3


def by_rule(desk: Desk, only: Repository | None = None) -> list[ByRuleOut]:
    """What rules approved and the daemon carried out in the last 24 hours, and was not taken back, the last one first;
    of one repository or of all."""
    known = repositories(desk)
    called, since = names(known), now_us() - DAY
    repos = [only.id] if only is not None else list(known.by_id)
    made = [p for repo in repos for p in inbox(desk).carried_out(repo, since) if rule_of(p)]
    return [
        ByRuleOut(
            id=p.id, title=p.raised.title, repo=called.get(p.raised.repo, p.raised.repo), rule=rule_of(p),
            state=p.state, at=rfc3339(p.changed_at), undo=f"kairos undo {letters(desk, p.id)}",
        )
        for p in sorted(made, key=lambda p: -p.changed_at)
    ]  # fmt: skip


def in_words(made: list[ByRuleOut]) -> str:
    """How many changes rules made, and how each is taken back."""
    undo = ", ".join(one.undo for one in made[:_NAMED]) + (" … (kairos inbox --all)" if len(made) > _NAMED else "")
    return f"{count(len(made), 'change')} made by your rules in the last day: {undo}"
