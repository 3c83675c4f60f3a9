"""A change that takes sorted imports out of their order is told."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import Span
from kairos.detectors.stale_reference.import_order import is_unsorted_by


def unsorted(path, text, old, new):
    return is_unsorted_by(path, text, [Span(text.index(old), text.index(old) + len(old), new)])


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        ("a.rs", "mod exit;\nmod filesystem;\nmod filetypes;\n", "filesystem", "fs_util"),
        ("a.rs", "mod a;\n#[cfg(unix)]\nmod b;\n", "a", "c"),
        ("a.rs", "use crate::a;\nuse crate::b;\n", "a;", "c;"),
        ("a.go", 'import (\n\t"m/a"\n\t"m/b"\n)\n', "m/a", "m/c"),
        ("A.java", "import a.A;\nimport a.B;\nimport a.C;\n", "a.B", "b.B"),
        ("a.py", "import A\nimport b\nimport C\n", "b", "d"),
    ],
)
def test_a_sorted_run_that_is_not_sorted_any_more_is_told(path, text, old, new):
    assert unsorted(path, text, old, new)


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        ("a.rs", "mod exit;\nmod filesystem;\nmod filetypes;\n", "filesystem", "fib"),
        ("a.rs", "mod filetypes;\nmod filesystem;\nmod exit;\n", "filesystem", "fs_util"),
        ("a.rs", "mod a;\n\nmod b;\n", "a", "c"),
        ("a.py", "import a\nimport b\n", "a", "c"),
        ("a.md", "import a\nimport b\nimport c\n", "b", "d"),
    ],
)
def test_what_stays_sorted_or_never_was_is_not_told(path, text, old, new):
    assert not unsorted(path, text, old, new)


def test_the_card_names_the_file(applied):
    files = {"src/main.rs": "mod a;\nmod b;\nmod c;\n", "src/b.rs": "fn f() {}\n", "src/a.rs": "", "src/c.rs": "",
             "Cargo.toml": '[package]\nname = "it"\n'}  # fmt: skip
    (found,) = applied(files, [("src/b.rs", "src/z.rs")])
    assert "the order of imports in src/main.rs" in found.unchecked
