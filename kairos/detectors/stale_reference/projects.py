"""What the project files of a tree state: packages of JavaScript and their aliases, modules of Go, crates of Rust,
mdBooks, and the packages of Java."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import cached_property
from typing import NamedTuple

from kairos.detectors.stale_reference.java_moves import JavaMoves
from kairos.detectors.stale_reference.moves import Moves
from kairos.domain.config_text import items, jsonc_table, table, toml_table

_MOST = 200
_ENTRIES = ("main", "exports", "module", "browser", "types")
_HOSTED = re.compile(r"\b((?:github\.com|gitlab\.com|bitbucket\.org)/[\w-]+/[\w-]+)")
_BEFORE = r"(?:\s|//[^\n]*+|/\*.*?\*/)*+"
_GO_CLAUSE = re.compile(_BEFORE + r"package[ \t]+(\w+)", re.DOTALL)
_SCRIPTS = (".js", ".ts", ".jsx", ".tsx", ".mjs", ".mts")
_WAY_UP = re.compile(r"(?:from|import|require\(|import\()[ \t]*[\"'](\./)?\.\./")
_JAVA_DECLARED = re.compile(r"\b(?:class|interface|enum|record)[ \t]+(\w+)")
_JAVA_CLAUSE = re.compile(_BEFORE + r"(?:@[\w.]+(?:\([^()]*\))?\s*)*+package\s+([\w.]+)\s*;", re.DOTALL)
_MODULE = re.compile(r"(?m)^module[ \t]+\"?([^\s\"]+)")


class Alias(NamedTuple):
    """Names that start with `name` mean paths that start with `directory`, for files below `below`."""

    below: str
    name: str
    directory: str


class Projects:
    """The project files of the tree now; `read`: the current text of a path; `named`: the files that may name what
    moved."""

    def __init__(self, moves: Moves, read: Callable[[str], str | None], named: Collection[str] = ()) -> None:
        self.moves = moves
        self.read = read
        self.named = named
        self._packages: dict[str, str] = {}
        self._ways_up: dict[str, list[bool]] = {}

    def _texts(self, *names: str) -> Iterator[tuple[str, str]]:
        """(directory, text) of the files with these names, at most _MOST."""
        paths = sorted((p for p in self.moves.now if posixpath.basename(p) in names), key=lambda p: (p.count("/"), p))
        for path in paths[:_MOST]:
            text = self.read(path)
            if text is not None and "node_modules/" not in path:
                yield posixpath.dirname(path), text

    @cached_property
    def aliases(self) -> list[Alias]:
        """The path aliases of tsconfig.json and jsconfig.json, their base directories, under "", and the names of the
        packages in the tree."""
        found, bases = [], []
        for directory, text in self._texts("tsconfig.json", "tsconfig.base.json", "jsconfig.json"):
            options = table(jsonc_table(text).get("compilerOptions"))
            base = options.get("baseUrl")
            root = _below(directory, base) if isinstance(base, str) else directory
            if isinstance(base, str) and root is not None:
                bases.append(Alias(directory, "", f"{root}/" if root else ""))
            for name, targets in table(options.get("paths")).items():
                if root is not None and isinstance(targets, list) and name.endswith("/*"):
                    for target in targets:
                        if isinstance(target, str) and target.endswith("/*"):
                            to = _below(root, target[:-2])
                            found += [Alias(directory, name[:-1], f"{to}/" if to else "")] if to is not None else []
        found += bases
        for directory, text in self._texts("package.json"):
            package = jsonc_table(text).get("name")
            if isinstance(package, str) and package:
                found.append(Alias("", f"{package}/", f"{directory}/" if directory else ""))
        return found

    def states_entry(self, directory: str) -> bool:
        """Whether a directory is a package whose package.json says which file it means: no index file then."""
        stated = jsonc_table(self.read(posixpath.join(directory, "package.json")) or "")
        return not stated.keys().isdisjoint(_ENTRIES)

    def ways_up(self, path: str) -> list[bool]:
        """Whether each specifier that goes up in the scripts of the top directory of `path` starts with `./..`."""
        top = path[: path.find("/") + 1]
        if top not in self._ways_up:
            scripts = sorted(p for p in self.moves.now if p.startswith(top) and p.endswith(_SCRIPTS))[:_MOST]
            texts = (text for p in scripts if (text := self.read(p)) is not None)
            self._ways_up[top] = [bool(m[1]) for text in texts for m in _WAY_UP.finditer(text)]
        return self._ways_up[top]

    @cached_property
    def go_modules(self) -> list[tuple[str, str]]:
        """(module path, directory) of every go.mod, the longest module path first."""
        found = [(m[1], directory) for directory, text in self._texts("go.mod") if (m := _MODULE.search(text))]
        if not found:
            # Before modules the name of a repository was the path of its root: its own documents name it most.
            names = Counter(
                name
                for directory, text in self._texts("README.md", ".travis.yml", "Makefile", "README.rst")
                if not directory
                for name in _HOSTED.findall(text)
            )
            found = [(name, "") for name, _ in names.most_common(1)]
        return sorted(found, key=lambda row: -len(row[0]))

    @cached_property
    def go_words(self) -> re.Pattern[str] | None:
        """Matches a word that starts with the path of a module; None if there is no module."""
        modules = "|".join(re.escape(module) for module, _ in self.go_modules)
        word = rf"(?<![\w./@~%$}}-])(?:{modules})(?:/[\w.~+-]+)*+/?(?:@[\w.+-]*)?(?![\w/$*{{-])"
        return re.compile(word) if modules else None

    def go_names(self, directory: str) -> list[str]:
        """The import path of a directory in its module; none if it is in no module."""
        for module, root in self.go_modules:
            if not root or directory == root or directory.startswith(root + "/"):
                rest = directory[len(root) + 1 if root else 0 :]
                return [f"{module}/{rest}" if rest else module]
        return []

    def go_package(self, path: str) -> str:
        """What a Go file calls its package; "" if it does not say."""
        return self._clause(path, _GO_CLAUSE)

    @cached_property
    def java(self) -> JavaMoves:
        """The Java types that moved."""
        return JavaMoves(self.moves, lambda path: self._clause(path, _JAVA_CLAUSE))

    @cached_property
    def java_nested(self) -> frozenset[str]:
        """The names of types that Java files declare and are not called by: they may be inherited, and hide one of the
        same package."""
        found: set[str] = set()
        for path in (p for p in self.named if p.endswith(".java")):
            own = posixpath.splitext(posixpath.basename(self.moves.former(path)))[0]
            found |= {*_JAVA_DECLARED.findall(self.read(path) or "")} - {own}
        return frozenset(found)

    def _clause(self, path: str, pattern: re.Pattern[str]) -> str:
        if path not in self._packages:
            found = pattern.match(self.read(path) or "")
            self._packages[path] = found[1] if found else ""
        return self._packages[path]

    @cached_property
    def books(self) -> list[str]:
        """The directories with the pages of every mdBook."""
        found = []
        for directory, text in self._texts("book.toml"):
            source = table(toml_table(text).get("book")).get("src", "src")
            root = _below(directory, source) if isinstance(source, str) else None
            found += [root] if root is not None else []
        return found

    def is_in_book(self, path: str) -> bool:
        """Whether a document is a page of an mdBook, which makes `index.html` of its `README.md`."""
        return any(not root or path.startswith(root + "/") for root in self.books)

    @cached_property
    def crates(self) -> dict[str, str]:
        """The source directories of the libraries in the tree, by the name of their crate."""
        found = {}
        for directory, text in self._texts("Cargo.toml"):
            manifest = toml_table(text)
            package, library = table(manifest.get("package")), table(manifest.get("lib"))
            name, path = library.get("name") or package.get("name"), library.get("path", "src/lib.rs")
            if isinstance(name, str) and isinstance(path, str) and (root := _below(directory, path)):
                found[name.replace("-", "_")] = posixpath.dirname(root)
        return found

    @cached_property
    def crate_roots(self) -> frozenset[str]:
        """The files that Cargo.toml states to be the root of a crate."""
        found = set()
        for directory, text in self._texts("Cargo.toml"):
            manifest = toml_table(text)
            targets = [manifest.get("lib")]
            for kind in ("bin", "test", "example", "bench"):
                stated = manifest.get(kind)
                targets += items(stated)
            for target in targets:
                path = table(target).get("path")
                if isinstance(path, str) and (root := _below(directory, path)):
                    found.add(root)
        return frozenset(found)


def _below(directory: str, path: str) -> str | None:
    found = posixpath.normpath(posixpath.join(directory, path))
    return None if found.startswith(("..", "/")) else "" if found == "." else found
