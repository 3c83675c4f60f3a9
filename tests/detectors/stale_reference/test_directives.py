"""reST and MyST: directives with paths, toctrees, autodoc, roles, targets; literal blocks and comments stay."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.directives import find_directives, find_in_prose, follow_role
from kairos.detectors.stale_reference.modules import Modules
from kairos.detectors.stale_reference.moves import Moves

MOVES = Moves(
    {"docs/old.rst": "docs/new.rst", "docs/img/old.png": "docs/img/new.png", "pkg/old.py": "pkg/new.py",
     "docs/part.md": "docs/sub/part.md"},
    frozenset({"docs/gone.rst"}),
    frozenset({"docs/new.rst", "docs/img/new.png", "pkg/new.py", "pkg/__init__.py", "docs/conf.py", "docs/index.rst",
               "docs/sub/part.md", "docs/deep/page.rst"}),
)  # fmt: skip


def rewritten(text, path="docs/index.rst"):
    found = find_directives(path, text, MOVES, Modules(MOVES))
    for start, end, new in sorted(found.spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


@pytest.mark.parametrize(
    "text",
    [
        ".. include:: old.rst\n",
        ".. literalinclude:: ../pkg/old.py\n   :language: python\n",
        ".. image:: img/old.png\n   :alt: old\n",
        "   .. figure:: /img/old.png\n\n      A caption\n",
        ".. |logo| image:: img/old.png\n",
        ".. toctree::\n   :maxdepth: 2\n\n   old\n   Title <old>\n   other\n",
        ".. toctree::\n\n   /old\n   old.rst\n",
        ":doc:`old` and :doc:`text </old>` and :download:`x <img/old.png>`\n",
        ".. _target: old.rst\n\n`text <old.rst>`_\n",
        ".. automodule:: pkg.old\n   :members:\n",
        ".. autoclass:: pkg.old.Thing\n\n.. currentmodule:: pkg.old\n",
        ":mod:`pkg.old` :class:`~pkg.old.Thing` :py:func:`call <pkg.old.f>`\n",
        ".. autosummary::\n   :toctree: _x\n\n   pkg.old\n   ~pkg.old.f\n",
        ".. click:: pkg.old:main\n   :prog: x\n",
        ".. argparse::\n   :module: pkg.old\n   :func: f\n",
        "See ``pkg/old.py`` for more\n",
        ".. csv-table:: T\n   :file: img/old.png\n",
        "Text\r\n\r\n.. include:: old.rst\r\n",
        "Text [#]_ and [1]_\n\n.. [#] See :doc:`old`\n.. [1] See :doc:`text <old>`\n",
        ".. [#name] A footnote\n   whose text goes on: :doc:`old`\n\n   Its second paragraph: :doc:`old`\n",
        ".. [*] See `it <old.rst>`_\n.. [CIT2002] See :doc:`old`,\n   or :doc:`old`.\n",
        ".. note:: See :doc:`old`, and what\n   follows: :doc:`old`\n",
        ".. admonition:: Of :doc:`old`\n   :class: tip\n\n   .. seealso::\n\n      :doc:`old`\n",
        ".. |s| replace:: the page :doc:`old`\n",
        ".. versionchanged:: 2.0 See :doc:`old`\n",
        ".. list-table::\n\n   * - :doc:`old`\n     - ``pkg/old.py``\n",
        ".. csv-table:: Of :doc:`old`\n   :header: a, b\n\n   1, :doc:`old`\n",
        ".. figure:: img/old.png\n\n   Its caption: :doc:`old`\n\n   And a legend of :doc:`old`.\n",
        ".. _here:\n\n   A quotation of :doc:`old`\n",
        "See :doc:`the\ntitle <old>` and `one\n  more <old.rst>`_ and :mod:`x\n<pkg.old>`\n",
        "+----------------+\n| :doc:`old` xxx |\n+----------------+\n",
        "==== ==========\na    b\n==== ==========\n1    :doc:`old`\n==== ==========\n",
    ],
)
def test_a_reference_follows_what_moved(text):
    expected = text.replace("old", "new").replace("alt: new", "alt: old").replace("_new", "_old")
    assert rewritten(text) == expected


def test_a_document_with_another_directory_is_named_from_where_the_file_is():
    assert rewritten(":doc:`part`\n") == ":doc:`sub/part`\n"
    assert rewritten(":doc:`../part` :doc:`/part`\n", "docs/deep/page.rst") == ":doc:`../sub/part` :doc:`/sub/part`\n"


@pytest.mark.parametrize(
    "text",
    [
        "An example::\n\n   .. include:: old.rst\n",
        ".. code-block:: rst\n\n   :doc:`old`\n",
        ".. A comment about :doc:`old`\n   and :doc:`old`\n",
        "old.rst in prose, old, pkg.old\n",
        ":ref:`old` :term:`old`\n",
        ".. toctree::\n   :glob:\n\n   o*\n   self\n   https://x.org/old\n",
        ".. image:: https://x.org/img/old.png\n",
        "`old <https://old.org>`_\n\n.. _old: https://old.org/old.rst\n",
        ".. include:: other.rst\n",
        "``old.rst`` and ``python pkg/old.py``\n",
        "Write ``:doc:`old``` or ``see :doc:`old` there`` or ``a `b <old.rst>`_``, not \\:doc:`old`\n",
        ".. [not a footnote :doc:`old`\n\n   :doc:`old`\n",
        ".. [1] An example::\n\n      :doc:`old`\n",
        ".. note:: An example::\n\n      :doc:`old`\n",
        ".. note::\n\n   .. code-block:: rst\n\n      :doc:`old`\n\n   .. A comment :doc:`old`\n",
        ".. seealso::\n\n   So::\n\n      .. note:: :doc:`old`\n",
        ".. ipython::\n\n   :doc:`old`\n",
    ],
)
def test_what_is_no_reference_stays(text):
    assert rewritten(text) == text


@pytest.mark.parametrize(
    "table",
    [
        "+-------------+---+\n| :doc:`part` | x |\n+-------------+---+\n",
        "===========  ===\n:doc:`part`  x\n===========  ===\n\n",
        "===========  ===\na            b\n===========  ===\n:doc:`part`  x\n===========  ===\n",
    ],
)
def test_a_drawn_table_is_not_shifted(table):
    found = find_directives("docs/index.rst", table + "\n:doc:`part`\n", MOVES, Modules(MOVES))
    assert [why for _, why in found.doubts] == ["the columns of its table would shift"]
    assert found.count == 1


def test_the_last_column_of_a_simple_table_may_grow():
    table = "===  ===========\nx    :doc:`part`\n===  ===========\n"
    assert rewritten(table) == table.replace("part", "sub/part")


def test_a_deleted_document_is_dead():
    found = find_directives("docs/index.rst", "x\n\n.. include:: gone.rst\n:doc:`gone`\n", MOVES, Modules(MOVES))
    assert found.dead == {2, 3}


@pytest.mark.parametrize(
    "block",
    [
        "```{include} old.md\n```\n",
        "````{literalinclude} ../pkg/old.py\n:lines: 1-2\n````\n",
        "```{toctree}\n:maxdepth: 1\n\nold\nTitle <old.md>\n```\n",
        "~~~{image} img/old.png\n~~~\n",
        ":::{figure} img/old.png\nA caption\n:::\n",
        "```{eval-rst}\n.. automodule:: pkg.old\n```\n",
        "See {doc}`old` and {download}`x <img/old.png>`.\n",
        "::: pkg.old\n    options: x\n",
        "```{automodule} pkg.old\n```\n",
    ],
)
def test_myst_and_mkdocstrings_follow(applied, text, block):
    applied(
        {"docs/old.md": "# Old\n" * 9, "docs/img/old.png": b"\x89PNG\0", "pkg/old.py": "x = 1\n" * 9,
         "pkg/__init__.py": "", "docs/index.md": "# Index\n\n" + block, "docs/conf.py": ""},
        [("docs/old.md", "docs/new.md"), ("docs/img/old.png", "docs/img/new.png"), ("pkg/old.py", "pkg/new.py")],
    )  # fmt: skip
    assert text("docs/index.md") == "# Index\n\n" + block.replace("old", "new")


def test_code_in_other_fences_stays(applied, text):
    page = "```\n{include} old.md\n[x](old.md)\n```\n\n```python\nimport pkg.old\n```\n"
    applied({"docs/old.md": "# Old\n" * 9, "docs/index.md": page}, [("docs/old.md", "docs/new.md")])
    assert text("docs/index.md") == page


HOSTILE = {
    "an option and blanks": ".. figure:: x\n   :file: x" + " " * 1_000_000 + "y\n",
    "a directive and blanks": ".. x:: a" + " " * 1_000_000 + "b\n",
    "a target and blanks": ".. _a: b" + " " * 1_000_000 + "c\n",
    "open literals": "``a " * 250_000,
    "literals and roles": "``a`` :doc:`y` " * 70_000,
    "names of roles": ":a" * 500_000,
    "names of roles, closed": ":a" * 500_000 + ":`x",
    "links": "`<a.rst>`_" * 100_000,
    "an open link and blanks": "`a\n" + " " * 1_000_000,
    "literals with the old path": "``pkg/old.py`` " * 60_000,
    "nested directives above blank lines": "".join(" " * i + ".. note::\n" for i in range(600)) + "\n" * 800_000,
    "nested figures above blank lines": "".join(" " * i + ".. figure:: a\n" for i in range(600)) + "\n" * 800_000,
    "drawn lines": "=== " * 250_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_document_takes_linear_time(text):
    """Nothing here measures time: what is not linear does not end within the time limit of a test."""
    find_directives("docs/index.rst", text, MOVES, Modules(MOVES))


def test_hostile_prose_with_fences_takes_linear_time():
    text = "::: pkg.old\n```\n```\n" * 50_000
    fences = [(at + 12, at + 19) for at in range(0, len(text), 20)]
    found = find_in_prose("docs/index.md", text, fences, MOVES, Modules(MOVES))
    assert len(found.spans) == 50_000
    code = find_in_prose("docs/index.md", text, [(0, len(text))], MOVES, Modules(MOVES))
    assert not code.spans
    for role in ("}`a` ", "{" + "a" * 90 + "}`a` "):
        spans = role * 1_000
        assert follow_role("docs/index.md", spans, 2 + spans.index("}`"), "old", MOVES).new is None


def test_a_line_that_is_too_long_to_be_read_is_a_doubt():
    found = find_directives("docs/index.rst", "``pkg/old.py`` " + "word " * 5_000, MOVES, Modules(MOVES))
    assert not found.spans and [why for _, why in found.doubts] == ["its line is too long to be read"]
