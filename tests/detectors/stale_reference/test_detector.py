"""A rename that others still name becomes one exact patch; a deletion becomes a note; all else is left alone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from kairos.detectors.stale_reference.detector import StaleReference
from kairos.domain.action import NoteAction, PatchAction


def look(scene):
    return list(StaleReference().look(scene))


def after(repo, path):
    return (repo.root / path).read_bytes().decode()


PAY = "def charge(n):\n    return n * 2\n\n\nclass Money:\n    pass\n"


def test_a_renamed_module_updates_imports_links_and_ci_in_one_patch(repo, moved, apply):
    found = moved(
        {
            "src/pay.py": PAY,
            "src/app.py": "from src.pay import charge\n\nprint(charge(1))\n",
            "docs/guide.md": "See [pay](../src/pay.py#L1) and ![p](/src/pay.py).\n\n[ref]: ../src/pay.py 'Pay'\n",
            ".github/workflows/ci.yml": "run: python src/pay.py\npaths:\n  - 'src/pay.py'\n  - src/pay.py\n",
        },
        [("src/pay.py", "src/billing.py")],
    )
    assert len(found) == 1
    assert isinstance(found[0].action, PatchAction)
    assert found[0].title == "Update 7 references to renamed src/pay.py"
    assert found[0].evidence == [100, 101]
    apply(found[0])
    assert after(repo, "src/app.py") == "from src.billing import charge\n\nprint(charge(1))\n"
    assert (
        after(repo, "docs/guide.md")
        == "See [pay](../src/billing.py#L1) and ![p](/src/billing.py).\n\n[ref]: ../src/billing.py 'Pay'\n"
    )
    assert (
        after(repo, ".github/workflows/ci.yml")
        == "run: python src/billing.py\npaths:\n  - 'src/billing.py'\n  - src/billing.py\n"
    )


TOP_LEVEL = [
    ("import pay\nprint(pay.charge(1))\n", "import billing\nprint(billing.charge(1))\n"),
    ("import pay as p\nprint(p.charge(1))\n", "import billing as p\nprint(p.charge(1))\n"),
    ("import os, pay\nprint(os, pay)\n", "import os, billing\nprint(os, billing)\n"),
    ("from pay import charge\nprint(charge)\n", "from billing import charge\nprint(charge)\n"),
    ("from pay import *\n", "from billing import *\n"),
    ("def f():\n    import pay\n    return pay.Money\n", "def f():\n    import billing\n    return billing.Money\n"),
    # A name that the file binds itself keeps its meaning through an alias.
    ("import pay\ndef f(pay):\n    return pay\n", "import billing as pay\ndef f(pay):\n    return pay\n"),
    ("import pay\nbilling = 1\nprint(pay)\n", "import billing as pay\nbilling = 1\nprint(pay)\n"),
    ("import pay\n__all__ = ['pay']\n", "import billing as pay\n__all__ = ['pay']\n"),
    ('import pay\nprint(f"pay {pay.x}")\n', 'import billing as pay\nprint(f"pay {pay.x}")\n'),
    ('import pay\nprint(f"{pay.x} é {pay.y}")\n', 'import billing\nprint(f"{billing.x} é {billing.y}")\n'),
    ("import pay\r\nx = 'é'; y = pay.charge\r\n", "import billing\r\nx = 'é'; y = billing.charge\r\n"),
    ("x = import_module('pay')\n", "x = import_module('billing')\n"),
    ("\ufefffrom pay import charge\n", "\ufefffrom billing import charge\n"),
]


@pytest.mark.parametrize(("before", "expected"), TOP_LEVEL)
def test_imports_of_a_top_level_module_follow_it(repo, moved, apply, before, expected):
    found = moved({"pay.py": PAY, "use.py": before}, [("pay.py", "billing.py")])
    assert len(found) == 1
    apply(found[0])
    assert after(repo, "use.py") == expected


NEW = "app.money.billing"
DOTTED = [
    ("import app.pay\nprint(app.pay.charge(1))\n", f"import {NEW}\nprint({NEW}.charge(1))\n"),
    ("import app.pay as p\n", f"import {NEW} as p\n"),
    ("from app.pay import charge, Money\n", f"from {NEW} import charge, Money\n"),
    ("from app.pay import (\n    charge,  # why\n)\n", f"from {NEW} import (\n    charge,  # why\n)\n"),
    ("from app import pay\nprint(pay.charge)\n", "from app.money import billing\nprint(billing.charge)\n"),
    ("from app import pay as p\n", "from app.money import billing as p\n"),
    ("from app import pay, other  # x\n", "from app.money import billing as pay\nfrom app import other  # x\n"),
    ("patch('app.pay.x')\nfrom app.pay import Money\n", f"patch('{NEW}.x')\nfrom {NEW} import Money\n"),
    ("import app.pay, app.other\nx = app.pay, app.other\n", f"import {NEW}, app.other\nx = {NEW}, app.other\n"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "expected"), DOTTED)
def test_dotted_imports_follow_a_module_into_another_package(repo, moved, apply, before, expected):
    found = moved(
        {
            "app/__init__.py": "",
            "app/pay.py": PAY,
            "app/other.py": "x = 1\n",
            "app/money/__init__.py": "",
            "tests/use.py": before,
        },
        [("app/pay.py", "app/money/billing.py")],
    )
    assert len(found) == 1, found
    apply(found[0])
    assert after(repo, "tests/use.py") == expected


def test_relative_imports_follow_and_those_of_the_moved_file_are_put_right(repo, moved, apply):
    found = moved(
        {
            "app/__init__.py": "",
            "app/pay.py": "from . import other\nfrom .other import x\n\nprint(other, x)\n" + PAY,
            "app/other.py": "x = 1\n",
            "app/use.py": "from .pay import charge\nfrom . import pay\nprint(charge, pay.Money)\n",
            "app/money/__init__.py": "",
            "app/money/use.py": "from ..pay import charge\n",
        },
        [("app/pay.py", "app/money/billing.py")],
    )
    assert len(found) == 1
    apply(found[0])
    assert after(repo, "app/use.py") == (
        "from .money.billing import charge\nfrom .money import billing\nprint(charge, billing.Money)\n"
    )
    assert after(repo, "app/money/use.py") == "from .billing import charge\n"
    assert after(repo, "app/money/billing.py").startswith("from .. import other\nfrom ..other import x\n")


def test_a_src_layout_is_understood_and_the_tests_still_pass_afterwards(repo, moved, apply):
    found = moved(
        {
            "src/shop/__init__.py": "from .pay import charge\n",
            "src/shop/pay.py": PAY,
            "tests/test_shop.py": "import shop.pay\nfrom shop.pay import Money\nassert shop.pay.charge(2), Money\n",
            "pyproject.toml": '[project.scripts]\npay = "shop.pay:charge"\n[tool.x]\npath = "src/shop/pay.py"\n',
            "Makefile": "run:\n\tpython -m shop.pay\n\tpython src/shop/pay.py\n",
        },
        [("src/shop/pay.py", "src/shop/billing.py")],
    )
    assert len(found) == 1
    apply(found[0])
    assert after(repo, "pyproject.toml").count("billing") == 2
    assert after(repo, "Makefile") == "run:\n\tpython -m shop.billing\n\tpython src/shop/billing.py\n"
    done = subprocess.run(
        [sys.executable, "tests/test_shop.py"], cwd=repo.root, env={**os.environ, "PYTHONPATH": "src"}, check=False
    )
    assert done.returncode == 0


def test_a_renamed_package_is_one_proposal(repo, moved, apply):
    files = {f"lib/old/{n}.py": f"value = '{n}' * 40\nmore = [1, 2, 3]\n" for n in "abcdef"}
    found = moved(
        {
            **files,
            "lib/old/__init__.py": "",
            "main.py": "import lib.old\nfrom lib.old import a, b\nfrom lib.old.c import x\nprint(lib.old.a, a, b, x)\n",
            "README.md": "[code](lib/old/) and [a](lib/old/a.py)\n",
            "setup.cfg": "[options]\npackages = lib/old/\n",
        },
        [("lib/old", "lib/new")],
    )
    assert len(found) == 1
    assert "7 renamed files" in found[0].title
    apply(found[0])
    assert after(repo, "main.py") == (
        "import lib.new\nfrom lib.new import a, b\nfrom lib.new.c import x\nprint(lib.new.a, a, b, x)\n"
    )
    assert after(repo, "README.md") == "[code](lib/new/) and [a](lib/new/a.py)\n"
    assert after(repo, "setup.cfg") == "[options]\npackages = lib/new/\n"


def test_links_of_a_moved_markdown_file_are_put_right(repo, moved, apply):
    found = moved(
        {
            "docs/a.md": "# A\n\n[b](b.md) [img](img/x%20y.png) [self](#top) [web](https://e.org/b.md)\n",
            "docs/b.md": "[a](./a.md#top) `[a](a.md)`\n\n```\n[a](a.md)\n```\n",
            "docs/img/x y.png": b"\x89PNG\0",
            "README.md": "[a](docs/a.md) and <a href='docs/a.md'>a</a>\n",
        },
        [("docs/a.md", "docs/guide/first (1).md")],
    )
    assert len(found) == 1
    apply(found[0])
    assert "[b](../b.md) [img](../img/x%20y.png)" in after(repo, "docs/guide/first (1).md")
    assert after(repo, "docs/b.md") == "[a](./guide/first%20%281%29.md#top) `[a](a.md)`\n\n```\n[a](a.md)\n```\n"
    assert after(repo, "README.md").startswith("[a](docs/guide/first%20%281%29.md) and <a href='docs/guide/first%20")


def test_a_deleted_file_becomes_a_note_with_the_places(repo, see):
    repo.write("src/pay.py", PAY)
    repo.write("use.py", "import os\nfrom src.pay import charge\n")
    repo.write("README.md", "# x\n\n[pay](src/pay.py)\n")
    repo.write("tox.ini", "[x]\nfile = src/pay.py\n")
    repo.commit()
    repo.git("rm", "-q", "src/pay.py")
    repo.commit("drop")
    found = look(see("commit"))
    assert len(found) == 1
    assert isinstance(found[0].action, NoteAction)
    assert found[0].title == "3 references to deleted src/pay.py"
    for place in ("use.py:2", "README.md:3", "tox.ini:2"):
        assert place in found[0].action.text


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("README.md", "We pay with pay.py and src/pay.py in prose; `src/pay.py` is now `src/billing.py`.\n"),
        ("README.md", "[old](https://github.com/o/r/blob/v1/src/pay.py)\n"),
        ("CHANGELOG.md", "- added [pay](src/pay.py)\n"),
        ("docs/adr/0001.md", "[pay](../../src/pay.py)\n"),
        ("use.py", "pay = 1\nprint('pay', pay)\n# import src.pay\n"),
        ("use.py", "import payments\nfrom src.payments import x\nfrom other.pay import y\n"),
        ("use.py", "from src.billing import charge\n"),
        ("use.rb", "import x from './src/pay.py'\n"),
        ("conf.yml", "name: pay\nkey: src/pay.pyc\nother: xsrc/pay.py\nabs: /app/src/pay.py\nglob: src/pay.py*\n"),
        ("conf.yml", "url: https://x.org/src/pay.py\nremote: host:src/pay.py\nvar: ${ROOT}src/pay.py\n"),
        ("node_modules/x/package.json", '{"main": "src/pay.py"}\n'),
        ("poetry.lock", 'file = "src/pay.py"\n'),
        ("gen.yml", "# Code generated by x. DO NOT EDIT.\npath: src/pay.py\n"),
        ("bin.yml", b"src/pay.py\0\xff"),
        ("latin.yml", b"caf\xe9: src/pay.py\n"),
    ],
)
def test_what_is_no_reference_is_left_alone(repo, moved, path, content):
    assert moved({"src/pay.py": PAY, path: content}, [("src/pay.py", "src/billing.py")]) == []


def test_untracked_and_ignored_files_are_never_patched(repo, see):
    repo.write("src/pay.py", PAY)
    repo.write(".gitignore", "local.yml\n")
    repo.commit()
    repo.git("mv", "src/pay.py", "src/billing.py")
    repo.commit("rename")
    repo.write("local.yml", "path: src/pay.py\n")
    repo.write("new.yml", "path: src/pay.py\n")
    assert look(see("commit")) == []


def test_nothing_is_said_when_the_old_path_exists_again(repo, moved, see):
    moved({"src/pay.py": PAY, "use.py": "from src.pay import charge\n"}, [("src/pay.py", "src/billing.py")])
    repo.write("src/pay.py", "from src.billing import *\n")
    assert look(see("commit")) == []


def test_nothing_is_said_when_the_commit_already_updated_the_references(repo, see):
    repo.write("src/pay.py", PAY)
    repo.write("use.py", "from src.pay import charge\n")
    repo.commit()
    repo.git("mv", "src/pay.py", "src/billing.py")
    repo.write("use.py", "from src.billing import charge\n")
    repo.commit("rename")
    assert look(see("commit")) == []


def test_a_module_that_becomes_a_package_keeps_its_imports(repo, moved, apply):
    found = moved(
        {
            "app/__init__.py": "",
            "app/pay.py": PAY,
            "use.py": "from app.pay import charge\n",
            "c.yml": "p: app/pay.py\n",
        },
        [("app/pay.py", "app/pay/__init__.py")],
    )
    assert len(found) == 1
    apply(found[0])
    assert after(repo, "use.py") == "from app.pay import charge\n"
    assert after(repo, "c.yml") == "p: app/pay/__init__.py\n"


def test_a_name_of_the_standard_library_means_the_standard_library(repo, moved):
    assert (
        moved({"tools/secrets.py": PAY, "app/use.py": "import secrets\n"}, [("tools/secrets.py", "tools/x.py")]) == []
    )


def test_empty_files_that_only_look_renamed_are_not_believed(repo, see):
    repo.write("old/__init__.py", "")
    repo.write("use.py", "import old\n")
    repo.commit()
    repo.git("rm", "-q", "old/__init__.py")
    repo.write("new/__init__.py", "")
    repo.commit("drop one, add another")
    assert [f for f in look(see("commit")) if isinstance(f.action, PatchAction)] == []


def test_what_cannot_be_rewritten_with_certainty_is_said_not_patched(repo, moved):
    found = moved(
        {
            "app/__init__.py": "",
            "app/pay.py": PAY,
            "use.py": "import app.pay\ngetattr(app, 'pay').charge(1)\nprint(app.pay.x)\n",
            "sure.py": "from app.pay import charge\n",
        },
        [("app/pay.py", "app/billing.py")],
    )
    assert len(found) == 1
    assert [e.fs for e in found[0].action.edits] == ["sure.py"]
    assert any("use.py:1" in words for words in found[0].unchecked)


def test_two_renames_in_a_row_are_one(repo, see, apply):
    repo.write("pay.py", PAY)
    repo.write("use.py", "from pay import charge\n")
    repo.commit()
    for old, new in (("pay.py", "middle.py"), ("middle.py", "billing.py")):
        repo.git("mv", old, new)
        repo.git("commit", "-q", "-m", "mv")
    found = look(see("commit", commits=2))
    assert len(found) == 1
    apply(found[0])
    assert after(repo, "use.py") == "from billing import charge\n"


def test_the_key_names_the_rename_and_the_fingerprint_its_places(repo, moved, see):
    first = moved({"pay.py": PAY, "use.py": "from pay import charge\n"}, [("pay.py", "billing.py")])
    repo.write("use.py", "\n\nfrom pay import charge\n")
    again = look(see("commit"))
    assert (again[0].key, again[0].fingerprint) == (first[0].key, first[0].fingerprint)
    repo.write("more.yml", "p: pay.py\n")
    repo.git("add", "more.yml")
    wider = look(see("commit"))[0]
    assert wider.key == first[0].key
    assert set(wider.fingerprint) > set(first[0].fingerprint)


def test_hostile_names_and_symlinks_are_inert(repo, see, tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text("[x](src/pay.py)\n")
    repo.write("src/pay.py", PAY)
    repo.write("evil\x1b[31m\n\u202e.md", "[x](src/pay.py)\n")
    raw = os.fsdecode(b"caf\xe9.md")
    repo.write(raw, "[x](src/pay.py)\n")
    (repo.root / "link.md").symlink_to(outside)
    (repo.root / "pipe").mkdir()
    repo.commit()
    repo.git("mv", "src/pay.py", "src/bill\x1bing\u202e.py")
    repo.git("commit", "-q", "-m", "mv")
    (found,) = look(see("commit"))
    assert sorted(e.fs for e in found.action.edits) == sorted(["evil\x1b[31m\n\u202e.md", raw])
    for words in (found.title, found.claim, *found.unchecked):
        assert words.isprintable()
        words.encode()
    assert outside.read_text() == "[x](src/pay.py)\n"


def test_a_look_at_thousands_of_files_starts_few_processes(repo, see, started):
    for i in range(1500):
        repo.write(
            f"pkg{i % 30}/m{i}.py", f"from utils import pay\nimport os\n\n\ndef pay_{i}():\n    return os\n" * 10
        )
    repo.write("src/pay.py", PAY)
    repo.write("use.py", "from src.pay import charge\n")
    repo.commit()
    repo.git("mv", "src/pay.py", "src/billing.py")
    repo.git("commit", "-q", "-m", "mv")
    scene = see("commit")
    started.clear()
    found = look(scene)
    assert len(started) <= 8, f"the number of files does not count: {started}"
    assert [e.fs for e in found[0].action.edits] == ["use.py"]


def test_a_commit_of_hundreds_of_renames_is_one_patch(repo, see, started):
    for i in range(800):
        repo.write(f"old/m{i}.py", f"value = {i}\nname = 'n{i}'\n" * 5)
    repo.write("use.py", "".join(f"from old.m{i} import value as v{i}\n" for i in range(0, 800, 7)))
    repo.commit()
    repo.git("mv", "old", "new")
    repo.git("commit", "-q", "-m", "mv")
    scene = see("commit")
    started.clear()
    (found,) = look(scene)
    assert len(started) <= 8, f"the number of renames does not count: {started}"
    assert found.title.startswith("Update 115 references to 800 renamed files")


def test_a_note_names_of_the_deleted_files_those_that_something_names(repo, see):
    for name in ("setup.py", "setup.cfg", "tox.ini", "a.txt"):
        repo.write(name, f"# {name}\n")
    repo.write("ci.yml", "run: python ./setup.py\n")
    repo.write("doc.md", "[s](setup.py)\n")
    repo.commit()
    repo.git("rm", "-q", "setup.py", "setup.cfg", "tox.ini", "a.txt")
    repo.git("commit", "-qm", "rm")
    (found,) = look(see("commit"))
    assert found.title == "2 references to deleted setup.py"
    assert found.claim == "setup.py was deleted, and 2 places still name it."
    assert found.action.text.startswith("Deleted: setup.py\n")
    assert len(found.basis.absent) == 4
