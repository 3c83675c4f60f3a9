"""A long text above a footer of a few lines, on a screen that can be redrawn; or page by page on a terminal that only
knows lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cli import layout, render
from cli.console.presses import DOWN, END, HOME, PAGE_DOWN, PAGE_UP, REDRAW, SPACE, UP
from cli.console.session import Terminal
from cli.console.viewport import Viewport, opened
from cli.context import Context

_ENDLESS = 1 << 30
_STEPS: dict[str, Callable[[Viewport], Viewport]] = {
    DOWN: lambda view: view.scrolled(1),
    UP: lambda view: view.scrolled(-1),
    SPACE: lambda view: view.paged(1),
    PAGE_DOWN: lambda view: view.paged(1),
    PAGE_UP: lambda view: view.paged(-1),
    HOME: lambda view: view.scrolled(-len(view.lines)),
    END: lambda view: view.scrolled(len(view.lines)),
}


class Screen:
    """Draws for one command on one terminal."""

    def __init__(self, context: Context, terminal: Terminal) -> None:
        self._context = context
        self.terminal = terminal
        self._rows: Sequence[str] = ()

    @property
    def columns(self) -> int:
        return max(render.size().columns, layout.LEAST)

    @property
    def height(self) -> int:
        return render.size().lines

    def lines_of(self, text: str) -> list[str]:
        """A styled text as lines that fit the screen."""
        return layout.wrapped(text, self.columns, hang="    ")

    def rows_above(self, footer: Sequence[str]) -> int:
        """How many rows a footer leaves. A terminal of lines shows everything, because it keeps what was printed."""
        return max(1, self.height - len(footer)) if self.terminal.full else _ENDLESS

    def footer(self, *texts: str) -> list[str]:
        """Lines for a footer, at most half a screen of them; the last text is kept whole."""
        *above, last = [self.lines_of(text) for text in texts if text]
        room = max(0, self.height // 2 - len(last))
        lines = [line for text in above for line in text]
        return [*(lines if len(lines) <= room else [*lines[: max(0, room - 1)], "  …"][:room]), *last]

    def draw(self, rows: Sequence[str], footer: Sequence[str]) -> None:
        """Shows rows above a footer."""
        self._rows = rows
        if self.terminal.full:
            render.frame(self._context, rows, footer)
        else:
            render.prompt(self._context, "\n".join(["", *rows, "", *footer]))

    def choose(self, question: str) -> str:
        """The key that a person presses to a question, by its name; keys pressed before it was shown are dropped."""
        self.terminal.forget()
        self._ask(question)
        while (key := self.terminal.key()) == REDRAW:
            self._ask(question)
        return key

    def typed(self, question: str, *, pasteable: bool = False) -> str | None:
        """The line that a person types to a question; None if they gave it up. See `Terminal.line`."""
        self.terminal.forget()
        self._ask(question)
        return self.terminal.line(pasteable=pasteable, redraw=lambda: self._ask(question))

    def tell(self, text: str) -> None:
        """Shows a line in place of the footer while something is being done."""
        self._ask(text)

    def _ask(self, question: str) -> None:
        """Shows a question in place of the footer."""
        if self.terminal.full:
            footer = self.footer(question)
            render.frame(self._context, self._rows[: self.rows_above(footer)], footer)
        else:
            render.prompt(self._context, f"\n{question}")

    def say(self, text: str) -> str:
        """Says something at once on a terminal of lines; returns what is to be said in the next footer."""
        if self.terminal.full:
            return text
        render.prompt(self._context, f"\n{text}\n")
        return ""

    def page(self, text: str) -> None:
        """Shows a text until a key that does not scroll is pressed; on a terminal of lines, just prints it."""
        if not self.terminal.full:
            render.prompt(self._context, f"\n{text}\n")
            return
        view = None
        while True:
            lines = [self.lines_of(text)]
            rows = self.rows_above([""])
            view = opened(lines, rows) if view is None else opened(lines, rows).scrolled(view.top)
            more = f"{view.below} more lines: space   " if view.below else ""
            self.draw(view.shown, self.footer(f"{more}any other key goes back "))
            key = self.terminal.key()
            if key in _STEPS:
                view = _STEPS[key](view)
            elif key != REDRAW:
                return


def scrolled(view: Viewport, key: str) -> Viewport | None:
    """The view after a key that scrolls; None for any other key."""
    step = _STEPS.get(key)
    return None if step is None else step(view)
