"""RenameBench: `python -m benches.rename_bench CLONES [--most N] [--peers FOLDER] [--tsserver FILE]`.

Given only the plain move of a commit of people, each tool says what else changes: Kairos, and beside it, in turns and
from the same tree, refactoring libraries and language servers. rope, pyrefly, ty and basedpyright are installed into a
venv of the bench's own; TypeScript's server is the one that `--tsserver` names (Debian: node-typescript), Go's the one
that `--gopls` names.

*exact*: of the references that people fixed in that commit, those that the tool writes the same; see `rename_truth.py`.
*quiet*: commits without a line that the tool changed and people left as it was. A line that people left tells nothing,
if what it names leads nowhere in their commit (they forgot it), or to a file that is not in the tree that the tools
had (people added it, or moved it with so many changes that the plain move leaves it out): see `tells_nothing`. The
commits are those of `rename_commits.txt` and `rename_beside.txt` that move at most ten files and in which people fixed
references; CLONES is a folder of clones.
"""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benches.judgement import listed, source_of
from benches.reference_paths import PathTree, imports_of
from benches.rename_clone import Clone
from benches.rename_servers import ask_gopls, ask_server, ask_typescript, move
from benches.rename_truth import Judge, import_fixes, language_of, token_fixes, tokens, whole_moves
from kairos.detectors.maintained import kept_by_hand
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.domain.action import PatchAction, apply_edit

Tool = Callable[[Path, Mapping[str, str]], None]
"""Moves files in a work tree and changes what names them."""
_PACKAGES = ("rope", "pyrefly", "ty", "basedpyright")
_LANGUAGES = {
    "python": (".py", ".pyi"),
    "typescript": (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs"),
    "go": (".go",),
}
_MOST_MOVED = 10
_SLOWEST = 120
_ROPE = """
import json, posixpath, sys
from rope.base.project import Project
from rope.refactor.move import MoveModule
from rope.refactor.rename import Rename
root, moved = json.load(sys.stdin)
project = Project(root, ropefolder=None)
for old, new in moved.items():
    if not old.endswith(".py"):
        continue
    try:
        at = old
        if posixpath.dirname(old) != posixpath.dirname(new):
            folder = project.root
            for name in posixpath.dirname(new).split("/") if posixpath.dirname(new) else []:
                folder = folder.get_child(name) if folder.has_child(name) else folder.create_folder(name)
            project.do(MoveModule(project, project.get_resource(at)).get_changes(folder))
            at = posixpath.join(posixpath.dirname(new), posixpath.basename(old))
        if posixpath.basename(old) != posixpath.basename(new):
            changes = Rename(project, project.get_resource(at)).get_changes(posixpath.basename(new)[:-3])
            project.do(changes)
    except Exception as error:
        print(old, repr(error), file=sys.stderr)
project.close()
"""


@dataclass
class Score:
    """What a tool did in all commits of a language."""

    commits: int = 0
    quiet: int = 0
    fixes: int = 0
    exact: int = 0
    failed: int = 0
    seconds: float = 0.0


class Bench:
    """One clone, in which every tool answers for one commit after the other."""

    def __init__(self, clone: Clone, tools: Mapping[str, Mapping[str, Tool]], *, told: bool = False) -> None:
        self.clone, self.tools, self.told = clone, tools, told
        self.scores: dict[tuple[str, str], Score] = defaultdict(Score)
        self.fixed: dict[str, int] = defaultdict(int)
        """The commits in which people fixed references, by language."""

    def try_one(self, oid: str) -> None:
        """Tries a commit that moves few files, with every tool of each language in which people fixed references."""
        parent = self.clone.parent(oid)
        moved = self.clone.renames(parent, oid)
        if not 0 < len(moved) <= _MOST_MOVED:
            return
        plain = self.clone.plain(parent, moved)
        before = PathTree(self.clone.paths(parent))
        judge = Judge(before, PathTree(self.clone.paths(plain)), whole_moves(moved, before))
        people = PathTree(self.clone.paths(oid))
        for language, suffixes in _LANGUAGES.items():
            moves_some = any(old.endswith(suffixes) for old in moved)
            truth = self._truth(plain, oid, suffixes, judge) if moves_some else []
            self.fixed[language] += bool(truth)
            for name, tool in self.tools[language].items() if truth else ():
                score, trees = self.scores[language, name], (parent, plain, oid)
                made = self._measure(score, tool, trees, moved, truth)
                noise = [
                    f"{path}: {line}"
                    for path, line in self._noise(plain, made, oid, suffixes)
                    if not any(tells_nothing(path, token, judge, people) for token in tokens(line))
                ]
                score.quiet += not noise
                if noise and self.told:
                    print(f"{oid[:10]} is not quiet:", *noise[:5], sep="\n    ", file=sys.stderr)

    def _truth(
        self, plain: str, oid: str, suffixes: tuple[str, ...], judge: Judge
    ) -> list[tuple[str, object, object, int]]:
        """(path, old, new, line) of the references that people fixed in the files of a language."""
        found: list[tuple[str, object, object, int]] = []
        for path, hunks in sorted(self.clone.hunks(plain, oid).items()):
            if not path.endswith(suffixes) or not kept_by_hand(path):
                continue
            text, human = self.clone.text(plain, path), self.clone.text(oid, path)
            if language_of(path) == "python":
                found += [(path, old, new, line) for line, old, new in import_fixes(path, text, human, judge)]
            else:
                fixes = token_fixes(path, text, hunks, judge)
                found += [(path, f.reference.written, f.new, f.reference.line) for f in fixes]
        return list(dict.fromkeys(found))

    def _measure(
        self, score: Score, tool: Tool, trees: tuple[str, str, str], moved: Mapping[str, str],
        truth: list[tuple[str, object, object, int]],
    ) -> str:  # fmt: skip
        """The tree that a tool made."""
        parent, plain, oid = trees
        self.clone.run("checkout", "-q", "--force", "--detach", parent)
        self.clone.run("clean", "-qfdx")
        begun = time.perf_counter()
        try:
            tool(self.clone.clone, moved)
        except (TimeoutError, OSError, ValueError, subprocess.SubprocessError) as error:
            score.failed += 1
            print(f"{oid[:10]}: {type(error).__name__} {error}"[:200], file=sys.stderr)
            self.clone.run("checkout", "-q", "--force", "--detach", parent)
            move(self.clone.clone, moved)
        score.seconds += time.perf_counter() - begun
        self.clone.run("add", "-A")
        made = self.clone.run("write-tree").strip()
        score.commits += 1
        score.fixes += len(truth)
        texts: dict[str, tuple[str, str]] = {}
        paths = self.clone.paths(made)
        for path, old, new, line in truth:
            if path in paths:
                texts[path] = texts.get(path) or (self.clone.text(plain, path), self.clone.text(made, path))
                right = is_exact(*texts[path], old, new, line)
                score.exact += right
                if self.told and not right:
                    print(f"{oid[:10]} missed {path}:{line + 1} {old} → {new}", file=sys.stderr)
        return made

    def _noise(self, plain: str, made: str, oid: str, suffixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(path, line) of the lines that a tool changed and people left as they were."""
        theirs = self.clone.hunks(plain, oid)
        kept = self.clone.paths(oid)
        for path, hunks in self.clone.hunks(plain, made).items():
            changed = {h.start + n for h in theirs.get(path, ()) for n in range(len(h.old))}
            for hunk in hunks if path in kept and path.endswith(suffixes) else ():
                yield from ((path, line) for n, line in enumerate(hunk.old) if hunk.start + n not in changed)


def tells_nothing(path: str, token: str, judge: Judge, people: PathTree) -> bool:
    """Whether a reference that people left alone leads nowhere in their commit, or only to files that are not in the
    tree that the tools had: no tool can know of those."""
    language = language_of(path)
    meant = judge.before.leads(judge.former(path), token, language)
    concerned = meant if judge.former(path) != path else meant & judge.moved.keys()
    return bool(concerned) and not people.leads(path, token, language, near=True) & judge.now.entries


def is_exact(before: str, after: str, old: object, new: object, line: int) -> bool:
    """Whether a text has a new reference where it had an old one."""
    if not isinstance(old, str):
        names = {name for _, _, name in imports_of(after)}
        return new in names and old not in names
    rows, news = before.split("\n"), after.split("\n")
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, rows, news, autojunk=False).get_opcodes():
        if i1 <= line < i2 and tag == "replace" and i2 - i1 == j2 - j1:
            have = tokens(news[j1 + line - i1])
            return new in have and old not in have
    return False


def kairos(clone: Clone) -> Tool:
    """Kairos, from the plain move that it sees as a commit."""

    def run(root: Path, moved: Mapping[str, str]) -> None:
        parent = clone.run("rev-parse", "HEAD").strip()
        for finding in StaleReference().look(clone.scene(clone.plain(parent, moved), parent)):
            for edit in finding.action.edits if isinstance(finding.action, PatchAction) else ():
                path = root / edit.fs
                text = apply_edit(edit, path.read_bytes())
                if text is not None:
                    path.write_bytes(text)

    return run


def rope(python: Path) -> Tool:
    """rope: each file is moved and renamed."""

    def run(root: Path, moved: Mapping[str, str]) -> None:
        given = json.dumps([str(root), dict(moved)])
        subprocess.run([python, "-c", _ROPE], input=given, text=True, check=True, capture_output=True, timeout=_SLOWEST)
        move(root, moved)

    return run


def server(*command: str) -> Tool:
    """A language server."""
    return lambda root, moved: ask_server(command, root, moved)


def installed(place: Path) -> Path:
    """The programs of a venv with the peers, which is made if it is not there."""
    if not (place / "bin" / "python").exists():
        venv.create(place, with_pip=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", *_PACKAGES], check=True)
    return place / "bin"


def found(folder: Path, repositories: Sequence[str], most: int) -> Iterator[str]:
    """The lines of a list: of the last commits that rename, those in which people fixed references."""
    for repository in repositories:
        source = source_of(folder, repository)
        if source is None:
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-renames-") as place:
            bench = Bench(Clone(source.resolve(), Path(place) / "clone"), defaultdict(dict))
            for oid in bench.clone.commits(most):
                before = sum(bench.fixed.values())
                bench.try_one(oid)
                if sum(bench.fixed.values()) > before:
                    yield f"{repository} {oid}"


def show(scores: Mapping[tuple[str, str], Score]) -> None:
    """Prints a table: each tool, and what of it Kairos reaches."""
    heads = (("commits", 8), ("fixed", 7), ("exact %", 9), ("ours ÷ it", 11), ("quiet %", 9), ("failed", 8), ("s", 7))
    print(f"{'':<12}{'tool':<14}" + "".join(f"{head:>{width}}" for head, width in heads))
    for (language, name), score in sorted(
        scores.items(), key=lambda row: (row[0][0], row[0][1] != "kairos", row[0][1])
    ):
        ours = scores[language, "kairos"]
        share, mine = (100 * s.exact / max(1, s.fixes) for s in (score, ours))
        print(
            f"{language:<12}{name:<14}{score.commits:>8}{score.fixes:>7}{share:>9.1f}"
            f"{mine / share if share else float('inf'):>11.2f}{100 * score.quiet / max(1, score.commits):>9.1f}"
            f"{score.failed:>8}{score.seconds / max(1, score.commits):>7.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="References after a plain move: Kairos beside refactoring tools.")
    parser.add_argument("clones", type=Path)
    parser.add_argument("--most", type=int, default=10_000, help="so many commits of a repository")
    parser.add_argument("--only", action="append", default=[], help="repositories whose name contains this")
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "kairos-rename-peers")
    parser.add_argument("--tsserver", type=Path, help="tsserver.js")
    parser.add_argument("--gopls", type=Path, help="the program")
    parser.add_argument(
        "--alone", action="store_true", help="Kairos alone, with what it missed and with what people left alone"
    )
    parser.add_argument("--list", nargs="+", metavar="OWNER/NAME", help="print a list of commits instead")
    options = parser.parse_args()
    if options.list:
        print(*found(options.clones, options.list, options.most), sep="\n")
        return
    programs = options.peers / "bin" if options.alone else installed(options.peers)
    by_repository: dict[str, list[str]] = defaultdict(list)
    for repository, commit in dict.fromkeys([*listed(), *listed("rename_beside.txt")]):
        by_repository[repository].append(commit)
    total: dict[tuple[str, str], Score] = defaultdict(Score)
    for repository, commits in by_repository.items():
        source = source_of(options.clones, repository)
        if source is None or (options.only and not any(word in repository for word in options.only)):
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-renames-") as place:
            clone = Clone(source.resolve(), Path(place) / "clone")
            python: dict[str, Tool] = {
                "kairos": kairos(clone),
                "rope": rope(programs / "python"),
                "pyrefly": server(str(programs / "pyrefly"), "lsp"),
                "ty": server(str(programs / "ty"), "server"),
                "basedpyright": server(str(programs / "basedpyright-langserver"), "--stdio"),
            }
            typescript: dict[str, Tool] = {"kairos": kairos(clone)}
            if options.tsserver:
                command = ("node", str(options.tsserver), "--disableAutomaticTypingAcquisition")
                typescript["tsserver"] = lambda root, moved, command=command: ask_typescript(command, root, moved)
            go: dict[str, Tool] = {"kairos": kairos(clone)}
            if options.gopls:
                go["gopls"] = lambda root, moved, command=(str(options.gopls), "serve"): ask_gopls(command, root, moved)
            tools = {"python": python, "typescript": typescript, "go": go}
            if options.alone:
                tools = {language: {"kairos": kairos(clone)} for language in tools}
            bench = Bench(clone, tools, told=options.alone)
            for oid in commits[: options.most]:
                bench.try_one(oid)
            for key, score in bench.scores.items():
                for field, value in vars(score).items():
                    setattr(total[key], field, getattr(total[key], field) + value)
        print(f"{repository}: {len(commits)} commits", file=sys.stderr)
    show(total)


if __name__ == "__main__":
    main()
