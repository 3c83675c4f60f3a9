"""Every boundary that an event may name has words."""

from __future__ import annotations

from kairos.daemon.again import AGAIN
from kairos.desk.boundaries import WORDS, in_words
from kairos.detectors.boundaries import EVERY
from kairos.domain.attention import SPEAKING


def test_every_boundary_is_said_in_words_of_its_own() -> None:
    for name in (*EVERY, *SPEAKING, AGAIN):
        assert in_words(name) == WORDS[name] != name
    assert len(set(WORDS.values())) == len(WORDS)
    assert (in_words("other"), in_words("")) == ("other", "boundary unknown")
