"""`show`: the card of a proposal, as text and as a record."""

from __future__ import annotations

import os
import re
from typing import Any

import msgspec
import pytest

from cli.layout import width
from kairos.desk.records.proposals import CardOut
from kairos.domain.action import CommandAction, PatchAction, edit
from kairos.domain.events import ProposalVerified


def test_show_gives_the_card_in_the_order_people_decide_by(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    said = kairos("show", raised.id[:5]).out
    places = [
        said.index(part)
        for part in (raised.id, "Add a line", "low", "waits for you", "It names a file", "Evidence", "GitMoved",
                     "verified", "Effects", "1 file, +1 −0", "Patch", "+more", "Not checked", "cost $0.0000")
    ]  # fmt: skip
    assert places == sorted(places)


def test_show_has_everything_a_script_needs(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    card = msgspec.convert(kairos("show", raised.id, "--json").data, CardOut)
    assert card.digest == raised.digest
    assert card.patch == "--- a/README.md\n+++ b/README.md\n@@ -1 +1,2 @@\n # Demo\n+more\n"
    assert card.argv is None
    assert [(b.path, b.mode) for b in card.base] == [("README.md", 0o644)]
    assert card.effects.files == ["README.md"]
    assert card.verification is not None and card.verification.ok
    assert len(card.positions) == 2


def test_the_patch_is_applicable_by_git(kairos: Any, seeded: Any, repo: Any, tmp_path: Any) -> None:
    repo.write("long.txt", "".join(f"{n}\n" for n in range(40)))
    after = "".join(f"{n}\n" for n in range(40)).replace("3\n", "three\n", 1).replace("38\n", "", 1).encode()
    raised = seeded.raise_(seeded.patch("long.txt", after))
    (tmp_path / "p").write_text(kairos("show", raised.id, "--json").data["patch"])
    repo.git("apply", str(tmp_path / "p"))
    assert (repo.root / "long.txt").read_bytes() == after


def test_a_moved_base_still_shows_the_exact_lines(kairos: Any, seeded: Any, repo: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    repo.write("README.md", "something else\n")
    assert kairos("show", raised.id, "--json").data["patch"].endswith("@@ -1,0 +2,1 @@\n+more\n")


def test_a_base_reached_through_a_symlink_is_not_read(kairos: Any, seeded: Any, repo: Any, tmp_path: Any) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"))
    outside = tmp_path / "outside"
    outside.write_bytes((repo.root / "README.md").read_bytes())
    (repo.root / "README.md").unlink()
    (repo.root / "README.md").symlink_to(outside)
    assert " # Demo" not in kairos("show", raised.id, "--json").data["patch"]


def test_a_command_is_shown_as_its_exact_argv(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(CommandAction(repo=seeded.id, argv=["pytest", "-q", "a b"]))
    assert kairos("show", raised.id, "--json").data["argv"] == ["pytest", "-q", "a b"]
    assert "pytest -q 'a b'" in kairos("show", raised.id).out


def test_no_name_and_no_text_passes_for_a_line_of_the_card(kairos: Any, seeded: Any, repo: Any, tmp_path: Any) -> None:
    names = ["a\n--- evil\n+++ evil\n@@ -1 +1 @@\n-x\n+y", "\x1b[31mred", "\u202egnp", 'q"\\', os.fsdecode(b"\xff")]
    edits = [edit(name, None, ("x\r\x1b[2K\u200b\n".encode(), 0o644)) for name in names]
    raised = seeded.raise_(PatchAction(repo=seeded.id, edits=edits))
    patch = kairos("--json", "show", raised.id).data["patch"]
    assert sum(line.startswith("+++ ") for line in patch.split("\n")) == len(names)
    (tmp_path / "x.patch").write_text(patch, newline="")
    repo.git("apply", str(tmp_path / "x.patch"))
    assert all((repo.root / name).is_file() for name in names)
    shown = kairos("show", raised.id).out
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert "invisible or control characters, shown escaped" in shown


def test_an_ordinary_patch_raises_no_alarm(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(seeded.patch("dos é.txt", "añb\t\r\n".encode()))
    assert "shown escaped" not in kairos("show", raised.id).out


@pytest.mark.parametrize(
    ("exit_", "ok", "sign", "words"),
    [
        (0, True, "✓", "verified: `pytest -q` exit 0, 2.0 s\n      before: failed with exit 1, 1.5 s"),
        (1, True, "!", "applies, but the check does not pass"),
        (1, False, "✗", "not verified"),
        (None, True, "!", "applies, but the check does not pass"),
    ],
)  # fmt: skip
def test_only_a_check_that_passed_gets_a_tick(
    kairos: Any, seeded: Any, exit_: int | None, ok: bool, sign: str, words: str
) -> None:
    raised = seeded.raise_(seeded.patch("README.md", b"# Demo\nmore\n"), verified=False)
    event = ProposalVerified(
        id=raised.id, digest=raised.digest, ok=ok, check=["pytest", "-q"], exit=exit_, seconds=2.0, before_exit=1,
        before_seconds=1.5,
    )  # fmt: skip
    seeded.append(event, f"proposal-{raised.id}")
    said = kairos("show", raised.id).out
    assert f"{sign} {words}" in said
    assert "before: failed with exit 1, 1.5 s\n" in said
    assert ("✓" in said) is (sign == "✓")


def test_at_40_columns_words_stay_whole_and_lines_that_continue_are_indented(
    kairos: Any, seeded: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "")
    raised = seeded.raise_(seeded.note(), title="A title of several words that is longer than the terminal is wide")
    (seeded.root / "a file of several words that is longer than wide.md").write_text("x\n")
    for verb in (
        ("show", raised.id),
        ("memory", "ls"),
        ("cost",),
        ("policy", "ls"),
        ("daemon", "logs"),
        ("files", str(seeded.root)),
    ):
        words = {w for w in kairos(*verb).out.split() if len(w) < 15 and w.isalpha()}
        screen = terminal(*verb, size=(40, 10))
        screen.end()
        text = re.sub("\x1b\\[[0-9;]*m", "", screen.raw.decode().replace("\r", ""))
        assert all(width(line) <= 40 for line in text.split("\n")), text
        assert words <= set(text.split()), (verb, words - set(text.split()))


def test_places_with_the_same_reason_are_counted_on_the_card_and_all_in_json(kairos: Any, seeded: Any) -> None:
    raised = seeded.raise_(
        seeded.patch("README.md", b"# Demo\nmore\n"),
        unchecked=[*(f"a.md:{n} names x.py: prose" for n in range(1, 9)), "a.js:1 names x.py: code"],
    )
    said = kairos("show", raised.id).out
    told = said[said.index("Not checked") :]
    assert [f"a.md:{n} " in told for n in (1, 2, 3, 4)] == [True, True, True, False]
    assert f"5 more like these: kairos show {raised.id} --json" in told
    assert "a.js:1 names x.py: code" in told
    card = msgspec.convert(kairos("show", raised.id, "--json").data, CardOut)
    assert len(card.unchecked) == 9
