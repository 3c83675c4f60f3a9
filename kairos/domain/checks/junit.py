"""JUnit XML, as pytest, Maven, Gradle, Jest, gotestsum and cargo-nextest write it.

Expat reads it with a document type refused, so no entity can expand, and within bounds of depth, size and text.
"""

from __future__ import annotations

import pyexpat

from kairos.domain.checks.report import CaseList, Report, ReportRefused, case

MOST_BYTES = 64 << 20
_DEPTH, _TEXT = 64, 20_000
_BAD = frozenset({"failure", "error"})


def read_junit(raw: bytes) -> Report:
    """The report of a JUnit file. ReportRefused."""
    if len(raw) > MOST_BYTES:
        raise ReportRefused(f"it has {len(raw)} bytes, more than {MOST_BYTES}")
    reader = _Reader()
    parser = pyexpat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(raw, True)
    except pyexpat.ExpatError as error:
        raise ReportRefused(f"it is no XML: {pyexpat.ErrorString(error.code)}") from error
    if not reader.known:
        raise ReportRefused("it holds no testsuite")
    return reader.cases.report("junit")


def _refuse(*_: object) -> int:
    raise ReportRefused("it declares a document type or an entity")


class _Reader:
    """Collects the cases while expat goes through the file."""

    def __init__(self) -> None:
        self.cases = CaseList()
        self.known = False
        self._path: list[str] = []
        self._at: dict[str, str] = {}
        self._state = ""
        self._message: list[str] = []
        self._length = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _DEPTH:
            raise ReportRefused("it is nested too deep")
        self._path.append(name)
        if name in ("testsuite", "testsuites"):
            self.known = True
        elif name == "testcase":
            self._at, self._state, self._message, self._length = attributes, "passed", [], 0
        elif name in _BAD:
            self._state = "failed"
            self._add(attributes.get("message", "") + "\n")
        elif name == "skipped" and self._state == "passed":
            self._state = "skipped"

    def text(self, data: str) -> None:
        if self._path and self._path[-1] in _BAD:
            self._add(data)

    def _add(self, data: str) -> None:
        if self._length < _TEXT:
            self._message.append(data[: _TEXT - self._length])
            self._length += len(data)

    def end(self, name: str) -> None:
        self._path.pop()
        if name == "testcase" and self._state:
            at = self._at
            state = "failed" if self._state == "failed" else "skipped" if self._state == "skipped" else "passed"
            name = _id(at)
            wide = bool(name) and name == at.get("file")
            message = "".join(self._message)
            self.cases.add(
                case(name, state, at.get("time"), message, at.get("file", ""), at.get("line"), wide)  # type: ignore[arg-type]
            )
            self._state = ""


def _id(at: dict[str, str]) -> str:
    """What the runner calls the case: of pytest the node id, else class and name."""
    file, owner, name = at.get("file", ""), at.get("classname", ""), at.get("name", "")
    if file.endswith(".py"):
        module = file.removesuffix(".py").replace("/", ".").replace("\\", ".")
        if owner == module or owner.startswith(f"{module}."):
            return "::".join([file, *filter(None, owner[len(module) + 1 :].split(".")), name])
        if not owner and name == module:
            return file  # a file that could not be collected
    return f"{owner}.{name}" if owner else name
