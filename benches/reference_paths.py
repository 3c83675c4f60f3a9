"""What a written reference can mean in a tree of paths: a reading that shares nothing with the detector.

It is generous: it knows no configuration, so a name means every file that some root explains. A judgement asks whether
one certain file, which a commit moved, is among them."""

from __future__ import annotations

import ast
import posixpath
import re
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

_DOCUMENT = ("", ".md", ".mdx", ".rst", ".txt", ".ipynb", "/index.md", "/index.rst", "/README.md")
_SCRIPT = (
    "", ".js", ".ts", ".tsx", ".jsx", ".mjs", ".cjs", ".mts", ".json", ".vue", ".d.ts", ".md", ".mdx",
    "/index.js", "/index.ts", "/index.tsx", "/index.mjs",
)  # fmt: skip
_BELOW = ("", "docs", "doc", "src", "static", "public", "lib")
_SUFFIX = re.compile(r"\.(?:py|pyi|md|rst|txt|cfg|toml|ini|js|ts|json|html|css|sh|yml|yaml|rs|go|c|h)$")
_FROM = re.compile(r"[ \t>.]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]+\(?([\w, \t]+)")
_IMPORT = re.compile(r"[ \t>.]*import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+)*)")

_ROOT = "rootDir/"
"""How a script of Gradle begins a path from the root: `$rootDir/`, of which `$` is in no token."""


class ImportedName(NamedTuple):
    """One name of an import: the module as written, the name taken from it ("" for a plain import), and the name that
    it binds."""

    module: str
    name: str
    bound: str


class PathTree:
    """The files of a commit; a directory is its path with a slash, a package of Go or Java its path with `/*`."""

    def __init__(self, files: Collection[str]) -> None:
        self.files = frozenset(files)
        self.entries = set(files)
        self.ends: dict[str, list[str]] = defaultdict(list)
        self.stems: dict[str, list[str]] = defaultdict(list)
        self.java_packages: set[str] = set()
        for path in sorted(files):
            base = posixpath.basename(path)
            self.ends[base].append(path)
            self.stems[base.partition(".")[0]].append(path)
            if path.endswith(".java"):
                self.java_packages.add(posixpath.dirname(path) + "/*")
            if path.endswith(".go"):
                self.entries.add(posixpath.dirname(path) + "/*")
            while path := posixpath.dirname(path):
                self.entries.add(path + "/")

    def leads(self, path: str, token: str, language: str, *, near: bool = False) -> frozenset[str]:
        """What a token in the file `path` can mean; `near`: a path is read from the file and from the root only."""
        found: set[str] = set()
        if language == "rust":
            found |= set(self._rust(path, token))
        elif language == "go" and "/" in token:
            found |= {e for e in self._tails(token) if e.endswith("/*")}
        elif language == "java":
            return frozenset(self._java(token))
        if (
            language in ("c", "rust", "go")
            or token in self.files
            or "/" in token
            or "." in token
            or language in ("markdown", "rest")
        ):
            found |= set(self._paths(path, token, language, near=near))
        if language in ("markdown", "rest"):
            # A document holds programs in any language.
            found |= {e for e in self._tails(token) if "/" in token and e.endswith("/*")}
            found |= {e for e in self._java(token) if "." in token and e.endswith(".java")}
            found |= set(self._rust(path, token)) if "::" in token else set()
        if re.fullmatch(r"\.*[A-Za-z_]\w*(?:\.\w+)*", token) and "." in token and not _SUFFIX.search(token):
            found |= set(self.dotted(path, token))
        return frozenset(found)

    def _paths(self, path: str, token: str, language: str, *, near: bool) -> Iterator[str]:
        body = (
            re.split(r"[#?]|(?<!:):(?!:)", token, maxsplit=1)[0].removeprefix("@/").removeprefix("~/").removesuffix(".")
        )
        if not re.search(r"\w", body):
            return
        here = posixpath.dirname(path)
        if language == "configuration" and body.startswith(_ROOT):
            here, body, near = "", body.removeprefix(_ROOT), True
        if near or body.startswith("."):
            bases = [here, ""] if language in ("configuration", "python") else [here]
        else:
            bases = [d for a in (here, *_above(here)) for d in _beneath(a)]
        script = language in ("javascript", "typescript", "html", "css")
        ends = _SCRIPT if script else _DOCUMENT if language == "configuration" else ("",)
        ends = (*_DOCUMENT, *_SCRIPT) if language in ("markdown", "rest") else ends
        bare = body.lstrip("/").rstrip("/")
        forms = [bare + end for end in ends]
        if script and bare.endswith(".js"):
            forms += [bare[:-3] + end for end in (".ts", ".tsx")]
        if bare.endswith(".html") and language in ("markdown", "rest"):
            forms += [bare[:-5] + end for end in (".md", ".rst")]
        for base in dict.fromkeys(bases):
            for form in forms:
                full = posixpath.normpath(posixpath.join(base, form))
                yield from (e for e in (full, full + "/") if e in self.entries)
        if not near and (language == "c" or token.startswith(("@", "~", "/"))):
            yield from self._tails(bare)

    def _java(self, token: str) -> Iterator[str]:
        """The files of the type that the first words of a name are; if there is none, the packages that it is."""
        parts = re.split(r"::|\.", token.lstrip("@"))
        for count in range(len(parts), 0, -1):
            ending = "/" + "/".join(parts[:count]) + ".java"
            if found := [f for f in self.stems[parts[count - 1]] if f"/{f}".endswith(ending)]:
                yield from found
                return
        ending = "/" + "/".join(parts) + "/*"
        yield from (e for e in self.java_packages if f"/{e}".endswith(ending))

    def _tails(self, token: str) -> Iterator[str]:
        """The files that end like a token, and the packages of Go whose path a token ends with."""
        yield from (p for p in self.ends[posixpath.basename(token)] if f"/{p}".endswith(f"/{token}"))
        parts = token.split("/")
        for at in range(len(parts)):
            package = "/".join(parts[at:]) + "/*"
            if package in self.entries:
                yield package

    def _rust(self, path: str, token: str) -> Iterator[str]:
        parts = [p for p in token.split("::") if p and p not in ("crate", "self", "super", "pub")]
        for before, part in zip(["", *parts], parts, strict=False):
            for file in (*self.stems[part], *self.ends["mod.rs"]):
                above = posixpath.dirname(file)
                if file.endswith("/mod.rs"):
                    if posixpath.basename(above) != part:
                        continue
                    above = posixpath.dirname(above)
                if not file.endswith(".rs"):
                    continue
                parent = posixpath.basename(above).replace("-", "_")
                if not before or parent in (before, "src") or above == posixpath.dirname(path):
                    yield file

    def dotted(self, path: str, name: str) -> Iterator[str]:
        """The modules of Python that the first parts of a dotted name can mean."""
        bare = name.lstrip(".")
        parts = bare.split(".")
        for count in range(len(parts), 0, -1):
            prefix = name[: len(name) - len(bare)] + ".".join(parts[:count])
            if found := set(self.modules(path, prefix)):
                yield from found
                return

    def modules(self, path: str, module: str) -> Iterator[str]:
        """The modules of Python that a whole name can mean in a file."""
        bare = module.lstrip(".")
        level = len(module) - len(bare)
        rest = bare.replace(".", "/")
        if level:
            base = posixpath.dirname(path)
            for _ in range(level - 1):
                base = posixpath.dirname(base)
            stem = posixpath.join(base, rest).rstrip("/")
            yield from (p for p in (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi") if p in self.files)
            if f"{stem}/" in self.entries and f"{stem}/__init__.py" not in self.files:
                yield f"{stem}/"
            return
        last = posixpath.basename(rest)
        for form, where in ((f"{rest}.py", f"{last}.py"), (f"{rest}/__init__.py", "__init__.py")):
            for file in self.ends[where]:
                root = file[: -len(form)].rstrip("/")
                if f"/{file}".endswith(f"/{form}") and (
                    not root or f"{root}/__init__.py" not in self.files or root == posixpath.dirname(path)
                ):
                    yield file

    def imported(self, path: str, one: ImportedName) -> frozenset[str]:
        """The modules that an imported name can come from or be: a submodule of this name, else the module."""
        if not one.name:
            return frozenset(self.modules(path, one.module))
        inner = one.module + one.name if one.module.endswith(".") else f"{one.module}.{one.name}"
        own = {p for p in self.modules(path, one.module) if not p.endswith("/")}
        return frozenset(own | set(self.modules(path, inner)))


def _above(directory: str) -> Iterator[str]:
    while directory:
        directory = posixpath.dirname(directory)
        yield directory


def _beneath(directory: str) -> Iterator[str]:
    return (posixpath.join(directory, name) for name in _BELOW)


@lru_cache(maxsize=256)
def imports_of(text: str) -> tuple[tuple[int, int, ImportedName], ...]:
    """(first line, last line, name) of every imported name, from 0. A text that does not parse is read by line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError):
        return tuple(_by_line(text))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [ImportedName(a.name, "", a.asname or a.name.rpartition(".")[2]) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = [ImportedName(module, a.name, a.asname or a.name) for a in node.names]
        else:
            continue
        found += [(node.lineno - 1, (node.end_lineno or node.lineno) - 1, name) for name in names]
    return tuple(found)


def _by_line(text: str) -> Iterator[tuple[int, int, ImportedName]]:
    for number, line in enumerate(text.split("\n")):
        if m := _FROM.match(line):
            for one in m[2].split(","):
                if words := one.split():
                    yield number, number, ImportedName(m[1], words[0], words[-1])
        elif m := _IMPORT.match(line):
            for one in m[1].split(","):
                words = one.split()
                yield number, number, ImportedName(words[0], "", words[-1].rpartition(".")[2])
