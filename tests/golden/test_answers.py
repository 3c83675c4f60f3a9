"""Scripts get the same answers from a home that an earlier version made: fields are only added.

`home-v1` is a real home after a rename, an approval, an undo, a redo, two credentials, a rejection, a deferral, a
dream, a compaction and a forgetting; `home-v1.answers.jsonl` holds what that version answered, forty days later.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from cli.main import main

HERE = Path(__file__).resolve().parent
ANSWERS = [json.loads(line) for line in (HERE / "home-v1.answers.jsonl").read_text("utf-8").splitlines()]
LATER_S = 40 * 86_400
VARYING = {"seconds", "bytes", "attention", "ledger"}
"""How long it took, how much room the database takes, and the digests of folds that are others since."""


GROWN = {"why-not --since 2026-01-01"}
"""Answers that are lists which have more rows since: it is enough that every earlier row is there, in its order."""
WRONG = {
    "replay --at 100": {"$[0].data.memories.rename is gone"},  # they are of position 105
}
"""What an earlier version answered wrongly."""
CATALOGUE = {"tools"}
"""Answers about the program, not about the home: whose rows are others since, each of the same form."""


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "home"
    shutil.copytree(HERE / "home-v1", home)
    home.chmod(0o700)
    (tmp_path / "clock").write_text(str(LATER_S))
    monkeypatch.setenv("KAIROS_HOME", str(home))
    monkeypatch.setenv("KAIROS_CLOCK_FILE", str(tmp_path / "clock"))
    monkeypatch.delenv("KAIROS_LOG", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    yield home


def lost(before: Any, now: Any, where: str = "$") -> Iterator[str]:
    """What of an earlier answer the present one does not hold."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before.keys() - VARYING:
            if key in now and key == "projections":  # a fold may be made anew; that it holds is `identical`
                yield from (f"{where}.{key}.{name} is gone" for name in before[key].keys() - now[key].keys())
            elif key in now:
                yield from lost(before[key], now[key], f"{where}.{key}")
            else:
                yield f"{where}.{key} is gone"
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (one, other) in enumerate(zip(before, now, strict=True)):
            yield from lost(one, other, f"{where}[{index}]")
    elif before != now:
        yield f"{where} was {before!r} and is {now!r}"


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda a: " ".join(a["argv"][:-1]))
def test_an_answer_from_a_recorded_home_keeps_everything_it_held(recorded: Path, answer: dict[str, Any]) -> None:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(answer["argv"])
    assert code == answer["code"]
    command = " ".join(answer["argv"][:-1])
    before, now = lines(answer["out"]), lines(out.getvalue())
    if command in CATALOGUE:
        before[0]["data"] = [dict.fromkeys(before[0]["data"][0])]
        now[0]["data"] = [dict.fromkeys(row) for row in now[0]["data"][:1]]
    if command in GROWN:
        held = {row["position"] for row in before[0]["data"]}
        now[0]["data"] = [row for row in now[0]["data"] if row["position"] in held]
    assert set(lost(before, now)) == WRONG.get(command, set())
    assert [e["error"]["name"] for e in lines(err.getvalue())] == [e["error"]["name"] for e in lines(answer["err"])]


def test_the_comparison_notices_what_is_lost_and_what_changed() -> None:
    before = {"a": [1, {"b": 2}], "c": None}
    assert list(lost(before, {**before, "new": 1})) == []
    assert list(lost(before, {"a": [1, {"b": 3}], "c": None})) == ["$.a[1].b was 2 and is 3"]
    assert list(lost(before, {"a": [1]})) != [] and list(lost(before, {"a": before["a"]})) == ["$.c is gone"]
