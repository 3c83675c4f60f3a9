"""Reports in text: TAP, and what pytest and cargo print."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from kairos.domain.checks.report import MOST_CASES, CaseList, CaseState, Report, ReportRefused, case

_TAP = re.compile(r"^(not )?ok\b(?: +(\d{1,9}))?(?: +-)? *(.*)$")
_SUBTEST = re.compile(r"^[ \t]+not ok\b(?: +\d{1,9})?(?: +-)? *(.*)$")
_ERROR = re.compile(r"^[ \t]+(?:error|message): +(\S.*)$")
_DIRECTIVE = re.compile(r"(?<!\\)# *(skip\S*|todo)\b", re.IGNORECASE)
_PYTEST = re.compile(r"^(FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS) (\S.*)$")
_COUNTED = re.compile(r"^(\d{1,9}) ([a-z][a-z ]{0,30})$")
_TOOK = re.compile(r"^\d{1,9}(?:\.\d{1,9})?s(?: \(\d[\d:, days]{0,30}\))?$")
_CARGO = re.compile(r"^test (\S.*?) \.\.\. (ok|FAILED|ignored\b.*)$")
_CARGO_END = re.compile(r"^test result: (?:ok|FAILED)\. \d+ passed; \d+ failed;")
_PANIC = re.compile(r"^thread '([^']{1,300})'(?: \(\d+\))? panicked at")
_CARGO_ERROR = re.compile(r"^error(?:\[E\d{4}\])?: ")
_LINE = re.compile(r"[^\r\n]+")
_LONGEST_LINE, _MOST_COUNTS = 4_000, 20


def read_tap(text: str) -> Report:
    """The top level of a TAP stream. Subtests count by their parent's line, which says what the first of them that
    failed did. ReportRefused."""
    cases, said = CaseList(), _Diagnosed()
    plan, many = None, 0
    for line in _lines(text):
        if re.match(r"^1\.\.\d{1,9}(\s|$)", line):
            plan = int(line[3:].split()[0])
        found = _TAP.match(line)
        if found is None:
            said.hear(line)
            continue
        many += 1
        bad, number, rest = found.groups()
        directive = _DIRECTIVE.search(rest)
        name = rest[: directive.start()].strip() if directive else rest.strip()
        state: CaseState = "skipped" if directive and (bad or "skip" in directive[1].lower()) else "passed"
        said.next(cases, name or f"#{number or many}", "failed" if bad and not directive else state)
    said.end(cases)
    if not many or not ("TAP version" in text or plan is not None):
        raise ReportRefused("it is no TAP stream")
    if plan is not None and many < plan:
        cases.add(case("the plan", "failed", message=f"{many} of {plan} tests ran", wide=True))
    return cases.report("tap")


class _Diagnosed:
    """The case whose diagnostics may still come: they follow its line, and those of its subtests stand before it."""

    def __init__(self) -> None:
        self._open: tuple[str, CaseState] | None = None
        self._said = self._inner = self._why = ""
        self._below = False

    def hear(self, line: str) -> None:
        """A line below the top level."""
        if self._below:
            self._take(line.strip())
            self._below = False
        elif found := _SUBTEST.match(line):
            self._inner = self._inner or found[1].strip()
        elif found := _ERROR.match(line):
            value = found[1].strip()
            self._below = value in ("|", "|-", ">", ">-")
            if not self._below:
                self._take(value.strip("'\""))

    def _take(self, value: str) -> None:
        if self._inner:
            self._why = self._why or value
        else:
            self._said = self._said or value

    def next(self, cases: CaseList, name: str, state: CaseState) -> None:
        """A case of the top level begins."""
        self.end(cases)
        self._open = name, state
        self._said = ": ".join(filter(None, (self._inner, self._why)))
        self._inner = self._why = ""

    def end(self, cases: CaseList) -> None:
        """Adds the case that is open."""
        if self._open is not None:
            name, state = self._open
            cases.add(case(name, state, message=self._said if state == "failed" else ""))
        self._open = None


def read_pytest(text: str) -> Report:
    """The short test summary of pytest. Passed tests without a line of their own are counted, not named.
    ReportRefused."""
    cases = CaseList()
    passed = None
    for line in _lines(text):
        if (found := _PYTEST.match(line)) is not None:
            word, rest = found.groups()
            name, _, message = rest.partition(" - ")
            if word == "SKIPPED":
                continue
            state: CaseState = "failed" if word in ("FAILED", "ERROR") else "passed"
            cases.add(case(name, state, 0.0, message, wide="::" not in name))
        elif (counts := _counts(line)) is not None:
            passed = counts.get("passed", 0)
    if passed is None:
        raise ReportRefused("it is no output of pytest")
    return cases.report("pytest", passed=passed)


def _counts(line: str) -> dict[str, int] | None:
    """What the last line of pytest counts, such as `== 1 failed, 2 passed in 0.12s ==`; None for any other line."""
    said, told, took = line.strip("= ").rpartition(" in ")
    if not told or _TOOK.match(took) is None:
        return None
    if said == "no tests ran":
        return {}
    found = [_COUNTED.match(part) for part in said.split(", ", _MOST_COUNTS)]
    return {f[2]: int(f[1]) for f in found if f is not None} if all(found) else None


def read_cargo(text: str) -> Report:
    """What `cargo test` prints. A build that fails is one case. ReportRefused."""
    cases = CaseList()
    why: dict[str, str] = {}
    ended, waiting, broken = False, "", ""
    for line in _lines(text):
        if waiting and line.strip():
            if len(why) < MOST_CASES:
                why.setdefault(waiting, line)
            waiting = ""
        if (found := _CARGO.match(line)) is not None:
            name, word = found.groups()
            cases.add(case(name, "passed" if word == "ok" else "failed" if word == "FAILED" else "skipped"))
        elif (panic := _PANIC.match(line)) is not None:
            waiting = panic[1]
        elif _CARGO_END.match(line):
            ended = True
        elif not broken and _CARGO_ERROR.match(line) and "test failed, to rerun" not in line:
            broken = line
    if not ended and broken:
        cases.add(case("cargo build", "failed", message=broken, wide=True))
        return cases.report("cargo")
    if not ended:
        raise ReportRefused("it is no output of cargo test")
    read = cases.report("cargo")
    told = [
        case(c.id, c.state, message=why.get(c.id.split(" - ")[0], "")) if c.state == "failed" else c
        for c in read.cases
    ]  # fmt: skip
    return msgspec.structs.replace(read, cases=told)


def _lines(text: str) -> Iterator[str]:
    """The lines of a text that are not empty, one at a time, each cut at _LONGEST_LINE characters."""
    return (found[0][:_LONGEST_LINE] for found in _LINE.finditer(text))
