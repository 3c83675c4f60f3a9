"""The log as lines: from where, of which types, how many; its proof and its way into another home."""

from __future__ import annotations

import io
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.clock import now_us
from kairos.desk import events
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.domain import events as ev
from kairos.errors import IntegrityError, KairosError, UsageError


def positions(found: Any) -> list[int]:
    return [entry.position for entry in found]


def test_an_empty_home_has_no_events_and_is_sound(desk: Desk) -> None:
    assert positions(events.read(desk)) == []
    assert events.verify(desk, None).ok
    assert events.anchor(desk).position == 0
    assert events.export(desk, io.BytesIO()).events == 0
    with pytest.raises(IntegrityError):
        events.verify(desk, f"3:{'a' * 64}")
    assert not desk.has_log


def test_events_are_chosen_by_position_type_number_repository_and_time(desk: Desk, seeded: Any) -> None:
    seeded.append(ev.Paused())
    assert positions(events.read(desk)) == [1, 2, 3, 4, 5, 6]
    assert positions(events.read(desk, after=4)) == [5, 6]
    assert positions(events.read(desk, types=["Paused", "GitMoved"])) == [3, 6]
    assert positions(events.read(desk, limit=2)) == [1, 2]
    assert positions(events.read(desk, only=repositories(desk).by_id[seeded.id])) == [1, 2, 3, 4, 5]
    assert positions(events.read(desk, since="1h")) == [1, 2, 3, 4, 5, 6]
    assert positions(events.read(desk, since="1h", after=5)) == [6]
    assert positions(events.read(desk, since="2999-01-01")) == []


def test_types_of_this_program_are_known_and_those_of_others_have_a_colon(desk: Desk, seeded: Any) -> None:
    with pytest.raises(UsageError, match="Pausd"):
        events.read(desk, types=["Pausd"])
    assert positions(events.read(desk, types=["shop:Sold"])) == []


def test_following_goes_on_with_what_comes_and_ends_at_the_limit(desk: Desk, seeded: Any) -> None:
    followed = events.read(desk, after=4, limit=2, types=["Paused", "TurnStarted"], follow=True)
    assert next(followed).position == 5
    late = threading.Thread(target=lambda: [seeded.append(ev.Resumed()), seeded.append(ev.Paused())])
    late.start()
    assert positions(followed) == [7]
    late.join()


def test_the_record_has_the_fields_that_storage_leaves_out(desk: Desk, seeded: Any) -> None:
    out = next(events.read(desk, after=2)).out()
    recorded = desk.log.at(3)
    assert set(out.data) == {f.encode_name for f in msgspec.structs.fields(ev.GitMoved)}
    assert (out.type, out.v, out.stream, out.correlation) == ("GitMoved", recorded.v, seeded.id, 3)
    assert out.data["note"] == "rename pay"


@pytest.mark.parametrize("given", ["", "5", "x:y", "5:abc", f"5:{'g' * 64}", f"-1:{'a' * 64}", f"5 :{'a' * 64}"])
def test_what_is_no_anchor_is_refused(desk: Desk, seeded: Any, given: str) -> None:
    with pytest.raises(UsageError):
        events.verify(desk, given)


def test_an_anchor_proves_what_came_before_it(desk: Desk, seeded: Any) -> None:
    noted = events.anchor(desk)
    seeded.append(ev.Paused())
    assert events.verify(desk, f"{noted.position}:{noted.hash.upper()}").ok
    found = events.verify(desk, f"{noted.position}:{'0' * 64}")
    assert not found.ok and found.problems


def test_a_log_moves_whole_or_not_at_all(desk: Desk, seeded: Any, tmp_path: Path) -> None:
    out = io.BytesIO()
    sent = events.export(desk, out)
    assert (sent.events, sent.hash) == (5, events.anchor(desk).hash)
    whole = out.getvalue()
    damaged = {
        "cut": whole[: len(whole) // 2],
        "changed": whole.replace(b"rename pay", b"rename pax"),
        "reordered": b"".join(reversed(whole.splitlines(keepends=True))),
    }
    for name, lines in damaged.items():
        with closing(Desk(str(tmp_path / name))) as other, pytest.raises(KairosError):
            events.import_(other, io.BytesIO(lines))
        with closing(Desk(str(tmp_path / name))) as other:
            assert positions(events.read(other)) == [], name
    with closing(Desk(str(tmp_path / "other"))) as other:
        assert events.import_(other, io.BytesIO(whole)) == sent
        assert [e.out() for e in events.read(other)] == [e.out() for e in events.read(desk)]
        assert all(e.at <= now_us() for e in events.read(other))
