"""`compact` at the door: sealing, folding under a person's rule, and what readers say of what is gone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.clock import now_us
from kairos.daemon import compacting
from kairos.eventlog.cold import compaction
from kairos.eventlog.record import Track
from kairos.eventlog.views.watched_tree import fold_tree


@pytest.fixture
def aged(kairos: Any, past: Any, request: pytest.FixtureRequest) -> Any:
    """A repository that was busy for a month, two months ago; one observation of it led to a proposal."""
    with past.at(now_us() - 91 * past.DAY):
        past.repo = request.getfixturevalue("seeded").id
    for day in range(30):
        with past.at(now_us() - (90 - day) * past.DAY):
            past.busy(4, "src/a.py", "src/b.py", "src/c.py")
    with past.at(now_us() - 40 * past.DAY):
        past.propose([40], "kkkkllllmmmm")
        past.log.append([], writes=[Track(f"reactor/{past.repo}", past.log.head())])
        compaction.compact(past.log)
    return past


def data(said: Any) -> Any:
    assert said.code == 0, said.err
    return said.data


def test_without_a_rule_everything_is_kept(kairos: Any, aged: Any) -> None:
    assert data(kairos("config", "get", "retention.fold_after_days", "--json"))["value"] == 0
    found = data(kairos("compact", "--now", "--json"))
    assert (found["folded"], found["fold_before"]) == ([], None)
    assert len(aged.observations()) == 120


def test_the_rule_that_a_person_set_folds_what_is_older(kairos: Any, aged: Any) -> None:
    tree = fold_tree(aged.log, aged.repo)
    assert kairos("config", "set", "retention.fold_after_days", "30").code == 0
    found = data(kairos("compact", "--now", "--json"))
    (segment,) = found["folded"]
    assert (segment["events"], segment["changes"], segment["kept"]) == (118, 354, 2)
    assert segment["bytes_after"] < segment["bytes_before"]
    assert found["days"] == 30 and found["days_bytes"] > 0 and not found["dry_run"]
    assert fold_tree(aged.log, aged.repo) == tree
    assert data(kairos("compact", "--json"))["folded"] == []
    assert data(kairos("log", "verify", "--json"))["ok"]
    assert data(kairos("replay", "--verify", "--json"))["identical"]


def test_a_dry_run_says_what_would_go_and_does_nothing(kairos: Any, aged: Any) -> None:
    head = aged.log.head()
    assert data(kairos("compact", "--dry-run", "--json"))["folded"] == []
    assert "Every observation is kept" in kairos("compact", "--dry-run").out
    found = data(kairos("compact", "--dry-run", "--fold-after", "30", "--json"))
    assert [(s["from"], s["events"], s["kept"]) for s in found["folded"]] == [(1, 118, 2)]
    assert found["dry_run"] and found["sealed"] == [] and found["days"] == 30
    said = kairos("compact", "--dry-run", "--fold-after", "30").out
    assert "118 observations of 120" in said and "354 changes" in said and "Would fold" in said
    assert data(kairos("compact", "--dry-run", "--fold-after", "300", "--json"))["folded"] == []
    assert aged.log.head() == head
    assert kairos("config", "set", "retention.fold_after_days", "30").code == 0
    done = data(kairos("compact", "--json"))
    assert done["folded"] == found["folded"] and done["days_bytes"] == found["days_bytes"]


def test_a_rule_can_be_tried_but_not_slipped_in(kairos: Any, aged: Any) -> None:
    said = kairos("compact", "--fold-after", "30", "--json")
    assert said.code == 2
    assert "config set retention.fold_after_days 30" in said.error["hint"]


@pytest.mark.parametrize("days", ["-1", "nan", "inf", "soon"])
def test_a_rule_that_is_none_is_refused(kairos: Any, seeded: Any, days: str) -> None:
    assert kairos("config", "set", "retention.fold_after_days", days).code == 2
    assert data(kairos("config", "get", "retention.fold_after_days", "--json"))["value"] == 0


def test_an_empty_log_has_nothing_to_fold(kairos: Any, home: Any) -> None:
    assert data(kairos("compact", "--dry-run", "--fold-after", "1", "--json"))["folded"] == []


@pytest.fixture
def folded(kairos: Any, aged: Any) -> Any:
    assert kairos("config", "set", "retention.fold_after_days", "30").code == 0
    assert kairos("compact").code == 0
    return aged


def test_why_of_a_folded_position_says_where_it_went(kairos: Any, folded: Any) -> None:
    ((into, _),) = folded.proofs()
    said = kairos("why", "20", "--json")
    assert said.code == 4
    assert said.error["message"] == f"the event at 20 was folded; a summary is at {into}"
    assert f"--after {into - 1}" in said.error["hint"]
    assert kairos("log", "--after", str(into - 1), "--limit", "2", "--json").out.count('"type"') == 2
    chain = data(kairos("why", "kkkkllllmmmm", "--json"))
    assert chain[0]["position"] == 40


def test_the_log_goes_on_over_a_gap(kairos: Any, folded: Any) -> None:
    rows = [json.loads(line) for line in kairos("log", "--after", "5", "--limit", "3", "--json").out.splitlines()]
    assert [r["position"] for r in rows][:2] == [40, 125]
    assert len(rows) == 3
    told = kairos("log", "--type", "SegmentFolded", "--type", "ActivityFolded").out.splitlines()
    assert "118 observations of 1 to" in told[0]
    assert "4 observations, 3 paths" in told[1]
    early = json.loads(kairos("log", "--since", "2h", "--limit", "1", "--json").out)
    assert early["position"] > 40


def test_the_past_at_a_folded_position_can_be_looked_at(kairos: Any, folded: Any) -> None:
    then = data(kairos("replay", "--at", "60", "--json"))
    assert then["position"] == 60 and then["at"] is not None and then["pending"] == []


def test_a_folded_log_goes_out_and_comes_back(kairos: Any, folded: Any, tmp_path: Any) -> None:
    out = data(kairos("log", "export", tmp_path / "log.ndjson", "--json"))
    back = data(kairos("log", "import", tmp_path / "log.ndjson", "--home", tmp_path / "other", "--json"))
    assert back == out
    assert out["events"] == folded.log.head() - 118
    assert data(kairos("log", "verify", "--home", tmp_path / "other", "--json"))["ok"]
    assert kairos("why", "20", "--home", tmp_path / "other").code == 4


def test_the_nightly_child_folds_under_the_rule(kairos: Any, aged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert compacting.main(now_us()) == 0
    assert capsys.readouterr().out == "0 segments sealed, 0 rows retired\n"
    assert kairos("config", "set", "retention.fold_after_days", "30").code == 0
    assert compacting.main(now_us()) == 0
    assert capsys.readouterr().out == "0 segments sealed, 0 rows retired, 118 observations folded\n"
    assert compacting.main(now_us()) == 0
    assert capsys.readouterr().out.endswith(" 0 observations folded\n")
