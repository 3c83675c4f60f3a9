"""The JSON Schema of every verb's answer, from the records; docs/schemas holds the files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from kairos.desk.records.backtest import BacktestOut
from kairos.desk.records.checks import CheckRemovedOut, NamedCheckOut, SimulatedOut, SuggestedOut
from kairos.desk.records.detectors import DetectorOut, DetectorResetOut, DetectorSwitchedOut, OwnDetectorOut
from kairos.desk.records.export import ExportedOut, ExportLineOut
from kairos.desk.records.guard import GuardCheckOut, GuardOut
from kairos.desk.records.log import (
    AnchorOut,
    CompactOut,
    EventOut,
    FileOut,
    ForgottenOut,
    MovedOut,
    ReplayOut,
    ThenOut,
    VerifyOut,
)
from kairos.desk.records.log_watches import LogBacktestOut, LogWatchRemovedOut, WatchedLogOut
from kairos.desk.records.memory import BriefOut, DreamChangeOut, MemoryOut, RelatedOut
from kairos.desk.records.policy import PolicyOut, PolicyTestOut, RuleChangedOut
from kairos.desk.records.proposals import (
    CardOut,
    CommitLookOut,
    DecidedOut,
    EditedOut,
    HeldOut,
    ProposalOut,
    StepOut,
    UndoneOut,
)
from kairos.desk.records.repositories import DaemonLogOut, InboxMoreOut, InitOut, RunningOut, StatusOut, UnwatchOut
from kairos.desk.records.system import (
    CompletionOut,
    ConfigOut,
    CostOut,
    DemoOut,
    DoctorOut,
    ErrorOut,
    MuteOut,
    PathOut,
    PauseOut,
    SandboxOut,
    ServiceOut,
    ToolOut,
    VersionOut,
)
from kairos.desk.records.turns import TurnOut, TurnShownOut

DATA: dict[str, Any] = {
    "version": VersionOut,
    "status": StatusOut,
    "inbox": list[ProposalOut],
    "show": CardOut,
    "approve": DecidedOut | list[DecidedOut],
    "reject": DecidedOut | list[DecidedOut],
    "defer": DecidedOut | list[DecidedOut],
    "edit": EditedOut,
    "undo": UndoneOut,
    "redo": UndoneOut,
    "why": list[StepOut],
    "why-not": list[HeldOut],
    "why-not-commit": CommitLookOut,
    "log-verify": VerifyOut,
    "log-anchor": AnchorOut,
    "log-export": MovedOut,
    "log-import": MovedOut,
    "replay": ReplayOut,
    "replay-at": ThenOut,
    "forget": ForgottenOut,
    "compact": CompactOut,
    "sandbox": SandboxOut,
    "dream": list[DreamChangeOut],
    "memory-brief": BriefOut,
    "memory-ls": list[MemoryOut],
    "memory-recall": list[MemoryOut],
    "memory-related": list[RelatedOut],
    "memory-show": MemoryOut,
    "tools": list[ToolOut],
    "init": InitOut,
    "unwatch": UnwatchOut,
    "daemon-logs": DaemonLogOut,
    "start": RunningOut,
    "stop": RunningOut,
    "pause": PauseOut,
    "tick": RunningOut,
    "resume": PauseOut,
    "mute": MuteOut,
    "unmute": MuteOut,
    "config-get": ConfigOut,
    "config-set": ConfigOut,
    "config-path": PathOut,
    "service": ServiceOut,
    "guard": GuardOut,
    "guard-check": GuardCheckOut,
    "doctor": DoctorOut,
    "completion": CompletionOut,
    "demo": DemoOut,
    "cost": CostOut,
    "turn-ls": list[TurnOut],
    "turn-show": TurnShownOut,
    "backtest": BacktestOut,
    "export": ExportedOut,
    "check-add": NamedCheckOut,
    "check-ls": list[NamedCheckOut],
    "check-rm": CheckRemovedOut,
    "check-run": list[NamedCheckOut],
    "check-simulate": list[SimulatedOut],
    "check-suggest": list[SuggestedOut],
    "watch-log-add": WatchedLogOut,
    "watch-log-backtest": LogBacktestOut,
    "watch-log-ls": list[WatchedLogOut],
    "watch-log-rm": LogWatchRemovedOut,
    "detectors": list[DetectorOut],
    "detectors-reset": DetectorResetOut,
    "detectors-add": OwnDetectorOut,
    "detectors-rm": DetectorSwitchedOut,
    "detectors-promote": DetectorSwitchedOut,
    "detectors-shadow": DetectorSwitchedOut,
    "detectors-off": DetectorSwitchedOut,
    "policy-ls": PolicyOut,
    "policy-allow": RuleChangedOut,
    "policy-revoke": RuleChangedOut,
    "policy-test": PolicyTestOut,
}
"""Verb → type of `data`."""

MORE: dict[str, Any] = {"inbox": InboxMoreOut}
"""Verb → type of `more`, which stands beside `data` where that is a list."""

BARE: dict[str, Any] = {"log": EventOut, "files": FileOut, "export-line": ExportLineOut, "error": ErrorOut}
"""Records written without the envelope: NDJSON verbs and errors."""


def schemas() -> dict[str, bytes]:
    """File name → JSON Schema, for every verb."""
    found = {}
    for verb, data in DATA.items():
        fields = {"data": data} | ({"more": MORE[verb]} if verb in MORE else {})
        described, definitions = msgspec.json.schema_components(fields.values(), ref_template="#/$defs/{name}")
        body = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"kairos.{verb}/1",
            "type": "object",
            "required": ["schema", *fields],
            "properties": {"schema": {"const": f"kairos.{verb}/1"}, **dict(zip(fields, described, strict=True))},
            "$defs": definitions,
        }
        found[f"kairos.{verb}.json"] = msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=2) + b"\n"
    for verb, data in BARE.items():
        body = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"kairos.{verb}/1",
            **msgspec.json.schema(data),
        }
        found[f"kairos.{verb}.json"] = msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=2) + b"\n"
    return found


def write_schemas(folder: Path) -> None:
    """Writes every schema file of docs/schemas."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
