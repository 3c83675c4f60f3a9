"""A rename in the languages that people use: the references in source files are rewritten, exactly and only those."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos._native import source_references
from kairos.detectors.patching import replaced
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.source_files import LANGUAGES, find_references

BODY = "".join(f"// line {n} of a file that is long enough to be known again\n" for n in range(8))


def test_a_rename_updates_the_imports_of_javascript(applied, text):
    found = applied(
        {
            "src/pay.ts": BODY + "export const pay = 1\n",
            "src/app.ts": "import {pay} from './pay'\nimport 'pay'\n// from './pay'\nconst s = 'pay'\n",
            "test/app.test.js": "jest.mock('../src/pay.ts')\nconst {pay} = require(\"../src/pay\")\n",
            "src/ui/index.ts": "export * from '../pay.js'\nexport const u = () => import('../pay')\n",
        },
        [("src/pay.ts", "src/money/bill.ts")],
    )
    assert len(found) == 1
    assert text("src/app.ts") == "import {pay} from './money/bill'\nimport 'pay'\n// from './pay'\nconst s = 'pay'\n"
    assert (
        text("test/app.test.js") == "jest.mock('../src/money/bill.ts')\nconst {pay} = require(\"../src/money/bill\")\n"
    )
    assert (
        text("src/ui/index.ts") == "export * from '../money/bill.js'\nexport const u = () => import('../money/bill')\n"
    )


def test_a_moved_file_finds_its_own_imports_again(applied, text):
    applied(
        {"lib/a.js": BODY + "require('./b')\nrequire('./c')\n", "lib/b.js": "1\n", "lib/c/index.js": "2\n"},
        [("lib/a.js", "lib/deep/a.js")],
    )
    assert text("lib/deep/a.js") == BODY + "require('../b')\nrequire('../c')\n"


def test_files_that_moved_together_stay(moved):
    files = {
        "a/x.c": '#include "x.h"\n' + BODY,
        "a/x.h": BODY,
        "a/y.js": "import './z'\n" + BODY,
        "a/z.js": BODY + "1\n",
    }
    assert moved(files, [("a", "b")]) == []


def test_a_rename_updates_includes_go_imports_and_modules_of_rust(applied, text):
    applied(
        {
            "go.mod": "module example.com/m\n\ngo 1.22\n",
            "old/a.go": "package old\n" + BODY,
            "main.go": 'package main\n\nimport (\n\t"fmt"\n\n\t"example.com/m/old"\n)\n\nvar x = old.X\n',
            "src/util.h": BODY,
            "src/util.c": '#include "util.h"\n#include <stdio.h>\n',
            "test/t.c": '#include "../src/util.h"\n',
            "Cargo.toml": '[package]\nname = "my-crate"\n',
            "src/lib.rs": "mod first;\nmod second;\n",
            "src/first.rs": "// a module\n" + BODY,
            "src/second.rs": "use crate::first::{A, b::C};\nuse super::first;\nfn f() { crate::first::g() }\n",
            "tests/it.rs": "use my_crate::first::A;\n",
        },
        [("old", "fresh"), ("src/util.h", "src/helper.h"), ("src/first.rs", "src/prime.rs")],
    )
    assert '"example.com/m/fresh"\n' in text("main.go")
    assert "old.X" in text("main.go")
    assert text("src/util.c") == '#include "helper.h"\n#include <stdio.h>\n'
    assert text("test/t.c") == '#include "../src/helper.h"\n'
    assert text("src/lib.rs") == "mod prime;\nmod second;\n"
    assert text("src/second.rs") == ("use crate::prime::{A, b::C};\nuse super::prime;\nfn f() { crate::prime::g() }\n")
    assert text("tests/it.rs") == "use my_crate::prime::A;\n"


def test_a_rename_updates_pages_and_styles(applied, text):
    applied(
        {
            "img/a b.png": BODY,
            "site/index.html": '<img src="../img/a%20b.png"><a\n href=other.html#x>x</a>\n<!-- <img src="x"> -->\n',
            "site/other.html": BODY + "<p>\n",
            "site/main.css": "x { background: url('../img/a%20b.png') }\n/* ../img/a%20b.png */\n",
        },
        [("img/a b.png", "img/c d.png"), ("site/other.html", "site/more.html")],
    )
    assert text("site/index.html") == (
        '<img src="../img/c%20d.png"><a\n href=more.html#x>x</a>\n<!-- <img src="x"> -->\n'
    )
    assert text("site/main.css") == "x { background: url('../img/c%20d.png') }\n/* ../img/a%20b.png */\n"


@settings(deadline=None)
@given(
    st.sampled_from(sorted(LANGUAGES)),
    st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")),
)
def test_any_text_is_searched_without_an_error(suffix, text):
    moves = Moves({"a.js": "b.js", "x/y.rs": "x/z.rs"}, frozenset({"c.h"}), frozenset({"b.js", "x/z.rs", f"f{suffix}"}))
    found = find_references(f"f{suffix}", text, moves, Projects(moves, lambda path: None))
    assert all(0 <= s.start <= s.end <= len(text) for s in found.spans)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
@pytest.mark.parametrize("piece", ["(", "{", "<a ", "a.", "use {", "mod a{", "`${", "#if 1\n", "\0", "[["])
def test_deep_nesting_does_not_end_the_process(language, piece):
    text = piece * (60_000 // len(piece))
    try:
        source_references(text, language)
    except ValueError as error:
        assert "parse" in str(error)


def test_what_is_too_large_is_refused():
    with pytest.raises(ValueError, match="too large"):
        source_references("a" * ((1 << 20) + 1), "go")


def test_requires_and_imports_follow_and_those_of_a_deleted_module_are_named(applied, repo, see, text):
    use = "import x from '{0}.js'\nvar y = require('{0}').y\n  , z = require('{0}.js').z;\n"
    files = {"lib/utils.js": "exports.y = 1\n" * 9, "lib/app.js": use.format("./utils"),
             "test/app.js": use.format("../lib/utils")}  # fmt: skip
    (found,) = applied(files, [("lib/utils.js", "lib/helpers.js")])
    assert found.title == "Update 6 references to renamed lib/utils.js"
    assert text("lib/app.js") == use.format("./helpers")
    assert text("test/app.js") == use.format("../lib/helpers")
    repo.git("rm", "-q", "lib/helpers.js")
    repo.git("commit", "-qam", "delete")
    (note,) = StaleReference().look(see("commit"))
    assert note.title == "6 references to deleted lib/helpers.js"
    assert all(f"{path}:{line}" in note.action.text for path in ("lib/app.js", "test/app.js") for line in (1, 2, 3))


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("src/u.ts", "import './pay'", "import './bill'"),
        ("src/u.ts", 'import("./pay.js")', 'import("./bill.js")'),
        ("src/d/u.js", "require('../pay?raw')", "require('../bill?raw')"),
        ("src/lib/deep/u.js", "import '..'", "import '../../all'"),
        ("src/lib/u.js", "import '.'", "import '../all'"),
        ("src/u.js", "import './lib/'", "import './all/'"),
        ("src/u.tsx", "import y, {x} from './pay.test'", "import y, {x} from './bill.test'"),
        ("src/x.c", "#include <p.h>\n", "#include <q.h>\n"),
        ("src/x.c", '#include "p.h"\n', '#include "q.h"\n'),
        ("x.go", "package x\nimport `m/old`\n", "package x\nimport `m/new`\n"),
        ("src/u.ts", "// pay\nconst pay = 'a pay'", "// pay\nconst pay = 'a pay'"),
    ],
)
def test_a_file_is_parsed_if_it_may_name_what_moved(path, text, expected):
    moved = {
        "src/pay.ts": "src/bill.ts", "src/pay.test.ts": "src/bill.test.ts", "src/lib/index.js": "src/all/index.js",
        "src/p.h": "src/q.h", "old/a.go": "new/a.go",
    }  # fmt: skip
    texts = {path: text, "go.mod": "module m\n", "new/a.go": "package old\n"}
    moves = Moves(moved, frozenset(), frozenset({*moved.values(), *texts}))
    found = find_references(path, text, moves, Projects(moves, texts.get))
    assert replaced(text, sorted(found.spans)) == expected
