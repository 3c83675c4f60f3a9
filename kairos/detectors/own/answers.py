"""What a person's own detector answers: JSON lines, or one SARIF log. Hostile input: bounded, and refused whole if a
line is not what it should be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from kairos.domain.checks.json_reports import read_sarif
from kairos.domain.checks.report import ReportRefused
from kairos.domain.inert import as_text

MOST_FINDINGS, MOST_BYTES = 5_000, 1 << 20
_TITLE, _CLAIM = 120, 1_000


class OwnRefused(ValueError):
    """An answer that is not read; the text says what is wrong with it, and is safe to show."""


class OwnEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In the file `path` the text `old`, which occurs there exactly once, becomes `new`."""

    path: str
    old: Annotated[str, Meta(min_length=1)]
    new: str


class OwnAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One finding: in which file, in one line; `key` names it for its whole life (default: its title without numbers).
    `claim`: the reason; `line`: where; `edits`: a patch; `unchecked`: what was not looked at."""

    path: Annotated[str, Meta(min_length=1, max_length=4_096)]
    title: Annotated[str, Meta(min_length=1)]
    key: Annotated[str, Meta(max_length=1_000)] = ""
    claim: str = ""
    line: Annotated[int, Meta(ge=0)] = 0
    edits: Annotated[list[OwnEdit], Meta(max_length=20)] = []
    unchecked: Annotated[list[str], Meta(max_length=5)] = []


def read_answers(raw: bytes) -> list[OwnAnswer]:
    """The findings of an answer. OwnRefused."""
    if len(raw) > MOST_BYTES:
        raise OwnRefused(f"it answered with more than {MOST_BYTES >> 20} MB")
    found = _sarif(raw) if _is_sarif(raw) else list(_lines(raw))
    if len(found) > MOST_FINDINGS:
        raise OwnRefused(f"it found {len(found)} things, more than {MOST_FINDINGS}")
    return found


def _is_sarif(raw: bytes) -> bool:
    """Whether the answer is one JSON object with runs; a line of JSON lines has none."""
    begun = raw.lstrip()
    return begun.startswith(b"{") and b'"runs"' in begun[:MOST_BYTES] and b'"path"' not in begun.split(b"\n", 1)[0]


def _sarif(raw: bytes) -> list[OwnAnswer]:
    try:
        report = read_sarif(raw)
    except ReportRefused as error:
        raise OwnRefused(f"its SARIF cannot be read: {as_text(str(error))[:200]}") from error
    return [
        OwnAnswer(path=c.path, title=_one_line(c.message, _TITLE) or "a problem", key=c.id, line=c.line)
        for c in report.failed if c.path
    ]  # fmt: skip


def _lines(raw: bytes) -> Iterator[OwnAnswer]:
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            one = msgspec.json.decode(line, type=OwnAnswer)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise OwnRefused(f"line {number} of its answer is no finding: {as_text(str(error))[:200]}") from error
        yield msgspec.structs.replace(
            one, title=_one_line(one.title, _TITLE), claim=_one_line(one.claim, _CLAIM),
            unchecked=_shortened(one.unchecked),
        )  # fmt: skip


def _shortened(texts: Sequence[str]) -> list[str]:
    return [found for t in texts if (found := _one_line(t, _TITLE))]


def _one_line(text: str, most: int) -> str:
    """The text on one line, without characters that a terminal obeys, at most so long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return clean if len(clean) <= most else clean[: most - 1] + "…"
