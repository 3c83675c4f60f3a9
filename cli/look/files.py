"""`kairos files`: the watched tree as recorded in the log. Does not read the disk."""

from __future__ import annotations

from typing import Any

import click

from cli import render
from cli.context import Context, pass_context
from cli.repos import one_path
from kairos.desk.files import files as rows
from kairos.desk.units import size
from kairos.domain.names import Name

_HANG = " " * 12


def file_text(row: dict[str, Any]) -> str:
    """One entry, as text for a person."""
    bytes_ = "" if row["size"] is None else size(row["size"])
    name = Name(path=row.get("path"), path_b64=row.get("path_b64")).fs
    return f"{row['kind']:<7} {row['mode'] or 0:04o} {bytes_:>10}  {render.inert(name)}"


@click.command()
@click.argument("path", type=click.Path(), required=False)
@pass_context
def files(context: Context, path: str | None) -> None:
    """The tree of the repository at PATH (default: here), or the part of it that PATH names, folded from the log alone,
    sorted bytewise."""
    found = rows(context.desk, one_path(context, path))
    render.records(
        (render.json_text(row) if context.json else render.folded(file_text(row), hang=_HANG) for row in found), context
    )
