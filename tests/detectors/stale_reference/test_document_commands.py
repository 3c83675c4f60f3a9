"""A command of a document that runs a moved file is followed; what only looks like one stays."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import ordered, replaced
from kairos.detectors.stale_reference.markdown_links import find_links
from kairos.detectors.stale_reference.moves import Moves

MOVED = {"run": "run.py", "scripts/old.py": "scripts/new.py", "setup.sh": "bin/setup.sh", "docs/gen.py": "tools/gen.py"}
MOVES = Moves(MOVED, frozenset(), frozenset({*MOVED.values(), "README.md", "docs/a.md"}))


def changed(text, path="README.md"):
    found = find_links(path, text, MOVES)
    return replaced(text, ordered(found.spans)), found.doubts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```sh\npython scripts/old.py --x\n```\n", "```sh\npython scripts/new.py --x\n```\n"),
        ("```bash\n./scripts/old.py a && ./run -f\n```\n", "```bash\n./scripts/new.py a && ./run.py -f\n```\n"),
        ("```\n./run -f make\n```\n", "```\n./run.py -f make\n```\n"),
        ("```console\n$ sh setup.sh\nscripts/old.py\n```\n", "```console\n$ sh bin/setup.sh\nscripts/old.py\n```\n"),
        ("x\n\n    $ ./run -f\n    ./run\n", "x\n\n    $ ./run.py -f\n    ./run\n"),
        ("x\n\n    ./run -f\n\n    ./run\n", "x\n\n    ./run.py -f\n\n    ./run.py\n"),
        ("- x\n\n  ```sh\n  A=1 python scripts/old.py\n  ```\n",
         "- x\n\n  ```sh\n  A=1 python scripts/new.py\n  ```\n"),
        ("Run `python scripts/old.py -v`.\n", "Run `python scripts/new.py -v`.\n"),
        ("Run `./run -v` or `uv run scripts/old.py`.\n", "Run `./run.py -v` or `uv run scripts/new.py`.\n"),
    ],
)  # fmt: skip
def test_a_path_in_a_command_follows(text, expected):
    assert changed(text) == (expected, [])


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nrun setup.sh\n```\n",  # no runner: a word
        "```sh\n# python scripts/old.py\n```\n",  # a comment
        "```sh\npython my/scripts/old.py\n```\n",  # another file
        "```sh\npython scripts/old.pyc $X/scripts/old.py ~/scripts/old.py /scripts/old.py\n```\n",
        "```sh\ncurl https://x.org/scripts/old.py\n```\n",
        "```sh\npython scripts/old.py/x (scripts/old.py)\n```\n",
        "```yaml\nrun: python scripts/old.py\n```\n",  # a file of another kind
        "```\nscripts/old.py  42 lines\n```\n",  # the output of something
        "```console\n$ ls\npython scripts/old.py\n```\n",  # what a command said
        "The run `took scripts/old.py` away.\n",
    ],
)
def test_what_is_no_command_stays(text):
    assert changed(text) == (text, [])


def test_after_a_change_of_directory_a_path_is_a_doubt():
    text = "```sh\ncd sub\n./run\npython scripts/old.py\n```\n"
    after, doubts = changed(text)
    assert after == text
    assert [line for line, why in doubts if "after a `cd`" in why] == [2, 3]


def test_a_path_that_the_document_may_mean_from_its_own_directory_stays():
    moves = Moves(
        {"gen.py": "g.py", "docs/gen.py": "docs/g.py"}, frozenset(), frozenset({"g.py", "docs/g.py", "docs/a.md"})
    )
    text = "```sh\n./gen.py\n```\n"
    assert find_links("docs/a.md", text, moves).spans == []
    assert replaced(text, find_links("README.md", text, moves).spans) == "```sh\n./g.py\n```\n"
