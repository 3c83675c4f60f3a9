"""The Python programs of a document follow a renamed module: imports, and what the programs do with them."""

from __future__ import annotations

import pytest

FILES = {"shop/__init__.py": "", "shop/pay.py": "def charge(n):\n    return n\n", "link.md": "[x](shop/pay.py)\n"}
MOVES = [("shop/pay.py", "shop/bill.py")]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("README.md", "Use it:\n\n```python\nfrom shop.pay import charge\n\ncharge(1)\n```\n"),
        (
            "README.md",
            "```py\nimport shop.pay\nshop.pay.charge(1)\n```\n\nThen\n\n```python\nshop.pay.charge(2)\n```\n",
        ),
        ("README.md", "~~~python title='a.py'\nfrom shop import pay as p\n~~~\n"),
        ("README.md", "```pycon\n>>> from shop.pay import charge\n>>> charge(1)\n1\n```\n"),
        ("README.md", "```python\n>>> from shop.pay import (\n...     charge,\n... )\nis out\n```\n"),
        ("README.md", "- an item\n\n  ```python\n  from shop.pay import charge\n  ```\n"),
        ("README.md", "```{code-block} python\nfrom shop.pay import charge\n```\n"),
        ("docs/a.rst", "So::\n\n    from shop.pay import charge\n    charge(1)\n\nAnd so on.\n"),
        ("docs/a.rst", ".. code-block:: python\n   :linenos:\n\n   from shop.pay import charge\n"),
        ("docs/a.rst", ">>> from shop.pay import charge\n>>> charge(1)\n1\n"),
        ("docs/a.rst", ".. doctest::\n\n   >>> import shop.pay\n   >>> shop.pay.charge(1)\n   1\n"),
    ],
)
def test_a_program_in_a_document_follows_the_module(applied, text, path, document):
    applied({**FILES, path: document}, MOVES)
    # `p` is the name of the reader's own; the module alone is called otherwise.
    expected = document.replace("shop.pay", "shop.bill").replace("import pay as p", "import bill as p")
    assert text(path) == expected


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("README.md", "```\nfrom shop.pay import charge\n```\n"),
        ("README.md", "```console\n$ python -c 'x'\nfrom shop.pay import charge\n```\n"),
        ("README.md", "```python\nfrom shop.pay import charge\n```\n\n```python\nif pay charge:\n```\n"),
        ("README.md", "```python\nfrom .pay import charge\n```\n"),
        ("README.md", "```python\nfrom other.pay import charge\n```\n"),
        ("docs/a.rst", ".. A comment::\n\n   from shop.pay import charge\n"),
        ("docs/a.rst", ".. code-block:: text\n\n   from shop.pay import charge\n"),
        ("docs/a.rst", "So::\n\n   from shop.pay import charge or so\n"),
        ("CHANGELOG.md", "```python\nfrom shop.pay import charge\n```\n"),
    ],
)
def test_what_is_no_program_or_names_another_module_stays(applied, text, path, document):
    applied({**FILES, path: document}, MOVES)
    assert text(path) == document


def test_a_renamed_package_is_followed_in_all_programs_of_a_document(applied, text):
    document = "```python\nimport shop\n```\n\nThen `shop` it:\n\n```python\nshop.charge(1)\n\nx = shop.pay\n```\n"
    applied(
        {"shop/__init__.py": "def charge(n):\n    return n\n", "shop/pay.py": "p = 1\n", "README.md": document},
        [("shop", "store")],
    )
    assert text("README.md") == (
        "```python\nimport store\n```\n\nThen `shop` it:\n\n```python\nstore.charge(1)\n\nx = store.pay\n```\n"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("```python\nshop.pay.charge(1)\n```\n", "```python\nstore.pay.charge(1)\n```\n"),
        ("```pycon\n>>> r = shop.charge(1)\n```\n", "```pycon\n>>> r = store.charge(1)\n```\n"),
        ("`shop.pay` and `shop` and `x.pay`\n", "`store.pay` and `shop` and `x.pay`\n"),
        ("```python\nshop = open()\nshop.charge(1)\n```\n", None),
        ("```python\nfor shop in shops:\n    shop.charge(1)\n```\n", None),
        ("```python\nstore = 1\nshop.charge(1)\n```\n", None),
        ("```python\nimport shop.pay as shop\nshop.run(1)\n```\n",
         "```python\nimport store.pay as shop\nshop.run(1)\n```\n"),
    ],
)  # fmt: skip
def test_a_document_uses_a_package_that_is_called_otherwise_without_importing_it(applied, text, document, expected):
    applied({**FILES, "README.md": document}, [("shop", "store")])
    assert text("README.md") == (document if expected is None else expected)


def test_a_package_whose_name_something_else_has_is_not_understood(applied, text):
    document = "```python\nshop.charge(1)\n```\n\n`shop.charge`\n"
    applied({**FILES, "docs/shop/a.md": "x\n", "README.md": document}, [("shop", "store")])
    assert text("README.md") == document
