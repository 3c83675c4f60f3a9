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
