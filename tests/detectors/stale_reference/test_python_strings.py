"""Module names in strings: setup.py, plugins, patch targets; labels and what a package binds stay."""

from __future__ import annotations

import pytest

PAY = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
FILES = {"pkg/__init__.py": "", "pkg/pay.py": PAY, "single.py": PAY + "A = 1\n"}
MOVES = [("pkg/pay.py", "pkg/bill.py"), ("single.py", "alone.py")]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("setup.py", "setup(py_modules=['single'], entry_points={'console_scripts': ['till = pkg.pay:f']})"),
        (
            "setup.py",
            'setup(entry_points="""\n    [console_scripts]\n    till = pkg.pay:f [extra]\n    b=single:g\n    """)',
        ),
        ("setup.py", "setup(entry_points={'x': ['a=pkg.pay', 'b = single:A.b']}, py_modules=('other', 'single'))"),
        ("conftest.py", "pytest_plugins = ['single', 'pkg.pay']"),
        ("conftest.py", "pytest_plugins = 'single'"),
        ("conftest.py", "pytest_plugins: list[str] = ['single']"),
        ("tests/conftest.py", "pytest_plugins = ('other', \"pkg.pay\")"),
        ("use.py", "importlib.import_module('single')"),
        ("use.py", "patch('pkg.pay.f')"),
        ("use.py", "monkeypatch.setattr('single.A', 2)"),
        ("use.py", "INSTALLED = ['pkg.pay', 'pkg.pay:f']"),
        ("use.py", "pytest.importorskip('single')"),
    ],
)
def test_a_string_that_names_a_module_follows_it(applied, text, path, line):
    applied({**FILES, path: line + "\n"}, MOVES)
    assert text(path) == line.replace("pkg.pay", "pkg.bill").replace("single", "alone") + "\n"


@pytest.mark.parametrize(
    "line",
    [
        "log = logging.getLogger('pkg.pay')",
        "x = 'single'",
        "'pkg.pay is a module'",
        "x = 'see pkg.pay for more'",
        "patch.object(x, 'single')",
        "x = b'pkg.pay'",
        "x = f'{y}pkg.pay'",
        "x = 'pkg\\x2epay'",
    ],
)
def test_labels_and_prose_stay(applied, text, line):
    applied({**FILES, "use.py": line + "\n"}, MOVES)
    assert text("use.py") == line + "\n"


def test_a_string_that_may_mean_what_the_package_binds_is_a_doubt(applied, text):
    files = {"pkg/__init__.py": "from .pay import pay\n", "pkg/pay.py": PAY + "def pay(): pass\n",
             "use.py": "patch('pkg.pay')\n", "sure.py": "from pkg.pay import pay\n"}  # fmt: skip
    (found,) = applied(files, [("pkg/pay.py", "pkg/bill.py")])
    assert text("use.py") == "patch('pkg.pay')\n"
    assert any("use.py:1" in words for words in found.unchecked)
