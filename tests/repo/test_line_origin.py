"""Which commit wrote the only line with a text, and when that is not known."""

from __future__ import annotations

from typing import Any

from kairos.repo.git import Git
from kairos.repo.line_origin import line_origin

TEXT = "could not reach the database at"


def test_the_commit_that_wrote_the_only_line_with_a_text_is_found_even_if_the_line_was_changed_since(repo: Any) -> None:
    repo.write("app/db.py", f'log.error("{TEXT} %s", host)\n')
    wrote = repo.commit("retry when the database is away")
    repo.write("app/db.py", f'import log\nif away:\n    log.error("{TEXT} %s: later", host)\n')
    repo.commit("say later")
    repo.git("mv", "app/db.py", "app/store.py")
    repo.commit("rename")
    found = line_origin(Git(repo.root), ["app.db " + TEXT, TEXT])
    assert found is not None
    assert (found.path, found.line, found.commit) == ("app/store.py", 3, wrote)
    assert found.subject == "retry when the database is away"


def test_a_text_in_several_lines_or_in_none_is_not_blamed_on_one(repo: Any) -> None:
    repo.write("a.py", f'log("{TEXT}")\n')
    repo.write("b.py", f'log("{TEXT}")\n')
    repo.commit()
    git = Git(repo.root)
    assert line_origin(git, [TEXT]) is None
    assert line_origin(git, ["a text that is nowhere"]) is None
    assert line_origin(git, []) is None
    assert line_origin(git, ["--open-files-in-pager=touch x"]) is None


def test_a_longer_text_in_several_lines_is_not_outdone_by_a_shorter_one_in_one(repo: Any) -> None:
    repo.write("a.py", f'log("{TEXT} a")\nlog("{TEXT} a")\nlog("retrying in some seconds")\n')
    repo.commit()
    assert line_origin(Git(repo.root), [f"{TEXT} a", "retrying in some seconds"]) is None


def test_tests_and_documents_wrote_no_line_of_a_log(repo: Any) -> None:
    repo.write("src/db.py", f'log("{TEXT}")\n')
    for path in ("tests/test_db.py", "docs/errors.md", "README.txt", "src/db.test.js"):
        repo.write(path, f'assert "{TEXT}"\n')
    wrote = repo.commit()
    found = line_origin(Git(repo.root), [TEXT])
    assert found is not None and (found.path, found.commit) == ("src/db.py", wrote)


def test_a_repository_without_a_commit_tells_nothing(tmp_path: Any, repo: Any) -> None:
    repo.git("update-ref", "-d", "HEAD")
    assert line_origin(Git(repo.root), [TEXT]) is None


def test_a_short_text_in_thousands_of_lines_hides_no_second_place_of_a_long_one(repo: Any) -> None:
    repo.write("a.py", "x retrying\n" * 3_000 + f'log("{TEXT} retrying")\n')
    repo.write("b.py", "x retrying\n" * 3_000 + f'log("{TEXT} retrying")\n')
    repo.commit()
    assert line_origin(Git(repo.root), [f"{TEXT} retrying", "retrying"]) is None


def test_a_text_in_a_line_of_megabytes_is_blamed_on_none(repo: Any) -> None:
    repo.write("min.js", f'log("{TEXT}");' + "a" * (2 << 20) + "\n")
    repo.commit()
    assert line_origin(Git(repo.root), [TEXT]) is None


def test_a_file_whose_name_is_a_pattern_is_itself_alone(repo: Any) -> None:
    repo.write("[id].ts", f'log("{TEXT}")\n')
    wrote = repo.commit("a page")
    repo.write("[id].ts", f'if (away) log("{TEXT}")\n')
    repo.commit("only when away")
    repo.write("i.ts", "x\n")
    repo.commit("another")
    found = line_origin(Git(repo.root), [TEXT])
    assert found is not None and (found.path, found.commit) == ("[id].ts", wrote)
