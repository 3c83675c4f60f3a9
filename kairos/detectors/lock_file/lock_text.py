"""Reads the locks of Cargo, uv and poetry line by line: a parser of all of TOML takes a second for a large one."""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

_FIELD = re.compile(r'^(name|version|source) = "([^"\\\n]*)"$', re.MULTILINE)
_DEPENDENCIES = re.compile(r"^dependencies = \[\n?([^\]]*)\]", re.MULTILINE)
_QUOTED = re.compile(r'"([^"\\\n]*)"')


class LockedPackage(NamedTuple):
    """One `[[package]]`: its name, version and source ("": a package of the workspace), the names that it depends on
    and its text."""

    name: str
    version: str
    source: str
    requires: frozenset[str]
    text: str

    def parsed(self) -> dict[str, object]:
        """The whole entry; empty if it is not TOML."""
        try:
            found = tomllib.loads(f"[[package]]{self.text}").get("package")
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}
        return found[0] if isinstance(found, list) and found and isinstance(found[0], dict) else {}


def packages_of(text: str) -> list[LockedPackage]:
    """Every package of a lock. Entries without a name are left out. `[root]` is how old ones call the package
    of the workspace."""
    found = []
    for block in f"\n{text}".replace("\n[root]", "\n[[package]]").split("\n[[package]]")[1:]:
        fields: dict[str, str] = {}
        for key, value in _FIELD.findall(block.partition("\n[[")[0]):
            fields.setdefault(key, value)
        stated = _DEPENDENCIES.search(block)
        requires = _QUOTED.findall(stated[1]) if stated else []
        if "name" in fields:
            found.append(
                LockedPackage(
                    fields["name"], fields.get("version", ""), fields.get("source", ""),
                    frozenset(r.partition(" ")[0] for r in requires), block,
                )
            )  # fmt: skip
    return found
