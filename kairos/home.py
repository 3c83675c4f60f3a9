"""The home: the folders and files of one Kairos, their names, and the check that only their owner can write them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kairos.durable import FULL, locked
from kairos.errors import TryAgain, UsageError
from kairos.privacy import Exposure, exposures, make_private, open_private, refuse

_LONGEST_LINE = 80


@dataclass(frozen=True)
class Home:
    """The folders of one Kairos. With `KAIROS_HOME` (or --home) everything is under one directory."""

    config: Path
    data: Path
    run: Path

    @property
    def config_file(self) -> Path:
        return self.config / "config.toml"

    @property
    def policy_file(self) -> Path:
        return self.config / "policy.toml"

    @property
    def log(self) -> Path:
        return self.data / "log" / "log.db"

    @property
    def log_url(self) -> str:
        """Where the log is if not in `log`: KAIROS_LOG, else the configured `log.url`; empty for SQLite."""
        return os.environ.get("KAIROS_LOG", "") or _configured_log(self.config_file)

    @property
    def segments(self) -> Path:
        return self.data / "log" / "segments"

    @property
    def verified_file(self) -> Path:
        """Up to which event the hash chain was verified (JSON, replaced atomically)."""
        return self.data / "log" / "verified.json"

    @property
    def undo(self) -> Path:
        """The undo store: a bare git repository that holds pre-images."""
        return self.data / "undo"

    @property
    def scratch(self) -> Path:
        return self.data / "scratch"

    @property
    def memory(self) -> Path:
        return self.data / "memory"

    @property
    def backtests(self) -> Path:
        """What the detectors of a backtest said, so that it can go on; disposable."""
        return self.data / "backtests"

    @property
    def daemon_lock(self) -> Path:
        return self.run / "daemon.lock"

    @property
    def exec_lock(self) -> Path:
        return self.run / "exec.lock"

    @property
    def dream_lock(self) -> Path:
        return self.run / "dream.lock"

    @property
    def status_file(self) -> Path:
        """The status that the running daemon reports (JSON, replaced atomically)."""
        return self.run / "status.json"

    @property
    def daemon_log(self) -> Path:
        """What happened to the daemon, a line each; see `kairos.daemon.daemon_log`."""
        return self.run / "daemon.log"

    @property
    def roots(self) -> tuple[Path, ...]:
        """Every directory of Kairos itself; these are never watched, even inside a watched tree."""
        return tuple(dict.fromkeys((self.config, self.data, self.run)))

    def salt(self) -> bytes:
        """32 random bytes of this home, created once. Keys of findings are hashed with them, so that a secret value
        cannot be guessed from the log alone. TryAgain if they can be neither read nor made."""
        file = self.data / "salt"
        try:
            if not file.exists():
                fresh = file.with_name(f"salt.{os.getpid()}")
                with os.fdopen(open_private(fresh, os.O_WRONLY | os.O_TRUNC), "wb") as made:
                    made.write(os.urandom(32))
                    made.flush()
                    os.fsync(made.fileno())
                with contextlib.suppress(FileExistsError):
                    os.link(fresh, file)  # if two processes create it, the first one wins
                fresh.unlink()
            return file.read_bytes()
        except OSError as error:
            raise TryAgain(
                f"{file} cannot be created: {error.strerror}", "Free some space, or check its owner."
            ) from error

    def identity(self) -> str:
        """The identifier of this home on a shared log. A copy of the home, or the same path on another machine, has a
        different one. It does not change once the folders of the home exist."""
        from hashlib import sha256

        place = f"{machine()}:{self.data}"
        with contextlib.suppress(FileNotFoundError):
            found = self.data.stat()
            place += f":{found.st_dev}:{found.st_ino}"
        return sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    def exposures(self) -> list[Exposure]:
        """The paths of this home that other users can write."""
        folders = (self.run, self.log.parent, self.segments, self.undo, self.scratch, self.memory)
        locks = (self.daemon_lock, self.exec_lock, self.dream_lock)
        files = (
            self.config_file,
            self.policy_file,
            self.log,
            self.data / "salt",
            self.status_file,
            self.verified_file,
            *locks,
        )
        return exposures(dict.fromkeys((self.config, self.data)), folders, files)

    def prepare(self) -> None:
        """Makes the folders, private to the user. TryAgain on a full disk, UsageError if they cannot be made."""
        for folder in (*self.roots, self.log.parent, self.scratch, self.memory):
            try:
                make_private(folder)
            except OSError as error:
                raise (TryAgain if error.errno in FULL else UsageError)(
                    f"{folder} cannot be created: {error.strerror}",
                    "Fix this, or choose another directory with --home.",
                ) from error

    @contextlib.contextmanager
    def configuring(self) -> Iterator[None]:
        """Makes the folders and holds the lock under which a file of the configuration is read, edited and replaced."""
        self.prepare()
        with locked(self.config, folder=True):
            yield


def machine() -> str:
    """An identifier of this machine that is stable across restarts. A hash, so that the machine id itself is not
    disclosed."""
    from hashlib import sha256

    try:
        name = Path("/etc/machine-id").read_text("ascii", "replace").strip()
    except OSError:
        name = ""
    return sha256(f"kairos:{name or os.uname().nodename}".encode()).hexdigest()[:12]


def find_home(override: str | None = None, *, guarded: bool = True) -> Home:
    """The home of this person: --home, else KAIROS_HOME, else the platform's folders. UsageError for an empty name: a
    script's unset variable must not select another home. Denied (6) while others can write there, if `guarded`."""
    home = _named_home(override)
    if guarded:
        refuse(home.exposures())
    return home


def _named_home(override: str | None) -> Home:
    chosen = override if override is not None else os.environ.get("KAIROS_HOME")
    if chosen is not None:
        root = _root(chosen)
        return Home(config=root, data=root, run=root / "run")
    import platformdirs

    data = Path(platformdirs.user_data_dir("kairos"))
    return Home(config=Path(platformdirs.user_config_dir("kairos")), data=data, run=data / "run")


def _root(text: str) -> Path:
    if not text.strip():
        raise UsageError("the name of the home is empty", "Unset KAIROS_HOME, or set it to a directory.")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"{text} is not a path: {error}", "Name another directory.") from error


def log_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment variables with which a child process opens the same log: KAIROS_LOG and what libpq reads
    (PGPASSFILE, PGSSLROOTCERT and the like)."""
    return {
        k: v for k, v in environ.items() if k in ("KAIROS_LOG", "POSTGRES_ENABLE_DB_FUNCTIONS") or k.startswith("PG")
    }


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of a person as data, empty if there is none. UsageError for one that cannot be read."""
    import tomllib

    text = ""
    try:
        text = path.read_text("utf-8")
        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a huge number, or nested too deeply
        raise UsageError(
            f"{path} is not valid TOML: {error}{_quoted(text, str(error))}", "Correct the file, or move it away."
        ) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Check its permissions.") from error


def _quoted(text: str, error: str) -> str:
    """The line of a text that an error of the parser names, for the person to find its key; empty if it names none."""
    _, found, rest = error.partition("(at line ")
    number = rest.partition(",")[0]
    lines = text.split("\n")
    if not found or not number.isdigit() or int(number) > len(lines):
        return ""
    line = lines[int(number) - 1].strip()
    return f": {line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + '…'}" if line else ""


def _configured_log(path: Path) -> str:
    """`log.url` of a configuration file. The file is parsed only if it contains `url`, which most do not."""
    try:
        if b"url" not in path.read_bytes():
            return ""
    except OSError:
        return ""  # reported by the code that needs the configuration
    table = read_toml(path).get("log")
    url = table.get("url", "") if isinstance(table, dict) else ""
    if not isinstance(url, str):
        raise UsageError(f"{path}: log.url is not a string", "It looks like postgresql://USER@HOST/DATABASE.")
    return url
