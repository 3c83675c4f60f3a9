"""The page of a backtest holds no markup of a repository, runs nothing and loads nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.desk.backtest_page import page
from kairos.desk.records.backtest import BacktestDetectorOut, BacktestExampleOut, BacktestOut

HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</title><svg onload=x>", "\u202eevil\x1b[31m",
]  # fmt: skip
TAGS = frozenset({
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "code", "table", "tr", "th", "td", "br", "span",
    "svg", "line", "text", "rect", "circle",
})  # fmt: skip


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def backtest_of(texts, labels):
    proposals = [
        BacktestExampleOut(
            detector="secret", commit="a" * 40, at=f"2024-{n % 12 + 1:02}-01T00:00:00.000000Z", title=text, claim=text,
            label=label, by="b" * 40 if label == "done" else "", after=n % 40, base_rate=0.5, delivered=True,
        )
        for n, (text, label) in enumerate(zip(texts, labels, strict=False))
    ]  # fmt: skip
    share = 0.5 if labels else None
    return BacktestOut(
        repo=texts[0] if texts else "r", head="c" * 40, commits=9, first="2024-01-01", last="2024-12-01",
        days=3, horizon=30, listed=0, delivered=1, busiest_day=1, repeats=0, failures={}, seconds=1,
        commits_per_second=9, kept=0, proposals=proposals,
        detectors=[
            BacktestDetectorOut(
                detector=texts[0] if texts else "d", version=1, enabled=True, raised=1, per_100_commits=1, per_day=1,
                done=1, left=1, moot=0, unknown=0, delivered=1, precision=share, low=share, high=share, base_rate=0.2,
            )
        ],
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(HOSTILE) | st.text(max_size=30), max_size=6),
    st.lists(st.sampled_from(["done", "left", "moot", "unknown"]), max_size=6),
)
def test_text_of_a_repository_stays_text(texts, labels):
    html = page(backtest_of(texts, labels))
    reader = Reader()
    reader.feed(html)
    assert set(reader.tags) <= TAGS
    for name, value in reader.attributes:
        assert not name.startswith("on") and name not in ("src", "href")
        assert "http:" not in (value or "") and "https:" not in (value or "")
    assert "\u202e" not in html and "\x1b" not in html
    assert not re.search(r"url\(|@import|<script", html)


def test_the_page_draws_what_the_table_says():
    html = page(backtest_of(["one", "two", "three"], ["done", "left", "done"]))
    assert html.count("<svg") == 3 and "People did 2 of the 3" in html and "50%" in html
    assert "Nothing was raised" in page(backtest_of([], []))
