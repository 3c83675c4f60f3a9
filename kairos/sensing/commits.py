"""Commits as events, read from one `git log` at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from kairos.domain.events import CommitChange, CommitRecorded, Name, name_fields
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put
from kairos.repo.git import QUICK_S, Git

MAX_CHANGES = 2_000
MAX_LIVE = 500
_FIELDS = 5
_FORMAT = (
    "--raw", "-r", "-M", "-z", "--root", "--no-abbrev", "--diff-merges=first-parent", "--no-relative",
    "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", "--encoding=UTF-8", "--no-show-signature",
    "--format=tformat:%H%x00%P%x00%an <%ae>%x00%ct%x00%s",
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


def read_commits(git: Git, repo: str, oids: Sequence[str]) -> list[CommitRecorded]:
    """These commits as events, in the order of `oids`. Raises GitError."""
    if not oids:
        return []
    out = git.run("log", "--no-walk=unsorted", *_FORMAT, "--stdin", stdin=("\n".join(oids) + "\n").encode())
    return list(parse(iter(out.split(b"\0")), repo))


def is_partial(git: Git) -> bool:
    """Whether a repository is a partial clone, for which git fetches missing objects on demand."""
    return git.result("config", "--get-regexp", r"^remote\..*\.promisor$", ok=(0, 1), timeout=QUICK_S)[0] == 0


def history(git: Git, repo: str, head: str, limit: int) -> Iterator[CommitRecorded]:
    """The commits of a head, oldest first; with a limit only the newest. Streams from one git process. Raises
    GitError."""
    newest = [f"--max-count={limit}"] if limit else []
    args = ["log", "--reverse", "--date-order", *newest, *_FORMAT, "--end-of-options", head, "--"]
    return parse(git.stream(*args), repo)


def count(git: Git, head: str, limit: int) -> int:
    """How many commits `history` yields. Raises GitError."""
    newest = [f"--max-count={limit}"] if limit else []
    return int(git.text("rev-list", "--count", *newest, "--end-of-options", head, "--"))


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
