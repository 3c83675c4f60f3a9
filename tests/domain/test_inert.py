"""Whatever a name holds, what is shown of it prints and encodes, and whoever knows the name finds it."""

from __future__ import annotations

import os
import shlex
import unicodedata
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kairos.domain.inert import BRIEF, LONGEST, as_text, code_span, escape, quoted, shorten, shown, spellings
from kairos.domain.secrets import redact
from kairos.eventlog.cold.mentions import betraying, naming, needles

_PIECES = [
    b"a", b"pay.py", b"x" * 90, b"/", b" ", b"\n", b"\r\t", b"\xff\xe9", b"\x1b[31m", b"'", b'"', b"`", b"\\", b"\\n",
    b"*_[](){}<>|#!$&;~^%@=+,:?", b"...", b"-", b"\x01",
    "é日本\u202e\u200b\u3164\ufe0f\u00ad\U000e0101❤\ufe0f".encode(),
]  # fmt: skip


def _path(parts: list[bytes]) -> str:
    names = b"".join(parts).replace(b"\0", b"").split(b"/")
    return os.fsdecode(b"/".join(name for name in names if name not in (b"", b".", b"..")))


NAMES = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=3), min_size=1, max_size=14).map(_path).filter(bool)
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": as_text,
    "escaped": escape,
    "in a sentence": shown,
    "in a line of two": lambda name: shown(name, BRIEF),
    "as code": code_span,
    "as code in a line of two": lambda name: code_span(name, BRIEF),
    "in a patch": quoted,
    "in a command": lambda name: as_text(shlex.quote(name)),
    "escaped twice": lambda name: escape(as_text(name)),
    "on the terminal after all": lambda name: escape(shown(as_text(name))),
    "in a patch on the terminal": lambda name: escape(quoted(name)),
}


@settings(max_examples=400, deadline=None)
@given(NAMES, st.sampled_from(sorted(WAYS)), st.sampled_from(["{}", "see {}:12.", "“{}”, and", "Ignore ({})\nnow"]))
@example("x" * 300, "in a sentence", "{}")
@example("a`" * 60 + "\n", "as code in a line of two", "see {}:12.")
@example('"', "in a patch", "{}")
@example("it's", "in a command", "{}")
def test_whatever_is_shown_of_a_name_is_found_by_it(name: str, way: str, sentence: str) -> None:
    text = sentence.format(WAYS[way](name))
    assert naming([name]).search(text)
    told = betraying(needles([name]))
    assert told.search(text.encode())
    assert told.search(msgspec.json.encode({"text": text}))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rest", ["", "x" * 200, "\n`"])
def test_a_name_that_carries_a_secret_is_found_where_it_was_cut(way: str, rest: str) -> None:
    name = f"src/ghp_{'a1B2' * 9}.txt{rest}"
    text = redact(f"see {WAYS[way](name)}, now")
    assert "a1B2a1B2a1B2" not in text
    assert naming([name]).search(text)


@settings(max_examples=200, deadline=None)
@given(NAMES, NAMES)
def test_another_name_is_not_found_by_it(name: str, other: str) -> None:
    if spellings(name).isdisjoint(spellings(other)) and "/" not in name + other and name not in other:
        assert not naming([name]).search(f"x{shown(other)}x")


@pytest.mark.parametrize(
    "text",
    [
        "a\\x1b\\\\b\\n",  # backslashes were doubled where something was written out
        "a\x1b\\b\n".replace("\x1b", "\\x1b").replace("\n", "\\n"),
    ],
)
def test_a_name_is_found_as_an_earlier_version_wrote_it(text: str) -> None:
    assert naming(["a\x1b\\b\n"]).search(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n" * 80 + "…" * 20 + "m" * 80, "n" * 80 + "…" + "m" * 80),
        ("caf\udce9", "caf\\udce9"),
        ("a\u3164\n", "a\u3164\\n"),
        ("a\u202e", "a\\x202e"),
        ("n" * 59 + "xx" + "m" * 60, "n" * 59 + "…" + "m" * 60),
    ],
)
def test_a_name_is_found_in_every_former_way(name: str, text: str) -> None:
    assert text in spellings(name)


@given(NAMES)
def test_what_is_shown_is_one_line_that_prints_and_encodes(name: str) -> None:
    for text in (shown(name), code_span(name), escape(name)):
        assert text.isprintable()
        text.encode("utf-8")
    assert len(shown(name)) <= LONGEST and len(code_span(name, BRIEF)) <= BRIEF + 2


def test_control_bidi_and_undecodable_characters_are_written_out() -> None:
    assert shown("a\x1b[31m\n\u202e\u200b\u3164\udce9\\") == "a\\x1b[31m\\n\\u202e\\u200b\\u3164\\xe9\\"
    assert escape("a\tb\n\x1b", lines=True) == "a\tb\n\\x1b"
    assert shown("plain name é日本.py") == "plain name é日本.py"


def test_a_variation_selector_is_kept_behind_a_symbol_only() -> None:
    assert escape("❤\ufe0f") == "❤\ufe0f"
    assert escape("a\ufe0f.py") == "a\\ufe0f.py"


def test_a_long_name_keeps_its_head_and_its_tail() -> None:
    assert shown("a" * 200 + "/pay.py") == "a" * 79 + "…" + "a" * 73 + "/pay.py"
    assert shorten("x" * LONGEST) == "x" * LONGEST


@given(st.text())
def test_no_text_escapes_its_code_span(text: str) -> None:
    span = code_span(text)
    assert span.startswith("`") and span.endswith("`") and span.count("`") == 2
    assert span.isprintable() and len(span) <= LONGEST + 2
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in span)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P"])))
def test_ordinary_names_stand_as_they_are(text: str) -> None:
    assert escape(text) == text
