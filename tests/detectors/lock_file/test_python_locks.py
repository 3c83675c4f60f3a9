"""What uv and poetry wrote is compared name by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.lock_file.lock_text import packages_of
from kairos.detectors.lock_file.python_locks import lacking_of_poetry, lacking_of_uv

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["project", "tool", "poetry", "dependencies", "name", "group", "dependency-groups", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["project", "tool", "dependency-groups"]), ANY, max_size=3))
def test_a_manifest_of_any_shape_is_read_without_failing(manifest):
    packages = packages_of('[[package]]\nname = "x"\nversion = "1"\nsource = { editable = "." }\n')
    list(lacking_of_uv(manifest, packages))
    list(lacking_of_poetry(manifest, packages))


def test_versions_that_are_written_differently_are_equal():
    lock = packages_of('[[package]]\nname = "a"\nversion = "1.0rc1"\nsource = { editable = "." }\n')
    for same in ("1.0rc1", "1.0-rc.1", "v1.0RC1"):
        assert list(lacking_of_uv({"project": {"name": "a", "version": same}}, lock)) == []
    assert list(lacking_of_uv({"project": {"name": "a", "version": "1.0rc2"}}, lock))


@pytest.mark.parametrize(
    "requirement",
    [
        "a" * 900_000 + "@",
        "a" + " " * 900_000 + "@",
        "a[" + " " * 900_000,
        "a (" + ">=1 " * 200_000 + "@",
        "a;" * 400_000,
    ],
    ids=["a name", "blanks", "extras", "terms", "markers"],
)
def test_a_hostile_requirement_takes_linear_time(requirement):
    lock = packages_of(
        '[[package]]\nname = "p"\nversion = "1"\nsource = { virtual = "." }\n[package.metadata]\nx = 1\n'
    )
    assert len(list(lacking_of_uv({"project": {"name": "p", "dependencies": [requirement]}}, lock))) <= 1


@pytest.mark.parametrize("source", ['editable = "../core"', 'directory = "../core"', 'git = "https://h/core?rev=1"'])
def test_what_uv_takes_from_elsewhere_has_no_range_in_the_lock(source):
    def lock(entry):
        return packages_of(
            '[[package]]\nname = "p"\nversion = "1"\nsource = { editable = "." }\n'
            f"[package.metadata]\nrequires-dist = [{{ {entry} }}]\n"
        )

    manifest = {"project": {"name": "p", "dependencies": ["core>=2.0.15"]}}
    assert list(lacking_of_uv(manifest, lock(f'name = "core", {source}'))) == []
    (lacks,) = lacking_of_uv(manifest, lock('name = "core", specifier = ">=1"'))
    assert lacks.name == "core"
    (lacks,) = lacking_of_uv(manifest, lock(f'name = "other", {source}'))
    assert lacks.why == "p requires core"


@pytest.mark.parametrize(
    ("asked", "held", "equal"),
    [
        (">=3.0.1,<4.0.0", ">=3.0.1,<4", True), (">=1.0", ">=1", True), ("==2.10", "==2.10", True),
        ("==2.10", "==2.1", False), ("~=4.0", "~=4", False), (">=10", ">=1", False), ("<4.0.1", "<4", False),
    ],
)  # fmt: skip
def test_ranges_are_compared_as_uv_writes_them(asked, held, equal):
    lock = packages_of(
        '[[package]]\nname = "p"\nversion = "1"\nsource = { editable = "." }\n'
        f'[package.metadata]\nrequires-dist = [{{ name = "hub", specifier = "{held}" }}]\n'
    )
    found = list(lacking_of_uv({"project": {"name": "p", "dependencies": [f"hub{asked}"]}}, lock))
    assert (found == []) is equal
