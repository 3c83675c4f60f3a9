"""The detectors of this program, and how those that apply to a boundary run, in a fixed order."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kairos.detectors.case_collision import CaseCollision
from kairos.detectors.conflict_marker import ConflictMarker
from kairos.detectors.dangling_link import DanglingLink
from kairos.detectors.enabled import ENABLED
from kairos.detectors.ignore_artifact import IgnoreArtifact
from kairos.detectors.lock_file.detector import LockFile
from kairos.detectors.protocol import Detector, DetectorFailure
from kairos.detectors.scene import Scene
from kairos.detectors.secret import Secret
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.unparsable import Unparsable
from kairos.domain.events import ProposalRaised
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.domain.secrets import redact
from kairos.errors import KairosError

ALL: tuple[Detector, ...] = (
    Secret(),
    ConflictMarker(),
    StaleReference(),
    IgnoreArtifact(),
    LockFile(),
    Unparsable(),
    DanglingLink(),
    CaseCollision(),
)

WATCHING = tuple(d for d in ALL if d.name in ENABLED)


UNCOMMITTED = frozenset({"secret", "conflict-marker"})
"""Detectors whose finding may be in the index or the work tree while its commit is not in the history of HEAD: after a
reset that kept the files."""
_RESOLVED = {
    "case-collision": "no two paths differ only in case",
    "conflict-marker": "the conflict markers are gone",
    "dangling-link": "the link leads somewhere, or is gone",
    "ignore-artifact": "nothing is left to ignore",
    "lock-file": "the lock file holds what the manifest asks for",
    "missing-companion": "what changes together is told where it is asked for: kairos memory brief",
    "secret": "the value is no longer there: in no commit of a branch, and in no file that git has or would add",
    "unparsable": "the file parses again, or is gone",
    "stale-reference": "nothing names the old path any more",
}
REASON_GONE = "what it rests on is no longer so"


def look(
    scene: Scene, muted: Collection[str] = (), detectors: Sequence[Detector] = WATCHING
) -> tuple[list[Finding], list[DetectorFailure]]:
    """Returns the findings of one turn, each key once, and the failures of detectors.

    A detector that fails on hostile input loses its own findings and is reported; the turn continues."""
    findings: dict[str, Finding] = {}
    problems: list[DetectorFailure] = []
    for detector in detectors:
        if detector.name in muted or scene.boundary not in detector.boundaries:
            continue
        try:
            found = list(detector.look(scene))
        except (KairosError, OSError, ValueError, RecursionError, MemoryError) as error:
            # UnicodeError is a ValueError. Any other exception is a defect and may end the turn.
            problems.append(DetectorFailure(detector.name, redact(shown(f"{type(error).__name__}: {error}"))))
            continue
        for finding in found:
            findings.setdefault(finding.key, finding)
    return list(findings.values()), problems


def resolved(raised: ProposalRaised) -> str:
    """What it means that a detector no longer finds what it found."""
    return _RESOLVED.get(raised.detector, REASON_GONE)
