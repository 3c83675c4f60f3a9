"""A card names the places that still name the old path and that no search looked at; nothing if there are none."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.detector import StaleReference

FILES = {"src/pay.py": "def f(): ...\n", "use.py": "from src.pay import f\n"}
MOVES = [("src/pay.py", "src/bill.py")]


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        (
            "app.rb",
            "import x from './x'\nread('src/pay.py')\n",
            "app.rb:2 names src/pay.py: a comment, a string or a language",
        ),
        ("README.md", "# x\n\nThe file src/pay.py is good.\n", "README.md:3 names src/pay.py: prose"),
        (
            "README.md",
            "```\nread src/pay.py\n```\n",
            "README.md:2 names src/pay.py: prose or a code block, which was not",
        ),
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
    files = {f"n{i:03}.js": "// pkg.pay\n" for i in range(203)}
    (found,) = moved({"pkg/__init__.py": "", "pkg/pay.py": "x = 1\n" * 9, "use.py": "import pkg.pay\n", **files},
                     [("pkg/pay.py", "pkg/bill.py")])  # fmt: skip
    kind = "a comment, a string or a language that is not read, which was not checked"
    assert found.unchecked[0] == f"n000.js:1 names pkg.pay: {kind}"
    assert found.unchecked[199].startswith("n199.js:1")
    assert found.unchecked[200:] == ["3 more lines name an old path and were not checked"]


def test_prose_beside_a_link_that_was_mended_is_named(moved):
    page = "[x](src/pay.py) and `src/pay.py` are what src/pay.py is\n[x](src/pay.py) and `src/pay.py`\n"
    (found,) = moved({**FILES, "README.md": page}, MOVES)
    assert found.unchecked == ["README.md:1 names src/pay.py: prose or a code block, which was not checked"]
    assert found.title == "Update 5 references to renamed src/pay.py"


SPHINX = {"docs/conf.py": "", "docs/index.rst": ".. toctree::\n\n   start\n   tips/flash\n",
          "docs/start.rst": "Start\n=====\n" * 3, "docs/tips/flash.rst": "Flash\n-----\n" * 5}  # fmt: skip
DOCUMENTS = [("docs/start.rst", "docs/begin.rst"), ("docs/tips/flash.rst", "docs/hints/flash.rst")]


@pytest.mark.parametrize(
    ("path", "content", "line"),
    [
        ("docs/_templates/side.html", "<p>start\n<a href=\"{{ pathto('start') }}\">x</a>\n", 2),
        ("docs/_templates/side.html", '<a href="{{ pathto("tips/flash") }}">x</a>\n', 1),
        ("src/a.py", 'def f():\n    """See :doc:`/tips/flash`."""\n', 2),
        ("src/a.py", 'def f():\n    """See :doc:`the start </start>`."""\n', 2),
        ("src/a.py", 'x = "start"\n# start, tips/flash\n', None),
        ("docs/other.rst", "Start with the start\n", None),
    ],
)
def test_a_document_is_named_as_sphinx_knows_it(moved, path, content, line):
    (found,) = moved({**SPHINX, path: content}, DOCUMENTS)
    assert [text.split(" names")[0] for text in found.unchecked] == ([] if line is None else [f"{path}:{line}"])


PACKAGE = {"flaskr/__init__.py": "x = 1\n" * 9, "use.py": "import flaskr\n\nflaskr.x\n"}
RENAMED = [("flaskr/__init__.py", "blogr/__init__.py")]


@pytest.mark.parametrize(
    ("path", "content", "lines"),
    [
        ("pyproject.toml", '[tool.coverage.run]\nsource = ["flaskr", "tests"]\n', [2]),
        ("README.rst", "::\n\n    $ flask --app flaskr run\n    $ x 'flaskr:create_app'\n", [3, 4]),
        ("README.rst", "The ``flaskr`` package, flaskr.sqlite, flaskr-1.0.whl and flaskr\n", [1]),
        ("README.rst", "Welcome to flaskr, see myflaskr/x\n", []),
    ],
)
def test_the_name_of_a_package_is_named_where_it_is_one(moved, path, content, lines):
    (found,) = moved({**PACKAGE, path: content}, RENAMED)
    assert [text.split(" names")[0] for text in found.unchecked] == [f"{path}:{line}" for line in lines]


def test_a_name_that_another_directory_has_tells_nothing(moved):
    files = {**PACKAGE, "other/flaskr/x.txt": "x\n", "pyproject.toml": 'source = ["flaskr"]\n'}
    (found,) = moved(files, RENAMED)
    assert found.unchecked == []


def test_a_note_of_a_deletion_says_what_else_names_it(repo, see):
    for path, content in {**FILES, "README.md": "[x](src/pay.py)\n\nThe file src/pay.py is good.\n"}.items():
        repo.write(path, content)
    repo.commit("files")
    repo.git("rm", "-q", "src/pay.py")
    repo.git("commit", "-q", "-m", "delete")
    (found,) = StaleReference().look(see("commit"))
    assert "README.md:3 names src/pay.py: prose or a code block, which was not checked" in found.unchecked
