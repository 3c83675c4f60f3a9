"""Are rename patches what people would have done? `python -m benches.judgement CLONES [--only NAME] [--examples N]`.

CLONES holds clones of public repositories, as `owner+name/repo` or `owner/name`. For each commit of
`benches/rename_commits.txt` the plain move is made on its parent: only the renames that are beyond doubt. The detector
looks at it, and every reference in its patch is judged, by readings that share nothing with it (`reference_paths`):

*The truth* is a reference that led to a moved file (or, in a moved file, to another one) before, and that people
changed in the commit so that it leads to where that file is now. What they rewrote so that it names something else
(a package that was divided, an index instead of a page) is none.

| outcome | what it means |
|---|---|
| exact | written as people wrote it |
| equal | another spelling that leads to the same file |
| missed | people changed it, the patch does not |
| later | people left it, and wrote the same within their next 10 commits of the file |
| dead | people left it, although it leads nowhere in their commit; ours leads to the moved file |
| otherwise | people took the line away or rewrote it to say something else; ours leads to the moved file |
| kept | people left it, and it still leads somewhere, since their commit left something at the old path |
| wrong | it does not lead to the moved file, or it did before the patch |

A second look, at the whole commit of people, is judged alike: *right* (the old reference leads nowhere, ours to the
renamed file), *later*, or *wrong*. Outcomes are kept in CLONES/judgement.jsonl by commit and by the code of the
detector: only what changed is looked at again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

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
    token_fixes,
    tokens,
    whole_moves,
)
from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.domain.action import FileEdit, PatchAction

HERE = Path(__file__).parent
PEOPLE = ("exact", "equal", "missed")
OUTCOMES = (*PEOPLE, "later", "dead", "otherwise", "kept", "wrong")
WHOLE = ("right", "later", "wrong")
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


class Judged(msgspec.Struct):
    """The outcomes of one commit; `code`: a hash of what judged it."""

    repository: str
    commit: str
    code: str
    outcomes: list[Outcome]
    renames: int
    patched: bool
    seconds: float


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
                right = judge.is_right(path, old, new) or new.split(".")[0] in bound
                if not right:
                    said = "wrong"
                elif hunk is not None:
                    said = "exact" if mine.strip() in {line.strip() for line in hunk.new} else "otherwise"
                else:
                    said = self._left(path, mine, lambda text, line=mine: line in text.split("\n"))
                    said = "kept" if said == "dead" and judge.leads(path, old, people) else said
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
            self._add("python import", said, path, line, _spelled(old), _spelled(made) if made else _news(ours - before))

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
                    right = judge.is_right(path, old, new) or new.split(".")[0] in bound
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


def _short(text: str) -> str:
    return text.strip()[:300]


def _spelled(name: ImportedName) -> str:
    return f"from {name.module} import {name.name}" if name.name else f"import {name.module}"


def _news(names: set[ImportedName]) -> str:
    return " | ".join(_spelled(n) for n in sorted(names))


def listed() -> list[tuple[str, str]]:
    """(owner/name, commit) of the public set."""
    lines = (HERE / "rename_commits.txt").read_text("utf-8").splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines if line.strip() and not line.startswith("#")]


def code() -> str:
    """A hash of the detector, of what it reads with, and of what judges it."""
    root = HERE.parent / "kairos"
    digest = hashlib.sha256()
    files = [*sorted((root / "detectors" / "stale_reference").glob("*.py")), *sorted(root.glob("_native*.so"))]
    files += [root / "detectors" / f"{name}.py" for name in ("maintained", "patching")]
    files += [HERE / f"{name}.py" for name in ("judgement", "reference_paths", "rename_clone", "rename_truth")]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def source_of(folder: Path, repository: str) -> Path | None:
    """The git directory of a clone."""
    places = (folder / repository.replace("/", "+") / "repo", folder / repository)
    return next((p for p in places if p.is_dir()), None)


def judged(folder: Path, wanted: Sequence[tuple[str, str]], kept: Path) -> Iterator[Judged]:
    """The judgements of these commits, those that are known from `kept`."""
    now = code()
    lines = kept.read_bytes().splitlines() if kept.exists() else []
    known = {(j.repository, j.commit): j for j in (msgspec.json.decode(r, type=Judged) for r in lines) if j.code == now}
    by_repository: dict[str, list[str]] = defaultdict(list)
    for repository, commit in wanted:
        by_repository[repository].append(commit)
    for repository, commits in by_repository.items():
        yield from (known[repository, c] for c in commits if (repository, c) in known)
        todo = [c for c in commits if (repository, c) not in known]
        source = source_of(folder, repository)
        if not todo or source is None:
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-judgement-") as place:
            clone = Clone(source.resolve(), Path(place) / "clone")
            for commit in todo:
                trial = Trial(clone, commit)
                trial.judge()
                made = Judged(repository, commit, now, trial.outcomes, len(trial.moved), trial.patched, trial.seconds)
                with kept.open("ab") as out:
                    out.write(msgspec.json.encode(made) + b"\n")
                yield made


def table(every: Sequence[Judged]) -> Iterator[str]:
    """The rows of the report, in Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    whole: Counter[str] = Counter()
    for one in every:
        for o in one.outcomes:
            if o.whole:
                whole[o.outcome] += 1
            else:
                counts[o.kind][o.outcome] += 1
    yield f"| kind | people changed | {' | '.join(OUTCOMES)} | exact |"
    yield "|---" * (len(OUTCOMES) + 3) + "|"
    for kind, of in sorted(counts.items()):
        people = sum(of[name] for name in PEOPLE)
        share = f"{100 * of['exact'] / people:.1f} %" if people else "–"
        yield f"| {kind} | {people} | {' | '.join(str(of[name]) for name in OUTCOMES)} | {share} |"
    total = sum(counts.values(), Counter[str]())
    changed = sum(total.values()) - total["missed"]
    wrong = [j for j in every if any(o.outcome == "wrong" and not o.whole for o in j.outcomes)]
    wrong_whole = [j for j in every if any(o.outcome == "wrong" and o.whole for o in j.outcomes)]
    tried = [j for j in every if 0 < j.renames <= LARGEST]
    yield ""
    yield (
        f"{len(tried)} commits with renames of {len({j.repository for j in tried})} repositories; "
        f"{sum(j.patched for j in tried)} patches of plain moves, {len(wrong)} with a wrong line; {changed} references "
        f"changed, {total['wrong']} wrong, {total['kept']} kept by people ({100 * total['kept'] / max(changed, 1):.1f} %)."
    )
    yield (
        f"After the whole commits: {', '.join(f'{whole[name]} {name}' for name in WHOLE)}; {len(wrong_whole)} patches "
        f"with a wrong line. {1000 * sum(j.seconds for j in tried) / max(2 * len(tried), 1):.0f} ms a look."
    )


def show(every: Sequence[Judged], most: int, only: Sequence[str]) -> None:
    """Prints so many examples of each kind and outcome."""
    seen: Counter[tuple[str, str, bool]] = Counter()
    for one in every:
        for o in one.outcomes:
            if o.outcome not in only:
                continue
            seen[o.kind, o.outcome, o.whole] += 1
            if seen[o.kind, o.outcome, o.whole] <= most:
                where = "whole commit" if o.whole else "plain move"
                print(f"\n{o.kind} {o.outcome} ({where}): {one.repository} {one.commit[:10]} {o.path}:{o.line + 1}")
                print(f"  - {o.old}\n  ours   {o.ours}\n  people {o.theirs or '(left it)'}")


def fresh(folder: Path, repositories: Sequence[str], most: int) -> Iterator[str]:
    """The lines of a new list of commits."""
    for repository in repositories:
        source = source_of(folder, repository)
        if source is None:
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-judgement-") as place:
            clone = Clone(source.resolve(), Path(place) / "clone")
            for oid in clone.commits(most):
                if 0 < len(clone.renames(clone.parent(oid), oid)) <= LARGEST:
                    yield f"{repository} {oid}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.judgement", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--only", action="append", default=[], help="repositories whose name contains this")
    parser.add_argument("--kept", type=Path, help="the file with known outcomes; default: CLONES/judgement.jsonl")
    parser.add_argument("--examples", type=int, default=0, help="so many examples of each kind and outcome")
    parser.add_argument("--outcome", action="append", default=[], help="examples of these outcomes only")
    parser.add_argument("--list", nargs="+", metavar="OWNER/NAME", help="print a list of commits instead")
    parser.add_argument("--most", type=int, default=25, help="commits a repository in such a list")
    options = parser.parse_args()
    if options.list:
        print(*fresh(options.clones, options.list, options.most), sep="\n")
        return
    wanted = [(r, c) for r, c in listed() if not options.only or any(word in r for word in options.only)]
    every: list[Judged] = []
    for one in judged(options.clones, wanted, options.kept or options.clones / "judgement.jsonl"):
        if every and every[-1].repository != one.repository and os.isatty(2):
            print(f"{every[-1].repository}: done, {len(every)} of {len(wanted)} commits", file=sys.stderr)
        every.append(one)
    show(every, options.examples, options.outcome or ("wrong", "missed", "kept", "equal"))
    print(*table(every), sep="\n")


if __name__ == "__main__":
    main()
