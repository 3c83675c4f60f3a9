"""dangling-link: a commit added or changed a symbolic link that leads nowhere inside of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kairos.detectors.boundaries import COMMIT, IDLE_RETURN, LATER, WHOLE
from kairos.detectors.generated_signs import is_fixture
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, keys_of
from kairos.domain.action import NoteAction
from kairos.domain.amounts import count, listed
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.repo.links import followed

_SUBMODULE = re.compile(r"(?m)^\s*path\s*=\s*(.+?)\s*$")
_MOST = 200


class DanglingLink:
    """Links whose target was moved or deleted later are told by `stale-reference`, with the command that mends them."""

    name = "dangling-link"
    version = 1
    boundaries = frozenset({COMMIT, LATER, IDLE_RETURN}) | WHOLE

    def look(self, scene: Scene) -> Iterator[Finding]:
        changed = {f.path for c in scene.commits for f in c.changes if f.status in "AMTRC"}
        if not changed and not scene.whole:
            return
        links = [p for p in scene.facts.links if (scene.whole or p in changed) and not is_fixture(p)][:_MOST]
        dead = {link: target for link in links if (target := _lost(scene, link)) is not None}
        ends = {link: followed(link, scene.facts.target).path for link in dead}
        either = [name for end in ends.values() if end for name in (end, f"{end}/")]  # a file or a directory
        covered = scene.facts.ignored(either)
        made = {p.removesuffix("/") for p, rule in covered.items() if not rule.startswith("!")}
        dead = {link: target for link, target in dead.items() if ends[link] not in made}
        if dead:
            yield self._finding(scene, dead)

    def _finding(self, scene: Scene, dead: dict[str, str]) -> Finding:
        names = listed([shown(link) for link in dead])
        key, subjects = keys_of(self.name, ([link] for link in dead))
        lines = "\n".join(f"  {shown(link)} leads to {shown(target)}" for link, target in dead.items())
        carried = [c.oid for c in scene.commits if any(f.path in dead for f in c.changes)]
        leads = "leads" if len(dead) == 1 else "lead"
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            fingerprint=fingerprint_of(f"{link}\0{target}" for link, target in dead.items()),
            basis=basis_of([carried], present=dead),
            title=f"{count(len(dead), 'symbolic link')} {leads} nowhere: {names}",
            claim=f"{names} {leads} to nothing in the repository.",
            action=NoteAction(repo=scene.repo, text=f"Symbolic links without a target:\n{lines}"),
            evidence=evidence(scene.cause, [c.position for c in scene.commits if c.oid in carried]),
            unchecked=["whether something that is not tracked makes the target"],
        )


def _lost(scene: Scene, link: str) -> str | None:
    """The target of a link that leads nowhere, None if it leads somewhere or nobody knows."""
    target = scene.facts.target(link)
    if target is None or not target.isprintable() or scene.facts.leads(link):
        return None
    end = followed(link, scene.facts.target)
    if end.where == "outside" or (end.where == "inside" and not end.path):
        return None
    modules = _SUBMODULE.findall(scene.text(".gitmodules") or "")
    return None if any(end.path == m or end.path.startswith(f"{m}/") for m in modules) else target
