"""s of a review: picking hunks with the keys of git add -p."""

from __future__ import annotations

from typing import Any

import pytest

from cli.decide import splitting
from kairos.domain.action import PatchAction, edit
from kairos.domain.hunks import group_text

BASE = "".join(f"line {n}\n" for n in range(60))
AFTER = BASE
for at in (3, 5, 30, 50):
    AFTER = AFTER.replace(f"line {at}\n", f"LINE {at}\n")


class _Keys:
    """A screen on which these keys are pressed."""

    def __init__(self, keys: str) -> None:
        self._keys = list(keys)
        self.terminal = self

    def key(self) -> str:
        return self._keys.pop(0)

    def forget(self) -> None: ...
    def draw(self, *_: object) -> None: ...
    def page(self, text: str) -> None: ...
    def footer(self, *texts: str) -> list[str]:
        return list(texts)

    def lines_of(self, text: str) -> list[str]:
        return text.split("\n")

    def rows_above(self, footer: object) -> int:
        return 20


def picked(keys: str) -> tuple[bool, list[str]]:
    action = PatchAction(repo="r", edits=[edit("x.md", (BASE.encode(), 0o644), (AFTER.encode(), 0o644))])

    class _Proposal:
        id = "klmn"

        class raised:  # noqa: N801
            pass

    _Proposal.raised.action = action  # type: ignore[attr-defined]
    base = {"x.md": BASE.encode()}
    run: Any = splitting.Picking(_Keys(keys), _Proposal, base)  # type: ignore[arg-type]
    went = run.run()
    return went, ["".join(line for line in group_text(g, base).splitlines(True) if line[0] == "+" and "+++" not in line)
                  for g in run.taken]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ("ynn", ["+LINE 3\n+LINE 5\n"]),
        ("nyn", ["+LINE 30\n"]),
        ("a", ["+LINE 3\n+LINE 5\n", "+LINE 30\n", "+LINE 50\n"]),
        ("nd", []),
        ("yq", ["+LINE 3\n+LINE 5\n"]),
        ("synnn", ["+LINE 3\n"]),
        ("snynn", ["+LINE 5\n"]),
        ("jyjyn", ["+LINE 3\n+LINE 5\n", "+LINE 30\n"]),
        ("JJyJyn", ["+LINE 30\n", "+LINE 50\n"]),
        ("Kynn?", ["+LINE 50\n"]),
        ("xz nyn", ["+LINE 30\n"]),
    ],
)  # fmt: skip
def test_the_keys_of_git_add_p(keys: str, kept: list[str]) -> None:
    assert picked(keys) == (True, kept)


def test_escape_gives_up() -> None:
    action = picked_with_escape()
    assert action is False


def picked_with_escape() -> bool:
    class Escaping(_Keys):
        def key(self) -> str:
            return "esc"

    action = PatchAction(repo="r", edits=[edit("x.md", (BASE.encode(), 0o644), (AFTER.encode(), 0o644))])
    proposal = type("P", (), {"id": "k", "raised": type("R", (), {"action": action})})
    return splitting.Picking(Escaping(""), proposal, {"x.md": BASE.encode()}).run()  # type: ignore[arg-type]


@pytest.mark.parametrize("keys", ["q", "nnn", "d"])
def test_picking_nothing_leaves_the_patch_as_it_is(
    kairos: Any, seeded: Any, repo: Any, terminal: Any, keys: str
) -> None:
    repo.write("x.md", BASE)
    raised = seeded.raise_(seeded.patch("x.md", AFTER.encode()))
    screen = terminal("review", size=(80, 24))
    screen.shows(raised.id)
    screen.press("s")
    for at, key in enumerate(keys):
        screen.shows(f"hunk {at + 1} of 3")
        screen.press(key)
    screen.shows("the patch stays as it is")
    assert not any("error" in line for line in screen.shown)
    screen.press("q")
    assert screen.end() == 0
    assert kairos("show", raised.id, "--json").data["digest"] == raised.digest


def test_s_on_a_screen_leaves_only_what_was_picked(kairos: Any, seeded: Any, repo: Any, terminal: Any) -> None:
    repo.write("x.md", BASE)
    raised = seeded.raise_(seeded.patch("x.md", AFTER.encode()))
    screen = terminal("review", size=(80, 24))
    screen.shows(raised.id)
    screen.press("s")
    screen.shows("hunk 1 of 3")
    screen.press("n")
    screen.shows("hunk 2 of 3")
    screen.press("y")
    screen.shows("hunk 3 of 3, 1 kept")
    screen.press("n")
    screen.shows("you kept 1 and dropped 2 hunks")
    screen.press("q")
    assert screen.end() == 0
    found = kairos("show", raised.id, "--json").data
    assert "+LINE 30" in found["patch"] and "LINE 50" not in found["patch"].replace(" line 50", "")
    assert found["digest"] != raised.digest
    assert kairos("approve", raised.id, "--yes").code == 0
    assert (repo.root / "x.md").read_text() == BASE.replace("line 30\n", "LINE 30\n")
