"""Credential-like values in text: where they are, and the text without them.

One table serves two purposes. `redact` prefers false positives, because what it leaves is stored for good. Detection
(`for_detection`) prefers false negatives: placeholders, examples and code that only names a secret are not reported.
Paths, git object ids and SHA-256 digests are never redacted unless they are assigned to a secret-named key.

Time is linear in the text: so is each pattern, and a text is searched a fixed number of times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kairos.domain import secret_places as places
from kairos.domain import secret_values as values
from kairos.domain.secret_values import BLANK


class SecretMatch(NamedTuple):
    """A credential-like value at text[start:end]; `kind` names the rule."""

    kind: str
    start: int
    end: int


_MARK = re.compile(r"\[redacted [a-z0-9-]{1,40}\]")
_ROUNDS = 8


def find(text: str, *, for_detection: bool = False) -> list[SecretMatch]:
    """Every credential-like value, in order, not overlapping. With `for_detection` only live-looking ones."""
    out: list[SecretMatch] = []
    for match in sorted(_all(_blanked(text), for_detection), key=lambda m: (m.start, -m.end)):
        if not out or match.start >= out[-1].end:
            out.append(match)
        elif match.end > out[-1].end:
            out[-1] = out[-1]._replace(end=match.end)
    return out


def redact(text: str) -> str:
    """The text with each credential-like value replaced by [redacted <kind>]; `find` finds nothing in it.

    A replacement can make the text around it match, so the rest is searched again, a few times at most; a text that
    still shows a new value after that is redacted whole."""
    for _ in range(_ROUNDS):
        found = find(text)
        if not found:
            return text
        text = _without(text, found)
    return "[redacted text]" if find(text) else text


def redact_all(texts: Sequence[str]) -> list[str]:
    """Each text redacted. In the words of a command, the word after an option that names a secret is redacted as well,
    however short or ordinary it is: `--token`, `…`."""
    out: list[str] = []
    for text in map(redact, texts):
        named = out[-1] if out and places.OPTION.fullmatch(out[-1]) else ""
        before, colon, value = text.partition(":") if named in ("-u", "--user") else ("", "", text if named else "")
        if values.inert(_blanked(value)) or places.ANY_OPTION.fullmatch(text) or (colon and value.isdigit()):
            out.append(text)
        else:
            out.append(redact(f"{before}{colon}[redacted credential]"))
    return out


def _blanked(text: str) -> str:
    """The text with each redaction mark blanked: a mark is not a value, but text joined to it may be."""
    return _MARK.sub(lambda mark: BLANK * len(mark[0]), text)


def _without(text: str, found: list[SecretMatch]) -> str:
    parts, last = [], 0
    for match in found:
        parts += [text[last : match.start], f"[redacted {match.kind}]"]
        last = match.end
    return "".join(parts) + text[last:]


def _all(text: str, strict: bool) -> Iterator[SecretMatch]:
    for rule in places.RULES:
        if any(hint in text for hint in rule.hints):
            for m in rule.pattern.finditer(text):
                if not strict or rule.live(m[1]):
                    yield SecretMatch(rule.kind, *m.span(1))
    if "-----BEGIN " in text:
        yield from _private_keys(text, strict)
    if "://" in text:
        for m in places.URL.finditer(text):
            if not values.inert(m[2]) and (not strict or values.live_url(m[1], m[2], m[3])):
                yield SecretMatch("url-password", *m.span(2))
    folded = text.casefold()
    if any(name in folded for name in places.NAMES):
        yield from _assigned(text, strict)
        if not strict:
            yield from _cut_only(text)
    for rule in places.PLACES:
        if any(hint in folded for hint in rule.hints):
            for m in rule.pattern.finditer(text):
                if not values.inert(m[1]) and not m[1].isdigit() and (not strict or rule.live(m[1])):
                    yield SecretMatch(rule.kind, *m.span(1))


def _cut_only(text: str) -> Iterator[SecretMatch]:
    for pattern in places.CUT_ONLY:
        for m in pattern.finditer(text):
            group = m.lastgroup or "bare"
            gap = "" if "," in text[m.start() : m.start(group)] else text[m.start() : m.start(group)]
            told = group == "text" or (group != "bare" and gap) or values.cuttable(gap, m[group])
            if told and not values.inert(m[group]) and not m[group].isdigit():
                yield SecretMatch("credential", *m.span(group))


def _private_keys(text: str, strict: bool) -> Iterator[SecretMatch]:
    """Blocks from BEGIN to END; without an END (a truncated text) as far as the body looks like a key."""
    ends = [m.span() for m in places.END.finditer(text)]
    at, last = 0, 0
    for begin in places.BEGIN.finditer(text):
        if begin.start() < last:
            continue
        while at < len(ends) and ends[at][0] < begin.end():
            at += 1
        body = places.BODY.match(text, begin.end())
        stop = body.end() if body else begin.end()
        if at < len(ends) and ends[at][0] - begin.end() <= 1 << 16:
            stop = ends[at][1]
        last = stop
        inside = text[begin.end() : stop]
        if not strict or (len(inside) >= 64 and not values.EXAMPLE.search(inside[:40])):
            yield SecretMatch("private-key", begin.start(), stop)


def _assigned(text: str, strict: bool) -> Iterator[SecretMatch]:
    """Values assigned to a secret-named key: `password = "…"`, `API_KEY=…`, `"token": "…"`."""
    for m in places.ASSIGNED.finditer(text):
        group = m.lastgroup or "bare"
        value, start, end = m[group], m.start(group), m.end(group)
        if values.inert(value):
            continue
        if not strict:
            if group != "bare" or values.cuttable(m["gap"], value):
                yield SecretMatch("credential", start, end)
        elif values.live_assignment(text, m, group, value):
            yield SecretMatch("credential", start, end)
