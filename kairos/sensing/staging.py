"""What is staged: the difference of the index and HEAD. A change of it is told once, so that a look follows."""

from __future__ import annotations

from kairos.repo.git import Git

_COMPARE = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--")


class Staging:
    """The staged changes as last read."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._head: str | None = None
        self._entries: frozenset[bytes] | None = None

    def changed(self) -> bool:
        """Reads what is staged. Whether something is staged that was not at the last reading, or no longer is while
        HEAD is the same; not at the first reading. What a commit took is not news: HEAD moved.

        GitError if git fails, also where a clone lacks the trees of HEAD."""
        head = self._git.head()
        now = frozenset(self._read(born=head is not None))
        before, self._entries = self._entries, now
        same, self._head = head == self._head, head
        return before is not None and (before != now if same else bool(now - before))

    def _read(self, *, born: bool) -> list[bytes]:
        if not born:
            return self._git.run("ls-files", "--stage", "-z").split(b"\0")[:-1]
        fields = self._git.run(*_COMPARE).split(b"\0")
        return [b"\0".join(pair) for pair in zip(fields[::2], fields[1::2], strict=False)]
