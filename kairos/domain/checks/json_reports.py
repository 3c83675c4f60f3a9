"""Reports in JSON: SARIF, ESLint, Ruff and `go test -json`. Unknown fields are ignored, wrong shapes are refused."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

import msgspec

from kairos.domain.checks.report import (
    MOST_MESSAGE,
    CaseList,
    CheckCase,
    Report,
    ReportRefused,
    case,
    numbered,
    problem,
    report,
)

MOST_BYTES = 64 << 20
_MOST_DOCUMENT = 16 << 20
"""A document is held decoded, which takes about twenty times its bytes at worst; lines are read one by one."""
_LINE = re.compile(rb"[^\r\n]+")
_MOST_SAID, _MOST_TESTS = 200, 10_000
_MOST_LINES = 500_000


def read_sarif(raw: bytes, root: str = "") -> Report:
    """The results of a SARIF 2.1 log; those that a tool suppressed, or that are only notes, are left out.
    ReportRefused."""
    document = _decoded(raw)
    runs = document.get("runs") if isinstance(document, dict) else None
    if not isinstance(runs, list) or not str(document.get("version", "")).startswith("2."):
        raise ReportRefused("it is no SARIF 2 log")
    found = [one for run in runs if isinstance(run, dict) for one in _sarif_run(run, root)]
    return report("sarif", numbered(found))


def _sarif_run(run: dict[str, Any], root: str) -> Iterator[CheckCase]:
    tool = _at(run, "tool", "driver", "name")
    for result in _list(run.get("results")):
        if not isinstance(result, dict) or result.get("suppressions") or result.get("baselineState") == "absent":
            continue
        if result.get("level") in ("none", "note") or result.get("kind", "fail") not in ("fail", "open", "review"):
            continue
        place: Any = next(iter(_list(result.get("locations"))), {})
        path = _relative(str(_at(place, "physicalLocation", "artifactLocation", "uri") or ""), root)
        marks = result.get("partialFingerprints") or result.get("fingerprints")
        mark = "|".join(f"{k}={v}" for k, v in sorted(marks.items())) if isinstance(marks, dict) else ""
        rule = str(result.get("ruleId") or _at(result, "rule", "id") or tool or "problem")
        message = str(_at(result, "message", "text") or "")
        yield problem(rule, path, message, _at(place, "physicalLocation", "region", "startLine"), mark)


def read_eslint(raw: bytes, root: str = "") -> Report:
    """The errors of ESLint's `--format json`. ReportRefused."""
    files = _decoded(raw)
    if not isinstance(files, list) or not all(isinstance(f, dict) and "filePath" in f for f in files):
        raise ReportRefused("it is no report of ESLint")
    found = []
    for file in files:
        path = _relative(str(file["filePath"]), root)
        for one in _list(file.get("messages")):
            if isinstance(one, dict) and one.get("severity", 2) == 2:
                rule = str(one.get("ruleId") or "parsing")
                found.append(problem(rule, path, str(one.get("message", "")), one.get("line")))
    return report("eslint", numbered(found))


def read_ruff(raw: bytes, root: str = "") -> Report:
    """The problems of `ruff check --output-format json`. ReportRefused."""
    found = _decoded(raw)
    if not isinstance(found, list) or not all(
        isinstance(f, dict) and "filename" in f and "message" in f for f in found
    ):
        raise ReportRefused("it is no report of Ruff")
    cases = [
        problem(
            str(one.get("code") or "syntax"), _relative(str(one["filename"]), root), str(one["message"]),
            _at(one, "location", "row"),
        )
        for one in found
    ]  # fmt: skip
    return report("ruff", numbered(cases))


def read_go(raw: bytes) -> Report:
    """The events of `go test -json`. A package that fails without a failed test is a case of its own.
    ReportRefused if no line is such an event."""
    cases = CaseList()
    said: dict[str, list[str]] = {}
    known, bad = False, set[str]()
    for line in islice(_LINE.finditer(raw, 0, MOST_BYTES), _MOST_LINES):
        event = _go_event(line[0])
        if event is None:
            continue
        known = True
        package, test, action = str(event.get("Package", "")), str(event.get("Test", "")), event["Action"]
        name = f"{package}.{test}" if test else package
        if action == "output" and (name in said or len(said) < _MOST_TESTS):
            lines = said.setdefault(name, [])
            if len(lines) < _MOST_SAID:
                lines.append(str(event.get("Output", ""))[:MOST_MESSAGE])
        elif action in ("pass", "skip") and test:
            said.pop(name, None)
            cases.add(case(name, "passed" if action == "pass" else "skipped", event.get("Elapsed")))
        elif action == "fail" and (test or package not in bad):
            bad.add(package)
            cases.add(case(name, "failed", event.get("Elapsed"), _go_line(said.pop(name, [])), wide=not test))
    if not known:
        raise ReportRefused("it is no output of go test -json")
    return cases.report("go")


def _go_event(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"{"):
        return None
    try:
        event = msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return event if isinstance(event, dict) and "Action" in event else None


def _go_line(said: list[str]) -> str:
    """The first line of a test's output that the test itself wrote."""
    return next((s for s in said if s.strip() and not s.lstrip().startswith(("===", "---"))), "")


def _decoded(raw: bytes) -> Any:
    if len(raw) > _MOST_DOCUMENT:
        raise ReportRefused(f"it has {len(raw)} bytes, more than {_MOST_DOCUMENT}")
    try:
        return msgspec.json.decode(raw.lstrip(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ReportRefused(f"it is no JSON: {error}") from error


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str | int | float) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _relative(path: str, root: str) -> str:
    """A path below the repository: scanners name absolute paths and file: addresses."""
    path = unquote(path.removeprefix("file://")).replace("\\", "/")
    if root and path.startswith(f"{root.rstrip('/')}/"):
        path = path[len(root.rstrip("/")) + 1 :]
    return posixpath.normpath(path) if path else ""
