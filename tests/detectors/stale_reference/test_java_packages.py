"""Java: imports and package clauses follow a class that moved to another package."""

from __future__ import annotations

import pytest

from kairos.detectors.patching import replaced
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.source_files import find_references

MAIN = "src/main/java/"
MOVED = {f"{MAIN}a/b/Pay.java": f"{MAIN}a/money/Pay.java"}
PAY = "// the payments\npackage a.b;\n\npublic class Pay {}\n"
TEXTS = {f"{MAIN}a/money/Pay.java": PAY}
USER = f"{MAIN}u/User.java"


def rewritten(path, text, moved=MOVED, texts=TEXTS):
    """What becomes of a file after moves; `texts`: the other files now."""
    texts = {**texts, path: text}
    moves = Moves(moved, frozenset(), frozenset(texts))
    found = find_references(path, text, moves, Projects(moves, texts.get))
    return replaced(text, sorted(found.spans)), [why for _, why in found.doubts]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("import a.b.Pay;", "import a.money.Pay;"),
        ("import static a.b.Pay.rate;", "import static a.money.Pay.rate;"),
        ("import static a.b.Pay.*;", "import static a.money.Pay.*;"),
        ("import a.b.Pay.Inner;", "import a.money.Pay.Inner;"),
        ("import a.b.Payment;", "import a.b.Payment;"),
        ("import x.a.b.Pay;", "import x.a.b.Pay;"),
        ("// import a.b.Pay;", "// import a.b.Pay;"),
        ("import a.b.*;", "import a.money.*;"),
    ],
)
def test_an_import_follows_a_class(written, expected):
    tail = '\n\nclass User { String s = "import a.b.Pay;"; }\n'
    assert rewritten(USER, f"package u;\n\n{written}{tail}") == (f"package u;\n\n{expected}{tail}", [])


def test_the_clause_of_a_moved_class_names_its_directory():
    assert rewritten(f"{MAIN}a/money/Pay.java", PAY)[0] == PAY.replace("a.b", "a.money")


def test_the_clause_is_that_of_the_files_that_were_there():
    moved = {f"{MAIN}a/b/Pay.java": "lib/a/money/Pay.java"}
    texts = {"lib/a/money/Pay.java": PAY, "lib/a/money/Coin.java": "package a.money;\n"}
    assert rewritten("lib/a/money/Pay.java", PAY, moved, texts)[0] == PAY.replace("a.b", "a.money")


def test_a_class_that_moved_with_its_root_stays_what_it_is():
    moved, texts = {f"{MAIN}a/b/Pay.java": "core/java/a/b/Pay.java"}, {"core/java/a/b/Pay.java": PAY}
    user = "import a.b.Pay;\n"
    assert rewritten(USER, user, moved, texts) == (user, [])
    assert rewritten("core/java/a/b/Pay.java", PAY, moved, texts) == (PAY, [])


def test_what_was_written_already_is_known():
    texts = {f"{MAIN}a/money/Pay.java": PAY.replace("a.b", "a.money")}
    assert rewritten(USER, "import a.b.Pay;\n", MOVED, texts)[0] == "import a.money.Pay;\n"
    assert rewritten(f"{MAIN}a/money/Pay.java", texts[f"{MAIN}a/money/Pay.java"], MOVED, texts)[1] == []


def test_a_star_follows_a_package_as_a_whole_only():
    user = "import a.b.*;\n"
    left = {**TEXTS, f"{MAIN}a/b/Other.java": "package a.b;\n"}
    assert rewritten(USER, user, MOVED, left) == (user, [])
    divided = {**MOVED, f"{MAIN}a/b/Coin.java": f"{MAIN}a/coin/Coin.java"}
    texts = {**TEXTS, f"{MAIN}a/coin/Coin.java": "package a.b;\n"}
    assert rewritten(USER, user, divided, texts) == (user, ["its package was divided"])


def test_a_name_that_another_file_has_now_stays():
    user = "import a.b.Pay;\n"
    assert rewritten(USER, user, MOVED, {**TEXTS, "old/a/b/Pay.java": PAY}) == (user, [])


def test_a_class_that_is_called_otherwise_and_an_uncertain_package_are_doubts():
    user = "import a.b.Pay;\n"
    moved = {f"{MAIN}a/b/Pay.java": f"{MAIN}a/b/Bill.java"}
    text, doubts = rewritten(USER, user, moved, {f"{MAIN}a/b/Bill.java": PAY})
    assert (text, len(doubts)) == (user, 1)
    text, doubts = rewritten(USER, user, {f"{MAIN}a/b/Pay.java": "else/Pay.java"}, {"else/Pay.java": PAY})
    assert (text, doubts) == (user, ["what the package of else is called is not certain"])


@pytest.mark.parametrize("piece", ["/*", "//", "@a ", "package ", "import a.", "import a.b.", ".", "{", '"'])
def test_hostile_text_is_read(piece):
    text = PAY + piece * (100_000 // len(piece))
    for path in (USER, f"{MAIN}a/money/Pay.java"):
        assert len(rewritten(path, text, MOVED, {f"{MAIN}a/money/Pay.java": piece * 50_000})[0]) >= 100_000
