"""secret: a value that looks like a credential in an unpushed commit, in the index or in an untracked file.

Only the kind, the path and the line are shown and stored, never the value. The key of a finding names this value in
this place, whatever its state (untracked, staged, committed, pushed). It is a hash of the value with this home's salt,
so that it cannot be guessed from the log alone.

Unstaged edits of tracked files are not checked, to avoid reports while a person types; the value is reported when it
is staged or committed, and its card lives as long as the file holds it. A value that is staged or committed is urgent,
because it gets worse by waiting, if it surely looks like a credential; one that may be made up is an ordinary note.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from kairos.detectors.artifacts import is_artifact
from kairos.detectors.boundaries import EVERY
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of
from kairos.domain.action import NoteAction
from kairos.domain.amounts import listed
from kairos.domain.basis import Basis, basis_of, ref_words
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.domain.secrets import Credential, label, scan
from kairos.repo.beneath import Unreadable
from kairos.repo.objects import BlobChange

COMMITS, FILES = 200, 2_000
_BYTES = 16 << 20
KEPT, PUSHED = 1, 2
"""The levels of a finding: it is in the index or in a commit; it has left the machine."""
_UNPUSHED = (
    "Not pushed yet, so it can still be taken out of history: remove it from the file, then amend or rebase. If it was "
    "ever shared, rotate it."
)
_PUSHED = (
    "It has left this machine: make it invalid where it was issued (rotate it) first. Taking it out of history does "
    "not take it back."
)
_REMOVED = (
    "The file no longer holds it, but the history of {} does: a later commit does not take it out. Squash the commits "
    "before you push (git rebase -i), and rotate it if it was ever shared."
)
_ENV_FILE = re.compile(r"(?:^|/)(?:\.env(?:\.[^/]*)?|[^/]*\.env)$", re.IGNORECASE)


class Secret:
    """Checks staged blobs, untracked files that no rule ignores, and commits that were never pushed."""

    name = "secret"
    version = 1
    boundaries = EVERY

    def look(self, scene: Scene) -> Iterator[Finding]:
        yield from self._committed(scene)
        yield from self._staged(scene)
        yield from self._untracked(scene)
        if scene.again:
            yield from self._unstaged(scene)

    def _committed(self, scene: Scene) -> Iterator[Finding]:
        oids = [c.oid for c in scene.commits]
        if scene.whole:
            recent = frozenset(oids)
            oids += [oid for oid in scene.unpushed if oid not in recent][:COMMITS]
        here = [oid for oid in oids if oid in scene.unpushed]
        if scene.again:  # one on another branch is parked until it is checked out or pushed
            there = scene.objects.reachable(here)[0]
            yield from self._introduced(scene, scene.objects.pushed([o for o in oids if o not in here]), pushed=True)
            here = [oid for oid in here if oid in there]
        yield from self._introduced(scene, here)

    def _introduced(self, scene: Scene, oids: Sequence[str], *, pushed: bool = False) -> Iterator[Finding]:
        by_path: dict[str, tuple[list[str], list[Credential]]] = {}
        for change, held in _new_values(scene, scene.facts.introduced(oids) if oids else ()):
            commits, values = by_path.setdefault(change.path, ([], []))
            commits.append(change.commit)
            known = {v.value for v in values}
            values += [h for h in held if h.value not in known]
        for path, (commits, values) in sorted(by_path.items()):
            where = f"commit{'s' if len(commits) > 1 else ''} {listed([c[:12] for c in commits])}"
            words = f"pushed in {where}: rotate it" if pushed else f"committed in {where} and not pushed"
            refs = _holding(scene, path, values, commits)
            if refs:
                words = f"removed, but still in {where}" + (", pushed: rotate it" if pushed else " and not pushed")
            advice = _PUSHED if pushed else _REMOVED.format(refs) if refs else _UNPUSHED
            yield self._finding(
                scene, path, values, "committed", words, advice,
                [scene.position_of(c) for c in commits], soon=True, level=PUSHED if pushed else KEPT,
                basis=basis_of([commits], reach="refs" if pushed else "head_or_remote"), still=refs,
            )  # fmt: skip

    def _staged(self, scene: Scene) -> Iterator[Finding]:
        for change, held in sorted(_new_values(scene, scene.staged), key=lambda f: f[0].path):
            yield self._finding(
                scene, change.path, held, "staged", "staged",
                f"Unstage it (git restore --staged), take the value out{_ignoring(change.path)}, and rotate it if it "
                "was ever shared.",
                _positions(scene, change.path), soon=True, level=KEPT, basis=basis_of(),
            )  # fmt: skip

    def _untracked(self, scene: Scene) -> Iterator[Finding]:
        total = 0
        for path in _untracked_files(scene):
            content = scene.read(path)
            if content is None or is_artifact(path):
                continue
            total += len(content.data)
            if total > _BYTES:
                return
            held = scan(path, content.data).held
            if held:
                yield self._finding(
                    scene, path, held, "untracked", "untracked and not ignored",
                    f"The next `git add -A` would take it along. Take the value out{_ignoring(path)}.",
                    _positions(scene, path), basis=basis_of(present=[path]),
                )  # fmt: skip

    def _unstaged(self, scene: Scene) -> Iterator[Finding]:
        """What was staged or committed and is in the work tree alone now: its card lives as long as the file has it."""
        for path in sorted(p for p in scene.tracked if shown(p) in scene.about):
            content, old = scene.read(path), scene.text_in("HEAD", path) if scene.facts.has_head() else None
            held = scan(path, content.data).held if content is not None else []
            before = {h.value for h in scan(path, old.encode()).held} if old is not None else set()
            fresh = [h for h in held if h.value not in before]
            if fresh:
                yield self._finding(
                    scene, path, fresh, "unstaged", "in the file and not staged",
                    f"The next `git add` would take it along. Take the value out{_ignoring(path)}.",
                    _positions(scene, path), basis=basis_of(present=[path]),
                )  # fmt: skip

    def _finding(
        self, scene: Scene, path: str, held: list[Credential], state: str, words: str, advice: str,
        positions: Iterable[int], *, basis: Basis, soon: bool = False, level: int = 0, still: str = "",
    ) -> Finding:  # fmt: skip
        """`still`: what holds a value that the file itself no longer does, in words."""
        what = label(held[0].kind) if len(held) == 1 else f"{len(held)} credentials"
        sure = any(h.confidence == "high" for h in held)
        name = shown(path)
        detail = "\n".join(f"  {name}:{h.line} {label(h.kind)}" for h in held[:20])
        lines = listed([str(h.line) for h in held], 8)
        salted = [_salted(h, scene.salt) for h in held]
        key, subjects = keys_of(self.name, ([path, value] for value in salted))
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, [state, path, *sorted(salted)])],
            fingerprint=fingerprint_of(f"{path}\0{value}" for value in salted),
            level=level,
            basis=basis,
            title=f"{what} in {name}, {words}",
            claim=f"{name} {'held' if still else 'holds'} what looks like "
            f"{'a credential' if len(held) == 1 else 'credentials'} "
            f"({'line' if len(held) == 1 else 'lines'} {lines}), {words}"
            + (f"; it is still in the history of {still}." if still else "."),
            action=NoteAction(repo=scene.repo, text=f"{name} is {words}:\n{detail}\n{advice}"),
            evidence=evidence(scene.cause, positions),
            urgent=soon and sure,
            at_least="high" if sure else "medium",
            unchecked=["whether the value is valid: nobody tried it", *_unchecked(path)],
        )


def _new_values(scene: Scene, changes: Sequence[BlobChange]) -> list[tuple[BlobChange, list[Credential]]]:
    """The credentials that each change adds: values that none of the blobs before it contained."""
    blobs = scene.facts.blobs(oid for c in changes for oid in (*c.old, c.new))
    found = []
    for change in changes:
        data = blobs.get(change.new)
        if data is None:
            continue
        held = scan(change.path, data).held
        if held:
            before = {h.value for oid in change.old if oid in blobs for h in scan(change.path, blobs[oid]).held}
            fresh = [h for h in held if h.value not in before]
            if fresh:
                found.append((change, fresh))
    return found


def _holding(scene: Scene, path: str, held: list[Credential], commits: Sequence[str]) -> str:
    """The refs whose history holds values that the file in HEAD no longer does, in words; empty if it still does, or if
    HEAD never did."""
    in_head = scene.objects.reachable(commits)[0]
    if not in_head:
        return ""
    try:
        data = scene.objects.path_in("HEAD", path)
    except Unreadable:
        return ""
    values = {h.value for h in scan(path, data).held} if data is not None else set()
    if any(h.value in values for h in held):
        return ""
    oid = next(oid for oid in commits if oid in in_head)
    return listed([ref_words(ref) for ref in scene.objects.refs_with(oid)]) or "HEAD"


def _unchecked(path: str) -> list[str]:
    """What was not looked for in a file of others' code."""
    words = "other credentials in it: in a folder of others' code only tokens of an issuer's form are looked for"
    return [words] if scan(path, b"").others else []


def _salted(held: Credential, salt: bytes) -> str:
    return f"{held.kind}:{hashlib.blake2b(held.value, key=salt, digest_size=16).hexdigest()}"


def _untracked_files(scene: Scene) -> list[str]:
    entries = [e for e in scene.untracked if not is_artifact(e)]
    if not scene.whole:
        changed = {c.path for c in scene.changes if c.kind != "deleted" and c.type == "file"}
        if scene.again:  # what was committed may be taken back and kept as a file
            changed |= {f.path for c in scene.commits for f in c.changes}

        def wanted(path: str) -> bool:
            return path in changed or shown(path) in scene.about

        plain = [e for e in entries if wanted(e) and not e.endswith("/")]
        inside = [e for e in entries if e.endswith("/") and (wanted(e) or any(c.startswith(e) for c in changed))]
        return (plain + [p for p in scene.untracked_under(inside) if wanted(p)])[:FILES]
    inside = [e for e in entries if e.endswith("/")]
    return ([e for e in entries if not e.endswith("/")] + scene.untracked_under(inside))[:FILES]


def _positions(scene: Scene, path: str) -> list[int]:
    return [c.position for c in scene.changes if c.path == path]


def _ignoring(path: str) -> str:
    if _ENV_FILE.search(path):
        return f", add {shown(posixpath.basename(path))} to .gitignore"
    return ", or ignore the file"
