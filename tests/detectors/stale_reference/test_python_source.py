"""A Python file with exact places, and uses of a name that are rewritten only when they are certain."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.python_source import PythonSource, parsed


def source(text):
    tree = parsed(text)
    assert tree is not None
    return PythonSource(text, tree)


def rebound(text, old, new):
    spans = source(text).rebound(old, new)
    if spans is None:
        return None
    for start, end, fresh in sorted(spans, reverse=True):
        assert text[start:end] == old
        text = text[:start] + fresh + text[end:]
    return text


@pytest.mark.parametrize("text", ["def", "a\0b", "(" * 10_000, "print 'x'"])
def test_what_does_not_parse_has_no_tree(text):
    assert parsed(text) is None


@pytest.mark.parametrize("lead", ["", "\ufeff", "é = 'ß'\r\n", "'''\r\nü\n'''\n"])
def test_places_are_characters_whatever_stands_before(lead):
    text = f"{lead}ö = 'ä'; import pay\n"
    found = source(text)
    [node] = found.imports
    start, end = found.span(node)
    assert text[start:end] == "import pay"


def test_imports_are_found_in_every_block():
    text = (
        "import a\ntry:\n    import b\nexcept E:\n    import c\nfinally:\n    import d\ndef f():\n    from e import g\n"
    )
    found = source(text)
    assert [name for name, _ in found.imported] == ["a", "b", "c", "d", "g"]


def test_names_that_anything_but_an_import_binds_are_known():
    text = (
        "import i\nx = 1\ndef f(a, *b, **c): global g\nclass K: pass\nwith o as w: pass\nfor l in y: pass\n"
        "try: pass\nexcept E as e: pass\nmatch v:\n    case [*s, m]: pass\n    case {**r}: pass\ndel d\n(n := 1)\n"
    )
    assert source(text).bound == set("xfabcgKwlesmrdn")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import pay\npay.run(pay)\n", "import pay\nbill.run(bill)\n"),
        ('import pay\nf"{pay.x} and {pay}"\n', 'import pay\nf"{bill.x} and {bill}"\n'),
        ("import pay\nx.pay()\nrepay\n", "import pay\nx.pay()\nrepay\n"),
    ],
)
def test_every_use_of_an_imported_name_is_rewritten(text, expected):
    assert rebound(text, "pay", "bill") == expected


@pytest.mark.parametrize(
    "text",
    [
        "import pay\npay = 1\npay\n",  # bound anew
        "import pay\ndef f(pay): pay\n",  # an argument
        "import pay\nbill = 2\npay\n",  # the new name is taken
        "import pay\nfrom x import bill\npay\n",  # by an import of something else
        "import pay\n__all__ = ['pay']\n",  # a string may mean it
        "import pay\nfrom x import pay\n",  # two imports bind it
        'import pay\nf"pay {pay}"\n',  # a word of the text looks the same
    ],
)
def test_what_is_not_certain_is_not_rewritten(text):
    assert rebound(text, "pay", "bill") is None


def test_a_dotted_name_is_rewritten_where_all_of_it_is_spelled():
    text = "import pkg.pay\npkg.pay.run()\npkg.other\n"
    assert rebound(text, "pkg.pay", "pkg.bill") == "import pkg.pay\npkg.bill.run()\npkg.other\n"
    assert rebound("import pkg.pay\npkg\n", "pkg.pay", "new.bill") is None, "only this import brings the package in"


def test_chains_hang_on_packages_that_only_plain_imports_bind():
    def chains(text):
        return [".".join(parts) for _, _, parts in source(text).chains()]

    assert chains("import a.b\na.b.c\n") == ["a.b.c", "a.b"]
    assert chains("import a.b\na = 1\na.b.c\n") == []
    assert chains("from x import a\na.b.c\n") == []


def test_a_short_string_may_name_it_and_a_dotted_reference_of_its_own_does_not():
    assert source("x = 'pay'").mentions("pay")
    assert source("x: 'list[pay]'").mentions("pay")
    assert not source("x = 'pay me now!'").mentions("pay")
    assert not source("x = 'repay'").mentions("pay")
    assert not source("x = 'pkg.pay.run'").mentions("pkg.pay")


@pytest.mark.parametrize("name", ["pay.run", "pay", "list[pay]"])
def test_a_string_that_is_rewritten_itself_mentions_nothing_more(name):
    text = f"import pay\npatch('{name}')\n"
    assert source(text).mentions("pay") and not source(text).mentions("pay", [text.index("pay", 12)])
