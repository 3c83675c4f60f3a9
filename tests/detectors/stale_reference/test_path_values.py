"""Paths in configuration follow a moved file as whole values; parts of patterns and other roots stay."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.path_values import find_values, is_configuration

MOVES = Moves(
    {
        "src/pay.py": "src/billing.py",
        "lib/a.sh": "tools/a.sh",
        "odd name.txt": "new name.txt",
        "ci/job.yml": "ci/task.yml",
    },
    frozenset({"src/gone.py"}),
    frozenset({"src/billing.py", "tools/a.sh", "new name.txt", "src/__init__.py", "Makefile"}),
)


def found(path, text):
    return find_values(path, text, MOVES, Modules(MOVES))


def rewritten(path, text):
    for start, end, new in sorted(found(path, text).spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("Makefile", "\tpython src/pay.py --all", "\tpython src/billing.py --all"),
        ("a.yml", "- ./src/pay.py.", "- ./src/billing.py."),
        ("a.toml", 'files = ["src/pay.py"]', 'files = ["src/billing.py"]'),
        ("CODEOWNERS", "/src/pay.py @ada", "/src/billing.py @ada"), ("src/conf.ini", "x = pay.py", "x = billing.py"),
        ("a.sh", "sh lib/a.sh", "sh tools/a.sh"), ("a.yml", "path: lib/**", "path: tools/**"),
        ("a.yml", "path: 'odd name.txt'", "path: 'new name.txt'"),
        ("setup.cfg", "run = src.pay:main", "run = src.billing:main"),
        ("Makefile", "\tpython -m src.pay", "\tpython -m src.billing"),
        ("a.ini", "module = src.pay", "module = src.billing"),
    ],
)  # fmt: skip
def test_a_whole_value_follows_its_file(path, before, after):
    assert rewritten(path, before) == after


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.yml", "src/pay.py.bak"), ("a.yml", "${dir}src/pay.py"), ("a.yml", "src/pay.py*"), ("a.yml", "/src/pay.py"),
        ("a.yml", "https://host/src/pay.py"), ("a.yml", "xsrc/pay.py"), ("a.yml", "pay"), ("a.yml", "odd name.txt"),
        ("a.yml", "src.pay"), ("a.yml", "name: src/paypy"),
    ],
)  # fmt: skip
def test_what_is_no_whole_value_of_it_stays(path, text):
    assert found(path, text).spans == []


def test_a_value_that_ends_like_it_under_another_root_is_a_doubt():
    answer = found("Dockerfile", "FROM x\nCOPY /app/src/pay.py .\n")
    assert (answer.spans, [line for line, _ in answer.doubts]) == ([], [1])


def test_a_value_that_names_a_deleted_file_is_dead():
    answer = found("a.yml", "a:\n  - src/gone.py\n")
    assert (answer.spans, answer.dead) == ([], {1})


@pytest.mark.parametrize("path", ["a.yml", "x/Makefile", "Dockerfile.dev", ".prettierignore", "A.JSON", "a/BUILD"])
def test_configuration_is_known_by_its_name(path):
    assert is_configuration(path)


@pytest.mark.parametrize("path", ["a.py", "README.md", "Makefile.md/x", "ignore", "a.yml.bak"])
def test_other_files_are_none(path):
    assert not is_configuration(path)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("docs/index.rst", ".. toctree::\n\n   old\n   new\n"),
        ("MANIFEST.in", "include docs/new.rst\ninclude docs/old.rst\n"),
        ("list.txt", "docs/old.rst\ndocs/new.rst\n"),
        ("docs/a.md", "- [x](old.rst)\n- [y](other.rst)\n- [x](new.rst)\n"),
    ],
)
def test_a_line_that_would_be_there_twice_is_left_alone_and_named(moved, path, content):
    files = {"docs/old.rst": "Old\n===\n" * 9, "sure.md": "[x](docs/old.rst)\n", path: content}
    (found,) = moved(files, [("docs/old.rst", "docs/new.rst")])
    assert [e.fs for e in found.action.edits] == ["sure.md"]
    assert any(words.startswith(path) and "already there" in words for words in found.unchecked)


@pytest.mark.parametrize("word", ['{"scripts": {"build": "make build"}}', 'steps: ["build", "test"]', "name: 'build'"])
def test_a_word_in_quotes_that_a_file_of_the_root_is_called_by_stays(applied, text, word):
    files = {"build": "#!/bin/sh\necho build\n", "ci.yml": "run: ./build\n", "package.json": word + "\n"}
    applied(files, [("build", "scripts/build")])
    assert text("package.json") == word + "\n"
    assert text("ci.yml") == "run: ./scripts/build\n"


def test_a_quoted_name_that_is_a_file_by_its_key_follows(applied, text):
    license = 'license = {file = "LICENSE"}\n'
    applied({"LICENSE": "MIT\n", "pyproject.toml": license}, [("LICENSE", "LICENSE.txt")])
    assert text("pyproject.toml") == license.replace("LICENSE", "LICENSE.txt")


@pytest.mark.parametrize("path", ["uv.gyp", "common.gypi", "Makefile.am"])
def test_lists_of_sources_of_other_builds_follow(applied, text, path):
    applied(
        {"src/pay.c": "int pay(void) { return 1; }\n", path: "'sources': [\n  'src/pay.c',\n]\n"},
        [("src/pay.c", "src/bill.c")],
    )
    assert text(path) == "'sources': [\n  'src/bill.c',\n]\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("requirements/dev.txt", "-rbase.txt"),
        ("requirements/dev.txt", "-cbase.txt"),
        ("requirements/dev.in", "--constraint=base.txt"),
        ("requirements/ci/all.txt", "-r ../base.txt"),
        ("dev-requirements.txt", "-r ./requirements/base.txt"),
    ],
)
def test_a_requirement_file_follows_wherever_it_is_included(applied, text, path, line):
    files = {"requirements/base.txt": "flask\nclick\nattrs\n", path: line + "\n"}
    applied(files, [("requirements/base.txt", "requirements/common.txt")])
    assert text(path) == line.replace("base.txt", "common.txt") + "\n"


@pytest.mark.parametrize(
    "line",
    [
        "[x](docs/call\\_us%20(2).md)", "[x](docs/call_us&#32;(2).md)", "[x](<docs/call\\_us \\(2\\).md>)",
        "[x](docs/call_us%20%282%29.md)",
    ],
)  # fmt: skip
def test_an_unusual_name_is_known_in_every_mixture_of_its_spellings(applied, text, line):
    files = {"docs/call_us (2).md": "# Guide\n" + "a line\n" * 9, "README.md": line + "\n"}
    applied(files, [("docs/call_us (2).md", "docs/phone.md")])
    assert text("README.md") in ("[x](docs/phone.md)\n", "[x](<docs/phone.md>)\n")
