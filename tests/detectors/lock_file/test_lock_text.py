"""Locks read line by line say what a parser of TOML says."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.lock_file.lock_text import packages_of

NAME = st.text("abcxyz-_09", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAME, NAME, st.booleans(), st.lists(NAME, max_size=3)), max_size=5))
def test_packages_are_those_of_the_toml(made):
    text = "version = 3\n"
    for name, version, registry, requires in made:
        text += f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
        text += 'source = "registry+x"\n' if registry else ""
        text += "dependencies = [\n" + "".join(f' "{r} 1.0",\n' for r in requires) + "]\n" if requires else ""
    parsed = tomllib.loads(text).get("package", [])
    found = packages_of(text)
    assert [(p.name, p.version, p.source) for p in found] == [
        (e["name"], e["version"], e.get("source", "")) for e in parsed
    ]
    assert [sorted(p.requires) for p in found] == [
        sorted({d.split(" ")[0] for d in e.get("dependencies", [])}) for e in parsed
    ]
    assert [p.parsed()["name"] for p in found] == [e["name"] for e in parsed]


@given(st.text(max_size=200))
def test_anything_else_is_read_without_failing(text):
    for package in packages_of(f"{text}\n[[package]]{text}"):
        assert isinstance(package.parsed(), dict)


def test_the_root_of_an_old_lock_is_a_package():
    assert packages_of('[root]\nname = "a"\nversion = "1"\n')[0].name == "a"


def test_lists_that_are_not_closed_take_linear_time():
    (found,) = packages_of('[[package]]\nname = "a"\n' + "dependencies = [\n" * 60_000)
    assert found.name == "a" and not found.requires
