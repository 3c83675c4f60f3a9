"""The inbox: every proposal with the positions of its events, each a row of its own in the view, and what leads to
those of a key, a change or a state without a look at the others.
"""

from __future__ import annotations

from _blake2 import blake2b  # hashlib loads OpenSSL, which a quick command has no time for
from collections.abc import Collection, Iterator, Mapping
from itertools import islice, takewhile

import msgspec

from kairos.domain import proposal
from kairos.domain.action import FileState, PatchAction
from kairos.domain.proposal import Proposal, State
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Drop, Put, Recorded, Track, Write
from kairos.eventlog.views.filed import Filed, Filings, Part
from kairos.eventlog.views.index import Index
from kairos.eventlog.views.projection import STATE, Projection, checked, sealed

_LEAST = 4
"""The letters of a short id, if no other id shares them."""


class _Kept(msgspec.Struct):
    """What is kept of an inbox beside the proposals themselves."""

    live: list[str]


class Inbox(msgspec.Struct):
    """Every proposal by id. Settled ones are read from the log's database when asked for."""

    filings: Filings = msgspec.field(default_factory=lambda: Filings(InboxView().key))
    index: Index = msgspec.field(default_factory=lambda: Index(InboxView().key))
    _live: dict[str, None] = {}

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        return Part(self.filings, lambda filed: filed.proposal)

    @property
    def positions(self) -> Mapping[str, list[int]]:
        """The positions of each proposal's events."""
        return Part(self.filings, lambda filed: filed.positions)

    def find(self, prefix: str) -> Proposal:
        """The proposal of an id or unique prefix. NotFound when none or several."""
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
        """The shortest beginning of an id, of at least four letters, that no other proposal shares."""
        need = _LEAST
        for other in (
            next(self.filings.ids(before=id_, backwards=True), ""),
            next(self.filings.ids(first=f"{id_}\0"), ""),
        ):
            while need < len(id_) and id_[:need] == other[:need]:
                need += 1
        return id_[:need]

    def live(self) -> list[Proposal]:
        """What is not at its end: undecided, deferred, approved or running."""
        return [self.filings[i].proposal for i in self._live]

    def pending(self) -> list[Proposal]:
        return [p for p in self.live() if p.state in proposal.UNDECIDED]

    def latest(self, *states: State) -> Proposal | None:
        """The patch that came last into one of these states after it was carried out, undone or not."""
        newest: list[Filed] = []
        for state in states:
            ran = (self.filings.get(i) for i in _ids(self.index.under(_ran(state), backwards=True)))
            newest += islice((filed for filed in ran if filed is not None and filed.proposal.state == state), 1)
        return max(newest, key=lambda filed: filed.positions[-1]).proposal if newest else None

    def known(self, repo: str, keys: Collection[str], detectors: Collection[str]) -> list[Proposal]:
        """What was said before about findings of these keys and detectors, oldest first: each proposal of a key, and of
        each detector those that were rejected for good and the one that was rejected last."""
        ids: dict[str, None] = {}
        for key in keys:
            ids |= dict.fromkeys(_ids(self.index.under(_said(b"key", repo, key))))
        for detector in detectors:
            ids |= dict.fromkeys(_ids(self.index.under(_said(b"never", repo, detector))))
            ids |= dict.fromkeys(islice(_ids(self.index.under(_said(b"no", repo, detector), backwards=True)), 1))
        found = sorted((self.filings[i] for i in ids if i in self.filings), key=lambda f: f.positions[0])
        return [filed.proposal for filed in found if filed.proposal.raised.repo == repo]

    def done(self, repo: str, path: str, after: FileState | None) -> Iterator[Proposal]:
        """The proposals that were carried out, are not undone, and left a file of a repository like this."""
        for id_ in _ids(self.index.under(_done(repo, path, after))):
            filed = self.filings.get(id_)
            if filed is not None and filed.proposal.state in proposal.DONE and filed.proposal.raised.repo == repo:
                yield filed.proposal

    def file(self, id_: str, filed: Filed, before: Filed | None) -> None:
        """Puts a proposal where its state belongs. `before`: how it was filed until now."""
        self.filings.put(id_, filed)
        if filed.proposal.state not in proposal.TERMINAL:
            self._live[id_] = None
        else:
            self._live.pop(id_, None)
        led, leads = _leads(before) if before else set(), _leads(filed)
        self.index.remove(led - leads)
        self.index.add(leads - led)


class InboxView(Projection[Inbox]):
    """Keeps a row for each proposal, so that neither loading nor saving grows with those that are settled."""

    name = "inbox"
    version = 3
    state = Inbox
    topics = proposal.TOPICS

    def apply(self, state: Inbox, recorded: Recorded) -> None:
        id_ = getattr(recorded.event, "id", "")
        known = state.filings.get(id_)
        folded = proposal.evolve(known.proposal if known else None, recorded.event, recorded.at)
        if folded is not None:
            state.file(id_, Filed(folded, [*(known.positions if known else []), recorded.position]), known)

    def kept(self, log: Log, upto: int) -> tuple[Inbox | None, int]:
        raw, position = log.kept(self.key)
        if raw is None or position > log.head() or not self._holds(log, upto, position):
            return None, 0
        try:
            found = msgspec.json.decode(checked(raw), type=_Kept)
        except (msgspec.MsgspecError, ValueError):
            return None, 0
        return Inbox(Filings(self.key, log, position), Index(self.key, log), dict.fromkeys(found.live)), position

    def saving(self, state: Inbox, position: int) -> list[Write]:
        kept = Put(self.key, STATE, sealed(msgspec.json.encode(_Kept(list(state._live)))))
        whole = [Drop(self.key)] if state.index.log is None else []  # what an earlier fold may have left
        return [*whole, *state.filings.writes(), *state.index.writes(), kept, Track(self.key, position)]

    def saved(self, state: Inbox, log: Log) -> None:
        state.filings.saved(log, state._live)
        state.index.saved(log)

    def encode(self, state: Inbox) -> bytes:
        return msgspec.json.encode(dict(state.filings.items()), order="sorted")

    def decode(self, raw: bytes) -> Inbox:
        state = self.state()
        filed = msgspec.json.decode(raw, type=dict[str, Filed])
        for id_, one in sorted(filed.items(), key=lambda item: item[1].positions[0]):
            state.file(id_, one, None)
        return state


def _leads(filed: Filed) -> set[bytes]:
    """The keys that lead to a proposal as it is filed."""
    p, id_ = filed.proposal, filed.proposal.id.encode()
    repo = p.raised.repo
    found = {_said(b"key", repo, p.raised.key) + id_}
    if p.rejected is not None and p.rejected.never:
        found.add(_said(b"never", repo, p.raised.detector) + id_)
    if p.state == "rejected":
        found.add(_said(b"no", repo, p.raised.detector) + _number(p.changed_at) + id_)
    if p.state in proposal.RAN and isinstance(p.raised.action, PatchAction):
        found.add(_ran(p.state) + _number(filed.positions[-1]) + id_)
        if p.state in proposal.DONE:
            found |= {_done(repo, e.fs, e.after) + id_ for e in p.raised.action.edits}
    return found


def _said(what: bytes, repo: str, about: str) -> bytes:
    return what + b"/" + _hash(repo, about)


def _ran(state: str) -> bytes:
    return b"ran/" + state.encode() + b"/"


def _done(repo: str, path: str, after: FileState | None) -> bytes:
    return b"done/" + _hash(repo, path, *(map(str, msgspec.structs.astuple(after)) if after else ()))


def _hash(*parts: str) -> bytes:
    """So many bytes as cannot end one key within another, whatever the parts hold."""
    raw = b"".join(len(p).to_bytes(4, "big") + p.encode("utf-8", "surrogatepass") for p in parts)
    return blake2b(raw, digest_size=16).hexdigest().encode() + b"/"


def _number(at: int) -> bytes:
    """A number whose texts are in order as it is."""
    return f"{max(0, at):020}/".encode()


def _ids(keys: Iterator[bytes]) -> Iterator[str]:
    """The ids that keys of an index end with."""
    return (key.rpartition(b"/")[2].decode("utf-8", "replace") for key in keys)
