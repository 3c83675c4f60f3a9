"""What is shown of a proposal when it is delivered."""

from __future__ import annotations

from typing import Any

from kairos.desk.deliveries import Delivered, delivered
from kairos.desk.desk import Desk
from kairos.desk.reading import letters
from kairos.domain.events import ProposalDelivered, ProposalRejected


def shown_of(desk: Desk, id_: str) -> Delivered:
    found = delivered(desk, id_)
    assert found is not None
    return found


def test_a_delivery_has_what_a_person_needs_to_decide_or_to_look(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note(), risk="high", title="Look at \x1b[31mthis")
    other = seeded.raise_(seeded.note("other"), seed="b")
    shown = shown_of(desk, raised.id)
    assert (shown.title, shown.risk, shown.digest) == (raised.title, "high", raised.digest)
    assert shown.letters == letters(desk, raised.id) != letters(desk, other.id)
    assert shown.where == seeded.root.name


def test_the_last_delivery_of_a_day_names_its_repository_and_what_else_waits(desk: Desk, seeded: Any) -> None:
    made = [seeded.raise_(seeded.note(seed), seed=seed) for seed in "abcdef"]
    for one in made[:3]:
        seeded.append(ProposalDelivered(id=one.id, boundary="commit"), f"proposal-{one.id}")
    assert shown_of(desk, made[2].id).budget == ""
    seeded.append(ProposalDelivered(id=made[3].id, boundary="commit"), f"proposal-{made[3].id}")
    name = seeded.root.name
    assert shown_of(desk, made[3].id).budget == f"{name}: 4 of 4 told today, 2 more of it in the inbox"
    for one in made[4:]:
        seeded.append(ProposalRejected(id=one.id, reason="wrong"), f"proposal-{one.id}")
    assert shown_of(desk, made[3].id).budget == f"{name}: 4 of 4 told today"
