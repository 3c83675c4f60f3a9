"""Ref names as the log stores them: secrets removed, and still unique.

A branch name may contain a token by mistake. Refs are identified by name, so a redacted name ends with a hash of the
whole name, keyed with the salt of the home, so that the secret cannot be guessed from the log alone. The ref snapshot
stores the same names, so a comparison after a restart gives the same result.
"""

from __future__ import annotations

import hashlib

import msgspec

from kairos.domain.secrets import redact
from kairos.sensing.refs import RefSnapshot


class RefNames:
    """Maps the ref names of one repository to their names in the log. Each name is redacted once and cached."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._held: dict[str, str] = {}
        self._of_git: dict[str, str] = {}

    def held(self, snapshot: RefSnapshot) -> RefSnapshot:
        """The snapshot with names as the log stores them. A snapshot that already has them is unchanged."""
        words = {*snapshot.refs, *snapshot.worktrees, *snapshot.worktrees.values()}
        words |= {snapshot.head} if snapshot.head is not None else set()
        held = {word: self._held.get(word) or self._judged(word) for word in words}
        self._held, self._of_git = held, {there: name for name, there in held.items() if there != name}
        if not self._of_git:
            return snapshot
        return msgspec.structs.replace(
            snapshot,
            head=None if snapshot.head is None else held[snapshot.head],
            refs={held[name]: oid for name, oid in snapshot.refs.items()},
            worktrees={held[name]: held[text] for name, text in snapshot.worktrees.items()},
        )

    def of_git(self, name: str) -> str:
        """The name by which git knows a ref of the last snapshot."""
        return self._of_git.get(name, name)

    def _judged(self, name: str) -> str:
        clean = redact(name)
        if clean == name:
            return name
        key = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=4).hexdigest()
        return f"{clean}~{key}"  # git allows no `[`, space or `~` in a name: no other ref has this name
