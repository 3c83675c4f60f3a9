from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.look.memory import SHOWN, dream_text
from cli.main import main
from kairos.desk.records.memory import DreamChangeOut
from kairos.domain.events import CommitChange, CommitRecorded, Name, RepoTrusted
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views.repositories import repository_id
from kairos.home import Home


def kairos(*args: str, cwd: Path, ok: int = 0, **more: str) -> Any:
    """`data` of a verb's JSON answer, or of its error."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", *args, "--json"],
        cwd=cwd, env={**os.environ, **more}, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == ok, (done.stdout, done.stderr)
    answer = json.loads(done.stdout or done.stderr)
    return answer["data"] if "data" in answer else answer["error"]


@pytest.fixture
def oids(home: Home, log: Log, repo: Any) -> list[str]:
    """Three commits of pay and billing, one of pay and tax, and a rename of pay; every commit recorded."""
    stat = repo.root.stat()
    ident = repository_id(stat.st_dev, stat.st_ino, str(repo.root))
    log.append(
        [NewEvent(ident, RepoTrusted(repo=ident, root=str(repo.root), dev=stat.st_dev, ino=stat.st_ino, by="a"))]
    )
    made: list[str] = []
    parents: list[str] = []

    def keep(*changes: CommitChange) -> None:
        oid = repo.commit("c")
        event = CommitRecorded(
            repo=ident, oid=oid, parents=list(parents), author="a", at_s=1_700_000_000 + len(made) * 86_400,
            subject="c", changes=list(changes),
        )  # fmt: skip
        log.append([NewEvent(ident, event)])
        parents[:] = [oid]
        made.append(oid)

    for i, names in enumerate([("src/pay.py", "src/billing.py")] * 3 + [("src/pay.py", "src/tax.py")]):
        for name in names:
            repo.write(name, f"{name} {i}\n" * 5)
        keep(*(CommitChange(status="M", path=name) for name in names))
    repo.git("mv", "src/pay.py", "src/payment.py")
    keep(CommitChange(status="R", path="src/payment.py", was=Name(path="src/pay.py")))
    return made


def test_a_dream_answers_with_memory_events_and_then_with_nothing(oids: list[str], repo: Any, log: Log) -> None:
    told = kairos("dream", "--dry-run", cwd=repo.root)
    assert {c["position"] for c in told} == {None} and log.tracking("dream") == 0
    changes = kairos("dream", cwd=repo.root)
    assert [c["data"] for c in changes] == [c["data"] for c in told]
    assert all(log.at(c["position"]).topic == c["type"] for c in changes)
    assert kairos("dream", cwd=repo.root) == []


def test_related_files_come_with_confidence_support_and_cites(oids: list[str], repo: Any, log: Log) -> None:
    found = kairos("memory", "related", "src/payment.py", "--limit", "1", cwd=repo.root)
    assert [(r["path"], r["support"]) for r in found] == [("src/billing.py", 3)]
    assert 0 < found[0]["confidence"] <= 1 and [log.at(p).topic for p in found[0]["cites"]] == ["CommitRecorded"] * 3


def test_paths_are_read_from_where_the_person_stands(oids: list[str], repo: Any, tmp_path: Path) -> None:
    here = kairos("memory", "related", "payment.py", cwd=repo.root / "src")
    there = kairos("memory", "related", str(repo.root / "src/payment.py"), cwd=tmp_path)
    named = kairos("memory", "related", "src/payment.py", "--repo", str(repo.root), cwd=tmp_path)
    assert here == there == named and len(here) == 2


def test_a_former_name_stands_for_the_file_it_became(oids: list[str], repo: Any) -> None:
    kairos("dream", cwd=repo.root)
    assert kairos("memory", "related", "src/pay.py", cwd=repo.root) == kairos(
        "memory", "related", "src/payment.py", cwd=repo.root
    )


def test_as_of_a_commit_or_a_time_the_past_answers(oids: list[str], repo: Any) -> None:
    def then(when: str) -> set[str]:
        return {r["path"] for r in kairos("memory", "related", "src/pay.py", "--as-of", when, cwd=repo.root)}

    assert then(oids[2]) == then(oids[2][:10]) == then("HEAD~2") == then("2023-11-17") == {"src/billing.py"}
    assert then(oids[3]) == then("2023-11-18T12:00:00Z") == {"src/billing.py", "src/tax.py"}
    assert kairos("memory", "related", "src/pay.py", "--as-of", "beef" * 10, cwd=repo.root, ok=4)["name"] == "not_found"
    assert kairos("memory", "related", "src/pay.py", "--as-of", "2023-99-01", cwd=repo.root, ok=2)["name"] == "usage"


def test_what_is_gone_is_no_answer(oids: list[str], repo: Any) -> None:
    repo.git("rm", "-q", "src/billing.py")
    repo.commit("gone, and not yet recorded")
    assert [r["path"] for r in kairos("memory", "related", "src/payment.py", cwd=repo.root)] == ["src/tax.py"]


def test_memories_are_listed_recalled_and_shown(oids: list[str], repo: Any) -> None:
    assert kairos("memory", "ls", cwd=repo.root) == []
    kairos("dream", cwd=repo.root)
    listed = kairos("memory", "ls", cwd=repo.root)
    assert {m["kind"] for m in listed} == {"co-change", "rename"} and all(m["cites"] for m in listed)
    found = kairos("memory", "recall", "what", "was", "pay", "renamed", "to", "--limit", "1", cwd=repo.root)
    assert (found[0]["kind"], found[0]["value"]) == ("rename", "src/payment.py")
    shown = kairos("memory", "show", found[0]["id"][:8], cwd=repo.root)
    assert shown["id"] == found[0]["id"] and shown["state"] == "open"
    assert kairos("memory", "show", "zzzz", cwd=repo.root, ok=4)["name"] == "not_found"


def test_a_repository_with_a_dream_package_of_its_own_is_not_run(oids: list[str], repo: Any) -> None:
    repo.write("dream/__main__.py", "raise SystemExit('the wrong dream')\n")
    repo.write("dream/__init__.py", "")
    assert kairos("dream", cwd=repo.root)


def test_another_home_by_flag_reaches_the_dream(oids: list[str], repo: Any, home: Home, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    assert kairos("dream", cwd=repo.root, KAIROS_HOME=elsewhere) == []
    assert kairos("dream", "--home", str(home.data), cwd=repo.root, KAIROS_HOME=elsewhere)


def learned(text: str, support: float) -> DreamChangeOut:
    data = {
        "id": text, "repo": "r", "kind": "co-change", "subject": "a", "predicate": "p", "value": "b", "text": text,
        "cites": [1], "support": support, "confidence": 1.0, "trust": "git", "valid_from": 0,
    }  # fmt: skip
    return DreamChangeOut(position=None, type="MemoryAccepted", data={"memory": data})


def test_a_dream_shows_what_is_worth_most_first_and_says_how_much_more_there_is() -> None:
    file = DreamChangeOut(position=None, type="MemoryFileEdited", data={"file": "x.md", "what": "edited"})
    gone = DreamChangeOut(position=None, type="MemoryInvalidated", data={"id": "m", "why": "dead"})
    text = dream_text([file, gone, *(learned(f"pair {n}", 1 + n) for n in range(30))], dry_run=True)
    lines = text.splitlines()
    assert lines[0].split() == ["30", "learned,", "1", "dropped,", "1", "MemoryFileEdited"]
    assert "pair 29" in lines[1] and "pair 10" in lines[SHOWN]
    assert "12 more: kairos memory ls" in lines[-2] and lines[-1] == "  Nothing was written."
    assert len(lines) == SHOWN + 3
    assert dream_text([], dry_run=False) == "  Nothing new was learned."


def test_memory_ls_has_a_limit_that_it_names(
    oids: list[str], repo: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    kairos("dream", cwd=repo.root)
    everything = kairos("memory", "ls", cwd=repo.root)
    assert len(everything) > 1 and kairos("memory", "ls", "-n", "1", cwd=repo.root) == everything[:1]
    assert main(["memory", "ls", "--limit", "1"]) == 0
    assert f"{len(everything) - 1} more: kairos memory ls -n {len(everything)}" in capsys.readouterr().out
