"""What is staged: the difference of the index and HEAD. A change of it is told once, so that a look follows."""

from __future__ import annotations

from kairos.repo.git import Git

_COMPARE = ("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--")


class Staging:
    """The staged changes as last read."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._entries: frozenset[bytes] | None = None

    def grown(self) -> bool:
        """Reads what is staged. Whether something is staged that was not at the last reading; not at the first one.

        GitError if git fails, also where a clone lacks the trees of HEAD."""
        before, self._entries = self._entries, frozenset(self._read())
        return before is not None and bool(self._entries - before)

    def _read(self) -> list[bytes]:
        if self._git.head() is None:
            return self._git.run("ls-files", "--stage", "-z").split(b"\0")[:-1]
        fields = self._git.run(*_COMPARE).split(b"\0")
        return [b"\0".join(pair) for pair in zip(fields[::2], fields[1::2], strict=False)]
