"""`kairos completion`: the script that a shell evaluates."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cli import render
from cli.context import Context, pass_context


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_context
def completion(context: Context, shell: str) -> None:
    """Print the completion script: `eval "$(kairos completion bash)"` in your shell's start file."""
    from cli.main import root

    found = get_completion_class(shell)
    assert found is not None
    script = found(root, {}, "kairos", "_KAIROS_COMPLETE").source()
    if context.json:
        render.emit(context, "completion", {"shell": shell, "script": script}, "")
    else:
        render.raw(script)
