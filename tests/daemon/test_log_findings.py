"""The card of a new line: inert, and one for the whole life of a template."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.daemon.log_findings import finding_of, key_of, watch_of
from kairos.domain.events import LogLineTold

TOLD = LogLineTold(
    repo="r", watch="app", id="abc", news="new", template="ERROR a\x1b[31m b", example="ERROR a\u202e b\n  at x",
    level="error", first=1_000_000, count=3,
)  # fmt: skip


def test_a_card_says_first_seen_count_example_and_commit() -> None:
    told = msgspec.structs.replace(TOLD, commit="c" * 40, place="a.py:3", subject="write it")
    found: Any = finding_of(told, [4, 9, 4])
    assert (found.key, found.at_least, found.level, found.evidence) == ("log-watch:app:abc", "medium", 0, [4, 9])
    assert "First seen 1970-01-01T00:00:01Z, 3 times" in found.claim
    assert "a.py:3, the only line with this text, written in cccccccccc “write it”" in found.claim
    assert found.action.text == "  ERROR a\\u202e b\n    at x"
    assert "\x1b" not in found.title
    assert watch_of(key_of("app", "abc")) == "app"


def test_far_more_of_a_template_is_the_same_finding_and_worse() -> None:
    more = msgspec.structs.replace(TOLD, news="more", here=120, worst=4, level="warning")
    found = finding_of(more, [4])
    assert (found.key, found.level, found.at_least) == (finding_of(TOLD, [4]).key, 3, "low")
    assert "120 in ten minutes" in found.title
    assert "at most 4 in any ten minutes before" in found.claim
    assert "where it comes from" in found.unchecked[-1]


def test_a_long_example_is_cut_and_says_so() -> None:
    found: Any = finding_of(msgspec.structs.replace(TOLD, example="\n".join("abc" for _ in range(50))), [4])
    assert found.action.text.endswith("  and 26 more lines")
