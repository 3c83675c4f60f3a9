"""A symbolic link that led to what moved is told with the command that mends it."""

from __future__ import annotations

import posixpath
import subprocess

import pytest

from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.stale_reference.symlinks import Dangling, described
from kairos.domain.action import NoteAction

TEXT = "# how to work here\nline\nline 2\n"


def told(repo, see, links, renames, files=("AGENTS.md",)):
    for path in files:
        repo.write(path, TEXT + posixpath.basename(path)[0])
    for link, target in links.items():
        (repo.root / link).parent.mkdir(parents=True, exist_ok=True)
        (repo.root / link).symlink_to(target)
    repo.commit("files")
    for old, new in renames:
        (repo.root / new).parent.mkdir(parents=True, exist_ok=True)
        repo.git("mv", old, new)
    repo.commit("rename")
    return list(StaleReference().look(see("commit")))


@pytest.mark.parametrize(
    ("links", "renames", "files"),
    [
        ({"CLAUDE.md": "AGENTS.md"}, [("AGENTS.md", "docs/AGENTS.md")], ["AGENTS.md"]),
        ({"deep/er/link": "../../AGENTS.md"}, [("AGENTS.md", "docs/a b.md")], ["AGENTS.md"]),
        ({"bin/tool": "../lib/tool.sh"}, [("lib", "src/lib")], ["lib/tool.sh", "lib/other.sh"]),
        ({"current": "v1"}, [("v1", "v2")], ["v1/a", "v1/b"]),
        ({"a/link": "real.md"}, [("a/link", "b/link")], ["a/real.md"]),
        ({"-x; rm": "AGENTS.md"}, [("AGENTS.md", "it's.md")], ["AGENTS.md"]),
    ],
)
def test_the_command_of_the_note_mends_the_link(repo, see, links, renames, files):
    (found,) = told(repo, see, links, renames, files)
    assert isinstance(found.action, NoteAction) and "lead" in found.title
    commands = [line.split(": ", 1)[1] for line in found.action.text.splitlines() if ": ln " in line]
    assert len(commands) == len(links)
    for command in commands:
        subprocess.run(["sh", "-c", command], cwd=repo.root, check=True)
    moved = dict(renames)
    for link in links:
        assert (repo.root / moved.get(link, link)).exists()
    assert list(StaleReference().look(see("commit"))) == []


def test_links_that_lead_somewhere_outside_or_were_dead_before_are_left_alone(repo, see):
    links = {"abs": "/nonexistent/AGENTS.md", "dead": "nothing.md", "fine": "README.md", "up": "../AGENTS.md"}
    assert told(repo, see, links, [("AGENTS.md", "docs/AGENTS.md")], ["AGENTS.md", "README.md"]) == []


def test_a_link_to_a_deleted_file_is_told_without_a_command(repo, see):
    repo.write("a.md", TEXT)
    (repo.root / "link").symlink_to("a.md")
    repo.commit()
    (repo.root / "a.md").unlink()
    repo.commit()
    (found,) = StaleReference().look(see("commit"))
    assert "link leads to a.md, which was deleted" in found.action.text


def test_a_name_that_no_text_can_show_gets_no_command():
    (line,) = described([Dangling("a\x1b[31m", "b", "c\n")]).splitlines()
    assert line.isprintable() and "ln " not in line
