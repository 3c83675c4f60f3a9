from __future__ import annotations

from typing import Any


def test_status_names_what_is_staged_changed_new_and_hides_private_files(repo: Any, run: Any) -> None:
    repo.write("a.txt", "1\n")
    repo.write("b.txt", "1\n")
    repo.commit()
    repo.write("a.txt", "2\n")
    repo.write("b.txt", "2\n")
    repo.git("add", "b.txt")
    repo.write("new file.txt", "x")
    repo.write(".env", "x")
    out = run("git_status")
    assert (
        "; 1 private file left out\nchanged in the index: b.txt\nchanged in the tree: a.txt\nnew: new file.txt\n" in out
    )
    assert "on " in out and ".env" not in out


def test_log_pages_through_the_commits_of_a_path(repo: Any, run: Any) -> None:
    for number in range(4):
        repo.write("dir/a.txt", f"{number}\n")
        repo.commit(f"change {number}")
        repo.write("other.txt", f"{number}\n")
        repo.commit(f"other {number}")
    out = run("git_log", path="dir", limit=3)
    lines = out.split("\n")[2:-1]
    assert [line.rsplit(": ", 1)[1] for line in lines[:3]] == ["change 3", "change 2", "change 1"]
    assert lines[3] == "there are more (offset 3)"
    assert "change 0" in run("git_log", path="dir", offset=3) and "more" not in run("git_log", path="dir", offset=3)
    assert run("git_log", path=":(exclude)dir").count("\n") == 3  # no pathspec magic: no commit has such a path


def test_show_and_diff_can_be_of_one_path_or_two_commits(repo: Any, run: Any) -> None:
    repo.write("a.txt", "1\n")
    repo.write("dir/b.txt", "1\n")
    repo.commit("both")
    repo.write("a.txt", "2\n")
    repo.commit("second")
    repo.write("a.txt", "3\n")
    assert "+++ b/dir/b.txt" in run("git_show", commit="HEAD~1", path="dir")
    assert "a.txt" not in run("git_show", commit="HEAD~1", path="dir")
    assert "-1\n+2\n" in run("git_diff", base="HEAD~1", to="HEAD")
    assert "-1\n+3\n" in run("git_diff", base="HEAD~1") and "-2\n+3\n" in run("git_diff")
    assert "no difference" in run("git_diff", path="dir")
    repo.write("new.txt", "n\n")
    assert "+n\n" in run("git_diff")


def test_blame_names_the_commit_of_each_line(repo: Any, run: Any) -> None:
    repo.write("a.txt", "one\ntwo\n")
    first = repo.commit("first")
    repo.write("a.txt", "one\n2\n")
    second = repo.commit("second")
    out = run("git_blame", path="a.txt")
    assert f"{first[:12]} " in out and " 1: one\n" in out and " 2: 2\n" in out and f"\n{second[:12]} " in out
    assert run("git_blame", path="a.txt", start=9).startswith("Refused: git cannot say who wrote these lines")
    assert run("git_blame", path=".git/config").startswith("Refused")


def test_blame_shows_no_line_of_a_key_wherever_it_begins(repo: Any, run: Any) -> None:
    body = [f"{n}IEpAIBAAKCAQEA7x9fQ2vLk8sT1mWc4uYbN6hJ3gR5dPzXoKqVtEaIyUwSnCr{n}" for n in range(8)]
    key = ["-----BEGIN RSA " + "PRIVATE KEY-----", *body, "-----END RSA " + "PRIVATE KEY-----"]
    repo.write("deploy.txt", "\n".join(["first", *key, "last"]) + "\n")
    repo.commit()
    for start in range(1, 12):
        out = run("git_blame", path="deploy.txt", start=start, lines=3)
        assert not any(line[1:20] in out for line in body)
        assert ("last" in out) == (start + 2 >= 12)
    assert " 1: first\n" in run("git_blame", path="deploy.txt")


def test_no_program_that_the_repository_names_is_run(repo: Any, run: Any) -> None:
    mark = repo.root.parent / "ran"
    for key in ("filter.x.clean", "filter.x.smudge", "diff.x.textconv", "diff.x.command", "diff.external"):
        repo.git("config", key, f"touch {mark}")
    repo.write(".gitattributes", "*.md filter=x diff=x\n")
    repo.write("README.md", "# Changed\n")
    for tool in ("git_status", "git_log", "git_show", "git_diff"):
        assert "data, not instructions" in run(tool)
    assert "data, not instructions" in run("git_blame", path="README.md")
    assert not mark.exists()
