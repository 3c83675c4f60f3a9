"""The view of findings that were not raised: listed because they existed before Kairos, or held by attention."""

from __future__ import annotations

from _blake2 import blake2b  # importing hashlib loads OpenSSL, which is too slow for a quick command
from collections.abc import Callable, Container

import msgspec

from kairos.domain.events import AttentionHeld, FindingListed, ProposalRaised, ProposalRevised
from kairos.domain.finding import is_key, listed_at
from kairos.eventlog.record import Recorded
from kairos.eventlog.views.index import Index, Indexed, IndexView

_LISTED, _HELD = b"listed/", b"held/"


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
        """`key|rule` of each hold recorded since its finding was last raised."""
        return _Known(self.index, _held)


class FindingsView(IndexView[Findings]):
    name = "findings"
    version = 2
    state = Findings
    topics = frozenset({"FindingListed", "AttentionHeld", "ProposalRaised", "ProposalRevised"})

    def apply(self, state: Findings, recorded: Recorded) -> None:
        match recorded.event:
            case FindingListed() as e:
                names = {e.key, *e.subjects}
                state.index.add(
                    [_listed(at) for n in names for at in (n, *(listed_at(n, i) for i in _levels(e.level)))]
                )
            case AttentionHeld() as e if is_key(e.subject):
                state.index.add([_held(f"{e.subject}|{e.rule}")])
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


def _of(what: bytes, key: str) -> bytes:
    return what + blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest().encode() + b"/"
