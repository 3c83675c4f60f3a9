"""Hard nights about watching several repositories: N42."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def empty_head(root: Path) -> Callable[[], object]:
    before = (root / ".git/HEAD").read_bytes()
    (root / ".git/HEAD").write_bytes(b"")
    return lambda: (root / ".git/HEAD").write_bytes(before)


def hide(name: str, link: bool = False) -> Callable[[Path], Callable[[], object]]:
    def act(root: Path) -> Callable[[], object]:
        path, away = root / name, root.with_name("hidden")
        path.rename(away)
        if link:
            path.symlink_to("nowhere")
        return lambda: (path.unlink(missing_ok=True), away.rename(path))

    return act


def broken_config(root: Path) -> Callable[[], object]:
    before = (root / ".git/config").read_bytes()
    (root / ".git/config").write_text("[core\n")
    return lambda: (root / ".git/config").write_bytes(before)


def give_away(root: Path) -> Callable[[], object]:
    os.chown(root / ".git", 65534, 65534)
    return lambda: os.chown(root / ".git", 0, 0)


DAMAGE = {
    "an empty HEAD": (empty_head, "degraded", "Write the name of your branch"),
    "no .git": (hide(".git"), "degraded", "kairos unwatch"),
    "a broken configuration": (broken_config, "degraded", "Correct the git configuration"),
    "a link to nowhere in its place": (hide("", link=True), "lost", "kairos init"),
    "somebody else's": pytest.param(
        (give_away, "degraded", "chown"),
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="giving files away needs root"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
@pytest.mark.parametrize("when", ["at the start", "while it is watched"])
def test_n42_one_repository_that_cannot_be_read_costs_the_others_nothing(
    kairos: Any, repo: Any, tmp_path: Path, damage: Any, when: str
) -> None:
    act, state, remedy = damage
    roots = [tmp_path / name for name in ("first", "second", "third")]
    for root in roots:
        shutil.copytree(repo.root, root)
        kairos.run("init", str(root), "--yes")

    def status(root: Path, wanted: str) -> Any:
        def find() -> Any:
            found = {r["path"]: r for r in kairos.run("status")["repos"]}[str(root)]
            return found if found["state"] == wanted else None

        return kairos.wait(find)

    if when == "at the start":
        repair = act(roots[1])
        daemon = kairos.daemon()
    else:
        daemon = kairos.daemon()
        repair = act(roots[1])
    assert remedy in status(roots[1], state)["why"]
    assert remedy in kairos.call("--json", "doctor").stdout
    for root in (roots[0], roots[2]):
        (root / "news").write_text(root.name)
        assert status(root, "watching")["why"] is None
    kairos.until("FilesChanged", count=5)
    repair()
    status(roots[1], "watching")
    (roots[1] / "news").write_text("back")
    kairos.until("FilesChanged", count=6)
    assert daemon.stop() == 0
    assert "Traceback" not in (kairos.root / "daemon-0.err").read_text()
