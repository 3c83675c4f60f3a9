"""One meaning a word: the glossary lists each once, and a class name stands for one thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROW = re.compile(r"^\| (?!word \||name \||---)(.+?) \| (.+) \|$", re.MULTILINE)


def sections(root: Path) -> tuple[str, str]:
    """The words of the glossary, and the names that may stand twice."""
    words, _, pairs = (root / "docs/glossary.md").read_text("utf-8").partition("## Names that stand twice")
    assert pairs
    return words, pairs


def test_the_glossary_says_each_word_once_in_the_order_of_the_alphabet(root: Path) -> None:
    words = [word for word, _ in ROW.findall(sections(root)[0])]
    assert len(words) > 80
    assert words == sorted(words, key=str.casefold)
    single = [part for word in words for part in word.split(", ")]
    assert len(single) == len(set(single))


def test_a_class_name_that_occurs_twice_is_one_thing_that_the_glossary_names(
    root: Path, trees: dict[str, ast.Module]
) -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].add(path)
    assert len(places) > 300
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    allowed = {
        name.strip("`"): set(re.findall(r"`([\w/]+\.py)`", what)) for name, what in ROW.findall(sections(root)[1])
    }
    assert twice == allowed
