"""go.mod and go.sum (go.dev/ref/mod): each required version has its hashes in go.sum."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kairos.detectors.lock_file.requirements import Lacking

_REQUIRED = re.compile(r"(?:require[ \t]+)?([^\s()]+)[ \t]+(v\d[^\s]*)[ \t]*(//.*)?")
_REPLACED = re.compile(r"(?:replace[ \t]+)?([^\s()]+)(?:[ \t]+v\S+)?[ \t]*=>[ \t]*(.+)")


def lacking(manifest: str, lock: str) -> Iterator[Lacking]:
    """The required modules of which go.sum has no hash at all. Indirect and replaced ones are left out."""
    held = {tuple(line.split()[:2]) for line in lock.splitlines()}
    required: dict[str, str] = {}
    replaced: set[str] = set()
    block = ""
    for raw in manifest.splitlines():
        line = raw.strip()
        if line.endswith("("):
            block = line.removesuffix("(").strip()
        elif line == ")":
            block = ""
        elif (block or line.split(" ")[0]) == "replace" and (r := _REPLACED.fullmatch(line)) is not None:
            replaced.add(r[1])
        elif (block or line.split(" ")[0]) == "require":
            m = _REQUIRED.fullmatch(line)
            if m is not None and "indirect" not in (m[3] or ""):
                required[m[1]] = m[2]
    for module, version in required.items():
        if module not in replaced and not {(module, version), (module, f"{version}/go.mod")} & held:
            yield Lacking(module, f"it requires {module} {version}")
