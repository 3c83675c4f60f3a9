"""What the native scanner lists; which paths it ignores is in test_ignoring."""

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kairos._native import Scanner, blake3_hash, diff_listings, hash_file, suspend_offset_ns, unpack_listing

Seen = Callable[[Scanner], dict[bytes, str]]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo/.git").mkdir(parents=True)
    return tmp_path / "repo"


@pytest.mark.parametrize("name", [b"line\nbreak", b"\xff\xfe", b"n" * 255, "\u202egnp.exe".encode(), b"\x1b[31m", b" "])
def test_any_name_comes_back_as_it_is(repo: Path, name: bytes, seen: Seen) -> None:
    (repo / os.fsdecode(name)).mkdir()
    (repo / os.fsdecode(name + b"/" + name)).write_bytes(b"1")
    assert seen(Scanner(bytes(repo))) == {name: "dir", name + b"/" + name: "file"}


def test_an_entry_holds_what_lstat_says(repo: Path) -> None:
    (repo / "file").write_bytes(b"12345")
    (repo / "file").chmod(0o4751)
    (repo / "link").symlink_to("file")
    (repo / "dir").mkdir(mode=0o700)
    os.utime(repo / "file", ns=(1, -5))
    listing = Scanner(bytes(repo)).list_dir(b"")
    assert listing is not None
    for name, kind, *numbers in unpack_listing(listing):
        told = (repo / os.fsdecode(name)).lstat()
        expected = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink"}
        assert kind == expected[stat.S_IFMT(told.st_mode)]
        assert numbers == [
            told.st_mode & 0o7777, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns
        ]  # fmt: skip


def test_git_and_special_files_are_left_out_at_every_level(repo: Path, seen: Seen) -> None:
    (repo / "sub/.git/refs").mkdir(parents=True)
    (repo / "tree").mkdir()
    (repo / "tree/.git").write_text("gitdir: elsewhere")
    os.mkfifo(repo / "pipe")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(os.path.relpath(repo / "sock"))
    scanner = Scanner(bytes(repo))
    assert seen(scanner) == {b"sub": "dir", b"tree": "dir"}
    assert scanner.list_dir(b".git") is None
    assert scanner.list_dir(b"sub/.git/refs") is None
    assert scanner.walk(b"sub/.git") == ([], 0, [])


def test_no_symlink_is_followed(tmp_path: Path, repo: Path, seen: Seen) -> None:
    outside = tmp_path / "outside"
    (outside / "in").mkdir(parents=True)
    (repo / "link").symlink_to(outside)
    scanner = Scanner(bytes(repo))
    assert seen(scanner) == {b"link": "symlink"}
    assert scanner.list_dir(b"link") is None
    assert scanner.list_dir(b"link/in") is None
    assert scanner.walk(b"link/in") == ([], 0, [])
    (tmp_path / "door").symlink_to(repo)
    assert Scanner(bytes(tmp_path / "door")).list_dir(b"") is None


def test_excluded_directories_leave_no_trace(repo: Path, seen: Seen) -> None:
    (repo / "home/inner").mkdir(parents=True)
    (repo / "homely").mkdir()
    scanner = Scanner(bytes(repo), excluded=[bytes(repo / "home") + b"/", b"/elsewhere"])
    assert seen(scanner) == {b"homely": "dir"}
    assert scanner.list_dir(b"home") is None
    assert scanner.list_dir(b"home/inner") is None
    assert Scanner(bytes(repo / "home"), excluded=[bytes(repo)]).walk() == ([], 0, [])


@pytest.mark.parametrize("path", [b"..", b"a/../b", b"/etc", b"a//b", b"a/", b".", b"a\0b"])
def test_a_path_that_leaves_the_root_is_refused(repo: Path, path: bytes) -> None:
    with pytest.raises(ValueError, match="not a path below the root"):
        Scanner(bytes(repo)).list_dir(path)


def test_a_relative_root_is_refused() -> None:
    with pytest.raises(ValueError, match="not an absolute path"):
        Scanner(b"here")


def test_a_root_that_is_gone_is_empty(tmp_path: Path) -> None:
    scanner = Scanner(bytes(tmp_path / "gone"))
    assert scanner.walk() == ([], 0, [])
    assert scanner.list_dir(b"") is None


def test_an_unreadable_directory_is_empty_and_reported() -> None:
    script = (
        "import os, sys; from kairos._native import *; s = Scanner(os.fsencode(sys.argv[1]));"
        "os.geteuid() or os.setuid(65534);"
        "l, _, u = s.walk();"
        "print([d for d, _ in l], u, [unpack_listing(p) for d, p in l if d == b'shut'], s.list_dir(b'shut/in'))"
    )
    # Not below tmp_path, whose parents another user may not enter.
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        root.chmod(0o755)
        (root / "shut/in").mkdir(parents=True)
        (root / "open").mkdir()
        (root / "shut").chmod(0)
        try:
            answer = subprocess.run([sys.executable, "-c", script, root], capture_output=True, check=True, text=True)
        finally:
            (root / "shut").chmod(0o700)
    assert answer.stdout.strip() == "[b'', b'open', b'shut'] [b'shut'] [[]] None"


def test_a_walk_outlives_a_tree_that_is_torn_down_under_it(repo: Path, seen: Seen) -> None:
    for number in range(60):
        (repo / f"d{number}/e/f").mkdir(parents=True)
    pipe = subprocess.Popen(["rm", "-rf", *repo.glob("d*")])
    while pipe.poll() is None:
        Scanner(bytes(repo)).walk()
    assert seen(Scanner(bytes(repo))) == {}


def test_a_damaged_listing_is_refused(repo: Path) -> None:
    for number in range(30):
        (repo / f"n{number}").write_text("x" * number)
    good = Scanner(bytes(repo)).list_dir(b"")
    assert good is not None
    assert len(unpack_listing(good)) == 30
    for size in range(len(good)):
        with pytest.raises(ValueError, match="listing"):
            unpack_listing(good[:size])
    with pytest.raises(ValueError, match="damaged listing: end"):
        unpack_listing(good + b"\0")
    with pytest.raises(ValueError, match="unknown version 9"):
        diff_listings(b"\x09" + good[1:], None)


def test_a_diff_names_what_came_went_and_changed(repo: Path) -> None:
    scanner = Scanner(bytes(repo))
    for name in ("gone", "same", "flipped", "rewritten"):
        (repo / name).write_text("x")
    (repo / "dir").mkdir()
    (repo / "turned").mkdir()
    old = scanner.list_dir(b"")
    (repo / "gone").unlink()
    (repo / "new").write_text("")
    (repo / "dir/inner").write_text("")
    (repo / "flipped").chmod(0o600)
    (repo / "flipped").chmod(0o644)
    (repo / "turned").rmdir()
    (repo / "turned").write_text("")
    times = (repo / "rewritten").stat()
    (repo / "rewritten").write_text("y")
    os.utime(repo / "rewritten", ns=(times.st_atime_ns, times.st_mtime_ns))
    new = scanner.list_dir(b"")
    changes = {name: (before, after) for name, before, after in diff_listings(old, new)}
    assert list(changes) == [b"flipped", b"gone", b"new", b"rewritten", b"turned"]
    assert changes[b"gone"][1] is None
    assert changes[b"new"][0] is None
    before, after = changes[b"rewritten"]
    assert before is not None and after is not None
    assert before[:5] == after[:5] and before[5] < after[5]
    assert diff_listings(new, new) == []
    (repo / "dir").chmod(0o500)
    assert [name for name, *_ in diff_listings(new, scanner.list_dir(b""))] == [b"dir"]
    assert [name for name, *_ in diff_listings(new, None)] == [row[0] for row in unpack_listing(new or b"")]


def test_a_regular_file_is_hashed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = os.urandom(300_000)
    path.write_bytes(content)
    assert hash_file(bytes(path), 300_000) == (blake3_hash(content), 300_000)
    assert hash_file(bytes(path), 299_999) is None
    path.write_bytes(b"")
    assert hash_file(bytes(path), 0) == (blake3_hash(b""), 0)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "gone", "file/x", "."):
        assert hash_file(bytes(tmp_path / name), 10) is None


def test_the_suspend_offset_stands_still_while_awake() -> None:
    first, second = suspend_offset_ns(), suspend_offset_ns()
    assert abs(second - first) < 1_000_000_000


def rows_of(scanner: Scanner) -> list[tuple[bytes, bytes]]:
    return scanner.walk()[0]


def test_a_sweep_of_an_unchanged_tree_finds_nothing_in_any_cut(repo: Path) -> None:
    for name in ("a", "a/b", "a/b/c", "a-b", "a-b/a", "a.b", "z"):
        (repo / name).mkdir()
        (repo / name / "file").write_text(name)
    (repo / "a/.gitignore").write_text("ignored\n")
    (repo / "a/b/ignored").mkdir()
    (repo / "z/locked").mkdir(mode=0)
    scanner = Scanner(bytes(repo))
    rows = rows_of(scanner)
    assert (b"a/b/c" in dict(rows)) and (b"a/b/ignored" not in dict(rows))
    assert scanner.sweep(rows) == ([], 1)
    assert scanner.sweep(list(reversed(rows))) == ([], 1)
    for cut in range(len(rows)):
        assert scanner.sweep(rows[cut:])[0] == scanner.sweep(rows[:cut])[0] == []
    assert scanner.sweep([]) == ([], 0)


def test_a_sweep_names_the_directories_whose_listing_is_no_longer_true(repo: Path, tmp_path: Path) -> None:
    for name in ("gone", "kept/deep", "linked", "ignored", "written", "touched", "grown"):
        (repo / name).mkdir(parents=True)
        (repo / name / "file").write_text(name)
    scanner = Scanner(bytes(repo))
    rows = rows_of(scanner)
    (repo / "gone/file").unlink()
    (repo / "gone").rmdir()
    (repo / "linked").rename(tmp_path / "linked")
    (repo / "linked").symlink_to(tmp_path / "linked")
    (repo / ".gitignore").write_text("/ignored\n")
    (repo / "written/file").write_text("other words")
    (repo / "grown/new").mkdir()
    os.utime(repo / "touched")
    assert scanner.sweep(rows)[0] == [b"", b"gone", b"grown", b"ignored", b"linked", b"written"]


def test_a_sweep_refuses_what_is_no_listing_and_no_path(repo: Path) -> None:
    scanner = Scanner(bytes(repo))
    for row in ((b"", b"noise"), (b"a/../b", b"\x01\x00"), (b"/etc", b"\x01\x00"), (b"a//b", b"\x01\x00")):
        with pytest.raises(ValueError):
            scanner.sweep([row])
    assert scanner.sweep([(b"nowhere/at/all", b"\x01\x00")])[0] == [b"nowhere/at/all"]
    assert Scanner(bytes(repo) + b"/nowhere").sweep([(b"", b"\x01\x00")])[0] == [b""]


def test_names_of_one_file_are_known_during_a_sweep_and_forgotten_after_it(repo: Path) -> None:
    for name in ("a", "b"):
        (repo / name).mkdir()
    (repo / "a/one").write_text("1")
    os.link(repo / "a/one", repo / "b/two")
    ino = (repo / "a/one").stat().st_ino
    scanner = Scanner(bytes(repo))
    rows = rows_of(scanner)
    assert scanner.holding([ino]) == [b"a", b"b"]
    (repo / "b/two").unlink()
    os.link(repo / "a/one", repo / "a/two")
    scanner.begin_sweep()
    scanner.sweep(rows[:2])
    assert scanner.holding([ino]) == [b"a", b"b"]
    scanner.sweep(rows[2:])
    scanner.end_sweep()
    assert scanner.holding([ino]) == [b"a"]
