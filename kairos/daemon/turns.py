"""A rules turn: builds the scene from the triggers, runs the detectors, and raises their findings in one append."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from kairos.acting.policy_file import load_policy
from kairos.acting.rebasing import rebase
from kairos.clock import DAY, now_us
from kairos.daemon import again
from kairos.daemon.elsewhere import LookedOver, kept_with
from kairos.daemon.finding import find
from kairos.daemon.folded import Views, World
from kairos.daemon.joining import away_commits, spoken_for, with_cards
from kairos.daemon.keeping import ProposalKeeper, look_around
from kairos.daemon.rostering import Rostering
from kairos.daemon.salt import salt_of
from kairos.daemon.shadowing import Shadowing, reported, shadowed
from kairos.detectors.boundaries import BURST
from kairos.detectors.roster import Roster
from kairos.detectors.scene import Facts
from kairos.detectors.touching import TreeMoment, moment_of
from kairos.domain.events import (
    AttentionDue,
    AttentionHeld,
    Event,
    ProposalRaised,
    ProposalRevised,
    TurnEnded,
    TurnStarted,
)
from kairos.domain.finding import Finding
from kairos.domain.holds import FLOOR, MUTE, held_back, label_of
from kairos.domain.learning.learned import in_words, judged_for
from kairos.domain.proposal import Proposal, stream_of
from kairos.domain.raising import Raised, raise_findings
from kairos.errors import Conflict, TryAgain
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent, Recorded, Track, Write
from kairos.eventlog.views.repositories import Repository
from kairos.home import Home
from kairos.settings import Config

_TRIES = 5


class Looker:
    """Runs rules turns. Reads the repository and writes only to the log."""

    def __init__(self, home: Home, config: Config, log: Log, world: World) -> None:
        self._home = home
        self._config = config
        self._log = log
        self._world = world
        self._salt = salt_of(log, home)
        self._rostering = Rostering(home)
        self._keeper = ProposalKeeper(
            log, world, self._salt, self.raised, self._rebase, lambda: now_us() + self._expire_us, self.roster
        )
        self._shadowing = Shadowing(log, world, self._salt, self.roster)
        self._seen: dict[str, tuple[TreeMoment, Facts]] = {}
        """By repository: the state that the latest turn saw."""

    @property
    def _expire_us(self) -> int:
        return round(self._config.proposals.expire_days * DAY)

    def roster(self) -> Roster:
        """The detectors, by what a person said until now."""
        with self._world.reading() as views:
            return self._rostering(views.roster)

    def note(self, repo_id: str, event: Event) -> None:
        """Notes an event of a repository, so that `recheck` knows which proposals it may concern."""
        self._keeper.note(repo_id, event)

    def start_over(self) -> None:
        """Makes the next check cover all waiting proposals, because the changes since the last one are not known."""
        self._keeper.start_over()

    def turn(
        self, repo_id: str, trigger: Sequence[Recorded], boundary: str, cause: int, last: int, *, patient: bool = False
    ) -> bool:
        """Takes one turn over the triggers up to position `last`. Conflict if this turn was already taken. `patient`:
        takes none, and returns False, if git changed the tree meanwhile, or if it found something while a file that it
        read was being written."""
        repo = self._repo(repo_id)
        writes = [Track(f"reactor/{repo_id}", last)]
        return self._run(repo, trigger, boundary, cause, f"turn-{repo_id[5:]}-{last}", writes, patient=patient)

    def recheck(
        self, repo_id: str, cause: int | None, trigger: Sequence[Recorded] = (), boundary: str = "",
        only: Sequence[str] = (), *, patient: bool = True,
    ) -> bool:  # fmt: skip
        """Brings the waiting, parked and lately closed proposals that recent changes may concern in step with the tree,
        and those of the ids `only`. `trigger`: the events that a turn was just taken over. False if it must be done
        again, because git was at work; not `patient`: whatever git does."""
        seen = self._seen.pop(repo_id, None)
        self._shadowing.look(self._repo(repo_id), cause)
        return self._keeper.keep(self._repo(repo_id), cause, trigger, boundary, seen, only, patient=patient)

    def look_again(self, repo_id: str) -> bool:
        """Takes one turn over the findings of a repository whose hold has ended, if there are any. False if they cannot
        be looked at now."""
        with self._world.reading() as views:
            roster = self._rostering(views.roster)
            positions = again.ended(views, repo_id, roster)
            turn = f"turn-{repo_id[5:]}-again-{views.position}"
        if not positions:
            return True
        begun, repo = time.monotonic(), self._repo(repo_id)
        holds = again.holds_at(self._log, positions)
        moment, facts = look_around(repo)
        over = LookedOver(self._log, repo.id, again.evidence(self._log, holds), facts)
        found, problems = again.look_again(self._log, repo, holds, self._salt, facts, roster)
        for boundary, some in found.items():
            found[boundary], more = self._with_cards(repo, some, over.events, boundary, facts)
            problems += more
        if problems or moment.is_over(moment_of(Path(repo.root))):
            return False
        left = over.left(away_commits(self._log, [f for some in found.values() for f in some]))

        def judged() -> tuple[TurnStarted, list[Raised]]:
            raised = [e for b, some in found.items() for e in self._judged(some, repo, turn, b, known_holds=False)]
            over, news = again.split(holds, raised)
            return TurnStarted(
                turn=turn, repo=repo.id, engine="rules", boundary=again.AGAIN, detectors=holds.detectors, again=over
            ), [e for e in news if is_after_reset(e) or not self._is_known(e)]  # fmt: skip

        cause = holds.events[0].position if holds.events else None
        self._record(repo, turn, cause, begun, [], judged, writes=left)
        return True

    def _run(
        self, repo: Repository, trigger: Sequence[Recorded], boundary: str, cause: int, turn: str, writes: list[Track],
        *, patient: bool,
    ) -> bool:  # fmt: skip
        begun = time.monotonic()
        seen = look_around(repo)
        self._seen[repo.id] = seen
        over = LookedOver(self._log, repo.id, trigger, seen[1]) if boundary != BURST else None
        events, roster = trigger if over is None else over.events, self.roster()
        findings, problems = find(self._log, repo, events, boundary, self._salt, facts=seen[1], roster=roster)
        findings, more = self._with_cards(repo, findings, events, boundary, seen[1])
        problems += more
        watch = roster.fitting(boundary)
        started = TurnStarted(turn=turn, repo=repo.id, engine="rules", boundary=boundary, detectors=watch)
        moved_on = seen[0].is_over(moment_of(Path(repo.root)))
        if patient and (moved_on or (findings and seen[1].unsettled)):
            return False
        failed = bool(problems) and not findings

        def judged() -> tuple[TurnStarted, list[Raised]]:
            return started, self._judged(findings, repo, turn, boundary)

        reported(self._log, self._world, repo.id, roster, watch, problems)
        left = (
            kept_with(self._log, repo.id, trigger)
            if over is None
            else over.left(away_commits(self._log, findings), moved_on=moved_on)
        )
        self._record(repo, turn, cause, begun, problems, judged, failed=failed, writes=[*writes, *left])
        return True

    def _record(
        self, repo: Repository, turn: str, cause: int | None, begun: float, problems: Sequence[str],
        judged: Callable[[], tuple[TurnStarted, list[Raised]]], *, failed: bool = False, writes: Sequence[Write] = (),
    ) -> None:  # fmt: skip
        """Appends a whole turn at once. `judged`: its start and what it raises, by the present state of the views. A
        turn that looked again and found every hold as it was is not recorded."""
        for _ in range(_TRIES):
            started, raised = judged()
            boundary = started.boundary
            if boundary == again.AGAIN and not started.again:
                return
            due = AttentionDue(repo=repo.id, boundary=boundary, rule=f"{boundary}@1")
            new = [NewEvent(repo.id, due, cause, "system"), NewEvent(turn, started, -1, "system")]
            new += [told(event, -1 - i) for i, event in enumerate(raised)]
            ids = [event.id for event in raised if isinstance(event, ProposalRaised)]
            ended = TurnEnded(
                turn=turn, repo=repo.id, engine="rules", proposals=ids, why="; ".join(problems),
                outcome="proposed" if ids else "failed" if failed else "quiet",
                micros=round((time.monotonic() - begun) * 1e6),
            )  # fmt: skip
            new.append(NewEvent(turn, ended, -1 - len(raised), "system"))
            try:
                self._log.append(new, expected={turn: 0, **self.versions(raised)}, writes=writes)
                break
            except Conflict:
                if self._log.version(turn):  # this turn was taken before a crash
                    raise
                self._world.catch_up()  # a person decided at the same moment: judge again
        else:
            raise TryAgain(f"{turn} could not be recorded: its proposals are being changed by others")
        self._world.catch_up()  # at once, so that the next look knows what this one raised

    def _judged(
        self, findings: Sequence[Finding], repo: Repository, turn: str, boundary: str, *, known_holds: bool = True
    ) -> list[Raised]:  # fmt: skip
        """The events that raise the findings, or record why they are not raised. `known_holds` False: record also the
        holds that can end and are recorded already."""
        with self._world.reading() as views:
            muted = [f for f in findings if views.attention.is_muted(f.detector, repo.id)]
        held = [held_back(f, MUTE, f"{f.title}: {f.detector} is muted", boundary) for f in muted]
        roster = self.roster()
        heard = [f for f in findings if f not in muted and not roster.is_in_shadow(f.detector)]
        held += shadowed([f for f in findings if f not in (*muted, *heard)], repo, boundary)
        raised = self.raised(heard, repo, turn, boundary, known_holds=known_holds)
        return raised + [h for h in held if not known_holds or not self._is_known(h)]

    def _is_known(self, event: Raised) -> bool:
        """Whether a hold is recorded already."""
        if not isinstance(event, AttentionHeld):
            return False
        with self._world.reading() as views:
            return label_of(event) in views.findings.held

    def _rebase(self, p: Proposal, repo: Repository, edited: str) -> ProposalRevised | str:
        return rebase(self._home, load_policy(self._home.policy_file), p, Path(repo.root), edited)

    def versions(self, events: Sequence[Raised]) -> dict[str, int]:
        """The stream versions of the known proposals that these events belong to."""
        with self._world.reading() as views:
            known = views.inbox.proposals
            ids = {e.id for e in events if not isinstance(e, AttentionHeld | ProposalRaised)}
            return {stream_of(i): known[i].version for i in ids if i in known}

    def raised(
        self, findings: Sequence[Finding], repo: Repository, turn: str, boundary: str, *, known_holds: bool = True
    ) -> list[Raised]:
        """The events that raise the findings or record why they are not raised. `known_holds`: see `_judged`."""
        policy = load_policy(self._home.policy_file)
        with self._world.reading() as views:
            learned = views.inbox.learned

            def silent(made: ProposalRaised) -> str:
                found = judged_for(learned, made)
                return in_words(made.detector, found) if found.silent else ""

            return raise_findings(
                findings,
                known=_known(views, repo, findings),
                taken=views.inbox.proposals,
                listed=views.findings.listed,
                held=views.findings.held if known_holds else (),
                repo=repo.id,
                root=repo.root,
                turn=turn,
                boundary=boundary,
                policy=policy,
                now=now_us(),
                expire_us=self._expire_us,
                silent=silent,
            )

    def _with_cards(
        self, repo: Repository, findings: Sequence[Finding], events: Sequence[Recorded], boundary: str, facts: Facts
    ) -> tuple[list[Finding], list[str]]:
        """(the findings of a turn, each with all that its card is about; problems)."""
        with self._world.reading() as views:
            known = _known(views, repo, findings)

        def spoken(names: Collection[str]) -> frozenset[str]:
            with self._world.reading() as views:
                return spoken_for(views.inbox, repo.id, names, {p.id for p in known})

        return with_cards(self._log, repo, findings, known, events, boundary, self._salt, facts, self.roster(), spoken)

    def _repo(self, repo_id: str) -> Repository:
        with self._world.reading() as views:
            return views.repos.by_id[repo_id]


def is_after_reset(event: Raised) -> bool:
    """Whether an event holds a finding back by what was learned since a reset."""
    return isinstance(event, AttentionHeld) and event.rule == FLOOR


def _known(views: Views, repo: Repository, findings: Sequence[Finding]) -> list[Proposal]:
    """The earlier proposals of a repository that these findings may belong to."""
    keys = {key for f in findings for key in (*f.names, *f.former_keys)}
    return views.inbox.known(repo.id, keys, {f.detector for f in findings})


def told(event: Raised, cause: int | None) -> NewEvent:
    """An event of a proposal, or the reason why a finding was not raised, as an event of the stream it belongs to."""
    stream = event.repo if isinstance(event, AttentionHeld) else stream_of(event.id)
    return NewEvent(stream, event, cause, "system")
