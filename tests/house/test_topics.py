"""Event types that scripts may name: they stay."""

from __future__ import annotations

from kairos.domain.events import REGISTRY

PROMISED = (
    "RepoTrusted", "FilesChanged", "GitMoved", "CommitRecorded", "WatchGap", "RootLost", "RootFound",
    "AttentionDue", "AttentionHeld", "TurnStarted", "TurnEnded", "ProposalRaised", "ProposalVerified",
    "ProposalApproved", "ProposalRejected", "ProposalDeferred", "ProposalStale", "ProposalSuperseded",
    "ProposalExpired", "ExecutionStarted", "ExecutionFinished", "ExecutionUnknown", "Undone", "Redone",
    "OccurrenceDue", "OccurrenceEnded", "DreamStarted", "DreamFinished", "SegmentSealed", "SegmentRetired",
    "ModelCalled", "Erased",
)  # fmt: skip
FIELDS = {
    "FilesChanged": {"repo", "burst", "part", "parts", "cause", "changes"},
    "GitMoved": {"repo", "head", "refs", "what"},
    "WatchGap": {"reason"},
    "AttentionHeld": {"why"},
    "TurnStarted": {"engine"},
}


def test_every_promised_event_type_exists() -> None:
    assert [topic for topic in PROMISED if topic not in REGISTRY] == []


def test_every_promised_field_exists() -> None:
    missing = {topic: FIELDS[topic] - set(REGISTRY[topic].__struct_fields__) for topic in FIELDS}
    assert {topic: fields for topic, fields in missing.items() if fields} == {}
