"""`kairos demo`: a whole day in half a minute. A real daemon on a real repository, both temporary; offline, no key."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk.demonstrating import Demo, tell
from kairos.desk.records.system import DemoOut


class _Terminal:
    """Shows the steps of the demo on the terminal; prints nothing in JSON mode."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def says(self, text: str) -> None:
        self._line(f"\n{render.paint('#', 'cyan')} {render.paint(text, 'bold')}")

    def types(self, command: str) -> None:
        self._line(f"{render.paint('$', 'dim')} {render.inert(command)}")

    def answers(self, text: str) -> None:
        self._line(render.inert(text, lines=True))

    def _line(self, text: str) -> None:
        if not self._context.json:
            render.line(self._context, None, text)


@click.command()
@click.option("--keep", is_flag=True, help="Keep the repository and the home of the demo.")
@pass_context
def demo(context: Context, keep: bool) -> None:
    """From an edit to a proposal, an approval, an undo and a dream: offline, in a temporary repository."""
    begun = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="kairos-demo-")).resolve()
    try:
        run = Demo(_Terminal(context), folder)
        tell(run)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    seconds = round(time.monotonic() - begun, 1)
    kept = f"  Its folders: {render.inert(str(folder))}" if keep else ""
    text = f"\n{render.paint('✓', 'green')} That was Kairos, in {seconds} s.{kept}  Next: kairos watch PATH"
    render.emit(context, "demo", DemoOut(ok=True, seconds=seconds, steps=run.steps), text)
