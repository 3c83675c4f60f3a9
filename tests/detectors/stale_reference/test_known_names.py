"""What others know stays, the former address of a redirect and the name of an export; where it leads follows."""

from __future__ import annotations

import pytest

FILES = {"docs/old.md": "# Old\n\nA page.\n", "README.md": "[x](docs/old.md)\n", "mkdocs.yml": "site_name: x\n"}
MOVES = [("docs/old.md", "docs/new.md")]


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("mkdocs.yml", "plugins:\n  - redirects:\n      redirect_maps:\n        'old.md': 'other.md'\n"),
        ("mkdocs.yml", "plugins:\n  - redirects:\n      redirect_maps:\n        docs/old.md: other.md\n"),
        ("vercel.json", '{\n  "redirects": [\n    {"source": "docs/old.md", "destination": "/x"}\n  ]\n}\n'),
        ("netlify.toml", '[[redirects]]\nfrom = "docs/old.md"\nto = "/x"\n'),
        ("docs/redirects.txt", "docs/old.md other.md\n"),
        ("site/redirects.yml", "docs/old.md: other.md\n"),
    ],
)
def test_a_former_address_stays(applied, text, path, document):
    applied({**FILES, path: document}, MOVES)
    assert text(path) == document


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("mkdocs.yml", "plugins:\n  - redirects:\n      redirect_maps:\n        'first.md': 'old.md'\n"),
        (
            "mkdocs.yml",
            "plugins:\n  - redirects:\n      redirect_maps:\n        'a.md': 'b.md'\nnav:\n  - Old: old.md\n",
        ),
        ("netlify.toml", '[[redirects]]\nfrom = "/first"\nto = "docs/old.md"\n'),
        ("settings.yml", "docs/old.md: page\n"),
    ],
)
def test_what_a_redirect_leads_to_and_what_is_none_follows(applied, text, path, document):
    applied({**FILES, path: document}, MOVES)
    assert text(path) == document.replace("old.md", "new.md")


@pytest.mark.parametrize(
    "form",
    [
        '{{"name": "x", "exports": {{"./util.js": "./{0}"}}}}\n',
        '{{\n  "exports": {{\n    ".": "./index.js",\n    "./util.js": {{"import": "./{0}"}}\n  }}\n}}\n',
    ],
)
def test_the_name_of_an_export_stays_and_its_file_follows(applied, text, form):
    applied({"util.js": "export const a = 1\n", "package.json": form.format("util.js")}, [("util.js", "lib/util.js")])
    assert text("package.json") == form.format("lib/util.js")


def test_a_key_that_is_a_path_of_the_tree_follows(applied, text):
    ignores = '[tool.ruff.lint.per-file-ignores]\n"src/pay.py" = ["E501"]\n'
    applied({"src/pay.py": "def f(): ...\n", "pyproject.toml": ignores}, [("src/pay.py", "src/bill.py")])
    assert text("pyproject.toml") == ignores.replace("pay", "bill")
