"""A year of one project as observations of one changed path each, and what it costs to keep and to ask it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator

from kairos.domain.events import Change, FilesChanged, Name

PATHS = 700
DAY_US = 86_400_000_000


def observations(count: int, seed: int = 7) -> Iterator[tuple[int, str, FilesChanged]]:
    """(time of recording in us, origin, observation), rising.

    Working days of 9 to 18 o'clock with pauses; a person and a formatter go back and forth between a few files of the
    moment, which are drawn from 700 with a long tail. A time of change lies 12 to 45 ms before its recording, to the
    nanosecond. `READ` of the files that have content were read, and carry its hash; one in twelve of those contents
    was there before (undone, switched back)."""
    chance = random.Random(seed)
    paths = [_path(n) for n in range(PATHS)]
    sizes = [int(chance.lognormvariate(8.3, 1.1)) for _ in paths]
    contents: list[list[str]] = [[] for _ in paths]
    executable = {n for n in range(PATHS) if chance.random() < 0.04}
    held = [chance.randrange(40) for _ in range(4)]
    now = 1_735_801_200_000_000
    for number in range(count):
        now += int(chance.expovariate(1 / 4e6)) + 60_000 if chance.random() < 0.985 else int(chance.uniform(2e8, 9e8))
        if now % DAY_US > 18 * 3_600_000_000:
            now += 15 * 3_600_000_000 + chance.randrange(1_800_000_000)
        if chance.random() < 0.12:
            held[chance.randrange(4)] = min(PATHS - 1, int(chance.paretovariate(0.55)) - 1)
        place = held[chance.randrange(4)] if chance.random() < 0.8 else chance.randrange(PATHS)
        yield now, "self" if chance.random() < 0.03 else "live", FilesChanged(
            repo="repo-5f0c1d9e3a7b", burst=f"{0x9E3779B9:08x}{number + 1:08x}", part=1, parts=1,
            changes=[_change(chance, place, paths, sizes, contents, place in executable, now)],
        )  # fmt: skip


READ = 0.8


def _path(number: int) -> str:
    folder = ("src/shop/orders", "src/shop/billing", "src/shop/api/v2", "tests/orders", "docs/how-to", "web/components")
    return f"{folder[number % 6]}/{('handler', 'model', 'schema', 'service')[number % 4]}_{number:03}.py"


def _change(
    chance: random.Random,
    place: int,
    paths: list[str],
    sizes: list[int],
    contents: list[list[str]],
    run: bool,
    now: int,
) -> Change:
    path, what = paths[place], chance.random()
    if what < 0.04:
        return Change(path=path, kind="deleted")
    sizes[place] = max(1, sizes[place] + chance.randrange(-120, 160))
    known, content = contents[place], None
    if chance.random() < READ:
        content = (
            chance.choice(known)
            if known and chance.random() < 1 / 12
            else hashlib.sha256(chance.randbytes(8)).hexdigest()
        )
        known[:] = [*known[-20:], content]
    return Change(
        path=path, kind="modified" if what < 0.93 else "created" if what < 0.98 else "moved",
        was=Name(path=f"{path}.new") if what >= 0.98 else None, size=sizes[place], mode=0o755 if run else 0o644,
        mtime_ns=(now - chance.randrange(12_000, 45_000)) * 1_000 + chance.randrange(1_000), sha=content,
    )  # fmt: skip
