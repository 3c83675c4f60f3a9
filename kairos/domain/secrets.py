"""Credential-like values in text: where they are, and the text without them.

One table of rules (`native/secrets/rules`) serves two purposes. `redact` prefers false positives, because what it
leaves is stored for good. Detection (`for_detection`, `scan`) prefers false negatives: placeholders, examples and code
that only names a secret are not reported. Whatever is detected is also redacted. Paths, git object ids and SHA-256
digests are never redacted unless they are assigned to a secret-named key.

The search is native and pure: equal texts give equal answers. Its time is linear in the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from kairos import _native

Confidence: TypeAlias = Literal["low", "medium", "high"]


class SecretMatch(NamedTuple):
    """A credential-like value at text[start:end]; `kind` names the rule."""

    kind: str
    start: int
    end: int


class Credential(NamedTuple):
    """A value in a file that looks like a real credential: its kind and 1-based line. `value` is for comparison only.

    `confidence`: `high` cannot wait, `medium` may be made up."""

    kind: str
    line: int
    value: bytes
    confidence: Confidence


class Scanned(NamedTuple):
    """What a file holds. `text`: it was searched; binary content is not. `others`: it is in a folder of others' code
    (vendor, node_modules), where only tokens of an issuer's form are looked for."""

    text: bool
    held: list[Credential]
    others: bool = False


def find(text: str, *, for_detection: bool = False) -> list[SecretMatch]:
    """Every credential-like value, in order, not overlapping. With `for_detection` only live-looking ones."""
    return [SecretMatch(*m) for m in _native.find_secrets(_encoded(text), for_detection)]


def redact(text: str) -> str:
    """The text with each credential-like value replaced by [redacted <kind>]; `find` finds nothing in it."""
    clean = _native.redact_secrets(_encoded(text))
    return text if clean is None else _decoded(clean)


def redact_all(texts: Sequence[str]) -> list[str]:
    """Each text redacted. In the words of a command, the word after an option that names a secret is redacted as well,
    however short or ordinary it is: `--token`, `…`."""
    return [_decoded(word) for word in _native.redact_words([_encoded(text) for text in texts])]


def scan(path: str, data: bytes) -> Scanned:
    """The credentials in a file of a repository. `path` tells what may be made up: a test, an example, documentation.
    UTF-16 content is read as text."""
    text, others, held = _native.scan_secrets(path.encode("utf-8", "surrogateescape"), data)
    return Scanned(text, [Credential(*h) for h in held], others)


def label(kind: str) -> str:
    """What a person calls a kind of credential: `AWS key`."""
    return _native.secret_label(kind)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
