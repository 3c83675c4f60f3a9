"""Reads the locks of Cargo, uv and poetry line by line: a parser of all of TOML takes a second for a large one."""

from __future__ import annotations

import re
from typing import NamedTuple

from kairos.domain.config_text import items, table, toml_table

_FIELD = re.compile(r'^(name|version|source) = "([^"\\\n]*)"$', re.MULTILINE)
_DEPENDENCIES = re.compile(r"^dependencies = \[", re.MULTILINE)
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
        found = items(toml_table(f"[[package]]{self.text}").get("package"))
        return table(found[0]) if found else {}


def packages_of(text: str) -> list[LockedPackage]:
    """Every package of a lock. Entries without a name are left out. `[root]` is how old ones call the package
    of the workspace."""
    found = []
    for block in f"\n{text}".replace("\n[root]", "\n[[package]]").split("\n[[package]]")[1:]:
        fields: dict[str, str] = {}
        for key, value in _FIELD.findall(block.partition("\n[[")[0]):
            fields.setdefault(key, value)
        listed = _DEPENDENCIES.search(block)
        requires = _QUOTED.findall(block[listed.end() :].partition("]")[0]) if listed else []
        if "name" in fields:
            found.append(
                LockedPackage(
                    fields["name"], fields.get("version", ""), fields.get("source", ""),
                    frozenset(r.partition(" ")[0] for r in requires), block,
                )
            )  # fmt: skip
    return found
