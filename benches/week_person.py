"""A person at work in one repository: the things she does in a week, chosen by a seed, and what she knows to be true of
them afterwards."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benches.week_home import WeekHome
from kairos.domain.action import PatchAction, apply_edit
from kairos.domain.proposal import Proposal

GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid", "GIT_COMMITTER_NAME": "Ada", "GIT_EDITOR": "true",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}  # fmt: skip
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PAGES = "notes-of-the-week"
LARGEST = 100_000


@dataclass(frozen=True)
class Rename:
    """A file that she renamed, and the page of hers that links to it."""

    old: str
    new: str
    page: str


@dataclass(frozen=True)
class Planted:
    """A credential that she wrote into a file."""

    path: str
    value: str


class Person:
    """Works in the repository at `root`. Every choice is the seed's; what was found is read at settled moments."""

    def __init__(self, watching: WeekHome, root: Path, seed: int) -> None:
        self.watching, self.root, self.pick = watching, root, random.Random(f"{seed} {root.name}")
        self.repo = next(
            r.event.repo for r in watching.log.read(0, topics={"RepoTrusted"}) if r.event.root == str(root)
        )
        self.count = self.marks = 0
        self.done: dict[str, int] = {}
        self.renames: list[Rename] = []
        self.planted: list[Planted] = []
        self.unfounded: list[str] = []
        self.untrue: list[str] = []
        self.main = self.git("symbolic-ref", "--short", "HEAD")
        self.base = self.git("rev-parse", "HEAD")
        self.topics: list[str] = []

    # -- what the script is made of

    def git(self, *args: str, check: bool = True) -> str:
        done = subprocess.run(
            ["git", "-C", self.root, *args], capture_output=True, check=False, env={**os.environ, **GIT_ENV}
        )
        if check and done.returncode:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr.decode()}{done.stdout.decode()}")
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def tries(self, *args: str) -> bool:
        """Whether a command of git succeeded."""
        done = subprocess.run(
            ["git", "-C", self.root, *args], capture_output=True, check=False, env={**os.environ, **GIT_ENV}
        )
        return done.returncode == 0

    def tracked(self) -> list[str]:
        return [p for p in self.git("ls-files", "-z").split("\0") if p]

    def texts(self) -> list[str]:
        """The tracked text files of ordinary size that are on disk."""
        out = []
        for path in self.tracked():
            file = self.root / path
            plain = not file.is_symlink() and file.is_file() and 0 < file.stat().st_size < LARGEST
            if plain and not path.startswith(".") and b"\0" not in file.read_bytes():
                out.append(path)
        return out

    def dirty(self) -> bool:
        return bool(self.git("status", "--porcelain", "--untracked-files=no"))

    def mark(self) -> str:
        """Moves a ref of the script's own."""
        self.marks += 1
        self.git(
            "update-ref",
            "refs/week/mark",
            self.git("rev-parse", f"{self.base}^{{tree}}" if self.marks % 2 else self.base),
        )
        return "refs/week/mark"

    def settle(self) -> None:
        self.watching.settle(self.repo, self.mark)

    def append(self, path: str, text: str) -> None:
        with (self.root / path).open("a") as file:
            file.write(text)

    def cards(self) -> list[Proposal]:
        """The cards that wait for her in this repository, in an order that does not depend on time."""
        found = [p for p in self.watching.inbox().pending() if p.raised.repo == self.repo and p.state == "pending"]
        return sorted(found, key=lambda p: (p.raised.title, p.raised.key))

    # -- editing and committing

    def edit(self) -> None:
        self.count += 1
        for path in self.pick.sample(sorted(self.texts()), self.pick.randint(1, 3)):
            self.append(path, f"# a word {self.count}\n")

    def commit(self) -> None:
        if not self.dirty():
            self.edit()
        self.git("add", "-u")
        self.count += 1
        self.git("commit", "-q", "--no-verify", "-m", f"work {self.count}")

    def save_mid_edit(self) -> None:
        """Saves a file half written, is seen doing it, and completes it."""
        path = self.pick.choice(sorted(self.texts()))
        before = (self.root / path).read_bytes()
        head = self.watching.log.head()
        (self.root / path).write_bytes(before[: len(before) // 2])
        if self.watching.process is not None:
            self.watching.saw(self.repo, head, lambda e: any(c.fs == path for c in e.changes), "FilesChanged")
        (self.root / path).write_bytes(before + b"# done\n")

    def amend(self) -> None:
        if self.git("rev-parse", "HEAD") == self.base or self.git("rev-list", "--merges", "-1", "HEAD^!"):
            return self.commit()
        self.edit()
        self.git("add", "-u")
        self.git("commit", "-q", "--no-verify", "--amend", "--no-edit")
        return None

    # -- renaming

    def write_page(self) -> str:
        """A page that links to a file that will be renamed, or to any."""
        path = self.pick.choice(sorted(p for p in self.texts() if not p.startswith(PAGES)))
        page = f"{PAGES}/{self.count:03}.md"
        (self.root / PAGES).mkdir(exist_ok=True)
        (self.root / page).write_text(f"# Note {self.count}\n\nSee [the file](../{path}).\n")
        self.git("add", page)
        self.commit()
        return page

    def rename(self) -> None:
        if self.dirty():
            self.commit()
        page = self.write_page()
        old = (self.root / page).read_text().partition("](../")[2].partition(")")[0]
        place = PurePosixPath(old)
        new = str(place.with_name(f"{place.stem}_{self.count}{place.suffix}"))
        if self.pick.random() < 0.25:
            new = str(place.parent / f"moved{self.count}" / place.name)
        (self.root / new).parent.mkdir(exist_ok=True)
        if self.pick.random() < 0.3:  # first on disk, and seen so, then in the index
            head = self.watching.log.head()
            (self.root / old).rename(self.root / new)
            if self.watching.process is not None:
                self.watching.saw(self.repo, head, lambda e: any(c.fs == new for c in e.changes), "FilesChanged")
            self.git("add", "-A", "--", old, new)
        else:
            self.git("mv", old, new)
        self.commit()
        self.renames.append(Rename(old, new, page))

    def fix_by_hand(self) -> None:
        """Does what a card proposes, all of it or only its first file, before she approves it."""
        if self.watching.process is None:
            return
        self.settle()
        cards = [p for p in self.cards() if isinstance(p.raised.action, PatchAction)]
        if not cards:
            return
        action = self.pick.choice(cards).raised.action
        assert isinstance(action, PatchAction)
        part = action.edits if self.pick.random() < 0.6 else action.edits[:1]
        for one in part:
            try:
                after = apply_edit(one, (self.root / one.fs).read_bytes() if one.before else None)
            except (ValueError, OSError):
                continue
            if after is not None:
                (self.root / one.fs).write_bytes(after)
        if self.pick.random() < 0.5:
            self.commit()

    # -- branches

    def branch(self) -> None:
        if self.dirty():
            self.commit()
        name = f"topic-{len(self.topics)}"
        self.git("switch", "-q", "-c", name)
        self.topics.append(name)
        self.commit()

    def switch(self) -> None:
        if self.dirty():
            self.commit()
        here = self.git("symbolic-ref", "--short", "HEAD")
        others = [b for b in [self.main, self.main, *self.topics] if b != here]
        if others:
            self.git("switch", "-q", self.pick.choice(others))

    def home_branch(self) -> None:
        if self.dirty():
            self.commit()
        self.git("switch", "-q", self.main)

    def merge(self) -> None:
        self.home_branch()
        if self.topics and not self.tries("merge", "-q", "--no-ff", "-m", "merge", self.pick.choice(self.topics)):
            self.git("merge", "--abort", check=False)

    def rebase(self) -> None:
        if not self.topics:
            return
        if self.dirty():
            self.commit()
        self.git("switch", "-q", self.pick.choice(self.topics))
        if not self.tries("rebase", "-q", self.main):
            self.git("rebase", "--abort", check=False)

    def cherry_pick(self) -> None:
        self.home_branch()
        if self.topics and not self.tries("cherry-pick", self.pick.choice(self.topics)):
            self.git("cherry-pick", "--abort", check=False)

    def stash(self) -> None:
        self.edit()
        self.git("stash", "-q")
        self.commit()
        if not self.tries("stash", "pop", "-q"):
            self.git("checkout", "-q", "--force", "HEAD")
            self.git("stash", "drop", "-q")

    def reset(self) -> None:
        """Takes the last commit back, and half of the times returns to it."""
        if self.dirty():
            self.commit()
        if self.git("rev-parse", "HEAD") == self.base:
            return
        self.git("reset", "-q", "--hard", "HEAD~1")
        if self.pick.random() < 0.5:
            self.settle_if_watched()
            self.git("reset", "-q", "--hard", "ORIG_HEAD")

    def settle_if_watched(self) -> None:
        if self.watching.process is not None:
            self.settle()

    # -- things that should not be

    def plant(self) -> None:
        """A credential: left lying, staged, or committed; sometimes taken out again."""
        self.count += 1
        value = "AKIA" + "".join(self.pick.choices(BASE32, k=16))
        path = f"deploy{self.count}.env"
        (self.root / path).write_text(f"AWS_ACCESS_KEY_ID={value}\n")
        self.planted.append(Planted(path, value))
        how = self.pick.randrange(4)
        if how:
            self.git("add", "-f", path)
        self.settle_if_watched()
        if how == 1:
            self.git("rm", "-q", "-f", "--cached", path)
            (self.root / path).unlink()
        elif how == 2:
            self.commit()
        elif how == 3:
            self.commit()
            self.settle_if_watched()
            (self.root / path).write_text("AWS_ACCESS_KEY_ID=\n")
            self.git("commit", "-q", "--no-verify", "--amend", "--no-edit", "-a")

    def leave_markers(self) -> None:
        """A conflict that was resolved by committing it, taken out two of three times."""
        path = self.pick.choice(sorted(p for p in self.texts() if not p.startswith(PAGES)))
        before = (self.root / path).read_text("utf-8", "surrogateescape")
        self.append(path, "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> topic\n")
        self.commit()
        if self.pick.random() < 0.66:
            self.settle_if_watched()
            (self.root / path).write_text(before, "utf-8", "surrogateescape")
            self.commit()

    # -- deciding

    def decide(self) -> None:
        if self.watching.process is None:
            return
        self.settle()
        cards = self.cards()
        if not cards:
            return
        patches = [p for p in cards if isinstance(p.raised.action, PatchAction)]
        card = self.pick.choice(patches if patches and self.pick.random() < 0.7 else cards)
        dice = self.pick.random()
        if dice < 0.65:
            self.approve(card)
        elif dice < 0.85:
            self.watching.call("reject", card.id, "-m", "not this one")
        else:
            self.watching.call("defer", card.id, "--until", self.pick.choice(["next-commit", "2h", "evidence"]))

    def approve(self, card: Proposal) -> None:
        """Says yes, waits for the end, and compares what was carried out with what git and the files say."""
        self.watching.call("approve", card.id, "--digest", card.raised.digest, "--wait", "60")
        now = self.watching.inbox().proposals[card.id]
        if now.state == "executed" and (amiss := self.amiss(now)):
            self.unfounded.append(f"{card.id[:4]} {card.raised.title}: {amiss}")

    def amiss(self, p: Proposal) -> str:
        """What of the basis of a proposal git and the file system do not show; empty if it is all there."""
        if p.raised.basis is None:
            return ""
        for group in p.raised.basis.commits:
            within = "HEAD" if group.reach == "head" else "--all"
            if set(self.git("rev-list", within, f"^{self.base}").split()).isdisjoint(group.oids):
                return f"none of {group.oids} is in the history"
        for name in p.raised.basis.present:
            if not os.path.lexists(self.root / name.fs):
                return f"{name.fs} is not there"
        for name in p.raised.basis.absent:
            if os.path.lexists(self.root / name.fs):
                return f"{name.fs} is there"
        return ""

    def undo(self) -> None:
        if self.watching.process is not None:
            self.settle()
            self.watching.call("--repo", str(self.root), "undo", "--yes")
            if self.pick.random() < 0.3:
                self.watching.call("--repo", str(self.root), "redo", "--yes")

    def made(self) -> int:
        """How many commits she made: those that git's reflog of HEAD tells, amended ones and merges included."""
        told = self.git("reflog", "--format=%gs", "HEAD").splitlines()
        return sum(line.startswith(("commit", "merge", "cherry-pick", "rebase (pick)")) for line in told)

    def do(self, what: str) -> None:
        getattr(self, what)()
        self.done[what] = self.done.get(what, 0) + 1


SHARE: Sequence[tuple[str, int]] = (
    ("commit", 130), ("rename", 40), ("save_mid_edit", 40), ("fix_by_hand", 14), ("amend", 12), ("branch", 5),
    ("switch", 22), ("merge", 6), ("rebase", 5), ("cherry_pick", 4), ("stash", 8), ("reset", 5), ("plant", 6),
    ("leave_markers", 4), ("decide", 26), ("undo", 8), ("edit", 20), ("home_branch", 8),
)  # fmt: skip
"""How often she does each thing in a week of 300 commits."""


def plan(commits: int, pick: random.Random) -> list[str]:
    """What she does, in order: each thing in its share, and a branch before all else that needs one."""
    out: list[str] = []
    for what, times in SHARE:
        out += [what] * max(1, round(times * commits / 300))
    pick.shuffle(out)
    return out
