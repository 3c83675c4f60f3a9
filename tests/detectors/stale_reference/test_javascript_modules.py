"""A specifier is resolved as Node and TypeScript do, and keeps the style of its writer."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import replaced
from kairos.detectors.stale_reference.javascript_modules import follow_specifier
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.source_files import find_references

NOW = {
    "src/b.ts",
    "src/x/index.ts",
    "src/y.ts",
    "src/app.ts",
    "lib/n.js",
    "other/z.css",
    "tsconfig.json",
    "package.json",
}
MOVES = Moves(
    {"src/a.ts": "src/b.ts", "src/x.ts": "src/x/index.ts", "src/y/index.ts": "src/y.ts", "lib/m/index.js": "lib/n.js",
     "src/z.css": "other/z.css"},
    frozenset({"src/gone.ts"}),
    frozenset(NOW),
)  # fmt: skip
TEXTS = {
    "tsconfig.json": '{ // paths\n "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["src/*"],}} }',
    "package.json": '{"name": "@me/pkg"}',
}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("./a", "./b"),
        ("./a.ts", "./b.ts"),
        ("./a.js", "./b.js"),
        ("./a?raw", "./b?raw"),
        ("./x", None),
        ("./x.js", "./x/index.js"),
        ("./y", None),
        ("../lib/m", "../lib/n"),
        ("../lib/m/index.js", "../lib/n.js"),
        ("./../lib/m", "./../lib/n"),
        ("./z.css", "../other/z.css"),
        ("./gone", ""),
        ("./b", None),
        ("a", None),
        ("src/a", "src/b"),
        ("src/x", None),
        ("lib/m", "lib/n"),
        ("@/a", "@/b"),
        ("@me/pkg/src/a", "@me/pkg/src/b"),
        ("./none", None),
        ("../../../etc/passwd", None),
    ],
)
def test_a_specifier_follows(written, expected):
    assert follow_specifier("src/app.ts", written, MOVES, Projects(MOVES, TEXTS.get)).new == expected


def test_one_word_below_the_base_directory_may_be_a_package():
    texts = {"tsconfig.json": '{"compilerOptions": {"baseUrl": "./src"}}'}
    projects = Projects(MOVES, texts.get)
    assert [follow_specifier("src/app.ts", name, MOVES, projects).new for name in ("a", "src/a")] == [None, None]
    moves = Moves({"src/k/a.ts": "src/k/b.ts"}, frozenset(), frozenset({"src/k/b.ts", "tsconfig.json"}))
    assert follow_specifier("src/app.ts", "k/a", moves, Projects(moves, texts.get)).new == "k/b"


@pytest.mark.parametrize(
    ("stated", "expected"), [('{"name": "me"}', "../source"), ('{"main": "source"}', None), ("", "../source")]
)
def test_a_directory_is_what_its_package_says(stated, expected):
    moves = Moves(
        {"index.js": "source/index.js"}, frozenset(), frozenset({"source/index.js", "package.json", "test/a.js"})
    )
    followed = follow_specifier("test/a.js", "..", moves, Projects(moves, {"package.json": stated}.get))
    assert followed.new == expected


def test_what_an_alias_no_longer_covers_is_a_doubt():
    followed = follow_specifier("src/app.ts", "@/z.css", MOVES, Projects(MOVES, TEXTS.get))
    assert followed.new is None
    assert "no longer below" in followed.why


def test_a_specifier_that_means_another_file_now_is_a_doubt():
    moves = Moves({"a.js": "b.js"}, frozenset(), frozenset({"b.js", "a/index.js", "use.js"}))
    assert "now means" in follow_specifier("use.js", "./a", moves, Projects(moves, TEXTS.get)).why


@pytest.mark.parametrize(
    ("others", "text", "expected"),
    [
        ({}, "require('./utils');\n", "require('../utils');\n"),
        ({"lib/a/x.js": "require('./../u'), import('./../b')\n"}, "require('./utils')\n", "require('./../utils')\n"),
        ({"lib/a/x.js": "require('../u'); require('./../b');\n"}, "require('./utils');\n", "require('../utils');\n"),
        ({"bin/x.js": "require('./../utils');\n"}, "require('./utils');\n", "require('../utils');\n"),
        ({"lib/a/x.js": "import u from '../utils';\n"}, "require('./utils'); require('./../z');\n",
         "require('./../utils'); require('./../../z');\n"),
        ({"lib/a/x.js": "import u from './../utils';\n"}, "require('./utils'); require('../z');\n",
         "require('../utils'); require('../../z');\n"),
    ],
)  # fmt: skip
def test_a_way_up_is_written_as_the_file_or_its_package_writes_it(others, text, expected):
    now = {"lib/helpers/build.js", "lib/utils.js", "z.js", *others}
    moves = Moves({"lib/build.js": "lib/helpers/build.js"}, frozenset(), frozenset(now))
    found = find_references("lib/helpers/build.js", text, moves, Projects(moves, others.get))
    assert replaced(text, found.spans) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('/** @typedef { import("./old.js").O } O */\n', '/** @typedef { import("./new.js").O } O */\n'),
        ("/**\n * @import {O} from './old.js'\n */\n", "/**\n * @import {O} from './new.js'\n */\n"),
        ("/** @type {import('../lib/old').O} */\nlet o;\n", "/** @type {import('./new').O} */\nlet o;\n"),
        ("// import('./old.js')\n", "// import('./old.js')\n"),
        ("/** import('./other.js') */\n", "/** import('./other.js') */\n"),
    ],
)
@pytest.mark.parametrize("suffix", ["js", "ts", "mjs", "jsx", "tsx"])
def test_a_type_that_documentation_imports_follows(before, after, suffix):
    path = f"lib/use.{suffix}"
    moves = Moves({"lib/old.js": "lib/new.js"}, frozenset(), frozenset({"lib/new.js", path}))
    found = find_references(path, before, moves, Projects(moves, lambda path: None))
    assert replaced(before, found.spans) == after
