"""Checks with a few stat calls, before git is run, whether a repository can be read, and how to repair it.

git blocks forever on a FIFO in place of one of its files, and reports every kind of damage as "not a git repository".
"""

from __future__ import annotations

import os
import stat
from itertools import islice
from pathlib import Path
from shlex import quote

from kairos.repo.clones import is_partial
from kairos.repo.git import QUICK_S, Git, GitError

_FILES = ("HEAD", "config", "index", "packed-refs", "commondir")
_MORE_FILES = (
    "shallow", "config.worktree", "info/exclude", "info/attributes", "info/grafts", "objects/info/alternates",
    "objects/info/commit-graph",
)  # fmt: skip
_PLAIN = ("refs", "reftable", "objects/pack")
"""Folders in which git opens whatever it finds."""
MOST_REFS = 100_000
"""No more entries of `_PLAIN` are checked."""
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_ONGOING = (
    ("rebase-merge", "a rebase"),
    ("rebase-apply/applying", "applying patches (git am)"),
    ("rebase-apply", "a rebase"),
    ("MERGE_HEAD", "a merge"),
    ("CHERRY_PICK_HEAD", "a cherry-pick"),
    ("REVERT_HEAD", "a revert"),
    ("BISECT_LOG", "a bisect"),
)
_RESTORE = "`git fsck` names what is damaged; restore .git from a backup or fetch into it from a clone."
_FETCH = "This partial clone lacks it: `git checkout HEAD` there fetches what HEAD needs. Kairos fetches nothing."
_HINTS = (
    ("dubious ownership", "Make it yours again with chown: Kairos only watches repositories that you own."),
    ("index", "Remove .git/index and run `git reset` in it; the files stay as they are."),
    ("config", "Correct the git configuration that this names."),
    ("repo version", "It needs a newer git: install one."),
    ("extension", "It needs a newer git: install one."),
    ("work tree", "Remove core.bare and core.worktree from its configuration."),
    ("object", _RESTORE),
    ("HEAD", _RESTORE),
    ("packed-refs", _RESTORE),
    ("longer than", "Look whether its disk answers."),
)

Vitals = tuple[tuple[int, ...] | None, ...]


def require_readable_root(root: Path) -> None:
    """Raises GitError with a hint unless `root` belongs to the user and can be listed."""
    try:
        owner = root.stat().st_uid
    except OSError as error:
        raise GitError(f"{root} cannot be read: {error.strerror}", "Check its permissions.") from error
    if owner != os.geteuid():
        raise GitError(
            f"{root} belongs to another user (uid {owner})",
            "Make it yours again with chown: Kairos only watches repositories that you own.",
        )
    _require_access(root)


def require_sound(root: Path) -> None:
    """Raises GitError with a hint unless git can be expected to read the repository of the work tree `root`."""
    require_readable_root(root)
    git_dir, common = _git_dirs(root)
    for folder in dict.fromkeys((git_dir, common, common / "objects", common / "refs")):
        _require_access(folder)
    for folder in dict.fromkeys((git_dir, common)):
        for name in (*_FILES, *_MORE_FILES):
            require_file(folder / name)
        for name in _PLAIN:
            _require_plain(folder / name)
    _require_head(git_dir / "HEAD")


def require_usable(git: Git) -> None:
    """Raises GitError with a hint unless git accepts the root as its work tree and can read the commit of HEAD, if
    there is one, and the commit's tree."""
    work_tree = git.text("rev-parse", "--show-toplevel")
    if not os.path.lexists(work_tree) or not Path(work_tree).samefile(git.root):
        raise GitError(
            f"the configuration of {git.root} names another work tree, {work_tree}",
            "Remove core.worktree from its configuration.",
        )
    status, out = git.result("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1), timeout=QUICK_S)
    if status == 0:
        try:
            git.run("cat-file", "-e", out.strip() + b"^{tree}", timeout=QUICK_S)
        except GitError as error:
            remedy = _FETCH if is_partial(git) else _RESTORE
            raise GitError(error.message, remedy, status=error.status) from error


def advised(error: GitError, root: Path) -> GitError:
    """The error with a hint how to repair the repository, from damage that is visible on disk, else from git's
    message."""
    if error.hint:
        return error
    try:
        require_sound(root)
    except GitError as found:
        return found
    words = error.message.replace(str(root), "")
    hint = next((hint for word, hint in _HINTS if word in words), "Run `git status` there: it fails as well.")
    return GitError(error.message, hint, status=error.status)


def vitals(root: Path) -> Vitals:
    """A signature of the root, .git and git's main files: equal as long as they are unchanged. Most repairs change
    it."""
    try:
        dirs = list(_git_dirs(root))
    except GitError:
        dirs = []
    places = [root, root / ".git", *(d / name for d in dirs for name in (".", "objects", "refs", *_FILES))]
    return tuple(map(_signature, places))


def ongoing(root: Path) -> str:
    """What git has begun in the work tree and not finished, as `a rebase`; empty if nothing. Aborting it may take away
    every change of a tracked file that was made meanwhile. Only stat calls."""
    try:
        git_dir = _git_dirs(root)[0]
    except GitError:
        return ""
    return next((words for name, words in _ONGOING if os.path.lexists(git_dir / name)), "")


def mode_of(path: Path) -> int:
    """The st_mode of a path's target, 0 if it is missing or not accessible (`Path.is_dir` raises PermissionError)."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _signature(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    times = () if stat.S_ISDIR(found.st_mode) else (found.st_size, found.st_mtime_ns)
    return (found.st_mode, found.st_uid, found.st_dev, found.st_ino, *times)


def _git_dirs(root: Path) -> tuple[Path, Path]:
    """(the directory of HEAD and the index, the directory of refs and objects). Raises GitError."""
    place = root / ".git"
    try:
        found = place.stat()
    except OSError as error:
        raise _not_there(place, error) from error
    if stat.S_ISREG(found.st_mode):
        place = root / _named_in(place, b"gitdir: ")
    elif not stat.S_ISDIR(found.st_mode):
        raise GitError(f"{place} is neither a directory nor a file", "Put the repository's own .git back.")
    if not stat.S_ISDIR(mode_of(place)):
        raise GitError(
            f"{root / '.git'} names {place}, which is not there",
            "Put that directory back, or run `git worktree repair` in the main work tree.",
        )
    _require_access(place)
    common = place / "commondir"
    return place, place / _named_in(common, b"") if stat.S_ISREG(mode_of(common)) else place


def _named_in(file: Path, prefix: bytes) -> str:
    try:
        fd = os.open(file, _READ)
    except OSError as error:
        raise _not_there(file, error) from error
    with os.fdopen(fd, "rb") as opened:
        raw = opened.read(4096)
    name = raw.removeprefix(prefix).rstrip(b"\r\n")
    if not raw.startswith(prefix) or not name or b"\0" in name:
        raise GitError(f"{file} names no directory", "Put the file back as git wrote it.")
    return os.fsdecode(name)


def _require_access(folder: Path) -> None:
    try:
        is_dir = stat.S_ISDIR(folder.stat().st_mode)
    except OSError as error:
        raise _not_there(folder, error) from error
    if not is_dir:
        raise GitError(f"{folder} is not a directory", "Put the repository's own directory back.")
    if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
        raise GitError(f"{folder} is not readable", f"Make it readable: chmod u+rwx {folder}")


def require_file(file: Path) -> None:
    """Raises GitError with a hint if `file` exists but is not a regular file that can be read."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _not_there(file, error) from error
    if not stat.S_ISREG(mode):
        raise GitError(f"{file} is not a regular file", "Put git's own file back in its place.")
    if not os.access(file, os.R_OK, effective_ids=True):
        raise GitError(f"{file} is not readable", f"Make it readable: chmod u+rw {file}")


def _require_plain(top: Path) -> None:
    """Raises GitError with a hint if there is a FIFO, a socket or a device below `top`: git may wait on it for ever.
    Whatever else is wrong there is left to git."""
    waiting, left = [os.fspath(top)], MOST_REFS
    while waiting and left > 0:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in islice(entries, left):
                    left -= 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False) and _is_special(Path(entry.path)):
                        raise GitError(f"{entry.path} is not a regular file", "Remove it, and run `git fsck`.")
        except OSError:
            continue


def _is_special(path: Path) -> bool:
    mode = mode_of(path)
    return mode != 0 and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _require_head(head: Path) -> None:
    if head.is_symlink():  # as old versions of git wrote it; it may name a branch without commits
        return
    try:
        fd = os.open(head, _READ)
    except OSError as error:
        raise _not_there(head, error) from error
    with os.fdopen(fd, "rb") as file:
        raw = file.read(4096).strip()
    is_oid = len(raw) in (40, 64) and not raw.strip(b"0123456789abcdef")
    if not raw.startswith(b"ref:") and not is_oid:
        raise GitError(
            f"{head} is {'damaged' if raw else 'empty'}",
            "Write the name of your branch into it, for example `ref: refs/heads/main`.",
        )


def _not_there(path: Path, error: OSError) -> GitError:
    if isinstance(error, FileNotFoundError):
        return GitError(
            f"{path} is gone", f"Put it back, or stop watching it with `kairos unwatch {quote(str(path))}`."
        )
    return GitError(f"{path} cannot be read: {error.strerror}", "Check its permissions, and where its symlinks lead.")
