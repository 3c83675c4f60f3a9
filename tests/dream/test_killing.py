"""kill -9 at every write of a dream: memory is what it was or what it should be, and the next dream completes it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from kairos.memory.claims import MemoryView

if TYPE_CHECKING:
    from conftest import Life
else:
    Life = Any

KILL_AT = """
import os, signal, sys
import dream.publish, kairos.eventlog.log
left = [int(sys.argv.pop(1))]
def step():
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
def around(function):
    def wrapped(*args, **kwargs):
        step()
        try:
            return function(*args, **kwargs)
        finally:
            step()
    return wrapped
kairos.eventlog.log.Log.append = around(kairos.eventlog.log.Log.append)
dream.publish.replace_file = around(dream.publish.replace_file)
os.link = around(os.link)
from dream.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def digest(life: Life) -> str:
    return MemoryView().load(life.log, fresh=True)[0].digest()


def killed(life: Life, step: int) -> bool:
    """Runs a dream that is killed at a step; False once it ends before."""
    code = f"import sys; sys.argv.insert(1, {str(step)!r})\n{KILL_AT}"
    done = life.start(code=code)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


@pytest.mark.parametrize("edited", [False, True])
def test_a_dream_killed_at_any_write_is_completed_by_the_next(life: Life, edited: bool) -> None:
    """Each night new commits come and the dream is killed one write later than the night before."""
    life.dream()
    for step in range(1, 60):
        life.change("src/pay.py", "src/billing.py", f"src/new{step}.py")
        for _ in range(3):
            life.change(f"src/new{step}.py", f"src/more{step}.py")
        if edited:
            (life.home.memory / "MEMORY.md").write_text(f"mine {step}\n")
        before, upto = digest(life), life.log.tracking("dream")
        was = life.files()
        died = killed(life, step)
        assert (digest(life) == before) == (life.log.tracking("dream") == upto)
        for name, text in life.files().items():
            assert text == was.get(name) or b"(ev " in text or b"mine" in text
        life.dream()
        claims, _ = MemoryView().load(life.log, fresh=True)
        assert f"src/more{step}.py" in {c.memory.value for c in claims.open()}
        assert claims.dreamed_upto == life.log.tracking("dream") > upto
        assert f"more{step}" in life.index()
        if edited:
            kept = [t for n, t in life.files().items() if ".edited" in n]
            assert f"mine {step}\n".encode() in kept
        if not died:
            assert step > 6
            return
    raise AssertionError("the dream never ended by itself")


def test_the_next_dream_covers_the_same_positions_with_the_same_memory(life: Life) -> None:
    told = life.dream("--dry-run")
    assert killed(life, 3)
    assert life.log.tracking("dream") == 0 and life.files() == {}
    assert [c["data"] for c in life.dream()] == [c["data"] for c in told]
    spans = {(e.event.after, e.event.upto) for e in life.log.read(topics={"DreamStarted"})}  # type: ignore[attr-defined]
    assert len(spans) == 1
