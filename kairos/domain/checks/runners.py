"""What Kairos adds to the command of a known runner: a report that a program can read, and a selection of cases. Pure.

A command that no runner is known for runs exactly as it was named, and always whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

REPORT = ".kairos-report.xml"
"""Where a runner is told to write its report, in the scratch tree."""
MOST_SELECTED = 100
_MOST_BYTES = 100_000
_PYTEST_VALUES = frozenset((
    "-k", "-m", "-n", "-c", "-p", "-o", "-W", "-r", "--maxfail", "--deselect", "--ignore", "--ignore-glob",
    "--rootdir", "--tb", "--confcutdir", "--basetemp", "--import-mode", "--junitxml", "--junit-xml", "--junit-prefix",
    "--durations", "--durations-min", "--color", "--capture", "--log-level", "--log-file", "--log-cli-level",
    "--override-ini", "--config-file", "--dist", "--numprocesses", "--timeout", "--timeout-method", "--cov",
    "--cov-report", "--cov-config", "--cov-fail-under", "--reruns", "--reruns-delay", "--ds", "--randomly-seed",
    "--hypothesis-profile", "--hypothesis-seed", "--asyncio-mode", "--maxprocesses", "--pythonwarnings", "--verbosity",
    "--show-capture", "--cache-show",
))  # fmt: skip
_CARGO_VALUES = frozenset((
    "-p", "-F", "-j", "-Z", "--package", "--exclude", "--features", "--test", "--bin", "--example", "--bench",
    "--target", "--target-dir", "--profile", "--color", "--manifest-path", "--message-format", "--jobs", "--config",
    "--lockfile-path",
))  # fmt: skip
_CARGO_TEST_VALUES = frozenset((
    "--test-threads", "--color", "--format", "--logfile", "--skip", "-Z", "--shuffle-seed",
))  # fmt: skip
_GO_VALUES = frozenset((
    "asmflags", "bench", "benchtime", "blockprofile", "blockprofilerate", "buildmode", "C", "compiler", "count",
    "covermode", "coverpkg", "coverprofile", "cpu", "cpuprofile", "exec", "fuzz", "fuzzminimizetime", "fuzztime",
    "gccgoflags", "gcflags", "installsuffix", "ldflags", "list", "memprofile", "memprofilerate", "mod", "modfile",
    "mutexprofile", "mutexprofilefraction", "o", "outputdir", "overlay", "p", "parallel", "pgo", "pkgdir", "run",
    "shuffle", "skip", "tags", "timeout", "toolexec", "trace", "vet",
))  # fmt: skip
_GO_SELECTORS = frozenset({"run", "skip", "bench", "fuzz", "list"})
_GO_TEST = re.compile(r"^(.+?)\.((?:Test|Example|Fuzz)[^./]*)((?:/.*)?)$")
_ODD = re.compile(r"[\s\\]")
_MISSING = re.compile(r"^ERROR: (?:not found|file or directory not found): (.+?)(?: \(no .*)?$", re.MULTILINE)


class Runner(NamedTuple):
    """A known runner. `at`: the place of its own name in the command; `select`: the command for some cases, None if
    it cannot select them."""

    name: str
    at: int
    reporting: Callable[[Sequence[str], int], list[str]]
    select: Callable[[Sequence[str], int, Sequence[str]], list[str] | None]


def runner_of(command: Sequence[str]) -> Runner | None:
    """The runner that a command calls, None if it is not known."""
    command = list(command)
    for at, word in enumerate(command[:8]):
        name = word.rsplit("/", 1)[-1]
        if name in ("pytest", "py.test"):
            return Runner("pytest", at, _pytest_reporting, _pytest_select)
        if name == "cargo" and command[at + 1 : at + 2] in (["test"], ["t"]):
            return Runner("cargo", at + 1, _unchanged, _cargo_select)
        if name == "go" and command[at + 1 : at + 2] == ["test"]:
            return Runner("go", at + 1, _go_reporting, _go_select)
        if name in ("sh", "bash", "make"):
            return None
    return None


def reporting(command: Sequence[str]) -> list[str]:
    """The command, with a report that a program can read if its runner is known."""
    runner = runner_of(command)
    return list(command) if runner is None else runner.reporting(command, runner.at)


def selecting(command: Sequence[str], cases: Sequence[str]) -> list[str] | None:
    """The command that runs only these cases, None if that cannot be said: the runner is not known, there are too many,
    or an id is not what the runner would know (it was cut or redacted)."""
    runner = runner_of(command)
    if runner is None or not cases or len(cases) > MOST_SELECTED:
        return None
    if sum(map(len, cases)) > _MOST_BYTES or any(c.startswith("-") for c in cases):
        return None
    made = runner.select(command, runner.at, cases)
    return None if made is None else reporting(made)


def not_found(cases: Sequence[str], output: str) -> list[str]:
    """The selected cases that pytest said do not exist: it then ran none."""
    missing = _MISSING.findall(output)

    def is_missing(name: str) -> bool:
        return any(m == name or m.endswith(f"/{name}") or m == name.split("::")[0] for m in missing)

    return [case for case in cases if is_missing(_pytest_name(case))]


class RepeatOutput(NamedTuple):
    """What one execution of a command printed. `suffix`: what was put behind the name of its result file."""

    stdout: bytes
    stderr: bytes
    exit: int | None
    suffix: str = ""

    @property
    def text(self) -> str:
        return (self.stdout + b"\n" + self.stderr).decode("utf-8", "replace")


_REPEAT = (
    'n=$1 m=$2 f=$3; shift 3; i=0; while [ $i -lt $n ]; do "$@"; c=$?; echo; echo "$m $c"; echo >&2; echo "$m $c" >&2; '
    '[ -f "$f" ] && mv "$f" "$f.$i"; i=$((i+1)); done; exit 0'
)


def repeating(command: Sequence[str], times: int, mark: str, results: str) -> list[str]:
    """A command that executes another so often, and prints `mark` (which nobody can guess) and its exit status after
    each."""
    return ["/bin/sh", "-c", _REPEAT, "kairos", str(times), mark, results, *command]


def parted(stdout: bytes, stderr: bytes, mark: str, exit: int | None, times: int) -> list[RepeatOutput]:
    """The outputs of the executions of a repeated command, in order; those that did not end have no exit status."""
    if times == 1:
        return [RepeatOutput(stdout, stderr, exit)]
    pattern = re.compile(rb"^" + mark.encode("ascii") + rb" (\d{1,3})\n", re.MULTILINE)
    outs, errs = pattern.split(stdout), pattern.split(stderr)
    found = []
    for i in range(times):
        ended = 2 * i + 1 < len(outs)
        found.append(
            RepeatOutput(
                outs[2 * i] if 2 * i < len(outs) else b"", errs[2 * i] if 2 * i < len(errs) else b"",
                int(outs[2 * i + 1]) if ended else None, f".{i}",
            )
        )  # fmt: skip
    return found


def _unchanged(command: Sequence[str], _: int) -> list[str]:
    return list(command)


def _pytest_reporting(command: Sequence[str], at: int) -> list[str]:
    if any(word.startswith(("--junitxml", "--junit-xml")) for word in command):
        return list(command)
    added = ["-o", "junit_family=xunit1", f"--junitxml={REPORT}"]
    if not any(word.startswith("--rootdir") for word in command):
        added.append("--rootdir=.")  # so that the ids are paths from the root
    return [*command[: at + 1], *added, *command[at + 1 :]]


def _pytest_select(command: Sequence[str], at: int, cases: Sequence[str]) -> list[str] | None:
    names = list(dict.fromkeys(map(_pytest_name, cases)))
    if not all(".py" in name for name in names) or any(map(_is_changed, names)):
        return None
    return [*command[: at + 1], *_options(command[at + 1 :], _PYTEST_VALUES), *names]


def _pytest_name(case: str) -> str:
    """What selects a case: its id, or the whole function if its parameters are not written as pytest knows them."""
    head, bracket, parameters = case.partition("[")
    return head if bracket and (_is_changed(bracket + parameters) or _ODD.search(parameters)) else case


def _is_changed(name: str) -> bool:
    """Whether a name was cut or redacted."""
    return "…" in name or "[redacted" in name


def _cargo_select(command: Sequence[str], at: int, cases: Sequence[str]) -> list[str] | None:
    words = list(command[at + 1 :])
    mine, theirs = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    if any(" " in c or _is_changed(c) for c in cases):  # a doctest, or the build
        return None
    kept = _options(mine, _CARGO_VALUES)
    return [*command[: at + 1], *kept, "--", *_options(theirs, _CARGO_TEST_VALUES), "--exact", *cases]


def _go_reporting(command: Sequence[str], at: int) -> list[str]:
    added = [word for word in ("-json", "-count=1") if not any(w.startswith(word[:6]) for w in command[at:])]
    return [*command[: at + 1], *added, *command[at + 1 :]]


def _go_select(command: Sequence[str], at: int, cases: Sequence[str]) -> list[str] | None:
    found = [_GO_TEST.match(c) for c in cases]
    names = sorted({f[2] for f in found if f is not None})
    packages = sorted({f[1] for f in found if f is not None})
    if not all(found) or any(map(_is_changed, cases)):
        return None
    words, own = list(command[at + 1 :]), []  # `own`: after -args, for the tests themselves
    if "-args" in words:
        words, own = words[: words.index("-args")], words[words.index("-args") :]
    options = _go_options(words)
    return [*command[: at + 1], *options, f"-run=^({'|'.join(names)})$", *packages, *own]


def _go_options(words: Sequence[str]) -> list[str]:
    """The options of `go test` with their values, without those that select tests."""
    kept: list[str] = []
    left = iter(words)
    for word in left:
        name, equals, _ = word.lstrip("-").partition("=")
        if not word.startswith("-"):
            continue
        value = [next(left, "")] if name in _GO_VALUES and not equals else []
        kept += [] if name in _GO_SELECTORS else [word, *value]
    return kept


def _options(words: Sequence[str], with_value: frozenset[str]) -> list[str]:
    """The options among the words of a command, without the names of what to run."""
    kept: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("-") or before in with_value:
            kept.append(word)
    return kept
