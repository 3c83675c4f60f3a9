"""Templates: what they have in common, what is bounded, and that a line always has one."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.logs.templates import MOST_ALIKE, MOST_TEMPLATES, MOST_WORDS, Templates, words_of

LINES = st.lists(
    st.lists(st.sampled_from(["could", "not", "open", "a", "b", "17", "x9", "0xff", "*"]), min_size=1, max_size=8)
    .map(" ".join), max_size=60,
)  # fmt: skip


def test_what_changes_becomes_variable() -> None:
    templates = Templates()
    first, new = templates.match("could not open the file alpha of user 17 for reading")
    again, newer = templates.match("could not open the file beta of user 4 for reading")
    assert (new, newer, first is again) == (True, False, True)
    assert again.text == "could not open the file * of user * for reading"
    other, newest = templates.match("could not open the socket: permission denied by the policy")
    assert newest and other.id != first.id


def test_numbers_hashes_and_ids_are_variable_from_the_start() -> None:
    line = "job 8f14e45fceea167a took 1.5 s at 0xdeadbeef for 123e4567-e89b-12d3-a456-426614174000 in v2"
    assert words_of(line) == ["job", "*", "took", "*", "s", "at", "*", "for", "*", "in", "v*"]


@given(LINES)
def test_a_line_fits_the_template_that_takes_it_and_does_so_again(lines: list[str]) -> None:
    templates = Templates()
    for line in lines:
        template, _ = templates.match(line)
        words = words_of(line)
        assert len(template.words) == len(words)
        assert all(a in (b, "*") for a, b in zip(template.words, words, strict=True))
        again, new = templates.match(line)
        assert (again.id, new) == (template.id, False)
    assert len({t.id for t in templates.by_id.values()}) == len(templates.by_id)


@given(LINES)
def test_templates_that_were_kept_go_on_as_they_were(lines: list[str]) -> None:
    whole, begun = Templates(), Templates()
    half = len(lines) // 2
    for line in lines[:half]:
        whole.match(line), begun.match(line)
    again = Templates(list(begun.by_id.values()))
    for line in lines[half:]:
        assert whole.match(line)[0].id == again.match(line)[0].id


def test_memory_and_time_are_bounded_whatever_a_log_says() -> None:
    templates = Templates()
    for n in range(3 * MOST_TEMPLATES):
        word = "".join(chr(97 + n // 26**i % 26) for i in range(3))
        templates.match(f"{word} {word}q {word}z")
    assert len(templates.by_id) <= MOST_TEMPLATES
    alike = Templates()
    for n in range(5_000):
        word = "".join(chr(97 + n // 26**i % 26) for i in range(4))
        alike.match(f"one two {word} {word}a {word}b {word}c {word}d")
    assert len(alike.by_id) <= MOST_ALIKE
    assert len(words_of("w " * 100_000)) == MOST_WORDS + 1
    begun = time.process_time()
    for n in range(300):
        alike.match(f"one two {'x' * n} " + "y " * 2_000)
    assert time.process_time() - begun < 5
