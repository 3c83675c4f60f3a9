"""Which files are read at all: those that may name what moved, in any spelling."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.candidates import candidates, could_import, is_known_kind, naming
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves, moves_of

MOVES = Moves({"pkg/old.py": "pkg/new.py"}, frozenset(), frozenset({"pkg/new.py", "pkg/__init__.py", "use.py"}))


@pytest.mark.parametrize(
    "written",
    ["a b(1).md", "a%20b%281%29.md", "a b\\(1\\).md", "'a b(1)\\.md'", "a b(1)"],
)
def test_a_name_is_found_in_every_spelling(repo, see, written):
    repo.write("docs/a b(1).md", "text\n" * 9)
    repo.write("page.md", f"[x](docs/{written})\n")
    repo.write("other.md", "[x](docs/b.md)\n")
    repo.commit()
    repo.git("mv", "docs/a b(1).md", "docs/c.md")
    repo.git("commit", "-qm", "mv")
    scene = see("commit")
    moves = moves_of(scene)[0]
    found = candidates(scene, moves, naming(scene, moves))
    assert "page.md" in found and "other.md" not in found


def test_kinds_are_known_by_name_suffix_and_directory():
    known = ["a.py", "a.pyi", "a.md", "a.rst", "a.yml", "Dockerfile", "Dockerfile.dev", "requirements/dev.txt",
             "bin/run", "x.service", ".env.local", ".prettierignore", ".husky/pre-commit"]  # fmt: skip
    assert [p for p in known if not is_known_kind(p)] == []
    assert [p for p in ("a.rb", "a.php", "LICENSE", "src/run", "a.png") if is_known_kind(p)] == []


@pytest.mark.parametrize(
    ("text", "could"),
    [
        ("from pkg.old import f\n", True),
        ("from pkg import (\n    a,\n    old,\n)\n", True),
        ("import os, pkg.old as o\n", True),
        ("import pkg\npkg.old.f()\n", True),
        ("patch('pkg.old.f')\n", True),
        ("pytest_plugins = ['pkg.old']\n", True),
        ("from other import old\nold = 1\n", False),
        ("# pkg.old\nimport os\n", False),
        ("x = 'too old'\n", False),
    ],
)
def test_a_file_is_parsed_only_if_it_may_name_the_module(text, could):
    assert could_import("use.py", text, Modules(MOVES)) is could


def test_a_moved_file_is_always_parsed():
    assert could_import("pkg/new.py", "", Modules(MOVES))


def test_a_short_word_of_an_unusual_name_does_not_open_the_whole_tree(repo, see):
    repo.write("pages/[id].tsx", "text\n" * 9)
    repo.write("uses.ts", "import Page from './pages/[id]'\n")
    repo.write("other.md", "the id of a thing\n")
    repo.commit()
    repo.git("mv", "pages/[id].tsx", "pages/[user].tsx")
    repo.git("commit", "-qm", "mv")
    scene = see("commit")
    moves = moves_of(scene)[0]
    found = candidates(scene, moves, naming(scene, moves))
    assert "uses.ts" in found and "other.md" not in found


@pytest.mark.parametrize("written", ["'./index'", "'.'", '"./"'])
def test_an_index_file_is_named_without_its_directory_beside_and_below_it(repo, see, written):
    repo.write("lib/kit/index.ts", "export const x = 1\n" * 9)
    repo.write("lib/kit/use.ts", f"import {{ x }} from {written}\n")
    repo.write("lib/kit/deep/use.ts", f"import {{ x }} from '.{written[1:]}\n")
    repo.write("lib/kit/none.ts", "// the index of a thing\n")
    repo.write("lib/other.ts", f"import {{ x }} from {written}\n")
    repo.commit()
    repo.git("mv", "lib/kit/index.ts", "lib/kit/tools.ts")
    repo.git("commit", "-qm", "mv")
    scene = see("commit")
    moves = moves_of(scene)[0]
    found = candidates(scene, moves, naming(scene, moves))
    assert [p for p in found if p.startswith("lib")] == ["lib/kit/deep/use.ts", "lib/kit/tools.ts", "lib/kit/use.ts"]
