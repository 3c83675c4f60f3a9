"""Splits text into search terms: words and parts of paths and identifiers, without stop words, stemmed."""

from __future__ import annotations

import re
from functools import lru_cache

_LATIN = "a-z\u00df-\u00f6\u00f8-\u024f"
_WORD = re.compile(rf"[{_LATIN}]+|[0-9]+|[^\W\d_{_LATIN}]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STOPS = (
    "a an the of to in on at for and or is are was were be been do does did has have had what which who whom whose "
    "when where why how s t d ll ve re m it its that this these those with from by as about his her their he she "
    "they you your my i me we our us him them not no will would can could should than then so if but"
)
_STOP = frozenset(_STOPS.split())
_DOUBLED = frozenset("bdfgmnprt")
_VOWELS = frozenset("aeiouy")


def terms(text: str) -> list[str]:
    """The terms of a text in order: `src/PayService.py` gives src, pay, servic, py."""
    return [stem(word) for word in _WORD.findall(_HUMP.sub(" ", text).lower()) if word not in _STOP]


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The word without its English ending: plural, -ed, -ing, -ly and a silent e. Deliberately light: it
    only merges forms of one word, so that no memory matches because of a different word."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        if word.endswith(ending):
            base = word[: -len(ending)]
            if len(base) >= 3 and _VOWELS & set(base):
                word = base[:-1] if base[-1] == base[-2] and base[-1] in _DOUBLED else base
            break
    if word.endswith("i"):
        return word[:-1] + "y"
    return word[:-1] if word.endswith("e") and len(word) > 3 else word
