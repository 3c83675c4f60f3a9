"""package.json and package-lock.json, in versions 1 to 3 of its format."""

from __future__ import annotations

from collections.abc import Iterator

from kairos.detectors.lock_file.requirements import Lacking
from kairos.domain.config_text import table

Table = dict[str, object]
_KINDS = ("dependencies", "devDependencies", "optionalDependencies")


def lacking(manifest: Table, lock: Table, folder: str) -> Iterator[Lacking]:
    """What the lock lacks of the package in `folder`, relative to the lock ("" for its own). npm writes into the lock
    what each package asks for, so any difference shows that it was not made from this manifest."""
    packages = table(lock.get("packages"))
    if folder not in packages:
        if "packages" not in lock and not folder:
            yield from _old(manifest, table(lock.get("dependencies")))
        return
    entry = table(packages[folder])
    asked = {n: s for kind in _KINDS for n, s in table(entry.get(kind)).items()}
    for kind in _KINDS:
        for name, wanted in table(manifest.get(kind)).items():
            if name not in asked:
                yield Lacking(name, f"it requires {name}")
            elif isinstance(wanted, str) and asked[name] != wanted:
                yield Lacking(name, f"it requires {name} {wanted}, and it was made for {asked[name]}")


def _old(manifest: Table, held: Table) -> Iterator[Lacking]:
    """The same for a lock of version 1, which says only what it holds."""
    for kind in _KINDS[:2]:
        for name in table(manifest.get(kind)):
            if name not in held:
                yield Lacking(name, f"it requires {name}")
