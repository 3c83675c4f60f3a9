"""A rename that git only guesses is no rename: names of modules, similarity, arbitrary pairs, templates."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.stale_reference.moves import moves_of
from kairos.domain.action import NoteAction


def handler(name, base="base"):
    return (
        f'"""Handler for {name}."""\nfrom handlers import {base}\n\n\nclass {name.title()}({base}.Handler):\n'
        "    def open(self):\n        return self.session.open()\n\n"
        "    def close(self):\n        return self.session.close()\n"
    )


def commit(repo, before, after):
    """Commits the files before, then their replacement by those after."""
    for path, content in before.items():
        repo.write(path, content)
    repo.commit("before")
    for path in before:
        if path not in after:
            (repo.root / path).unlink()
    for path, content in after.items():
        repo.write(path, content)
    repo.commit("after")


def test_a_module_that_defines_other_names_is_not_the_renamed_one(repo, see):
    use = {"use.py": "from handlers.cat import Cat\n"}
    commit(repo, {"handlers/__init__.py": "#\n", "handlers/cat.py": handler("cat"), **use},
           {"handlers/__init__.py": "#\n", "handlers/dog.py": handler("dog"), **use})  # fmt: skip
    moves, _ = moves_of(see("commit"))
    assert (moves.moved, set(moves.gone)) == ({}, {"handlers/cat.py"})
    (found,) = StaleReference().look(see("commit"))
    assert isinstance(found.action, NoteAction)
    assert "git takes handlers/dog.py for the renamed handlers/cat.py" in found.action.text


FUNCTIONS = "".join(f"def f{i}(x):\n    return x + {i}\n\n\n" for i in range(8))


def test_a_module_that_keeps_most_of_its_names_is_the_same(repo, see):
    commit(repo, {"a.py": FUNCTIONS}, {"b.py": FUNCTIONS.replace("f0", "g0") + "NEW = 1\n"})
    assert moves_of(see("commit"))[0].moved == {"a.py": "b.py"}
    assert moves_of(see("commit"))[0].altered == {"a.py"}


def test_a_name_that_the_new_module_does_not_define_is_left_alone_and_told(repo, see, apply):
    use = {"use.py": "from a import f0\nfrom a import f1\n", "more.py": "import a\nprint(a.f1)\npatch('a.f0')\n"}
    commit(repo, {"a.py": FUNCTIONS, **use}, {"b.py": FUNCTIONS.replace("f0", "g0"), **use})
    (found,) = StaleReference().look(see("commit"))
    apply(found)
    assert (repo.root / "use.py").read_text() == "from a import f0\nfrom b import f1\n"
    assert any(w.startswith("use.py:1") and "does not define `f0`" in w for w in found.unchecked)


CHANGED = "".join(f"line {i} of it\n" if i < 14 else f"{i} other words\n" for i in range(20))
TEXT = "".join(f"line {i} of it\n" for i in range(20))


@pytest.mark.parametrize(
    ("old", "new", "content", "believed"),
    [
        ("docs/a.md", "docs/b.md", TEXT, True),
        ("docs/a.md", "docs/b.md", TEXT.replace("line 1 ", "Line 1 "), True),
        ("docs/a.md", "docs/b.md", CHANGED, False),
        ("docs/a.md", "guide/a.md", CHANGED, True),
        ("conf/a.yml", "conf/b.yml", TEXT[: len(TEXT) // 2] + "x: 1\n" * 12, False),
    ],
)
def test_a_file_under_another_name_must_be_alike(repo, see, old, new, content, believed):
    commit(repo, {old: TEXT}, {new: content})
    assert (moves_of(see("commit"))[0].moved == {old: new}) is believed


def test_of_files_with_the_same_content_the_pairs_are_believed_only_by_name_or_way(repo, see):
    same = "from .x import y\n" * 3
    commit(
        repo,
        {"v1/admin.py": same, "v2/admin.py": same, "v1/core.py": FUNCTIONS},
        {"v3/admin.py": same, "w/admin.py": same, "v3/core.py": FUNCTIONS},
    )
    moved = moves_of(see("commit"))[0].moved
    assert moved["v1/core.py"] == "v3/core.py" and "v2/admin.py" not in moved
    assert set(moved) <= {"v1/core.py", "v1/admin.py"}


def test_a_directory_of_equal_files_with_names_of_their_own_moves(repo, see):
    files = {f"old/{n}.txt": TEXT for n in "abc"}
    commit(repo, files, {f"new/{n}.txt": TEXT for n in "abc"})
    assert moves_of(see("commit"))[0].moved == {f"old/{n}.txt": f"new/{n}.txt" for n in "abc"}


@pytest.mark.parametrize(
    ("name", "suffix"), [("x.zsh", ".in"), ("conf.yml", ".j2"), ("man.1", ".tmpl"), ("a.h", ".in")]
)
def test_a_file_that_became_its_own_template_is_generated_now(repo, see, name, suffix):
    use = {"Makefile": f"install: out/{name}\n\tcp out/{name} /usr\n"}
    commit(repo, {f"out/{name}": TEXT, **use}, {f"out/{name}{suffix}": TEXT, ".gitignore": f"/out/{name}\n", **use})
    assert list(StaleReference().look(see("commit"))) == []
    (repo.root / ".gitignore").unlink()
    assert moves_of(see("commit"))[0].moved == {f"out/{name}": f"out/{name}{suffix}"}, "nothing says it is generated"


def test_a_name_that_was_an_object_before_the_commit_is_no_submodule(repo, see):
    repo.write("pkg/__init__.py", "from .version import name, version\n")
    repo.write("pkg/version.py", "version = name = 'a'\n" * 9)
    repo.write("pkg/use.py", "from . import version\nprint(version)\n")
    repo.write("README.md", "[v](pkg/version.py)\n")
    repo.commit()
    repo.git("mv", "pkg/version.py", "pkg/about.py")
    repo.write("pkg/__init__.py", "from .about import name\n")
    repo.commit("about")
    (found,) = StaleReference().look(see("commit"))
    assert [e.fs for e in found.action.edits] == ["README.md"]
    assert any(words.startswith("pkg/use.py:1") for words in found.unchecked)


def test_a_deleted_file_that_git_ignores_now_is_made_by_a_build_and_rightly_named(repo, see):
    repo.write("man/just.1", "x\n")
    repo.write("docs/use.md", "see [man](../man/just.1)\n")
    repo.commit()
    repo.git("rm", "-q", "man/just.1")
    repo.write(".gitignore", "/man\n")
    repo.commit()
    assert list(StaleReference().look(see("commit"))) == []
    repo.write(".gitignore", "/other\n")
    repo.write("man/other.1", "x\n")
    repo.write("docs/use.md", "see [man](../man/other.1)\n")
    repo.commit()
    repo.git("rm", "-q", "man/other.1")
    repo.commit()
    assert [f.title for f in list(StaleReference().look(see("commit")))] == ["1 reference to deleted man/other.1"]


def test_a_list_of_what_is_left_out_may_name_what_is_gone(repo, see):
    repo.write("COOKBOOK.md", "x\n")
    repo.write(".npmignore", "COOKBOOK.md\n")
    repo.commit()
    repo.git("rm", "-q", "COOKBOOK.md")
    repo.commit()
    assert list(StaleReference().look(see("commit"))) == []
