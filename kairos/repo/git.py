"""The only wrapper around git: plumbing commands only, with the repository's own hooks and helpers switched off.

A repository's configuration is hostile input: fsmonitor, hooks, pagers, external diffs, text conversion, lazy
fetches and prompts are disabled for every call, and paths are always NUL-separated bytes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kairos.errors import Denied, KairosError, UsageError

_HARDENED = (
    "--no-optional-locks",
    "--no-pager",
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.sshCommand=false",
    "-c", "core.askPass=false",
    "-c", "diff.external=",
    "-c", "protocol.allow=never",
    "-c", "credential.helper=",
    "-c", "core.quotePath=false",
    "-c", "log.showSignature=false",
    "-c", "submodule.recurse=false",
)  # fmt: skip
_COMPARING = frozenset({"diff-files", "diff-index", "diff", "status"})
"""Commands that may read files through the filter programs that a repository's configuration names."""
QUICK_S = 10.0
"""Timeout (s) of commands that read little. If it passes, the disk does not respond or git blocks on a FIFO."""
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "LD_LIBRARY_PATH", "TMPDIR")


class GitError(KairosError):
    """git refused or failed. The message contains git's error output, redacted, since it may name a ref or a URL."""

    name = "git"

    def __init__(self, message: str, hint: str = "", *, status: int = 1) -> None:
        from kairos.domain.secrets import redact  # imported late: compiling its patterns is slow

        super().__init__(redact(message), hint)
        self.status = status


class GitHangs(GitError):
    """git timed out because the disk does not respond or git blocks on a FIFO. The next command would hang as well."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that every git call gets, built from scratch."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",  # before git 2.45 a lazy fetch is stopped here; no configuration can allow it
        "GIT_NO_REPLACE_OBJECTS": "1",
        **(extra or {}),
    }


def config_home() -> Path:
    """Where git looks for a person's configuration besides the home directory."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path(os.environ.get("HOME", "/"), ".config"))


class Git:
    """git in one work tree. The caller is responsible for arguments after `--end-of-options` and for pathspecs."""

    def __init__(self, root: Path, *, bounded: bool = True, bare: bool = False) -> None:
        """`bounded`: never uses a repository above `root` in place of a missing one. `bare`: `root` is a repository
        without a work tree."""
        self.root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._broken_off = False
        self._bounds = {"GIT_CEILING_DIRECTORIES": str(root.parent)} if bounded else {}
        if bare:
            self._bounds["GIT_DIR"] = str(root)

    def run(
        self,
        *args: str | bytes,
        stdin: bytes | None = None,
        ok: Sequence[int] = (0,),
        timeout: float = 120.0,
    ) -> bytes:
        """Standard output of `git args`. GitError unless it exits with one of `ok`."""
        return self.result(*args, stdin=stdin, ok=ok, timeout=timeout)[1]

    def result(
        self,
        *args: str | bytes,
        stdin: bytes | None = None,
        ok: Sequence[int] = (0,),
        timeout: float = 120.0,
    ) -> tuple[int, bytes]:
        """(exit status, standard output) of `git args`. GitError unless the status is one of `ok`."""
        if self._broken_off:
            raise GitError(f"git {os.fsdecode(args[0])} was interrupted in {self.root}")
        try:
            status, out, err = self._finished(args, stdin, self._environment(args[0]), timeout)
        except FileNotFoundError as error:
            raise GitError("git is not installed", "Install git; Kairos reads repositories through it.") from error
        except subprocess.TimeoutExpired as error:
            raise GitHangs(f"git {os.fsdecode(args[0])} took longer than {timeout:.0f} s in {self.root}") from error
        except OSError as error:
            raise GitError(
                f"git cannot be started: {error.strerror}", "Check the limits of memory, processes and open files."
            ) from error
        if status not in ok:
            raise GitError(f"git {os.fsdecode(args[0])} failed in {self.root}: {_reason(err) or status}", status=status)
        return status, out

    def _finished(
        self, args: Sequence[str | bytes], stdin: bytes | None, env: dict[str, str], timeout: float
    ) -> tuple[int, bytes, bytes]:
        """(exit status, standard output, standard error) of one command."""
        with subprocess.Popen(
            ["git", *_HARDENED, "-C", self.root, *args],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
        ) as process:  # fmt: skip
            self._process = process
            try:
                if self._broken_off:
                    process.kill()
                out, err = process.communicate(stdin, timeout)
            except BaseException:
                process.kill()
                raise
            return process.returncode, out, err

    def break_off(self) -> None:
        """Ends the running command, and every later one, with a GitError. May be called from any thread."""
        self._broken_off = True
        if self._process is not None:
            self._process.kill()

    def _unfiltered(self) -> dict[str, str]:
        """Configuration that empties every filter driver, passed as environment because names may hold any
        character."""
        _, out = self.result("config", "-z", "--name-only", "--get-regexp", "^filter[.]", ok=(0, 1), timeout=QUICK_S)
        names = {os.fsdecode(n).rpartition(".")[0] for n in out.split(b"\0") if n}
        pairs = [
            (f"{name}.{key}", value)
            for name in sorted(names)
            for key, value in (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
        ]
        entries = {f"GIT_CONFIG_KEY_{i}": key for i, (key, _) in enumerate(pairs)}
        entries |= {f"GIT_CONFIG_VALUE_{i}": value for i, (_, value) in enumerate(pairs)}
        return {**entries, "GIT_CONFIG_COUNT": str(len(pairs))} if pairs else {}

    def _environment(self, command: str | bytes) -> dict[str, str]:
        comparing = self._unfiltered() if os.fsdecode(command) in _COMPARING else {}
        return environment({**self._bounds, **comparing})

    def stream(self, *args: str | bytes, separator: bytes = b"\0") -> Iterator[bytes]:
        """The records of a long output, one at a time, without holding it in memory."""
        with subprocess.Popen(
            ["git", *_HARDENED, "-C", self.root, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self._environment(args[0]),
        ) as process:  # fmt: skip
            assert process.stdout is not None and process.stderr is not None
            rest = b""
            while block := process.stdout.read(1 << 16):
                *records, rest = (rest + block).split(separator)
                yield from records
            if rest:
                yield rest
            words = process.stderr.read().decode("utf-8", "replace").strip()
        if process.returncode != 0:
            raise GitError(f"git {os.fsdecode(args[0])} failed in {self.root}: {words}", status=process.returncode)

    def beginning(self, *args: str | bytes, most: int, seconds: float, ok: Sequence[int] = (0,)) -> bytes | None:
        """The whole output of a command if it is at most `most` bytes long and comes within `seconds`, else None: more
        than that is never held in memory. GitError for a status that is not in `ok`."""
        with subprocess.Popen(
            ["git", *_HARDENED, "-C", self.root, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment(args[0]),
        ) as process:  # fmt: skip
            assert process.stdout is not None
            late = threading.Timer(seconds, process.kill)
            late.start()
            try:
                out = process.stdout.read(most + 1)
                if len(out) > most:
                    process.kill()
                status = process.wait()
            finally:
                late.cancel()
        if len(out) > most or status == -signal.SIGKILL:
            return None
        if status not in ok:
            raise GitError(f"git {os.fsdecode(args[0])} failed in {self.root}", status=status)
        return out

    def open(self, *args: str | bytes) -> subprocess.Popen[bytes]:
        """A command that answers on standard output what it is asked on standard input (`cat-file --batch`). The caller
        ends it."""
        return subprocess.Popen(
            ["git", *_HARDENED, "-C", self.root, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment(args[0]),
        )  # fmt: skip

    def text(self, *args: str | bytes) -> str:
        """Standard output of a quick command as text, without the final newline."""
        return os.fsdecode(self.run(*args, timeout=QUICK_S)).rstrip("\n")

    def git_dir(self) -> Path:
        """The directory of this work tree's own HEAD and index."""
        return Path(self.text("rev-parse", "--absolute-git-dir"))

    def common_dir(self) -> Path:
        """The directory of refs and objects, which all work trees share."""
        return (self.root / self.text("rev-parse", "--git-common-dir")).resolve()

    def excludes_file(self) -> Path | None:
        """The file of the user's own ignore rules, as git finds it; it need not exist. Raises GitError."""
        status, out = self.result("config", "--get", "--type=path", "core.excludesFile", ok=(0, 1), timeout=QUICK_S)
        if status == 0:
            raw = out.rstrip(b"\n")
            return (self.root / os.fsdecode(raw)) if raw else None
        return config_home() / "git" / "ignore"

    def tracked(self) -> list[str]:
        """Every path in the index, as file-system strings."""
        return [os.fsdecode(p) for p in self.run("ls-files", "-z", "--cached").split(b"\0") if p]

    def head(self) -> str | None:
        """The commit of HEAD, None before the first commit."""
        return self._revision("HEAD", ok=(0, 1))

    def commit(self, name: str) -> str | None:
        """The id of the commit that a revision names (`HEAD`, a short id, `<id>^1`), None if there is none."""
        return self._revision(name, ok=(0, 1, 128))

    def _revision(self, name: str, ok: Sequence[int]) -> str | None:
        args = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        status, out = self.result(*args, ok=ok, timeout=QUICK_S)
        return out.decode("ascii", "replace").strip() if status == 0 else None


def _reason(stderr: bytes) -> str:
    """The line of `stderr` that says why: the first `fatal` or `error` line (advice may follow it), else the last."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")


def _same_repository(named: Git, found: Git) -> bool:
    """Whether a work tree belongs to the repository that claims it; core.worktree may name any directory."""
    try:
        return named.git_dir() == found.git_dir()
    except GitError:
        return False


def open_repository(path: Path) -> Git:
    """git at the root of the work tree that holds `path`.

    UsageError (2) if there is none or it is bare; Denied (6) if it belongs to another user."""
    try:
        found = path.expanduser().resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"{path} cannot be read: {getattr(error, 'strerror', error)}", "Name a git work tree."
        ) from error
    if not found.is_dir():
        raise UsageError(f"{path} is not a directory", "Name the root of a git work tree.")
    if not os.access(found, os.R_OK | os.X_OK):
        raise UsageError(f"{path} is not readable", "Check its permissions.")
    owner = found.stat().st_uid
    if owner != os.geteuid():
        raise Denied(
            f"{found} belongs to another user (uid {owner})",
            "Kairos only watches repositories that you own: their git configuration runs programs.",
        )
    git = Git(found, bounded=False)
    try:
        if git.text("rev-parse", "--is-bare-repository") == "true":
            raise UsageError(f"{found} is a bare repository", "Kairos watches work trees: name a checkout of it.")
        root = Path(git.text("rev-parse", "--show-toplevel"))
    except GitError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise
        if "dubious ownership" in error.message:
            raise Denied(error.message, "Kairos only watches repositories that you own.") from error
        raise UsageError(
            f"{found} is not inside a git work tree", "Run `git init` there, or name a repository."
        ) from error
    if not _same_repository(git, Git(root)):
        raise Denied(
            f"the configuration of {found} names another work tree, {root}",
            "Remove core.worktree from its configuration, or name that directory yourself.",
        )
    if root.stat().st_uid != os.geteuid():
        raise Denied(f"{root} belongs to another user", "Kairos only watches repositories that you own.")
    return Git(root)
