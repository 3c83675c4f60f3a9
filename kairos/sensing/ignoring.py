"""What decides which paths are observed: the index (tracked paths are never ignored) and ignore files outside the
tree."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kairos.repo.git import Git, GitError, config_home
from kairos.repo.health import mode_of, require_file
from kairos.sensing.refs import GitPlaces

Signature = tuple[int, int, int, int] | None
_MANY = 2_000


def signature(path: Path) -> Signature:
    """(ino, size, mtime_ns, ctime_ns) of a file, None if it does not exist. Equal as long as the file is unchanged."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _settings(at: GitPlaces) -> list[Path]:
    """The git configuration files that may set `core.excludesFile`."""
    person = [config_home() / "git" / "config", Path(os.environ.get("HOME", "/"), ".gitconfig")]
    return [at.common / "config", *person]


class Tracked:
    """The paths of the index, stored as git lists them and read again only when the index has changed."""

    def __init__(self, git: Git, at: GitPlaces) -> None:
        self.index = at.git_dir / "index"
        self._git = git
        self._seen: Signature = None
        self._raw = b""
        self._read = False

    def changed(self) -> bool:
        """Whether the index was written since it was last read."""
        return not self._read or signature(self.index) != self._seen

    @property
    def known(self) -> bool:
        """Whether the index was ever read."""
        return self._read

    def paths(self) -> list[bytes]:
        """The tracked paths as last read."""
        return [path for path in self._raw.split(b"\0") if path]

    def refresh(self) -> set[bytes] | None:
        """Reads the index; returns the directories whose listing may differ as a result, None for all of them.

        A GitError leaves the stored paths unchanged."""
        seen = signature(self.index)
        require_file(self.index)
        raw = self._git.run("ls-files", "-z", "--cached")
        old, self._raw, self._seen = self._raw, raw, seen
        first, self._read = not self._read, True
        if raw == old and not first:
            return set()
        differing = set(old.split(b"\0")) ^ set(raw.split(b"\0"))
        return None if first or len(differing) > _MANY else parents(differing)


class OuterRules:
    """The ignore files outside the tree: `info/exclude` and `core.excludesFile`."""

    def __init__(self, git: Git, at: GitPlaces) -> None:
        self._git = git
        self._settings = _settings(at)
        self._exclude = at.common / "info" / "exclude"
        self.excludes = git.excludes_file()
        self._seen = self._signatures()

    def stale(self) -> bool:
        """Whether one of the ignore or configuration files changed since the last call of `changed`."""
        return self._signatures() != self._seen

    def places(self) -> list[bytes]:
        """The existing directories (absolute) to watch for changes, creation or removal of these files."""
        found = set()
        for file in [*self._settings, self._exclude, *([self.excludes] if self.excludes else [])]:
            found.add(os.fsencode(next(dir for dir in file.parents if stat.S_ISDIR(mode_of(dir)))))
        return sorted(found)

    def changed(self, *, thoroughly: bool) -> bool:
        """Whether the rules differ from the last call. `thoroughly` also asks git which files they are in; if git
        fails, the previous locations are kept."""
        seen = self._signatures()
        if thoroughly or seen[0] != self._seen[0]:
            try:
                found = self._git.excludes_file()
            except GitError:
                return False
            if found != self.excludes:
                self.excludes = found
                self._seen = self._signatures()
                return True
        differ = seen[1:] != self._seen[1:]
        self._seen = seen
        return differ

    def _signatures(self) -> tuple[tuple[Signature, ...], Signature, Signature]:
        return (
            tuple(map(signature, self._settings)),
            signature(self._exclude),
            signature(self.excludes) if self.excludes else None,
        )


def parents(paths: set[bytes]) -> set[bytes]:
    """Every directory on the way to each path, the root (empty) included."""
    found: set[bytes] = set()
    for path in paths:
        while path:
            path = path.rpartition(b"/")[0]
            if path in found:
                break
            found.add(path)
    return found
