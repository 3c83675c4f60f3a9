"""Commits as events, read from one `git log` at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from kairos.domain.events import CommitChange, CommitRecorded, Name, name_fields
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put
from kairos.repo.clones import PLAIN_RENAMES, RENAMES, Clone, clone_of, read_readable
from kairos.repo.git import Git, GitError

MAX_CHANGES = 2_000
MAX_LIVE = 500
_AT_ONCE = 500
"""So many commits of a partial clone are read by one command."""
_FEW = 16
"""Of so few commits of a partial clone each is tried by itself."""
_FIELDS = 5
_HEADER = (
    "-z", "--no-relative", "--encoding=UTF-8", "--no-show-signature",
    "--format=tformat:%H%x00%P%x00%an <%ae>%x00%ct%x00%s",
)  # fmt: skip
_CHANGES = (
    "--raw", "-r", "--root", "--no-abbrev", "--diff-merges=first-parent", "--no-ext-diff", "--no-textconv",
    "--ignore-submodules=none",
)  # fmt: skip


def commits_view(repo: str) -> str:
    """The name of the view that holds the commits in the log: raw object id → empty value."""
    return f"commits/{repo}"


def known_row(commit: CommitRecorded) -> Put:
    """The row that marks a commit as being in the log; append it together with the event."""
    return Put(commits_view(commit.repo), bytes.fromhex(commit.oid), b"")


def is_known(log: Log, repo: str, oid: str) -> bool:
    """Whether the log holds this commit of a repository."""
    return log.view_row(commits_view(repo), bytes.fromhex(oid)) is not None


def newly_reachable(git: Git, new: Iterable[str], old: Iterable[str]) -> list[str]:
    """Commits reachable from `new` but not from `old`, oldest first, at most the newest MAX_LIVE. Raises GitError."""
    wanted = "\n".join([*dict.fromkeys(new), *(f"^{oid}" for oid in dict.fromkeys(old))]) + "\n"
    out = git.run(
        "rev-list", "--reverse", "--date-order", f"--max-count={MAX_LIVE}", "--ignore-missing", "--stdin",
        stdin=wanted.encode(),
    )  # fmt: skip
    return out.decode("ascii").split()


def read_commits(git: Git, repo: str, oids: Sequence[str], clone: Clone | None = None) -> list[CommitRecorded]:
    """These commits as events, in the order of `oids`; `left_out` says of which the clone does not hold the changes.
    Raises GitError."""
    if not oids:
        return []
    clone = clone or clone_of(git)
    if not clone.partial:
        return _marked(_read(git, repo, oids, RENAMES), clone)
    lacking = _without_trees(git, oids)
    left = [oid for oid in oids if oid not in lacking]
    read, left = _with_renames(git, repo, left)
    plain, more = read_readable(left, lambda some: _read(git, repo, some, PLAIN_RENAMES))
    bare = _read(git, repo, [oid for oid in oids if oid in lacking or oid in set(more)], None)
    found = {commit.oid: commit for commit in _marked([*read, *plain], clone)}
    found |= {commit.oid: msgspec.structs.replace(commit, left_out="trees") for commit in bare}
    return [found[oid] for oid in oids]


def _with_renames(git: Git, repo: str, oids: Sequence[str]) -> tuple[list[CommitRecorded], list[str]]:
    """(those of these commits whose contents are all there, the rest): commits made in the clone itself are."""
    if len(oids) <= _FEW:
        return read_readable(oids, lambda some: _read(git, repo, some, RENAMES))
    try:
        return _read(git, repo, oids, RENAMES), []
    except GitError:
        return [], list(oids)


def _read(git: Git, repo: str, oids: Sequence[str], renames: str | None) -> list[CommitRecorded]:
    """`renames` None: without the changes."""
    if not oids:
        return []
    changes = () if renames is None else (*_CHANGES, renames)
    lines = ("\n".join(oids) + "\n").encode()
    out = git.run("log", "--no-walk=unsorted", *changes, *_HEADER, "--stdin", stdin=lines)
    return list(parse(iter(out.split(b"\0")), repo))


def _marked(found: Iterable[CommitRecorded], clone: Clone) -> list[CommitRecorded]:
    """At the boundary of a shallow clone git shows the whole tree as added: what changed there is not known."""
    return [_at_boundary(commit) if commit.oid in clone.boundary else commit for commit in found]


def _at_boundary(commit: CommitRecorded) -> CommitRecorded:
    return msgspec.structs.replace(commit, changes=[], cut=0, left_out="parents")


def _without_trees(git: Git, oids: Sequence[str]) -> set[str]:
    """The commits that lack their tree or the one of their first parent, of which git cannot tell the changes. None if
    git is older than 2.45 and tries to fetch, which it is forbidden: then each commit is tried."""
    names = [name for oid in oids for name in (f"{oid}^{{tree}}", f"{oid}^1", f"{oid}^1^{{tree}}")]
    try:
        out = git.run("cat-file", "--batch-check", "--buffer", stdin="".join(f"{name}\n" for name in names).encode())
    except GitError:
        return set()
    there = [not line.endswith(b" missing") for line in out.splitlines()]
    rows = zip(oids, there[::3], there[1::3], there[2::3], strict=True)
    return {oid for oid, tree, parent, before in rows if not tree or (parent and not before)}


def history(git: Git, repo: str, head: str, limit: int, since_s: int = 0) -> Iterator[CommitRecorded]:
    """The commits of a head, oldest first; with a limit only the newest, with `since_s` only those made since then.
    Streams. `left_out` says of which the clone does not hold the changes. Raises GitError."""
    clone = clone_of(git)
    newest = _newest(limit, since_s)
    order = ("--reverse", "--date-order", *newest)
    if clone.partial:
        oids = (line.decode("ascii") for line in git.stream("rev-list", *order, head, "--", separator=b"\n"))
        while some := list(islice(oids, _AT_ONCE)):
            yield from read_commits(git, repo, some, clone)
        return
    args = ["log", *order, *_CHANGES, RENAMES, *_HEADER, "--end-of-options", head, "--"]
    for commit in parse(git.stream(*args), repo):
        yield _at_boundary(commit) if commit.oid in clone.boundary else commit


def count(git: Git, head: str, limit: int, since_s: int = 0) -> int:
    """How many commits `history` yields. Raises GitError."""
    return int(git.text("rev-list", "--count", *_newest(limit, since_s), "--end-of-options", head, "--"))


def _newest(limit: int, since_s: int) -> list[str]:
    return [*([f"--max-count={limit}"] if limit else []), *([f"--since=@{since_s}"] if since_s else [])]


def parse(records: Iterator[bytes], repo: str) -> Iterator[CommitRecorded]:
    """Commits from the NUL-separated records of `git log --raw -z` in our format.

    Fields never contain a NUL and their number is fixed, so no name or subject can be mistaken for another field."""
    token = next(records, b"")
    while token:
        oid, parents, author, at, subject = [token, *(next(records, b"") for _ in range(_FIELDS - 1))]
        changes: list[CommitChange] = []
        cut = 0
        token = next(records, b"")
        while token.lstrip(b"\n").startswith(b":"):
            status = token.rpartition(b" ")[2].decode("ascii", "replace")[:1]
            was = next(records, b"") if status in "RC" else None
            path = next(records, b"")
            if len(changes) < MAX_CHANGES:
                changes.append(
                    CommitChange(
                        **name_fields(os.fsdecode(path)),
                        status=status,
                        was=None if was is None else Name(**name_fields(os.fsdecode(was))),
                    )
                )
            else:
                cut += 1
            token = next(records, b"")
        yield CommitRecorded(
            repo=repo, oid=oid.lstrip(b"\n").decode("ascii"), parents=parents.decode("ascii").split(),
            author=author.decode("utf-8", "replace"), at_s=int(at or b"0"),
            subject=subject.decode("utf-8", "replace"), changes=changes, cut=cut,
        )  # fmt: skip
