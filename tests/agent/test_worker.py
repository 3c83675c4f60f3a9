"""The real worker process: its environment, its result, its end by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.agent.outputs import parse_result
from kairos.agent.worker_setup import worker_environment
from kairos.daemon import model_worker
from kairos.home import Home
from kairos.settings import load_config, set_value

pytestmark = pytest.mark.slow


def _configure(home: Home, server: Any) -> None:
    for key, value in {
        "model.name": '"scripted"', "model.base_url": f'"{server.base_url}"', "model.key_env": '"SCRIPTED_KEY"',
        "model.deadline_seconds": "100.0",
    }.items():  # fmt: skip
        set_value(home, key, value)


def _spawn(home: Home, given: bytes, environ: dict[str, str]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", model_worker.__name__],
        cwd=home.data, env=worker_environment(load_config(home), home, environ),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    process.stdin = None
    return process


def test_a_worker_reads_proposes_and_knows_only_what_it_was_given(
    home: Home, bench: Any, server: Any, fix: Any, repo: Any
) -> None:
    # An allow-listed process variable aside, nothing of a repository or of the user's environment reaches a worker.
    repo.write(".env", "OPENAI_API_KEY=from-the-repository\n")
    (home.data / ".env").write_text("OPENAI_API_KEY=from-a-dotenv-file\n")
    _configure(home, server)
    gate = threading.Event()
    step = server.calls(("read_file", {"path": "main.py"}), before=gate)
    server.calls(("propose_patch", fix))
    environ = {
        **os.environ,
        "SCRIPTED_KEY": "k-" + "1" * 20,
        "AWS_SECRET_ACCESS_KEY": "never",
        "PYTHONPATH": "/nowhere",
    }
    with _spawn(home, msgspec.json.encode(bench.assignment()), environ) as process:
        assert step.reached.wait(90)
        seen = Path(f"/proc/{process.pid}/environ").read_bytes() if sys.platform == "linux" else b""
        gate.set()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    result = parse_result(out)
    assert result.outcome == "proposed" and result.finding is not None
    assert (result.spent_microusd, len(bench.reserved())) == (0, 2), "a loopback server without a price is free"
    assert server.received[0].headers["authorization"] == "Bearer k-" + "1" * 20
    names = {entry.split(b"=")[0].decode() for entry in seen.split(b"\0") if entry}
    allowed = {
        "PATH", "HOME", "LANG", "TZ", "KAIROS_HOME", "KAIROS_CLOCK_FILE", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy",
        "https_proxy", "all_proxy", "no_proxy", "SCRIPTED_KEY", "LITELLM_MODE", "LITELLM_LOCAL_MODEL_COST_MAP",
        "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8",
    }  # fmt: skip
    assert names <= allowed


def test_a_signal_during_a_call_ends_the_worker_without_another_call(home: Home, bench: Any, server: Any) -> None:
    _configure(home, server)
    step = server.hangs()
    with _spawn(home, msgspec.json.encode(bench.assignment()), {**os.environ, "SCRIPTED_KEY": "k"}) as process:
        assert step.reached.wait(90)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)  # the answer never comes: whoever waits for it is killed here
    assert process.returncode == 0, err
    assert parse_result(out).outcome == "stopped"
    assert len(server.received) == 1
    assert [c.outcome for c in bench.called()] == ["stopped"]


def test_a_worker_without_a_configured_model_refuses(home: Home, bench: Any, server: Any) -> None:
    with _spawn(home, msgspec.json.encode(bench.assignment()), dict(os.environ)) as process:
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, b"")
    assert b"no model is configured" in err


def test_nothing_outside_the_worker_imports_litellm(home: Home) -> None:
    script = (
        "import sys, kairos.agent.driver, kairos.agent.worker_setup, kairos.agent.outputs,"
        "kairos.agent.tools.catalogue,"
        "kairos.agent.model, kairos.agent.worker\n"
        "kairos.agent.tools.catalogue.catalogue()\n"
        "print([m for m in ('litellm', 'stamina', 'openai', 'httpx', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, cwd=home.data, check=True)
    assert done.stdout.strip() == b"[]"
