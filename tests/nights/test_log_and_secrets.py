"""N25 to N29, N38: secrets stay out, output and log stay bounded, disks fill, bytes rot, versions change."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kairos.domain.events import FilesChanged, name_fields
from kairos.eventlog.record import NewEvent

GOLDEN = Path(__file__).parents[1] / "golden"
KEYS = {where: "AKIA" + (where.upper() * 4)[:7].ljust(7, "Q") + "WXYZ23456" for where in ("diff", "out", "env", "word")}
"""What looks like a key, one for each way in."""


def found(root: Path, key: str) -> list[str]:
    return [p.name for p in root.rglob("*") if p.is_file() and key.encode() in p.read_bytes()]


def test_n25_a_key_from_any_side_is_nowhere(kairos: Any, repo: Any, server: Any) -> None:
    """In a diff, a check command's output, the environment, the model's answer: not in the home, not in any answer of
    the program, not in what the model is sent."""
    repo.write("area.py", "def area(w, h):\n    return w * h\n")
    repo.write("main.py", "import area\n\nprint(area.area(2, 3))\n")
    repo.commit("add area")
    for key, value in (
        ("model.name", '"scripted"'), ("model.base_url", f'"{server.base_url}"'), ("model.key_env", '"SCRIPTED_KEY"'),
        (f'check."{repo.root}".command', json.dumps(["sh", "-c", f"echo {KEYS['out'][:9]}''{KEYS['out'][9:]}; false"])),
    ):  # fmt: skip
        kairos.run("config", "set", key, value)
    kairos.environment |= {"SCRIPTED_KEY": "k-" + "1" * 20, "AWS_ACCESS_KEY_ID": KEYS["env"]}
    kairos.run("init", str(repo.root), "--yes")
    server.calls(("read_file", {"path": "main.py"}))
    server.calls(
        (
            "propose_patch",
            {
                "title": f"main.py still calls area.area {KEYS['word']}",
                "claim": f"The commit renamed area to surface, see {KEYS['word']}.",
                "files": [{"path": "main.py", "old_text": "area.area(2, 3)", "new_text": "area.surface(2, 3)"}],
                "evidence": [{"path": "area.py", "text": "def surface(w, h):"}],
            },
        )
    )
    daemon = kairos.daemon()
    repo.write("area.py", f"ID = '{KEYS['diff']}'\n\n\ndef surface(w, h):\n    return w * h\n")
    repo.commit(f"rename area to surface with {KEYS['diff']}")
    raised = kairos.until("ProposalRaised", seconds=90, detector="review-change")[0].event
    (verified,) = kairos.until("ProposalVerified", seconds=60, id=raised.id)
    assert "fails with it" in verified.event.why, "the check did not run"
    told = [kairos.call("--json", *verb).stdout for verb in (("log",), ("inbox",), ("show", raised.id), ("why-not",))]
    assert all(told) and server.received
    kairos.run("compact", "--now")
    assert daemon.stop() == 0
    for where, key in KEYS.items():
        assert found(kairos.home, key) == [], where
        assert key not in "".join(told), where
        assert key not in str(server.received), where


def test_n26_a_gigabyte_of_output_is_bounded_and_says_what_was_cut(kairos: Any, repo: Any) -> None:
    done = subprocess.Popen(
        [Path(sys.executable).with_name("kairos"), "--json", "sandbox", "run", "--root", repo.root, "--wall", "90",
         "--", "sh", "-c", "echo HEAD; head -c 1000000000 /dev/zero | tr '\\0' x; echo TAIL"],
        env=kairos.environment, cwd=kairos.root, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    answer, _ = done.communicate(timeout=100)
    data = json.loads(answer)["data"]
    assert done.returncode == 0 and data["exit"] == 0
    assert data["stdout"].startswith("HEAD\n") and data["stdout"].endswith("TAIL\n")
    assert len(data["stdout"]) < 600_000
    assert f"{data['truncated']} bytes cut" in data["stdout"]
    assert data["truncated"] + len(data["stdout"]) >= 1_000_000_000
    assert sum(p.stat().st_size for p in kairos.home.rglob("*") if p.is_file()) < 4_000_000


@pytest.fixture
def space(kairos: Any) -> list[str]:
    """What a command is run with so that it may mount a small disk on Kairos's home, seen by nobody else."""
    kairos.home.mkdir()
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = [*unshare, "mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", kairos.home]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    return unshare


FULL = """
import os, subprocess, sys
from pathlib import Path
home, program = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", home], check=True)
os.environ["KAIROS_HOME"] = str(home)
def kairos(*arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr
def full():
    free = os.statvfs(home)
    with (home / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - int(sys.argv[4]) * 4096)
repo = sys.argv[3]
assert kairos("init", repo, "--yes")[0] == 0
kairos("pause")
before = kairos("log", "--json")[1]
full()
codes = [kairos("pause" if i % 2 else "resume") for i in range(60)]  # until the last page is taken
for code, said in (codes[-1], kairos("compact", "--now")):
    assert code == 75 and "Traceback" not in said and ("full" in said or "space" in said.lower()), (code, said)
(home / "ballast").unlink()
assert kairos("log", "--json")[1].startswith(before), "something was lost"
assert kairos("pause")[0] == 0 and kairos("compact", "--now")[0] == 0
assert kairos("log", "--json")[1].startswith(before), "sealing lost something"
code, said = kairos("log", "verify")
assert code == 0, said
"""


@pytest.mark.parametrize("pages", [0, 9])
def test_n27_a_full_disk_is_said_clearly_and_nothing_is_lost(
    kairos: Any, repo: Any, space: list[str], pages: int
) -> None:
    """Every step of sealing and retiring, page by page, is tried in tests/eventlog/test_full_disk.py."""
    program = Path(sys.executable).with_name("kairos")
    done = subprocess.run(
        [*space, sys.executable, "-P", "-c", FULL, kairos.home, program, repo.root, str(pages)],
        env=kairos.environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]


UNARMED = """
import os, subprocess, sys, time
from pathlib import Path
home, program, repo = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", home], check=True)
os.environ["KAIROS_HOME"] = str(home)
def kairos(*arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout
kairos("init", repo, "--yes")
for number in range(4_000):  # more than there will be room to tell of
    (repo / f"{number:0100}").touch()
free = os.statvfs(home)
with (home / "ballast").open("wb") as file:
    os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - 64 * 4096)
daemon = subprocess.Popen([program, "daemon", "run"], stderr=subprocess.PIPE, text=True)
def taken():
    return os.statvfs(home).f_bavail
deadline = time.monotonic() + 20
while taken() > 4 and time.monotonic() < deadline:
    time.sleep(0.01)
assert daemon.poll() is None and taken() <= 4, taken()
daemon.terminate()
said = daemon.communicate(timeout=20)[1]
assert "Traceback" not in said and "ready" not in said, said
assert daemon.returncode == 0, (daemon.returncode, said)
(home / "ballast").unlink()
daemon = subprocess.Popen([program, "daemon", "run"], stderr=subprocess.PIPE, text=True)
assert daemon.stderr.readline() == "ready\\n"
daemon.terminate()
assert daemon.wait(10) == 0
assert kairos("--json", "files", repo).count("{") >= 4_000
kairos("log", "verify")
"""


def test_n27_a_daemon_that_cannot_begin_to_watch_for_want_of_space_still_hears_that_it_shall_end(
    kairos: Any, repo: Any, space: list[str]
) -> None:
    program = Path(sys.executable).with_name("kairos")
    done = subprocess.run(
        [*space, sys.executable, "-P", "-c", UNARMED, kairos.home, program, repo.root],
        env=kairos.environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]


FULL_WHILE_AT_WORK = """
import json, os, subprocess, sys, time
from pathlib import Path
home, program, repo, pages = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", home], check=True)
os.environ["KAIROS_HOME"] = str(home)
def kairos(*arguments):
    return subprocess.run([program, "--json", *arguments], capture_output=True, text=True, check=True).stdout
def free():
    return os.statvfs(home).f_bavail
kairos("init", repo, "--yes")
daemon = subprocess.Popen([program, "daemon", "run"], stderr=subprocess.PIPE, text=True)
assert daemon.stderr.readline() == "ready\\n"
with (home / "ballast").open("wb") as file:
    os.posix_fallocate(file.fileno(), 0, (free() - pages) * 4096)
git = ["git", "-C", repo, "-c", "user.name=a", "-c", "user.email=a@example.invalid"]
subprocess.run([*git, "mv", "pay.py", "billing.py"], check=True)
subprocess.run([*git, "commit", "-qm", "rename"], check=True)
same, last = 0, free()
while same < 30:  # until it has come as far as it can
    time.sleep(0.05)
    same, last = (same + 1, last) if free() == last else (0, free())
assert daemon.poll() is None, daemon.communicate()
(home / "ballast").unlink()
deadline = time.monotonic() + 30
while not any(p["state"] == "pending" for p in json.loads(kairos("inbox"))["data"]):
    assert daemon.poll() is None and time.monotonic() < deadline, kairos("log")
    time.sleep(0.05)
assert json.loads(kairos("status"))["data"]["repos"][0]["state"] == "watching"
daemon.terminate()
assert daemon.wait(10) == 0
said = daemon.stderr.read()
assert "Traceback" not in said, said
kairos("log", "verify")
print(said)
"""


@pytest.mark.parametrize("pages", [2, 6, 9, 21, 24])
def test_n27_a_daemon_lives_through_a_full_disk_and_goes_on_when_space_returns(
    kairos: Any, repo: Any, space: list[str], pages: int
) -> None:
    repo.write("pay.py", "def total(items):\n    return sum(items)\n")
    repo.write("cart.py", "from pay import total\n")
    repo.commit("shop")
    program = Path(sys.executable).with_name("kairos")
    done = subprocess.run(
        [*space, sys.executable, "-P", "-c", FULL_WHILE_AT_WORK, kairos.home, program, repo.root, str(pages)],
        env=kairos.environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3_000:]


def test_n28_what_rotted_is_named_with_exit_9_and_the_rest_is_read(kairos: Any, repo: Any) -> None:
    for i in range(6):
        repo.write(f"f{i}.py", f"{i}\n")
        repo.commit(f"commit {i}")
    kairos.run("init", str(repo.root), "--yes", "--history", "all")
    kairos.run("compact", "--now")
    kairos.run("pause")
    kairos.run("resume")
    anchor = kairos.run("log", "anchor")
    noted = f"{anchor['position']}:{anchor['hash']}"
    whole = kairos.lines("log")
    (segment,) = (kairos.home / "log" / "segments").glob("*.parquet")
    last = int(segment.stem.split("-")[1])
    sound = segment.read_bytes()
    for rotten in (bytes([sound[0] ^ 1]) + sound[1:], sound[:-1], b""):
        segment.write_bytes(rotten)
        done = kairos.call("--json", "log", "verify")
        assert done.returncode == 9
        assert {p["segment"] for p in json.loads(done.stdout)["data"]["problems"]} == {segment.name}
        assert kairos.lines("log", "--after", str(last)) == [line for line in whole if line["position"] > last]
    segment.write_bytes(sound)
    assert kairos.run("log", "verify", "--anchor", noted)["ok"]
    database = kairos.home / "log" / "log.db"
    kept = kairos.root / "kept.db"
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(database, kept)
    position = anchor["position"] - 1
    for change, place in (
        (f"UPDATE events SET state = '{{}}' || x'20' WHERE position = {position}", position),
        (f"DELETE FROM events WHERE position = {position}", position),
        (f"UPDATE events SET topic = CAST(x'ff' AS TEXT) WHERE position = {position}", position),
        (f"DELETE FROM events WHERE position >= {position}", position),
    ):
        with closing(sqlite3.connect(database)) as db, db:
            db.execute(change)
        done = kairos.call("--json", "log", "verify", "--anchor", noted)
        assert done.returncode == 9, change
        assert place in {p.get("position") for p in json.loads(done.stdout)["data"]["problems"]}, change
        assert kairos.lines("log", "--limit", str(last)) == whole[:last]
        shutil.copy(kept, database)
    assert kairos.lines("log") == whole


def test_n29_after_a_year_of_heavy_use_the_log_is_bounded_and_starting_is_as_quick(kairos: Any, repo: Any) -> None:
    """A month at a time: two thousand saves, sealed, and folded under a rule. What a start reads does not grow."""
    kairos.run("init", str(repo.root), "--yes")
    kairos.run("config", "set", "retention.fold_after_days", "30")
    stream = kairos.events("RepoTrusted")[0].stream
    hot, cold = [], []
    for month in range(1, 13):
        kairos.clock(f"2027-{month:02d}-03T12:00:00")
        offset = float((kairos.root / "clock").read_text())
        with closing(kairos.open_log()) as log:
            os.environ["KAIROS_CLOCK_FILE"] = str(kairos.root / "clock")
            try:
                log.append([NewEvent(stream, saved(stream, month, i, offset)) for i in range(2_000)])
            finally:
                del os.environ["KAIROS_CLOCK_FILE"]
        sizes = kairos.run("compact", "--now")
        hot.append(sizes["hot_bytes"])
        cold.append(sizes["cold_bytes"])
    assert max(hot) < 8_000_000
    assert cold[-1] <= 40 * 24_000, "forty bytes an observation, a year of them"
    daemon = kairos.daemon(ready=False)
    daemon.wait_ready(10)
    assert daemon.stop() == 0
    assert kairos.run("log", "verify")["ok"]
    assert kairos.run("replay", "--verify")["identical"]


def saved(repo: str, month: int, number: int, offset: float) -> FilesChanged:
    path = f"src/m{number * 7919 % 400}.py"
    change: Any = {**name_fields(path), "kind": "modified", "type": "file", "size": 900 + number % 50, "mode": 0o644}
    mtime = 1_800_000_000_000_000_000 + (month * 2_000 + number) * 1_000_000_007
    from kairos.domain.events import Change

    return FilesChanged(
        repo=repo, burst=f"{month:02d}{number:06d}", part=1, parts=1, changes=[Change(**change, mtime_ns=mtime)]
    )


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("log-v*")), ids=lambda p: p.name)
def test_n38_the_program_opens_what_an_earlier_one_wrote_verifies_and_replays_it(kairos: Any, golden: Path) -> None:
    shutil.copytree(golden, kairos.home / "log")
    noted = json.loads((golden / "anchor.json").read_text())
    verified = kairos.run("log", "verify", "--anchor", f"{noted['position']}:{noted['hash']}")
    assert verified["ok"] and verified["head"] == noted["position"]
    assert kairos.run("replay", "--verify")["identical"]
    assert [line["position"] for line in kairos.lines("log")] == list(range(1, noted["position"] + 1))
    assert kairos.run("show", "kkkk")["state"] == "undone"
    kairos.run("compact", "--now")
    assert kairos.run("log", "verify", "--anchor", f"{noted['position']}:{noted['hash']}")["ok"]
