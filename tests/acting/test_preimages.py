"""What an execution replaced and left is kept durably, comes back as it was, and goes for good when it is forgotten."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from kairos.acting import preimages, undo
from kairos.domain.action import content_sha
from kairos.errors import IntegrityError, TryAgain
from kairos.eventlog.cold.mentions import betraying
from kairos.home import Home


def test_the_undo_store_survives_a_prune(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "old\n")
    done = bench.executed({"a.txt": "new\n"})
    subprocess.run(["git", "--git-dir", bench.home.undo, "gc", "-q", "--prune=now"], check=True)
    assert undo.undo(bench.log, bench.home, done.id).state == "undone"
    assert (repo.root / "a.txt").read_text() == "old\n"


def test_contents_and_directories_come_back_from_the_store(home: Any) -> None:
    store = preimages.keep(home, "x-1", [b"", b"\n", b"a\0b", b"caf\xc3\xa9"], ["new", "new/d"])
    shas = [content_sha(c) for c in (b"", b"\n", b"a\0b", b"caf\xc3\xa9")]
    assert preimages.fetch(home, store, [*shas, "0" * 64]) == dict(
        zip(shas, (b"", b"\n", b"a\0b", b"caf\xc3\xa9"), strict=True)
    )
    assert preimages.made_by(home, store) == ["new", "new/d"]
    assert preimages.made_by(home, "refs/undo/none") == []


def test_a_store_that_could_not_be_written_leaves_no_rubbish(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.executed({"a.txt": "one\n"})
    before = sorted(path.name for path in bench.home.undo.iterdir())
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    with monkeypatch.context() as broken:
        broken.setattr(preimages, "ref_of", lambda execution: f"refs/undo/{execution}..")
        with pytest.raises(TryAgain, match="undo store"):
            bench.execute(approved)
    assert sorted(path.name for path in bench.home.undo.iterdir()) == before


def test_a_content_that_is_not_the_one_that_was_kept_is_refused(home: Home) -> None:
    store = preimages.keep(home, "x-1", [b"kept\n"], [])

    def git(*args: str, given: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "--git-dir", home.undo, *args], input=given, capture_output=True, check=True,
            env={f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        )  # fmt: skip
        return done.stdout.decode().strip()

    sha = content_sha(b"kept\n")
    other = git("hash-object", "-w", "--stdin", given=b"other\n")
    tree = git("mktree", given=f"100644 blob {other}\t{sha}\n".encode())
    git("update-ref", store, git("commit-tree", tree, given=b"x"))
    with pytest.raises(IntegrityError, match="damaged"):
        preimages.fetch(home, store, [sha])


def test_without_a_store_nothing_is_known_and_nothing_is_made(home: Home) -> None:
    assert preimages.fetch(home, "refs/undo/x-1", ["0" * 64]) == {}
    assert preimages.made_by(home, "refs/undo/x-1") == []
    assert preimages.forget(home, [], betraying([b"x"])) == 0
    assert not home.undo.exists()


def test_what_no_event_names_or_betrays_a_name_is_forgotten_for_good(home: Home) -> None:
    stores = {
        name: preimages.keep(home, name, [text], made)
        for name, text, made in (
            ("living-1", b"plain\n", []),
            ("dead-1", b"nobody names me\n", []),
            ("telling-1", b"see hidden/plan.txt here\n", []),
            ("telling-2", b"plain too\n", ["hidden/plan.txt"]),
        )
    }
    living = [store for name, store in stores.items() if name != "dead-1"]
    assert preimages.forget(home, living, betraying([b"hidden/plan.txt"])) == 3
    assert preimages.fetch(home, stores["living-1"], [content_sha(b"plain\n")]) == {content_sha(b"plain\n"): b"plain\n"}
    listed = subprocess.run(
        ["git", "--git-dir", home.undo, "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True
    ).stdout
    assert b"plain\n" in listed
    for gone in (b"nobody names me", b"hidden/plan.txt", b"plain too"):
        assert gone not in listed


def test_a_store_of_which_everything_is_forgotten_goes_and_is_made_anew(home: Home) -> None:
    preimages.keep(home, "x-1", [b"one"], [])
    assert preimages.forget(home, [], betraying([b"x"])) == 1
    assert not home.undo.exists()
    store = preimages.keep(home, "x-2", [b"two"], [])
    assert list(preimages.fetch(home, store, [content_sha(b"two")]).values()) == [b"two"]
