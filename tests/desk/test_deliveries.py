"""What is shown of a proposal when it is delivered."""

from __future__ import annotations

from typing import Any

from kairos.desk.deliveries import delivered
from kairos.desk.desk import Desk
from kairos.desk.reading import letters


def test_a_delivery_has_what_a_person_needs_to_decide_or_to_look(desk: Desk, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note(), risk="high", title="Look at \x1b[31mthis")
    other = seeded.raise_(seeded.note("other"), seed="b")
    shown = delivered(desk, raised.id)
    assert (shown.title, shown.risk, shown.digest) == (raised.title, "high", raised.digest)
    assert shown.letters == letters(desk, raised.id) != letters(desk, other.id)
    assert shown.where == seeded.root.name
