"""The only module that prints. Data goes to stdout, messages to stderr; text from a repository or a model is escaped
("inert").

Text is built from parts escaped with `inert`, laid out with `table` and styled with `paint`. `emit` escapes all
remaining unsafe characters, so that a part that was not escaped cannot write a terminal escape sequence.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli import layout
from cli.layout import Cell as Cell
from cli.layout import Styled as Styled
from cli.layout import paint as paint
from cli.layout import width as width
from kairos.domain.inert import as_text, escape, is_seen

if TYPE_CHECKING:
    from cli.context import Context
    from kairos.desk.registering import Progress
    from kairos.errors import KairosError

inert = escape
"""The text with invisible and control characters escaped; `lines` keeps line ends and tabs."""


def hidden(text: str) -> int:
    """The number of characters of a text that `inert` would escape, except line ends and tabs."""
    if text.isascii() and text.isprintable():
        return 0
    text = text.replace("\r\n", "\n")
    return sum(not is_seen(c, before) and c not in "\n\t" for before, c in zip(f" {text}", text, strict=False))


def table(rows: Sequence[Sequence[Cell]], *, indent: str = "  ", right: Sequence[int] = ()) -> str:
    """Rows as aligned columns, every cell inert. On a terminal they fit its width, long cells wrapped; elsewhere one
    line each."""
    return layout.table(rows, indent=indent, right=right, columns=columns())


def folded(text: str, *, hang: str = "  ") -> str:
    """A styled text whose lines fit the terminal; unchanged where output does not go to one."""
    limit = columns()
    return text if limit is None else "\n".join(layout.wrapped(text, limit, hang=hang))


def columns() -> int | None:
    """The width of the terminal that standard output goes to; None if it goes elsewhere."""
    return size().columns if sys.stdout.isatty() else None


def size() -> os.terminal_size:
    """The columns and lines of the terminal; COLUMNS and LINES come first, and 80 by 24 is used if nobody knows."""
    import shutil

    return shutil.get_terminal_size()


def diff(text: str) -> str:
    """A unified diff, inert, with added and removed lines in colour."""
    out = []
    for line in text.split("\n"):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        shown = inert(line, lines=True)
        out.append(f"{layout.OPEN[style]}{shown}{layout.CLOSE}" if style else shown)
    return "\n".join(out)


def finished(text: str, *, colours: bool) -> str:
    """The text as it goes to the terminal: style marks become colours or are removed, everything else is escaped."""
    marks = layout.MARKS if colours else dict.fromkeys(layout.MARKS, "")
    return "".join(
        marks[c] if c in marks else c if is_seen(c, before) or c in "\n\t" else escape(c)
        for before, c in zip(f" {text}", text, strict=False)
    )


def json_text(data: object) -> str:
    """One line of JSON, whatever the data; characters that could affect a terminal become \\u escapes, which are
    equivalent in JSON. Bytes of a name that are not UTF-8 become \\xNN."""
    import msgspec

    try:
        text = msgspec.json.encode(data).decode("utf-8")
    except UnicodeEncodeError:  # a name that is not UTF-8 must not suppress the answer
        text = msgspec.json.encode(_encodable(msgspec.to_builtins(data))).decode("utf-8")
    if text.isascii() and "\x7f" not in text:
        return text
    pairs = zip(f" {text}", text, strict=False)
    return "".join(c if is_seen(c, before) else _json_escape(c) for before, c in pairs)


def _encodable(data: Any) -> Any:
    match data:
        case str():
            return as_text(data)
        case list() | tuple():
            return [_encodable(item) for item in data]
        case dict():
            return {_encodable(key): _encodable(value) for key, value in data.items()}
        case _:
            return data


def _json_escape(char: str) -> str:
    raw = char.encode("utf-16-be")
    return "".join(f"\\u{raw[i]:02x}{raw[i + 1]:02x}" for i in range(0, len(raw), 2))


def colours(context: Context, stream: Any) -> bool:
    """Whether a stream gets colours: --no-color and NO_COLOR say no, FORCE_COLOR yes, then TERM and the terminal."""
    if context.no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(stream.isatty()) and os.environ.get("TERM", "") not in ("", "dumb")


def emit(context: Context, verb: str, data: object, text: str, *, more: object = None, page: bool = False) -> None:
    """The answer of a command: `{"schema": "kairos.<verb>/1", "data": …}` in JSON mode, else the text. `more`: what
    stands beside `data` where that is a list.

    `page`: a text longer than the terminal goes through PAGER, unless that is empty."""
    if context.json:
        _out(json_text({"schema": f"kairos.{verb}/1", "data": data} | ({} if more is None else {"more": more})))
    elif text:
        shown = finished(text, colours=colours(context, sys.stdout))
        if page and _too_long(context, shown):
            import click

            os.environ.setdefault("LESS", "FRX")
            click.echo_via_pager(shown + "\n")
        else:
            _out(shown)


def line(context: Context, data: object, text: str) -> None:
    """One record of a stream of records: one bare JSON object, or one line of text. Flushed at once."""
    _out(json_text(data) if context.json else finished(text, colours=colours(context, sys.stdout)))
    sys.stdout.flush()


def records(lines: Iterator[str], context: Context, *, page: bool = False) -> None:
    """Many records at once, already as JSON text or as styled text. `page`: on a terminal they go through PAGER, unless
    that is empty; they are read on as the person reads on."""
    shown = colours(context, sys.stdout)
    if page and not context.json and context.interactive() and os.environ.get("PAGER") != "":
        import click

        os.environ.setdefault("LESS", "FRX")
        click.echo_via_pager(finished(text, colours=shown) + "\n" for text in lines)
        return
    for text in lines:
        _out(text if context.json else finished(text, colours=shown))


def message(context: Context, text: str) -> None:
    """Prints a message for the person to stderr, never to stdout."""
    print(finished(text, colours=colours(context, sys.stderr)), file=sys.stderr, flush=True)


def exactly(text: str) -> None:
    """Prints a line that another program waits for to stderr, unescaped."""
    print(text, file=sys.stderr, flush=True)


def raw(text: str) -> None:
    """Prints Kairos's own text, such as a script, to stdout, unescaped."""
    _out(text)


def error(context: Context, failure: KairosError) -> None:
    """Prints a failure to stderr: `error: message` and a hint, or one JSON object."""
    if context.json:
        body = {"code": failure.code, "name": failure.name, "message": failure.message, "hint": failure.hint}
        print(json_text({"error": body}), file=sys.stderr, flush=True)
        return
    text = f"{paint('error:', 'red')} {inert(failure.message, lines=True)}"
    hints = "".join(f"\n  {line}" for line in inert(failure.hint, lines=True).split("\n")) if failure.hint else ""
    message(context, text + hints)


def ask(context: Context, question: str, *, flag: str) -> bool:
    """Asks a yes-or-no question, no by default. UsageError naming `flag` if the command is not interactive."""
    from kairos.errors import UsageError

    if not context.interactive():
        raise UsageError(f"{inert(question)} needs an answer, and there is no terminal to ask on", f"Use {flag}.")
    return answer(context, f"{question} [y/N] ").strip().lower() in ("y", "yes")


def answer(context: Context, prompt: str) -> str:
    """One line typed by the person on the terminal; empty if they gave it up. What is pasted, or was typed before the
    question was shown, answers nothing."""
    from cli.console import session

    text = finished(prompt, colours=colours(context, sys.stderr))
    return session.answer(lambda: print(text, end="", file=sys.stderr, flush=True)) or ""


def prompt(context: Context, text: str) -> None:
    """Prints text of an interactive dialogue to the terminal, without adding a line end."""
    _put(finished(text, colours=colours(context, sys.stdout)))


def frame(context: Context, rows: Sequence[str], footer: Sequence[str]) -> None:
    """Draws a whole screen: rows from the top, the footer on the last lines with the cursor behind it. Every row and
    line must fit the terminal."""
    shown, lines = colours(context, sys.stdout), max(size().lines, len(footer) + 1)
    placed = [*enumerate([*rows, *[""] * (lines - len(footer) - len(rows))], 1)]
    placed += enumerate(footer, lines - len(footer) + 1)
    _put("".join(f"\x1b[{at};1H\x1b[2K{finished(text, colours=shown)}" for at, text in placed))


def _put(text: str) -> None:
    _safe_stdout()
    print(text, end="", flush=True)


@contextmanager
def progress(context: Context, label: str) -> Iterator[Progress]:
    """A progress bar on stderr for long work; nothing if stderr is not a terminal."""
    if context.json or not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    bar = Bar(console=Console(stderr=True, no_color=not colours(context, sys.stderr)), transient=True)
    with bar:
        task = bar.add_task(inert(label), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)


def _out(text: str) -> None:
    _safe_stdout()
    print(text)


def _safe_stdout() -> None:
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and sys.stdout.errors == "strict":
        reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 must not end the program


def _too_long(context: Context, text: str) -> bool:
    if not context.interactive() or os.environ.get("PAGER") == "":
        return False
    return text.count("\n") >= size().lines - 1
