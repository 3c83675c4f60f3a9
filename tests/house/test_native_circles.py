"""No two modules of a Rust crate use each other, directly or in a circle: each can be read after those it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CRATES = ("native/src", "native/guard/src", "native/launcher/src", "native/secrets/src")
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*", re.S)
"""The tests in a file: they come last, and may use what rests on it."""


def used(source: str) -> set[str]:
    """The modules of its own crate that a file names: `crate::a::b`, `use crate::{a::{b, c}, d}`."""
    code = re.sub(r"//.*", "", TESTS.sub("", source))
    found = set(re.findall(r"\bcrate::(\w+)", code))
    for group in re.finditer(r"\bcrate::\{", code):
        depth, name = 1, ""
        for sign in code[group.end() :]:
            if depth == 1 and sign in ",:{}":
                found.add(name.strip().split(" ")[0])
                name = ""
            depth += {"{": 1, "}": -1}.get(sign, 0)
            if depth == 0:
                break
            name = name + sign if depth == 1 and sign not in ",{}" else ""
    return found


def circle(sources: Mapping[str, str]) -> list[str]:
    """A circle among modules (name → source); empty where there is none."""
    uses = {name: used(source) & sources.keys() - {name} for name, source in sources.items()}
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("crate", CRATES)
def test_no_modules_of_a_crate_use_each_other_in_a_circle(root: Path, crate: str) -> None:
    sources = {
        path.stem: path.read_text("utf-8")
        for path in (root / crate).glob("*.rs")
        if path.stem not in ("lib", "main") and not path.stem.endswith("_tests")
    }
    assert len(sources) > 1
    assert sum(bool(used(source) & sources.keys()) for source in sources.values()) > len(sources) // 2
    assert circle(sources) == []


@pytest.mark.parametrize(
    "back",
    [
        "use crate::one::Thing;",
        "use crate::{one::Thing, three};",
        "use crate::{\n    three::{self, Other},\n    one,\n};",
        "use crate::{three as third, one as first};",
        "fn f() { crate::one::thing() }",
        "use crate::three::Other;",
    ],
)
def test_a_circle_is_noticed(back: str) -> None:
    sources = {"one": "use crate::{error::Error, two::{A, B}};", "two": back, "three": "use crate::one;", "error": ""}
    assert set(circle(sources)) >= {"one", "two"}


@pytest.mark.parametrize(
    "source",
    [
        "// crate::one\nuse crate::three::{one, Other};",
        "use std::one;",
        "#[cfg(test)]\nmod tests {\n    use crate::one;\n}",
        "use crate::{three::{deep::{one}, Other}, three};",
    ],
)
def test_what_only_looks_like_a_use_is_none(source: str) -> None:
    assert circle({"one": "use crate::two;", "two": source, "three": ""}) == []
