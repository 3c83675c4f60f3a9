"""Imports in the blocks of code of a document follow what moved, where the block says what they mean."""

from __future__ import annotations

import pytest

GO = {"go.mod": "module example.com/m\n", "doc/a.go": "package doc\n\nfunc A() {}\n\nfunc B() {}\n"}
JS = {"package.json": '{"name": "it"}\n', "lib/option.js": "export const a = 1;\n" * 3, "lib/x.js": "let x;\n"}
RUST = {"Cargo.toml": '[package]\nname = "it"\n', "src/lib.rs": "pub mod old;\n", "src/old.rs": "pub fn f() {}\n" * 3}
PLACE = "src/main/java/com/me"
JAVA = {f"{PLACE}/Old.java": "package com.me;\n\npublic class Old {\n  int a = 1;\n  int b = 2;\n}\n"}


def block(language, code):
    return f"# Use\n\n```{language}\n{code}\n```\n"


def check(applied, text, files, move, page, before, after):
    found = applied({**files, page: before, "x.md": f"[x]({move[0]})\n"}, [move])
    assert text(page) == after
    return [words for one in found for words in one.unchecked if words.startswith(page)]


@pytest.mark.parametrize("language", ["go", "golang", "Go", "go {linenos=true}"])
@pytest.mark.parametrize(
    "code",
    ['package main\n\nimport (\n\t"fmt"\n\n\t"example.com/m/doc"\n)\n\nfunc main() { doc.A() }',
     'import "example.com/m/doc"', 'import d "example.com/m/doc"\n\nd.A()'],
)  # fmt: skip
@pytest.mark.parametrize("page", ["site/use.md", "gendoc/README.md"])
def test_an_import_of_go_follows(applied, text, language, code, page):
    after = block(language, code.replace("m/doc", "m/gendoc"))
    assert check(applied, text, GO, ("doc/a.go", "gendoc/a.go"), page, block(language, code), after) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Run `example.com/m/doc`.", "Run `example.com/m/gendoc`."),
        ("```sh\ngo get example.com/m/doc@latest\n```", "```sh\ngo get example.com/m/gendoc@latest\n```"),
        ("```console\n$ go test example.com/m/doc/...\n```", "```console\n$ go test example.com/m/gendoc/...\n```"),
    ],
)
def test_a_whole_import_path_in_a_command_or_a_span_follows(applied, text, before, after):
    assert check(applied, text, GO, ("doc/a.go", "gendoc/a.go"), "use.md", before + "\n", after + "\n") == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import {a} from './lib/option.js'", "import {a} from './lib/new.js'"),
        ("const o = require('it/lib/option');\no.a", "const o = require('it/lib/new');\no.a"),
        ("import {a} from './option.js'", None),
        ("import {a} from 'option.js'", None),
    ],
)
@pytest.mark.parametrize("language", ["js", "javascript", "ts", "jsx", "tsx"])
def test_a_specifier_that_leads_to_the_file_follows(applied, text, code, expected, language):
    before, after = block(language, code), block(language, expected or code)
    check(applied, text, JS, ("lib/option.js", "lib/new.js"), "README.md", before, after)


def test_a_specifier_beside_its_document_is_told(applied, text):
    page = block("js", "import {a} from './option.js'")
    (told,) = check(applied, text, JS, ("lib/option.js", "lib/new.js"), "lib/README.md", page, page)
    assert told == "lib/README.md:4 was left alone: what an import in a block of code starts from is not certain"


@pytest.mark.parametrize("language", ["rust", "rust,ignore", "rs"])
def test_a_path_of_a_crate_follows(applied, text, language):
    before = block(language, "use it::old::f;\n\nfn main() {\n    it::old::f();\n}")
    after = before.replace("it::old", "it::new")
    assert check(applied, text, RUST, ("src/old.rs", "src/new.rs"), "README.md", before, after) == []


def test_a_path_from_the_root_of_some_crate_is_told(applied, text):
    page = block("rust", "use crate::old::f;")
    (told,) = check(applied, text, RUST, ("src/old.rs", "src/new.rs"), "README.md", page, page)
    assert told.startswith("README.md:4 was left alone: what an import in a block of code")


def test_an_import_of_java_follows(applied, text):
    before = block("java", "import com.me.Old;\n\nOld o = new Old();\ncom.me.Old p;")
    after = before.replace("com.me.Old", "com.me.New").replace("Old", "New")
    move = (f"{PLACE}/Old.java", f"{PLACE}/New.java")
    assert check(applied, text, JAVA, move, "README.md", before, after) == []


@pytest.mark.parametrize("language", ["", "text", "python", "c", "diff"])
def test_an_import_in_another_block_of_code_stays_and_is_told(applied, text, language):
    page = block(language, '-import "example.com/m/doc"')
    told = check(applied, text, GO, ("doc/a.go", "gendoc/a.go"), "use.md", page, page)
    assert told == ["use.md:4 names example.com/m/doc: prose or a code block, which was not checked"]
