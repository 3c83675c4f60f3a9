"""Modules reached by other ways than an import of their own: through the package, a pattern, a setting."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PAY = "def charge(n):\n    return n * 2\n"


def after(repo, path):
    return (repo.root / path).read_bytes().decode()


def test_a_submodule_reached_through_its_package_is_followed(repo, moved, apply):
    found = moved(
        {
            "app/__init__.py": "from .pay import charge as charge\nfrom .tax import tax\n",
            "app/pay.py": PAY,
            "app/tax.py": "tax = 1\n",
            "use.py": "import app\n\nprint(app.pay.charge, app.charge, app.tax)\n",
            "both.py": 'import app.pay\n\nprint(app.charge, app.pay.x)\npatch("app.pay.x")\n',
            "local.py": "import app\n\n\ndef f(app):\n    return app.pay\n",
        },
        [("app/pay.py", "app/billing.py"), ("app/tax.py", "app/rate.py")],
    )
    apply(found[0])
    assert after(repo, "use.py") == "import app\n\nprint(app.billing.charge, app.charge, app.tax)\n"
    assert after(repo, "both.py") == 'import app.billing\n\nprint(app.charge, app.billing.x)\npatch("app.billing.x")\n'
    assert after(repo, "local.py") == "import app\n\n\ndef f(app):\n    return app.pay\n"
    assert not any("app.tax" in words for words in found[0].unchecked), "the package binds it: it is right as it is"


def test_the_pattern_of_a_moved_directory_and_modules_in_any_ini_follow(repo, moved, apply):
    found = moved(
        {
            "app/core/__init__.py": "",
            "app/core/pay.py": PAY,
            "ci.yml": "paths:\n  - 'app/core/**'\n  - 'app/cor*'\nenv:\n  SETTINGS_MODULE: core.pay\n",
            "check.ini": "[x]\nplugins = app.core.pay\n",
            ".gitignore": "/app/core/*.log\n",
            "build/make.py": "from app.core.pay import charge\n",
        },
        [("app/core", "app/kernel")],
    )
    apply(found[0])
    assert "app/kernel/**" in after(repo, "ci.yml") and "app/cor*" in after(repo, "ci.yml")
    assert after(repo, "check.ini") == "[x]\nplugins = app.kernel.pay\n"
    assert after(repo, ".gitignore") == "/app/kernel/*.log\n"
    assert after(repo, "build/make.py") == "from app.kernel.pay import charge\n"


FILLER = "".join(f"\n\ndef helper_{i}():\n    return {i}\n" for i in range(6))


def runs(repo, code, *paths):
    """The output of a program in the work tree, with import roots below it."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(str(repo.root / p) for p in ("", *paths))}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repo.root, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


PACKAGE = "def pay(x):\n    return x\n\n\nRATE = 2\n" + FILLER
REEXPORTS = [
    ("from .pay import pay\n", "from pkg import pay\nprint(pay(3))\n", "3"),
    ("from .pay import pay as pay, RATE\n", "import pkg\nprint(pkg.pay(3))\n", "3"),
    ("from .pay import *\n", "from pkg import pay\nprint(pay(3))\n", "3"),
    ("from .pay import *\n__all__ = ['pay']\n", "from pkg import pay, RATE\nprint(pay(RATE))\n", "2"),
    ("from pkg.pay import pay\n", "from pkg import pay as p\nprint(p(4))\n", "4"),
    ("from .pay import RATE\n", "from pkg import pay\nprint(pay.RATE)\n", "2"),
    ("from . import pay\n", "from pkg import pay\nprint(pay.pay(6))\n", "6"),
    ("", "import pkg.pay\nprint(pkg.pay.pay(7))\n", "7"),
    ("from .pay import pay\n", "from pkg.pay import RATE\nfrom pkg import pay\nprint(pay(RATE))\n", "2"),
]


@pytest.mark.parametrize(("init", "use", "output"), REEXPORTS)
def test_a_program_prints_the_same_after_the_patch(repo, applied, init, use, output):
    applied({"pkg/__init__.py": init, "pkg/pay.py": PACKAGE, "main.py": use}, [("pkg/pay.py", "pkg/_pay.py")])
    assert runs(repo, (repo.root / "main.py").read_text()) == output


@pytest.mark.parametrize(
    "init",
    [
        "def __getattr__(name):\n    from importlib import import_module\n    return import_module('pkg.pay').pay\n",
        "from unknown_package import *\n",
        "pay = None\nfrom .pay import RATE\n",
    ],
)
def test_what_a_package_decides_at_run_time_is_a_doubt(applied, text, init):
    use = "from pkg import pay\n"
    files = {"pkg/__init__.py": init, "pkg/pay.py": PACKAGE, "main.py": use, "README.md": "[x](pkg/pay.py)\n"}
    found = applied(files, [("pkg/pay.py", "pkg/_pay.py")])
    assert text("main.py") == use
    assert any(words.startswith("main.py:1") for f in found for words in f.unchecked), found


ROOTS = [
    ("src", {}),
    ("lib", {"setup.cfg": "[options]\npackage_dir =\n    = lib\n"}),
    ("code", {"pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["code"]\n'}),
    ("python", {"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = "python"\n'}),
    ("source", {"setup.py": "from setuptools import setup\n\nsetup(package_dir={'': 'source'})\n"}),
]


@pytest.mark.parametrize(("root", "stated"), ROOTS)
def test_moving_into_a_source_layout_does_not_change_import_names(repo, applied, text, root, stated):
    files = {"pkg/__init__.py": "from .a import A\n", "pkg/a.py": "A = 1\n" + FILLER, "README.md": "[a](pkg/a.py)\n",
             "tests/test_a.py": "from pkg.a import A\nimport pkg.a\n\nassert A == pkg.a.A\n", **stated}  # fmt: skip
    applied(files, [("pkg", f"{root}/pkg")])
    assert text("tests/test_a.py") == files["tests/test_a.py"] and text("README.md") == f"[a]({root}/pkg/a.py)\n"
    runs(repo, text("tests/test_a.py"), root)


def test_a_module_renamed_while_it_moves_into_a_source_layout_keeps_the_root(repo, applied, text):
    applied({"pkg/__init__.py": "", "pkg/a.py": "A = 1\n" + FILLER, "tests/t.py": "from pkg.a import A\n"},
            [("pkg/a.py", "src/pkg/b.py"), ("pkg/__init__.py", "src/pkg/__init__.py")])  # fmt: skip
    assert text("tests/t.py") == "from pkg.b import A\n"
    runs(repo, text("tests/t.py"), "src")


BECOMES = [
    ("pkg/json.py", "pkg/json/__init__.py", "from .globals import G\n", "from ..globals import G\n"),
    ("pkg/json.py", "pkg/json/core.py", "from .globals import G\n", "from ..globals import G\n"),
    ("pkg/json/__init__.py", "pkg/json.py", "from ..globals import G\n", "from .globals import G\n"),
]


@pytest.mark.parametrize(("old", "new", "before", "after_"), BECOMES)
def test_a_module_that_becomes_a_package_or_back_still_imports_its_neighbours(
    repo, applied, text, old, new, before, after_
):
    body = "\n\ndef dumps(x):\n    return str(x)\n" + FILLER
    applied({"pkg/__init__.py": "from . import json\n", "pkg/globals.py": "G = 1\n", old: before + body,
             "tests/t.py": 'import pkg.json\n\nassert pkg.json.dumps(1) == "1"\n'}, [(old, new)])  # fmt: skip
    assert text(new) == after_ + body
    name = "pkg.json.core" if new.endswith("core.py") else "pkg.json"
    assert runs(repo, f"from {name} import G; print(G)") == "1"


def test_an_import_that_needs_no_change_is_no_part_of_a_patch(moved):
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "A = 1\n" + FILLER,
        "use.py": "import pkg\nimport pkg.a\nprint(pkg.a.A)\n",
    }
    assert moved(files, [("pkg/a.py", "pkg/a/__init__.py")]) == []


def test_a_script_that_moved_away_from_its_neighbour_is_a_doubt(applied, text):
    found = applied({"tools/run.py": "import helper\n" + FILLER, "tools/helper.py": "x = 1\n",
                     "ci.yml": "run: python tools/run.py\n"}, [("tools/run.py", "bin/run.py")])  # fmt: skip
    assert any("`helper` may not be found" in words for words in found[0].unchecked)


def test_deep_nesting_and_long_files_are_a_doubt_and_take_no_time(applied, text):
    deep = "import pay\nx = " + "(" * 5_000 + ")" * 5_000 + "\n"
    chain = "import pay\nx = pay" + ".a" * 20_000 + "\n"
    found = applied({"pay.py": PACKAGE, "deep.py": deep, "chain.py": chain, "use.py": "import pay\n"},
                    [("pay.py", "bill.py")])  # fmt: skip
    assert text("deep.py") == deep and text("use.py") == "import bill\n"
    assert any(words.startswith("deep.py") for words in found[0].unchecked)


@pytest.mark.parametrize("name", ["shop.pay.run", "shop.pay"])
def test_a_string_that_follows_does_not_keep_the_uses_of_a_package_back(applied, text, name):
    use = 'from unittest.mock import patch\n\nimport shop\n\nwith patch("{}"):\n    {}.pay.run()\n'
    files = {"shop/__init__.py": "from . import pay\n", "shop/pay.py": "def run():\n    return 1\n" + FILLER}
    applied({**files, "t.py": use.format(name, "shop")}, [("shop", "store")])
    assert text("t.py") == use.format(name.replace("shop", "store"), "store").replace("import shop", "import store")
