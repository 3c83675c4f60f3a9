"""The basis of a finding: what it rests on in a repository, and whether that is there. Pure.

A finding whose basis is not in the tree now is *parked*: it comes back when the basis does. It is *gone* when no ref
leads to what it rests on any more, or when a commit took it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from kairos.domain.inert import shown
from kairos.domain.names import Name, name_fields

Reach = Literal["head", "refs", "head_or_remote"]
MOST = 2_000
"""At most so many entries of each kind are kept in a basis; it says how many it left out (`cut`)."""
EQUIVALENTS = 64
"""At most so many commits are kept that carry the same change (after amend, rebase or cherry-pick)."""


class CommitBasis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change that must be in the history: any one of `oids`, which carry the same change. `reach`: in the history
    of HEAD, of any ref, or of HEAD or a remote-tracking branch (what was pushed concerns every branch)."""

    oids: list[str]
    reach: Reach = "head"


class BlobBasis(Name, frozen=True, kw_only=True, omit_defaults=True):
    """A file that must have this content (SHA-256) and, if given, these permission bits (0o644 or 0o755)."""

    sha: str = ""
    mode: int | None = None


class RefBasis(msgspec.Struct, frozen=True, kw_only=True):
    """A ref that must point at this object."""

    name: str
    oid: str


class Basis(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a finding rests on. All of it must hold: every entry of `commits`, `present` paths exist, `absent` paths do
    not, `blobs` and `refs` are as recorded. `cut`: so many entries are not listed because there are too many; what
    rests on them cannot be checked, so no change may be made on such a basis."""

    commits: list[CommitBasis] = []
    present: list[Name] = []
    absent: list[Name] = []
    blobs: list[BlobBasis] = []
    refs: list[RefBasis] = []
    cut: int = 0


class BasisTree(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a repository at one moment, as far as some bases need it. Paths are file-system strings.

    `in_head`, `in_refs`, `in_remotes`: those of the asked commits that are in the history of HEAD, of any ref, and of a
    remote-tracking branch; `holders`: refs that lead to asked commits which are not in the history of HEAD; `existing`:
    those of the asked paths that exist; `tracked`: those that are in the index; `blobs`: content hash and mode of the
    asked files; `refs`: where the asked refs point."""

    in_head: frozenset[str] = frozenset()
    in_refs: frozenset[str] = frozenset()
    in_remotes: frozenset[str] = frozenset()
    holders: Mapping[str, Sequence[str]] = {}
    existing: frozenset[str] = frozenset()
    tracked: frozenset[str] = frozenset()
    blobs: Mapping[str, tuple[str, int]] = {}
    refs: Mapping[str, str] = {}


class BasisMissing(msgspec.Struct, frozen=True):
    """Why a basis does not hold. `gone`: nothing leads back to it, so the finding is closed instead of parked."""

    why: str
    gone: bool = False


def basis_of(
    commits: Iterable[Sequence[str]] = (),
    *,
    reach: Reach = "head",
    present: Iterable[str] = (),
    absent: Iterable[str] = (),
) -> Basis:
    """A basis from commit ids (each a group of equivalents) and paths as the file system gives them, within bounds."""
    groups = [CommitBasis(oids=list(oids)[-EQUIVALENTS:], reach=reach) for oids in commits if oids]
    there, not_there = sorted(set(present)), sorted(set(absent))
    return Basis(
        commits=groups[:MOST],
        present=[Name(**name_fields(p)) for p in there[:MOST]],
        absent=[Name(**name_fields(p)) for p in not_there[:MOST]],
        cut=sum(max(0, len(entries) - MOST) for entries in (groups, there, not_there)),
    )


def missing(basis: Basis | None, tree: BasisTree) -> BasisMissing | None:
    """Why the basis does not hold in this tree, None if it does. An unknown basis (None) holds."""
    if basis is None:
        return None
    return _commits(basis, tree) or _paths(basis, tree) or _contents(basis, tree)


def absence(basis: Basis | None, tree: BasisTree) -> BasisMissing | None:
    """Why some of what a basis names is not there: what may return, before what is gone. None if all is there."""
    if basis is None:
        return None
    each = [_commits(Basis(commits=[group]), tree) for group in basis.commits]
    found = [m for m in (*each, _paths(basis, tree), _contents(basis, tree)) if m is not None]
    return next((m for m in found if not m.gone), found[0] if found else None)


def _commits(basis: Basis, tree: BasisTree) -> BasisMissing | None:
    for group in basis.commits:
        if not reached(group, tree).isdisjoint(group.oids):
            continue
        left = [oid for oid in group.oids if oid in tree.in_refs]
        name = (left or group.oids or ["?"])[-1][:12]
        if not left:
            return BasisMissing(f"commit {name} is in no branch any more", gone=True)
        where = " and ".join(ref_words(ref) for ref in tree.holders.get(left[-1], ()))
        there = f"is in {where}, and not" if where else "is not"
        return BasisMissing(f"commit {name} {there} in the history of what is checked out")
    return None


def reached(group: CommitBasis, tree: BasisTree) -> frozenset[str]:
    """Those of the asked commits that are where a group needs one of its own to be."""
    if group.reach == "refs":
        return tree.in_refs
    return tree.in_head | tree.in_remotes if group.reach == "head_or_remote" else tree.in_head


def reached_of(basis: Basis | None, tree: BasisTree) -> frozenset[str]:
    """Those commits of a basis that are where they must be."""
    groups = basis.commits if basis is not None else []
    return frozenset(oid for group in groups for oid in reached(group, tree).intersection(group.oids))


def ref_words(ref: str) -> str:
    """How a person calls a ref: `branch work`, `tag v1`, `the stash`, `ORIG_HEAD (the way back from a reset)`."""
    if ref == "ORIG_HEAD":
        return "ORIG_HEAD (the way back from a reset)"
    if ref == "refs/stash":
        return "the stash"
    for prefix, kind in (("refs/heads/", "branch"), ("refs/tags/", "tag"), ("refs/remotes/", "remote branch")):
        if ref.startswith(prefix):
            return f"{kind} {shown(ref.removeprefix(prefix))}"
    return shown(ref)


def _paths(basis: Basis, tree: BasisTree) -> BasisMissing | None:
    for path in (n.fs for n in basis.present):
        if path not in tree.existing:
            return BasisMissing(f"{shown(path)} is not there", gone=bool(basis.commits) and path not in tree.tracked)
    for path in (n.fs for n in basis.absent):
        if path in tree.existing:
            return BasisMissing(f"{shown(path)} is there again", gone=bool(basis.commits) and path in tree.tracked)
    return None


def _contents(basis: Basis, tree: BasisTree) -> BasisMissing | None:
    for blob in basis.blobs:
        found = tree.blobs.get(blob.fs)
        if found is None or found[0] != blob.sha or (blob.mode is not None and found[1] != blob.mode):
            return BasisMissing(f"{shown(blob.fs)} is not the file that it rests on")
    for ref in basis.refs:
        if tree.refs.get(ref.name) != ref.oid:
            return BasisMissing(f"{shown(ref.name)} points elsewhere")
    return None


def joined(old: Basis | None, new: Basis | None) -> Basis | None:
    """The new basis, in which the commits of the old one count as well: the same change in another commit is the same
    finding. Groups are paired in order; a basis of another shape replaces the old one."""
    if old is None or new is None or len(old.commits) != len(new.commits):
        return new
    if any(a.reach != b.reach for a, b in zip(old.commits, new.commits, strict=True)):
        return new
    groups = [
        CommitBasis(oids=[*(o for o in a.oids if o not in b.oids), *b.oids][-EQUIVALENTS:], reach=b.reach)
        for a, b in zip(old.commits, new.commits, strict=True)
    ]
    return msgspec.structs.replace(new, commits=groups)


def oids_of(basis: Basis | None) -> frozenset[str]:
    """Every commit that a basis names."""
    return frozenset(oid for group in basis.commits for oid in group.oids) if basis is not None else frozenset()


def paths_of(basis: Basis | None) -> frozenset[str]:
    """Every path that a basis names, as file-system strings."""
    if basis is None:
        return frozenset()
    return frozenset(n.fs for n in (*basis.present, *basis.absent, *basis.blobs))
