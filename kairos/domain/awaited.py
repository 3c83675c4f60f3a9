"""What is awaited of a finding, and what another look at it says: the one way in which findings are labelled, in a
backtest and in shadow. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kairos.domain.action import NoteAction
from kairos.domain.events.detectors import Named
from kairos.domain.finding import Finding
from kairos.domain.hindsight import Again, named_paths
from kairos.domain.inert import as_text


def named(finding: Finding) -> Named:
    """What tells that people did something about a finding."""
    basis = finding.basis
    absent = [n.fs for n in basis.absent] if basis is not None else []
    present = [n.fs for n in basis.present] if basis is not None else []
    note = finding.action.text if isinstance(finding.action, NoteAction) else ""
    return Named(
        names=finding.names, absent=_texts(absent), present=_texts(present),
        paths=_texts(named_paths(finding.action, basis)), places=list(finding.fingerprint),
        words=f"{finding.title}\n{finding.claim}\n{note}",
    )  # fmt: skip


def seen_again(of: Named, found: Sequence[Finding], exists: Callable[[str], bool]) -> Again:
    """What another look found of a finding. `exists`: whether the tree that was looked at has something at a path."""
    key = of.names[0]
    same = [f for f in found if not set(of.names).isdisjoint(f.names)]
    if same:
        return Again(key, [place for f in same for place in f.fingerprint])
    return Again(key, moot=of.is_moot(exists))


def _texts(paths: Iterable[str]) -> list[str]:
    return sorted(map(as_text, paths))
