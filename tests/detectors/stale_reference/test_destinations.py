"""A written path is followed from where its file stood to where it stands, and spelled as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.stale_reference.destinations import (
    STAYS,
    PathReading,
    document_readings,
    encoded,
    follow,
    is_dotted,
    unquoted,
)
from kairos.detectors.stale_reference.moves import Moves

MOVES = Moves(
    {"docs/old.md": "docs/new.md", "lib/x.py": "src/x.py", "a/one": "b/one", "a/two": "c/two",
     "in/Makefile": "out/Makefile", "in/main.c": "out/main.c", "p/.hidden.sh": "p/.other.sh"},
    frozenset({"docs/gone.md"}),
    frozenset({"docs/new.md", "src/x.py", "b/one", "c/two", "out/Makefile", "out/main.c", "README.md", "p/.other.sh"}),
)  # fmt: skip


def new(name, path="README.md", suffixes=("",)):
    return follow(name, document_readings(name, path, MOVES), MOVES, suffixes).new


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("docs/old.md", "README.md", "docs/new.md"),
        ("./docs/old.md", "README.md", "./docs/new.md"),
        ("/docs/old.md", "deep/a.md", "/docs/new.md"),
        ("../docs/old.md", "deep/a.md", "../docs/new.md"),
        ("../deep/../docs/old.md", "deep/a.md", "../deep/../docs/new.md"),
        ("docs/old.md", "deep/a.md", "docs/new.md"),
        ("lib/", "README.md", "src/"),
        ("./.hidden.sh", "p/a.md", "./.other.sh"),
        ("docs/gone.md", "README.md", ""),
    ],
)
def test_a_path_follows_its_file_in_its_own_style(name, path, expected):
    assert new(name, path) == expected


@pytest.mark.parametrize(
    ("name", "path"),
    [("/", "docs/a.md"), ("./", "lib/a.md"), (".", "a/b.md"), ("..", "a/b.md"), ("main.c", "out/Makefile"),
     ("old.md", "README.md"), ("", "README.md"), ("../../../x", "README.md")],
)  # fmt: skip
def test_a_path_that_names_nothing_moved_or_moved_together_stays(name, path):
    assert follow(name, document_readings(name, path, MOVES), MOVES) == STAYS


def test_a_divided_directory_is_not_certain():
    followed = follow("a/", [PathReading("", "", "above")], MOVES)
    assert followed.new is None and followed.why == "its directory was divided"


def test_a_suffix_that_was_left_out_stays_out():
    assert new("docs/old", suffixes=("", ".md")) == "docs/new"
    assert new("docs/old", suffixes=(".md", ".rst")) == "docs/new"
    moves = Moves({"a.rst": "a.md", "b.rst": "c.md"}, frozenset(), frozenset({"a.md", "c.md"}))
    assert follow("a", [PathReading("", "", "relative")], moves, (".rst", ".md")) == STAYS
    assert follow("b", [PathReading("", "", "relative")], moves, (".rst", ".md")).new == "c"


@pytest.mark.parametrize(
    ("path", "raw", "kind", "quote", "expected"),
    [
        ("a b.md", "x%20y.md", "bare", "", "a%20b.md"),
        ("a b.md", "x.md", "bare", "", "a%20b.md"),
        ("a b.md", "x y.md", "angle", "", "a b.md"),
        ("c(3).md", "c\\(2\\).md", "bare", "", "c%283%29.md"),
        ("c(3).md", "c(2).md", "bare", "", "c(3).md"),
        ("c)3(.md", "c(2).md", "bare", "", "c%293%28.md"),
        ("a_b.md", "x\\_y.md", "bare", "", "a\\_b.md"),
        ("a&b.md", "x&amp;y.md", "bare", "", "a&amp;b.md"),
        ("a&lt;.md", "x.md", "bare", "", "a%26lt;.md"),
        ("größe.md", "x.md", "bare", "", "größe.md"),
        ("größe.md", "gr%C3%B6.md", "bare", "", "gr%C3%B6%C3%9Fe.md"),
        ("a#b?.md", "x.md", "bare", "", "a%23b%3F.md"),
        ("a:b.md", "x.md", "bare", "", "a%3Ab.md"),
        ("a'b.md", "x.md", "attribute", "'", "a%27b.md"),
        ("a'b.md", "x.md", "attribute", '"', "a'b.md"),
        ("a b.md", "x y.md", "attribute", '"', "a b.md"),
        ("a=b.md", "x.md", "attribute", "", "a%3Db.md"),
        ("a<b>.md", "x.md", "angle", "", "a%3Cb%3E.md"),
    ],
)
def test_a_destination_is_written_as_it_was(path, raw, kind, quote, expected):
    assert encoded(path, raw, kind, quote) == expected


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1),
    st.sampled_from(["bare", "angle"]),
)
def test_what_is_encoded_means_the_same_again(path, kind):
    written = encoded(path, "x.md", kind)
    assert unquoted(written) == path
    assert not set(written) & set("<>#?\\\n")


def test_a_hidden_file_does_not_start_at_the_current_directory():
    assert [is_dotted(p) for p in ("./a", "../a", ".", "..", ".a", "...", "a/./b")] == [True] * 4 + [False] * 3


def test_a_link_to_a_directory_that_was_divided_stays_if_its_part_moved_with_the_reader(applied, text):
    page = "[old](old/) and [one](old/one.md)\n"
    applied(
        {"docs/page.md": page, "docs/old/one.md": "# One\n\nText.\n", "docs/old/two.md": "# Two\n\nOther.\n"},
        [("docs/page.md", "book/page.md"), ("docs/old/one.md", "book/old/one.md")],
    )
    assert text("book/page.md") == page


def test_a_link_to_a_directory_that_stayed_follows_its_reader(applied, text):
    applied(
        {"docs/page.md": "[old](old/)\n", "docs/old/two.md": "# Two\n\nOther.\n"},
        [("docs/page.md", "book/page.md")],
    )
    assert text("book/page.md") == "[old](../docs/old/)\n"
