"""JUnit files of several runners are read; hostile ones are refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.domain.checks import junit
from kairos.domain.checks.junit import read_junit
from kairos.domain.checks.report import ReportRefused

TESTS = """
import pytest
def test_good(): pass
class TestIn:
    @pytest.mark.parametrize("x", ["a::b", "c.d"])
    def test_bad(self, x): assert x == 1, "no"
@pytest.mark.skip
def test_left(): pass
@pytest.fixture
def broken(): raise ValueError("in the fixture")
def test_error(broken): pass
"""


def test_the_ids_are_the_node_ids_of_pytest(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/test_a.py").write_text(TESTS)
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name")
    options = ["-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-o", "junit_family=xunit1"]
    run = lambda *more: subprocess.run(  # noqa: E731
        [sys.executable, "-m", "pytest", "-q", *options, *more], cwd=tmp_path, capture_output=True
    )
    run("--junitxml=out.xml")
    found = read_junit((tmp_path / "out.xml").read_bytes())
    states = {c.id: c.state for c in found.cases}
    assert states["test_broken.py"] == "failed" or states == {}  # a broken file stops pytest
    run("--junitxml=out.xml", "sub")
    found = read_junit((tmp_path / "out.xml").read_bytes())
    states = {c.id: c.state for c in found.cases}
    assert states == {
        "sub/test_a.py::test_good": "passed",
        "sub/test_a.py::TestIn::test_bad[a::b]": "failed",
        "sub/test_a.py::TestIn::test_bad[c.d]": "failed",
        "sub/test_a.py::test_left": "skipped",
        "sub/test_a.py::test_error": "failed",
    }
    assert "ValueError: in the fixture" in next(c.message for c in found.cases if c.id.endswith("test_error"))
    again = run(*[c.id for c in found.failed])
    assert again.returncode == 1
    assert b"3 failed" not in again.stdout  # two fail, one has an error
    assert b"2 failed" in again.stdout


def test_class_and_name_are_the_id_where_no_file_is_named() -> None:
    raw = b"""<?xml version="1.0"?><testsuites><testsuite name="s"><testcase classname="com.A" name="m" time="0.5">
    <failure message="expected 1">trace</failure></testcase><testcase name="solo"/></testsuite></testsuites>"""
    found = read_junit(raw)
    assert [(c.id, c.state, c.seconds, c.message) for c in found.cases] == [
        ("com.A.m", "failed", 0.5, "expected 1"), ("solo", "passed", 0.0, ""),
    ]  # fmt: skip


BOMB = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<testsuite><testcase name="&b;"/></testsuite>"""


@pytest.mark.parametrize(
    "raw",
    [
        BOMB,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<a>" * 100 + b"</a>" * 100,
        b"<testsuite><testcase",
        b"<html></html>",
        b"",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_plain_junit_file_is_refused(raw: bytes) -> None:
    with pytest.raises(ReportRefused):
        read_junit(raw)


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "MOST_BYTES", 10)
    with pytest.raises(ReportRefused, match="bytes"):
        read_junit(b"<testsuite></testsuite>")


def test_a_long_message_is_cut() -> None:
    found = read_junit(
        b"<testsuite><testcase name='a'><failure>" + b"x" * 1_000_000 + b"</failure></testcase></testsuite>"
    )
    assert len(found.cases[0].message) <= 400


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for data in (raw, b"<testsuite>" + raw + b"</testsuite>"):
        try:
            read_junit(data)
        except ReportRefused:
            pass
