"""How often detectors are right on public histories: `python -m benches.detectors FOLDER [NAME…]`.

FOLDER holds clones of the repositories that `benches/repositories.txt` lists, as `owner+name/repo` or `owner/name`,
bare or not. Each is replayed (`kairos backtest`) with all detectors. What they raised is kept in FOLDER's
`backtests.jsonl`, so that only what changed is replayed again; `--page` writes docs/detectors.md from it.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC
from functools import cache
from pathlib import Path

import msgspec

from kairos.backtest.journal import Journal
from kairos.backtest.replay import Options, Replay
from kairos.backtest.result import BacktestResult
from kairos.detectors.looking import ALL
from kairos.detectors.protocol import Detector
from kairos.domain.attention import Manners
from kairos.repo.git import Git, GitError

HERE = Path(__file__).parent
LAST = 3_000
MANNERS = Manners(quiet=(22, 8), per_day=4, idle=600_000_000, per_day_total=12)


class Measured(msgspec.Struct):
    """The backtest of one detector on one repository; `code`: a hash of the sources of detectors."""

    repository: str
    detector: str
    code: str
    result: BacktestResult


def listed() -> list[str]:
    """The repositories of the public set, `owner/name`."""
    lines = (HERE / "repositories.txt").read_text("utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


def clone_of(folder: Path, repository: str) -> Git | None:
    """The clone of a repository in a folder, if it is there."""
    for place in (folder / repository.replace("/", "+") / "repo", folder / repository):
        if place.is_dir():
            bare = not (place / ".git").exists()
            return Git(place, bare=bare)
    return None


def code_of(detector: Detector) -> str:
    """A hash of all that decides what a detector says in a replay and how it is judged: what its module and the replay
    import from here, other detectors left out, the native part, and how long and with which manners it is replayed."""
    own = type(detector).__module__
    others = {type(d).__module__ for d in ALL} - {own}
    modules = imported(own) | imported(Replay.__module__, without={*others, "kairos.detectors.enabled"})
    files = [Path(str(importlib.util.find_spec(m).origin)) for m in sorted(modules)]  # type: ignore[union-attr]
    native = HERE.parent / "native"
    files += sorted(
        f for f in native.rglob("*")
        if f.suffix in (".rs", ".toml", ".scm") and f.relative_to(native).parts[0] not in ("launcher", "guard")
    )  # fmt: skip
    digest = hashlib.sha256(repr((LAST, MANNERS)).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@cache
def named_in(module: str) -> frozenset[str]:
    """The modules of Kairos that a module imports, those that hold them included."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    found = {module.rpartition(".")[0]} - {""}
    for node in ast.walk(ast.parse(Path(spec.origin).read_bytes())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
        found |= {n for n in names if n.split(".")[0] == "kairos" and _is_module(n)}
    return frozenset(found)


def _is_module(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return False
    return spec is not None and (spec.origin or "").endswith(".py")


def imported(module: str, without: Collection[str] = ()) -> set[str]:
    """A module and all that it imports, directly or not, `without` these and what only they import."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        if one not in found and one not in without:
            found.add(one)
            waiting += named_in(one)
    return found


def replayed(git: Git, detectors: Sequence[Detector], last: int) -> BacktestResult:
    """The backtest of some detectors, together, on the last commits of a clone."""
    head = git.head()
    assert head is not None
    with tempfile.TemporaryDirectory(prefix="kairos-bench-") as folder:
        journal = Journal(Path(folder) / "journal")
        try:
            made = Replay(git, detectors, Options(last=last), MANNERS, UTC, journal, b"bench")
            return made.run(head, lambda done, total: None)
        finally:
            journal.close()


def kept(file: Path) -> dict[tuple[str, str], Measured]:
    """What was measured before."""
    if not file.exists():
        return {}
    lines = (msgspec.json.decode(line, type=Measured) for line in file.read_bytes().splitlines())
    return {(m.repository, m.detector): m for m in lines}


def measured(
    folder: Path, detectors: Sequence[Detector], last: int = LAST, *, as_kept: bool = False
) -> Iterator[Measured]:
    """The backtests of these detectors, repository by repository; those that are not known are replayed together.
    `as_kept`: nothing is replayed, and what was measured with earlier code counts, too."""
    file = folder / "backtests.jsonl"
    known = kept(file)
    codes = {d.name: code_of(d) for d in detectors}
    for repository in listed():
        found = [known.get((repository, d.name)) for d in detectors]
        current = {m.detector: m for m in found if m is not None and (as_kept or m.code == codes[m.detector])}
        missing = [] if as_kept else [d for d in detectors if d.name not in current]
        git = clone_of(folder, repository)
        if missing and git is not None:
            try:
                made = replayed(git, missing, last)
            except GitError as error:
                print(f"{repository}: {error.message}", file=sys.stderr)
                continue
            for detector in missing:
                raised = [r for r in made.raised if r.detector == detector.name]
                own = msgspec.structs.replace(made, detectors=[detector.name], raised=raised)
                current[detector.name] = Measured(repository, detector.name, codes[detector.name], own)
            with file.open("ab") as out:
                out.writelines(msgspec.json.encode(current[d.name]) + b"\n" for d in missing)
        yield from (current[d.name] for d in detectors if d.name in current)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.detectors", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="only these detectors")
    parser.add_argument("--page", type=Path, help="write docs/detectors.md here")
    parser.add_argument("--as-kept", action="store_true", help="replay nothing: take what was measured, however old")
    parser.add_argument("--examples", action="store_true", help="print every finding")
    options = parser.parse_args()
    chosen = [d for d in ALL if not options.names or d.name in options.names]
    every = []
    for one in measured(options.folder, chosen, as_kept=options.as_kept):
        every.append(one)
        (sums,) = one.result.sums()
        if sums.raised:
            print(
                f"{one.detector:18} {one.repository:28} {one.result.commits:5} commits {one.result.per_second:4.0f}/s "
                f"raised {sums.raised:3} done {sums.done:3} left {sums.left:3} other {sums.moot + sums.unknown:3}",
                flush=True,
            )
        if options.examples:
            for r in one.result.raised:
                print(f"    {r.label:8} {r.commit[:10]} +{r.after:<3} {r.title}")
    from benches.detectors_page import page, totals

    for row in totals(every):
        print(row)
    if options.page:
        options.page.write_text(page(every), "utf-8")


if __name__ == "__main__":
    main()
