from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from kairos.agent import repository_files
from kairos.agent.repository_files import Files, shown
from kairos.repo.beneath import Unreadable


@pytest.fixture
def files(repo: Any, files_of: Callable[[Any], Files]) -> Callable[[], Files]:
    return lambda: files_of(repo)


def test_tracked_and_new_files_are_listed_but_not_ignored_or_private_ones(repo: Any, files: Any) -> None:
    repo.write(".gitignore", "build/\n")
    repo.write("build/out.txt", "x")
    repo.write("src/a.py", "x")
    repo.write(".env", "TOKEN=1")
    repo.write("deploy/server.pem", "x")
    repo.commit()
    repo.write("new.py", "x")
    found = files().search.paths("*", 0, 100, 10.0)
    assert found.paths == [".gitignore", "README.md", "new.py", "src/a.py"] and found.left.private == 2
    assert "new.py" not in files().tracked


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", ".git/config", "README.md/../../outside.txt", "", ".", "no-such-file"]
)
def test_paths_outside_the_listing_are_refused(repo: Any, files: Any, path: str) -> None:
    (repo.root.parent / "outside.txt").write_text("secret")
    with pytest.raises(Unreadable):
        files().text(path)


def test_symlinks_are_not_followed_not_even_those_that_replace_a_tracked_file_or_folder(repo: Any, files: Any) -> None:
    outside = repo.root.parent / "outside"
    outside.mkdir()
    (outside / "b.txt").write_text("outside")
    repo.write("a.txt", "x")
    repo.write("folder/b.txt", "x")
    (repo.root / "link.txt").symlink_to(outside / "b.txt")
    repo.commit()
    (repo.root / "a.txt").unlink()
    (repo.root / "a.txt").symlink_to(outside / "b.txt")
    (repo.root / "folder" / "b.txt").unlink()
    (repo.root / "folder").rmdir()
    (repo.root / "folder").symlink_to(outside)
    for path in ("a.txt", "link.txt", "folder/b.txt"):
        with pytest.raises(Unreadable):
            files().text(path)
    assert "outside" not in files().tree_diff("README.md")


def test_a_pipe_in_the_place_of_a_file_does_not_block(repo: Any, files: Any) -> None:
    (repo.root / "README.md").unlink()
    os.mkfifo(repo.root / "README.md")
    with pytest.raises(Unreadable, match="regular"):
        files().text("README.md")


def test_binary_and_huge_files_are_refused(repo: Any, files: Any) -> None:
    repo.write("binary", b"a\0b")
    repo.write("latin", b"\xe9t\xe9")
    repo.write("huge.txt", b"x" * 1_000_001)
    repo.commit()
    assert files().text("latin") == "été"
    for path in ("binary", "huge.txt"):
        with pytest.raises(Unreadable):
            files().text(path)
    assert any("huge.txt: too large to show" in s for s in files().commit_diff("HEAD"))
    assert any("binary: not a text file" in s for s in files().commit_diff("HEAD"))


def test_a_commit_diff_shows_each_file_but_not_private_ones(repo: Any, files: Any) -> None:
    repo.write("a.txt", "one\n")
    repo.write("gone.txt", "bye")
    repo.write(".env", "TOKEN=hunter2\n")
    repo.commit()
    repo.write("a.txt", "one\ntwo\n")
    repo.write(".env", "TOKEN=hunter3\n")
    (repo.root / "gone.txt").unlink()
    text = "".join(files().commit_diff(repo.commit()))
    assert "+++ b/a.txt\n@@ -1 +1,2 @@\n one\n+two\n" in text
    assert "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n\\ No newline at end of file\n" in text
    assert "M .env: not shown (private)" in text and "hunter" not in text


def test_the_first_commit_has_a_diff_too(repo: Any, files: Any) -> None:
    assert "+# Demo\n" in "".join(files().commit_diff(repo.git("rev-parse", "HEAD")))


def test_no_filter_or_text_conversion_of_the_repository_runs(repo: Any, files: Any) -> None:
    mark = repo.root.parent / "ran"
    for key in ("filter.x.clean", "filter.x.smudge", "diff.x.textconv", "diff.x.command", "diff.external"):
        repo.git("config", key, f"touch {mark}")
    repo.write(".gitattributes", "*.md filter=x diff=x\n")
    repo.write("README.md", "# Changed\n")
    assert "+# Changed" in files().tree_diff("README.md")
    assert files().commit_diff("HEAD") and files().search.paths("*", 0, 9, 9.0).paths
    assert not mark.exists()


def test_a_new_a_changed_and_a_deleted_file_have_tree_diffs(repo: Any, files: Any) -> None:
    repo.write("gone.txt", "old\n")
    repo.commit()
    (repo.root / "gone.txt").unlink()
    repo.write("new.txt", "new\n")
    assert "+new\n" in files().tree_diff("new.txt")
    assert "-old\n" in files().tree_diff("gone.txt")
    with pytest.raises(Unreadable):
        files().tree_diff("never.txt")


@pytest.mark.parametrize("path", [".", "./README.md", "README.md/", "*", ":(top)README.md", "a\0b", "\ud800"])
def test_a_tree_diff_is_of_one_exact_path(files: Any, path: str) -> None:
    with pytest.raises(Unreadable):
        files().tree_diff(path)


def test_a_tree_diff_of_a_file_that_was_or_is_too_large_says_so(repo: Any, files: Any) -> None:
    repo.write("was.txt", b"x" * 256_001)
    repo.write("is.txt", b"x")
    repo.commit()
    repo.write("was.txt", b"x")
    repo.write("is.txt", b"x" * 256_001)
    for path in ("was.txt", "is.txt"):
        with pytest.raises(Unreadable, match="too large"):
            files().tree_diff(path)


@pytest.mark.parametrize("name", ["HEAD; rm -rf /", "--output=x", "main", "@{-1}", "zzzz", "0" * 40, ""])
def test_only_commit_ids_are_looked_up(files: Any, name: str) -> None:
    assert files().commit(name) is None


def test_an_abbreviated_id_and_head_are_found(repo: Any, files: Any) -> None:
    oid = repo.git("rev-parse", "HEAD")
    assert files().commit("HEAD") == files().commit(oid[:8]) == oid


@pytest.mark.parametrize("path", [".env.example", "secrets.py", "src/credentials.go", "key.py", "environment"])
def test_sources_with_telling_names_are_shown(path: str) -> None:
    assert shown(path)


@pytest.mark.parametrize(
    "path",
    [".env", "a/.ENV.local", "prod.env", ".envrc", "id_rsa", "x/.ssh/config", "secrets.yaml", "a.PEM", ".git/HEAD",
     "sub/.GIT/config", "credentials", ".aws/config"],
)  # fmt: skip
def test_files_that_by_their_name_hold_credentials_are_not(path: str) -> None:
    assert not shown(path)


def _numbers(seed: int) -> str:
    numbers = random.Random(seed)
    return "".join(f"{numbers.randrange(10**6)}\n" for _ in range(36_000))


def test_of_many_files_of_numbers_no_more_is_compared_than_is_shown(
    repo: Any, files: Callable[[], Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (0, 100):
        for n in range(8):
            repo.write(f"n{n}.txt", _numbers(seed + n))
        oid = repo.commit()
    compared: list[str] = []
    unified = repository_files._unified
    monkeypatch.setattr(
        repository_files, "_unified", lambda path, *sides: compared.append(path) or unified(path, *sides)
    )
    sections = files().commit_diff(oid, 24_000)
    assert compared == ["n0.txt"] and sections[-1] == "[7 of 8 files left out]\n"
    assert files().commit_diff(oid, until=0.0) == ["[8 of 8 files left out]\n"]


def test_a_patch_keeps_its_hash_under_another_id(repo: Any, files: Callable[[], Files]) -> None:
    repo.write("a.txt", "".join(f"{n}\n" for n in range(60)))
    repo.write("b.bin", b"\0one")
    base = repo.commit()
    repo.write("a.txt", "".join(f"{n}\n" for n in range(50)) + "new\n" + "".join(f"{n}\n" for n in range(50, 60)))
    first = repo.commit("first")
    repo.git("checkout", "-q", "-b", "other", base)
    repo.write("a.txt", "top\n" + "".join(f"{n}\n" for n in range(60)))
    elsewhere = repo.commit("elsewhere")
    repo.git("cherry-pick", first)
    picked = repo.git("rev-parse", "HEAD").strip()
    repo.git("commit", "-q", "--amend", "-m", "other words")
    amended = repo.git("rev-parse", "HEAD").strip()
    repo.write("b.bin", b"\0two")
    binary = repo.commit()
    repo.write("b.bin", b"\0six")
    other_binary = repo.commit()
    known = files()
    assert known.patch_id(first) == known.patch_id(picked) == known.patch_id(amended) != ""
    others = {known.patch_id(oid) for oid in (base, first, elsewhere, binary, other_binary)}
    assert len(others) == 5 and "" not in others
    assert known.patch_id("0" * 40) == ""


def test_a_patch_that_is_too_large_has_no_hash(
    repo: Any, files: Callable[[], Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write("a.txt", "x\n" * 5_000)
    oid = repo.commit()
    monkeypatch.setattr(repository_files, "PATCH_AT_MOST", 1_000)
    assert files().patch_id(oid) == ""


def test_a_merge_stands_for_what_it_brought(repo: Any, files: Callable[[], Files]) -> None:
    base = repo.git("rev-parse", "HEAD").strip()
    repo.git("checkout", "-q", "-b", "side")
    repo.write("s.txt", "s\n")
    side = repo.commit()
    repo.git("checkout", "-q", "-")
    repo.write("m.txt", "m\n")
    mine = repo.commit()
    repo.git("merge", "-q", "--no-ff", "-m", "merge", "side")
    merge = repo.git("rev-parse", "HEAD").strip()
    known = files()
    assert known.between(base, merge) == [mine, merge] and known.between(mine, side) == [side]
    assert known.between(None, merge) == known.between("0" * 40, merge) == known.between("--all", merge) == [merge]
