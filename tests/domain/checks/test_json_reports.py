"""Reports in JSON are read as their tools write them; other shapes are refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.checks.json_reports import read_eslint, read_go, read_ruff, read_sarif
from kairos.domain.checks.report import ReportRefused


def sarif(*results: dict[str, Any]) -> bytes:
    run = {"tool": {"driver": {"name": "scanner"}}, "results": list(results)}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def result(line: int, **more: Any) -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": "file:///r/src/a.py"}, "region": {"startLine": line}}}
    return {"ruleId": "R1", "message": {"text": f"bad at {line}"}, "locations": [place], **more}


def test_sarif_results_have_ids_without_line_numbers() -> None:
    one, two = read_sarif(sarif(result(3)), "/r"), read_sarif(sarif(result(90)), "/r")
    assert one.cases[0].id == two.cases[0].id
    assert one.cases[0].id.startswith("R1 src/a.py ")
    assert (one.cases[0].path, one.cases[0].line, one.cases[0].message) == ("src/a.py", 3, "R1: bad at 3")


def test_the_fingerprint_of_the_scanner_counts() -> None:
    a, b = result(3, partialFingerprints={"h": "1"}), result(3, partialFingerprints={"h": "2"})
    assert read_sarif(sarif(a)).cases[0].id != read_sarif(sarif(b)).cases[0].id


def test_what_was_suppressed_or_is_a_note_is_no_problem() -> None:
    left = [result(1, suppressions=[{"kind": "inSource"}]), result(1, level="note"), result(1, kind="pass")]
    assert not read_sarif(sarif(*left)).cases


def test_a_scanner_without_results_is_green() -> None:
    assert read_sarif(sarif()).failed == []


def test_what_ruff_really_writes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\nimport sys\n")
    for format, read in (("json", read_ruff), ("sarif", read_sarif)):
        done = subprocess.run(
            [Path(sys.executable).with_name("ruff"), "check", "--isolated", "--output-format", format, "."],
            cwd=tmp_path, capture_output=True,
        )  # fmt: skip
        found = read(done.stdout, str(tmp_path))
        assert len(found.failed) == 2
        assert all(c.id.startswith("F401 a.py ") for c in found.cases), found.cases
    (tmp_path / "a.py").write_text("# moved\n\nimport os\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("ruff"), "check", "--isolated", "--output-format", "json", "."],
        cwd=tmp_path, capture_output=True,
    )  # fmt: skip
    assert read_ruff(done.stdout, str(tmp_path)).cases[0].line == 3


def test_the_errors_of_eslint() -> None:
    raw = json.dumps(
        [{"filePath": "/r/a.js", "messages": [
            {"ruleId": "no-undef", "severity": 2, "message": "'x' is not defined.", "line": 4},
            {"ruleId": "semi", "severity": 1, "message": "Missing semicolon.", "line": 4},
            {"ruleId": None, "severity": 2, "message": "Parsing error", "line": 1},
        ]}]
    ).encode()  # fmt: skip
    assert [c.id.rsplit(" ", 1)[0] for c in read_eslint(raw, "/r").cases] == ["no-undef a.js", "parsing a.js"]


GO = """{"Action":"start","Package":"m/p"}
{"Action":"run","Package":"m/p","Test":"TestA"}
{"Action":"output","Package":"m/p","Test":"TestA","Output":"=== RUN   TestA\\n"}
{"Action":"output","Package":"m/p","Test":"TestA","Output":"    a_test.go:5: got 2\\n"}
{"Action":"fail","Package":"m/p","Test":"TestA","Elapsed":0.5}
{"Action":"pass","Package":"m/p","Test":"TestB","Elapsed":0}
{"Action":"skip","Package":"m/p","Test":"TestC"}
{"Action":"fail","Package":"m/p","Elapsed":0.6}
not json
"""


def test_the_events_of_go_test() -> None:
    found = {c.id: (c.state, c.message) for c in read_go(GO.encode()).cases}
    assert found["m/p.TestA"] == ("failed", "a_test.go:5: got 2")
    assert found["m/p.TestB"][0] == "passed"
    assert found["m/p.TestC"][0] == "skipped"


@pytest.mark.parametrize("read", [read_sarif, read_eslint, read_ruff, read_go])
def test_other_shapes_are_refused(read: Any) -> None:
    for raw in (b"", b"{}", b"[1]", b'{"version": 3}', b"null", b"[" * 100_000, b'[{"filePath": 1}]' + b"x", b"\xff"):
        with pytest.raises(ReportRefused):
            read(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["version", "runs", "results", "locations", "message", "text", "ruleId", "filePath", "messages",
                         "filename", "level", "Action", "Package", "physicalLocation", "partialFingerprints"]),
        inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(JSON)
def test_no_document_raises_anything_else(value: Any) -> None:
    raw = json.dumps(value).encode()
    wrapped = json.dumps({"version": "2.1.0", "runs": [value, {"results": [value]}]}).encode()
    for read in (read_sarif, read_eslint, read_ruff, read_go):
        for data in (raw, wrapped):
            try:
                read(data)
            except ReportRefused:
                pass
