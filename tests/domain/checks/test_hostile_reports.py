"""A megabyte of anything is read, or refused, in time that is linear in it: what is not does not end within the time
limit of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.domain.checks import runners
from kairos.domain.checks.json_reports import read_eslint, read_go, read_ruff, read_sarif
from kairos.domain.checks.junit import read_junit
from kairos.domain.checks.reading import last_line
from kairos.domain.checks.report import Report, ReportRefused
from kairos.domain.checks.suggesting import suggest
from kairos.domain.checks.text_reports import read_cargo, read_pytest, read_tap

MEGABYTE = 1 << 20
TEXTS = [
    "=", "= ", " ", "1 passed ", " in ", "1 passed in ", "1 passed, ", "\n", "\r", "not ok 1 - x # ", "# ", "#skip ",
    "#skip-", "test a ... ", "test a ... FAILED\n", "FAILED a::b - ", "1..9\n", "thread 'a' panicked at\n",
    "\u2028", "ERROR: not found: ", "ERROR: not found: a (no ", " (no ",
]  # fmt: skip
JSON = [
    "[", "{", '{"a":', "[1,", "[],", " ", '"', '{"Action":"pass","Package":"p","Test":"t"}\n', "{\n", "{}\n",
    '{"Action":"output","Package":"p","Test":"t","Output":"x"}\n', '{"runs":[{"results":[', '[{"filePath":"x"},',
]  # fmt: skip
JSON_HEADS = [
    ("", read_eslint), ('{"version":"2.1.0","runs":[{"results":[', read_sarif),
    ('[{"filename":"a","message":"m"},', read_ruff),
]  # fmt: skip
XML = [
    "<a>", "<testsuite>", "<testcase/>", "<testcase name='a'/>", "<testcase name='a'><failure>", "<a ", "<!--", "&lt;",
    "<![CDATA[", "<failure message='x'/>", "<?x ?>",
]  # fmt: skip


def filled(head: str, piece: str) -> str:
    return head + (piece * (MEGABYTE // len(piece) + 1))[:MEGABYTE]


def read_whatever(read: Callable[[Any], Report], given: object) -> None:
    try:
        read(given)
    except ReportRefused:
        return


@pytest.mark.parametrize("piece", TEXTS)
def test_text(piece: str) -> None:
    text = filled("TAP version 13\n", piece)
    for read in (read_tap, read_pytest, read_cargo):
        read_whatever(read, text)
    assert last_line(text)
    assert runners.not_found(["z::b"] * 50, text) == []


@pytest.mark.parametrize("piece", JSON)
def test_json(piece: str) -> None:
    read_whatever(read_go, filled("", piece).encode())
    for head, read in JSON_HEADS:
        read_whatever(read, filled(head, piece).encode())


@pytest.mark.parametrize("piece", XML)
def test_xml(piece: str) -> None:
    for head in ("", "<testsuite>", "<?xml version='1.0'?><testsuites><testsuite name='"):
        read_whatever(read_junit, filled(head, piece).encode())


@pytest.mark.parametrize(
    "piece", ["test\n", "test \n", "test:\n", "\n", "test ", "[", "{", '{"scripts":', "a=[", "a.", '"']
)
def test_files_that_suggest_checks(piece: str) -> None:
    files = dict.fromkeys(("Makefile", "pyproject.toml", "package.json", "tox.ini"), filled("", piece).encode())
    assert len(suggest(list(files), files)) < 10
