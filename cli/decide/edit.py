"""`kairos edit`: a person's own version of a patch, from their editor or a file."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from kairos.desk import editing
from kairos.desk.reading import letters, proposal_of
from kairos.desk.records.proposals import EditedOut
from kairos.domain.proposal import Proposal
from kairos.errors import UsageError


def in_editor(text: str, name: str, lent: AbstractContextManager[object] | None = None) -> str:
    """The text after a person edited it in VISUAL, EDITOR or vi. UsageError if that fails; then nothing is to be done.

    `lent`: a context in which the terminal belongs to the editor."""
    command = _editor()
    folder = Path(tempfile.mkdtemp(prefix="kairos-edit-"))
    try:
        file = folder / f"{name}.diff"
        file.write_text(text, "utf-8", newline="")
        try:
            with lent or nullcontext():
                code = subprocess.run([*command, str(file)], check=False).returncode
        except OSError as error:
            raise UsageError(f"the editor `{command[0]}` cannot be started: {error.strerror}", _HINT) from error
        if code != 0:
            raise UsageError(f"the editor `{command[0]}` ended with {code}: nothing was changed", "Edit it again.")
        return editing.read_patch(file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_HINT = "Set EDITOR, or give the patch with --patch FILE."


def _editor() -> list[str]:
    for name in ("VISUAL", "EDITOR"):
        value = os.environ.get(name, "").strip()
        if value:
            try:
                return shlex.split(value)
            except ValueError as error:
                raise UsageError(f"{name} is no command: {error}", _HINT) from error
    if shutil.which("vi"):
        return ["vi"]
    raise UsageError("there is no editor: neither VISUAL nor EDITOR is set", _HINT)


def edited_text(context: Context, done: EditedOut) -> str:
    """What became of an edit, in one line."""
    if not done.changed:
        return f"{letters(context.desk, done.id)} is as it was"
    sign = render.paint("✓", "green")
    return (
        f"{sign} {letters(context.desk, done.id)}: {render.inert(done.changed)}; its digest is {done.digest[:12]}… now"
    )


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--patch", "file", metavar="FILE", help="Take the patch from FILE (- for standard input); no editor.")
@pass_context
def edit(context: Context, id_: str, file: str | None) -> None:
    """Change the patch of a proposal in your editor. It keeps its id and gets a new digest: approve it again."""
    proposal: Proposal = proposal_of(context.desk, id_, context.only())
    if file is None and not context.interactive():
        raise UsageError(
            "edit opens an editor, and there is no terminal for one",
            "Give the patch with --patch FILE (- for standard input).",
        )
    if file is not None:
        text = editing.read_patch(Path("/dev/stdin" if file == "-" else file))
    else:
        before = editing.patch_to_edit(context.desk, proposal)
        text = in_editor(before, proposal.id)
    done = editing.edit_patch(context.desk, proposal, text)
    following = f"  Next: kairos review {letters(context.desk, done.id)}" if done.changed else ""
    render.emit(context, "edit", done, f"{edited_text(context, done)}.{following}")
