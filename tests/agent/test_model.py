from __future__ import annotations

from typing import Any

import pytest

from kairos.agent.model import Halt, Halted, ModelPort, _is_loopback, _never_sent
from kairos.domain.budget import Price
from kairos.errors import UsageError
from kairos.settings import Model


@pytest.mark.parametrize(
    ("name", "url", "target"),
    [
        ("gpt-4o-mini", "", "gpt-4o-mini"),
        ("anthropic/claude-x", "", "anthropic/claude-x"),
        ("qwen", "http://127.0.0.1/v1", "openai/qwen"),
        ("Qwen/Qwen3", "http://127.0.0.1/v1", "openai/Qwen/Qwen3"),
        ("openai/qwen", "http://127.0.0.1/v1", "openai/qwen"),
        ("anthropic/claude-x", "http://127.0.0.1", "anthropic/claude-x"),
    ],
)
def test_a_base_url_means_an_openai_compatible_server(name: str, url: str, target: str) -> None:
    assert ModelPort(Model(name=name, base_url=url), "").target == target


def test_configured_prices_come_first_and_a_loopback_server_is_free() -> None:
    own: dict[str, Any] = {"input_usd_per_million": 3.0, "output_usd_per_million": 15.0}
    assert ModelPort(Model(name="m", base_url="http://[::1]:80", **own), "").price() == Price(input=3.0, output=15.0)
    stored = ModelPort(Model(name="m", base_url="http://[::1]:80", cached_usd_per_million=0.3, **own), "").price()
    assert stored == Price(input=3.0, output=15.0, cached=0.3)
    assert ModelPort(Model(name="m", base_url="http://localhost:80/v1"), "").price() == Price(input=0.0, output=0.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "https://models.example/v1"},
        {"base_url": "http://127.0.0.1/v1", "input_usd_per_million": 1.0},
        {"base_url": "http://127.0.0.1.example/v1"},
    ],
)
def test_an_unknown_or_half_configured_price_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as refused:
        ModelPort(Model(name="m", **settings), "").price()
    assert "model.input_usd_per_million" in refused.value.hint


@pytest.mark.filterwarnings("ignore")
def test_the_built_in_table_knows_common_models_and_not_others() -> None:
    known = ModelPort(Model(name="gpt-4o-mini"), "").price()
    assert known.cached is not None and 0 < known.cached < known.input < 1
    with pytest.raises(UsageError):
        ModelPort(Model(name="openai/no-such-model"), "").price()


def test_only_loopback_addresses_are_loopback() -> None:
    assert _is_loopback("http://127.9.9.9:1") and not _is_loopback("http://10.0.0.1") and not _is_loopback("")


def test_a_connection_that_was_never_made_is_recognised_in_the_chain() -> None:
    class ConnectError(Exception):
        pass

    try:
        try:
            raise ConnectError
        except ConnectError as inner:
            raise ValueError from inner
    except ValueError as error:
        assert _never_sent(error)
    assert not _never_sent(ValueError())


def test_a_stop_interrupts_waiting_and_nothing_else() -> None:
    halt = Halt()
    halt.set()
    with pytest.raises(Halted), halt.waiting():
        raise AssertionError("it does not begin to wait")
    other = Halt()
    with pytest.raises(Halted), other.waiting():
        other.set()


def test_the_key_is_cut_from_every_text() -> None:
    assert ModelPort(Model(name="m"), "k" * 20).scrubbed("a " + "k" * 20) == "a [redacted key]"
    assert ModelPort(Model(name="m"), "").scrubbed("ab") == "ab"
