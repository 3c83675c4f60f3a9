"""Credential-like values in text: where they are, and the text without them."""

from __future__ import annotations

import re
from typing import NamedTuple


class SecretMatch(NamedTuple):
    """A credential-like value at text[start:end]; `kind` names the rule."""

    kind: str
    start: int
    end: int


_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("aws-access-key", re.compile(r"\b((?:AKIA|ASIA)[0-9A-Z]{16})\b")),
    ("github-token", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})\b")),
    ("private-key", re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----)?)")),
)


def find(text: str) -> list[SecretMatch]:
    """Every credential-like value, in order, not overlapping."""
    found = sorted(
        (SecretMatch(kind, *m.span(1)) for kind, rule in _RULES for m in rule.finditer(text)), key=lambda m: m.start
    )
    out: list[SecretMatch] = []
    for match in found:
        if not out or match.start >= out[-1].end:
            out.append(match)
    return out


def redact(text: str) -> str:
    """The text with each credential-like value replaced by [redacted <kind>]."""
    parts, last = [], 0
    for match in find(text):
        parts += [text[last : match.start], f"[redacted {match.kind}]"]
        last = match.end
    return "".join(parts) + text[last:] if parts else text
