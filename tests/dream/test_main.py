"""`python -P -m dream`: what it prints, and the exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dream.__main__ import _said, main
from kairos.domain.events import MemoryFileEdited, MemoryInvalidated, MemorySuperseded
from kairos.durable import locked
from kairos.home import Home


def test_a_rehearsal_prints_what_would_change_and_writes_nothing(life: Any, capsys: pytest.CaptureFixture[str]) -> None:
    head = life.log.head()
    assert main(["--manual", "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and all(line.startswith("MemoryAccepted: ") for line in said)
    assert life.log.head() == head and life.files() == {}


def test_each_change_is_a_line_of_json_with_the_position_that_the_log_gave_it(
    life: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--manual", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kept = {r.position: r for r in life.log.read(topics={"MemoryAccepted"})}
    assert [line["position"] for line in lines] == sorted(kept)
    for line in lines:
        assert line["type"] == "MemoryAccepted"
        assert line["data"]["memory"]["id"] == kept[line["position"]].event.memory.id
    assert life.files() != {}
    assert main(["--manual", "--json"]) == 0
    assert capsys.readouterr().out == "", "the second time there is nothing new"


def test_an_error_is_a_line_on_stderr_with_the_exit_code_of_the_program(
    life: Any, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with locked(home.dream_lock, lambda: AssertionError()):
        assert main(["--manual"]) == 75
    told = capsys.readouterr()
    assert told.out == "" and "dream" in told.err and ".." not in told.err
    home.config.chmod(0o777)
    assert main(["--manual"]) == 6


def test_an_unknown_flag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--nonsense"])
    assert ended.value.code == 2 and "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (MemorySuperseded(id="k", by="l", why="newer"), "k gave way to l: newer"),
        (MemoryInvalidated(id="k", why="expired", detail="weakest"), "k: expired weakest"),
        (MemoryFileEdited(file="a.md", what="deleted"), "a.md was deleted by hand"),
    ],
)
def test_what_became_of_a_memory_is_said(event: Any, said: str) -> None:
    assert _said(event) == said
