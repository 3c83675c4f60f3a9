"""The journal of a replay: whole lines count, a torn one does not."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.backtest.journal import Journal, JournalEntry, LookSaid, safe
from kairos.domain.action import NoteAction, PatchAction, edit
from kairos.domain.finding import Finding
from kairos.domain.hindsight import Again


def finding(**changes):
    given_ = {
        "detector": "d", "version": 1, "key": "d:1", "title": "t", "claim": "c", "evidence": [1],
        "action": NoteAction(repo="r", text="x"),
    }  # fmt: skip
    return Finding(**(given_ | changes))


ENTRIES = [
    JournalEntry(0, [LookSaid("commit", [finding()])]),
    JournalEntry(3, [], [Again("d:1", ["a"]), Again("d:2", None, moot=True)]),
    JournalEntry(4, [LookSaid("burst", [], ["secret"])]),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2_000), junk=st.binary(max_size=20))
def test_a_file_cut_anywhere_keeps_whole_lines_and_takes_new_ones(tmp_path, cut, junk):
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    first = Journal(path)
    for entry in ENTRIES:
        first.add(entry)
    first.close()
    data = path.read_bytes()
    path.write_bytes(data[:cut] + (junk.replace(b"\n", b"") if cut < len(data) else b""))
    again = Journal(path)
    kept = data[:cut].count(b"\n")
    assert [again.kept.get(e.number) for e in ENTRIES[:kept]] == ENTRIES[:kept]
    assert again.upto == (ENTRIES[kept - 1].number if kept else -1)
    for entry in ENTRIES[kept:]:
        again.add(entry)
    again.close()
    assert path.read_bytes() == data and path.stat().st_mode & 0o077 == 0


def test_no_credential_is_kept():
    key = "AKIA" + "QWERTYUIOPASDFGH"
    patch = PatchAction(repo="r", edits=[edit("a", (b"x\n", 0o644), (f"x {key}\n".encode(), 0o644))])
    (kept,) = safe([finding(title=f"found {key}", claim=key, action=patch)])
    assert key not in repr(kept) and isinstance(kept.action, NoteAction)
