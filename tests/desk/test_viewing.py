"""What a view of a daemon shows: each delivery, and an urgent proposal that reads otherwise than it was told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kairos._version import VERSION
from kairos.daemon.presence import Status, claim, publish
from kairos.desk.deliveries import Delivered
from kairos.desk.desk import Desk
from kairos.desk.forgetting import forget
from kairos.desk.reading import inbox
from kairos.desk.viewing import Viewing, beside
from kairos.domain import events as ev
from kairos.errors import KairosError
from kairos.home import Home


def revised(raised: Any, title: str) -> ev.ProposalRevised:
    fields = {f: getattr(raised, f) for f in ev.ProposalRevised.__struct_fields__ if hasattr(raised, f)}
    return msgspec.convert(msgspec.to_builtins(fields | {"title": title, "changed": "moved"}), ev.ProposalRevised)


def test_deliveries_are_shown_and_urgent_ones_again_when_they_read_otherwise(
    desk: Desk, home: Home, seeded: Any
) -> None:
    early = seeded.raise_(seeded.note("early"), seed="e").id
    seeded.append(ev.ProposalDelivered(id=early, boundary="commit"), f"proposal-{early}")
    urgent = seeded.raise_(seeded.note(), risk="urgent", title="AWS key in a, staged")
    calm = seeded.raise_(seeded.note("b"), seed="b", title="Calm")
    view = Viewing(desk)
    for one in (urgent, calm):
        stream = f"proposal-{one.id}"
        seeded.append(ev.ProposalDelivered(id=one.id, boundary="commit"), stream)
        seeded.append(revised(one, one.title), stream)
        seeded.append(revised(one, f"{one.title}, committed"), stream)
    shown = [(told.id, told.title) for told in view.of_daemon()]
    assert shown == [
        (urgent.id, "AWS key in a, staged, committed"),  # as it is when it is shown
        (urgent.id, "AWS key in a, staged, committed"),
        (calm.id, "Calm, committed"),
    ]
    assert list(view.of_daemon()) == [], "nothing twice, and it ends with the daemon"


def test_a_view_of_a_daemon_ends_with_it_after_what_it_told(desk: Desk, home: Home, seeded: Any) -> None:
    raised = seeded.raise_(seeded.note())
    view = Viewing(desk)
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        seeded.append(ev.ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
        shown = view.of_daemon()
        assert next(shown).id == raised.id
    assert list(shown) == []


def test_a_view_beside_the_daemon_tells_all_before_it_ends(desk: Desk, seeded: Any) -> None:
    said: list[Delivered] = []
    failures: list[KairosError] = []
    tell: Callable[[Delivered], None] = said.append
    raised = seeded.raise_(seeded.note())
    end = beside(desk, tell, failures.append)
    seeded.append(ev.ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
    end()
    assert [told.id for told in said] == [raised.id]
    assert failures == []


@pytest.mark.parametrize("kept", ["nothing", "the revision"])
def test_a_proposal_forgotten_before_it_was_shown_is_passed_over(desk: Desk, seeded: Any, kept: str) -> None:
    gone = seeded.raise_(seeded.note(), risk="urgent", title="AWS key in a")
    left = seeded.raise_(seeded.note("b"), seed="b", title="Left")
    view = Viewing(desk)
    first = inbox(desk).positions[gone.id][0]
    for one in (gone, left):
        seeded.append(ev.ProposalDelivered(id=one.id, boundary="commit"), f"proposal-{one.id}")
    seeded.append(revised(gone, "AWS key in a, committed"), f"proposal-{gone.id}")
    forgotten = [first] if kept == "the revision" else [first, desk.log.head()]
    forget(desk, None, forgotten, None, "private")
    view.stop()
    assert [told.id for told in view] == [left.id]


def test_a_view_beside_the_daemon_says_why_it_ended_early(desk: Desk, seeded: Any) -> None:
    def tell(told: Delivered) -> None:
        raise KairosError(f"no more of {told.id}", "Verify the log.")

    failures: list[KairosError] = []
    raised = seeded.raise_(seeded.note())
    end = beside(desk, tell, failures.append)
    seeded.append(ev.ProposalDelivered(id=raised.id, boundary="commit"), f"proposal-{raised.id}")
    end()
    assert [str(error) for error in failures] == [f"no more of {raised.id}"]
