"""Every verb answers on a repository whose names are not UTF-8, hold line ends or turn the text around; what an action
did is told, whatever its files are called."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ODD = [os.fsdecode(b"caf\xe9.md"), "new\nline.md", "a\u202eb.md", os.fsdecode(b"\xff\xfe.md"), "esc\x1b[2J.md"]
PAGE = "# Payments\n\nSee [pay](src/pay.py).\n\nMore.\n\nAnd more.\n\nThe end.\n"


@pytest.fixture
def odd(kairos: Any, repo: Any) -> Any:
    """A watched repository with odd names, and one verified patch that touches all of them."""
    repo.write("src/pay.py", "def total(items):\n    return sum(items)\n" * 4)
    for name in ODD:
        repo.write(name, PAGE)
    repo.write(os.fsdecode(b"d\xe9/con\xe9.py"), "x = 1\n")
    repo.commit("base")
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    kairos.daemon()
    repo.git("mv", "src/pay.py", "src/bill\u202eing.py")
    repo.commit("rename \u202e")
    kairos.until("ProposalVerified", seconds=15)
    repo.write(os.fsdecode(b"d\xe9/con\xe9.py"), "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> topic\n")
    repo.commit("conflict")
    kairos.until("ProposalVerified", 2, seconds=15)
    return kairos


def answers(done: Any, args: Sequence[str]) -> list[Any]:
    """The lines of JSON of a command that went well."""
    assert done.returncode == 0, (args, done.returncode, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_was_done_to_odd_names_is_told(odd: Any, repo: Any) -> None:
    [patch] = [p for p in odd.run("inbox") if p["action"]["kind"] == "patch"]
    assert len(odd.run("show", patch["id"])["effects"]["files"]) == len(ODD)
    odd.run("approve", patch["id"], "--digest", patch["digest"], "--wait", "20")
    later = repo.root / ODD[0]
    later.write_text(later.read_text().replace("The end", "The very end"))
    kept = []
    for verb, state in (("undo", "undone"), ("redo", "redone"), ("undo", "undone")):
        done = odd.run(verb, patch["id"], "--yes")
        assert done["state"] == state
        assert "caf\\xe9.md" in done["files"] and len(done["files"]) == len(ODD)
        kept.append(done["kept"])
    assert kept[0] == ["caf\\xe9.md"]
    assert "src/pay.py" in later.read_text() and "The very end" in later.read_text()
    note = next(p for p in odd.run("inbox") if p["action"]["kind"] == "note")
    assert odd.run("reject", note["id"], "-m", "caf\udce9 is fine")["state"] == "rejected"
    assert "caf\\xe9 is fine" in [r.event.text for r in odd.events("ProposalRejected")]


def test_every_verb_answers_in_json_and_in_words(odd: Any, repo: Any) -> None:
    ids = [p["id"] for p in odd.run("inbox")]
    odd.run("dream")
    verbs = [
        ["status"], [], ["inbox"], ["inbox", "--all"], ["log"], ["files", str(repo.root)], ["why-not"], ["replay"],
        ["replay", "--at", "9"], ["memory", "ls"], ["memory", "recall", ODD[0]], ["memory", "related", ODD[0]],
        ["memory", "related", ODD[1]], ["doctor"], ["log", "verify"], ["log", "anchor"], ["config", "get"],
        ["mute", "secret", "--repo", str(repo.root)], ["config", "path", "--home", str(odd.root / ODD[0])],
        ["service", "install", "--print", "--home", str(odd.root / ODD[0])],
        *(["show", i] for i in ids), *(["why", i] for i in ids),
    ]  # fmt: skip
    for args in verbs:
        assert answers(odd.call("--json", *args), args)
        assert odd.call(*args).returncode == 0, args


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["show", "caf\udce9"], 4), (["why", "caf\udce9"], 4), (["files", "caf\udce9"], 4), (["caf\udce9"], 2),
        (["config", "get", "caf\udce9"], 2), (["init", "/none/caf\udce9"], 2), (["log", "--type", "\udce9"], 2),
        (["inbox", "--repo", "caf\udce9"], 2), (["forget", "--path", "caf\udce9", "-m", "r", "--yes"], 4),
    ],
)  # fmt: skip
def test_an_error_about_an_odd_name_is_an_error_and_no_defect(kairos: Any, args: list[str], code: int) -> None:
    done = kairos.call("--json", *args)
    assert done.returncode == code
    assert json.loads(done.stderr)["error"]["code"] == code


def test_what_is_forgotten_of_odd_names_is_told(odd: Any, repo: Any) -> None:
    odd.close()
    done = odd.run("forget", "--path", ODD[0], "-m", "caf\udce9", "--yes")
    assert done["positions"]
    assert [name.rpartition("/")[2] for name in done["seen"]] == ["caf\\xe9.md"]
    odd.run("log", "verify")


def test_a_home_may_have_any_name(kairos: Any, repo: Any) -> None:
    kairos.environment["KAIROS_HOME"] = str(kairos.root / ODD[0])
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    assert kairos.daemon().stop() == 0
    kairos.run("dream")
    assert kairos.run("compact", "--now")["sealed"]
    assert kairos.run("log", "verify")["ok"]


def test_a_repository_whose_own_path_is_no_text_is_refused(kairos: Any, repo: Any) -> None:
    odd = repo.root.with_name(os.fsdecode(b"r\xff"))
    repo.root.rename(odd)
    done = kairos.call("--json", "init", str(odd), "--yes")
    assert done.returncode == 2
    assert "r\\xff" in json.loads(done.stderr)["error"]["message"]
    assert not (kairos.home / "log").exists()
