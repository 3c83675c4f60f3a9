"""The command line: dispatch of verbs, global flags before or after them, and reporting of errors. A verb's module is
imported only when the verb is called, which keeps every command fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from cli.context import Context
from cli.given import refuse_nothing
from cli.repos import guarded
from cli.verbs import OTHER_WORDS, SECTIONS, VERBS
from kairos._version import VERSION
from kairos.errors import KairosError, UsageError


def _set(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            setattr(ctx.ensure_object(Context), name, value)

    return callback


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from cli import render

        render.emit(ctx.ensure_object(Context), "version", {"version": VERSION}, f"kairos {VERSION}")
        ctx.exit()


def global_options() -> list[click.Parameter]:
    """Fresh options for the flags that work before and after every verb."""

    def flag(name: str, target: str, help_text: str) -> click.Option:
        return click.Option(
            [f"--{name}"], is_flag=True, default=False, expose_value=False, callback=_set(target), help=help_text,
            is_eager=True,
        )  # fmt: skip

    def named(name: str, target: str, metavar: str, help_text: str) -> click.Option:
        return click.Option(
            [f"--{name}"], expose_value=False, callback=_set(target), metavar=metavar, help=help_text, is_eager=True
        )

    return [
        flag("json", "json", "Print one JSON object (log and files: one a line)."),
        flag("no-color", "no_color", "Print without colours."),
        flag("no-input", "no_input", "Never ask; fail and name the flag to use."),
        named("repo", "repo", "PATH", "Only this repository."),
        named("home", "home_override", "DIR", "Keep all of Kairos's state under DIR."),
        click.Option(
            ["--version"], is_flag=True, expose_value=False, callback=_version, is_eager=True,
            help="Print the version and exit.",
        ),
    ]  # fmt: skip


# Each command says it itself: click keeps a command's help option from the first context made, with or without a root.
_ASKED_FOR_HELP = {"help_option_names": ["-h", "--help"]}


def with_global_options(command: click.Command, name: str) -> click.Command:
    """The command, changed so that it and every subcommand accept the global flags and refuse empty values. `name`: as
    it is typed."""
    taken = {option for param in command.params for option in param.opts}
    command.params = [*command.params, *(p for p in global_options() if not taken & set(p.opts))]
    command.context_settings = {**_ASKED_FOR_HELP, **command.context_settings}
    refuse_nothing(command)
    guarded(command, name)
    from cli.examples import with_example

    with_example(command, name)
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            with_global_options(below, f"{name} {word}")
    return command


class ClosedPipe(Exception):
    """The reader of our output closed the pipe, as `head` does."""


class LazyGroup(click.Group):
    """The root command: lists every verb by name and imports its module when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, verb in VERBS.items() if verb.section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module, _, attribute = verb.target.partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        self.commands[cmd_name] = with_global_options(command, cmd_name)
        return self.commands[cmd_name]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ClosedPipe from error  # click would end the process with 1

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in SECTIONS:
            with formatter.section(section):
                formatter.write_dl([(name, verb.help) for name, verb in VERBS.items() if verb.section == section])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            close = [OTHER_WORDS[args[0]]] if args[0] in OTHER_WORDS else get_close_matches(args[0], list(VERBS), n=1)
            hint = f"Did you mean `kairos {close[0]}`?" if close else "`kairos --help` lists the commands."
            raise UsageError(f"there is no command `{args[0]}`", hint)
        return super().resolve_command(ctx, args)


def _overview(ctx: click.Context) -> None:
    """Without a verb: the status, and the one next command to type."""
    if ctx.invoked_subcommand is None:
        from cli.look.status import overview

        overview(ctx.ensure_object(Context))


root = LazyGroup(
    name="kairos",
    invoke_without_command=True,
    callback=click.pass_context(_overview),
    params=global_options(),
    help="An always-on assistant for your repositories: it proposes, you approve, it acts exactly once.",
    context_settings={**_ASKED_FOR_HELP, "max_content_width": 100},
)
refuse_nothing(root)


def main(args: Sequence[str]) -> int:
    """Runs one command line and returns its exit code; every known error is reported, never shown as a traceback."""
    context = Context(json="--json" in _own_flags(args))
    try:
        _refuse_unspeakable(args)
        result = root.main(list(args), prog_name="kairos", standalone_mode=False, obj=context)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except KairosError as error:
        return _report(context, error)
    except click.UsageError as error:
        from cli.examples import hint, said

        return _report(context, UsageError(said(error), hint(error)))
    except click.ClickException as error:
        return _report(context, KairosError(error.format_message()))
    except (KeyboardInterrupt, click.Abort):
        return 130
    except (BrokenPipeError, ClosedPipe):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the flush at exit does not fail
        return 141
    except Exception as error:
        from kairos.desk.failures import known

        meant = known(context.desk, error)
        if meant is None:
            raise
        return _report(context, meant)
    finally:
        context.close()


def _refuse_unspeakable(args: Sequence[str]) -> None:
    """UsageError (2) for an argument that no shell can pass, and that no path or name may hold."""
    for word in args:
        try:
            if b"\0" not in os.fsencode(word):
                continue
        except UnicodeEncodeError:
            raise UsageError("an argument holds half a character", "Give it in UTF-8.") from None
        raise UsageError("an argument holds a NUL byte", "Give it without.")


def defect(args: Sequence[str], error: Exception) -> int:
    """Reports an error that nothing else explains, and where it happened, without a traceback; returns 1.
    KAIROS_TRACEBACK=1 shows the whole."""
    import traceback

    if os.environ.get("KAIROS_TRACEBACK"):
        traceback.print_exception(error)
        return 1
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    said = f"this is a defect of Kairos: {type(error).__name__}: {str(error)[:300]}{where}"
    found = KairosError(said, "Please report it; with KAIROS_TRACEBACK=1 it says where it happened.")
    return _report(Context(json="--json" in _own_flags(args)), found)


def _own_flags(args: Sequence[str]) -> Sequence[str]:
    """The arguments before `--`; the rest are arguments of another program."""
    return args[: args.index("--")] if "--" in args else args


def _report(context: Context, error: KairosError) -> int:
    from cli import render

    with suppress(OSError):  # stderr may go to a full disk; the exit code still reports the error
        render.error(context, error)
    return error.code
