"""The inbox: every proposal with the positions of its events, each a row of its own in the view."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from kairos.domain import proposal
from kairos.domain.proposal import Proposal
from kairos.errors import NotFound
from kairos.eventlog.log import Log
from kairos.eventlog.record import Put, Recorded, Track, Write
from kairos.eventlog.views.projection import STATE, Projection, checked, sealed
from kairos.eventlog.views.shelf import Part, Shelf

_ROW = b"id/"


class Filed(msgspec.Struct):
    """A proposal as the aggregate folds it, with the positions of its events."""

    proposal: Proposal
    positions: list[int]


class _Kept(msgspec.Struct):
    """What is kept of an inbox beside the proposals themselves."""

    ids: list[str]
    live: list[str]
    ran: list[str]


class Inbox(msgspec.Struct):
    """Every proposal by id. Settled ones are read from the log's database when asked for."""

    shelf: Shelf[Filed] = msgspec.field(default_factory=Shelf)
    _live: dict[str, None] = {}
    _ran: dict[str, None] = {}

    @property
    def proposals(self) -> Mapping[str, Proposal]:
        return Part(self.shelf, lambda filed: filed.proposal)

    @property
    def positions(self) -> Mapping[str, list[int]]:
        """The positions of each proposal's events."""
        return Part(self.shelf, lambda filed: filed.positions)

    def find(self, prefix: str) -> Proposal:
        """The proposal of an id or unique prefix. NotFound when none or several."""
        if prefix in self.shelf:
            return self.shelf[prefix].proposal
        found = [i for i in self.shelf if i.startswith(prefix)] if prefix else []
        if len(found) == 1:
            return self.shelf[found[0]].proposal
        if not found:
            raise NotFound(f"no proposal has the id `{prefix}`", "`kairos inbox` lists what is pending.")
        raise NotFound(f"`{prefix}` is ambiguous: {', '.join(sorted(found)[:5])}", "Type more of the id.")

    def live(self) -> list[Proposal]:
        """What is not at its end: undecided, deferred, approved or running."""
        return [self.shelf[i].proposal for i in self._live]

    def ran(self) -> list[Proposal]:
        """What was carried out, undone or not."""
        return [self.shelf[i].proposal for i in self._ran]

    def pending(self) -> list[Proposal]:
        return [p for p in self.live() if p.state in proposal.UNDECIDED]

    def file(self, id_: str, filed: Filed) -> None:
        """Puts a proposal where its state belongs."""
        self.shelf.put(id_, filed)
        for group, belongs in (
            (self._live, filed.proposal.state not in proposal.TERMINAL),
            (self._ran, filed.proposal.state in proposal.RAN),
        ):
            if belongs:
                group[id_] = None
            else:
                group.pop(id_, None)


class InboxView(Projection[Inbox]):
    """Keeps a row for each proposal, so that neither loading nor saving grows with those that are settled."""

    name = "inbox"
    version = 2
    state = Inbox
    topics = proposal.TOPICS

    def apply(self, state: Inbox, recorded: Recorded) -> None:
        id_ = getattr(recorded.event, "id", "")
        known = state.shelf.get(id_)
        if known is not None and recorded.position <= known.positions[-1]:
            state.file(id_, known)  # its row was kept later than the state
            return
        folded = proposal.evolve(known.proposal if known else None, recorded.event, recorded.at)
        if folded is not None:
            state.file(id_, Filed(folded, [*(known.positions if known else []), recorded.position]))

    def kept(self, log: Log, upto: int) -> tuple[Inbox | None, int]:
        raw, position = log.kept(self.key)
        if raw is None or position > log.head() or not self._holds(log, upto, position):
            return None, 0
        try:
            found = msgspec.json.decode(checked(raw), type=_Kept)
        except (msgspec.MsgspecError, ValueError):
            return None, 0
        shelf = Shelf(found.ids, lambda id_: self._row(log, id_), lambda: self._rows(log))
        return Inbox(shelf, dict.fromkeys(found.live), dict.fromkeys(found.ran)), position

    def saving(self, state: Inbox, position: int) -> list[Write]:
        kept = _Kept(list(state.shelf), list(state._live), list(state._ran))
        rows = [
            Put(self.key, _row_key(i), sealed(msgspec.json.encode(state.shelf[i]))) for i in sorted(state.shelf.changed)
        ]
        return [*rows, Put(self.key, STATE, sealed(msgspec.json.encode(kept))), Track(self.key, position)]

    def saved(self, state: Inbox) -> None:
        state.shelf.changed.clear()

    def encode(self, state: Inbox) -> bytes:
        state.shelf.fetch()
        return msgspec.json.encode({i: state.shelf[i] for i in state.shelf}, order="sorted")

    def decode(self, raw: bytes) -> Inbox:
        state = Inbox()
        filed = msgspec.json.decode(raw, type=dict[str, Filed])
        for id_, one in sorted(filed.items(), key=lambda item: item[1].positions[0]):
            state.file(id_, one)
        return state

    def _row(self, log: Log, id_: str) -> Filed:
        """One proposal: its row, or where that is damaged or gone, the fold of its stream."""
        raw = log.view_row(self.key, _row_key(id_))
        try:
            return msgspec.json.decode(checked(raw or b""), type=Filed)
        except (msgspec.MsgspecError, ValueError):
            folded, positions = None, []
            for recorded in log.stream(proposal.stream_of(id_)):
                folded = proposal.evolve(folded, recorded.event, recorded.at)
                positions.append(recorded.position)
            if folded is None:
                raise KeyError(id_) from None
            return Filed(folded, positions)

    def _rows(self, log: Log) -> dict[str, Filed]:
        found = {}
        for key, raw in log.view(self.key).items():
            if key.startswith(_ROW):
                with suppress(msgspec.MsgspecError, ValueError):  # damaged: read from its stream when asked for
                    found[key.removeprefix(_ROW).decode()] = msgspec.json.decode(checked(raw), type=Filed)
        return found


def _row_key(id_: str) -> bytes:
    return _ROW + id_.encode()
