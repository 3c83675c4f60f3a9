"""What a module binds at its top level, in the order of its statements."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.bindings import bindings_of


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a.b, c as d\nfrom e import f as g\n", {"a", "d", "g"}),
        ("def f(x):\n    y = 1\nclass C:\n    z = 2\nasync def h(): pass\n", {"f", "C", "h"}),
        ("a, (b, *c) = d = x\ne: int = 1\nf: int\ng += 1\n", {"a", "b", "c", "d", "e"}),
        ("try:\n    import a\nexcept E:\n    a = None\nelse:\n    b = 1\nfinally:\n    c = 1\n", {"a", "b", "c"}),
        ("if x:\n    a = 1\nelse:\n    b = 2\nfor c in x:\n    d = 1\nwith x as e:\n    f = 1\n", set("abcdef")),
        ("match x:\n    case 1:\n        a = 1\n", {"a"}),
    ],
)
def test_names_are_bound_by_every_statement_that_runs_at_import(text, names):
    found = bindings_of(text)
    assert found is not None and set(found.last) == names


def test_the_origin_of_an_import_and_the_exported_names_are_known():
    found = bindings_of("from .a import b as c\nfrom .d import *\n__all__ = ['x']\n__all__ += ['y']\n")
    assert found is not None
    assert found.last["c"][1] == (1, "a", "b") and found.stars[0].module == "d"
    assert found.public() == {"x", "y"} and set(found.first_import) == {"a", "d"}


def test_an_export_that_is_computed_is_not_known():
    found = bindings_of("__all__ = ['x']\n__all__ += other.__all__\n_p = q = 1\n")
    assert found is not None and found.exported is None
    assert found.public() == {"q"}


def test_a_module_with_getattr_is_dynamic_and_one_that_cannot_be_parsed_has_none():
    found = bindings_of("__getattr__, __dir__, __all__ = attach(__name__)\n")
    assert found is not None and found.dynamic
    assert bindings_of("def f(:\n") is None and bindings_of("(" * 10_000) is None
