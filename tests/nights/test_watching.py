"""Hard nights about watching several repositories: N30 and N42."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
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


def three(kairos: Any, repo: Any, place: Path) -> list[Path]:
    """Three repositories, trusted."""
    roots = [place / name for name in ("first", "second", "third")]
    for root in roots:
        shutil.copytree(repo.root, root)
        kairos.run("init", str(root), "--yes")
    return roots


def wait_for(kairos: Any, root: Path, state: str, remedy: str = "") -> Any:
    """The status of a repository once it has this state and names this remedy."""

    def find() -> Any:
        found = {r["path"]: r for r in kairos.run("status")["repos"]}[str(root)]
        return found if found["state"] == state and remedy in (found["why"] or "") else None

    return kairos.wait(find)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=list(DAMAGE))
@pytest.mark.parametrize("when", ["at the start", "while it is watched"])
def test_n42_one_repository_that_cannot_be_read_costs_the_others_nothing(
    kairos: Any, repo: Any, tmp_path: Path, damage: Any, when: str
) -> None:
    act, state, remedy = damage
    roots = three(kairos, repo, tmp_path)

    def status(root: Path, wanted: str) -> Any:
        return wait_for(kairos, root, wanted)

    if when == "at the start":
        repair = act(roots[1])
        daemon = kairos.daemon()
    else:
        daemon = kairos.daemon()
        repair = act(roots[1])
    wait_for(kairos, roots[1], state, remedy)  # between two steps of the damage another one may be named
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


def test_n30_a_daemon_takes_one_inotify_instance_for_all_it_watches(kairos: Any, repo: Any, tmp_path: Path) -> None:
    roots = three(kairos, repo, tmp_path)
    daemon = kairos.daemon()
    handles = []
    for handle in Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it was closed meanwhile
            handles.append(handle.readlink().name)
    assert handles.count("anon_inode:inotify") == 1
    for number, root in enumerate(roots):
        (root / "news").write_text("x")
        kairos.until("FilesChanged", count=4 + number)
    kairos.run("unwatch", str(roots[0]))
    for number, root in enumerate(roots[1:]):
        (root / "more").write_text("x")
        kairos.until("FilesChanged", count=7 + number)
    assert daemon.stop() == 0


def test_n30_without_any_inotify_instance_the_daemon_polls_and_says_so(kairos: Any, repo: Any, tmp_path: Path) -> None:
    """In a user namespace of its own, where the limit can be lowered, and raised again by a file."""
    unshare = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    roots = three(kairos, repo, tmp_path)
    raised = tmp_path / "raised"
    limit = "/proc/sys/user/max_inotify_instances"
    raise_later = f"(until [ -e {raised} ]; do sleep 0.1; done; echo 9 > {limit}) &"
    daemon = kairos.daemon(prefix=[*unshare, "sh", "-c", f'echo 0 > {limit}; {raise_later} exec "$0" "$@"'])
    for root in roots:
        why = wait_for(kairos, root, "degraded")["why"]
        assert "no inotify instance" in why and "fs.inotify.max_user_instances" in why
    for root in roots:
        (root / "news").write_text("x")
    commit = type(repo)(roots[2]).commit("seen by polling")
    kairos.until("FilesChanged", count=6)
    kairos.until("CommitRecorded", oid=commit)
    assert {r.event.reason for r in kairos.events("WatchGap")} == {"instance_limit"}
    raised.touch()
    for root in roots:
        assert wait_for(kairos, root, "watching")["polled"] == 0
    assert daemon.stop() == 0
    assert "Traceback" not in (kairos.root / "daemon-0.err").read_text()
