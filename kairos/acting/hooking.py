"""Installs the guard's pre-commit hook in a repository, and takes it out again: only on a person's explicit command.

Two ways, by where git looks for hooks:

```
.git/hooks (the usual place)            a folder that core.hooksPath names (husky, .githooks, a global one)
  pre-commit            the guard         .git/kairos-guard/hooks/*   stand in for every hook of that folder
  kairos-kept/pre-commit  what was there  .git/config: core.hooksPath names them; the folder is left as it is
```

Nothing is overwritten. `remove` restores the hook that was there (the same file) and the bytes of the configuration.
Work trees of one repository share both.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec

from kairos.acting.hook_scripts import GUARDED, KEPT, MARK, NAMES, OFTEN, beside, standing_in
from kairos.durable import replace_file, sync_folder
from kairos.errors import Conflict
from kairos.repo.git import Git

PROGRAM = Path(__file__).parent.parent / "_bin" / "kairos-guard"
LARGEST = 1 << 20
"""Bytes of a file that is compared with a script of the guard: no hook of it is so large."""


class HookState(NamedTuple):
    """`installed`: the guard's hook is there. `active`: git runs it, and its program exists. `hook`: its path.
    `chained`: the hook or folder of hooks that runs after it. `trouble`: why it is not active."""

    installed: bool
    active: bool
    hook: Path
    chained: Path | None
    trouble: str


class _Kept(msgspec.Struct, frozen=True):
    """What `remove` restores: the scope and value of core.hooksPath, the configuration file before and after."""

    scope: str
    previous: str | None
    folder: str
    config: str
    before: bytes
    after: str


def state(git: Git) -> HookState:
    """Whether the guard is installed, and whether git runs it."""
    common = git.common_dir()
    kept = _kept(common)
    if kept is not None:
        hook = _stand_ins(common) / GUARDED[0]
        used = _hooks_path(git)[1] == str(_stand_ins(common))
        trouble = "" if used else "core.hooksPath was changed since: git does not run it"
        return _state(hook, Path(kept.folder), trouble)
    hook = common / "hooks" / GUARDED[0]
    chained = common / "hooks" / KEPT / GUARDED[0]
    before = chained if os.path.lexists(chained) else None
    if not _is_ours(hook):
        moved = _moved(common / "hooks")
        trouble = f"another tool replaced {hook} since" if moved or before is not None else ""
        return HookState(moved is not None, False, moved or hook, before, trouble)
    return _state(hook, before, "" if _folder(git) is None else "core.hooksPath names another folder since")


def install(git: Git) -> HookState:
    """Installs the hook. Conflict (5) if something is in its way. Installing twice changes nothing, except the path of
    a program that moved."""
    common = git.common_dir()
    folder = _folder(git)
    if _kept(common) is not None:
        if not state(git).active:
            remove(git)
            return install(git)
    elif folder is not None:
        _stand_in(git, common, folder)
    else:
        _put_beside(common / "hooks")
    return state(git)


def remove(git: Git) -> bool:
    """Takes the hook out and restores what was there. Returns whether there was one."""
    common = git.common_dir()
    kept = _kept(common)
    if kept is not None:
        _restore_config(git, common, kept)
        shutil.rmtree(_folder_of(common))
        return True
    hooks = common / "hooks"
    removed = False
    for name in GUARDED:
        hook = hooks / name if _is_ours(hooks / name) else hooks / f"{name}.legacy"
        if _is_ours(hook):
            _put_back(hooks, name, hook)
            removed = True
    if (hooks / KEPT).is_dir() and not any(not e.is_symlink() for e in (hooks / KEPT).iterdir()):
        shutil.rmtree(hooks / KEPT)
    if removed:
        sync_folder(hooks)
    return removed


# -- beside: in the repository's own folder of hooks ---------------------------------------------------


def _put_beside(hooks: Path) -> None:
    hooks.mkdir(exist_ok=True)
    script = beside(PROGRAM)
    for name in GUARDED:
        hook = hooks / name
        if _is_ours(hook):
            if hook.read_bytes() != script:
                _write(hook, script)
            continue
        if os.path.lexists(hook):
            _keep(hooks, hook)
        _write(hook, script)
    sync_folder(hooks)


def _keep(hooks: Path, hook: Path) -> None:
    """Keeps the hook under its own name in a folder where its neighbours are as well: a hook may read its own name,
    and files beside it."""
    kept = hooks / KEPT
    kept.mkdir(exist_ok=True)
    for name in {*(e.name for e in hooks.iterdir()), *(f"{n}.legacy" for n in GUARDED)} - {KEPT, *GUARDED}:
        if not name.endswith(".sample") and not os.path.lexists(kept / name):
            (kept / name).symlink_to(f"../{name}")
    target = kept / hook.name
    if os.path.lexists(target):
        raise Conflict(f"{target} is in the way", "It is a hook kept by an earlier install: move it away.")
    if hook.is_symlink():
        link = os.readlink(hook)  # noqa: PTH115 - the text of the link, as it is
        target.symlink_to(link if link.startswith("/") else f"../{link}")
    else:
        os.link(hook, target, follow_symlinks=False)


def _put_back(hooks: Path, name: str, hook: Path) -> None:
    kept = hooks / KEPT / name
    if not os.path.lexists(kept):
        hook.unlink()
        return
    if kept.is_symlink():
        link = os.readlink(kept)  # noqa: PTH115
        fresh = hooks / f".{name}.kairos-new"
        fresh.symlink_to(link.removeprefix("../") if not link.startswith("/") else link)
        fresh.replace(hook)
        kept.unlink()
    else:
        kept.replace(hook)


def _moved(hooks: Path) -> Path | None:
    """The guard's hook under the name that another tool gives to the hook it found."""
    legacy = hooks / f"{GUARDED[0]}.legacy"
    return legacy if _is_ours(legacy) else None


# -- standing in: for a folder that core.hooksPath names -----------------------------------------------


def _stand_in(git: Git, common: Path, folder: str) -> None:
    scope, value = _hooks_path(git)
    if scope == "command":
        raise Conflict("core.hooksPath is set by the environment", "Unset GIT_CONFIG_PARAMETERS and GIT_CONFIG_COUNT.")
    written = "worktree" if scope == "worktree" else "local"
    file = _config_file(git, written)
    ours = _stand_ins(common)
    ours.mkdir(parents=True, exist_ok=True)
    there = Path(folder) if Path(folder).is_absolute() else git.root / folder
    for name in (*NAMES, *(n for n in OFTEN if os.path.lexists(there / n))):
        _write(ours / name, standing_in(name, folder, PROGRAM))
    before = file.read_bytes() if file.exists() else b""
    kept = _Kept(written, value if scope == written else None, folder, str(file), before, "")
    replace_file(_kept_file(common), msgspec.json.encode(kept))
    git.run("config", f"--{written}", "core.hooksPath", str(ours))
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    replace_file(_kept_file(common), msgspec.json.encode(msgspec.structs.replace(kept, after=after)))


def _restore_config(git: Git, common: Path, kept: _Kept) -> None:
    """The bytes of the configuration as they were; where it was edited since, only the one value."""
    file = Path(kept.config)
    if kept.after and hashlib.sha256(file.read_bytes()).hexdigest() == kept.after:
        _replace_config(file, kept.before)
        return
    status, out = git.result("config", f"--{kept.scope}", "-z", "--get", "core.hooksPath", ok=(0, 1))
    if status != 0 or os.fsdecode(out).rstrip("\0") != str(_stand_ins(common)):
        return
    if kept.previous is None:
        git.run("config", f"--{kept.scope}", "--unset", "core.hooksPath")
    else:
        git.run("config", f"--{kept.scope}", "core.hooksPath", kept.previous)


def _replace_config(file: Path, content: bytes) -> None:
    """Replaces the configuration as git does: through its lock file, with its mode."""
    lock = file.with_name(f"{file.name}.lock")
    handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fchmod(out.fileno(), file.stat().st_mode & 0o7777)
            os.fsync(out.fileno())
        lock.replace(file)
    except BaseException:
        lock.unlink(missing_ok=True)
        raise


# -- where things are ----------------------------------------------------------------------------------


def _hooks_path(git: Git) -> tuple[str, str | None]:
    """The scope and the value of core.hooksPath in force, without what Kairos itself passes to git."""
    _, out = git.result("config", "-z", "--show-scope", "--path", "--get-all", "core.hooksPath", ok=(0, 1))
    fields = [os.fsdecode(f) for f in out.split(b"\0")[:-1]]
    pairs = [(s, v) for s, v in zip(fields[::2], fields[1::2], strict=True) if s != "command"]
    return pairs[-1] if pairs else ("", None)


def _folder(git: Git) -> str | None:
    """The folder of hooks that core.hooksPath names, None for the repository's own."""
    value = _hooks_path(git)[1]
    if value is None:
        return None
    own = git.common_dir() / "hooks"
    return None if (git.root / value).resolve() == own.resolve() else value


def _config_file(git: Git, scope: str) -> Path:
    if scope == "worktree":
        return git.git_dir() / "config.worktree"
    return git.common_dir() / "config"


def _folder_of(common: Path) -> Path:
    return common / "kairos-guard"


def _stand_ins(common: Path) -> Path:
    return _folder_of(common) / "hooks"


def _kept_file(common: Path) -> Path:
    return _folder_of(common) / "kept.json"


def _kept(common: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(_kept_file(common).read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise Conflict(
            f"{_kept_file(common)} is not readable: {error}",
            "Set core.hooksPath back by hand, and remove the folder.",
        ) from error


def _state(hook: Path, chained: Path | None, trouble: str) -> HookState:
    if not trouble and not _is_ours(hook):
        trouble = f"{hook} is not the guard's"
    if not trouble and not os.access(PROGRAM, os.X_OK):
        trouble = f"{PROGRAM} is missing"
    if not trouble and str(PROGRAM).encode("utf-8", "surrogateescape") not in hook.read_bytes():
        trouble = "it runs the program of another installation"
    return HookState(True, not trouble, hook, chained, trouble)


def _is_ours(hook: Path) -> bool:
    try:
        return not hook.is_symlink() and hook.stat().st_size < LARGEST and MARK in hook.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False


def _write(hook: Path, script: bytes) -> None:
    """Writes a script that can be run, in one step."""
    fresh = hook.with_name(f".{hook.name}.kairos-new")
    fresh.write_bytes(script)
    fresh.chmod(0o755)
    fresh.replace(hook)
