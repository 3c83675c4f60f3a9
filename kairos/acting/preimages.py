"""The undo store: a bare git repository under Kairos's home with the file contents before and after every execution.

One ref per execution keeps its blobs alive: `refs/undo/<execution>` is a commit whose tree names each content by its
SHA-256 (`<sha>`) and has a file `made` that lists the directories the execution made. The user's own objects and refs
are never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Sequence

import msgspec

from kairos.domain.action import content_sha
from kairos.durable import replace_file
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.cold.mentions import Names
from kairos.home import Home
from kairos.privacy import make_private
from kairos.repo.git import Git, GitError
from kairos.repo.objects import Objects

_MADE_FILE = "made"
_ENOUGH = b"""[core]
\trepositoryformatversion = 0
\tbare = true
\tfsync = all
\tsharedRepository = 0600
[gc]
\tauto = 0
"""


def ref_of(execution: str) -> str:
    """The ref that holds the contents of an execution."""
    return f"refs/undo/{execution}"


def keep(home: Home, execution: str, contents: Iterable[bytes], made: Sequence[str]) -> str:
    """Stores contents durably and returns the ref that holds them. `made`: directories about to be created.

    TryAgain (75) if they cannot be stored; the caller must not change any file then."""
    ref = ref_of(execution)
    files = {content_sha(c): c for c in contents} | {_MADE_FILE: msgspec.json.encode([_raw(m) for m in made])}
    stream = bytearray(b"feature done\n")
    for mark, content in enumerate(files.values(), 1):
        stream += b"blob\nmark :%d\ndata %d\n" % (mark, len(content)) + content + b"\n"
    stream += f"commit {ref}\ncommitter Kairos <kairos@localhost> 0 +0000\ndata 0\n".encode()
    for mark, name in enumerate(files, 1):
        stream += f"M 100644 :{mark} {name}\n".encode()
    stream += b"\ndone\n"
    try:
        _store(home).run("fast-import", "--quiet", "--force", "--done", stdin=bytes(stream))
    except (GitError, OSError) as error:
        _tidy(home)
        raise TryAgain(
            f"the undo store {home.undo} cannot be written, so nothing was changed: {error}", "Free some space."
        ) from error
    return ref


def _tidy(home: Home) -> None:
    """Removes the files of a failed import, which would otherwise stay and keep a full disk full."""
    for pattern in ("fast_import_crash_*", "objects/pack/tmp_*"):
        for left in home.undo.glob(pattern):
            left.unlink(missing_ok=True)


def fetch(home: Home, store: str, shas: Iterable[str]) -> dict[str, bytes]:
    """The contents with these SHA-256, verified; those that the store no longer has are left out. IntegrityError."""
    wanted = sorted(set(shas))
    if not wanted or not (home.undo / "HEAD").exists():
        return {}
    kept = Objects(_git(home)).read([f"{store}:{sha}" for sha in wanted])
    found = {sha: kept[f"{store}:{sha}"] for sha in wanted if f"{store}:{sha}" in kept}
    if any(content_sha(content) != sha for sha, content in found.items()):
        raise IntegrityError(f"the undo store holds damaged content in {store}", "Restore it from a backup.")
    return found


def made_by(home: Home, store: str) -> list[str]:
    """The directories an execution made, outermost first; empty if the store has no record."""
    return _made(_git(home), store)


def _made(git: Git, ref: str) -> list[str]:
    name = f"{ref}:{_MADE_FILE}"
    try:
        raw = Objects(git).read([name]).get(name, b"[]")
    except GitError:
        return []
    return [bytes.fromhex(m).decode("utf-8", "surrogateescape") for m in msgspec.json.decode(raw, type=list[str])]


def forget(home: Home, living: Collection[str], told: Names[bytes]) -> int:
    """Permanently removes the contents of executions whose ref is not in `living`, and of those whose contents match
    `told`; returns the number of executions. They cannot be undone afterwards.

    The caller holds `exec.lock`. TryAgain (75) if the store cannot be written."""
    if not (home.undo / "HEAD").exists():
        return 0
    git = _git(home)
    try:
        refs = git.run("for-each-ref", "--format=%(refname)", ref_of("")).decode().split()
        doomed = [ref for ref in refs if ref not in living or _holds(git, ref, told)]
        if len(doomed) == len(refs):
            shutil.rmtree(home.undo)  # created again when needed
            return len(doomed)
        git.run("update-ref", "--stdin", stdin="".join(f"delete {ref}\n" for ref in doomed).encode())
        git.run("repack", "-a", "-d", "-q")
        git.run("prune", "--expire=now")
    except (GitError, OSError) as error:
        raise TryAgain(f"the undo store {home.undo} cannot be cleaned: {error}", "Free some space.") from error
    _tidy(home)
    return len(doomed)


def _holds(git: Git, ref: str, told: Names[bytes]) -> bool:
    """Whether a stored content of an execution, or the name of a directory it made, matches `told`."""
    names = git.run("ls-tree", "--name-only", ref).decode().split()
    contents = Objects(git).read([f"{ref}:{name}" for name in names])
    made = "\n".join(_made(git, ref)).encode("utf-8", "surrogateescape")
    return any(told.search(content) for content in (*contents.values(), made))


def _raw(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").hex()


def _store(home: Home) -> Git:
    if not (home.undo / "HEAD").exists():
        for folder in ("objects/info", "objects/pack", "refs/heads"):
            make_private(home.undo / folder)
        replace_file(home.undo / "config", _ENOUGH)
        replace_file(home.undo / "HEAD", b"ref: refs/heads/main\n")  # last: its presence marks the store as complete
    return _git(home)


def _git(home: Home) -> Git:
    return Git(home.undo, bare=True)
