"""docs/detectors.md from what was measured on public histories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benches.detectors import LAST, Measured, code_of, listed
from kairos.backtest.result import RaisedThen, Sums, sums_of
from kairos.detectors.enabled import ENABLED
from kairos.detectors.looking import ALL
from kairos.detectors.stale_reference.detector import HORIZON as LONGER
from kairos.domain.hindsight import HORIZON, earns_its_place, wilson

HEAD = f"""# Detectors

<!-- Made by `python -m benches.detectors FOLDER --page docs/detectors.md`; do not edit. -->

Each detector was replayed over the last {LAST} commits of the repositories below (`kairos backtest`), and each finding
was judged by what people did within {HORIZON} commits that descend from its own ({LONGER} for `stale-reference`); see
[how](how-to/backtest.md). *Repositories*: in how many of those replayed it found something. *As it is now*: how many
were replayed since its code changed last. The others were replayed with earlier code: what newer rules leave out still
counts against it. *Later half* holds the findings in the newer half of each history. *Left*: nobody did anything about
it within that time. Findings that were left were read one by one where the column *read by eye* says so
(`benches/by_eye.txt`): *right* is one whose claim is so, though it was left; precision counts it as wrong all the same.
Some rules (inputs of tests, nested workspaces, builds that are meant to be committed) come from such reading. A
detector watches by default from a precision of 80 % on, with at least 65 % as the lower end of the 95 % interval.
"""


MEANING = """
## What done and left mean
*Done*: a later commit took at least half of the places of a finding away, whatever else it did. A dead reference is
done by mending it, by rewriting its paragraph and by deleting its file; a conflict marker or a value by deleting the
file. So *done* says that what was found did not stay, not that somebody carried out the proposal. *Left*: it was still
there when the horizon was over, which is no judgement of whether it is right: see *read by eye*. *Anyway*: how often a
file that the finding names changes within the horizon at all, done or not.
"""


REASONS = """
## Why some watch all the same
- `secret`: hindsight can only say whether people took a value out within 30 commits. A token that they never rotated
  is not wrong, and what was taken out before a push is in no history, so its precision here says little. Each finding
  that was left was read by eye instead, and cases measure what it finds and must not find
  (`python -m benches.secrets`).
- `stale-reference`: whoever updates all references in the commit of the rename leaves no finding, so history shows the
  rest, which people did not notice. They mend it when they come across it, and that may take longer than 30 commits.
- `ignore-artifact`: history shows only artifacts that somebody committed, and none that was ignored.
- `unparsable`, `ignore-artifact`: the histories of this page hold too few of them for a narrow interval.
- A detector that was seldom raised has too wide an interval. It is off until more histories were replayed;
  `kairos detectors promote` lets it watch.
"""


BY_EYE = Path(__file__).parent / "by_eye.txt"


class ReadByEye(NamedTuple):
    """What a person said of a finding that was left: whether what it says is so, and why."""

    right: bool
    why: str


def by_eye() -> dict[tuple[str, str, str], ReadByEye]:
    """What was read, by detector, repository and the first ten digits of the commit."""
    found = {}
    for line in BY_EYE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            detector, repository, commit, verdict, why = line.split(None, 4)
            found[detector, repository, commit] = ReadByEye(verdict == "right", why)
    return found


def read_of(every: Sequence[Measured], detector: str) -> list[ReadByEye]:
    """What was read of the findings of a detector that were left."""
    known = by_eye()
    left = ((m.repository, r.commit[:10]) for m in every if m.detector == detector for r in m.result.raised
            if r.label == "left")  # fmt: skip
    return [
        known[detector, repository, commit] for repository, commit in left if (detector, repository, commit) in known
    ]


def within(every: Sequence[Measured], detector: str, commits: int) -> str:
    """The precision of a detector if only what people did within so many commits counts as done."""
    decided = [r for r in halves(every, detector)[0] if r.label in ("done", "left")]
    found = wilson(sum(r.label == "done" and r.after <= commits for r in decided), len(decided))
    return "–" if found is None else f"{found.share:.0%} ({found.low:.0%}–{found.high:.0%}, n={len(decided)})"


def halves(every: Sequence[Measured], detector: str) -> tuple[list[RaisedThen], list[RaisedThen]]:
    """(all findings of a detector, those of the later half of each history)."""
    found: list[RaisedThen] = []
    late: list[RaisedThen] = []
    for one in every:
        if one.detector == detector:
            middle = (one.result.first_s + one.result.last_s) // 2
            found += one.result.raised
            late += [r for r in one.result.raised if r.at_s > middle]
    return found, late


def totals(every: Sequence[Measured]) -> list[str]:
    """A line for each detector."""
    out = []
    for name in dict.fromkeys(m.detector for m in every):
        found, late = (sums_of(name, r) for r in halves(every, name))
        out.append(
            f"{name:18} {found.raised:4} raised; {_share(found)}; later half {_share(late)}; anyway {found.chance:.0%}"
            f"; {'earns its place' if earns_its_place(found.precision) else 'does not earn its place'}"
        )
    return out


def page(every: Sequence[Measured]) -> str:
    """The whole page."""
    rows = [
        "| detector | watches | raised | repositories | as it is now | per 100 commits | done | left | precision "
        "| later half | anyway | read by eye |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for detector in ALL:
        mine = [m for m in every if m.detector == detector.name]
        if not mine:
            continue
        found, late = (sums_of(detector.name, r) for r in halves(every, detector.name))
        commits = sum(m.result.commits for m in mine)
        places = sum(bool(m.result.raised) for m in mine)
        read = read_of(every, detector.name)
        seen = f"{sum(r.right for r in read)} of {len(read)} right" if read else "–"
        code = code_of(detector)
        now = sum(m.code == code for m in mine)
        watches = "yes" if detector.name in ENABLED else "no"
        rows.append(
            f"| `{detector.name}` | {watches} | {found.raised} | {places} of {len(mine)} | {now} "
            f"| {100 * found.raised / commits:.2f} | {found.done} | {found.left} | {_share(found)} | {_share(late)} | "
            f"{found.chance:.0%} | {seen} |"
        )
    repositories = sorted({(m.repository, m.result.commits, m.result.head[:10]) for m in every})
    repeats = sum(m.result.repeats for m in every)
    busiest = max(m.result.busiest for m in every)
    lines = [
        HEAD, *rows, "", MEANING.strip(), "", f"Of the findings of `stale-reference` people had done "
        f"{within(every, 'stale-reference', HORIZON)} within {HORIZON} commits, and "
        f"{within(every, 'stale-reference', 100)} within 100.", "", REASONS.strip(), "",
        f"Most told on one day: {busiest}. Raised twice: {repeats}. A replay has no own writes, so nothing "
        "can react to itself.", "",
        "## The public set", "",
        f"{len({r for r, _, _ in repositories})} of the {len(listed())} repositories of `benches/repositories.txt`:",
        "",
        ", ".join(f"{name} ({commits} to {head})" for name, commits, head in repositories) + ".",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _share(sums: Sums) -> str:
    p = sums.precision
    return "–" if p is None else f"{p.share:.0%} ({p.low:.0%}–{p.high:.0%}, n={sums.done + sums.left})"
