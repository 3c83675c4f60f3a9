"""Ref names as the log holds them: without a secret that one carries, and each still a name of its own.

A branch may be called after a token by mistake. Refs are told apart by their names, so a name that something was cut
from ends with a hash of the whole name, under the salt of the home: the log alone lets nobody guess. The snapshot of
the refs holds the same names: a difference after a restart tells neither more nor less.
"""

from __future__ import annotations

import hashlib

import msgspec

from kairos.domain.secrets import redact
from kairos.sensing.refs import RefSnapshot


class RefNames:
    """What each ref of one repository is called in the log. Names that were judged once are not judged again."""

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._held: dict[str, str] = {}
        self._of_git: dict[str, str] = {}

    def held(self, snapshot: RefSnapshot) -> RefSnapshot:
        """The snapshot with the names that the log holds. Of one that has them already it is the same."""
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
        return f"{clean}~{key}"  # git allows neither `[`, a space nor `~` in a name: no other ref is called so
