"""A scene of the past shows detectors what a checkout of the commit shows them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import msgspec
import pytest

from kairos.detectors.looking import ALL, look
from kairos.detectors.past import PastFacts
from kairos.repo.git import Git
from kairos.repo.objects import Objects
from kairos.repo.past_rules import PastRules
from kairos.repo.past_tree import PastTree

CONFLICT = "<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"
KEY = "AKIA" + "QWERTYUIOPASDFGH"


@pytest.fixture
def past(repo):
    """past(oid) → the facts of a commit."""
    with closing(PastTree(Git(repo.root))) as tree, closing(PastRules(tree)) as rules:

        def facts(oid, *, before_commit=False):
            parent = repo.git("rev-parse", f"{oid}^")
            tree.move(parent)
            changes = tree.move(oid)
            new = Objects(tree.git).introduced([oid])
            return PastFacts(tree, rules, changes, parent=parent, new=new, before_commit=before_commit)

        yield facts


def alike(findings):
    return [msgspec.json.encode(f) for f in findings]


def test_every_detector_finds_the_same_in_a_past_commit_as_in_its_checkout(repo, see, past):
    repo.write(".gitattributes", "*.strange conflict-marker-size=9\n")
    repo.write("src/pay.py", "def pay():\n    return 1\n\n\ndef more():\n    return 2\n")
    repo.write("src/app.py", "from src import pay\nimport src.pay\n")
    repo.write("docs/guide.md", "[pay](../src/pay.py) and `src/pay.py`\n")
    repo.write("setup.cfg", "[x]\nfiles = src/pay.py\n")
    (repo.root / "docs/link").symlink_to("../src/pay.py")
    repo.commit()
    repo.git("mv", "src/pay.py", "src/billing.py")
    repo.write("a.py", CONFLICT)
    repo.write("b.strange", CONFLICT.replace("<" * 7, "<" * 9).replace("=" * 7, "=" * 9).replace(">" * 7, ">" * 9))
    repo.write("config.py", f'aws = "{KEY}"\n')
    oid = repo.commit()
    live = see("commit")
    here, failures = look(live, detectors=ALL)
    assert not failures and {f.detector for f in here} >= {"stale-reference", "conflict-marker", "secret"}
    repo.write("later.txt", "the work tree moved on\n")
    repo.git("rm", "-q", "-r", "docs", "src")
    repo.commit("later")
    then, failures = look(replace(live, shared=past(oid)), detectors=ALL)
    assert not failures and alike(then) == alike(here)


def test_before_its_commit_a_new_file_is_untracked_unless_a_rule_covers_it(repo, past):
    repo.write(".gitignore", "*.log\n")
    repo.commit()
    repo.write("a.pyc", "x")
    repo.write("b.log", "x")
    repo.git("add", "-f", "b.log")
    oid = repo.commit()
    facts = past(oid, before_commit=True)
    assert list(facts.untracked) == ["a.pyc"]
    assert "a.pyc" not in facts.tracked and "a.pyc" in past(oid).tracked and past(oid).untracked == ()


def test_links_are_followed_inside_of_the_tree_and_never_out_of_it(repo, past):
    repo.write("d/f", "x")
    for name, target in {
        "to-file": "d/f", "to-folder": "d", "through": "to-folder/f", "dead": "d/none", "loop": "loop",
        "out": "../../etc/passwd", "rooted": "/etc/passwd", "dead-through": "to-folder/none",
    }.items():  # fmt: skip
        (repo.root / name).symlink_to(target)
    facts = past(repo.commit())
    leads = {name: facts.leads(name) for name in facts.links}
    assert leads == {
        "to-file": True, "to-folder": True, "through": True, "dead": False, "loop": False, "out": True,
        "rooted": True, "dead-through": False,
    }  # fmt: skip
    assert facts.text("out") is None and facts.read("../../etc/passwd") is None and facts.target("d/f") is None


def test_what_is_listed_of_a_folder_is_what_a_checkout_lists(repo, past, see):
    for path in ("dist/a.js", "dist/js/b.js", "dist/js/deep/c.js", "dist/deep/er/d"):
        repo.write(path, "x")
    facts = past(repo.commit())
    assert sorted(facts.listed("dist")) == sorted(see("baseline").facts.listed("dist"))
    assert facts.size("dist/a.js") == 1 and facts.size("dist") == 0 and facts.exists("dist/js")
