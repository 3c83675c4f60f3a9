"""What the guard answers: whether it is there, and what is staged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kairos.acting import hooking
from kairos.desk import guarding
from kairos.errors import UsageError

AWS = "AK" + "IAQ3EGRT5HZX7WLMNP"


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "r"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def stage(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
    subprocess.run(["git", "-C", str(root), "add", "-f", name], check=True)


def test_a_check_says_what_it_looked_at(tree):
    empty = guarding.check(tree)
    assert (empty.files, empty.bytes, empty.found, empty.refuses) == (0, 0, [], False)
    stage(tree, "a.txt", b"hello\n")
    stage(tree, "b.bin", b"\0" * 100)
    seen = guarding.check(tree)
    assert (seen.files, seen.bytes, seen.binary, seen.found, seen.refuses) == (1, 6, 1, [], False)


def test_a_check_names_the_place_and_never_the_value(tree):
    stage(tree, "conf/x\u202e\n.env", f"A=1\nAWS={AWS}\n".encode())
    stage(tree, "wide.env", f"AWS={AWS}\n".encode("utf-16"))
    seen = guarding.check(tree)
    assert [(f.path, f.line, f.label) for f in seen.found] == [
        ("conf/x\\u202e\\u000a.env", 2, "AWS key"), ("wide.env", 1, "AWS key"),
    ]  # fmt: skip
    assert seen.refuses
    assert AWS not in repr(seen)


def test_what_is_unsure_does_not_refuse(tree):
    stage(tree, "a.py", b'SENDGRID_KEY = "q7ZpX2mK9vLt4RwB8nYcq7Zp"\n')
    seen = guarding.check(tree)
    assert [f.confidence for f in seen.found] == ["medium"]
    assert not seen.refuses


def test_a_file_that_is_too_large_is_named(tree):
    stage(tree, "big.txt", b"x" * (17 << 20))
    seen = guarding.check(tree)
    assert [(s.path, s.why) for s in seen.skipped] == [("big.txt", "too large")]
    assert seen.files == 0


def test_a_damaged_index_is_no_clean_answer(tree):
    stage(tree, "a.txt", b"a\n")
    (tree / ".git/index").write_bytes(b"DIRCgarbage")
    with pytest.raises(guarding.GuardError, match="nothing was checked"):
        guarding.check(tree)


def test_outside_a_work_tree_nothing_is_done(tmp_path):
    for act in (guarding.install, guarding.remove, guarding.state, guarding.check):
        with pytest.raises(UsageError):
            act(tmp_path)


def test_the_hook_is_installed_told_and_removed(tree, monkeypatch):
    assert not guarding.state(tree).installed
    done = guarding.install(tree)
    assert (done.installed, done.active, done.chained) == (True, True, None)
    assert guarding.state(tree / ".").hook == done.hook
    monkeypatch.setattr(hooking, "PROGRAM", tree / "other")
    assert not guarding.state(tree).active
    assert guarding.remove(tree).changed
    assert not Path(done.hook).exists()
