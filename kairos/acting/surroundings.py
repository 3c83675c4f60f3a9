"""The surroundings of a confined command: a constructed environment and the interpreters it may read."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_SYSTEM = tuple(Path(name) for name in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store", "/gnu/store"))
# Where version managers keep interpreters and downloaded sources: programs, no credentials. `.cargo` itself is
# not listed because it contains `credentials.toml`.
_TOOLCHAINS = (
    ".pyenv",
    ".rustup",
    ".cargo/bin",
    ".cargo/registry",
    ".cargo/git",
    ".nvm/versions",
    ".rbenv",
    ".asdf/installs",
    ".asdf/shims",
    ".local/share/mise/installs",
    ".local/share/uv/python",
    ".local/share/uv/tools",
    ".sdkman/candidates",
    "go/pkg/mod",
)
# Inherited if they name a path that is visible to the command.
_POINTERS = ("RUSTUP_HOME", "PYENV_ROOT", "JAVA_HOME", "GOROOT", "NVM_DIR")


def home_directory(environment: Mapping[str, str]) -> Path:
    """Where the empty home directory is mounted: at the user's own, or at /tmp if that would hide system files."""
    home = Path(os.path.realpath(environment.get("HOME") or "/tmp"))
    covers = home == Path("/") or any(home.is_relative_to(place) for place in (*_SYSTEM, Path("/proc"), Path("/dev")))
    return Path("/tmp") if covers else home


def interpreter_roots(environment: Mapping[str, str], home: Path) -> tuple[Path, ...]:
    """The toolchain directories of `home`, of the homes that PATH points into, and of the running interpreter."""
    homes = {home}
    for entry in environment.get("PATH", "").split(":"):
        for name in (".pyenv", ".rustup", ".cargo", ".nvm", ".rbenv", ".asdf"):
            before, found, _ = entry.partition(f"/{name}/")
            if found and before.startswith("/"):
                homes.add(Path(before))
    roots = [place / name for place in homes for name in _TOOLCHAINS]
    base = Path(sys.base_prefix)
    if not any(base.is_relative_to(place) for place in _SYSTEM):
        roots.append(base)
    # Leave out directories that this user may not read, such as another user's home on PATH.
    return tuple(sorted({root.resolve() for root in roots if os.access(root, os.R_OK | os.X_OK)}))


def environment_for(environment: Mapping[str, str], home: Path, visible: Iterable[Path]) -> dict[str, str]:
    """The whole environment of the command. No other variable is inherited: no token, no proxy, no hook."""
    seen = (*_SYSTEM, *visible)

    def shown(value: str) -> bool:
        place = Path(os.path.realpath(value))
        return value.startswith("/") and any(place.is_relative_to(root) for root in seen)

    search = [entry for entry in environment.get("PATH", "").split(":") if entry and shown(entry)]
    made = {
        "PATH": ":".join(dict.fromkeys((*search, *SYSTEM_PATH))),
        "HOME": str(home),
        "USER": "root" if os.geteuid() == 0 else "user",
        "LOGNAME": "root" if os.geteuid() == 0 else "user",
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "TMPDIR": "/tmp",
        # No caches and no refreshed index: files that a check leaves behind would count as its changes.
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    made.update({name: environment[name] for name in _POINTERS if shown(environment.get(name, ""))})
    if "TZ" in environment:
        made["TZ"] = environment["TZ"]
    return made


def search_path(environment: Mapping[str, str], roots: Iterable[str | Path]) -> str:
    """The PATH of a command that may read these directories besides the usual: what of one's own PATH lies there, and
    the system's."""
    home = home_directory(environment)
    visible = (*interpreter_roots(environment, home), *(Path(os.path.realpath(root)) for root in roots))
    return environment_for(environment, home, visible)["PATH"]
