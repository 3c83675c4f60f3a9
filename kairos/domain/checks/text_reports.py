"""Reports in text: TAP, and what pytest and cargo print."""

from __future__ import annotations

import re

from kairos.domain.checks.report import CaseState, CheckCase, Report, ReportRefused, case, report

_TAP = re.compile(r"^(not )?ok\b(?: +(\d{1,9}))?(?: +-)? *(.*)$")
_DIRECTIVE = re.compile(r"(?<!\\)# *(skip\S*|todo)\b", re.IGNORECASE)
_PYTEST = re.compile(r"^(FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS) (\S.*)$")
_SUMMARY = re.compile(r"^=* ?.*\b(\d{1,9}) (?:passed|failed|error|skipped)\b.* in [\d.]+ ?s")
_COUNT = re.compile(r"\b(\d{1,9}) passed\b")
_CARGO = re.compile(r"^test (\S.*?) \.\.\. (ok|FAILED|ignored\b.*)$")
_CARGO_END = re.compile(r"^test result: (?:ok|FAILED)\. \d+ passed; \d+ failed;")
_PANIC = re.compile(r"^thread '([^']{1,300})'(?: \(\d+\))? panicked at")
_CARGO_ERROR = re.compile(r"^error(?:\[E\d{4}\])?: ")
_LONGEST_LINE = 4_000


def read_tap(text: str) -> Report:
    """The top level of a TAP stream. Subtests count by their parent's line. ReportRefused."""
    cases: list[CheckCase] = []
    plan = None
    for line in _lines(text):
        if re.match(r"^1\.\.\d{1,9}(\s|$)", line):
            plan = int(line[3:].split()[0])
        found = _TAP.match(line)
        if found is None:
            continue
        bad, number, rest = found.groups()
        directive = _DIRECTIVE.search(rest)
        name = rest[: directive.start()].strip() if directive else rest.strip()
        state: CaseState = "skipped" if directive and (bad or "skip" in directive[1].lower()) else "passed"
        cases.append(case(name or f"#{number or len(cases) + 1}", "failed" if bad and not directive else state))
    if not cases or not ("TAP version" in text or plan is not None):
        raise ReportRefused("it is no TAP stream")
    if plan is not None and len(cases) < plan:
        cases.append(case("the plan", "failed", message=f"{len(cases)} of {plan} tests ran", wide=True))
    return report("tap", cases)


def read_pytest(text: str) -> Report:
    """The short test summary of pytest. Passed tests without a line of their own are counted, not named.
    ReportRefused."""
    cases: list[CheckCase] = []
    passed = None
    for line in _lines(text):
        if (found := _PYTEST.match(line)) is not None:
            word, rest = found.groups()
            name, _, message = rest.partition(" - ")
            if word == "SKIPPED":
                continue
            state: CaseState = "failed" if word in ("FAILED", "ERROR") else "passed"
            cases.append(case(name, state, 0.0, message, wide="::" not in name))
        elif _SUMMARY.match(line):
            counted = _COUNT.search(line)
            passed = int(counted[1]) if counted else 0
    if passed is None:
        raise ReportRefused("it is no output of pytest")
    return report("pytest", cases)


def read_cargo(text: str) -> Report:
    """What `cargo test` prints. A build that fails is one case. ReportRefused."""
    cases: list[CheckCase] = []
    why: dict[str, str] = {}
    ended, waiting, broken = False, "", ""
    for line in _lines(text):
        if waiting and line.strip():
            why.setdefault(waiting, line)
            waiting = ""
        if (found := _CARGO.match(line)) is not None:
            name, word = found.groups()
            cases.append(case(name, "passed" if word == "ok" else "failed" if word == "FAILED" else "skipped"))
        elif (panic := _PANIC.match(line)) is not None:
            waiting = panic[1]
        elif _CARGO_END.match(line):
            ended = True
        elif not broken and _CARGO_ERROR.match(line) and "test failed, to rerun" not in line:
            broken = line
    if not ended and broken:
        return report("cargo", [*cases, case("cargo build", "failed", message=broken, wide=True)])
    if not ended:
        raise ReportRefused("it is no output of cargo test")
    told = [case(c.id, c.state, message=why.get(c.id.split(" - ")[0], "")) if c.state == "failed" else c for c in cases]
    return report("cargo", told)


def _lines(text: str) -> list[str]:
    return [line[:_LONGEST_LINE] for line in text.splitlines()]
