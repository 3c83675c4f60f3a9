"""Judges the references that a rename patch changes, and finds those that people changed: see `judgement`."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from benches.reference_paths import ImportedName, PathTree, imports_of
from benches.rename_clone import Hunk

_TOKEN = re.compile(r"[\w./@~:+-]*\w[\w./@~:+-]*|\.+")
_KINDS = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".jsx": "javascript", ".mjs": "javascript",
    ".cjs": "javascript", ".ts": "typescript", ".tsx": "typescript", ".mts": "typescript", ".cts": "typescript",
    ".go": "go", ".rs": "rust", ".c": "c", ".h": "c", ".cc": "c", ".cpp": "c", ".hpp": "c", ".cxx": "c", ".hh": "c",
    ".md": "markdown", ".mdx": "markdown", ".markdown": "markdown", ".rst": "rest", ".html": "html", ".htm": "html",
    ".css": "css", ".scss": "css", ".less": "css", ".java": "java",
}  # fmt: skip
_ALIKE, _LONGEST, _MOST = 0.6, 400, 60


class Reference(NamedTuple):
    """A reference in a line: the part that names something, as text."""

    line: int
    kind: str
    written: str


class Change(NamedTuple):
    """A reference that became another one."""

    reference: Reference
    new: str
    text: str


def language_of(path: str) -> str:
    """The language of a file by its name."""
    return _KINDS.get(posixpath.splitext(path)[1].lower(), "configuration")


def kind_of(path: str, line: str, *, code: bool) -> str:
    """What is counted together: a language, and within it imports and others, text and code blocks."""
    language, body = language_of(path), line.strip()
    match language:
        case "python":
            sort = "import" if re.match(r"(?:from|import)\b", body) else "other"
        case "javascript" | "typescript":
            m = re.search(r"(?:from|import|require)\s*\(?\s*[\"']([^\"']+)|^export.*[\"']([^\"']+)", body)
            sort = "other" if m is None else "relative" if (m[1] or m[2] or "").startswith(".") else "bare"
        case "go":
            sort = "import" if re.fullmatch(r"(?:import )?[\w.]*\s*\"[^\"]+\"", body) else "other"
        case "rust":
            sort = "mod use" if re.match(r"(?:pub(?:\([^)]*\))? )?(?:mod|use)\b|#\[path", body) else "other"
        case "java":
            sort = "import" if re.match(r"(?:import|package)\b", body) else "other"
        case "c":
            sort = "include" if re.match(r"#\s*include", body) else "other"
        case "markdown" | "rest":
            return f"{language} code" if code else language
        case _:
            return language
    return f"{language} {sort}"


def code_lines(path: str, text: str) -> frozenset[int]:
    """The lines of code blocks in a document, from 0."""
    found: set[int] = set()
    language = language_of(path)
    fence, indent = "", -1
    for number, line in enumerate(text.split("\n") if language in ("markdown", "rest") else ()):
        body = line.strip()
        depth = len(line) - len(line.lstrip())
        if language == "markdown":
            m = re.match(r"(`{3,}|~{3,})", body)
            if fence or m:
                found.add(number)
            if m and not fence:
                fence = m[1]
            elif m and body == m[1] and body.startswith(fence):
                fence = ""
        elif body:
            if body.startswith(">>>") or 0 <= indent < depth:
                found.add(number)
            else:
                literal = body.endswith("::") and not body.startswith("..")
                block = re.match(r"\.\. (?:code|code-block|sourcecode|parsed-literal|prompt|doctest)::", body)
                indent = depth if literal or block else -1
    return frozenset(found)


def tokens(line: str) -> list[str]:
    """The words, paths and dotted names of a line."""
    return [m[0].rstrip(".:,") or m[0] for m in _TOKEN.finditer(line)]


def whole_moves(moved: Mapping[str, str], before: PathTree) -> dict[str, str]:
    """The moves of files, of directories of which every file moved with the same rest, and of packages of Go and Java
    of which every file (in Go, but tests) moved into one directory."""
    found = dict(moved)
    inside: dict[str, set[str]] = {}
    packages: dict[str, set[str]] = {}
    for path in before.files:
        new = moved.get(path)
        if path.endswith(".java") or (path.endswith(".go") and not path.endswith("_test.go")):
            packages.setdefault(posixpath.dirname(path), set()).add(posixpath.dirname(new) if new else "\0")
        above = path
        while above := posixpath.dirname(above):
            rest = path[len(above) :]
            inside.setdefault(above, set()).add(new.removesuffix(rest) if new and new.endswith(rest) else "\0")
    for old, news in inside.items():
        if len(news) == 1 and "\0" not in news and old not in news:
            found[old + "/"] = news.pop() + "/"
    for old, news in packages.items():
        if len(news) == 1 and "\0" not in news and old not in news:
            found[old + "/*"] = news.pop() + "/*"
    return found


@dataclass(frozen=True)
class Judge:
    """Judges references of one commit. `before`: its parent; `now`: the tree in which a new reference must lead to the
    same file as before; `moved`: see `whole_moves`."""

    before: PathTree
    now: PathTree
    moved: Mapping[str, str]

    def former(self, path: str) -> str:
        """The path that a file had before."""
        return next((old for old, new in self.moved.items() if new == path), path)

    def targets(self, path: str, reference: str | ImportedName) -> frozenset[str]:
        """Where the things that a reference meant before are now, if the move concerns them: they moved, or the file
        that refers to them relatively did."""
        former = self.former(path)
        meant = self._leads(self.before, former, path, reference)
        own = former != path
        found = {self.moved.get(t, t) for t in meant if t in self.moved or own}
        if own and path.endswith(".java") and posixpath.dirname(former) + "/*" in meant:
            # The package that it states is that of its directory.
            found = found - {posixpath.dirname(former) + "/*"} | {posixpath.dirname(path) + "/*"}
        return frozenset(found)

    def leads(self, path: str, reference: str | ImportedName, tree: PathTree | None = None) -> frozenset[str]:
        """What a reference means now (or in another tree)."""
        return self._leads(tree or self.now, path, path, reference)

    @staticmethod
    def _leads(tree: PathTree, at: str, path: str, reference: str | ImportedName) -> frozenset[str]:
        if isinstance(reference, ImportedName):
            return tree.imported(at, reference)
        return tree.leads(at, reference, language_of(path))

    def is_right(self, path: str, old: str | ImportedName, new: str | ImportedName) -> bool:
        """Whether a new reference leads to where a thing that the old one meant is now, and the old one does not."""
        targets = self.targets(path, old)
        if isinstance(old, ImportedName):
            still = self.leads(path, old)
        else:
            still = self.now.leads(path, old, language_of(path), near=True)
        return bool(targets & self.leads(path, new)) and not targets & still


def lines_of(text: str) -> list[str]:
    """The lines of a text as a diff has them."""
    return text.split("\n")


def changed_tokens(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The tokens of a line that were replaced one by one."""
    was, now = tokens(before), tokens(after)
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            yield from zip(was[i1:i2], now[j1:j2], strict=True)


def token_fixes(path: str, text: str, hunks: Iterable[Hunk], judge: Judge) -> Iterator[Change]:
    """The tokens that people changed so that they lead to where the moved thing is. Imports of Python are not among
    them: see `import_fixes`."""
    hunks = list(hunks)
    gone = {part for old in judge.moved for part in re.split(r"\W+", old) if part}
    own, asked = judge.former(path) != path, 0
    free = [line for hunk in hunks for line in hunk.new if len(line) <= _LONGEST][:_MOST]
    inside = code_lines(path, text)
    imports = import_lines(path, text)
    for hunk in hunks:
        for at, before in enumerate(hunk.old):
            number = hunk.start + at
            if number in imports or len(before) > _LONGEST:
                continue
            named = not gone.isdisjoint(re.split(r"\W+", before))
            if not own and not named:
                continue
            paired = hunk.new[at : at + 1] if len(hunk.old) == len(hunk.new) else []
            near = hunk.new if len(hunk.new) < 9 else []
            asked += named
            close = difflib.get_close_matches(before, free, 3, _ALIKE) if named and asked <= _MOST else []
            for after in [*paired, *near, *close]:
                changes = [(o, n) for o, n in changed_tokens(before, after) if is_written(path, before, o)]
                fixes = [(o, n) for o, n in changes if judge.is_right(path, o, n)]
                if fixes:
                    kind = kind_of(path, before, code=number in inside)
                    yield from (Change(Reference(number, kind, o), n, after) for o, n in fixes)
                    break


def is_written(path: str, line: str, token: str) -> bool:
    """Whether a token of a document may be a reference: a word of prose is none, unless it stands as a destination."""
    if language_of(path) not in ("markdown", "rest") or re.search(r"[/.]", token):
        return True
    word = re.escape(token)
    return re.search(rf"\]\({word}[)#]|<{word}>|:doc:`{word}`|^\s*{word}\s*$", line) is not None


def import_fixes(path: str, text: str, human: str, judge: Judge) -> Iterator[tuple[int, ImportedName, ImportedName]]:
    """(line, old, new) of the imported names that people changed so that they come from where the module is now."""
    if language_of(path) != "python":
        return
    theirs = {name for _, _, name in imports_of(human)}
    by_bound: dict[str, list[ImportedName]] = {}
    for name in theirs:
        by_bound.setdefault(name.bound, []).append(name)
    for line, _, old in imports_of(text):
        if old in theirs:
            continue
        targets = judge.targets(path, old)
        others = [*by_bound.get(old.bound, []), *(n for n in theirs if not old.name or n.bound != old.bound)]
        new = next((n for n in others if targets & judge.leads(path, n) and is_alike(old, n, targets)), None)
        if targets and new is not None and not targets & judge.leads(path, old):
            yield line, old, new


def is_alike(old: ImportedName, new: ImportedName, targets: frozenset[str]) -> bool:
    """Whether two imports bind the same, or each binds the module under its own name."""
    if old.bound == new.bound:
        return True
    stems = {posixpath.basename(posixpath.splitext(t.removesuffix("/__init__.py"))[0]) for t in targets}
    return (new.name or new.module.rpartition(".")[2]) in stems


def import_lines(path: str, text: str) -> frozenset[int]:
    if language_of(path) != "python":
        return frozenset()
    return frozenset(n for first, last, _ in imports_of(text) for n in range(first, last + 1))
