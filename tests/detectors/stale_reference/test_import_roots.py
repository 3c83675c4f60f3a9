"""Import roots from the configuration of every usual tool; what is odd states none."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.import_roots import stated_roots


def roots(path, text):
    return sorted(found.root for found in stated_roots({path: text}))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "code"\n'),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["code"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["code"]\n'),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = "code"\n'),
        ("pyproject.toml", '[[tool.poetry.packages]]\ninclude = "x"\nfrom = "code"\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\npackages = ["code/x"]\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\nsources = ["code"]\n'),
        ("pyproject.toml", '[tool.pdm.build]\npackage-dir = "code"\n'),
        ("pyproject.toml", '[tool.maturin]\npython-source = "code"\n'),
        ("pyproject.toml", '[tool.mypy]\nmypy_path = "code"\n'),
        ("setup.cfg", "[options]\npackage_dir =\n    =code\n"),
        ("setup.cfg", "[options.packages.find]\nwhere = code\n"),
        ("setup.cfg", "[tool:pytest]\npythonpath = code\n"),
        ("pytest.ini", "[pytest]\npythonpath = code\n"),
        ("tox.ini", "[testenv]\nsetenv =\n    PYTHONPATH = {toxinidir}/code\n"),
        ("setup.py", 'from setuptools import setup\nsetup(package_dir={"": "code"})\n'),
        ("setup.py", 'setup(packages=find_packages(where="code"))\n'),
        ("setup.py", 'setup(packages=setuptools.find_packages("code"))\n'),
        (".env", "PYTHONPATH=code\n"),
        ("sub/pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["../code"]\n'),
    ],
)
def test_every_usual_way_to_state_a_root_is_read(path, text):
    assert roots(path, text) == ["code"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[tool\n"),
        ("pyproject.toml", "tool = 1\n"),
        ("pyproject.toml", "[tool.setuptools]\npackages = 1\npackage-dir = 2\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["../out", "/abs"]\n'),
        ("pyproject.toml", "x = " + "[" * 3_000),
        ("setup.cfg", "no section\n"),
        ("setup.py", "setup(package_dir=made())\n"),
        ("setup.py", "def f(:\n"),
        (".env", "PYTHONPATH=$HOME/code\n"),
    ],
)
def test_what_is_odd_or_leaves_the_tree_states_none(path, text):
    assert roots(path, text) == []
