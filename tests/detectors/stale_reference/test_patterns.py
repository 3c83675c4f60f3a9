"""Paths within patterns and behind variables: changed where that is sure, otherwise named on the card."""

from __future__ import annotations

import pytest

FILES = {
    "src/pay.py": "def f(): ...\n",
    "lib/common.sh": "a() { echo a; }\nb() { echo b; }\n",
    "link.md": "[x](src/pay.py)\n",
}
MOVES = [("src/pay.py", "src/bill.py"), ("lib/common.sh", "lib/shared.sh")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (".pre-commit-config.yaml", "exclude: ^src/pay\\.py$"),
        (".pre-commit-config.yaml", "exclude: ^(src/pay\\.py|other\\.py)$"),
        (".pre-commit-config.yaml", "files: ^src/pay.py$"),
        (".pre-commit-config.yaml", "exclude: |\n  (?x)^(\n    src/pay\\.py|\n    x\n  )$"),
        ("pyproject.toml", 'exclude = "^src/pay\\\\.py$"'),
        ("codecov.yml", "ignore:\n  - 'src/pay\\.py'"),
        ("run.sh", '. "$(dirname "$0")/lib/common.sh"'),
        ("run.sh", "source $(dirname $0)/lib/common.sh"),
        ("run.sh", 'source "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib/common.sh"'),
        ("bin/run.sh", 'source "$(dirname "$0")/../lib/common.sh"'),
        ("ci.yml", "run: ${{ github.workspace }}/lib/common.sh"),
        ("tox.ini", "[testenv]\ncommands = sh {toxinidir}/lib/common.sh"),
        ("CMakeLists.txt", "add(${CMAKE_CURRENT_SOURCE_DIR}/lib/common.sh)"),
    ],
)
def test_what_is_sure_is_changed(applied, text, path, line):
    applied({**FILES, path: line + "\n"}, MOVES)
    assert text(path) == line.replace("pay", "bill").replace("common", "shared") + "\n"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (".pre-commit-config.yaml", "exclude: src/pay\\.pyc?"),
        (".pre-commit-config.yaml", "exclude: my-src/pay\\.py[a-z]"),
        ("ci.yml", "paths: ['src/pa*.py']"),
        ("ci.yml", "paths: ['lib/{common,x}*']"),
        ("conf.toml", 'include = ["**/pay.?y"]'),
        ("run.sh", '. "$ROOT/lib/common.sh"'),
        ("run.sh", ". ${HERE}/lib/common.sh"),
        ("run.sh", '. "$(find_it)"/lib/common.sh'),
    ],
)
def test_what_is_not_sure_is_named_and_stays(applied, text, path, line):
    (found,) = applied({**FILES, path: line + "\n"}, MOVES)
    assert text(path) == line + "\n"
    if "my-" not in line and "{" not in line.replace("${", ""):
        assert any(words.startswith(f"{path}:1") for words in found.unchecked), found.unchecked


def test_a_pattern_that_covers_both_paths_is_not_named(applied):
    (found,) = applied({**FILES, "ci.yml": "paths: ['src/*.py', '*.py', 'other/**']\n"}, MOVES)
    assert not any(words.startswith("ci.yml") for words in found.unchecked)


def test_hostile_patterns_take_no_time(applied):
    lines = ["x: " + "*a" * 2_000, "y: ^" + "src/pay\\.py" * 3_000, "z: " + "$(" * 5_000, "w: " + "a\\." * 20_000]
    applied({**FILES, "ci.yml": "\n".join(lines) + "\n"}, MOVES)


BESIDE = {"doc/a.sh": FILES["src/pay.py"], "doc/b.sh": FILES["lib/common.sh"]}
MOVED = [("doc/a.sh", "gendoc/a.sh"), ("doc/b.sh", "gendoc/b.sh")]


@pytest.mark.parametrize("glob", ["doc/**", "./doc/*", "/doc/**", "doc/*.sh"])
def test_a_glob_of_a_directory_that_the_patch_changes_is_not_told_as_left_alone(applied, text, glob):
    (found,) = applied({**BESIDE, "x.md": "[x](doc/a.sh)\n", "ci.yml": f"- any: '{glob}'\n"}, MOVED)
    alone = [words for words in found.unchecked if words.startswith("ci.yml")]
    assert ("gendoc" in text("ci.yml")) != bool(alone)


def test_of_a_line_that_is_changed_the_rest_is_told_as_a_part(applied, text):
    (found,) = applied({**FILES, "ci.yml": "run: sh lib/common.sh $ROOT/lib/common.sh\n"}, MOVES)
    assert text("ci.yml") == "run: sh lib/shared.sh $ROOT/lib/common.sh\n"
    told = [words for words in found.unchecked if words.startswith("ci.yml:1")]
    assert told == ["ci.yml:1 is changed only in part: `$ROOT/lib/common.sh` depends on what stands before the path"]
