"""`approve`, `reject`, `defer`: a decision from the command line. The rules are the aggregate's; here is how a person
is asked and what a script gets back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.holding import is_here, leased
from cli.inbox import shown_card
from cli.outputs import DecidedOut
from cli.reading import at_one_moment, inbox, letters, repositories
from cli.when import until as parse_until
from kairos.clock import local_zone, now_us
from kairos.domain.proposal import TERMINAL, Proposal
from kairos.errors import KairosError, OutcomeUnknown, Stale, TryAgain, UsageError

LETTERS = 4
"""How much of the id a person types to approve high risk."""

_SIGNS = {"executed": "✓", "acknowledged": "✓", "redone": "✓", "failed": "✗", "unknown": "?"}


def decided(context: Context, id_: str, *, since: Sequence[str] = ()) -> DecidedOut:
    """A proposal as it now stands. `positions`: its events from the first of the topics `since` on."""

    def read() -> DecidedOut:
        filed = inbox(context).shelf[id_]
        topics = [context.log.at(position).topic for position in filed.positions]
        first = next((index for index, topic in enumerate(topics) if topic in since), 0)
        return DecidedOut(id=id_, state=filed.proposal.state, positions=filed.positions[first:])

    return at_one_moment(context, read)


def root_of(context: Context, proposal: Proposal) -> Path:
    """Where the proposal's repository is."""
    return Path(repositories(context).by_id[proposal.raised.repo].root)


def say_yes(context: Context, proposal: Proposal, digest: str, *, wait_s: float | None) -> DecidedOut:
    """Approves exactly `digest`. Without a daemon the action is carried out here, or settled if a crash cut it short;
    with one it is left to it, and awaited up to `wait_s` seconds if given."""
    from kairos.acting.decisions import approve as append_approval

    now = append_approval(context.log, context.home, context.config, proposal.id, digest).proposal
    todo = now.state in ("approved", "executing")
    done = todo and not context.daemon_running() and _carried_out(context, now)
    if not done and wait_s is not None and now.state not in TERMINAL:
        await_end(context, proposal.id, wait_s)
    return decided(context, proposal.id, since=("ProposalApproved", "ProposalAcknowledged"))


def _carried_out(context: Context, proposal: Proposal) -> bool:
    """Carries it out here. False where another home has the repository, or the repository is on another machine."""
    if not is_here(context, repositories(context).by_id[proposal.raised.repo]):
        return False
    from kairos.acting.executor import execute

    with leased(context, proposal.raised.repo) as mine:
        if mine:
            execute(context.log, context.home, context.config, proposal, root_of(context, proposal))
        return mine


def await_end(context: Context, id_: str, wait_s: float) -> None:
    """Sleeps until the proposal is at a terminal state or the time is over."""
    from kairos.eventlog.follow import Follower

    deadline = time.monotonic() + wait_s
    follower = Follower(context.log, context.log.head())
    while inbox(context).proposals[id_].state not in TERMINAL:
        left = deadline - time.monotonic()
        if left <= 0:
            return
        follower.wait(min(left, 1.0))
        follower.new()


def refuse_if_bad(context: Context, done: DecidedOut, *, waited_s: float | None = None) -> None:
    """Raises what a state that is not success means: failed 1, unknown 8, stale and its like 5, and 75 where the end
    was waited for and did not come."""
    proposal = inbox(context).proposals[done.id]
    hint = f"`kairos show {done.id}` has the details."
    if done.state == "failed":
        raise KairosError(f"{done.id} failed and changed nothing: {proposal.why or 'no reason was given'}", hint)
    if done.state == "unknown":
        raise OutcomeUnknown(f"nobody can tell how {done.id} ended: look at its files", hint)
    if done.state in ("stale", "superseded", "expired", "withdrawn"):
        raise Stale(f"{done.id} is {done.state}: nothing was written", hint)
    if waited_s is not None and done.state not in TERMINAL:
        raise TryAgain(
            f"{done.id} is {done.state} after {waited_s:g} s", f"It goes on: {hint[:-1]}, or wait longer with --wait."
        )


def confirmed(context: Context, proposal: Proposal) -> bool:
    """Shows the card and asks. High risk wants the first letters of the id typed."""
    if not context.interactive():
        raise UsageError(
            f"{proposal.id} was not shown, and nobody can be asked here",
            f"Read `kairos show {proposal.id}`, then add `--digest {proposal.raised.digest}` (or --yes).",
        )
    _, text = at_one_moment(context, lambda: shown_card(context, lambda known: proposal))
    render.message(context, text)
    if proposal.raised.risk in ("high", "urgent"):
        wanted = proposal.id[:LETTERS]
        typed = render.answer(context, f"{proposal.raised.risk} risk: type {wanted} to approve: ")
        return typed.strip() == wanted
    return render.ask(context, "Approve exactly this?", flag="--digest or --yes")


def _report(context: Context, verb: str, results: list[DecidedOut], failure: KairosError | None) -> None:
    text = "\n".join(
        f"{_SIGNS.get(r.state, '·')} {letters(context, r.id)} {r.state}"
        + (f" (ev {render.number(r.positions[-1])})" if r.positions else "")
        for r in results
    )
    if results:
        render.emit(context, verb, results[0] if len(results) == 1 else results, text)
    if failure is not None:
        raise failure


def _each(
    context: Context,
    verb: str,
    ids: Sequence[str],
    decide: Callable[[Proposal], DecidedOut | None],
    *,
    wait_s: float | None = None,
) -> None:
    """Decides one after another; the first that cannot be decided ends it, and what was done is still reported."""
    known = inbox(context)
    chosen = [known.find(prefix) for prefix in dict.fromkeys(ids)]
    results: list[DecidedOut] = []
    failure: KairosError | None = None
    for proposal in {p.id: p for p in chosen}.values():
        try:
            done = decide(proposal)
            if done is not None:
                results.append(done)
                refuse_if_bad(context, done, waited_s=wait_s)
        except KairosError as error:
            failure = error
            break
    _report(context, verb, results, failure)


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("--digest", metavar="D", help="The digest that was read; stands for having seen it.")
@click.option("--wait", "wait_s", type=click.FloatRange(min=0), metavar="S", help="Wait up to S seconds for the end.")
@click.option("--yes", is_flag=True, help="Approve what is there now without showing it.")
@pass_context
def approve(context: Context, ids: Sequence[str], digest: str | None, wait_s: float | None, yes: bool) -> None:
    """Say yes to exactly what was shown. Repeating it is harmless."""
    if digest is not None and len(ids) > 1:
        raise UsageError("--digest names one proposal, and several ids were given", "Approve them one by one.")

    def decide(proposal: Proposal) -> DecidedOut | None:
        if digest is None and not yes and not confirmed(context, proposal):
            render.message(context, f"{proposal.id} stays undecided")
            return None
        return say_yes(context, proposal, proposal.raised.digest if digest is None else digest, wait_s=wait_s)

    _each(context, "approve", ids, decide, wait_s=wait_s)


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("-m", "text", metavar="TEXT", required=True, help="Why not.")
@click.option(
    "--reason",
    type=click.Choice(["wrong", "not_now", "style", "too_risky", "duplicate", "other"]),
    default="other",
    help="What kind of no.",
)
@click.option("--never", is_flag=True, help="Never propose this here again.")
@pass_context
def reject(context: Context, ids: Sequence[str], text: str, reason: str, never: bool) -> None:
    """Say no, with a reason. It is not raised again unless its evidence changes."""
    from kairos.acting.decisions import reject as append_rejection

    def decide(proposal: Proposal) -> DecidedOut:
        append_rejection(context.log, proposal.id, reason, text, never=never)
        return decided(context, proposal.id, since=("ProposalRejected",))

    _each(context, "reject", ids, decide)


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True)
@click.option("--until", "when", metavar="WHEN", required=True, help="2h, tonight, tomorrow, next-commit, or a time.")
@pass_context
def defer(context: Context, ids: Sequence[str], when: str) -> None:
    """Decide later: it comes back by itself."""
    from kairos.acting.decisions import defer as append_deferral

    until = parse_until(when, now_us(), local_zone())

    def decide(proposal: Proposal) -> DecidedOut:
        append_deferral(context.log, proposal.id, until)
        return decided(context, proposal.id, since=("ProposalDeferred",))

    _each(context, "defer", ids, decide)
