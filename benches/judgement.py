"""Are rename patches what people would have done? `python -m benches.judgement CLONES [--only NAME] [--examples N]`.

CLONES holds clones of public repositories, as `owner+name/repo` or `owner/name`. For each commit of
`benches/rename_commits.txt` the plain move is made on its parent: only the renames that are beyond doubt. The detector
looks at it, and every reference in its patch is judged, by readings that share nothing with it (`reference_paths`):

*The truth* is a reference that led to a moved file (or, in a moved file, to another one) before, and that people
changed in the commit so that it leads to where that file is now. What they rewrote so that it names something else
(a package that was divided, an index instead of a page) is none.

| outcome | what it means |
|---|---|
| exact | written as people wrote it |
| equal | another spelling that leads to the same file |
| missed | people changed it, the patch does not |
| later | people left it, and wrote the same within their next 10 commits of the file |
| dead | people left it, although it leads nowhere in their commit; ours leads to the moved file |
| otherwise | people took the line away or rewrote it to say something else; ours leads to the moved file |
| kept | people left it, and it still leads somewhere, since their commit left something at the old path |
| wrong | it does not lead to the moved file, or it did before the patch |

A second look, at the whole commit of people, is judged alike: *right* (the old reference leads nowhere, ours to the
renamed file), *later*, or *wrong*. Outcomes are kept in CLONES/judgement.jsonl by commit and by the code of the
detector: only what changed is looked at again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benches.rename_clone import Clone
from benches.rename_trial import LARGEST, Outcome, Trial
from kairos.repo.git import GitError

HERE = Path(__file__).parent
PEOPLE = ("exact", "equal", "missed")
OUTCOMES = (*PEOPLE, "later", "dead", "otherwise", "kept", "wrong")
WHOLE = ("right", "later", "wrong")


class Judged(msgspec.Struct):
    """The outcomes of one commit; `code`: a hash of what judged it."""

    repository: str
    commit: str
    code: str
    outcomes: list[Outcome]
    renames: int
    patched: bool
    seconds: float


def listed(name: str = "rename_commits.txt") -> list[tuple[str, str]]:
    """(owner/name, commit) of a public set."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [(line.split()[0], line.split()[1]) for line in lines if line.strip() and not line.startswith("#")]


def code() -> str:
    """A hash of the detector, of what it reads with, and of what judges it."""
    root = HERE.parent / "kairos"
    digest = hashlib.sha256()
    files = [*sorted((root / "detectors" / "stale_reference").glob("*.py")), *sorted(root.glob("_native*.so"))]
    files += [root / "detectors" / f"{name}.py" for name in ("maintained", "patching")]
    files += [HERE / f"{name}.py" for name in ("reference_paths", "rename_clone", "rename_trial", "rename_truth")]
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def source_of(folder: Path, repository: str) -> Path | None:
    """The git directory of a clone."""
    places = (folder / repository.replace("/", "+") / "repo", folder / repository)
    return next((p for p in places if p.is_dir()), None)


def judged(folder: Path, wanted: Sequence[tuple[str, str]], kept: Path) -> Iterator[Judged]:
    """The judgements of these commits, those that are known from `kept`."""
    now = code()
    lines = kept.read_bytes().splitlines() if kept.exists() else []
    known = {(j.repository, j.commit): j for j in (msgspec.json.decode(r, type=Judged) for r in lines) if j.code == now}
    by_repository: dict[str, list[str]] = defaultdict(list)
    for repository, commit in wanted:
        by_repository[repository].append(commit)
    for repository, commits in by_repository.items():
        yield from (known[repository, c] for c in commits if (repository, c) in known)
        todo = [c for c in commits if (repository, c) not in known]
        source = source_of(folder, repository)
        if not todo or source is None:
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-judgement-") as place:
            clone = Clone(source.resolve(), Path(place) / "clone")
            for commit in todo:
                trial = Trial(clone, commit)
                try:
                    trial.judge()
                except (subprocess.CalledProcessError, GitError) as error:
                    print(f"{repository} {commit}: {error}", file=sys.stderr)
                    continue
                made = Judged(repository, commit, now, trial.outcomes, len(trial.moved), trial.patched, trial.seconds)
                with kept.open("ab") as out:
                    out.write(msgspec.json.encode(made) + b"\n")
                yield made


def table(every: Sequence[Judged]) -> Iterator[str]:
    """The rows of the report, in Markdown."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    whole: Counter[str] = Counter()
    for one in every:
        for o in one.outcomes:
            if o.whole:
                whole[o.outcome] += 1
            else:
                counts[o.kind][o.outcome] += 1
    yield f"| kind | people changed | {' | '.join(OUTCOMES)} | exact |"
    yield "|---" * (len(OUTCOMES) + 3) + "|"
    for kind, of in sorted(counts.items()):
        people = sum(of[name] for name in PEOPLE)
        share = f"{100 * of['exact'] / people:.1f} %" if people else "–"
        yield f"| {kind} | {people} | {' | '.join(str(of[name]) for name in OUTCOMES)} | {share} |"
    total = sum(counts.values(), Counter[str]())
    changed = sum(total.values()) - total["missed"]
    wrong = [j for j in every if any(o.outcome == "wrong" and not o.whole for o in j.outcomes)]
    wrong_whole = [j for j in every if any(o.outcome == "wrong" and o.whole for o in j.outcomes)]
    tried = [j for j in every if 0 < j.renames <= LARGEST]
    yield ""
    yield (
        f"{len(tried)} commits with renames of {len({j.repository for j in tried})} repositories; "
        f"{sum(j.patched for j in tried)} patches of plain moves, {len(wrong)} with a wrong line; {changed} references "
        f"changed, {total['wrong']} wrong, {total['kept']} kept by people "
        f"({100 * total['kept'] / max(changed, 1):.1f} %)."
    )
    yield (
        f"After the whole commits: {', '.join(f'{whole[name]} {name}' for name in WHOLE)}; {len(wrong_whole)} patches "
        f"with a wrong line. {1000 * sum(j.seconds for j in tried) / max(2 * len(tried), 1):.0f} ms a look."
    )


def show(every: Sequence[Judged], most: int, only: Sequence[str]) -> None:
    """Prints so many examples of each kind and outcome."""
    seen: Counter[tuple[str, str, bool]] = Counter()
    for one in every:
        for o in one.outcomes:
            if o.outcome not in only:
                continue
            seen[o.kind, o.outcome, o.whole] += 1
            if seen[o.kind, o.outcome, o.whole] <= most:
                where = "whole commit" if o.whole else "plain move"
                print(f"\n{o.kind} {o.outcome} ({where}): {one.repository} {one.commit[:10]} {o.path}:{o.line + 1}")
                print(f"  - {o.old}\n  ours   {o.ours}\n  people {o.theirs or '(left it)'}")


def fresh(folder: Path, repositories: Sequence[str], most: int) -> Iterator[str]:
    """The lines of a new list of commits."""
    for repository in repositories:
        source = source_of(folder, repository)
        if source is None:
            continue
        with tempfile.TemporaryDirectory(prefix="kairos-judgement-") as place:
            clone = Clone(source.resolve(), Path(place) / "clone")
            for oid in clone.commits(most):
                if 0 < len(clone.renames(clone.parent(oid), oid)) <= LARGEST:
                    yield f"{repository} {oid}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benches.judgement", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("--only", action="append", default=[], help="repositories whose name contains this")
    parser.add_argument("--kept", type=Path, help="the file with known outcomes; default: CLONES/judgement.jsonl")
    parser.add_argument("--examples", type=int, default=0, help="so many examples of each kind and outcome")
    parser.add_argument("--outcome", action="append", default=[], help="examples of these outcomes only")
    parser.add_argument("--list", nargs="+", metavar="OWNER/NAME", help="print a list of commits instead")
    parser.add_argument("--most", type=int, default=25, help="commits a repository in such a list")
    options = parser.parse_args()
    if options.list:
        print(*fresh(options.clones, options.list, options.most), sep="\n")
        return
    wanted = [(r, c) for r, c in listed() if not options.only or any(word in r for word in options.only)]
    every: list[Judged] = []
    for one in judged(options.clones, wanted, options.kept or options.clones / "judgement.jsonl"):
        if every and every[-1].repository != one.repository and os.isatty(2):
            print(f"{every[-1].repository}: done, {len(every)} of {len(wanted)} commits", file=sys.stderr)
        every.append(one)
    show(every, options.examples, options.outcome or ("wrong", "missed", "kept", "equal"))
    print(*table(every), sep="\n")


if __name__ == "__main__":
    main()
