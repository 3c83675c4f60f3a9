"""A person's own detector: asked about a commit, it speaks of what that commit brought.

```
commit ──► asked about its tree ──► findings in files that the commit touched
                                     └─ any? asked about the parent's tree: what was there before is left out
```
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from kairos.clock import SECOND, now_us
from kairos.detectors.boundaries import COMMIT
from kairos.detectors.own.answers import OwnAnswer, OwnEdit, OwnRefused, read_answers
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of
from kairos.domain.action import Action, FileEdit, NoteAction, PatchAction, edit
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import as_text, shown
from kairos.repo.beneath import as_text as decoded

_NUMBERS = re.compile(r"\d+")
_MOST_PATHS = 2_000
MOST_NEW = 20
"""A commit does not bring more new things than this; a detector that says so is wrong."""


class OwnQuestion(NamedTuple):
    """What a detector is asked: the commit whose tree it sees, the paths of interest (it is told those that are there),
    and when it is to think it is (us): when the commit was made that is looked at."""

    commit: str
    paths: Sequence[str]
    at: int


Ask = Callable[[Scene, OwnQuestion], bytes]
"""Runs the detector confined, and returns what it wrote. ValueError or KairosError with the reason."""


class OwnDetector:
    """Looks at commits only. Nothing that it says is believed: its findings are notes and patches like any other."""

    boundaries = frozenset({COMMIT})

    def __init__(self, name: str, version: int, ask: Ask) -> None:
        self.name = name
        self.version = version
        self._ask = ask

    def look(self, scene: Scene) -> Iterator[Finding]:
        touched = {f.path for c in scene.commits for f in c.changes if f.status != "D"}
        paths = sorted(p for p in touched if as_text(p) == p)[:_MOST_PATHS]
        head = scene.facts.commit()
        if not paths or head is None:
            return
        made = scene.commits[-1].at_s
        at = made * SECOND if made else now_us()
        found = self._answers(scene, OwnQuestion(head, paths, at))
        if not scene.again:
            found = [a for a in found if a.path in touched]
            parents = scene.commits[0].parents
            if found and parents:
                before = {self._key(a) for a in self._answers(scene, OwnQuestion(parents[0], paths, at))}
                found = [a for a in found if self._key(a) not in before]
        by_key = {self._key(a): a for a in reversed(found) if a.path in scene.tracked}
        if len(by_key) > MOST_NEW and not scene.again:
            raise OwnRefused(f"it found {len(by_key)} new things in one commit, more than {MOST_NEW}")
        for key, answer in reversed(by_key.items()):
            yield self._finding(scene, answer, key)

    def _answers(self, scene: Scene, question: OwnQuestion) -> list[OwnAnswer]:
        return read_answers(self._ask(scene, question))

    def _key(self, answer: OwnAnswer) -> str:
        return key_of(self.name, [answer.path, answer.key or _NUMBERS.sub("", answer.title)])

    def _finding(self, scene: Scene, answer: OwnAnswer, key: str) -> Finding:
        where = shown(answer.path) + (f":{answer.line}" if answer.line else "")
        action, unfit = _action(scene, answer, where)
        unchecked = [shown(u) for u in answer.unchecked] or [
            "what your detector says: only that its answer is well-formed"
        ]
        return Finding(
            detector=self.name, version=self.version, key=key, title=shown(answer.title),
            claim=f"{shown(answer.claim or answer.title)} ({where})", action=action,
            evidence=evidence(scene.cause, [c.position for c in scene.commits]),
            fingerprint=fingerprint_of([answer.path]), basis=basis_of([[scene.commits[-1].oid]], present=[answer.path]),
            unchecked=[*unchecked, *([unfit] if unfit else [])],
        )  # fmt: skip


def _action(scene: Scene, answer: OwnAnswer, where: str) -> tuple[Action, str]:
    """(the patch of an answer, or a note of where it is; why its patch is left out)."""
    note = NoteAction(repo=scene.repo, text=f"{shown(answer.title)}\n  {where}")
    if not answer.edits:
        return note, ""
    changed: dict[str, FileEdit] = {}
    for path in dict.fromkeys(e.path for e in answer.edits):
        made = _edited(scene, path, [e for e in answer.edits if e.path == path])
        if isinstance(made, str):
            return note, f"its patch is left out: {made}"
        changed[path] = made
    return PatchAction(repo=scene.repo, edits=[changed[p] for p in sorted(changed)]), ""


def _edited(scene: Scene, path: str, edits: Sequence[OwnEdit]) -> FileEdit | str:
    """The edit of one tracked text file, or why it does not fit."""
    content = scene.read(path) if path in scene.tracked else None
    text = decoded(content.data) if content is not None else None
    if content is None or text is None:
        return f"{shown(path)} is no tracked text file"
    new = text
    for one in edits:
        if new.count(one.old) != 1:
            return f"the text to change occurs {new.count(one.old)} times in {shown(path)}, not once"
        new = new.replace(one.old, one.new)
    try:
        after = new.encode("utf-8")
    except UnicodeEncodeError:
        return f"the new text of {shown(path)} is not valid Unicode"
    if after == content.data or "\0" in new:
        return f"{shown(path)} would not change, or would be no text"
    return edit(path, (content.data, content.mode), (after, content.mode))
