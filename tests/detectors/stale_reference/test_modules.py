"""Module names as an importer would write them, before and after a move; what is ambiguous is never renamed."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.modules import Modules, dotted, prefix_of
from kairos.detectors.stale_reference.moves import Moves


def modules(moved=None, gone=(), now=()):
    moved = moved or {}
    return Modules(Moves(moved, frozenset(gone), frozenset([*moved.values(), *now])))


PACKAGE = ["pkg/__init__.py", "pkg/sub/__init__.py", "tests/test_a.py", "main.py"]


def test_a_dotted_name_follows_its_module():
    known = modules({"pkg/old.py": "pkg/sub/new.py"}, now=PACKAGE)
    assert known.renamed("main.py", "pkg.old", shortest=1).new == "pkg.sub.new"
    assert known.renamed("main.py", "pkg.old.Thing", shortest=1).new == "pkg.sub.new.Thing"
    assert known.renamed("main.py", "pkg.other", shortest=1).new is None
    assert known.renamed("main.py", "pkg", shortest=2).new is None


def test_a_deleted_module_has_no_new_name():
    known = modules(gone=["pkg/old.py"], now=PACKAGE)
    assert known.renamed("main.py", "pkg.old.Thing", shortest=1).new == ""


def test_import_roots_are_directories_above_that_are_no_packages_and_src_below_them():
    known = modules(now=["src/pkg/__init__.py", "src/pkg/a.py", "tests/test_a.py", "tools/run.py"])
    assert known.roots("src/pkg") == ("src", "")
    assert known.roots("tests") == ("tests", "", "src")
    assert known.roots("") == ("", "src")


def test_a_name_relative_to_a_src_root_keeps_that_root():
    known = modules({"src/pkg/old.py": "src/pkg/new.py"}, now=["src/pkg/__init__.py", "tests/test_a.py"])
    assert known.renamed("tests/test_a.py", "pkg.old", shortest=1).new == "pkg.new"


def test_a_name_that_could_mean_two_modules_is_ambiguous_and_stays():
    known = modules({"old.py": "new.py"}, now=["tests/old.py", "tests/test_a.py"])
    assert known.ambiguous("tests/test_a.py", "old")
    assert known.stale("tests/test_a.py", "old") is None
    assert not known.ambiguous("other.py", "old")


def test_a_name_of_the_standard_library_is_shadowed_only_beside_a_script():
    known = modules({"lib/json.py": "lib/other.py"}, now=["lib/run.py", "run.py"])
    assert known.stale("lib/run.py", "json") is not None
    assert known.stale("run.py", "json") is None


@pytest.mark.parametrize(
    ("base", "names", "concerned"),
    [("pkg.old", ["x"], True), ("pkg", ["old"], True), ("pkg", ["other"], False), ("pkg.sub", ["old"], False)],
)
def test_a_from_import_concerns_a_moved_module_as_its_base_or_right_below(base, names, concerned):
    known = modules({"pkg/old.py": "pkg/new.py"}, now=PACKAGE)
    assert known.concerns("main.py", base, names) is concerned


def test_relative_imports_are_taken_from_the_importers_place():
    known = modules({"pkg/old.py": "pkg/new.py"}, now=PACKAGE)
    assert known.concerns("pkg/a.py", ".", ["old"])
    assert known.concerns("pkg/sub/a.py", "..old", ["x"])
    assert not known.concerns("pkg/sub/a.py", ".old", ["x"])


def test_a_chain_of_attributes_may_name_a_moved_module():
    known = modules({"pkg/old.py": "pkg/new.py"}, now=PACKAGE)
    assert known.chained("x = pkg.old.thing()", {"pkg"})
    assert not known.chained("x = self.pkg.old", {"pkg"})
    assert not known.chained("x = pkg.other", {"pkg"})


def test_a_module_without_a_name_that_python_can_import_has_none():
    assert [prefix_of(p) for p in ("a/b.py", "a/b/__init__.py", "__init__.py")] == ["a/b", "a/b", ""]
    assert dotted("a/b") == "a.b"
    for prefix in ("a-b/c", "a/class", "a/1", "größe", ""):
        assert dotted(prefix) is None, prefix


def tree(files, moved=None, gone=()):
    moved = moved or {}
    moves = Moves(moved, frozenset(gone), frozenset(files))
    return Modules(moves, read=files.get)


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        ("", "no"),
        ("from .pay import pay\n", "object"),
        ("from .other import pay\n", "object"),
        ("def pay(): ...\n", "object"),
        ("pay = 1\n", "object"),
        ("from . import pay\n", "module"),
        ("from pkg import pay\n", "module"),
        ("from .other import *\n", "object"),
        ("from .empty import *\n", "no"),
        ("from somewhere import *\n", "unknown"),
        ("def __getattr__(name): ...\n", "unknown"),
        ("pay = 1\nfrom .pay import charge\n", "unknown"),
        ("def f(:\n", "unknown"),
        ("try:\n    from .pay import pay\nexcept ImportError:\n    pay = None\n", "object"),
    ],
)
def test_what_a_package_binds_wins_over_its_submodule(init, bound):
    files = {"pkg/__init__.py": init, "pkg/pay.py": "", "pkg/other.py": "pay = 1\n", "pkg/empty.py": "x = 1\n_y = 2\n"}
    assert tree(files).bound("pkg/__init__.py", "pay") == bound


@pytest.mark.parametrize(
    ("text", "name", "defined"),
    [
        ("x = 1\n", "x", True),
        ("x = 1\n", "y", False),
        ("from .b import *\n", "z", True),
        ("from .b import *\n", "q", False),
        ("from os import *\n", "q", None),
        ("def __getattr__(n): ...\n", "q", None),
        ("__all__ = ['a']\na = 1\n", "b", False),
    ],
)
def test_whether_a_module_defines_a_name_is_known_through_star_imports(text, name, defined):
    found = tree({"p/__init__.py": "", "p/a.py": text, "p/b.py": "z = 1\n"}).defines("p/a.py", name)
    assert found is defined


def test_modules_that_import_each_other_are_read_to_an_end():
    known = tree({"p/__init__.py": "", "p/a.py": "from .b import *\n", "p/b.py": "from .a import *\n"})
    assert known.defines("p/a.py", "q") is None


def test_a_name_that_still_leads_to_the_module_stays():
    into_src = modules({"lib/a.py": "src/lib/a.py", "lib/__init__.py": "src/lib/__init__.py"}, now=["tests/t.py"])
    assert into_src.renamed("tests/t.py", "lib.a", shortest=1).new is None
    package = modules({"pkg/a.py": "pkg/a/__init__.py"}, now=["pkg/__init__.py"])
    assert package.renamed("main.py", "pkg.a", shortest=1).new is None


def test_a_module_moved_into_a_directory_that_may_be_a_root_is_a_doubt():
    known = modules({"pay.py": "lib/pay.py"}, now=["main.py"])
    assert "only if lib is on the search path" in known.renamed("main.py", "pay", shortest=1).why


def test_a_deleted_module_whose_name_another_one_answers_to_is_not_dead():
    known = modules({"pkg/mw/base.py": "pkg/mw.py"}, gone=["pkg/mw/__init__.py"], now=["pkg/__init__.py"])
    assert known.renamed("main.py", "pkg.mw", shortest=1).new is None


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("docs/removed.rst", "- ``shop.pay.Gone.method``"),
        ("docs/removed.md", "- `shop.pay.Gone.method`"),
        ("docs/conf.py", 'nitpick_ignore = [("py:class", "shop.pay.Gone")]'),
    ],
)
def test_a_name_that_the_module_never_had_stays(applied, text, path, line):
    named = line.replace("Gone", "Here")
    applied(
        {"shop/__init__.py": "", "shop/pay.py": "class Here:\n    x = 1\n", path: f"{line}\n\n{named}\n"},
        [("shop/pay.py", "shop/bill.py")],
    )
    assert text(path) == f"{line}\n\n{named.replace('pay', 'bill')}\n"
