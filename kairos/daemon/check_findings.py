"""Verdicts of checks as findings: one for the cases that one commit broke, one for those that are only flaky, …"""

from __future__ import annotations

from _blake2 import blake2b
from collections.abc import Mapping, Sequence

from kairos.domain.action import NoteAction
from kairos.domain.amounts import count
from kairos.domain.basis import Basis, CommitBasis
from kairos.domain.checks.reading import WHOLE
from kairos.domain.checks.report import plain_case
from kairos.domain.events import CheckJudged
from kairos.domain.events.proposals import Risk
from kairos.domain.finding import Finding
from kairos.domain.inert import shown

DETECTOR = "check"
CANNOT_RUN = "(cannot be run)"
"""The case that stands for a check that could not be run."""
_MOST_LISTED, _MOST_SUBJECTS, _MOST_EVIDENCE = 10, 64, 16
_UNCHECKED = {
    "new": ["why the commit breaks it, and how to mend it"],
    "order": ["which of the tests before it makes the difference"],
    "flaky": ["what makes it red now and then"],
}
_RISKS: Mapping[str, Risk] = {"new": "medium", "older": "medium"}


def key_of(check: str, case: str) -> str:
    """The key of the finding about a case: the same for its whole life."""
    return f"{DETECTOR}:{check}:{case}"


def case_of(key: str) -> tuple[str, str]:
    """(check, case) of a key."""
    _, check, case = [*key.split(":", 2), "", ""][:3]
    return check, case


def finding_of(judged: CheckJudged, messages: Mapping[str, str], evidence: Sequence[int]) -> Finding:
    """The finding of a verdict. `messages`: the decisive line of each case; `evidence`: positions, the cause first."""
    keys = [key_of(judged.check, case) for case in judged.cases[:_MOST_SUBJECTS]]
    title = _title(judged)
    return Finding(
        detector=DETECTOR, version=1, key=keys[0], subjects=keys if len(keys) > 1 else [], title=title,
        claim=_claim(judged, messages), action=NoteAction(repo=judged.repo, text=_text(judged, messages)),
        evidence=[*dict.fromkeys(evidence)][:_MOST_EVIDENCE], at_least=_RISKS.get(judged.verdict, "low"),
        basis=Basis(commits=[CommitBasis(oids=[judged.culprit])]) if judged.culprit else None,
        fingerprint=[_place(judged)],
        unchecked=_UNCHECKED.get(judged.verdict, []),
    )  # fmt: skip


def _title(judged: CheckJudged) -> str:
    check = shown(judged.check)
    first = shown(plain_case(judged.cases[0]), 120)
    many = len(judged.cases)
    if first in (WHOLE, CANNOT_RUN):
        what, verb = f"`{check}`", "is"
    else:
        what = f"{check}: {first}" if many == 1 else f"{many} cases of `{check}`"
        verb = "is" if many == 1 else "are"
    match judged.verdict:
        case "new":
            return f"{what} {verb} red since {judged.culprit[:10]}"
        case "older":
            return f"{what} {verb} red on earlier commits as well"
        case "flaky":
            return f"{what} {verb} flaky"
        case "order":
            return f"{what} {'depends' if verb == 'is' else 'depend'} on the order of the tests"
        case _:
            return f"{what} could not be tested"


def _claim(judged: CheckJudged, messages: Mapping[str, str]) -> str:
    message = messages.get(judged.cases[0], "")
    said = f" It said: {shown(message)}" if message else ""
    tries = f"{judged.runs} further {'run' if judged.runs == 1 else 'runs'}"
    match judged.verdict:
        case "new":
            where = f"red at {judged.culprit[:10]}, green before it"
            over = f"; {judged.over} {'commit' if judged.over == 1 else 'commits'} in question, {tries}"
            part = f" The change that does it: {shown(judged.hunk.splitlines()[0])}." if judged.hunk else ""
            return f"It is {where}{over}, {_surety(judged.sure)} sure.{part}{said}"
        case "older":
            return (
                f"It is red at {judged.base[:10]} too, where it was green when that was run first: not a commit, but "
                f"what surrounds it changed ({tries}).{said}"
            )
        case "flaky":
            often = f"red {judged.red} and green {count(judged.green, 'time')} in {tries}" if judged.red else tries
            return f"It was green and red on the same tree ({often}); no commit is to blame.{said}"
        case "order":
            return f"It is red after the other tests and green alone, on the same tree ({tries}).{said}"
        case _:
            return f"{judged.why or 'It could not be run'}.{said}"


def _surety(sure: float) -> str:
    """A share that is no certainty, however near it comes."""
    return "more than 99.9%" if sure > 0.999 else f"{sure:.1%}"


def _text(judged: CheckJudged, messages: Mapping[str, str]) -> str:
    lines = []
    for place, case in enumerate(judged.cases[:_MOST_LISTED]):
        message = messages.get(case, "") if place else ""  # the claim says that of the first
        lines.append(f"  {shown(plain_case(case))}" + (f"\n    {shown(message)}" if message else ""))
    more = len(judged.cases) - _MOST_LISTED
    lines += [f"  and {more} more"] if more > 0 else []
    if judged.why and judged.verdict != "untested":
        lines.append(judged.why)
    if judged.hunk:
        lines += ["The part of it that is to blame:", *(f"  {shown(line)}" for line in judged.hunk.splitlines())]
    return "\n".join(lines) or _title(judged)


def _place(judged: CheckJudged) -> str:
    """A short hash of the verdict: another culprit is new evidence."""
    return blake2b(f"{judged.verdict}\0{judged.culprit}".encode(), digest_size=8).hexdigest()
