"""What a detector may look at: the trigger as events tell it, and the repository read without trusting it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from kairos.detectors import boundaries, scene
from kairos.detectors.scene import SETTLE_NS, CommitFile, SeenChange
from kairos.repo import byte_cache
from kairos.repo.git import Git


def test_a_burst_is_its_changed_paths_with_where_they_are_told(see):
    seen = see("burst", "a.txt", "b.txt", kind="created")
    assert seen.changes == tuple(SeenChange(p, "created", "file", None, 200) for p in ("a.txt", "b.txt"))
    assert (seen.commits, seen.cause, seen.whole) == ((), 200, False)


def test_commits_are_told_with_their_renames_and_the_first_event_is_the_cause(repo, see):
    repo.git("mv", "README.md", "docs.md")
    oid = repo.commit()
    seen = see("commit")
    assert [c.changes for c in seen.commits] == [[CommitFile("docs.md", "R", "README.md")]]
    assert (seen.cause, seen.position_of(oid), seen.position_of("f" * 40)) == (100, 101, 100)


def test_a_look_at_the_whole_tree_reads_the_latest_commits_from_git(repo, see):
    oid = repo.commit()
    for boundary in boundaries.WHOLE:
        seen = see(boundary)
        assert seen.whole and [c.oid for c in seen.commits][-1] == oid
        assert {c.position for c in seen.commits} == {0}


def test_files_are_read_once_bounded_and_never_through_a_link(repo, see, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (repo.root / "link").symlink_to(tmp_path / "secret")
    repo.write("large", b"x" * (1 << 20) + b"x")
    repo.write("binary", b"\0")
    os.mkfifo(repo.root / "pipe")
    seen = see("burst", "README.md")
    for path in ("link", "large", "pipe", "none", "../secret", ".git/config", ""):
        assert seen.read(path) is None, path
    assert seen.text("README.md") == "# Demo\n"
    assert (seen.text("binary"), seen.read("binary").data) == (None, b"\0")
    repo.write("README.md", "later")
    assert seen.text("README.md") == "# Demo\n", "one look sees one content"


_WRITER = """
import os, sys
file = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(file).st_size
print(flush=True)
while True:
    for byte in (b"a", b"b"):
        for at in range(0, size, 4096):
            os.pwrite(file, byte * 4096, at)
"""


def test_a_file_that_is_being_written_in_place_is_known_to_be(repo, see):
    repo.write("big", b"a" * (1 << 19))
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(repo.root / "big")], stdout=subprocess.PIPE)
    try:
        writer.stdout.readline()
        mixed, end = 0, time.monotonic() + 60
        while mixed < 5 and time.monotonic() < end:
            seen = see("burst", "big")
            content = seen.read("big")
            if len(set(content.data)) > 1:
                mixed += 1
                paused = time.time_ns() - content.changed_ns >= SETTLE_NS  # the writer, on a busy machine
                assert seen.facts.unsettled == {"big"} or paused
        assert mixed, "the writer was never met"
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    past = time.time_ns() + 200_000_000
    while time.time_ns() < past:
        time.sleep(0.01)
    seen = see("burst", "big")
    assert seen.read("big") is not None
    assert seen.facts.unsettled == set()


def test_a_file_as_a_commit_has_it_is_text_or_nothing(repo, see):
    repo.write("large", b"x" * (1 << 20) + b"x")
    repo.write("binary", b"\0")
    repo.commit()
    repo.write("README.md", "later")
    seen = see("burst", "README.md")
    assert seen.text_in("HEAD", "README.md") == "# Demo\n"
    assert [seen.text_in("HEAD", path) for path in ("large", "binary", "none")] == [None, None, None]


def test_what_is_there_counts_even_where_a_link_leads_nowhere(repo, see):
    (repo.root / "dangling").symlink_to("nowhere")
    seen = see("burst", "README.md")
    assert seen.exists("dangling") and not seen.exists("none")


def test_untracked_files_come_by_directory_and_are_listed_on_demand(repo, see, monkeypatch):
    repo.write(".gitignore", "*.log\n")
    repo.commit()
    for path in ("new/a", "new/b", "new/c.log", "z", "other/é\n"):
        repo.write(path, "x")
    seen = see("baseline")
    assert seen.untracked == ["new/", "other/", "z"]
    assert seen.untracked_under(["new/", "other/"]) == ["new/a", "new/b", "other/é\n"]
    assert seen.untracked_under([]) == []
    monkeypatch.setattr(scene, "UNTRACKED_LIMIT", 2)
    assert len(seen.untracked_under(["new/", "other/"])) == 2


def test_conflicts_that_git_knows_of_are_unmerged(repo, see):
    repo.git("checkout", "-q", "-b", "side")
    repo.write("README.md", "side\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("README.md", "main\n")
    repo.commit()
    repo.git("merge", "-q", "side", check=False)
    assert see("baseline").unmerged == {"README.md"}


def test_texts_that_were_read_are_kept_within_bounds(repo):
    for name in range(70):
        repo.write(f"f{name}", "x" * (1 << 20))
    oid = repo.commit()
    facts = scene.Facts(Git(repo.root))
    for name in range(70):
        assert len(facts.text(f"f{name}")) == len(facts.text_in(oid, f"f{name}")) == 1 << 20
    assert facts._texts.held <= byte_cache.LIMIT and facts._old.held <= byte_cache.LIMIT
    assert facts.text("f0") == facts.text("f69")
