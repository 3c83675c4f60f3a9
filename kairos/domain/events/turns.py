"""Facts about attention, turns, findings and model calls."""

from __future__ import annotations

from typing import Literal

from kairos.domain.events.base import Cited, Event, FreeText, register
from kairos.domain.events.detectors import Named

Engine = Literal["rules", "model"]


@register
class AttentionDue(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A turn starts now. `boundary`: commit | switch | burst | idle_return | check | manual | later | again (what held
    findings back has ended)."""

    repo: str
    boundary: str
    rule: str


@register
class AttentionHeld(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A turn, delivery or finding was held or suppressed: by which rule, and until when (us; absent: for good).

    `subject`: a proposal id, a finding key, or `turn`. `evidence`, `boundary`, `mark`: of a finding whose hold can end,
    what it was found in and at which boundary, so that it is looked at again then, and a short hash of what it rested
    on: when that changes, it is another hold; `subjects`: the keys of its parts, if it is about several things.
    `shadow`: of a finding of a detector in shadow, what tells that people did something about it after `commit`, within
    `horizon` commits (0: as for any finding)."""

    repo: str
    subject: str
    why: FreeText
    rule: str
    until: int | None = None
    detector: str = ""
    evidence: list[Cited] = []
    boundary: str = ""
    mark: str = ""
    shadow: Named | None = None
    commit: str = ""
    horizon: int = 0
    subjects: list[str] = []


@register
class TurnStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """One bounded run that examines a repository and may propose. Stream `turn-…`. `again`: positions of the holds
    that have ended and whose findings this turn looks at again."""

    turn: str
    repo: str
    engine: Engine
    boundary: str
    detectors: list[str]
    again: list[Cited] = []


@register
class TurnEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """`outcome`: quiet | proposed | interrupted | failed | parked | stopped. `patches`: hashes of the patches of the
    commits that a model looked at; if it came to an end, they are not looked at again under another commit id."""

    turn: str
    repo: str
    engine: Engine
    outcome: str
    proposals: list[str] = []
    why: FreeText = ""
    micros: int = 0
    patches: list[str] = []


@register
class FindingListed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A finding that existed before the repository was registered: listed once at init, and raised only if its state
    becomes worse than `level`. `subjects`: the keys of its parts."""

    repo: str
    key: str
    detector: str
    title: FreeText
    subjects: list[str] = []
    level: int = 0


@register
class ModelReserved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The worst-case cost of one call, recorded in the ledger before the call is sent. Amounts in micro-USD."""

    turn: str
    call: int
    model: FreeText
    reserved_microusd: int
    attempt: int = 1


@register
class ModelCalled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """One attempt of one call, reconciled. `outcome`: ok | rate_limited | error | timeout | garbage | cut | length |
    filtered | stopped. `status`: of the HTTP answer, 0 if there was none or it is unknown; `retry_at`: when the server
    asked to be called again (us). `cached_tokens`: those of the input that the provider had stored. `anomaly`: what the
    server said of usage that cannot be; what is recorded and paid is what can be at most."""

    turn: str
    call: int
    model: FreeText
    attempt: int
    outcome: str
    spent_microusd: int
    input_tokens: int = 0
    output_tokens: int = 0
    request: str = ""
    why: FreeText = ""
    cached_tokens: int = 0
    anomaly: FreeText = ""
    status: int = 0
    retry_at: int | None = None


@register
class ToolUsed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A model's turn changed its scratch tree, or ran a command or checks on it (a tool of level 1; reading is not
    recorded). `call`: after which call of the model; `what`: the command line, the paths, the checks or the job;
    `outcome`: done | refused | failed; `why`: what refused it or failed; `micros`: how long the turn waited for it."""

    turn: str
    call: int
    tool: str
    what: FreeText
    outcome: str
    why: FreeText = ""
    micros: int = 0


@register
class DetectorMuted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person silenced a detector, in one repository or (repo empty) everywhere."""

    detector: str
    repo: str = ""


@register
class DetectorUnmuted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person unmuted a detector."""

    detector: str
    repo: str = ""


@register
class DetectorReset(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person had Kairos forget what it learned of a detector: everywhere, in one repository, or below the directory
    `path` of it. Where it was silent it speaks again."""

    detector: str
    repo: str = ""
    path: str = ""


@register
class Paused(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The kill switch: no turns, no deliveries, no executions until `until` (us; absent: until resumed), in one
    repository or with an empty `repo` everywhere."""

    until: int | None = None
    repo: str = ""


@register
class Resumed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Ends the pause of one repository, or with an empty `repo` the general one."""

    repo: str = ""
