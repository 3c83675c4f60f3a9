"""Derives the subject of a file from its name: `tests/test_pay.py`, `pay_test.go` and `pay.spec.ts` are about `pay`."""

from __future__ import annotations

from functools import lru_cache
from posixpath import basename

_BEFORE = ("tests_", "test_", "test-")
_AFTER = ("_tests", "_test", "-test", "_spec", "-spec", "test", "spec")


@lru_cache(maxsize=65_536)
def stem_of(path: str) -> str:
    """The subject in lower case; empty if the name has none, as with `__init__.py`."""
    stem = basename(path).split(".", 1)[0].lower()
    for word in _BEFORE:
        stem = stem.removeprefix(word)
    for word in _AFTER:
        if stem.endswith(word) and stem != word:
            stem = stem.removesuffix(word)
            break
    stem = stem.strip("_-")
    return "" if stem in ("init", "main", "index", "mod", "lib") else stem
