"""The reading tools that ask git: state, commits, diffs, blame. Everything is redacted; private files are not shown."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from kairos.agent.repository_files import Files, shown
from kairos.agent.tools.catalogue import GitBlame, GitDiff, GitLog, GitShow
from kairos.agent.tools.output import OUTPUT_AT_MOST
from kairos.domain.amounts import count
from kairos.domain.inert import escape
from kairos.domain.secrets import redact
from kairos.repo.beneath import Unreadable, components

SECONDS = 5.0
_STATE_AT_MOST = 300
_WORDS = {
    "M": "changed",
    "A": "added",
    "D": "deleted",
    "R": "renamed",
    "C": "copied",
    "T": "another type",
    "U": "unmerged",
}


class History:
    """What git knows of one repository."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._git = files.git

    def status(self) -> str:
        """The branch, and one line a path that differs from HEAD or the index."""
        raw = self._git.run(
            "status", "--porcelain=v2", "-z", "--branch", "--no-renames", "--untracked-files=all",
            "--ignore-submodules=all", timeout=30,
        )  # fmt: skip
        branch, lines, private = "", [], 0
        for record in raw.split(b"\0"):
            text = os.fsdecode(record)
            if text.startswith("# branch.head "):
                branch = f"on {escape(text[14:])}"
            elif text.startswith("# branch.ab "):
                ahead, behind = text[12:].split(" ")
                branch += f", {ahead[1:]} ahead and {behind[1:]} behind its upstream"
            elif text[:2] in ("1 ", "u ", "? "):
                path = text[2:] if text[0] == "?" else text.split(" ", 8 if text[0] == "1" else 10)[-1]
                if shown(path):
                    lines.append(f"{_state(text)}: {redact(escape(path))}")
                else:
                    private += 1
        body = sorted(lines)[:_STATE_AT_MOST] or ["nothing differs"]
        notes = [f"{count(private, 'private file')} left out"] if private else []
        if len(lines) > _STATE_AT_MOST:
            notes.append(f"{len(lines) - _STATE_AT_MOST} of {count(len(lines), 'path')} left out")
        return "\n".join(["; ".join([branch, *notes]), *body])

    def log(self, asked: GitLog) -> str:
        """One line a commit."""
        commit, limit, offset = self._commit(asked.commit), min(max(asked.limit, 1), 100), max(asked.offset, 0)
        pathspec = [f":(top,literal){_path(asked.path)}"] if asked.path else []
        raw = self._git.run(
            "rev-list", f"--max-count={limit + 1}", f"--skip={offset}", "--no-commit-header",
            "--format=tformat:%H%x00%ct%x00%an%x00%s%x00%x00", commit, "--", *pathspec, timeout=30,
        )  # fmt: skip
        rows = [row.strip(b"\n").split(b"\0") for row in raw.split(b"\0\0\n")]
        found = [[field.decode("utf-8", "replace") for field in row] for row in rows if len(row) == 4]
        lines = [
            redact(f"{oid[:12]} {_day(when)} {escape(who)}: {escape(what)[:200]}")
            for oid, when, who, what in found[:limit]
        ]
        if len(found) > limit:
            lines.append(f"there are more (offset {offset + limit})")
        return "\n".join(lines) or "no commit"

    def show(self, asked: GitShow) -> str:
        """The message of a commit and its diff."""
        commit = self._commit(asked.commit)
        path = _path(asked.path) if asked.path else ""
        diff = self._files.commit_diff(commit, OUTPUT_AT_MOST, time.monotonic() + SECONDS, path=path)
        return f"commit {commit}\n{self._files.subject(commit)}\n\n" + ("".join(diff) or "no change\n")

    def diff(self, asked: GitDiff) -> str:
        """The difference between two commits, or a commit and the work tree."""
        base, path = self._commit(asked.base), _path(asked.path) if asked.path else ""
        until = time.monotonic() + SECONDS
        if asked.to:
            sections = self._files.commit_diff(self._commit(asked.to), OUTPUT_AT_MOST, until, base=base, path=path)
            return "".join(sections) or "no difference\n"
        paths = self._changed(base, path)
        sections, size = [], 0
        for place, name in enumerate(paths):
            if size >= OUTPUT_AT_MOST or time.monotonic() >= until:
                sections.append(f"[{len(paths) - place} of {count(len(paths), 'file')} left out]\n")
                break
            try:
                sections.append(self._files.tree_diff(name, base))
            except Unreadable as why:
                sections.append(f"{escape(name)}: {why}\n")
            size += len(sections[-1])
        return "".join(sections) or "no difference\n"

    def blame(self, asked: GitBlame) -> str:
        """Each line with the commit that brought it. What is a part of a credential, only the whole file tells."""
        commit, path = self._commit(asked.commit), _path(asked.path)
        first, lines = max(asked.start, 1), min(max(asked.lines, 1), 500)
        self._files.raw(path)  # refuses what is not shown
        withheld = self._files.withheld(commit, path)
        raw = self._git.run(
            "blame", "--porcelain", "--no-textconv", "-L", f"{first},+{lines}", commit, "--",
            path,
            ok=(0, 128), timeout=30,
        )  # fmt: skip
        if not raw:
            raise Unreadable("git cannot say who wrote these lines in that commit: perhaps there are none")
        authors: dict[str, str] = {}
        out, oid, number = [], "", ""
        for record in raw.decode("utf-8", "replace").split("\n"):
            head = record.split(" ")
            if record.startswith("\t"):
                line = withheld.get(int(number), record[1:])
                out.append(f"{oid[:12]} {escape(authors.get(oid, ''))[:30]} {number}: {line}")
            elif record.startswith("author "):
                authors[oid] = record[7:]
            elif len(head) >= 3 and len(head[0]) in (40, 64) and head[2].isdigit():
                oid, number = head[0], head[2]
        return redact("\n".join(out))

    def _changed(self, base: str, path: str) -> list[str]:
        """The paths that may differ between a commit and the work tree, by path."""
        spec = [f":(top,literal){path}"] if path else []
        raw = self._git.run(
            "diff-index", "-z", "--name-only", "--no-renames", "--ignore-submodules=all", base, "--", *spec, timeout=30
        )
        new = self._git.run("ls-files", "-z", "--others", "--exclude-standard", "--", *spec, timeout=30)
        return sorted({os.fsdecode(p) for p in (raw + new).split(b"\0") if p and not p.endswith(b"/")})

    def _commit(self, name: str) -> str:
        found = self._files.commit(name)
        if found is None:
            raise Unreadable(f"there is no commit {escape(name)[:80]}: give an id, or HEAD~n")
        return found


def _path(path: str) -> str:
    """A path in the repository that may be shown. Raises Unreadable."""
    try:
        plain = "/".join(components(path.strip("/")))
        os.fsencode(plain)
    except ValueError as error:
        raise Unreadable("that is no path in the repository") from error
    if not shown(plain):
        raise Unreadable("not shown (private)")
    return plain


def _state(record: str) -> str:
    if record[0] == "?":
        return "new"
    if record[0] == "u":
        return "unmerged"
    staged, tree = (_WORDS.get(c, "") for c in record[2:4])
    return ", ".join([*([f"{staged} in the index"] if staged else []), *([f"{tree} in the tree"] if tree else [])])


def _day(seconds: str) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M") if seconds.isdigit() else "?"
