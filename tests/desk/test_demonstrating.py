"""The demo's own machinery: what it shows, and that a step that fails ends it with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.desk import demonstrating
from kairos.desk.demonstrating import Demo
from kairos.errors import KairosError


class Shown:
    """Keeps what the demo tells."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def says(self, text: str) -> None:
        self.lines.append(("says", text))

    def types(self, command: str) -> None:
        self.lines.append(("types", command))

    def answers(self, text: str) -> None:
        self.lines.append(("answers", text))


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
def demo(shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    monkeypatch.setenv("KAIROS_HOME", str(tmp_path / "mine"))
    made = Demo(shown, tmp_path / "demo")
    made.make_repository()
    made.ask("config", "set", "attention.quiet_hours", "")
    return made


def test_a_command_is_shown_as_typed_with_its_answer(demo: Demo, shown: Shown) -> None:
    demo.kairos("init", str(demo.repo), "--yes")
    demo.user("git mv README.md A.md", "mv", "README.md", "A.md")
    assert [kind for kind, _ in shown.lines] == ["types", "answers", "types"]
    assert demo.steps == [text for kind, text in shown.lines if kind == "types"]
    assert (demo.repo / "A.md").exists()


def test_the_home_of_the_person_is_left_alone(demo: Demo, tmp_path: Path) -> None:
    demo.kairos("init", str(demo.repo), "--yes")
    assert demo.home.exists() and not (tmp_path / "mine").exists()


def test_a_command_that_fails_ends_the_demo_with_what_it_said(demo: Demo) -> None:
    with pytest.raises(KairosError, match=r"`kairos show zzzz` failed in the demo: error: "):
        demo.kairos("show", "zzzz")


def test_a_daemon_that_does_not_start_ends_the_demo(demo: Demo) -> None:
    with pytest.raises(KairosError, match="nonsense"):
        (demo.home / "config.toml").write_text("nonsense = 1\n")
        with demo.daemon():
            raise AssertionError("it cannot be ready")


def test_a_proposal_that_does_not_come_ends_the_demo(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstrating, "PATIENCE_S", 0.01)
    with pytest.raises(KairosError, match="no proposal came"):
        demo.first_pending()
