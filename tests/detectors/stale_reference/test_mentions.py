"""A card names the places that still name the old path and that no search looked at; nothing if there are none."""

from __future__ import annotations

import pytest

FILES = {"src/pay.py": "def f(): ...\n", "use.py": "from src.pay import f\n"}
MOVES = [("src/pay.py", "src/bill.py")]


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("app.rb", "import x from './x'\nread('src/pay.py')\n", "app.rb:2 names src/pay.py: code of this kind"),
        ("README.md", "# x\n\nThe file src/pay.py is good.\n", "README.md:3 names src/pay.py: prose"),
        ("README.md", "```\npython src/pay.py\n```\n", "README.md:2 names src/pay.py: prose or code blocks"),
        ("main.m", '#include "src/pay.py"\n', "main.m:1"),
        ("doc.rst", "It imports src.pay, which\n", None),
        ("pkg.adoc", "see src/pay.py.\n", "pkg.adoc:1"),
    ],
)
def test_a_place_that_was_not_looked_at_is_named(moved, path, content, said):
    (found,) = moved({**FILES, path: content}, MOVES)
    assert any(said is None or words.startswith(said) for words in found.unchecked) or said is None, found.unchecked


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app.rb", "x = 'mysrc/pay.py' + 'src/pay.pyc'\n"),
        ("CHANGELOG.md", "- src/pay.py\n"),
        ("yarn.lock", "src/pay.py\n"),
    ],
)
def test_other_files_history_and_locks_are_not_named(moved, path, content):
    (found,) = moved({**FILES, path: content}, MOVES)
    assert found.unchecked == []


def test_a_dotted_name_in_prose_is_named_and_many_are_counted(moved):
    files = {f"n{i}.js": "// pkg.pay\n" for i in range(9)}
    (found,) = moved({"pkg/__init__.py": "", "pkg/pay.py": "x = 1\n" * 9, "use.py": "import pkg.pay\n", **files},
                     [("pkg/pay.py", "pkg/bill.py")])  # fmt: skip
    assert found.unchecked[0] == "n0.js:1 names pkg.pay: code of this kind were not checked"
    assert found.unchecked[-1] == "4 more lines name an old path and were not checked"
