"""The view of findings that were not raised: listed because they existed before Kairos, or held by attention."""

from __future__ import annotations

from _blake2 import blake2b  # importing hashlib loads OpenSSL, which is too slow for a quick command
from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

import msgspec

from kairos.domain.events import AttentionHeld, FindingListed, ProposalRaised, ProposalRevised, TurnStarted
from kairos.domain.finding import is_key, listed_at
from kairos.domain.holds import ENDING, label_of
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.index import Index, Indexed, IndexView

_LISTED, _HELD, _WAITS = b"listed/", b"held/", b"waits/"


class WaitingHold(NamedTuple):
    """A hold of a finding that can end: its position, and a hash of the finding's key."""

    position: int
    finding: bytes


class Findings(Indexed):
    """What is recorded about findings by key, read from the log's database on demand."""

    index: Index = msgspec.field(default_factory=lambda: Index(FindingsView().key))

    @property
    def listed(self) -> Container[str]:
        """The keys of findings, and of their parts, that existed before Kairos watched the repository, with the levels
        they had (see `finding.was_listed`)."""
        return _Known(self.index, _listed)

    @property
    def held(self) -> Container[str]:
        """The label (see `raising.label_of`) of each hold recorded since its finding was last raised."""
        return _Known(self.index, _held)

    @property
    def is_any_waiting(self) -> bool:
        """Whether `waiting` yields anything for anything."""
        return next(iter(self.index.under(_WAITS)), None) is not None

    def waiting(self, repo: str, rule: str, detector: str) -> Iterator[WaitingHold]:
        """The holds of a detector's findings by a rule of `ENDING`, the oldest first, that no turn has looked at
        again."""
        for rest in self.index.under(_waits(repo, rule, detector)):
            position, finding, _ = rest.split(b"/", 2)
            yield WaitingHold(int(position), finding)


class FindingsView(IndexView[Findings]):
    name = "findings"
    version = 4
    state = Findings
    topics = frozenset({"FindingListed", "AttentionHeld", "ProposalRaised", "ProposalRevised", "TurnStarted"})

    def apply(self, state: Findings, recorded: Recorded) -> None:
        match recorded.event:
            case FindingListed() as e:
                names = {e.key, *e.subjects}
                state.index.add(
                    [_listed(at) for n in names for at in (n, *(listed_at(n, i) for i in _levels(e.level)))]
                )
            case AttentionHeld() as e if is_key(e.subject):
                state.index.add([_held(label_of(e))])
                if e.rule in ENDING and e.detector:
                    state.index.add([_wait(e, recorded.position)])
            case TurnStarted() as e if e.again:
                _looked_again(state.index, e)
            case ProposalRaised() | ProposalRevised() as e:  # earlier holds no longer apply
                begun = _of(_HELD, e.key)
                state.index.remove([begun + rest for rest in state.index.under(begun)])
            case _:
                pass


class _Known(Container[str]):
    """The set of texts whose keys are in an index."""

    def __init__(self, index: Index, key_of: Callable[[str], bytes]) -> None:
        self._index = index
        self._key_of = key_of

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self._key_of(text) in self._index


_MOST_LEVELS = 8


def _levels(level: int) -> range:
    return range(1, min(level, _MOST_LEVELS) + 1)


def _listed(key: str) -> bytes:
    return _of(_LISTED, key)


def _held(text: str) -> bytes:
    key, _, rule = text.rpartition("|")
    return _of(_HELD, key) + rule.encode("utf-8", "surrogatepass")


def _looked_again(index: Index, event: TurnStarted) -> None:
    """Removes the holds that a turn looks at again: what still holds a finding back is recorded anew."""
    ended = {b"%020d" % position for position in event.again}
    for rule in ENDING:
        for detector in event.detectors:
            begun = _waits(event.repo, rule, detector)
            for rest in list(index.under(begun)):
                position, label = rest.split(b"/", 1)
                if position in ended:
                    index.remove([begun + rest, _HELD + label])


def _waits(repo: str, rule: str, detector: str) -> bytes:
    return _of(_WAITS, f"{repo}|{rule}|{detector}")


def _wait(held: AttentionHeld, position: int) -> bytes:
    """The key of a hold that can end: sorted by its position; the last part is that of its label."""
    begun = _waits(held.repo, held.rule, held.detector)
    return begun + b"%020d/" % position + _held(label_of(held))[len(_HELD) :]


def _of(what: bytes, key: str) -> bytes:
    return what + blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest().encode() + b"/"
