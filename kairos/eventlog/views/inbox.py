"""The inbox: every proposal with the positions of its events, each in its own view row, and an index to find
proposals by key, change or state without reading the others.
"""

from __future__ import annotations

from _blake2 import blake2b  # importing hashlib loads OpenSSL, which is too slow for a quick command
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, takewhile

import msgspec

from kairos.domain import proposal
from kairos.domain.action import FileState, PatchAction
from kairos.domain.learning import learned
from kairos.domain.learning.learned import Learned
from kairos.domain.parts import names_of
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Recorded, Track, Write
from kairos.eventlog.views.filed import Filed, Filings, Part, filed
from kairos.eventlog.views.index import Index
from kairos.eventlog.views.projection import STATE, Projection, sealed

_MOST_LAPSED = 200
"""So many proposals that the tree closed, or that were read or rejected, are looked at again when the tree changes;
older ones stay closed."""
_MOST_CARRIED = 50
"""So many proposals that were carried out are looked at when git takes changes away."""
_LEAST = 4
"""Minimum length of a short id."""


class _Kept(msgspec.Struct):
    """The saved state of an inbox apart from the proposals: the ids of the live ones and of those closed lately."""

    live: list[str]
    lapsed: list[str] = []
    learned: Learned = msgspec.field(default_factory=Learned)


class _Whole(msgspec.Struct):
    """A whole inbox, as it is compared."""

    filed: dict[str, Filed]
    learned: Learned


class Place(msgspec.Struct, frozen=True):
    """A proposal and the position at which a decision on it was put where it is in the stack."""

    id: str
    position: int


class Inbox(msgspec.Struct):
    """Every proposal by id, and what was learned from them. Settled ones are read from the log's database on demand."""

    filings: Filings = msgspec.field(default_factory=lambda: Filings(InboxView().key))
    index: Index = msgspec.field(default_factory=lambda: Index(InboxView().key))
    _live: dict[str, None] = {}
    _lapsed: dict[str, None] = {}
    learned: Learned = msgspec.field(default_factory=Learned)

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        return Part(self.filings, lambda filed: filed.proposal)

    @property
    def positions(self) -> Mapping[str, list[int]]:
        """The positions of each proposal's events."""
        return Part(self.filings, lambda filed: filed.positions)

    def find(self, prefix: str) -> Proposal:
        """The proposal with an id or unique prefix. NotFound if no proposal or several match."""
        if prefix in self.filings:
            return self.filings[prefix].proposal
        begun = takewhile(lambda i: i.startswith(prefix), self.filings.ids(prefix)) if prefix else iter(())
        found = list(islice((i for i in begun if i in self.filings), 6))
        if len(found) == 1:
            return self.filings[found[0]].proposal
        if not found:
            raise NotFound(f"no proposal has the id `{prefix}`", "`kairos inbox` lists what is pending.")
        raise NotFound(f"`{prefix}` is ambiguous: {', '.join(found[:5])}", "Type more of the id.")

    def letters(self, id_: str) -> str:
        """The shortest prefix of an id, of at least four letters, that no other proposal shares."""
        need = _LEAST
        for other in (
            next(self.filings.ids(before=id_, backwards=True), ""),
            next(self.filings.ids(first=f"{id_}\0"), ""),
        ):
            while need < len(id_) and id_[:need] == other[:need]:
                need += 1
        return id_[:need]

    def live(self) -> list[Proposal]:
        """Proposals not in a terminal state: undecided, deferred, parked, approved or running."""
        return [self.filings[i].proposal for i in self._live]

    def lapsed(self, repo: str) -> list[Proposal]:
        """The latest closed proposals of a repository that may be open again when the tree changes, oldest first: the
        tree closed them, or they were read or rejected."""
        found = (self.filings[i].proposal for i in self._lapsed if i in self.filings)
        return [p for p in found if p.raised.repo == repo]

    def pending(self) -> list[Proposal]:
        return [p for p in self.live() if p.state in proposal.UNDECIDED]

    def in_effect(self, repo: str | None) -> Iterator[Place]:
        """The decisions of a repository (None: of all) that are in effect, the last one first."""
        return self._placed(b"undo", repo)

    def taken_back(self, repo: str | None) -> Iterator[Place]:
        """The decisions of a repository (None: of all) that were taken back and not made again, the last one first."""
        return self._placed(b"redo", repo)

    def newest(self, repo: str | None) -> int:
        """The position of the last new decision in a repository (None: in all), 0 if there was none."""
        found = next(self._placed(b"new", repo), None)
        return 0 if found is None else found.position

    def _placed(self, side: bytes, repo: str | None) -> Iterator[Place]:
        for key in self.index.under(_side(side, repo), backwards=True):
            number, id_ = key.decode("utf-8", "replace").split("/", 1)
            if id_ in self.filings:
                yield Place(id_, int(number))

    def known(self, repo: str, keys: Collection[str], detectors: Collection[str]) -> list[Proposal]:
        """Earlier proposals about findings of these keys and detectors, oldest first: every proposal of a key (its own
        or that of one of its parts), and for each detector those rejected for good and the one rejected last."""
        ids: dict[str, None] = {}
        for key in keys:
            ids |= dict.fromkeys(_ids(self.index.under(_said(b"key", repo, key))))
        for detector in detectors:
            ids |= dict.fromkeys(_ids(self.index.under(_said(b"never", repo, detector))))
            ids |= dict.fromkeys(islice(_ids(self.index.under(_said(b"no", repo, detector), backwards=True)), 1))
        found = sorted((self.filings[i] for i in ids if i in self.filings), key=lambda f: f.positions[0])
        return [filed.proposal for filed in found if filed.proposal.raised.repo == repo]

    def done(self, repo: str, path: str, after: FileState | None) -> Iterator[Proposal]:
        """The proposals that were carried out, are not undone, and left a file of a repository in the state `after`."""
        for id_ in _ids(self.index.under(_done(repo, path, after))):
            filed = self.filings.get(id_)
            if filed is not None and filed.proposal.state in proposal.DONE and filed.proposal.raised.repo == repo:
                yield filed.proposal

    def carried_out(self, repo: str, since: int = 0) -> list[Proposal]:
        """The latest patches of a repository that were carried out, since a time (us), and are not undone; the last one
        first."""
        ids = islice(_ids(self.index.under(_said(b"ran", repo, ""), backwards=True)), _MOST_CARRIED)
        found = (self.filings[i].proposal for i in ids if i in self.filings)
        return list(takewhile(lambda p: p.changed_at >= since, found))

    def file(self, id_: str, filed: Filed, before: Filed | None) -> None:
        """Stores a proposal and updates the index. `before`: the proposal as it was stored until now."""
        self.filings.put(id_, filed)
        if filed.proposal.state not in proposal.TERMINAL:
            self._live[id_] = None
        else:
            self._live.pop(id_, None)
        self._lapsed.pop(id_, None)
        if filed.proposal.state in proposal.REVISITED:
            self._lapsed[id_] = None
            if len(self._lapsed) > _MOST_LAPSED:
                del self._lapsed[next(iter(self._lapsed))]
        led, leads = _leads(before) if before else set(), _leads(filed)
        self.index.remove(led - leads)
        self.index.add(leads - led)


class InboxView(Projection[Inbox]):
    """Saves one row for each proposal, so that loading and saving do not get slower with the number of settled ones."""

    name = "inbox"
    version = 10
    state = Inbox
    topics = proposal.TOPICS | learned.TOPICS

    def apply(self, state: Inbox, recorded: Recorded) -> None:
        if recorded.topic in learned.TOPICS:
            learned.evolve(state.learned, recorded.event, recorded.position, recorded.at)
            return
        id_ = getattr(recorded.event, "id", "")
        known = state.filings.get(id_)
        after = filed(known, recorded)
        if after is not None:
            state.file(id_, after, known)
            learned.follow(state.learned, None if known is None else known.proposal, after.proposal)

    def kept(self, log: Log, upto: int) -> tuple[Inbox | None, int]:
        raw, position = self._saved(log, upto)
        if raw is None:
            return None, 0
        try:
            found = msgspec.json.decode(raw, type=_Kept)
        except (msgspec.MsgspecError, ValueError):
            return None, 0
        return Inbox(
            Filings(self.key, log, position),
            Index(self.key, log),
            dict.fromkeys(found.live),
            dict.fromkeys(found.lapsed),
            found.learned,
        ), position

    def saving(self, state: Inbox, position: int) -> list[Write]:
        kept = Put(
            self.key, STATE, sealed(msgspec.json.encode(_Kept(list(state._live), list(state._lapsed), state.learned)))
        )
        whole = [Drop(self.key)] if state.index.log is None else []  # removes rows left by an earlier fold
        return [*whole, *state.filings.writes(), *state.index.writes(), kept, Track(self.key, position)]

    def saved(self, state: Inbox, log: Log) -> None:
        state.filings.saved(log, state._live)
        state.index.saved(log)

    def encode(self, state: Inbox) -> bytes:
        return msgspec.json.encode(_Whole(dict(state.filings.items()), state.learned), order="sorted")

    def decode(self, raw: bytes) -> Inbox:
        state = self.state()
        whole = msgspec.json.decode(raw, type=_Whole)
        state.learned = whole.learned
        for id_, one in sorted(whole.filed.items(), key=lambda item: item[1].positions[0]):
            state.file(id_, one, None)
        return state


def _leads(filed: Filed) -> set[bytes]:
    """The index keys of a proposal in its current state."""
    p, id_ = filed.proposal, filed.proposal.id.encode()
    repo = p.raised.repo
    found = {_said(b"key", repo, name) + id_ for name in names_of(p.raised)}
    if p.rejected is not None and p.rejected.never:
        found.add(_said(b"never", repo, p.raised.detector) + id_)
    if p.state == "rejected":
        found.add(_said(b"no", repo, p.raised.detector) + _number(p.changed_at) + id_)
    if p.state in proposal.DONE and isinstance(p.raised.action, PatchAction):
        found |= {_done(repo, e.fs, e.after) + id_ for e in p.raised.action.edits}
        found.add(_said(b"ran", repo, "") + _number(p.changed_at) + id_)
    return found | _stacked(filed)


def _stacked(filed: Filed) -> set[bytes]:
    """The index keys of the decisions on a proposal that can be taken back or made again."""
    stack = filed.proposal.stack
    placed = [(b"undo", e.moved) for e in stack.done] + [(b"redo", e.moved) for e in stack.undone]
    if stack.newest:
        placed.append((b"new", stack.newest))
    end = filed.proposal.id.encode()
    return {
        _side(side, repo) + _number(filed.at(version)) + end
        for side, version in placed
        for repo in (None, filed.proposal.raised.repo)
    }


def _said(what: bytes, repo: str, about: str) -> bytes:
    return what + b"/" + _hash(repo, about)


def _side(side: bytes, repo: str | None) -> bytes:
    return side + b"/" + _hash(*([] if repo is None else [repo]))


def _done(repo: str, path: str, after: FileState | None) -> bytes:
    return b"done/" + _hash(repo, path, *(map(str, msgspec.structs.astuple(after)) if after else ()))


def _hash(*parts: str) -> bytes:
    """A fixed-length hash of the parts, so that no key is a prefix of another whatever the parts contain."""
    raw = b"".join(len(p).to_bytes(4, "big") + p.encode("utf-8", "surrogatepass") for p in parts)
    return blake2b(raw, digest_size=16).hexdigest().encode() + b"/"


def _number(at: int) -> bytes:
    """A number as zero-padded text, so that keys sort in numeric order."""
    return f"{max(0, at):020}/".encode()


def _ids(keys: Iterator[bytes]) -> Iterator[str]:
    """The proposal ids at the end of index keys."""
    return (key.rpartition(b"/")[2].decode("utf-8", "replace") for key in keys)
