"""Turns whose server is slow, silent, cut off, refusing, or wrong about what it used."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from kairos.clock import SECOND, now_us

# litellm and what it imports warn of their own deprecations.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_rate_limit_is_waited_for_as_the_server_says(bench: Any, server: Any) -> None:
    server.fails(429, retry_after="1")
    server.calls(("nothing", {}))
    begun = time.monotonic()
    assert bench.run().outcome == "quiet"
    assert time.monotonic() - begun >= 1.0, "a slow machine only waits longer"
    assert [(c.attempt, c.outcome) for c in bench.called()] == [(1, "rate_limited"), (2, "ok")]
    assert bench.called()[0].spent_microusd == 0, "a refused request costs nothing"


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_beyond_the_deadline_is_remembered_and_not_waited_for(bench: Any, server: Any, status: int) -> None:
    server.fails(status, retry_after="3600")
    before = now_us()
    result = bench.run()
    assert result.outcome == "parked" and "the server asks to wait until" in result.why
    # who waits is ended by the time limit of the suite
    assert len(server.received) == 1
    [called] = bench.called()
    assert called.status == status and called.retry_at is not None
    assert before + 3_600 * SECOND <= called.retry_at <= now_us() + 3_600 * SECOND


def test_a_pause_in_milliseconds_is_waited_for(bench: Any, server: Any) -> None:
    server.fails(429, retry_after_ms="20")
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    assert [(c.status, c.retry_at is not None) for c in bench.called()] == [(429, True), (0, False)]


def test_three_server_errors_end_the_turn(bench: Any, server: Any) -> None:
    for _ in range(5):
        server.fails(500)
    result = bench.run()
    assert result.outcome == "failed" and "error" in result.why
    assert len(server.received) == len(bench.called()) == len(bench.reserved()) == 3


def test_a_refused_key_is_not_retried_and_not_repeated(bench: Any, server: Any) -> None:
    server.fails(401)
    assert bench.run().outcome == "failed"
    assert len(server.received) == 1


def test_a_hang_is_cut_at_the_deadline_and_paid_once(bench: Any, server: Any) -> None:
    for _ in range(5):
        server.hangs()
    result = bench.run(deadline_seconds=4.0)  # a whole hang is longer than a test may take
    assert result.outcome == "failed" and "timeout" in result.why
    assert len(server.received) == 1
    assert result.spent_microusd == sum(r.reserved_microusd for r in bench.reserved()), "nobody knows what it cost"


def test_a_slow_answer_is_waited_for_as_long_as_its_tokens_come(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("propose_patch", fix), piece=15, drip_s=0.3)
    result = bench.run(deadline_seconds=18.0)  # the whole takes longer than a third of it
    assert result.outcome == "proposed"
    assert len(server.received) == 1


def test_a_server_that_says_nothing_is_asked_again(bench: Any, server: Any) -> None:
    server.hangs()
    server.calls(("nothing", {}))
    assert bench.run(first_token_seconds=5.0).outcome == "quiet"
    first, second = bench.called()
    assert (first.outcome, second.outcome) == ("timeout", "ok") and "nothing came within 5 s" in first.why


@pytest.mark.parametrize("anthropic", [False, True])
def test_an_answer_that_stops_in_the_middle_is_paid_and_not_asked_for_again(
    bench: Any, server: Any, fix: Any, anthropic: bool
) -> None:
    server.calls(("propose_patch", fix), stall=9)
    server.calls(("nothing", {}))
    format = {"name": "anthropic/claude-scripted", "base_url": server.address} if anthropic else {}
    result = bench.run(idle_seconds=0.5, deadline_seconds=20, **format)  # before a first token would be too late
    assert result.outcome == "failed" and "nothing more came within 0.5 s" in result.why
    [called], [reserved] = bench.called(), bench.reserved()
    assert (called.outcome, called.spent_microusd) == ("timeout", reserved.reserved_microusd)


def test_a_server_that_drips_for_ever_is_cut_too(bench: Any, server: Any) -> None:
    for _ in range(3):
        server.drips()
    assert bench.run(deadline_seconds=1.5).outcome == "failed"  # the drip would go on for longer than a test may take


def test_an_answer_without_end_is_cut_and_not_asked_for_again(bench: Any, server: Any) -> None:
    server.says("x" * 3_000_000, piece=50_000)
    result = bench.run()
    assert result.outcome == "failed" and "exceeds the size limit" in result.why
    assert [c.outcome for c in bench.called()] == ["cut"]


def test_garbage_is_asked_again_once(bench: Any, server: Any) -> None:
    server.garbles()
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    assert "could not be read" in server.received[1].json["messages"][-1]["content"]
    assert [c.outcome for c in bench.called()] == ["garbage", "ok"]


def test_garbage_twice_ends_the_turn(bench: Any, server: Any) -> None:
    server.garbles()
    server.garbles()
    assert bench.run().outcome == "failed"
    assert len(server.received) == 2


def test_a_stream_cut_before_its_first_token_is_tried_again(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("propose_patch", fix), cut=1)
    server.calls(("propose_patch", fix))
    assert bench.run().outcome == "proposed"
    assert [c.outcome for c in bench.called()][1:] == ["ok"]


def test_a_stream_cut_in_the_middle_is_not_paid_twice(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("propose_patch", fix), cut=5)
    server.calls(("propose_patch", fix))
    assert bench.run().outcome == "failed"
    assert [c.outcome for c in bench.called()] == ["cut"]
    assert bench.called()[0].spent_microusd == bench.reserved()[0].reserved_microusd


@pytest.mark.parametrize(
    ("format", "finish"), [({}, "length"), ({"name": "anthropic/claude-scripted", "address": True}, "max_tokens")]
)
def test_an_answer_that_reached_the_limit_is_asked_for_again_shorter(
    bench: Any, server: Any, fix: Any, format: dict[str, Any], finish: str
) -> None:
    if format.pop("address", False):
        format["base_url"] = server.address
    server.calls(("propose_patch", json.dumps(fix)[:60]), finish=finish, usage=(900, 2000))
    server.calls(("propose_patch", fix))
    assert bench.run(**format).outcome == "proposed"
    assert [(c.outcome, c.output_tokens) for c in bench.called()] == [("length", 2000), ("ok", 100)]
    assert "reached the limit of 2000 tokens" in str(server.received[1].json["messages"][-1]["content"])


@pytest.mark.parametrize(("anthropic", "finish"), [(False, "content_filter"), (True, "refusal")])
def test_a_refusal_of_the_provider_ends_the_turn_with_its_reason(
    bench: Any, server: Any, anthropic: bool, finish: str
) -> None:
    server.says("I", finish=finish)
    format = {"name": "anthropic/claude-scripted", "base_url": server.address} if anthropic else {}
    result = bench.run(**format)
    assert result.outcome == "failed" and "the provider refused to answer" in result.why
    assert [c.outcome for c in bench.called()] == ["filtered"]


@pytest.mark.parametrize("usage", [(-5_000, 100), (1000, -7), (10**9, 10**9), (10**9, 100)])
def test_a_usage_that_cannot_be_neither_lowers_the_sum_nor_blocks_the_day(
    bench: Any, server: Any, usage: tuple[int, int]
) -> None:
    server.calls(("nothing", {}), usage=usage)
    server.calls(("nothing", {}), usage=(1000, 100))
    assert bench.run().outcome == bench.run().outcome == "quiet"
    strange, usual = bench.called()
    assert 0 < strange.spent_microusd <= bench.reserved()[0].reserved_microusd
    assert "the server reported" in strange.anomaly and str(usage[0]) in strange.anomaly
    assert (usual.spent_microusd, usual.anomaly) == (1_200, "")


@pytest.mark.parametrize("anthropic", [False, True])
def test_stored_tokens_are_paid_at_their_price(bench: Any, server: Any, anthropic: bool) -> None:
    server.calls(("nothing", {}), usage=(1000, 100), cached=800)
    format = {"name": "anthropic/claude-scripted", "base_url": server.address} if anthropic else {}
    assert bench.run(cached_usd_per_million=0.1, **format).outcome == "quiet"
    [called] = bench.called()
    assert (called.input_tokens, called.cached_tokens, called.anomaly) == (1000, 800, "")
    assert called.spent_microusd == 200 + 80 + 200


def test_an_offline_model_costs_nothing(bench: Any, server: Any) -> None:
    result = bench.run(base_url="http://127.0.0.1:9/v1")
    assert (result.outcome, result.spent_microusd) == ("failed", 0)
    assert len(bench.called()) == 3
