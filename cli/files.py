"""`kairos files`: the watched tree as the log has it. The disk is not looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from cli.reading import repositories
from kairos.domain.names import Name
from kairos.errors import NotFound
from kairos.settings import machine


def file_text(row: dict[str, Any]) -> str:
    """One entry for a person."""
    size = "" if row["size"] is None else render.size(row["size"])
    name = Name(path=row.get("path"), path_b64=row.get("path_b64")).fs
    return f"{row['kind']:<7} {row['mode'] or 0:04o} {size:>10}  {render.inert(name)}"


@click.command()
@click.argument("path", type=click.Path())
@pass_context
def files(context: Context, path: str) -> None:
    """The tree of the repository at PATH, folded from the log alone, sorted bytewise."""
    root = str(Path(path).expanduser().resolve())
    repository = repositories(context).at(root, machine())
    if repository is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", f"`kairos init {path}` adds it.")
    from kairos.eventlog.tree import fold_tree, rows

    def lines() -> Iterator[str]:
        for row in rows(fold_tree(context.log, repository.id)):
            yield render.json_text(row) if context.json else file_text(row)

    render.records(lines(), context)
