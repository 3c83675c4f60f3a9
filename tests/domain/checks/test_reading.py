"""The format of a report is told by its content, and a run that broke off is never green."""

from __future__ import annotations

import pytest

from kairos.domain.checks.reading import WHOLE, read_file, read_output, whole, with_exit
from kairos.domain.checks.report import Report, ReportRefused, case, report


@pytest.mark.parametrize(
    ("raw", "format"),
    [
        (b"<testsuite/>", "junit"),
        (b'\xef\xbb\xbf{"version": "2.1.0", "runs": []}', "sarif"),
        (b"[]", "eslint"),
        (b'[{"filename": "a", "message": "m"}]', "ruff"),
        (b'{"Action":"pass","Package":"p","Test":"T"}\n', "go"),
        (b"TAP version 13\n1..1\nok 1\n", "tap"),
    ],
)
def test_a_file_is_known_by_its_content(raw: bytes, format: str) -> None:
    assert read_file(raw).format == format


def test_an_output_is_known_by_its_content() -> None:
    assert read_output(b"1 passed in 0.1s\n", b"").format == "pytest"
    assert read_output(b"", b"error: could not compile\n").format == "cargo"
    with pytest.raises(ReportRefused):
        read_output(b"all is well\n", b"")


def test_a_command_that_fails_without_a_failed_case_is_red() -> None:
    green = report("junit", [case("a", "passed")])
    found = with_exit(green, 3, "INTERNALERROR\nboom\n")
    assert [(c.id, c.message) for c in found.failed] == [(WHOLE, "boom")]
    assert with_exit(green, 0, "") is green
    red = report("junit", [case("a", "failed")])
    assert with_exit(red, 1, "") is red


def test_without_a_report_the_exit_status_counts() -> None:
    assert whole(True, "x").failed[0].id == WHOLE
    assert isinstance(whole(False), Report)
    assert not whole(False).failed
