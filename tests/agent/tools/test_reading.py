from __future__ import annotations

from typing import Any

from kairos.agent.tools.output import OUTPUT_AT_MOST

SECRET = "AKIA" + "W" * 16


def test_read_file_gives_the_lines_that_were_asked_for(repo: Any, run: Any) -> None:
    repo.write("n.txt", "".join(f"line {n}\n" for n in range(1, 51)))
    out = run("read_file", path="n.txt", start=10, lines=2)
    assert "lines 10-11 of 50\nline 10\nline 11\n</data" in out
    assert "Refused: the file has 50 lines." in run("read_file", path="n.txt", start=99)


def test_other_encodings_are_read_as_text(repo: Any, run: Any) -> None:
    repo.write("wide.txt", "größe = 1\n".encode("utf-16"))
    repo.write("latin.txt", "größe = 1\n".encode("latin-1"))
    for path in ("wide.txt", "latin.txt"):
        assert "größe = 1" in run("read_file", path=path)
    assert "wide.txt:1: größe = 1" in run("grep_search", pattern="größe")
    repo.write("binary", b"a\0b")
    assert "Refused: not a text file." in run("read_file", path="binary")


def test_a_refusal_is_an_answer_not_an_error(run: Any) -> None:
    assert run("read_file", path="../../etc/passwd").startswith("Refused: no such file")
    assert run("read_file", path="\ud800").startswith("Refused: no such file")
    assert run("git_show", commit="nonsense").startswith("Refused: there is no commit nonsense")
    assert run("git_diff", path="../x") == "Refused: that is no path in the repository."
    assert run("glob_search", glob="[").startswith("Refused: the glob cannot be read")
    assert run("grep_search", pattern="(").startswith("Refused: the pattern cannot be used")
    assert run("grep_search", pattern=" ").startswith("Refused")
    assert run("grep_search", pattern=r"a\nb").startswith("Refused: the pattern cannot be used")


def test_grep_finds_lines_by_pattern_or_literal_text_with_their_place(repo: Any, run: Any) -> None:
    repo.write("src/a.py", "x = 1\ncall(.*)\n")
    repo.write("b.md", "call(.*)\n")
    assert "1 hit\nsrc/a.py:2: call(.*)\n" in run("grep_search", pattern="call(.*)", literal=True, glob="*.py")
    assert "2 hits" in run("grep_search", pattern="^c.ll")
    assert "2 hits" in run("grep_search", pattern="CALL", ignore_case=True)
    assert "0 hits" in run("grep_search", pattern="CALL")
    out = run("grep_search", pattern="call", context=1, glob="src/**")
    assert "--\nsrc/a.py-1- x = 1\nsrc/a.py:2: call(.*)\n" in out
    assert "2 files with hits\nb.md: 1 line\nsrc/a.py: 1 line\n" in run("grep_search", pattern="call", count=True)


def test_pages_follow_each_other_without_a_gap(repo: Any, run: Any) -> None:
    for name in "abc":
        repo.write(f"{name}.txt", "".join(f"hit {name}{n}\n" for n in range(5)))
    pages = [run("grep_search", pattern="^hit", offset=offset, limit=4) for offset in (0, 4, 8, 12)]
    lines = [line for page in pages for line in page.split("\n") if ": hit " in line]
    assert lines == [f"{name}.txt:{n + 1}: hit {name}{n}" for name in "abc" for n in range(5)]
    assert ["there are more" in page for page in pages] == [True, True, True, False]
    first = run("glob_search", glob="*.txt", limit=2)
    assert "3 files; 1-2 are shown, by path\na.txt\nb.txt\n" in first
    assert "\nc.txt\n" in run("glob_search", glob="*.txt", limit=2, offset=2)


def test_what_was_left_out_is_said(repo: Any, run: Any) -> None:
    repo.write("binary", b"\0hit")
    repo.write("large.txt", b"hit\n" + b"x" * (5 << 20))
    repo.write(".env", "hit=1\n")
    repo.write("a.txt", "hit\n")
    assert "1 hit; 3 files left out (1 private, 1 too large, 1 binary)\na.txt:1: hit" in run(
        "grep_search", pattern="hit"
    )
    assert "1 file left out (1 private)" in run("glob_search")


def test_a_credential_can_be_neither_read_nor_probed_for(repo: Any, run: Any) -> None:
    repo.write("c.py", f"K = '{SECRET}'\n")
    repo.commit(f"use {SECRET}")
    repo.write("c.py", f"K = '{SECRET}'  # used\n")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("read_file", {"path": "c.py"}), ("grep_search", {"pattern": "K = "}), ("git_show", {}),
        ("git_diff", {"base": "HEAD~1"}), ("git_log", {}), ("git_blame", {"path": "c.py", "lines": 1}),
    ]  # fmt: skip
    for tool, arguments in asked:
        out = run(tool, **arguments)
        assert "[redacted aws-access-key]" in out and SECRET not in out, (tool, out)
    for pattern in (SECRET, "AKIAW", "AKI[A-Z]W", "'AKIA"):
        assert "0 hits" in run("grep_search", pattern=pattern)
        assert "0 files with hits" in run("grep_search", pattern=pattern, count=True)


def test_a_key_that_begins_far_before_the_lines_is_not_shown(repo: Any, run: Any) -> None:
    body = "".join(f"{'QUJD' * 15}{n:04}\n" for n in range(400))
    repo.write("k.txt", f"x\n-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\nafter\n")
    out = run("read_file", path="k.txt", start=300, lines=20)
    assert "QUJD" not in out and "[redacted private-key]" in out
    assert "after" in run("read_file", path="k.txt", start=404, lines=1)


def test_outputs_are_bounded_with_the_cut_stated(repo: Any, run: Any) -> None:
    repo.write("wide.txt", "é" * 300_000)
    for number in range(600):
        (repo.root / f"file-with-a-long-name-{number}-{'x' * 60}.txt").touch()
    for out in (run("read_file", path="wide.txt"), run("glob_search", limit=500)):
        assert len(out.encode()) <= OUTPUT_AT_MOST
        assert "bytes left out]" in out


def test_recall_answers_from_memory(run: Any) -> None:
    assert "tests follow main.py" in run("recall", query="what of MAIN.py")
    assert "nothing is remembered" in run("recall", query="zebra")
