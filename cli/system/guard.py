"""`kairos guard`: an optional pre-commit hook, and the check that it runs."""

from __future__ import annotations

from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import guarding
from kairos.desk.given import place
from kairos.desk.records.guard import GuardCheckOut, GuardOut
from kairos.desk.units import count

FOUND = 8
"""Exit status of a check that would refuse the commit: verification failed."""


@click.group()
def guard() -> None:
    """Refuse a commit of what looks like a credential, before it is made."""


@guard.command(short_help="Add the pre-commit hook.")
@pass_context
def install(context: Context) -> None:
    """Add the pre-commit hook to the repository. A hook that is there runs after it; nothing is overwritten."""
    done = guarding.install(_repo(context))
    sign, name = render.paint("✓", "green"), render.inert(done.repo)
    said = [f"{sign} the guard looks before every commit in {name}"]
    if not done.active:
        said = [
            f"{render.paint('!', 'yellow')} {name}: installed, but git does not run it: {render.inert(done.trouble)}"
        ]
    elif not done.changed:
        said = [f"{sign} {name}: the guard was installed already, and git runs it; nothing was changed"]
    if done.chained is not None:
        said.append(f"then runs what was there: {render.inert(done.chained)}")
    said.append("One commit without it: git commit --no-verify. Take it out: kairos guard remove")
    render.emit(context, "guard", done, "\n".join(said))


@guard.command(short_help="Take the hook out.")
@pass_context
def remove(context: Context) -> None:
    """Take the hook out and restore exactly what was there."""
    done = guarding.remove(_repo(context))
    text = "removed; what was there is as it was" if done.changed else "no guard was installed"
    render.emit(context, "guard", done, f"{render.inert(done.repo)}: {text}")


guard.add_command(click.Command("uninstall", callback=remove.callback, help="Alias of remove.", hidden=True))


@guard.command(short_help="Whether git runs the hook.")
@pass_context
def status(context: Context) -> None:
    """Whether the hook is installed, and whether git runs it."""
    found = guarding.state(_repo(context))
    render.emit(context, "guard", found, _state(found))


@guard.command(short_help="Look at what is staged, as the hook does.")
@pass_context
def check(context: Context) -> int:
    """Look at what is staged, as the hook does. Exits 8 if a commit would be refused."""
    seen = guarding.check(_repo(context))
    render.emit(context, "guard-check", seen, _seen(seen))
    return FOUND if seen.refuses else 0


def _repo(context: Context) -> Path:
    return place(context.repo) if context.repo is not None else Path.cwd()


def _state(found: GuardOut) -> str:
    name = render.inert(found.repo)
    if not found.installed:
        after = f" ({render.inert(found.trouble)})" if found.trouble else ""
        return f"{name}: no guard is installed{after}\nNext: kairos guard install"
    if not found.active:
        return f"{name}: the guard does not run: {render.inert(found.trouble)}\nNext: kairos guard install"
    then = f", then {render.inert(found.chained)}" if found.chained is not None else ""
    return f"{name}: the guard runs before every commit{then}"


def _seen(seen: GuardCheckOut) -> str:
    lines = []
    for one in seen.found:
        unsure = "" if one.confidence == "high" else "  (not sure: a commit is not refused for it)"
        lines.append(f"  {render.inert(one.path)}:{one.line}  {one.label}{unsure}")
    if seen.refuses:
        lines.insert(0, render.paint("A commit would be refused:", "red"))
        lines.append("Take the value out and stage the file again; rotate it if it was ever shared.")
        lines.append("If a line holds no secret, write kairos:allow in a comment on it.")
    many = f"looked at {count(seen.files, 'staged file')}, {count(seen.bytes, 'byte')}"
    lines.append(many + ("" if seen.found else ": no credential found"))
    if seen.binary:
        lines.append(f"not looked at: {seen.binary} binary")
    lines += [f"not looked at: {render.inert(s.path)} ({s.why})" for s in seen.skipped]
    return "\n".join(lines)
