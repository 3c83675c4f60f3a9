"""`kairos edit`, and e, s and c of a review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.decide.edit import in_editor
from kairos.errors import UsageError

BASE = "".join(f"line {n}\n" for n in range(40))


@pytest.fixture
def patched(seeded: Any, repo: Any) -> Any:
    repo.write("x.md", BASE)
    after = BASE.replace("line 3\n", "three\n").replace("line 5\n", "five\n").replace("line 30\n", "thirty\n")
    return seeded.raise_(seeded.patch("x.md", after.encode()))


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An editor that replaces one word by another."""

    def use(old: str, new: str) -> None:
        script = tmp_path / "editor"
        script.write_text(f"#!/bin/sh\nsed -i 's/{old}/{new}/' \"$1\"\n")
        script.chmod(0o755)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(script))

    return use


def card(kairos: Any, id_: str) -> Any:
    return kairos("show", id_, "--json").data


def test_edit_takes_a_patch_from_a_file_and_gives_a_new_digest(kairos: Any, patched: Any, tmp_path: Path) -> None:
    before = card(kairos, patched.id)
    (tmp_path / "p").write_text(before["patch"].replace("+three", "+3"))
    said = kairos("edit", patched.id[:5], "--patch", str(tmp_path / "p"), "--json")
    assert said.code == 0
    assert (said.data["id"], said.data["was"], said.data["changed"]) == (
        patched.id, before["digest"], "you edited the patch",
    )  # fmt: skip
    now = card(kairos, patched.id)
    assert now["digest"] == said.data["digest"] != before["digest"]
    assert "+3\n" in now["patch"]
    assert kairos("approve", patched.id, "--digest", before["digest"]).code == 5
    assert kairos("approve", patched.id, "--digest", now["digest"]).code == 0


@pytest.mark.parametrize(
    "text",
    ["", "no patch\n", "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n",
     "--- a/x.md\n+++ b/x.md\n@@ -1 +1 @@\n-q\n+b\n"],
)  # fmt: skip
def test_a_patch_that_does_not_parse_or_leaves_the_root_is_refused(
    kairos: Any, patched: Any, tmp_path: Path, text: str
) -> None:
    before = card(kairos, patched.id)
    (tmp_path / "p").write_text(text)
    said = kairos("edit", patched.id, "--patch", str(tmp_path / "p"))
    assert said.code == 2 and "error:" in said.err
    assert card(kairos, patched.id) == before


def test_without_a_terminal_edit_names_the_flag(kairos: Any, patched: Any) -> None:
    for flags in ((), ("--no-input",)):
        said = kairos("edit", patched.id, *flags)
        assert said.code == 2 and "--patch FILE" in said.err
    assert kairos("edit", patched.id, "--patch", "/nowhere/p").code == 2
    assert kairos("edit", "zzzz", "--patch", "/dev/null").code == 4


def test_edit_opens_the_editor_on_a_terminal(kairos: Any, patched: Any, terminal: Any, editor: Any) -> None:
    editor("three", "3")
    screen = terminal("edit", patched.id)
    screen.until("you edited the patch")
    assert screen.end() == 0
    assert "+3\n" in card(kairos, patched.id)["patch"]


def test_an_editor_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    for command, why in (("false", "ended with 1"), ("/no/such/editor", "cannot be started"), ("'", "is no command")):
        monkeypatch.setenv("EDITOR", command)
        with pytest.raises(UsageError, match=why):
            in_editor("text", "name")
    monkeypatch.setenv("EDITOR", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="no editor"):
        in_editor("text", "name")


def test_e_edits_in_a_review_and_the_new_card_is_read_from_its_beginning(
    kairos: Any, patched: Any, terminal: Any, editor: Any
) -> None:
    editor("thirty", "30")
    screen = terminal("review", size=(100, 50))
    screen.shows("+thirty")
    screen.press("e")
    screen.shows("you edited the patch")
    lines = screen.shows("+30")
    assert lines[0].startswith(patched.id)
    screen.press("y")
    screen.shows("[u q]")
    screen.press("q")
    assert screen.end() == 0
    assert card(kairos, patched.id)["state"] == "executed"


def test_a_failing_editor_in_a_review_says_so(patched: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "false")
    screen = terminal("review", size=(100, 40))
    screen.shows("+thirty")
    screen.press("e")
    screen.shows("nothing was changed")
    screen.press("q")
    assert screen.end() == 0


def test_c_keeps_a_comment_and_a_rejection_takes_it_as_its_reason(
    kairos: Any, seeded: Any, patched: Any, terminal: Any
) -> None:
    screen = terminal("review", size=(100, 45))
    screen.shows("+thirty")
    screen.press("c")
    screen.shows("comment on")
    screen.press("\x1b[200~say it\nshorter\x1b[201~")
    screen.pause()
    screen.press("\r")
    screen.shows("You said")
    assert any("say it shorter" in line for line in screen.shown)
    assert any("no model is configured: it stays a note" in line for line in screen.shown)
    screen.press("n")
    screen.shows("why?")
    screen.press("3")
    screen.shows("[u q]")
    screen.press("q")
    assert screen.end() == 0
    event = seeded.log.stream(f"proposal-{patched.id}")[-1].event
    assert (event.reason, event.text) == ("style", "say it shorter")


def test_t_tries_it_and_keeps_the_result_on_the_card(kairos: Any, patched: Any, terminal: Any) -> None:
    before = len(card(kairos, patched.id)["positions"])
    screen = terminal("review", size=(100, 45))
    screen.shows("+thirty")
    screen.press("t")
    screen.shows("the patch applies")
    screen.press("q")
    assert screen.end() == 0
    assert len(card(kairos, patched.id)["positions"]) == before + 1


def test_the_file_of_an_editor_is_private_and_gone_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "editor"
    script.write_text(f'#!/bin/sh\nstat -c "%a %n" "$(dirname "$1")" > {tmp_path}/seen\n')
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    assert in_editor("a\r\nb", "n") == "a\r\nb"
    mode, _, folder = (tmp_path / "seen").read_text().strip().partition(" ")
    assert mode == "700" and not Path(folder).exists()
