"""Two proposals change one file: carrying out the first moves the base of the second, which is made anew at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Screen

pytestmark = pytest.mark.slow


@pytest.fixture
def two(kairos: Any, repo: Any) -> list[str]:
    """A daemon, and the ids of two patches of one file."""
    code = "def f():\n    return 1\n\n\ndef g():\n    return 2\n"
    for name in ("one", "two"):
        repo.write(f"src/{name}.py", code.replace("f()", f"{name}()"))
    filler = "".join(f"line {n}\n" for n in range(12))
    repo.write("guide.md", f"see [one](src/one.py)\n{filler}see [two](src/two.py)\n")
    repo.commit("begin")
    kairos.run("init", str(repo.root), "--yes")
    kairos.daemon()
    ids = []
    for name in ("one", "two"):
        repo.git("mv", f"src/{name}.py", f"src/{name}_new.py")
        repo.commit(f"rename {name}")
        kairos.until("ProposalDelivered", count=len(ids) + 1)
        ids += [p["id"] for p in kairos.run("inbox") if p["id"] not in ids]
    assert len(ids) == 2
    return ids


def test_the_second_is_made_anew_without_a_boundary_and_can_be_approved(kairos: Any, repo: Any, two: list[str]) -> None:
    first, second = two
    kairos.run("approve", first, "--yes", "--wait", "20")
    kairos.until("ProposalRevised", id=second)
    kairos.run("approve", second, "--yes", "--wait", "20")
    assert [kairos.run("show", id_)["state"] for id_ in two] == ["executed", "executed"]
    guide = (repo.root / "guide.md").read_text()
    assert "src/one_new.py" in guide and "src/two_new.py" in guide


def test_a_review_that_is_faster_shows_the_second_again(
    kairos: Any, two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in kairos.environment.items():
        monkeypatch.setenv(name, value)
    screen = Screen("review", size=(100, 60))
    try:
        screen.shows("1 of 2 · the end")
        screen.press("y")
        screen.shows("1 of 1 · the end")
        # A key may meet a card that is stale by now, or the line that says that it is another than the one on screen.
        while not any("[u q]" in line for line in screen.answers("y")):
            assert kairos.run("show", two[1])["state"] in ("pending", "approved", "executed")
        screen.press("q")
        assert screen.end() == 0
    finally:
        screen.close()
    assert [kairos.run("show", id_)["state"] for id_ in two] == ["executed", "executed"]
