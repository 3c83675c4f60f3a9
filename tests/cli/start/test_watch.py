"""`init`, `unwatch`, `watch` and what they refuse."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos._version import VERSION
from kairos.daemon.presence import Status, claim, publish
from kairos.desk.records.repositories import InitOut


def test_init_records_trust_and_a_baseline_and_repeating_it_is_harmless(kairos: Any, repo: Any) -> None:
    repo.write("src/a.py", "import os\n")
    first = msgspec.convert(kairos("init", repo.root, "--yes", "--json").data, InitOut)
    assert (first.path, first.new) == (str(repo.root.resolve()), True)
    assert first.entries >= 3
    head = kairos("log", "anchor").out
    again = kairos("init", repo.root / "src", "--json")
    assert (again.code, again.data["new"]) == (0, False)
    assert kairos("log", "anchor").out == head
    types = [line.split()[2] for line in kairos("log").out.splitlines()]
    assert types[0] == "RepoTrusted"
    assert "AttentionDue" not in types and "ProposalRaised" not in types


def test_history_is_imported_when_asked(kairos: Any, repo: Any) -> None:
    repo.write("b.txt", "b\n")
    repo.commit("second")
    data = kairos("init", repo.root, "--yes", "--history", "all", "--json").data
    assert data["commits"] == 2
    rows = kairos("log", "--json", "--type", "CommitRecorded").out.splitlines()
    assert len(rows) == 2
    repo.write("c.txt", "c\n")
    assert kairos("init", repo.root, "--yes", "--history", "few").code == 2
    assert kairos("init", repo.root, "--yes", "--history", "all", "--json").data["commits"] == 0


def test_history_can_be_imported_later(kairos: Any, repo: Any) -> None:
    assert kairos("init", repo.root, "--yes", "--json").data["commits"] == 0
    later = kairos("init", repo.root, "--history", "all", "--json").data
    assert (later["new"], later["commits"]) == (False, 1)


def test_what_was_wrong_before_is_listed_once_and_never_raised(kairos: Any, repo: Any) -> None:
    repo.write("merge.txt", "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n")
    repo.commit("left a conflict")
    said = kairos("init", repo.root, "--yes").out
    assert "Taken as given: what is there now, with 1 finding, never raised:" in said
    data = kairos("init", repo.root, "--json").data
    assert any(text.startswith("conflict-marker:") for text in data["findings"])
    assert kairos("inbox", "--json").data == []


def test_init_says_what_it_took_as_given(kairos: Any, repo: Any, tmp_path: Path) -> None:
    said = kairos("init", repo.root, "--yes").out
    assert "Taken as given: what is there now, and no detector finds anything in it." in said
    assert "No history was read; `kairos init --history all`" in said
    assert "No history was read" not in kairos("init", repo.root, "--history", "all").out


def test_trust_needs_a_yes(kairos: Any, repo: Any, home: Any) -> None:
    said = kairos("init", repo.root)
    assert said.code == 2
    assert "--yes" in said.err
    assert not home.log.exists()


def test_unwatch_keeps_the_history(kairos: Any, repo: Any) -> None:
    kairos("init", repo.root, "--yes")
    assert kairos("unwatch", repo.root).code == 0
    assert kairos("status", "--json").data["repos"] == []
    assert kairos("unwatch", repo.root).code == 0
    assert kairos("log", "--type", "RepoUnwatched", "--json").out.count("\n") == 1
    assert kairos("unwatch", repo.root.parent).code == 4
    assert kairos("init", repo.root, "--yes", "--json").data["new"] is True
    assert len(kairos("status", "--json").data["repos"]) == 1


def test_without_a_daemon_every_repository_is_stopped(kairos: Any, repo: Any) -> None:
    kairos("init", repo.root, "--yes")
    data = kairos("status", "--json").data
    assert data["daemon"] == {"running": False, "pid": None}
    assert [r["state"] for r in data["repos"]] == ["stopped"]


@pytest.mark.parametrize("verb", ["init", "watch"])
def test_a_path_that_is_no_repository_is_refused(kairos: Any, tmp_path: Path, verb: str, home: Any) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (tmp_path / "file").write_text("x")
    for path in (plain, tmp_path / "missing", tmp_path / "file"):
        said = kairos(verb, path, "--yes", "--json")
        assert (said.code, said.error["name"]) == (2, "usage")
        assert said.error["hint"]
    assert not home.log.exists()


def test_a_bare_repository_is_refused(kairos: Any, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare.git"], check=True)
    said = kairos("init", tmp_path / "bare.git", "--yes")
    assert said.code == 2
    assert "bare" in said.err and "checkout" in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_repository_of_another_user_is_refused(kairos: Any, repo: Any, home: Any) -> None:
    for path in (repo.root, *repo.root.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)
    said = kairos("init", repo.root, "--yes", "--json")
    assert (said.code, said.error["name"]) == (6, "denied")
    assert not home.log.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_directory_is_refused(kairos: Any, repo: Any) -> None:
    repo.root.chmod(0)
    try:
        assert kairos("init", repo.root, "--yes").code == 2
    finally:
        repo.root.chmod(0o700)


def test_kairos_does_not_watch_its_own_folder(kairos: Any, home: Any) -> None:
    inside = home.data / "inside"
    inside.mkdir()
    subprocess.run(["git", "init", "-q", inside], check=True)
    assert kairos("init", inside, "--yes").code == 2


def test_a_full_disk_is_exit_75_and_nothing_is_half_done(home: Any, repo: Any, kairos_command: list[str]) -> None:
    """A file size limit stands for the full disk: SQLite's writes fail the same way."""
    import resource

    done = subprocess.run(
        [*kairos_command, "init", str(repo.root), "--yes", "--json"], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)),
    )  # fmt: skip
    assert done.returncode == 75, done.stderr
    assert '"name":"try_again"' in done.stderr
    done = subprocess.run([*kairos_command, "init", str(repo.root), "--yes"], capture_output=True, check=False)
    assert done.returncode == 0
    done = subprocess.run([*kairos_command, "log", "verify"], capture_output=True, check=False)
    assert done.returncode == 0


def test_the_next_command_after_init_is_not_start_while_a_daemon_runs(kairos: Any, repo: Any, home: Any) -> None:
    assert kairos("init", repo.root, "--yes").out.rstrip().endswith("Next: kairos start")
    with claim(home):
        publish(home, Status(pid=os.getpid(), program=VERSION, repos=[]))
        assert kairos("init", repo.root, "--yes").out.rstrip().endswith("Next: kairos status")


@pytest.mark.parametrize(
    ("options", "left_out", "shown"),
    [
        ([], [], None),
        (["--filter=blob:none"], ["renames of files that also changed"], None),
        (["--filter=tree:0"], ["the changes of 2 commits"], "what it changed is not in this partial clone"),
        (["--depth=1"], ["the changes of 1 commit: this shallow"], "what it changed is not in this shallow clone"),
        (["--depth=1", "--filter=blob:none"], ["the changes of 1 commit", "renames of files"], "shallow clone"),
    ],
)
def test_what_a_clone_does_not_hold_is_named_when_it_is_registered(
    kairos: Any, repo: Any, tmp_path: Path, options: list[str], left_out: list[str], shown: str | None
) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.write("b.txt", "b\n")
    repo.commit("second")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", *options, f"file://{repo.root}", clone], check=True, capture_output=True)
    done = kairos("init", clone, "--yes", "--history", "all", "--json")
    assert done.code == 0 and done.data["commits"] == (1 if "--depth=1" in options else 2)
    assert len(done.data["left_out"]) == len(left_out)
    assert all(text.startswith(start) for text, start in zip(done.data["left_out"], left_out, strict=True))
    told = kairos("log", "--type", "CommitRecorded").out
    assert "not in this" not in told if shown is None else shown in " ".join(told.split())
    oid = subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    assert kairos("why", oid.strip()).code == 0


def test_watch_says_what_it_watches_when_it_speaks_and_what_history_took(
    repo: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("b.txt", "b\n")
    repo.commit("second")
    screen = terminal("watch", repo.root, "--yes", size=(200, 24))
    lines = screen.shows("ready")
    said = " ".join(" ".join(lines).split())
    assert re.search(r"2 commits of history in \d+\.\d s", said)
    assert f"watches {repo.root}" in said and "not from 22:00 to 08:00" in said and "0 told, at most 4 a day" in said
    screen.press("\x03")
    assert screen.end() == 0
