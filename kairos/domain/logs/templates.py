"""Templates behind the lines of a log, learnt one line after another in bounded memory and time. Pure.

After Drain (He et al., ICWS 2017): a line is compared only with templates of as many words that begin alike; the one
that shares most words takes it, and the words that differ become variable. Here the words with which a template must
begin are two, numbers and hashes are variable from the start, and templates that were not seen for longest fall away.
"""

from __future__ import annotations

import re
from _blake2 import blake2b
from collections.abc import Sequence

import msgspec

VARIABLE = "*"
MOST_TEMPLATES = 1_000
"""So many templates of a log are kept, the last seen."""
MOST_ALIKE = 64
"""A line is compared with at most so many templates."""
MOST_WORDS, LONGEST_WORD = 48, 80
"""A line is compared by so many first words, and a word by so many first characters."""
_SIMILAR = 0.7
_NUMBER = re.compile("[0-9]")
_CHANGING = re.compile(
    r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b|\b0[xX][0-9a-fA-F]+\b"
    r"|(?<![0-9A-Za-z])(?:[0-9]+[a-fA-F]|[a-fA-F]+[0-9])[0-9a-fA-F]{5,}(?![0-9A-Za-z])|[0-9]+(?:[.:,_][0-9]+)*"
)


class LogTemplate(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A template. `id`: a short hash of the line that made it, the same for its whole life; `words`: with `*` where it
    changes; `count`, `first` and `last` (us): how often and when it was seen; `worst`: the most in one window before
    the present one, `window`; `here`: in this; `loud`: it may be told; `told`: how bad when it was told last, -1:
    never."""

    id: str
    words: list[str]
    count: int = 0
    first: int = 0
    last: int = 0
    worst: int = 0
    window: int = 0
    here: int = 0
    loud: bool = False
    told: int = -1

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Templates:
    """The templates of one log."""

    def __init__(self, known: Sequence[LogTemplate] = ()) -> None:
        """`known`: those of before, the last seen at the end."""
        self.by_id: dict[str, LogTemplate] = {}
        self._alike: dict[tuple[int, str, str], list[str]] = {}
        for template in known:
            self._keep(template)

    def match(self, text: str) -> tuple[LogTemplate, bool]:
        """(the template of a line, whether the line made it)."""
        words = words_of(text)
        place = _place(words)
        best, most = None, 0.0
        for name in self._alike.get(place, ()):
            template = self.by_id[name]
            alike = _similarity(template.words, words)
            if alike > most:
                best, most = template, alike
        if best is None or most < _SIMILAR:
            template = LogTemplate(id=_id(words, self.by_id), words=words)
            self._keep(template)
            return template, True
        if best.words != words:
            best.words = [a if a == b else VARIABLE for a, b in zip(best.words, words, strict=True)]
        self.seen(best.id)
        return best, False

    def seen(self, name: str) -> LogTemplate | None:
        """The template of an id, as the one seen last; None if it fell away."""
        template = self.by_id.pop(name, None)
        if template is not None:
            self.by_id[name] = template
        return template

    def _keep(self, template: LogTemplate) -> None:
        place = _place(template.words)
        alike = self._alike.setdefault(place, [])
        if len(alike) >= MOST_ALIKE:
            self._drop(min(alike, key=lambda name: (self.by_id[name].last, name)))
        elif len(self.by_id) >= MOST_TEMPLATES:
            self._drop(next(iter(self.by_id)))
        self.by_id[template.id] = template
        self._alike.setdefault(place, []).append(template.id)

    def _drop(self, name: str) -> None:
        place = _place(self.by_id.pop(name).words)
        self._alike[place].remove(name)
        if not self._alike[place]:
            del self._alike[place]


def words_of(text: str) -> list[str]:
    """The words of a line, with `*` for numbers and hashes in them; those beyond the bound as one."""
    words = text.split(None, MOST_WORDS)
    words = [*words[:MOST_WORDS], VARIABLE] if len(words) > MOST_WORDS else words
    words = [word[:LONGEST_WORD] for word in words]
    return [_CHANGING.sub(VARIABLE, word) if _NUMBER.search(word) else word for word in words]


def _place(words: Sequence[str]) -> tuple[int, str, str]:
    """What lines have in common that may share a template. It never changes: only later words become variable, and
    these two are compared only by what does not."""
    first, second = [*words[:2], "", ""][:2]
    return len(words), VARIABLE if VARIABLE in first else first, VARIABLE if VARIABLE in second else second


def _similarity(template: Sequence[str], words: Sequence[str]) -> float:
    """The share of equal words."""
    if not template:
        return 1.0
    return sum(a == b for a, b in zip(template, words, strict=True)) / len(template)


def _id(words: Sequence[str], taken: dict[str, LogTemplate]) -> str:
    """A short hash of the words; of another template that took it since, the next one."""
    name = "\0".join(words)
    while (found := blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()) in taken:
        name += "\0"
    return found
