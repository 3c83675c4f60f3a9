"""secret: a value that looks like a credential in an unpushed commit, in the index or in an untracked file.

Only the kind, the path and the line are shown and stored, never the value. The key of a finding names this value in
this place, whatever its state (untracked, staged, committed, pushed). It is a hash of the value with this home's salt,
so that it cannot be guessed from the log alone.

Unstaged edits of tracked files are not checked, to avoid reports while a person types; the value is reported when it
is staged or committed.
"""

from __future__ import annotations

import codecs
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kairos.detectors.artifacts import is_artifact
from kairos.detectors.boundaries import EVERY
from kairos.detectors.maintained import is_lock_file
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of, listed
from kairos.domain.action import NoteAction
from kairos.domain.basis import Basis, basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.domain.secrets import find
from kairos.repo.beneath import is_text
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
_MADE_UP_KINDS = frozenset({"credential", "url-password", "private-key", "jwt"})
"""Kinds that tests and examples often make up: not reported there. A token with an issuer's prefix is reported."""
_MADE_UP_FOLDERS = frozenset({
    "test", "tests", "testing", "spec", "specs", "__tests__", "fixture", "fixtures", "testdata", "example", "examples",
    "sample", "samples", "mock", "mocks", "doc", "docs",
})  # fmt: skip
_MADE_UP_ENDS = ("example", "sample", "template", ".dist", ".tmpl", ".md", ".rst", ".po")
_ENV_FILE = re.compile(r"(?:^|/)(?:\.env(?:\.[^/]*)?|[^/]*\.env)$", re.IGNORECASE)
_LABELS = {
    "aws-access-key": "AWS key", "github-token": "GitHub token", "gitlab-token": "GitLab token",
    "slack-token": "Slack token", "slack-webhook": "Slack webhook", "stripe-key": "Stripe key",
    "google-api-key": "Google API key", "anthropic-key": "Anthropic key", "openai-key": "OpenAI key",
    "npm-token": "npm token", "pypi-token": "PyPI token", "huggingface-token": "Hugging Face token",
    "sendgrid-key": "SendGrid key", "digitalocean-token": "DigitalOcean token", "jwt": "signed web token",
    "vault-token": "Vault token", "shopify-token": "Shopify token", "databricks-token": "Databricks token",
    "linear-key": "Linear key", "docker-token": "Docker token", "grafana-token": "Grafana token",
    "atlassian-token": "Atlassian token", "age-key": "age key", "private-key": "private key",
    "url-password": "password in a URL", "credential": "credential",
}  # fmt: skip


class Credential(NamedTuple):
    """A value that looks like a real credential: its kind and 1-based line. `value` is for comparison only."""

    kind: str
    line: int
    value: str


class Secret:
    """Checks staged blobs, untracked files that no rule ignores, and commits that were never pushed."""

    name = "secret"
    version = 1
    boundaries = EVERY

    def look(self, scene: Scene) -> Iterator[Finding]:
        yield from self._committed(scene)
        yield from self._staged(scene)
        yield from self._untracked(scene)

    def _committed(self, scene: Scene) -> Iterator[Finding]:
        oids = [c.oid for c in scene.commits]
        if scene.whole:
            recent = frozenset(oids)
            oids += [oid for oid in scene.unpushed if oid not in recent][:COMMITS]
        here = [oid for oid in oids if oid in scene.unpushed]
        yield from self._introduced(scene, here)
        if scene.again:
            yield from self._introduced(scene, scene.objects.pushed([o for o in oids if o not in here]), pushed=True)

    def _introduced(self, scene: Scene, oids: Sequence[str], *, pushed: bool = False) -> Iterator[Finding]:
        by_path: dict[str, tuple[list[str], list[Credential]]] = {}
        for change, held in _new_values(scene, scene.objects.introduced(oids) if oids else ()):
            commits, values = by_path.setdefault(change.path, ([], []))
            commits.append(change.commit)
            known = {v.value for v in values}
            values += [h for h in held if h.value not in known]
        for path, (commits, values) in sorted(by_path.items()):
            where = f"commit{'s' if len(commits) > 1 else ''} {listed([c[:12] for c in commits])}"
            words = f"pushed in {where}: rotate it" if pushed else f"committed in {where} and not pushed"
            yield self._finding(
                scene, path, values, "committed", words, _PUSHED if pushed else _UNPUSHED,
                [scene.position_of(c) for c in commits], urgent=True, level=PUSHED if pushed else KEPT,
                basis=basis_of([commits], reach="refs"),
            )  # fmt: skip

    def _staged(self, scene: Scene) -> Iterator[Finding]:
        for change, held in sorted(_new_values(scene, scene.staged), key=lambda f: f[0].path):
            yield self._finding(
                scene, change.path, held, "staged", "staged",
                f"Unstage it (git restore --staged), take the value out{_ignoring(change.path)}, and rotate it if it "
                "was ever shared.",
                _positions(scene, change.path), level=KEPT, basis=basis_of(present=[change.path]),
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
            held = _held(path, content.data)
            if held:
                yield self._finding(
                    scene, path, held, "untracked", "untracked and not ignored",
                    f"The next `git add -A` would take it along. Take the value out{_ignoring(path)}.",
                    _positions(scene, path), basis=basis_of(present=[path]),
                )  # fmt: skip

    def _finding(
        self, scene: Scene, path: str, held: list[Credential], state: str, words: str, advice: str,
        positions: Iterable[int], *, basis: Basis, urgent: bool = False, level: int = 0,
    ) -> Finding:  # fmt: skip
        what = _LABELS.get(held[0].kind, "credential") if len(held) == 1 else f"{len(held)} credentials"
        name = shown(path)
        detail = "\n".join(f"  {name}:{h.line} {_LABELS.get(h.kind, 'credential')}" for h in held[:20])
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
            claim=f"{name} holds what looks like {'a credential' if len(held) == 1 else 'credentials'} "
            f"({'line' if len(held) == 1 else 'lines'} {lines}), {words}.",
            action=NoteAction(repo=scene.repo, text=f"{name} is {words}:\n{detail}\n{advice}"),
            evidence=evidence(scene.cause, positions),
            urgent=urgent,
            at_least="high",
            unchecked=["whether the value is valid: nobody tried it"],
        )


def _new_values(scene: Scene, changes: Sequence[BlobChange]) -> list[tuple[BlobChange, list[Credential]]]:
    """The credentials that each change adds: values that none of the blobs before it contained."""
    blobs = scene.objects.blobs(oid for c in changes for oid in (*c.old, c.new))
    found = []
    for change in changes:
        data = blobs.get(change.new)
        if data is None:
            continue
        held = _held(change.path, data)
        if held:
            before = {h.value for oid in change.old if oid in blobs for h in _held(change.path, blobs[oid])}
            fresh = [h for h in held if h.value not in before]
            if fresh:
                found.append((change, fresh))
    return found


def _held(path: str, data: bytes) -> list[Credential]:
    text = _text(data)
    guess = not (_is_made_up(path) or is_lock_file(path))
    held, line, at = [], 1, 0
    for match in find(text, for_detection=True):
        line += text.count("\n", at, match.start)
        at = match.start
        if guess or match.kind not in _MADE_UP_KINDS:
            held.append(Credential(match.kind, line, text[match.start : match.end]))
    return held


def _is_made_up(path: str) -> bool:
    """Whether a file is a test, an example or documentation, judged by its path."""
    *folders, name = path.lower().split("/")
    return (
        not _MADE_UP_FOLDERS.isdisjoint(folders)
        or name.startswith("test_")
        or any(part in name for part in ("_test.", ".test.", ".spec."))
        or name == "conftest.py"
        or name.endswith(_MADE_UP_ENDS)
    )


def _text(data: bytes) -> str:
    """The text of a file, empty for binary content. UTF-16 with a byte order mark, as Windows shells write it, is
    text."""
    if not is_text(data) and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace") if is_text(data) else ""


def _salted(held: Credential, salt: bytes) -> str:
    value = held.value.encode("utf-8", "surrogateescape")
    return f"{held.kind}:{hashlib.blake2b(value, key=salt, digest_size=16).hexdigest()}"


def _untracked_files(scene: Scene) -> list[str]:
    entries = [e for e in scene.untracked if not is_artifact(e)]
    if not scene.whole:
        changed = {c.path for c in scene.changes if c.kind != "deleted" and c.type == "file"}
        plain = [e for e in entries if e in changed]
        inside = [e for e in entries if e.endswith("/") and any(c.startswith(e) for c in changed)]
        return (plain + [p for p in scene.untracked_under(inside) if p in changed])[:FILES]
    inside = [e for e in entries if e.endswith("/")]
    return ([e for e in entries if not e.endswith("/")] + scene.untracked_under(inside))[:FILES]


def _positions(scene: Scene, path: str) -> list[int]:
    return [c.position for c in scene.changes if c.path == path]


def _ignoring(path: str) -> str:
    if _ENV_FILE.search(path):
        return f", add {shown(posixpath.basename(path))} to .gitignore"
    return ", or ignore the file"
