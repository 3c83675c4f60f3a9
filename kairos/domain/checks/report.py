"""What a run of a check reported: its cases, within bounds. A case is one test, or one problem that a scanner found."""

from __future__ import annotations

import re
from _blake2 import blake2b
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from kairos.domain.inert import as_text

CaseState: TypeAlias = Literal["passed", "failed", "skipped"]
MOST_CASES = 50_000
MOST_ID, MOST_MESSAGE = 300, 400
_NUMBERS = re.compile(r"\d+")
_MARK = re.compile(r"^(\S+ \S.*) [0-9a-f]{12}( #\d+)?$")
_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class CheckCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case. `id`: what the runner calls it, at most MOST_ID characters; of a problem, its rule and file with a hash
    that knows no line numbers. `message`: the decisive line. `path` and `line`: where it is, if that is known."""

    id: str
    state: CaseState
    seconds: float = 0.0
    message: str = ""
    path: str = ""
    line: int = 0
    wide: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The cases of a run in the order of the run. `format`: how they were read. `unlisted_*`: how many more
    passed or were skipped: those beyond MOST_CASES, or that the runner only counts. `cut`: how many more were red, of
    more than MOST_CASES."""

    format: str
    cases: Sequence[CheckCase] = ()
    unlisted_passed: int = 0
    unlisted_skipped: int = 0
    cut: int = 0

    @property
    def failed(self) -> list[CheckCase]:
        return [case for case in self.cases if case.state == "failed"]

    @property
    def partial(self) -> bool:
        """Whether cases that are not listed were perhaps red, or not run."""
        return bool(self.cut) or any(case.wide for case in self.failed)

    @property
    def passed(self) -> int:
        return sum(case.state == "passed" for case in self.cases) + self.unlisted_passed

    @property
    def skipped(self) -> int:
        return sum(case.state == "skipped" for case in self.cases) + self.unlisted_skipped


class ReportRefused(ValueError):
    """A report that is not read: not what it claims to be, too large, or built to harm the reader."""


class CaseList:
    """Collects cases as they are read, within bounds. Of several cases with one id the worst counts: failed, passed,
    skipped. However many others there are, a red case is listed: MOST_CASES are of each."""

    def __init__(self, cases: Iterable[CheckCase] = ()) -> None:
        self._found: dict[str, CheckCase] = {}
        self._red = self._cut = 0
        self._unlisted = {"passed": 0, "skipped": 0}
        for one in cases:
            self.add(one)

    def __len__(self) -> int:
        """How many cases are listed."""
        return len(self._found)

    def add(self, case: CheckCase) -> None:
        known = self._found.get(case.id)
        if known is not None and _RANK[case.state] <= _RANK[known.state]:
            return
        if case.state == "failed":
            if self._red >= MOST_CASES:
                self._cut += 1
                return
            self._red += 1
        elif known is None and len(self._found) - self._red >= MOST_CASES:
            self._unlisted[case.state] += 1
            return
        self._found[case.id] = case

    def report(self, format: str, *, passed: int = 0) -> Report:
        """The report of what was collected. `passed`: how many the runner counted, if it lists fewer."""
        found = Report(
            format=format, cases=list(self._found.values()), unlisted_passed=self._unlisted["passed"],
            unlisted_skipped=self._unlisted["skipped"], cut=self._cut,
        )  # fmt: skip
        more = passed - found.passed
        return msgspec.structs.replace(found, unlisted_passed=found.unlisted_passed + more) if more > 0 else found


_RANK = {"skipped": 0, "passed": 1, "failed": 2}


def report(format: str, cases: Iterable[CheckCase]) -> Report:
    """A report of these cases, within bounds."""
    return CaseList(cases).report(format)


def case(
    id: str, state: CaseState, seconds: object = 0.0, message: str = "", path: str = "", line: object = 0,
    wide: bool = False,
) -> CheckCase:  # fmt: skip
    """A case from what a runner said: the id and the message on one line and within bounds."""
    return CheckCase(
        id=bounded(id), state=state, seconds=_number(seconds), message=decisive(message)[:MOST_MESSAGE],
        path=as_text(path)[:MOST_ID], line=int(_number(line)), wide=wide,
    )  # fmt: skip


def bounded(id: str) -> str:
    """An id on one line; one that is too long ends in a hash of the whole."""
    flat = _LINE_ENDS.sub(" ", as_text(id)).strip()
    return flat if len(flat) <= MOST_ID else f"{flat[: MOST_ID - 13]}…{_hash(flat)}"


def decisive(text: str) -> str:
    """The line of a failure that says most: pytest's first `E` line, a line that names an error, else the first."""
    lines = [line.strip() for line in as_text(text[:20_000]).splitlines() if line.strip()]
    raised = [line.removeprefix("E  ").strip() for line in lines if line.startswith("E  ")]
    if raised and raised[0].startswith('File "'):  # of a file that Python cannot read, the place comes first
        return raised[-1]
    for sign in ("E  ", "AssertionError", "Error", "error", "panicked"):
        found = next((line for line in lines if line.startswith(sign) or (sign[0] != "E" and sign in line)), None)
        if found is not None:
            return found.removeprefix("E  ").strip()
    return lines[0] if lines else ""


def problem(rule: str, path: str, message: str, line: object = 0, fingerprint: str = "") -> CheckCase:
    """A problem of a scanner. Its id is the same while only lines move: rule, file, and a hash of the scanner's own
    `fingerprint` or of the message without numbers."""
    mark = _hash(fingerprint or _NUMBERS.sub("", message))
    return case(f"{rule} {path} {mark}", "failed", 0.0, f"{rule}: {message}", path, line)


def plain_case(case: str) -> str:
    """The id of a case as a person reads it: of a problem its rule and file, without the hash that tells it apart."""
    return _MARK.sub(r"\1\2", case)


def numbered(problems: Iterable[CheckCase]) -> Iterator[CheckCase]:
    """The problems of a scanner; of several with one id the later ones are numbered."""
    count: dict[str, int] = {}
    for one in problems:
        count[one.id] = count.get(one.id, 0) + 1
        yield one if count[one.id] == 1 else msgspec.structs.replace(one, id=f"{one.id} #{count[one.id]}")


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _number(value: object) -> float:
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return found if 0 <= found < 1e9 else 0.0
