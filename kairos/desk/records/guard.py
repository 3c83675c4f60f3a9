"""Answers about the guard: the pre-commit hook, and what is staged."""

from __future__ import annotations

from kairos.desk.records.base import Output


class GuardOut(Output, frozen=True, kw_only=True):
    """`active`: git runs the hook; `chained`: the hook or folder of hooks that runs after it; `trouble`: why it is not
    active; `changed`: whether this call put the hook in or took it out."""

    repo: str
    installed: bool
    active: bool
    hook: str
    chained: str | None
    trouble: str
    changed: bool = False


class StagedCredentialOut(Output, frozen=True, kw_only=True):
    """A value in a staged file. confidence: high | medium."""

    path: str
    line: int
    kind: str
    label: str
    confidence: str


class SkippedFileOut(Output, frozen=True, kw_only=True):
    path: str
    why: str


class GuardCheckOut(Output, frozen=True, kw_only=True):
    """`files` staged text files of `bytes` in all were looked at, `others` of them in folders of others' code, where
    only tokens of an issuer's form are looked for; `refuses`: a commit would be refused."""

    repo: str
    files: int
    bytes: int
    binary: int
    others: int = 0
    skipped: list[SkippedFileOut]
    found: list[StagedCredentialOut]
    refuses: bool
