"""A path that is written from a source root follows where exactly one file is meant."""

from __future__ import annotations

import pytest

ROOT = "core/src/main/java"
JAVA = "package com.me;\n\npublic class X {\n  int a = 1;\n  int b = 2;\n}\n"
POM = "<project>\n  <include>com/me/X.java</include>\n  <exclude>com/me/XY.java</exclude>\n</project>\n"


@pytest.mark.parametrize("path", ["core/pom.xml", "pom.xml", "core/build.gradle"])
def test_below_the_same_root_it_follows(applied, text, path):
    before = POM if path.endswith(".xml") else "include 'com/me/X.java'\n"
    applied({f"{ROOT}/com/me/X.java": JAVA, path: before}, [(f"{ROOT}/com/me/X.java", f"{ROOT}/com/me/io/X.java")])
    assert text(path) == before.replace("me/X.java", "me/io/X.java")


@pytest.mark.parametrize(
    ("files", "move", "why"),
    [
        ({f"{ROOT}/com/me/X.java": JAVA}, (f"{ROOT}/com/me/X.java", "lib/com/me/io/X.java"), "it may mean"),
        ({"odd/com/me/X.java": JAVA}, ("odd/com/me/X.java", "odd/com/me/io/X.java"), "it may mean"),
    ],
)
def test_what_is_not_certain_is_told(applied, text, files, move, why):
    (found,) = applied({**files, "pom.xml": POM, "x.md": f"[x]({move[0]})\n"}, [move])
    assert text("pom.xml") == POM
    assert any(words.startswith(f"pom.xml:2 was left alone: {why} {move[0]}") for words in found.unchecked)


def test_a_path_that_another_file_still_has_stays(applied, text):
    files = {f"{ROOT}/com/me/X.java": JAVA, "other/src/main/java/com/me/X.java": JAVA + "\n", "pom.xml": POM}
    applied(files, [(f"{ROOT}/com/me/X.java", f"{ROOT}/com/me/io/X.java")])
    assert text("pom.xml") == POM


@pytest.mark.parametrize(
    ("line", "follows"),
    [
        ("<a><file>conf/a.sh</file></a>", True), ("<a file='conf/a.sh'/>", True), ('<a file="./conf/a.sh"/>', True),
        ("<p>It was conf/a.sh once.</p>", False), ("<!-- conf/a.sh -->", False),
    ],
)  # fmt: skip
def test_in_xml_a_value_follows_and_text_does_not(applied, text, line, follows):
    files = {"conf/a.sh": "echo a\n" * 3, "x.md": "[x](conf/a.sh)\n", "build.xml": line + "\n"}
    (found,) = applied(files, [("conf/a.sh", "conf/b.sh")])
    assert text("build.xml") == (line.replace("a.sh", "b.sh") if follows else line) + "\n"
    assert follows != any(words.startswith("build.xml:1 names conf/a.sh") for words in found.unchecked)
