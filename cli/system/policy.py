"""`kairos policy`: the rules by which actions are allowed, asked about or denied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import ruling
from kairos.desk.records.policy import RuleOut
from kairos.desk.ruling import Case
from kairos.errors import UsageError

_STYLES = {"allow": "green", "ask": "yellow", "deny": "red"}
RISKS = click.Choice(["low", "medium", "high", "urgent"])


@click.group()
def policy() -> None:
    """The rules by which actions are allowed, asked about or denied."""


@policy.command("ls", short_help="The rules of policy.toml; the strictest that matches wins.")
@pass_context
def ls(context: Context) -> None:
    """The rules of policy.toml, in its order; the strictest that matches wins. With --repo those that concern it."""
    found = ruling.policy(context.desk, context.only())
    rows: list[list[render.Cell]] = [["RULE", "EFFECT", "MATCHES", "EXAMPLES"]]
    rows += [[r.name, render.Styled(r.effect, _STYLES[r.effect]), _conditions(r), str(r.examples)] for r in found.rules]
    text = render.table(rows, right=(3,)) if found.rules else "  No rule: every action asks."
    mode = render.folded(f"  mode {found.mode} · {render.inert(found.path)}", hang="    ")
    render.emit(context, "policy-ls", found, f"{text}\n{mode}")


def _conditions(rule: RuleOut) -> str:
    parts = [rule.kind or "every action"]
    parts += [f"{word} {', '.join(values)}" for word, values in (("on", rule.paths), ("by", rule.detectors)) if values]
    parts += [f"`{' '.join(rule.argv_prefix)} …`"] if rule.argv_prefix else []
    parts += [f"in {', '.join(rule.repos)}"] if rule.repos else []
    parts += [f"up to {rule.max_risk} risk"] if rule.max_risk else []
    parts += [f"from {rule.min_risk} risk"] if rule.min_risk else []
    return " ".join(parts)


@policy.command("allow", short_help="Add a rule that allows some actions, with its own examples.")
@click.argument("name")
@click.argument("command", metavar="[-- CMD…]", nargs=-1, type=click.UNPROCESSED)
@click.option("--path", "paths", metavar="GLOB", multiple=True, help="Patches whose files all match; repeatable.")
@click.option("--detector", metavar="D", default=None, help="Only what this detector proposes.")
@click.option("--max-risk", type=click.Choice(["low", "medium"]), help="Only up to this risk.")
@click.option("--example", "examples", metavar="PATH", multiple=True, help="A path that it must match; repeatable.")
@pass_context
def allow(
    context: Context, name: str, command: Sequence[str], paths: Sequence[str], detector: str | None,
    max_risk: Any, examples: Sequence[str],
) -> None:  # fmt: skip
    """Add the rule NAME to policy.toml: it allows patches on --path, or the command after `--`; with --repo only there.

    Comments and order of the file stay. A rule that allows everything is never written here."""
    case = Case(paths=paths, argv=command, detector=detector or "")
    if command and paths:
        raise UsageError("a rule is about files or about a command", "Give --path or a command after --, not both.")
    done = ruling.allow(context.desk, name, case, only=context.only(), max_risk=max_risk, examples=examples)
    assert done.rule is not None
    said = f"{render.paint('✓', 'green')} `{render.inert(name)}` allows {render.inert(_conditions(done.rule))}"
    if done.mode != "auto":
        said += f'\n  The mode is {done.mode}: it asks all the same. `mode = "auto"` in policy.toml lets rules say yes.'
    render.emit(context, "policy-allow", done, said)


@policy.command(short_help="Remove a rule from policy.toml.")
@click.argument("name")
@pass_context
def revoke(context: Context, name: str) -> None:
    """Remove the rule NAME from policy.toml; comments and order of the rest stay."""
    done = ruling.revoke(context.desk, name)
    render.emit(context, "policy-revoke", done, f"{render.paint('✓', 'green')} `{render.inert(name)}` is gone")


@policy.command("test", short_help="What a proposal or an action would get, and by which rule.")
@click.argument("id_", metavar="[ID]", required=False)
@click.option("--path", "paths", metavar="PATH", multiple=True, help="A file that the action changes; repeatable.")
@click.option("--detector", metavar="D", default="", help="Who proposes it.")
@click.option("--risk", type=RISKS, default="low", show_default=True, help="Its risk.")
@click.option("--argv", metavar="CMD", default=None, help="A command line, split as a shell does.")
@pass_context
def test(context: Context, id_: str | None, paths: Sequence[str], detector: str, risk: Any, argv: str | None) -> None:
    """What the policy says of the proposal ID, or of an action given by --path or --argv. Nothing is recorded."""
    words = _words(argv) if argv is not None else []
    described = bool(paths or words)
    if (id_ is not None) == described:
        raise UsageError("policy test needs a proposal or an action", "Give an ID, or --path, or --argv.")
    if id_ is not None:
        found = ruling.verdict_on_proposal(context.desk, id_, context.only())
    else:
        case = Case(paths=paths, argv=words, detector=detector, risk=risk)
        found = ruling.verdict_on_case(context.desk, case, context.only())
    lines = [f"{render.paint(found.effect, _STYLES[found.effect])} by {render.inert(found.rule)}"]
    lines += [f"  {render.inert(found.why)}"] if found.why else []
    lines.append(f"  matching rules: {render.inert(', '.join(found.matched)) or 'none'} · mode {found.mode}")
    render.emit(context, "policy-test", found, "\n".join(lines))


def _words(text: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"--argv cannot be split into words: {error}", "Quote it as for a shell.") from error
