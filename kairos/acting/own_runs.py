"""Runs a person's own detector confined, on the tree of a commit and nothing else, and returns what it wrote."""

from __future__ import annotations

import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import kairos
from kairos.acting.commit_tree import whole_tree
from kairos.acting.confine import Limits, Seed, SeedRefused, run
from kairos.clock import rfc3339
from kairos.domain.roster import OwnDeclared
from kairos.domain.secrets import redact
from kairos.errors import KairosError
from kairos.privacy import make_private
from kairos.repo.git import Git

QUESTION = ".kairos-question.json"
"""The file in the tree with what is asked; the word {question} of a command stands for it."""
_SCRIPTS = ".kairos-detector"
"""The directory in the tree with the scripts that a command names."""
_LARGEST_SCRIPT = 1 << 20
_TREES = 2
_PATIENCE = 3


class OwnFailed(KairosError):
    """A detector of a person could not be run, or did not end well."""

    name = "detector_failed"


class OwnRuns:
    """Runs detectors on commits of one repository at a time. It keeps the trees of the last two commits."""

    def __init__(self, scratch_home: Path, cancelled: Callable[[], bool] | None = None) -> None:
        self._scratch = scratch_home
        self._cancelled = cancelled
        self._stopped: dict[tuple[str, int], int] = {}
        self._trees: OrderedDict[tuple[str, str], Seed] = OrderedDict()

    def ask(self, git: Git, declared: OwnDeclared, commit: str, paths: Sequence[str], at: int) -> bytes:
        """What a detector writes about those of these paths that are in the tree of a commit; nothing if none is. `at`:
        when it is to think it is (us). OwnFailed, SandboxUnavailable, GitError."""
        tree = self._tree(git, commit)
        there = [path for path in paths if path in tree]
        if not there:
            return b""
        question = msgspec.json.encode({"kairos": 1, "commit": commit, "at": rfc3339(at), "paths": there})
        if self._stopped.get(key := (declared.name, declared.version), 0) >= _PATIENCE:
            raise OwnFailed(
                f"it was stopped by a limit {_PATIENCE} times; it rests until it is changed, or Kairos starts"
            )
        words, files = _laid(declared.command)
        seed = {**tree, **files, QUESTION: (question, 0o644)}
        limits = Limits(
            wall=declared.seconds, mem_mb=declared.memory_mb, pids=64, out=(1 << 20) + 1, flood=8 << 20, disk_mb=256,
            files=40_000,
        )  # fmt: skip
        make_private(self._scratch)
        with tempfile.TemporaryDirectory(prefix="own-", dir=self._scratch) as empty:
            try:
                done = run(
                    Path(empty), words, scratch_home=self._scratch, seed=seed, limits=limits,
                    read_roots=readable(declared), cancelled=self._cancelled,
                )  # fmt: skip
            except SeedRefused as error:
                raise OwnFailed(f"the tree of {commit[:10]} cannot be laid out: {error.message}") from error
            except OSError as error:
                raise OwnFailed(f"there is no room to run it: {error.strerror}") from error
            with done:
                if done.stopped is not None:
                    self._stopped[key] = self._stopped.get(key, 0) + 1
                    raise OwnFailed(f"it was stopped by the limit {done.stopped}")
                if done.signal is not None:
                    raise OwnFailed(f"it ended by signal {done.signal}")
                if done.exit not in (0, 1):
                    raise OwnFailed(f"it ended with {done.exit}{_last(done.stderr)}")
                if done.exit == 1 and not done.stdout.strip():
                    raise OwnFailed(f"it ended with 1 and said nothing{_last(done.stderr)}")
                if done.truncated:
                    raise OwnFailed("it wrote more than is read of it")
                return done.stdout

    def _tree(self, git: Git, commit: str) -> Seed:
        key = (str(git.root), commit)
        if key not in self._trees:
            self._trees[key] = whole_tree(git, commit)
            while len(self._trees) > _TREES:
                self._trees.popitem(last=False)
        self._trees.move_to_end(key)
        return self._trees[key]


def hosted(name: str) -> OwnDeclared:
    """The detector of an entry point, run by this Python in a process of its own."""
    words = [sys.executable, "-P", "-m", "kairos.detectors.own.hosted", name, "{question}"]
    return OwnDeclared(name, words)


def readable(declared: OwnDeclared) -> list[Path]:
    """What a detector may read besides the system: what it was declared with, the folders of the programs that its
    command names by whole paths, and for one that this Python runs, this Python."""
    found = [Path(place) for place in declared.read_roots]
    for path in (Path(word) for word in declared.command if _is_named(word) and not _is_script(Path(word))):
        found.append(path.parent.parent if path.parent.name == "bin" else path.parent)
    if declared.command[:1] == [sys.executable]:
        found += [Path(sys.prefix), Path(kairos.__file__).parent.parent]
        found += [Path(place) for place in sys.path if place and Path(place).is_dir()]
    return list(dict.fromkeys(place for place in found if place.exists()))


def _laid(command: Sequence[str]) -> tuple[list[str], Seed]:
    """The words of a command, and the scripts that it names by whole paths: they are laid into the tree, so that what
    lies beside them stays hidden."""
    words, files = [], {}
    for number, word in enumerate(command):
        if _is_named(word) and _is_script(Path(word)):
            laid = f"{_SCRIPTS}/{number}/{Path(word).name}"
            try:
                files[laid] = (Path(word).read_bytes(), 0o755)
            except OSError as error:
                raise OwnFailed(f"{word} cannot be read: {error.strerror}") from error
            words.append(laid if number else f"./{laid}")
        else:
            words.append(QUESTION if word == "{question}" else word)
    return words, files


def _is_named(word: str) -> bool:
    """Whether a word is the whole path of a file outside of the system's directories."""
    system = word.startswith(("/usr/", "/bin/", "/sbin/", "/lib", "/etc/", "/proc/", "/dev/null"))
    return word.startswith("/") and not system and Path(word).is_file()


def _is_script(path: Path) -> bool:
    """Whether a file is a text that an interpreter runs: no link, no program of the machine, not large."""
    if path.is_symlink() or path.stat().st_size > _LARGEST_SCRIPT:
        return False
    with path.open("rb") as file:
        return not file.read(4).startswith(b"\x7fELF")


def _last(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr[-4_000:].decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {redact(lines[-1])[:200]}" if lines else ""
