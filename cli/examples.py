"""An example of every command that cannot be called without words: shown in its help, and when they are missing."""

from __future__ import annotations

import click

EXAMPLES = {
    "approve": "kairos approve qzvt",
    "backtest": "kairos backtest . --last 500",
    "check add": "kairos check add --kind test -- pytest -q",
    "check rm": "kairos check rm test",
    "completion": "kairos completion bash",
    "config set": "kairos config set attention.per_day 6",
    "defer": "kairos defer qzvt --until tomorrow",
    "detectors add": "kairos detectors add todo-deadline -- python3 ~/todo_deadline.py {question}",
    "detectors off": "kairos detectors off todo-deadline",
    "detectors promote": "kairos detectors promote todo-deadline",
    "detectors rm": "kairos detectors rm todo-deadline",
    "detectors shadow": "kairos detectors shadow unparsable",
    "detectors reset": "kairos detectors reset stale-reference --repo . --path docs",
    "edit": "kairos edit qzvt --patch my.diff",
    "forget": "kairos forget --path 'notes/*' -m 'not meant to be kept' --yes",
    "log import": "kairos log import kairos.ndjson",
    "memory brief": "kairos memory brief src/app.py",
    "memory recall": "kairos memory recall test command",
    "memory related": "kairos memory related src/app.py",
    "memory show": "kairos memory show qzvt",
    "mute": "kairos mute ignore-artifact --repo .",
    "pause": "kairos pause 2h",
    "policy allow": "kairos policy allow docs --path 'docs/**' --max-risk low --example docs/index.md",
    "policy revoke": "kairos policy revoke docs",
    "reject": "kairos reject qzvt -m 'this is meant to be so' --reason wrong",
    "sandbox run": "kairos sandbox run -- make test",
    "show": "kairos show qzvt",
    "turn show": "kairos turn show 1742",
    "unmute": "kairos unmute ignore-artifact --repo .",
    "watch-log add": "kairos watch-log add --file /var/log/app.log",
    "watch-log backtest": "kairos watch-log backtest /var/log/app.log",
    "watch-log rm": "kairos watch-log rm app",
    "why": "kairos why qzvt",
}
"""Command as typed → a call of it."""


def with_example(command: click.Command, name: str) -> None:
    """Changes a command so that its help ends with its example."""
    if name in EXAMPLES:
        command.epilog = f"\b\nFor example: {EXAMPLES[name]}"  # \b: click does not wrap it, so that it can be copied


def hint(error: click.UsageError) -> str:
    """What to do about a wrong call: an example if there is one, and where the help is."""
    path = error.ctx.command_path if error.ctx is not None else "kairos"
    example = EXAMPLES.get(path.removeprefix("kairos "))
    return (f"For example: {example}\n" if example else "") + f"See `{path} --help`."
