"""Takes snapshots of refs and interprets the difference of two snapshots. `difference` itself reads no files.

Changes of `.git` paths are only hints. The reflog names the command where the refs alone are ambiguous.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.domain.events import RefMove
from kairos.domain.secrets import redact
from kairos.repo.git import QUICK_S, Git, GitError
from kairos.repo.health import mode_of
from kairos.sensing.content import read_end, read_small, read_tail

SPECIAL = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "BISECT_HEAD", "FETCH_HEAD")
MARKERS = ("rebase-merge", "rebase-apply", "BISECT_LOG")
_OPERATIONS = frozenset({"rebase-merge", "rebase-apply"})
_NOTE = 200
_STEPS = 100


class RefSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The target of every ref. `head`: the symbolic ref, None when detached; `head_oid`: None before the first
    commit; `worktrees`: raw HEAD text of the other work trees by name; `logged`: bytes of HEAD's reflog just before the
    refs were read (None: unknown), by which a move away and back is noticed."""

    head: str | None = None
    head_oid: str | None = None
    refs: dict[str, str] = {}
    special: dict[str, str] = {}
    markers: list[str] = []
    worktrees: dict[str, str] = {}
    logged: int | None = None

    @property
    def head_name(self) -> str | None:
        """The symbolic ref, or the object id when detached."""
        return self.head or self.head_oid


class Logged(NamedTuple):
    """One line of the HEAD reflog. `end`: the number of bytes up to its end."""

    old: str
    new: str
    message: str
    end: int = 0


class Move(NamedTuple):
    """The difference of two snapshots. `steps`: (from, to) of each move of HEAD in which git wrote files, according to
    the reflog: a rebase has many, a commit none. `ongoing`: an operation such as a rebase has not finished."""

    what: str
    refs: list[RefMove]
    note: str
    steps: tuple[tuple[str | None, str | None], ...] = ()
    ongoing: bool = False


Parents = Callable[[str], list[str]]


class GitPlaces(NamedTuple):
    """The directory of this work tree's HEAD and index, and the directory of the refs that all work trees share."""

    git_dir: Path
    common: Path


def places(git: Git) -> GitPlaces:
    """The git directories of the repository. Raises GitError."""
    return GitPlaces(git.git_dir(), git.common_dir())


def read_refs(git: Git, at: GitPlaces, last: RefSnapshot | None) -> RefSnapshot:
    """The present snapshot. A FETCH_HEAD that a running fetch has emptied keeps its last value. Raises GitError."""
    logged = _size(at.git_dir / "logs" / "HEAD")
    status, out = git.result("symbolic-ref", "--quiet", "HEAD", ok=(0, 1), timeout=QUICK_S)
    head = _text(out.strip()) if status == 0 else None
    refs = {}
    listed = git.run("for-each-ref", "--format=%(objectname) %(refname)%00%(symref)%00")
    fields = listed.split(b"\0")
    for entry, symref in zip(fields[::2], fields[1::2], strict=False):
        oid, _, name = entry.strip(b"\n").partition(b" ")
        if name and not symref:
            refs[_text(name)] = oid.decode("ascii")
    head_oid = _detached(git) if head is None else refs.get(head) or _unlisted(git, at, head)
    special = {name: found for name in SPECIAL if (found := _first_oid(at.git_dir / name)) is not None}
    if last is not None and "FETCH_HEAD" in last.special and (at.git_dir / "FETCH_HEAD").exists():
        special.setdefault("FETCH_HEAD", last.special["FETCH_HEAD"])
    markers = [name for name in MARKERS if os.path.lexists(at.git_dir / name)]
    return RefSnapshot(
        head=head,
        head_oid=head_oid,
        refs=refs,
        special=special,
        markers=markers,
        worktrees=_worktrees(at),
        logged=logged,
    )


def _detached(git: Git) -> str:
    oid = git.head()
    if oid is None:
        raise GitError(f"HEAD of {git.root} names a commit that does not exist")
    return oid


def _unlisted(git: Git, at: GitPlaces, head: str) -> str | None:
    """The commit of a branch that git did not list: None if it has no commits yet; GitError if its file is damaged."""
    if not head.startswith("refs/") or not stat.S_ISREG(mode_of(at.common / head)):
        return None
    return git.text("rev-parse", "--verify", head)


def read_reflog(at: GitPlaces) -> list[Logged]:
    """The last lines of the HEAD reflog, oldest first."""
    raw, end = read_end(os.fsencode(at.git_dir / "logs" / "HEAD")) or (b"", 0)
    found = []
    end -= len(raw)
    for line in raw.split(b"\n"):
        end += len(line) + 1
        ids, tab, message = line.partition(b"\t")
        words = ids.split(b" ")
        if tab and len(words) > 2 and len(words[0]) >= 40:
            found.append(Logged(_text(words[0]), _text(words[1]), message.decode("utf-8", "replace"), end))
    return found


def pushed(at: GitPlaces, ref: str) -> bool:
    """Whether a remote-tracking ref last moved by our own push."""
    if ".." in ref.split("/"):
        return False
    raw = read_tail(os.fsencode(at.common / "logs" / ref), 4096) or b""
    return raw.rstrip(b"\n").rpartition(b"\t")[2].startswith(b"update by push")


def difference(
    old: RefSnapshot, new: RefSnapshot, reflog: list[Logged], parents: Parents, was_pushed: Callable[[str], bool]
) -> Move | None:
    """What moved between two snapshots, None if nothing did. `parents` returns the parents of a commit. A HEAD that
    moved away and is back is a move, too: git wrote files on the way."""
    if old == new:
        return None
    fresh = _fresh(old, new, reflog)
    if msgspec.structs.replace(old, logged=new.logged) == new:
        wrote = [line for line in fresh if line.old != line.new]
        what = _said(wrote[-1].message) if wrote else None
        return Move(what or "checkout", [], redact(fresh[-1].message)[:_NOTE], _wrote(fresh)) if wrote else None
    moves = [
        RefMove(name=name, old=before.get(name), new=after.get(name))
        for before, after in (
            ({"HEAD": old.head_oid}, {"HEAD": new.head_oid}),
            (old.refs, new.refs),
            (old.special, new.special),
        )
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    last = reflog[-1] if reflog and new.head_oid is not None and reflog[-1].new == new.head_oid else None
    ongoing = bool(_OPERATIONS & set(new.markers))
    ended = bool(_OPERATIONS & set(old.markers)) and not ongoing
    if ended or (old.head, old.head_oid) != (new.head, new.head_oid):
        what = _head_moved(old, new, last, parents)
    else:
        last = None
        what = _refs_moved(old, new, {m.name for m in moves}, was_pushed)
    steps = _wrote(fresh)
    if not fresh and old.head_oid != new.head_oid:
        steps = _steps(old.head_oid, new.head_oid, reflog, what)
    return Move(what, moves, redact(last.message)[:_NOTE] if last else "", steps, ongoing)


def _fresh(old: RefSnapshot, new: RefSnapshot, reflog: list[Logged]) -> list[Logged]:
    """The lines of the reflog since the `old` snapshot, up to where HEAD is in the `new` one; none if they do not lead
    from the one to the other."""
    if old.logged is None or old.head_oid is None:
        return []
    at, found, upto = old.head_oid, list[Logged](), 0
    for line in reflog:
        if line.end <= old.logged:
            continue
        if line.old != at:
            return []
        at = line.new
        found.append(line)
        upto = len(found) if at == new.head_oid else upto
    return found[:upto]


def _wrote(lines: list[Logged]) -> tuple[tuple[str | None, str | None], ...]:
    """The steps in which git wrote files: all but commits."""
    return tuple((line.old, line.new) for line in lines if not line.message.startswith("commit"))


def _steps(
    old: str | None, new: str | None, reflog: list[Logged], what: str
) -> tuple[tuple[str | None, str | None], ...]:
    """Follows the reflog back from the `new` commit, as long as its lines connect, until it reaches `old`."""
    at = new
    steps: list[tuple[str | None, str | None]] = []
    for line in reversed(reflog[-_STEPS:]):
        if line.new != at or at == old:
            break
        at = None if set(line.old) == {"0"} else line.old
        if not line.message.startswith("commit"):
            steps.append((at, line.new))
    if at != old:
        return () if what in ("commit", "amend") else ((old, new),)
    return tuple(reversed(steps))


_MADE = frozenset({"commit", "amend", "merge", "cherry-pick"})
"""Moves that make a commit."""


def _head_moved(old: RefSnapshot, new: RefSnapshot, last: Logged | None, parents: Parents) -> str:
    said = _said(last.message) if last is not None else None
    if _OPERATIONS & set(new.markers):
        return said if said in ("commit", "amend") else "rebase"
    if _OPERATIONS & set(old.markers):
        return "commit" if last is not None and last.message.startswith("am") else "rebase"
    if said in ("rebase", "branch"):
        return said
    if old.head != new.head and said not in _MADE:  # a commit that follows a switch at once is the news of both
        return "checkout"
    if said is not None:
        return said
    if new.head_oid is None or old.head_oid is None:
        return "commit" if old.head_oid is None else "other"
    ancestors = parents(new.head_oid)
    if old.head_oid in ancestors:
        return "merge" if len(ancestors) > 1 else "commit"
    before = parents(old.head_oid)
    if new.head_oid in before:
        return "reset"
    return "amend" if ancestors == before else "other"


def _said(message: str) -> str | None:
    """The kind of move that a reflog message names, None for an unknown one."""
    command, _, rest = message.partition(":")
    word = command.partition(" ")[0]
    if word == "commit":
        kind = command[len(word) :].strip(" ()")
        return {"amend": "amend", "merge": "merge", "cherry-pick": "cherry-pick"}.get(kind, "commit")
    if word == "pull":
        return "rebase" if "rebase" in command or "rebase" in rest else "merge"
    if word == "Branch":
        return "branch"
    return {
        "merge": "merge", "rebase": "rebase", "reset": "reset", "checkout": "checkout", "revert": "commit",
        "cherry-pick": "cherry-pick", "am": "commit", "initial": "commit", "clone": "checkout",
    }.get(word)  # fmt: skip


def _refs_moved(old: RefSnapshot, new: RefSnapshot, names: set[str], was_pushed: Callable[[str], bool]) -> str:
    if "refs/stash" in names:
        return "stash"
    if old.worktrees != new.worktrees:
        return "worktree"
    if old.markers != new.markers or any(n in names for n in SPECIAL if n != "FETCH_HEAD"):
        return "state"
    remote = {n for n in names if n.startswith("refs/remotes/")}
    if "FETCH_HEAD" in names:
        return "fetch"
    if any(n.startswith("refs/heads/") for n in names):
        return "branch"
    if remote:
        gone = all(n not in new.refs for n in remote)
        return "other" if gone or all(was_pushed(n) for n in remote) else "fetch"
    return "tag" if any(n.startswith("refs/tags/") for n in names) else "other"


def _worktrees(at: GitPlaces) -> dict[str, str]:
    found = {}
    try:
        folders = sorted((at.common / "worktrees").iterdir())
    except OSError:
        folders = []
    for folder in folders:
        raw = read_small(os.fsencode(folder / "HEAD"))
        if raw is not None and folder != at.git_dir:
            found[_text(os.fsencode(folder.name))] = raw.decode("utf-8", "backslashreplace").strip()
    if at.git_dir != at.common:
        raw = read_small(os.fsencode(at.common / "HEAD"))
        if raw is not None:
            found[""] = raw.decode("utf-8", "backslashreplace").strip()
    return found


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _first_oid(path: Path) -> str | None:
    raw = read_small(os.fsencode(path))
    if raw is None:
        return None
    word = raw.split(None, 1)[0] if raw.split() else b""
    is_oid = len(word) in (40, 64) and all(c in b"0123456789abcdef" for c in word)
    return word.decode("ascii") if is_oid else None


def _text(raw: bytes) -> str:
    """Ref names as text that JSON can represent; bytes that are not UTF-8 are escaped."""
    return raw.decode("utf-8", "backslashreplace")
