"""Which report a run left: the first format that fits its result file or its output, else its exit status alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from kairos.domain.checks.json_reports import read_eslint, read_go, read_ruff, read_sarif
from kairos.domain.checks.junit import read_junit
from kairos.domain.checks.report import Report, ReportRefused, case, report
from kairos.domain.checks.text_reports import read_cargo, read_pytest, read_tap

WHOLE = "(the whole check)"
"""The id of the case that stands for a check whose report names none."""


def read_file(raw: bytes, root: str = "") -> Report:
    """The report in a result file: JUnit XML, SARIF, ESLint or Ruff JSON, go test -json, TAP. ReportRefused."""
    start = raw[:4_096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return read_junit(raw)
    text = raw.decode("utf-8", "replace")
    return _first(
        [lambda: read_sarif(raw, root), lambda: read_eslint(raw, root), lambda: read_ruff(raw, root)]
        if start.startswith((b"{", b"["))
        else [],
        [lambda: read_go(raw), lambda: read_tap(text)],
    )


def read_output(stdout: bytes, stderr: bytes, root: str = "") -> Report:
    """The report in what a command printed. ReportRefused if it is none that is known."""
    start = stdout[:4_096].lstrip()
    text = stdout.decode("utf-8", "replace")
    both = f"{text}\n{stderr.decode('utf-8', 'replace')}"
    return _first(
        [lambda: read_sarif(stdout, root), lambda: read_eslint(stdout, root), lambda: read_ruff(stdout, root)]
        if start.startswith((b"{", b"["))
        else [],
        [lambda: read_go(stdout), lambda: read_tap(text), lambda: read_pytest(both), lambda: read_cargo(both)],
    )


def whole(failed: bool, message: str = "") -> Report:
    """The report of a check that names no cases: it passed or it failed."""
    return report("exit", [case(WHOLE, "failed" if failed else "passed", 0.0, message)])


def with_exit(found: Report, exit: int | None, output: str) -> Report:
    """The report together with the exit status. A command that failed though no case did is a failure of the whole:
    a run that broke off is never taken for a green one."""
    if exit == 0 or found.failed:
        return found
    extra = case(WHOLE, "failed", 0.0, last_line(output) or f"it ended with {exit}", wide=True)
    return msgspec.structs.replace(found, cases=[*found.cases, extra])


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip(" =-")), "")


def _first(*groups: Sequence[Callable[[], Report]]) -> Report:
    for read in (reader for group in groups for reader in group):
        try:
            return read()
        except ReportRefused:
            continue
    raise ReportRefused("it is no report that is known")
