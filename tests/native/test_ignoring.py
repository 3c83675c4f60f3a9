"""Which paths the scanner leaves out, against git itself on trees and rules made to be nasty."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos._native import Scanner

NAMES = ["a", "b", "ab", "foo", "foo.o", "bar", "x.py", "x.pyc", "build", "b{c}", "a b", "a ", "#x", "!y"]
NAMES += ["foo]", "é", "[a]", "foo\\", "deep", "Foo", "-", "a-b", "*", "tmp\n"]
PIECES = ["a", "b", "foo", "bar", "build", "*", "**", "?", "/", "/", "\\", "[ab]", "[!a]", "[^f]", "[]a]"]
PIECES += ["[a-f]", "[[:alpha:]]", "[[:space:]]", "[[:bad:]]", "[", "]", "{a,b}", "{c}", ".o", "*.o", "x.py[co]"]
PIECES += ["**/", "/**", "/**/", "!", "#", " ", "\\ ", "\t", "é", "\\*", "\\[", "a-b", "[a-]", "[-a]", "[\\]]"]

Seen = Callable[[Scanner], dict[bytes, str]]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path / "repo")


def make_repo(root: Path) -> Path:
    root.mkdir(parents=True)
    git(root, "init", "-q")
    return root


def git(root: Path, *argv: str | bytes, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> bytes:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", "-C", root, *argv], input=stdin, capture_output=True, env=environment)
    assert done.returncode in ok, done.stderr
    return done.stdout


def split(answer: bytes) -> list[bytes]:
    return answer.split(b"\0")[:-1]


def everything(root: Path, inner: str = "") -> Iterator[tuple[bytes, bool]]:
    """(path, is a real directory) of all below root but `.git`, by the book."""
    for path in (root / inner).iterdir():
        if path.name == ".git":
            continue
        is_dir = path.is_dir() and not path.is_symlink()
        yield bytes(path.relative_to(root)), is_dir
        if is_dir:
            yield from everything(root, str(path.relative_to(root)))


def by_git(root: Path, *config: str) -> dict[bytes, bool]:
    """What git shows: tracked and untracked files, and directories that are not ignored or lead to a tracked
    file. Path → is a directory."""
    tracked = split(git(root, *config, "ls-files", "-z"))
    every = list(everything(root))
    asked = b"".join(path + b"\0" for path, _ in every)
    ignored = set(split(git(root, *config, "check-ignore", "--no-index", "-z", "--stdin", stdin=asked, ok=(0, 1))))
    leading = {path[:place] for path in tracked for place, byte in enumerate(path) if byte == 0x2F}
    keep = set(tracked) | leading
    return {path: is_dir for path, is_dir in every if path in keep or path not in ignored}


def agree(seen: Seen, root: Path, scanner: Scanner, *config: str) -> None:
    scanner.set_tracked(split(git(root, *config, "ls-files", "-z")))
    found = {path: kind == "dir" for path, kind in seen(scanner).items()}
    assert found == by_git(root, *config)
    files = {path for path, is_dir in found.items() if not is_dir}
    listed = split(git(root, *config, "ls-files", "-co", "--exclude-standard", "-z"))
    assert files == {path for path in listed if os.path.lexists(root / os.fsdecode(path))}


def grow(root: Path, chance: random.Random, depth: int = 0) -> None:
    """A random tree with random rules at random levels."""
    for name in chance.sample(NAMES, chance.randint(1, 5)):
        path = root / name
        kind = chance.random()
        if path.is_symlink() or path.exists():
            continue
        if kind < 0.45 and depth < 4:
            path.mkdir()
            grow(path, chance, depth + 1)
        elif kind < 0.5:
            path.symlink_to(chance.choice(["a", "..", "/tmp", "gone"]))
        else:
            path.write_bytes(b"x")
    if chance.random() < (0.9 if depth == 0 else 0.3):
        (root / ".gitignore").write_bytes(rules(chance))


def rules(chance: random.Random) -> bytes:
    lines = []
    for _ in range(chance.randint(1, 6)):
        if chance.random() < 0.35:
            line = chance.choice(["", "", "!", "/"]) + chance.choice(NAMES).strip("\n") + chance.choice(["", "/", "/*"])
        else:
            line = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 5)))
        lines.append(line.encode() + chance.choice([b"", b"", b"", b" ", b"/", b"\r", b"\xff"]))
    start = chance.choice([b"", b"", b"\xef\xbb\xbf"])
    return start + b"\n".join(lines) + chance.choice([b"", b"\n"])


@pytest.mark.parametrize("seed", range(24))
def test_a_walk_shows_what_git_shows_under_nasty_rules(tmp_path: Path, seed: int, seen: Seen) -> None:
    chance = random.Random(seed)
    for number in range(6):
        root = make_repo(tmp_path / str(number))
        grow(root, chance)
        (root / ".git/info").mkdir(exist_ok=True)
        (root / ".git/info/exclude").write_bytes(rules(chance))
        excludes = tmp_path / f"excludes{number}"
        excludes.write_bytes(rules(chance))
        config = ("-c", f"core.excludesFile={excludes}")
        scanner = Scanner(bytes(root), git_dir=bytes(root / ".git"), excludes_file=bytes(excludes))
        agree(seen, root, scanner, *config)
        every = [path for path, is_dir in everything(root) if not is_dir]
        picked = chance.sample(every, min(len(every), 4))
        git(root, "--literal-pathspecs", "add", "-f", "--pathspec-from-file=-", "--pathspec-file-nul",
            stdin=b"".join(path + b"\0" for path in picked))  # fmt: skip
        agree(seen, root, scanner, *config)


@pytest.fixture(scope="module")
def pattern_repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_repo(tmp_path_factory.mktemp("patterns") / "repo")
    for directory in ("", "a", "foo", "b/a", "foo/a", "build/ab", "a/foo/b"):
        (root / directory).mkdir(parents=True, exist_ok=True)
        for name in ("abb", "x.py", "x.pyc", "foo.o", "a b", "é", "]", "-", "b{c}", "bar", "a,b", "*", "[", "f"):
            (root / directory / name).write_bytes(b"")
    return root


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=7))
def test_one_pattern_means_what_git_means(pattern_repo: Path, pieces: list[str], seen: Seen) -> None:
    (pattern_repo / ".gitignore").write_bytes("".join(pieces).encode())
    agree(seen, pattern_repo, Scanner(bytes(pattern_repo)))


def test_hostile_patterns_cost_no_more_than_their_length(repo: Path, seen: Seen) -> None:
    (repo / ("a" * 250)).write_bytes(b"")
    (repo / ".gitignore").write_bytes(b"*a" * 120 + b"b\n" + b"/" + b"**/a*" * 60 + b"b\n")
    assert b"a" * 250 in seen(Scanner(bytes(repo)))


def test_a_gitignore_that_is_a_symlink_or_a_pipe_says_nothing(tmp_path: Path, repo: Path, seen: Seen) -> None:
    (tmp_path / "rules").write_text("a\n")
    (repo / "a").write_text("")
    (repo / ".gitignore").symlink_to(tmp_path / "rules")
    agree(seen, repo, Scanner(bytes(repo)))
    (repo / ".gitignore").unlink()
    os.mkfifo(repo / ".gitignore")
    assert seen(Scanner(bytes(repo))) == {b"a": "file"}


def test_a_tracked_file_in_an_ignored_directory_is_shown_with_the_way_to_it(repo: Path, seen: Seen) -> None:
    (repo / "out/deep/other").mkdir(parents=True)
    (repo / "out/deep/kept").write_text("")
    (repo / "out/deep/loose").write_text("")
    (repo / "out/.gitignore").write_text("!*\n")
    (repo / ".gitignore").write_text("out/\n")
    scanner = Scanner(bytes(repo))
    assert seen(scanner) == {b".gitignore": "file"}
    assert scanner.walk()[1] == 1
    assert scanner.list_dir(b"out/deep") is None
    git(repo, "add", "-f", "out/deep/kept")
    scanner.set_tracked([b"out/deep/kept"])
    assert seen(scanner) == {b".gitignore": "file", b"out": "dir", b"out/deep": "dir", b"out/deep/kept": "file"}
    assert scanner.walk()[1] == 1
    assert scanner.walk(b"out/deep")[0] == [(b"out/deep", scanner.list_dir(b"out/deep"))]
    agree(seen, repo, scanner)


def test_changed_rules_are_seen_at_once(repo: Path, seen: Seen) -> None:
    scanner = Scanner(bytes(repo), git_dir=bytes(repo / ".git"), excludes_file=bytes(repo / "rules"))
    (repo / "a").write_text("")
    (repo / "b").write_text("")
    for place in (".gitignore", ".git/info/exclude", "rules"):
        path = repo / place
        for name in ("a", "b") * 20:
            path.write_text(name)
            assert name.encode() not in seen(scanner)
            assert len({b"a", b"b"} & set(seen(scanner))) == 1
        path.unlink()
        assert {b"a", b"b"} <= set(seen(scanner))
