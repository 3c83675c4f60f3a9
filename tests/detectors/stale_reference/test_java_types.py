"""A type of Java is called by its file: its package, its imports and its uses follow where the file proves them."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.detector import StaleReference

FILLER = "".join(f"  int field{n} = {n};\n" for n in range(20))
MAIN = "src/main/java/"


def java(package, body, *, imports=""):
    return f"package {package};\n\n{imports}{body}"


OLD = java("a.b", "public class Old {\n  Old() {}\n  static Old make() { return new Old(); }\n" + FILLER + "}\n")
TREE = {MAIN + "a/b/Old.java": OLD, MAIN + "a/b/Kept.java": java("a.b", "class Kept {}\n")}
RENAMED = [(MAIN + "a/b/Old.java", MAIN + "a/b/New.java")]
MOVED = [(MAIN + "a/b/Old.java", MAIN + "c/Old.java")]
BOTH = [(MAIN + "a/b/Old.java", MAIN + "c/New.java")]


@pytest.mark.parametrize(
    ("moves", "use", "expected"),
    [
        (RENAMED, "import a.b.Old;\nclass U { Old o = Old.make(); }\n",
         "import a.b.New;\nclass U { New o = New.make(); }\n"),
        (RENAMED, "import a.b.Old;\nclass U { List<Old> l = f(Old::make, Old.class, (Old) x); }\n",
         "import a.b.New;\nclass U { List<New> l = f(New::make, New.class, (New) x); }\n"),
        (RENAMED, "import a.b.Old;\n/** {@link Old#make} and Old. */\n@Old class U extends Old {}\n",
         "import a.b.New;\n/** {@link New#make} and Old. */\n@New class U extends New {}\n"),
        (RENAMED, "import static a.b.Old.make;\nclass U { Object o = make(); }\n",
         "import static a.b.New.make;\nclass U { Object o = make(); }\n"),
        (RENAMED, "class U { a.b.Old o = a.b.Old.make(); }\n", "class U { a.b.New o = a.b.New.make(); }\n"),
        (RENAMED, "import a.b.*;\nclass U { Old o; }\n", "import a.b.*;\nclass U { New o; }\n"),
        (MOVED, "import a.b.Old;\nimport a.b.Old.Inner;\nclass U { Old o; }\n",
         "import c.Old;\nimport c.Old.Inner;\nclass U { Old o; }\n"),
        (MOVED, "import static a.b.Old.*;\nclass U { a.b.Old o; }\n", "import static c.Old.*;\nclass U { c.Old o; }\n"),
        (BOTH, "import a.b.Old;\nclass U { Old o; String s = \"Old\"; }\n",
         "import c.New;\nclass U { New o; String s = \"Old\"; }\n"),
        (RENAMED, "class U { Old o; }\n", "class U { Old o; }\n"),
        (RENAMED, "import x.Old;\nclass U { Old o; }\n", "import x.Old;\nclass U { Old o; }\n"),
        (RENAMED, "import a.b.OldOne;\nclass U { OldOne o; }\n", "import a.b.OldOne;\nclass U { OldOne o; }\n"),
    ],
)  # fmt: skip
def test_the_uses_of_a_type_follow_what_binds_them(applied, text, moves, use, expected):
    applied({**TREE, MAIN + "u/U.java": "package u;\n" + use, "ref.md": "[o](src/main/java/a/b/Old.java)\n"}, moves)
    assert text(MAIN + "u/U.java") == "package u;\n" + expected


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (RENAMED, OLD.replace("Old", "New")),
        (MOVED, OLD.replace("package a.b;", "package c;")),
        (BOTH, OLD.replace("Old", "New").replace("package a.b;", "package c;")),
        ([(MAIN + "a/b/Old.java", "other/src/main/java/a/b/Old.java")], OLD),
        ([(MAIN + "a/b/Old.java", "other/src/main/java/z/Old.java")], OLD.replace("package a.b;", "package z;")),
    ],
)
def test_a_moved_file_states_its_package_and_declares_the_type_it_is_called_by(applied, text, moves, expected):
    applied({**TREE, "ref.md": "[o](src/main/java/a/b/Old.java)\n"}, moves)
    assert text(moves[0][1]) == expected


def test_a_use_in_the_same_package_follows_a_new_name_in_tests_too(applied, text):
    use = java("a.b", "class T { Old o = new Old(); }\n")
    applied({**TREE, "src/test/java/a/b/T.java": use, MAIN + "a/b/T2.java": use}, RENAMED)
    for path in ("src/test/java/a/b/T.java", MAIN + "a/b/T2.java"):
        assert text(path) == use.replace("Old", "New")


@pytest.mark.parametrize(
    ("moves", "files", "why"),
    [
        (MOVED, {MAIN + "a/b/T.java": java("a.b", "class T { Old o; }\n")}, "`Old` is in c now"),
        (MOVED, {MAIN + "u/T.java": java("u", "class T { Old o; }\n", imports="import a.b.*;\n")}, "another package"),
        (RENAMED, {MAIN + "a/b/T.java": java("a.b", "class T { class Old {} Old o; }\n")}, "not certain"),
        (RENAMED, {MAIN + "a/b/T.java": java("a.b", "class T { Old o; New n; }\n")}, "not certain"),
        (RENAMED, {MAIN + "a/b/T.java": java("a.b", "class T extends X { Old o; }\n"),
                   MAIN + "x/X.java": java("x", "class X { static class Old {} }\n")}, "not certain"),
        (RENAMED, {MAIN + "u/T.java": java("u", "class T<New> { Old o; }\n", imports="import a.b.Old;\n")}, "otherw"),
        (RENAMED, {MAIN + "u/T.java": java("u", 'class T { String s = "a.b.Old"; }\n')}, "string means the type"),
    ],
)  # fmt: skip
def test_what_the_file_does_not_prove_is_a_doubt_and_stays(applied, text, moves, files, why):
    found = applied({**TREE, **files, "ref.md": "[o](src/main/java/a/b/Old.java)\n"}, moves)
    path = next(path for path in files if path.endswith("T.java"))
    assert text(path) == files[path]
    assert any(path in words and why in words for words in found[0].unchecked), found[0].unchecked


def test_a_neighbour_that_stays_behind_is_a_doubt(applied):
    body = "class Old { Kept k;\n" + FILLER + "}\n"
    user = {MAIN + "u/U.java": java("u", "class U { a.b.Old o; }")}
    found = applied({**TREE, MAIN + "a/b/Old.java": java("a.b", body), **user}, MOVED)
    assert any("`Kept` stays in a.b" in words for words in found[0].unchecked)


def test_a_package_that_moved_as_a_whole_follows_in_its_wildcards(applied, text):
    use = java("u", "class U { Old o; Kept k; }\n", imports="import a.b.*;\n")
    applied({**TREE, MAIN + "u/U.java": use}, [(MAIN + "a/b", MAIN + "c/d")])
    assert text(MAIN + "u/U.java") == use.replace("a.b.*", "c.d.*")
    assert text(MAIN + "c/d/Kept.java") == TREE[MAIN + "a/b/Kept.java"].replace("a.b", "c.d")


def test_what_people_renamed_in_the_file_itself_stays_and_its_users_follow(repo, see, apply, text):
    new = OLD.replace("Old", "New")
    use = java("u", "class U { Old o; }\n", imports="import a.b.Old;\n")
    for path, content in {**TREE, MAIN + "u/U.java": use}.items():
        repo.write(path, content)
    repo.commit("files")
    repo.git("mv", *RENAMED[0])
    repo.write(RENAMED[0][1], new)
    repo.commit("rename")
    (found,) = StaleReference().look(see("commit"))
    apply(found)
    assert text(RENAMED[0][1]) == new
    assert text(MAIN + "u/U.java") == use.replace("Old", "New")


def test_a_card_about_java_begins_with_the_imports_that_are_missing(moved):
    root = "src/main/java/com/me"
    files = {
        f"{root}/A.java": "package com.me;\n\npublic class A {\n  B b;\n  int n = 1;\n}\n",
        f"{root}/B.java": "package com.me;\n\npublic class B {}\n",
        f"{root}/C.java": "package com.me;\n\nclass C {\n  A a;\n}\n",
    }
    (found,) = moved(files, [(f"{root}/A.java", f"{root}/io/A.java")])
    assert found.unchecked[0] == "the patch alone does not compile: it adds no import, and 2 imports are missing"
    told = [words.split(",")[0] for words in found.unchecked]
    assert f"{root}/C.java:4 was left alone: `A` is in com.me.io now" in told
    assert f"{root}/io/A.java:4 was left alone: `B` stays in com.me" in told
