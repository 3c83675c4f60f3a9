"""A line that is too long is not searched, and the card says so; a hostile file of the largest size is no danger."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import Span
from kairos.detectors.stale_reference import directives, markdown_links, path_values
from kairos.detectors.stale_reference.candidates import could_import
from kairos.detectors.stale_reference.import_roots import stated_roots
from kairos.detectors.stale_reference.long_lines import LONGEST, ShortLines
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.references import Found

MOVES = Moves({"src/pay.py": "src/bill.py"}, frozenset(), frozenset({"src/bill.py", "docs/a.rst"}))
LARGE = 1 << 20
LONG = "a/" * LONGEST


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("ci.yml", "run: python {}\n"),
        ("README.md", "See [pay]({}).\n"),
        ("docs/x.rst", ".. include:: ../{}\n"),
        ("run.sh", "cat {}\n"),
    ],
)
def test_what_stands_around_a_long_line_is_changed_and_the_line_is_named_on_the_card(moved, text, apply, path, line):
    before = line.format("src/pay.py")
    found = moved(
        {"src/pay.py": "def f(): ...\n", path: f"{before}\n{LONG} src/pay.py\n\n{before}"},
        [("src/pay.py", "src/bill.py")],
    )
    assert f"{path}:3 was left alone: the line has more than {LONGEST} characters and was not searched" in (
        found[0].unchecked
    )
    apply(found[0])
    after = line.format("src/bill.py")
    assert text(path) == f"{after}\n{LONG} src/pay.py\n\n{after}"


def test_a_long_line_without_a_name_of_what_moved_is_not_worth_a_word():
    short = ShortLines(f"a\n{LONG}\nb\n")
    assert short.text == "a\n\nb\n"
    found = short.in_whole(Found(spans=[Span(3, 4, "c")], lines={2}, count=1), MOVES)
    assert (found.doubts, found.spans) == ([], [Span(LONGEST * 2 + 3, LONGEST * 2 + 4, "c")])


def test_places_behind_several_long_lines_are_those_of_the_whole_text():
    whole = f"{LONG}\nx\n{LONG}\n{LONG}\ny"
    short = ShortLines(whole)
    spans = [Span(at, at + 1, "z") for at in (short.text.index("x"), short.text.index("y"))]
    found = short.in_whole(Found(spans=spans), MOVES)
    assert [whole[s.start : s.end] for s in found.spans] == ["x", "y"]


def test_a_text_of_short_lines_is_searched_as_it_is():
    text = "short\n" * LONGEST
    assert ShortLines(text).text is text


HOSTILE = [
    "a/", "a.", "a+", ",", "a{,", "$a/", "$((", "``a ", ":a", "`a <", "[a](b ", "\\.a/", "'a.b.c.d", "-m a.b ",
    "{{< ref ref", ".. a:: x" + " " * 3_000 + "y\n", "<img srcset='a, b,", "src/pay.py,",
]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("wrapped", [False, True], ids=["one line", "long lines"])
def test_a_hostile_file_of_the_largest_size_is_searched_to_its_end(part, wrapped):
    size = LARGE // 8 if wrapped else LARGE
    text = (part * (size // len(part) + 1))[:size]
    if wrapped:
        width = LONGEST - 10
        text = "\n".join(text[at : at + width] for at in range(0, size, width))
    text = f"\\\n{text}\n`src/pay.py` [x](src/pay.py)\n\n.. include:: src/pay.py\n"
    modules, short = Modules(MOVES), ShortLines(text).text
    assert path_values.find_values("x.yml", short, MOVES, modules).spans
    markdown_links.find_links("x.md", short, MOVES, modules)
    directives.find_directives("x.rst", short, MOVES, modules)
    path_values.find_values("requirements.txt", short, MOVES, modules)
    path_values.find_values(".gitignore", short, MOVES, modules)


@pytest.mark.parametrize(
    "part", ["from pay import (", "from a import b, ", "import_module ( ", "'a.b.c", "a.b.", "import a, ", "'pay "]
)
def test_the_cheap_check_of_a_hostile_python_file_comes_to_its_end(part):
    assert could_import("x.py", part * (LARGE // len(part)) + "\nfrom src.pay import f\n", Modules(MOVES))


@pytest.mark.parametrize("name", ["tox.ini", "pyproject.toml", ".env", "setup.cfg"])
@pytest.mark.parametrize("part", ["a" + " " * 1_000 + "b", "a.", "[a.b.", "PYTHONPATH=a:", "a = b "])
def test_hostile_configuration_states_no_import_roots(name, part):
    text = part * (LARGE // len(part))
    assert not any(root.root == "src" for root in stated_roots({name: text}))
