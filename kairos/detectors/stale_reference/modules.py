"""Python module names of moved files as a given importer writes them, before and after the move."""

from __future__ import annotations

import keyword
import posixpath
import re
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

from kairos.detectors.stale_reference.bindings import Bindings, Bound, bindings_of
from kairos.detectors.stale_reference.layout import INIT, ConfiguredRoot, Layout, Target
from kairos.detectors.stale_reference.moves import Moves

_CHAIN = re.compile(r"(?<![\w.])([A-Za-z_]\w*+)((?:\.\w+)++)")
_DEPTH = 8
_LONGEST = 40
"""So many parts of a dotted name may be packages and modules."""


class Renamed(NamedTuple):
    """The new form of a name: "" if its module was deleted, None if it should stay. `why`: what makes that uncertain.
    `other`: the module that the old name means now, if that is another one than the moved one."""

    new: str | None
    why: str = ""
    other: str = ""


STAYS = Renamed(None)


class Modules:
    """Resolves names in the tree before the moves and proves new names in the tree after them.

    `stated`: import roots that configuration states, before and now. `read`: the current text of a path.
    `former`: the texts that changed packages had before."""

    def __init__(
        self,
        moves: Moves,
        stated: tuple[Collection[ConfiguredRoot], Collection[ConfiguredRoot]] = ((), ()),
        read: Callable[[str], str | None] = lambda path: None,
        former: Mapping[str, str] | None = None,
    ) -> None:
        self.moves = moves
        self.before = Layout(moves.was, moves.directories_before, stated[0])
        self.after = Layout(moves.now.__contains__, moves.directories_now, stated[1])
        self.roots = self.before.roots
        self._read = read
        self._former = former or {}
        self._bindings = lru_cache(maxsize=4096)(self._bindings_at)

    @cached_property
    def ends(self) -> frozenset[str]:
        """The last parts of the names of moved and deleted modules."""
        return frozenset(posixpath.basename(prefix) for prefix in self._stale_prefixes)

    @cached_property
    def top_packages(self) -> frozenset[str]:
        """The names of packages of the top level that are called otherwise now, and that nothing else is called."""
        still = {posixpath.basename(directory) for directory in self.moves.directories_now}
        return frozenset(
            name
            for old, new in self.moves.directories.items()
            if f"{old}/{INIT}" in self.moves.moved
            and (name := posixpath.basename(old)) not in still
            and posixpath.dirname(old) in ("", "src", "lib", "python")
            and name != posixpath.basename(new)
        )

    @cached_property
    def quoted(self) -> re.Pattern[str]:
        """Matches the start of a string that may contain one of the names in `ends`."""
        return re.compile(rf"[\"'](?:\w+\.)*?(?:{self._alternatives})[\"'.:]")

    @cached_property
    def word(self) -> re.Pattern[str]:
        """Matches one of the names in `ends` as a whole word."""
        return re.compile(rf"\b(?:{self._alternatives})\b")

    @cached_property
    def in_string(self) -> re.Pattern[str]:
        """Matches one of the names in `ends` behind a quote in the same line."""
        return re.compile(rf"[\"'][^\"'\n]*?\b(?:{self._alternatives})\b")

    @cached_property
    def _alternatives(self) -> str:
        return "|".join(re.escape(end) for end in sorted(self.ends)) or r"(?!)"

    def shadowed(self, importer: str, name: str, target: Target) -> bool:
        """Whether the name means a standard library module instead, as it does unless `target` is beside the importer
        (a script)."""
        top = name.split(".", 1)[0]
        return top in sys.stdlib_module_names and target.root != posixpath.dirname(importer)

    def stale(self, importer: str, name: str) -> Target | None:
        """The moved or deleted module that an absolute name meant for `importer` (its former path); None if it meant
        no such module or is ambiguous."""
        found = self.before.resolve(posixpath.dirname(importer), name)
        if len(found) != 1 or not self.moves.is_stale(found[0].path) or self.shadowed(importer, name, found[0]):
            return None
        return found[0]

    def concerns(self, importer: str, base: str, names: Collection[str]) -> bool:
        """Whether `from base import names` may name a moved or deleted module: the base or one directly below it."""
        name = base.lstrip(".")
        level = len(base) - len(name)
        rest = name.replace(".", "/")
        here = posixpath.dirname(importer)
        for _ in range(level - 1):
            here = posixpath.dirname(here)
        roots = (here,) if level else self.roots(here)
        prefixes = {posixpath.join(root, rest).rstrip("/") for root in roots}
        below = not self._above_stale.isdisjoint(prefixes) and not self.ends.isdisjoint(names)
        return below or not self._stale_prefixes.isdisjoint(prefixes)

    def chained(self, text: str, tops: Collection[str]) -> bool:
        """Whether the text contains `top.….module` that may be a moved module: a cheap check."""
        return any(m[1] in tops and not self.ends.isdisjoint(m[2].split(".")) for m in _CHAIN.finditer(text))

    @cached_property
    def _stale_prefixes(self) -> frozenset[str]:
        return frozenset(prefix_of(old) for old in self.moves.stale if old.endswith((".py", ".pyi")))

    @cached_property
    def _above_stale(self) -> frozenset[str]:
        return frozenset(posixpath.dirname(prefix) for prefix in self._stale_prefixes)

    def ambiguous(self, importer: str, name: str) -> bool:
        """Whether a moved module is only one of several modules that the name could have meant."""
        found = self.before.resolve(posixpath.dirname(importer), name)
        return len(found) > 1 and any(self.moves.is_stale(t.path) for t in found)

    def concerned(self, path: str, name: str) -> bool:
        """Whether a dotted name may start with a moved or deleted module: a cheap check."""
        parts = name.split(".")
        if self.ends.isdisjoint(parts):
            return False
        importer = self.moves.former(path)
        return any(self.stale(importer, ".".join(parts[:n])) for n in range(len(parts), 0, -1))

    def new_name(self, path: str, name: str, target: Target) -> Renamed:
        """The new form of an absolute name that meant the moved or deleted `target` for the file now at `path`.

        A name that still leads to the moved module stays. A new name is given only if it leads to that module and no
        other one."""
        here = posixpath.dirname(path)
        now = self.after.resolve(here, name)
        if target.path in self.moves.gone:
            return Renamed(None, "", now[0].path) if now else Renamed("")
        new = self.moves.moved[target.path]
        same = next((t for t in now if t.path == new), None)
        if same is not None:
            if len(now) > 1:
                return Renamed(None, f"`{name}` could mean several modules now")
            if self.after.sure(same, here):
                return STAYS
            return Renamed(None, f"`{name}` is still right only if {same.root} is on the search path")
        spelled = self._spelled(prefix_of(new), target, here)
        if spelled is None:
            return Renamed(None, f"how `{name}` is to be imported now is not certain", now[0].path if now else "")
        proof = self.after.resolve(here, spelled)
        if [t.path for t in proof] != [new] or self.shadowed(path, spelled, proof[0]):
            return Renamed(None, f"`{spelled}` would not be sure to mean {new}", now[0].path if now else "")
        return Renamed(spelled, "", now[0].path if now else "")

    def _spelled(self, prefix: str, target: Target, here: str) -> str | None:
        """The dotted name of a module path relative to the root of `target`, to a source root that it was moved into,
        or to the directory above its packages; None if that is no import root of a file in `here`."""
        roots = self.after.roots(here)
        into = [r for r in roots if r and prefix.startswith(r + "/") and self.after.is_source_root(r, here)]
        into = [r for r in into if not target.path.startswith(r + "/") and len(r) > len(target.root)]
        if into:
            return dotted(prefix[len(max(into, key=len)) + 1 :])
        if not target.root or prefix.startswith(target.root + "/"):
            return dotted(prefix[len(target.root) + 1 if target.root else 0 :])
        top = self.package_root(prefix)
        return dotted(prefix[len(top) + 1 if top else 0 :]) if top in roots else None

    def package_root(self, prefix: str) -> str:
        """The directory above the outermost package that contains a module now."""
        here = posixpath.dirname(prefix)
        while here and f"{here}/{INIT}" in self.moves.now:
            here = posixpath.dirname(here)
        return here

    def renamed(self, path: str, name: str, *, shortest: int, defined: bool = True) -> Renamed:
        """The new form of a dotted name whose first parts (at least `shortest`) were a moved or deleted module. What
        follows the module must be defined in it, unless nothing is known about it. `defined`: if it was not defined
        before the move either, the name stays, as in a list of what was removed."""
        importer = self.moves.former(path)
        parts = name.split(".")
        for length in range(min(len(parts), _LONGEST), shortest - 1, -1):
            prefix = ".".join(parts[:length])
            if not self.before.resolve(posixpath.dirname(importer), prefix):
                continue
            target = self.stale(importer, prefix)
            if target is None:
                return STAYS
            renamed = self.new_name(path, prefix, target)
            rest = parts[length:]
            if renamed.other and (not rest or self.defines(renamed.other, rest[0]) is not False):
                return STAYS
            if not renamed.new:
                return renamed
            if rest and self.lost(target.path, rest[0]):
                return Renamed(None, f"{self.moves.moved[target.path]} does not define `{rest[0]}`")
            if rest and defined and self.defines(self.moves.moved[target.path], rest[0]) is False:
                return STAYS
            return Renamed(".".join([renamed.new, *rest]))
        return STAYS

    def lost(self, old: str, name: str) -> bool:
        """Whether a moved module was changed, too, and does not define a name now."""
        return old in self.moves.altered and self.defines(self.moves.moved[old], name) is False

    def defines(self, path: str, name: str, depth: int = _DEPTH) -> bool | None:
        """Whether the module now at `path` has a name; None if that cannot be known."""
        found = self._bindings(path)
        if found is None:
            return None
        if name in found.last or (posixpath.basename(path) == INIT and self._has_submodule(path, name)):
            return True
        uncertain = found.dynamic
        for star in found.stars:
            inner = self._origin(path, star.level, star.module)
            answer = self._exports(inner, name, depth - 1) if inner is not None and depth else None
            if answer:
                return True
            uncertain = uncertain or answer is None
        return None if uncertain else False

    def _exports(self, path: str, name: str, depth: int) -> bool | None:
        found = self._bindings(path)
        if found is None:
            return None
        if found.exported is not None:
            return name in found.exported
        return False if name.startswith("_") else self.defines(path, name, depth)

    def bound(self, package: str, name: str) -> Bound:
        """What `package.name` is, for a package by the path of its `__init__.py` now: an object that it binds wins over
        a submodule of the same name."""
        bound = self._bound_now(package, name)
        former = self._former.get(self.moves.former(package))
        if bound in ("no", "module") and former is not None and (found := bindings_of(former)) is not None:
            _, origin = found.last.get(name, (0, None))
            if name in found.last and (origin is None or origin.module):
                return "unknown"  # It was an object before the commit, so no reader means the submodule.
        return bound

    def _bound_now(self, package: str, name: str) -> Bound:
        found = self._bindings(package)
        if found is None:
            return "unknown" if package in self.moves.now else "no"
        if name in found.last:
            place, origin = found.last[name]
            if (
                origin is not None
                and origin.name == name
                and self._origin(package, origin.level, origin.module) == package
            ):
                return "module"
            return "unknown" if found.first_import.get(name, -1) > place else "object"
        if found.dynamic:
            return "unknown"
        for star in found.stars:
            inner = self._origin(package, star.level, star.module)
            answer = None if inner is None else self._exports(inner, name, _DEPTH)
            if answer is not False:
                return "object" if answer else "unknown"
        return "no"

    def _has_submodule(self, package: str, name: str) -> bool:
        prefix = f"{posixpath.dirname(package)}/{name}"
        return self.after.module_at(prefix) is not None or prefix in self.moves.directories_now

    def _origin(self, path: str, level: int, module: str) -> str | None:
        """The module that `from module import` names in the file at `path` now; None if it is not in the tree."""
        rest = module.replace(".", "/")
        if not level:
            found = self.after.resolve(posixpath.dirname(path), module)
            return found[0].path if len(found) == 1 else None
        here = posixpath.dirname(path)
        for _ in range(level - 1):
            here = posixpath.dirname(here)
        return self.after.module_at(posixpath.join(here, rest).rstrip("/"))

    def _bindings_at(self, path: str) -> Bindings | None:
        text = self._read(path)
        return None if text is None else bindings_of(text)


def prefix_of(path: str) -> str:
    """The module path without suffix: `a/b.py` and `a/b/__init__.py` are both `a/b`."""
    if posixpath.basename(path) in (INIT, INIT + "i"):
        return posixpath.dirname(path)
    return path.removesuffix("i").removesuffix(".py") if path.endswith(".pyi") else path.removesuffix(".py")


def dotted(prefix: str) -> str | None:
    """A module path as a dotted name, None if a part is not an identifier."""
    parts = prefix.split("/")
    if all(p.isidentifier() and p.isascii() and not keyword.iskeyword(p) for p in parts):
        return ".".join(parts)
    return None
