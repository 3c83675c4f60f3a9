"""The spending ledger as a fold: what was reserved before each model call and what the call cost. Amounts in micro-USD.

A reservation counts as spent until it is reconciled, so a crash between the two overstates spending and never exceeds
the cap.
"""

from __future__ import annotations

import msgspec

from kairos.domain.events import Event, ModelCalled, ModelReserved

SLICE_US = 15 * 60 * 1_000_000
"""A quarter of an hour: midnight in every time zone is at a slice boundary."""

STREAM = "budget"
TOPICS = frozenset({"ModelReserved", "ModelCalled"})
_SLICES_KEPT, _TURNS_KEPT = 400, 64


class Slice(msgspec.Struct):
    """The spending of one quarter of an hour. `calls` counts reserved attempts."""

    calls: int = 0
    microusd: int = 0


class Total(msgspec.Struct):
    """The spending of one turn, and the quarter of an hour of its last call."""

    microusd: int = 0
    slice: int = 0


class Reserved(msgspec.Struct):
    """A reservation that is not reconciled yet."""

    microusd: int
    slice: int


class Spending(msgspec.Struct):
    """The ledger. `open` is keyed by turn, call and attempt."""

    slices: dict[int, Slice] = {}
    turns: dict[str, Total] = {}
    open: dict[str, Reserved] = {}


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """The spending limits that a person set, in micro-USD."""

    per_day: int
    per_turn: int


def evolve(spending: Spending, event: Event, at: int) -> None:
    """Folds one event recorded at `at` (us) into the ledger, in place."""
    match event:
        case ModelReserved() as e:
            key = _key(e.turn, e.call, e.attempt)
            if key in spending.open:
                return
            here = at // SLICE_US
            part = spending.slices.setdefault(here, Slice())
            part.calls += 1
            part.microusd += e.reserved_microusd
            total = spending.turns.setdefault(e.turn, Total())
            total.microusd += e.reserved_microusd
            total.slice = here
            spending.open[key] = Reserved(e.reserved_microusd, here)
            _forget(spending, here)
        case ModelCalled() as e:
            reserved = spending.open.pop(_key(e.turn, e.call, e.attempt), None)
            if reserved is None:
                return
            spent = min(max(e.spent_microusd, 0), reserved.microusd)  # earlier versions believed any usage
            difference = spent - reserved.microusd
            if reserved.slice in spending.slices:
                spending.slices[reserved.slice].microusd += difference
            if e.turn in spending.turns:
                spending.turns[e.turn].microusd += difference


def since(spending: Spending, start_us: int) -> Slice:
    """Calls and micro-USD of everything from `start_us` on."""
    parts = [s for place, s in spending.slices.items() if (place + 1) * SLICE_US > start_us]
    return Slice(calls=sum(p.calls for p in parts), microusd=sum(p.microusd for p in parts))


def refusal(spending: Spending, turn: str, worst_microusd: int, caps: Caps, day_start_us: int) -> str:
    """Why a call with this worst case must not be sent; empty when it may be."""
    today = since(spending, day_start_us).microusd
    mine = spending.turns[turn].microusd if turn in spending.turns else 0
    if mine + worst_microusd > caps.per_turn:
        return f"this turn would take {_usd(mine + worst_microusd)}, its cap is {_usd(caps.per_turn)}"
    if today + worst_microusd > caps.per_day:
        return f"today would take {_usd(today + worst_microusd)}, the cap is {_usd(caps.per_day)}"
    return ""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """USD per million tokens, which is micro-USD per token. `cached`: of input tokens that the provider had stored;
    None if that is not known, then they cost what others cost."""

    input: float
    output: float
    cached: float | None = None


class Tokens(msgspec.Struct, frozen=True):
    """The tokens of one attempt. `cached`: those of the input that the provider had stored."""

    input: int
    output: int
    cached: int = 0


def cost(price: Price, tokens: Tokens) -> int:
    """The cost of this many tokens, rounded up to a whole micro-USD."""
    stored = price.input if price.cached is None else min(price.cached, price.input)
    exact = (tokens.input - tokens.cached) * price.input + tokens.cached * stored + tokens.output * price.output
    return int(exact) + (exact > int(exact))


def believed(reported: Tokens | None, most: Tokens) -> tuple[Tokens, str]:
    """(the tokens to pay for, what is wrong with the report; empty if nothing is).

    A server can neither lower the sum nor raise it above what was reserved: a figure that cannot be counts as the most
    that can be, and more cached tokens than input as none. Without a report the most counts."""
    if reported is None:
        return msgspec.structs.replace(most, cached=0), ""
    used = reported.input if 0 <= reported.input <= most.input else most.input
    made = reported.output if 0 <= reported.output <= most.output else most.output
    stored = reported.cached if 0 <= reported.cached <= used else 0
    found = Tokens(used, made, stored)
    if found == reported:
        return found, ""
    return found, (
        f"the server reported {reported.input} input ({reported.cached} cached) and {reported.output} output tokens; "
        f"at most {most.input} and {most.output} are possible"
    )


def _key(turn: str, call: int, attempt: int) -> str:
    return f"{turn}/{call}/{attempt}"


def _usd(microusd: int) -> str:
    return f"{microusd / 1_000_000:.4f} USD"


def _forget(spending: Spending, here: int) -> None:
    """Drops the entries farthest in time from `here`, so that a clock that was wrong for a while does not evict recent
    entries."""
    if len(spending.slices) > _SLICES_KEPT:
        del spending.slices[max(spending.slices, key=lambda place: abs(place - here))]
    if len(spending.turns) > _TURNS_KEPT:
        del spending.turns[max(spending.turns, key=lambda turn: abs(spending.turns[turn].slice - here))]
