"""Tries one commit with renames: looks at its plain move and at the whole commit, and judges each reference."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable

import msgspec

from benches.reference_paths import ImportedName, PathTree, imports_of
from benches.rename_clone import Clone, Hunk
from benches.rename_truth import (
    Judge,
    changed_tokens,
    code_lines,
    import_fixes,
    import_lines,
    is_alike,
    kind_of,
    language_of,
    token_fixes,
    tokens,
    whole_moves,
)
from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.domain.action import FileEdit, PatchAction

LARGEST = 400
"""Commits with more renames than this are left out: they are imports of other repositories."""
_LATER = 10


class Outcome(msgspec.Struct):
    """What became of one reference; `whole`: of the look at the whole commit."""

    kind: str
    outcome: str
    path: str
    line: int
    old: str
    ours: str = ""
    theirs: str = ""
    whole: bool = False


class Patch:
    """What a look changes in one file: its text before and after, and the new lines by the number of the old ones."""

    def __init__(self, text: str, edit: FileEdit | None) -> None:
        self.text = text
        lines = text.split("\n")
        self.lines: dict[int, str] = {}
        new = [line + "\n" for line in lines[:-1]] + [lines[-1]]
        for hunk in reversed(edit.hunks if edit is not None else []):
            new[hunk.start : hunk.start + len(hunk.old)] = hunk.new
            for at in range(len(hunk.old)):
                self.lines[hunk.start + at] = hunk.new[at].rstrip("\n") if at < len(hunk.new) else ""
        self.after = "".join(new)


class Trial:
    """One commit of people: the clone, the trees before and after it, and what was moved."""

    def __init__(self, clone: Clone, oid: str) -> None:
        self.clone, self.oid = clone, oid
        self.parent = clone.parent(oid)
        self.moved = clone.renames(self.parent, oid)
        self.outcomes: list[Outcome] = []
        self.seconds = 0.0
        self.patched = False

    def judge(self) -> None:
        """Looks at the plain move and at the whole commit."""
        if not 0 < len(self.moved) <= LARGEST:
            return
        plain = self.clone.plain(self.parent, self.moved)
        before, people = PathTree(self.clone.paths(self.parent)), PathTree(self.clone.paths(self.oid))
        moves = whole_moves(self.moved, before)
        judge = Judge(before, PathTree(self.clone.paths(plain)), moves)
        edits = self._look(plain, self.parent)
        self.patched = bool(edits)
        hunks = self.clone.hunks(plain, self.oid)
        for path in sorted(hunks.keys() | edits.keys()):
            if path in people.files and kept_by_hand(path):
                patch = Patch(self.clone.text(plain, path), edits.get(path))
                self._compare(path, patch, hunks.get(path, []), judge, people)
        guessed = self.clone.renames(self.parent, self.oid, least=50)
        whole = Judge(before, people, whole_moves(guessed, before))
        for path, edit in sorted(self._look(self.oid, self.parent).items()):
            self._whole(path, Patch(self.clone.text(self.oid, path), edit), whole)

    def _look(self, oid: str, parent: str) -> dict[str, FileEdit]:
        scene = self.clone.scene(oid, parent)
        begun = time.perf_counter()
        found = list(StaleReference().look(scene))
        self.seconds += time.perf_counter() - begun
        actions = [f.action for f in found if isinstance(f.action, PatchAction)]
        return {edit.fs: edit for action in actions for edit in action.edits}

    def _compare(self, path: str, patch: Patch, hunks: list[Hunk], judge: Judge, people: PathTree) -> None:
        human = self.clone.text(self.oid, path)
        self._compare_imports(path, patch, human, judge, people)
        inside, imports = code_lines(path, patch.text), import_lines(path, patch.text)
        known: set[tuple[int, str]] = set()
        rows = patch.text.split("\n")
        for fix in token_fixes(path, patch.text, hunks, judge):
            number, old = fix.reference.line, fix.reference.written
            if (number, old) in known:
                continue
            known.add((number, old))
            mine = patch.lines.get(number, rows[number])
            have = tokens(mine)
            made = next((n for o, n in changed_tokens(rows[number], mine) if o == old), None)
            if fix.new in have and (old not in have or old in tokens(fix.text)):
                said = "exact"
            elif made is None:
                said = "missed"
            else:
                said = "equal" if judge.is_right(path, old, made) else "wrong"
            self._add(fix.reference.kind, said, path, number, rows[number], mine, fix.text)
        bound = {name.bound for _, _, name in imports_of(patch.after)} if imports else set()
        for number, mine in sorted(patch.lines.items()):
            if number in imports:
                continue
            kind = kind_of(path, rows[number], code=number in inside)
            for old, new in changed_tokens(rows[number], mine):
                if (number, old) in known:
                    continue
                hunk = next((h for h in hunks if h.start <= number < h.start + len(h.old)), None)
                theirs = " | ".join(hunk.new) if hunk else ""
                right = _is_right(judge, path, rows[number], old, new) or new.split(".")[0] in bound
                if hunk is not None and mine.strip() in {line.strip() for line in hunk.new}:
                    said = "exact"
                elif not right:
                    said = "wrong"
                elif hunk is not None:
                    said = "otherwise"
                else:
                    said = self._left(path, mine, lambda text, line=mine: line in text.split("\n"))
                    still = people.leads(path, old, language_of(path), near=True)
                    said = "kept" if said == "dead" and still else said
                self._add(kind, said, path, number, rows[number], mine, theirs)

    def _compare_imports(self, path: str, patch: Patch, human: str, judge: Judge, people: PathTree) -> None:
        theirs, ours = {n for *_, n in imports_of(human)}, {n for *_, n in imports_of(patch.after)}
        fixes = list(import_fixes(path, patch.text, human, judge)) if path.endswith((".py", ".pyi")) else []
        known = {(line, old) for line, old, _ in fixes}
        before = {n for *_, n in imports_of(patch.text)} if fixes or patch.lines else set()
        for line, old, new in fixes:
            if old in ours:
                said = "missed"
            elif new in ours:
                said = "exact"
            else:
                said = "equal" if self._made(path, old, ours - before, judge) else "wrong"
            self._add("python import", said, path, line, _spelled(old), _news(ours - before), _spelled(new))
        for line, _, old in imports_of(patch.text) if patch.lines and path.endswith((".py", ".pyi")) else ():
            if old in ours or (line, old) in known:
                continue
            made = self._made(path, old, ours - before, judge)
            if made is None:
                said = "wrong"
            elif old not in theirs:
                said = "exact" if made in theirs else "otherwise"
            else:
                said = self._left(path, "", lambda text, name=made: name in {n for *_, n in imports_of(text)})
                said = "kept" if said == "dead" and self._still(path, old, judge, people) else said
            self._add(
                "python import", said, path, line, _spelled(old), _spelled(made) if made else _news(ours - before)
            )

    def _made(self, path: str, old: ImportedName, news: set[ImportedName], judge: Judge) -> ImportedName | None:
        """The new form of an import among those that the patch wrote, if it leads to the same thing."""
        targets = judge.targets(path, old)
        return next((n for n in sorted(news) if judge.is_right(path, old, n) and is_alike(old, n, targets)), None)

    def _still(self, path: str, old: ImportedName, judge: Judge, people: PathTree) -> bool:
        """Whether an old import leads to something in the commit of people that has the name."""
        for found in judge.leads(path, old, people):
            inner = found.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
            if not old.name or inner == old.name or found.endswith("/"):
                return True
            if old.name == "*" or old.name in self.clone.text(self.oid, found):
                return True
        return False

    def _left(self, path: str, line: str, wrote: Callable[[str], bool]) -> str:
        """What people did with a line that they left alone in this commit: the same later, or nothing."""
        return "later" if any(wrote(text) for text in self.clone.next_texts(self.oid, path, _LATER)) else "dead"

    def _whole(self, path: str, patch: Patch, judge: Judge) -> None:
        """Judges what is proposed after the commit of people."""
        imports, rows = import_lines(path, patch.text), patch.text.split("\n")
        inside = code_lines(path, patch.text)
        before, ours = {n for *_, n in imports_of(patch.text)}, {n for *_, n in imports_of(patch.after)}
        if imports:
            for line, _, old in imports_of(patch.text):
                if old not in ours:
                    made = self._made(path, old, ours - before, judge)
                    self._said(made is not None, "python import", path, line, _spelled(old), _news(ours - before))
        bound = {name.bound for name in ours} if imports else set()
        for number, mine in sorted(patch.lines.items()):
            if number not in imports:
                for old, new in changed_tokens(rows[number], mine):
                    right = _is_right(judge, path, rows[number], old, new) or new.split(".")[0] in bound
                    self._said(
                        right, kind_of(path, rows[number], code=number in inside), path, number, rows[number], mine
                    )

    def _said(self, right: bool, kind: str, path: str, line: int, old: str, ours: str) -> None:
        said = "right" if right else self._left(path, ours, lambda text: ours in text.split("\n"))
        self._add(kind, "wrong" if said == "dead" else said, path, line, old, ours, whole=True)

    def _add(
        self, kind: str, said: str, path: str, line: int, old: str, ours: str, theirs: str = "", *, whole: bool = False
    ) -> None:
        self.outcomes.append(Outcome(kind, said, path, line, *(_short(t) for t in (old, ours, theirs)), whole))


def _is_right(judge: Judge, path: str, line: str, old: str, new: str) -> bool:
    """Whether a new token is right where it stands: in a command of a document, `./x` may be from the root."""
    if judge.is_right(path, old, new):
        return True
    command = old.startswith("./") and re.search(rf"`{re.escape(old)} [^`]*`", line)
    return bool(command) and judge.is_right(posixpath.basename(path), old, new)


def _short(text: str) -> str:
    return text.strip()[:300]


def _spelled(name: ImportedName) -> str:
    return f"from {name.module} import {name.name}" if name.name else f"import {name.module}"


def _news(names: set[ImportedName]) -> str:
    return " | ".join(_spelled(n) for n in sorted(names))
