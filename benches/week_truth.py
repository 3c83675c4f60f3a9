"""What is true after a week, found without Kairos where that can be: by git, by reading files, by counting events."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benches.week_home import WeekHome
from benches.week_person import Person, Planted, Rename
from kairos.daemon.finding import find
from kairos.daemon.salt import salt_of
from kairos.detectors.wording import key_of
from kairos.domain.action import PatchAction
from kairos.domain.basis import paths_of
from kairos.domain.events import CommitRecorded
from kairos.domain.finding import Finding
from kairos.domain.proposal import LAPSED, LASTING, RAN, Proposal
from kairos.domain.raising import is_same
from kairos.eventlog.views.repositories import RepositoriesView
from kairos.home import Home

EXPLAINED = ("mute@1", "never@1", "rejected@1", "baseline@1")
LOOKED_FOR = ("stale-reference", "secret", "conflict-marker")
"""The detectors whose findings depend on the tree alone, so that a look at the end finds what a look before did."""


def holds_rename(person: Person, one: Rename) -> bool:
    """Whether her page still names the old path though the rename is in the history of HEAD."""
    page = person.root / one.page
    if not page.is_file() or f"](../{one.old})" not in page.read_text():
        return False
    if (person.root / one.old).exists() or not (person.root / one.new).exists():
        return False
    out = person.git(
        "log", "--format=", "--name-status", "-M", "--diff-filter=R", "--no-merges", f"{person.base}..HEAD"
    )
    return any(line.split("\t")[1:] == [one.old, one.new] for line in out.splitlines())


def holds_secret(person: Person, one: Planted) -> bool:
    """Whether the value lies in the tree, in the index or in a commit of what is checked out."""
    file = person.root / one.path
    if file.is_file() and one.value in file.read_text():
        return True
    if one.value in person.git("show", f":{one.path}", check=False):
        return True
    return bool(person.git("log", f"{person.base}..HEAD", f"-S{one.value}", "--format=%H", "--", one.path))


def lost_of(watching: WeekHome, person: Person) -> list[str]:
    """Reasons that hold and that no living card, no decision and no hold speaks of."""
    known = watching.proposals(person.repo)
    holds = {
        (name, h.event.rule): h for h in watching.of(person.repo, "AttentionHeld")
        for name in (h.event.subject, *h.event.subjects)
    }  # fmt: skip

    def is_held(names: Sequence[str]) -> bool:
        return any((n, r) in holds for n in names for r in EXPLAINED)

    out = []
    for rename in filter(lambda r: holds_rename(person, r), person.renames):
        about = [p for p in known if p.raised.detector == "stale-reference" and rename.old in paths_of(p.raised.basis)]
        named = [p for p in about if _names(p, rename.page) or p.state in ANSWERED]
        held = is_held([key_of("stale-reference", ["path", rename.old])])
        if not held and not any(p.state in LIVING or p.state in ANSWERED for p in named):
            out.append(f"{rename.page} names {rename.old}: {_states(about)}")
    for secret in filter(lambda s: holds_secret(person, s), person.planted):
        about = [p for p in known if p.raised.detector == "secret" and secret.path in p.raised.claim]
        if not any(p.state in LIVING or p.state in ANSWERED for p in about):
            out.append(f"{secret.path} holds a credential: {_states(about)}")
    for finding in findings_now(watching, person):
        same = [p for p in known if is_same(finding, p)]
        if any(p.state in LIVING or p.state in ANSWERED for p in same):
            continue
        if is_held(finding.names):
            continue
        said = sorted({rule for subject, rule in holds if subject in finding.names})
        out.append(f"{finding.detector} {finding.title}: {_states(same)} holds {said}")
    return out


LIVING = LASTING - {"parked"} | {"executing"}
ANSWERED = RAN | {"rejected", "acknowledged", "expired", "failed", "unknown", "withdrawn"}


def _names(p: Proposal, path: str) -> bool:
    action = p.raised.action
    return path in {e.fs for e in action.edits} if isinstance(action, PatchAction) else True


def _states(about: Sequence[Proposal]) -> str:
    return ", ".join(f"{p.id[:4]} {p.state} ({p.why or p.parked})" for p in about) or "no card ever"


def findings_now(watching: WeekHome, person: Person) -> list[Finding]:
    """What the detectors find now in every commit of the week that is in the history of HEAD."""
    repo = RepositoriesView().load(watching.log)[0].by_id[person.repo]
    salt = salt_of(watching.log, _home(watching))
    here = set(person.git("rev-list", f"{person.base}..HEAD").split())
    found: dict[str, Finding] = {}
    for recorded in watching.of(person.repo, "CommitRecorded"):
        assert isinstance(recorded.event, CommitRecorded)
        if recorded.event.oid not in here:
            continue
        for name in LOOKED_FOR:
            findings, problems = find(watching.log, repo, [recorded], "commit", salt, name)
            assert not problems, problems
            found |= {f.key: f for f in findings}
    return list(found.values())


def _home(watching: WeekHome) -> Home:
    return Home(config=watching.home, data=watching.home, run=watching.home / "run")


def false_of(watching: WeekHome, person: Person) -> list[str]:
    """Waiting cards whose reason does not hold: their commits, their paths or their files are not as they say."""
    out = []
    for p in watching.inbox().pending():
        if p.raised.repo != person.repo:
            continue
        amiss = person.amiss(p)
        if isinstance(p.raised.action, PatchAction) and not amiss:
            for one in p.raised.action.edits:
                file = person.root / one.fs
                sha = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
                if sha != (one.before.sha if one.before else None):
                    amiss = f"{one.fs} is not as the patch has it"
        secrets = [s for s in person.planted if p.raised.detector == "secret" and s.path in p.raised.claim]
        if secrets and not any(holds_secret(person, s) for s in secrets):
            amiss = "the value is nowhere"
        if amiss:
            out.append(f"{p.id[:4]} {p.raised.title}: {amiss}")
    return out


def repeats_of(watching: WeekHome, person: Person) -> list[str]:
    """Findings that were told again without being worse: by the same proposal, or by two about one thing."""
    told, worse = Counter[str](), Counter[str]()
    for r in watching.log.read(0, topics={"ProposalDelivered", "ProposalRevised"}):
        if r.topic == "ProposalDelivered":
            told[r.event.id] += 1  # type: ignore[attr-defined]
        elif r.event.worse:  # type: ignore[attr-defined]
            worse[r.event.id] += 1  # type: ignore[attr-defined]
    mine = watching.proposals(person.repo)
    out = [f"{p.id[:4]} {p.raised.title}: told {told[p.id]} times, worse {worse[p.id]}" for p in mine
           if told[p.id] > 1 + worse[p.id]]  # fmt: skip
    heard = [p for p in mine if told[p.id]]
    for at, later in enumerate(heard):
        for earlier in heard[:at]:
            names = {later.raised.key, *later.raised.subjects} & {earlier.raised.key, *earlier.raised.subjects}
            if names and earlier.state not in RAN:
                out.append(f"{earlier.id[:4]} ({earlier.state}) and {later.id[:4]}: {later.raised.title}")
    return out


def vanished_of(watching: WeekHome, person: Person) -> list[str]:
    """Cards that went away without a decision and of which why-not says nothing."""
    answer = watching.call("--repo", str(person.root), "why-not", "--since", "30d") or []
    told = {h["subject"] for h in answer if h["why"]}
    gone = LAPSED - {"acknowledged"} | {"parked", "expired", "withdrawn"}
    return [f"{p.id[:4]} {p.raised.title} is {p.state}" for p in watching.proposals(person.repo)
            if p.state in gone and p.id not in told]  # fmt: skip


def days_of(watching: WeekHome, person: Person) -> list[int]:
    """How many findings were told on each day, without urgent ones."""
    risk: dict[str, str] = {}
    mine = {p.id for p in watching.proposals(person.repo)}
    days: dict[str, set[str]] = {}
    for r in watching.log.read(0, topics={"ProposalRaised", "ProposalRevised", "ProposalDelivered"}):
        event = r.event
        if r.topic != "ProposalDelivered":
            risk[event.id] = event.risk  # type: ignore[attr-defined]
        elif event.id in mine and risk[event.id] != "urgent":  # type: ignore[attr-defined]
            day = datetime.fromtimestamp(r.at / 1e6, UTC).date().isoformat()
            days.setdefault(day, set()).add(event.id)  # type: ignore[attr-defined]
    return [len(ids) for _, ids in sorted(days.items())]


def checks_of(watching: WeekHome, person: Person) -> int:
    """How often the check command ran."""
    mine = {p.id for p in watching.proposals(person.repo)}
    runs = [r.event for r in watching.log.read(0, topics={"ProposalVerified"}) if r.event.id in mine]  # type: ignore[attr-defined]
    return sum(1 + (e.before_exit is not None) for e in runs if e.check)  # type: ignore[attr-defined]


def missed_of(watching: WeekHome, person: Person) -> list[str]:
    """Paths in which the tree folded from the log differs from the one on disk."""
    out = watching.lines("files", str(person.root))
    folded = {row["path"] for row in out if row["kind"] == "file"}
    here = set(filter(None, person.git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")))
    here = {p for p in here if Path(person.root, p).is_file() and not Path(person.root, p).is_symlink()}
    return sorted(folded ^ here)
