"""Checks for what keeps Kairos from working: one function per cause, each returning its result."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kairos._version import VERSION
from kairos.daemon.presence import RepoStatus, read_status, running
from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.records.system import CheckOut
from kairos.desk.units import count, number, size
from kairos.errors import KairosError, TryAgain, UsageError
from kairos.eventlog.views.repositories import Repository
from kairos.privacy import mending, tighten
from kairos.settings import check_config, load_config

LOW_SPACE = 512 << 20
STALE_LOCK_S = 3_600
CONFINING = ("T2", "T3")
"""The tiers at which commands may run."""

NOTHING_YET = "nothing was recorded yet"

_INOTIFY = Path("/proc/sys/fs/inotify")


def _ok(name: str, what: str) -> CheckOut:
    return CheckOut(name=name, state="ok", what=what, hint="", fixed=False)


def _bad(name: str, what: str, hint: str, *, state: str = "problem", fixed: bool = False) -> CheckOut:
    return CheckOut(name=name, state=state, what=what, hint=hint, fixed=fixed)


def git(desk: Desk, fix: bool) -> CheckOut:
    """git is installed and runs."""
    from kairos.repo.git import Git

    if shutil.which("git") is None:
        return _bad("git", "git is not on PATH", "Install git: Kairos reads repositories through it.")
    return _ok("git", Git(Path("/")).text("version"))


def configuration(desk: Desk, fix: bool) -> CheckOut:
    """config.toml and policy.toml are readable and valid; every error is named."""
    from kairos.acting.policy_file import load_policy

    wrong: list[UsageError] = []
    for read in (lambda: check_config(desk.home), lambda: load_policy(desk.home.policy_file)):
        try:
            read()
        except UsageError as error:
            wrong.append(error)
    if wrong:
        return _bad("configuration", "; ".join(" · ".join(e.message.split("\n  ")) for e in wrong), wrong[0].hint)
    return _ok("configuration", str(desk.home.config_file))


def model_key(desk: Desk, fix: bool) -> CheckOut:
    """The model's key is set in the environment of this process and of the running daemon."""
    try:
        model = load_config(desk.home).model
    except UsageError:
        return _ok("model", "not checked: the configuration cannot be read")
    if not model.name:
        return _ok("model", "none is configured: everything but model turns works")
    if not model.key_env:
        return _model_turns(desk, f"{model.name}, without a key")
    hint = f"Set {model.key_env} where the daemon is started (for a service: systemctl --user set-environment)."
    pid = running(desk.home)
    if pid:
        try:
            names = {pair.split(b"=")[0] for pair in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")}
        except OSError as error:
            return _bad("model", f"the daemon's environment cannot be read: {error.strerror}", hint, state="warning")
        if model.key_env.encode() not in names:
            return _bad("model", f"{model.key_env} is not in the environment of the running daemon", hint)
    elif not os.environ.get(model.key_env):
        return _bad("model", f"{model.key_env} is not set here", hint)
    return _model_turns(desk, f"{model.name}, key in {model.key_env}")


def _model_turns(desk: Desk, what: str) -> CheckOut:
    """The result for a model that is configured well: how its last turns went."""
    from kairos.desk.model_state import model_state

    model = model_state(desk)
    if model is None or model.state == "ready":
        return _ok("model", what)
    state = "problem" if model.state == "key_refused" else "warning"
    return _bad("model", f"{what}; {model.why}", model.remedy, state=state)


def detectors(desk: Desk, fix: bool) -> CheckOut:
    """Your own detectors work: what failed at its last look is named."""
    from kairos.desk.detecting import said_of

    failing = said_of(desk).failing
    if not failing:
        return _ok("detectors", f"{count(len(said_of(desk).own), 'detector')} of your own, none fails")
    said = "; ".join(f"{name}: {failure.why}" for name, failure in sorted(failing.items()))
    return _bad("detectors", said, "Correct it, or `kairos detectors rm NAME`.", state="warning")


def log(desk: Desk, fix: bool) -> CheckOut:
    """The log opens (a shared one: its server answers) and its hash chain holds."""
    if not desk.has_log:
        return _ok("log", f"nothing was recorded yet in {desk.log.name}" if desk.log.shared else NOTHING_YET)
    from kairos.desk.verifying import rechecked

    return rechecked(desk)


def locks(desk: Desk, fix: bool, only: Repository | None = None) -> CheckOut:
    """No git lock was left behind by a crash in a watched repository, and Kairos's own lock is held or harmless."""
    from kairos.repo.git import Git, GitError

    now = time.time()
    for repository in _looked_at(desk, only):
        root = Path(repository.root)
        try:
            lock = Git(root).git_dir() / "index.lock"
        except GitError:
            continue  # reported by the check `watched`
        if lock.exists() and now - lock.stat().st_mtime > STALE_LOCK_S:
            hours = round((now - lock.stat().st_mtime) / 3_600)
            return _bad(
                "locks", f"{lock} is {hours} h old: a git process died and left it",
                "If no git runs there, remove it; Kairos never touches .git.",
            )  # fmt: skip
    if running(desk.home) is None and desk.home.status_file.exists():
        if fix:
            desk.home.status_file.unlink()
        return _bad("locks", "a daemon ended without cleaning up", "This is harmless; --fix removes its status file.",
                    state="warning", fixed=fix)  # fmt: skip
    return _ok("locks", "no stale locks")


def inotify(desk: Desk, fix: bool) -> CheckOut:
    """The kernel's limits of inotify watches and instances are not exhausted."""
    if not _INOTIFY.is_dir():
        return _ok("inotify", "not used on this system")
    most_watches = int((_INOTIFY / "max_user_watches").read_text())
    most_instances = int((_INOTIFY / "max_user_instances").read_text())
    instances, watches = inotify_use()
    said = read_status(desk.home)
    polled = sum(repo.polled for repo in said.repos) if said is not None else 0
    text = f"{number(watches)} of {number(most_watches)} watches, {instances} of {most_instances} instances"
    hint = "Raise fs.inotify.max_user_watches and max_user_instances with sysctl; until then Kairos polls."
    if polled:
        return _bad(
            "inotify",
            f"{count(polled, 'directory is', 'directories are')} polled: no watches are left ({text})",
            hint,
        )
    if watches > 0.9 * most_watches or instances >= most_instances - 2:
        return _bad("inotify", f"nearly exhausted: {text}", hint, state="warning")
    return _ok("inotify", text)


def inotify_use() -> tuple[int, int]:
    """(instances, watches) that this user's processes hold, as far as /proc shows them."""
    instances = watches = 0
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if process.stat().st_uid != os.getuid():
                continue
            for handle in (process / "fd").iterdir():
                if handle.readlink().name == "anon_inode:inotify":
                    instances += 1
                    watches += (process / "fdinfo" / handle.name).read_text().count("inotify wd:")
        except OSError:
            continue  # the process ended, or may not be read
    return instances, watches


def sandbox(desk: Desk, fix: bool) -> CheckOut:
    """Commands can be confined here."""
    from kairos.acting.confine import tier

    desk.home.prepare()
    found = tier(desk.home.scratch)
    if found.name not in CONFINING:
        return _bad(
            "sandbox", f"tier {found.name}; missing: {', '.join(found.missing)}. {found.why}".strip(),
            "Commands are refused here; detectors, patches and undo work without them.", state="warning",
        )  # fmt: skip
    return _ok("sandbox", f"tier {found.name}: {', '.join(found.layers)}")


def daemon(desk: Desk, fix: bool) -> CheckOut:
    """The daemon runs, or nothing is watched that it is needed for."""
    file, pid = desk.home.daemon_log, running(desk.home)
    logged = f"its log: {file}" if file.exists() else f"its log will be {file}"
    if pid is not None:
        return _ok("daemon", f"runs (pid {pid}); {logged}")
    if not repositories(desk).watched():
        return _ok("daemon", f"none runs, and nothing is watched yet; {logged}")
    return _bad("daemon", f"none runs; {logged}", "Start it: kairos start.", state="warning")


def version(desk: Desk, fix: bool) -> CheckOut:
    """The running daemon has the same version as this program."""
    said = read_status(desk.home)
    if said is None:
        return _ok("version", f"{VERSION}; no daemon runs")
    if said.program != VERSION:
        return _bad(
            "version", f"the daemon is {said.program}, this command {VERSION}", "Run `kairos stop` and `kairos start`."
        )
    return _ok("version", f"{VERSION}, as the daemon (pid {said.pid})")


def native(desk: Desk, fix: bool) -> CheckOut:
    """The native part is of the same build as the Python: it has everything that its interface file declares."""
    from kairos.desk.native_part import declared, missing

    lacks = missing()
    if lacks:
        return _bad(
            "native", f"the native part is older than the Python: it lacks {', '.join(lacks[:3])}",
            "Build it again (`make setup`), or install Kairos again.",
        )  # fmt: skip
    return _ok("native", f"{count(len(declared()), 'name')}, as declared")


def space(desk: Desk, fix: bool) -> CheckOut:
    """There is enough disk space for the log."""
    place = desk.home.data
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{size(free)} free where {desk.home.data} lives"
    if free < LOW_SPACE:
        return _bad(
            "space", text, "Free some space: on a full disk nothing is recorded (what was recorded stays intact)."
        )
    if not os.access(place, os.W_OK, effective_ids=True):
        return _bad("space", f"{place} cannot be written", "Check its permissions, or use --home DIR.")
    return _ok("space", text)


def _looked_at(desk: Desk, only: Repository | None) -> list[Repository]:
    return [r for r in repositories(desk).watched() if only is None or r.id == only.id]


def watched(desk: Desk, fix: bool, only: Repository | None = None) -> CheckOut:
    """Every watched repository, or the one asked about, is at the place where it was trusted, and can be read."""
    known = _looked_at(desk, only)
    if only is not None and not known:
        return _bad("repositories", f"{only.root} is not watched", f"`kairos init {only.root}` watches it again.")
    said = read_status(desk.home)
    told = {repo.path: repo for repo in said.repos} if said is not None else {}
    found = list(filter(None, (_trouble(repository, told.get(repository.root)) for repository in known)))
    if found:
        hints = " ".join(dict.fromkeys(filter(None, (error.hint for error in found))))
        return _bad("repositories", "; ".join(error.message for error in found), hints)
    return _ok("repositories", f"{len(known)} watched, all in place")


def _trouble(repository: Repository, told: RepoStatus | None) -> KairosError | None:
    """What is wrong with a repository, as found now or as the daemon reports."""
    from kairos.repo.git import Git, GitError
    from kairos.repo.health import advised, require_sound, require_usable
    from kairos.sensing.root import lost, why_lost

    why = why_lost(repository)
    if why is not None:
        return lost(why, repository.root)
    root = Path(repository.root)
    try:
        require_sound(root)
        require_usable(Git(root))
    except GitError as error:
        return advised(error, root)
    if told is not None and told.state == "degraded" and told.why and not told.polled:
        return KairosError(told.why)
    return None


def watched_logs(desk: Desk, fix: bool, only: Repository | None = None) -> CheckOut:
    """Every log that is watched can be read."""
    from kairos.desk.log_watches import listed

    found = listed(desk, only)
    bad = [f"{w.name} of {w.repo}: {w.why}" for w in found if w.why]
    if bad:
        hint = "`kairos watch-log add` with the same --name changes what is watched, `rm NAME` ends it."
        return _bad("watched logs", "; ".join(bad), hint, state="warning")
    return _ok("watched logs", f"{len(found)}, none in trouble" if found else "none")


def home(desk: Desk, fix: bool) -> CheckOut:
    """No other user can write to the home."""
    found = desk.home.exposures()
    if not found:
        return _ok("home", f"{desk.home.data}, writable by you alone")
    left = tighten(found) if fix else found
    return _bad("home", f"{found[0].path} {found[0].why}", "" if not left else mending(left), fixed=not left)


CHECKS: tuple[tuple[str, Callable[[Desk, bool], CheckOut]], ...] = (
    ("home", home),
    ("git", git),
    ("configuration", configuration),
    ("space", space),
    ("log", log),
    ("locks", locks),
    ("repositories", watched),
    ("watched logs", watched_logs),
    ("inotify", inotify),
    ("sandbox", sandbox),
    ("model", model_key),
    ("detectors", detectors),
    ("daemon", daemon),
    ("version", version),
    ("native", native),
)


def examine(desk: Desk, *, fix: bool, only: Repository | None = None) -> tuple[list[CheckOut], set[str]]:
    """(every check, the names of those that failed for a temporary reason: the server of the log is unreachable, the
    disk is full). `only`: of the watched repositories only this one is looked at. A check that raises is reported as a
    failed check."""
    found: list[CheckOut] = []
    passing: set[str] = set()
    for name, every in CHECKS:
        check = partial(every, only=only) if every in (locks, watched, watched_logs) else every
        try:
            found.append(_made(desk, check, fix))
        except TryAgain as error:
            found.append(_bad(name, error.message, error.hint))
            passing.add(name)
        except KairosError as error:
            found.append(_bad(name, error.message, error.hint))
        except OSError as error:
            found.append(_bad(name, str(error), "Check the permissions there."))
        if name == "home" and found[-1].state == "problem" and not found[-1].fixed:
            break  # files that another user may have put there are not even read
    return found, passing


def _made(desk: Desk, check: Callable[[Desk, bool], CheckOut], fix: bool) -> CheckOut:
    """Runs one check. Exceptions of the log's database are converted to errors that a person can act on, unless the log
    cannot be opened."""
    try:
        errors = desk.log.errors()
    except KairosError:
        return check(desk, fix)
    with errors:
        return check(desk, fix)
