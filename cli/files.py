"""`kairos files`: the watched tree as the log has it. The disk is not looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import render
from cli.context import Context, pass_context
from cli.outputs import FileOut
from cli.reading import repositories
from kairos.errors import NotFound

if TYPE_CHECKING:
    from kairos.domain.events import Change


def file_out(path: str, entry: Change) -> FileOut:
    """One entry for a script."""
    from kairos.domain.events import name_fields

    is_dir = entry.type == "dir"
    return FileOut(
        **name_fields(path),
        kind=entry.type,
        size=None if is_dir else entry.size,
        mode=entry.mode,
        mtime_ns=None if is_dir else entry.mtime_ns,
    )


@click.command()
@click.argument("path", type=click.Path())
@pass_context
def files(context: Context, path: str) -> None:
    """The tree of the repository at PATH, folded from the log alone, sorted bytewise."""
    root = str(Path(path).expanduser().resolve())
    repository = repositories(context).at(root)
    if repository is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", f"`kairos init {path}` adds it.")
    from kairos.eventlog.tree import fold_tree

    tree = fold_tree(context.log, repository.id)

    def lines() -> Iterator[str]:
        for name in sorted(tree, key=os.fsencode):
            entry = tree[name]
            if context.json:
                yield render.json_text(file_out(name, entry))
            else:
                size = "" if entry.type == "dir" or entry.size is None else render.size(entry.size)
                yield f"{entry.type:<7} {entry.mode or 0:04o} {size:>10}  {render.inert(name)}"

    render.records(lines(), context)
