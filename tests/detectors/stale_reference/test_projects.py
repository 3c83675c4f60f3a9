"""Project files state names; whatever they hold, reading them fails for nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Alias, Projects

NAMES = ("tsconfig.json", "package.json", "go.mod", "Cargo.toml", "web/package.json")


def of(texts):
    return Projects(Moves({}, frozenset(), frozenset(texts)), texts.get)


def test_aliases_packages_modules_and_crates_are_read():
    found = of({
        "tsconfig.json": '{"compilerOptions": {"paths": {"~/*": ["./app/*"], "one": ["x"]}}, /* c */}',
        "web/package.json": '{"name": "@me/web"}',
        "go.mod": "// c\nmodule example.com/m // x\n",
        "Cargo.toml": '[package]\nname = "a-b"\n[[bin]]\npath = "cmd/x.rs"\n',
    })  # fmt: skip
    assert found.aliases == [Alias("", "~/", "app/"), Alias("", "@me/web/", "web/")]
    assert found.go_modules == [("example.com/m", "")]
    assert found.crates == {"a_b": "src"}
    assert found.crate_roots == {"cmd/x.rs"}


def test_what_leads_out_of_the_tree_is_no_name_in_it():
    found = of({"tsconfig.json": '{"compilerOptions": {"paths": {"~/*": ["../../*"], "/*": ["/etc/*"]}}}'})
    assert found.aliases == []


@given(
    st.sampled_from(NAMES),
    st.text() | st.sampled_from(["[" * 100_000, '{"compilerOptions": {"paths": 1}}', "[lib]\npath=1"]),
)
def test_any_text_is_read(name, text):
    found = of({name: text})
    assert found.aliases is not None
    assert found.go_modules is not None
    assert found.crates is not None
    assert found.crate_roots is not None


def test_the_pages_of_a_book_are_those_below_its_source():
    found = of({"guide/book.toml": "[book]\n", "book.toml": "[book]\nsrc = 'pages'\n", "bad/book.toml": "["})
    assert found.is_in_book("guide/src/a/b.md") and found.is_in_book("pages/a.md")
    assert not found.is_in_book("guide/a.md") and not found.is_in_book("src/a.md")
