"""Import roots of a tree: above the file, src and the like, and those that configuration states."""

from __future__ import annotations

from kairos.detectors.stale_reference.layout import ConfiguredRoot, Layout, Target


def layout(*paths, stated=()):
    directories = {""}
    for path in paths:
        parts = path.split("/")[:-1]
        directories |= {"/".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return Layout(set(paths).__contains__, directories, stated)


def test_a_name_is_resolved_below_every_root_of_the_file():
    known = layout("src/a/__init__.py", "src/a/b.py", "a.py", "tests/t.py")
    assert [t.path for t in known.resolve("tests", "a")] == ["a.py", "src/a/__init__.py"]
    assert known.resolve("tests", "a.b") == (Target("src/a/b.py", "src"),)


def test_a_stated_root_counts_for_the_files_below_its_configuration():
    known = layout("py/code/a.py", "py/tests/t.py", "t.py", stated=[ConfiguredRoot("py", "py/code")])
    assert known.resolve("py/tests", "a") == (Target("py/code/a.py", "py/code"),)
    assert known.resolve("", "a") == ()


def test_a_root_is_sure_if_stated_above_the_file_or_a_source_directory():
    known = layout(
        "src/pkg/__init__.py", "lib/a.py", "src/b.py", "x/src/c.py", "x/setup.py", stated=[ConfiguredRoot("", "lib")]
    )
    assert known.sure(Target("src/pkg/__init__.py", "src"), "tests")
    assert known.sure(Target("lib/a.py", "lib"), "tests") and known.sure(Target("a.py", ""), "tests")
    assert known.sure(Target("x/src/c.py", "x/src"), "") and known.sure(Target("src/b.py", "src"), "src/deep")
    assert not known.sure(Target("src/b.py", "src"), "tests")
    assert not layout("lib/a.py").sure(Target("lib/a.py", "lib"), "")


def test_a_stub_is_a_module_and_a_source_directory_is_a_root():
    known = layout("a.pyi", "src/b.py", "lib/__init__.py", "lib/c.py")
    assert known.module_at("a") == "a.pyi" and known.module_at("") is None
    assert known.is_source_root("src", "") and not known.is_source_root("lib", "")
