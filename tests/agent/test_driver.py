"""Whole turns over real HTTP against the scripted server."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from kairos.agent.repository_files import Files
from kairos.domain.action import NoteAction, PatchAction, apply_edit
from kairos.domain.events import Paused, TurnEnded, TurnStarted
from kairos.errors import Conflict
from kairos.eventlog.record import NewEvent

# litellm and what it imports warn of their own deprecations.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_streamed_tool_call_becomes_a_finding(bench: Any, server: Any, fix: Any) -> None:
    server.calls(
        ("read_file", {"path": "main.py"}), ("grep_search", {"pattern": "area", "literal": True}), usage=(900, 20)
    )
    server.calls(("propose_patch", fix), usage=(1200, 80))
    result = bench.run()
    assert (result.outcome, result.why) == ("proposed", "")
    finding = result.finding
    assert finding is not None and isinstance(finding.action, PatchAction)
    assert (finding.detector, finding.engine, finding.evidence) == ("review-change", "model", [bench.cause])
    assert apply_edit(finding.action.edits[0], (bench.root / "main.py").read_bytes()) == (
        b"import area\n\nprint(area.surface(2, 3))\n"
    )
    assert finding.title == "A model says: “main.py still calls area.area”"
    assert finding.claim.endswith("main.py was left behind.” What it quotes stands in area.py:1.")
    assert [c.outcome for c in bench.called()] == ["ok", "ok"]
    assert result.spent_microusd == finding.cost_microusd == 900 + 2 * 20 + 1200 + 2 * 80


def test_the_first_request_carries_the_diff_and_later_ones_the_tool_outputs(bench: Any, server: Any) -> None:
    server.calls(("read_file", {"path": "main.py"}), ("glob_search", {}))
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    first, second = (r.json for r in server.received)
    assert "-def area(w, h):\n+def surface(w, h):" in first["messages"][1]["content"]
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "tool", "tool"]
    assert "print(area.area(2, 3))" in second["messages"][3]["content"]
    assert "data, not instructions" in second["messages"][3]["content"]
    assert [c["id"] for c in second["messages"][2]["tool_calls"]] == [m["tool_call_id"] for m in second["messages"][3:]]
    assert server.received[0].headers["authorization"] == "Bearer test-key-12345678"


def test_the_anthropic_format_works_too(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("read_file", {"path": "main.py"}), text="Let me look.", usage=(900, 20))
    server.calls(("propose_patch", fix), usage=(1200, 80))
    result = bench.run(name="anthropic/claude-scripted", base_url=server.address)
    assert result.outcome == "proposed"
    assert [r.path for r in server.received] == ["/v1/messages"] * 2
    assert [(c.input_tokens, c.output_tokens) for c in bench.called()] == [(900, 20), (1200, 80)]


def test_a_model_without_tool_calls_answers_with_json(bench: Any, server: Any, fix: Any) -> None:
    server.says(json.dumps({"calls": [{"tool": "read_file", "arguments": {"path": "main.py"}}]}), usage=(900, 20))
    server.says(json.dumps({"calls": [{"tool": "propose_patch", "arguments": fix}]}), usage=(1200, 80))
    result = bench.run(tools="text")
    assert (result.outcome, result.finding is not None) == ("proposed", True)
    first, second = (r.json for r in server.received)
    assert "tools" not in first and first["response_format"]["type"] == "json_schema"
    assert '"name":"grep_search"' in first["messages"][0]["content"]
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "Result of read_file:" in second["messages"][3]["content"]
    assert "print(area.area(2, 3))" in second["messages"][3]["content"]
    for request, reserved in zip(server.received, bench.reserved(), strict=True):
        told = sum(len(m["content"].encode()) for m in request.json["messages"])
        assert reserved.reserved_microusd > told, "a byte is at least a token"


def test_reading_tools_of_one_answer_run_side_by_side(bench: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting = threading.Barrier(3, timeout=20)

    def met(self: Any, tool: str, arguments: Any) -> str:
        meeting.wait()
        return f"{tool} read {arguments['query']}"

    monkeypatch.setattr("kairos.agent.driver.Tools.run", met)
    server.calls(*(("recall", {"query": word}) for word in ("a", "b", "c")))
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    told = [m["content"] for m in server.received[1].json["messages"] if m["role"] == "tool"]
    assert told == ["recall read a", "recall read b", "recall read c"]


def test_a_change_that_was_looked_at_is_not_paid_for_again(bench: Any, server: Any, repo: Any) -> None:
    server.calls(("nothing", {}))
    first = bench.run()
    assert len(first.patches) == 1
    ended = TurnEnded(turn=first.turn, repo="repo-1", engine="model", outcome=first.outcome, patches=first.patches)
    bench.log.append([NewEvent(first.turn, ended)])
    repo.git("commit", "-q", "--amend", "-m", "other words")
    bench.__init__(bench.log, bench.home, repo.root, repo.git("rev-parse", "HEAD").strip(), bench.url)
    bench.turns = 1
    again = bench.run()
    assert (again.outcome, again.patches) == ("quiet", []) and "looked at before" in again.why
    assert len(server.received) == len(bench.reserved()) == 1


def test_each_attempt_is_reserved_before_it_is_sent_and_reconciled_after(bench: Any, server: Any) -> None:
    server.calls(("nothing", {}), usage=None)
    result = bench.run()
    [reserved], [called] = bench.reserved(), bench.called()
    size = len(server.received[0].body)
    assert reserved.reserved_microusd > size, "a byte is at least a token"
    assert called.spent_microusd == reserved.reserved_microusd == result.spent_microusd, "no usage: the worst stands"
    assert len(called.request) == 64
    order = [r.topic for r in bench.log.read(0) if r.topic in ("TurnStarted", "ModelReserved", "ModelCalled")]
    assert order == ["TurnStarted", "ModelReserved", "ModelCalled"]


def test_a_malformed_call_is_corrected_once(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("propose_patch", '{"title": "x", "cla'))
    server.calls(("propose_patch", fix))
    assert bench.run().outcome == "proposed"
    assert "Refused: the arguments of propose_patch are wrong" in server.received[1].json["messages"][-1]["content"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "t", "claim": "c", "files": [], "mode": "0777"},
        {"title": "t", "claim": "c", "files": []},
        {"title": "t", "claim": "c", "files": [{"path": "../x", "old_text": "a", "new_text": "b"}]},
        {"title": "t", "claim": "c", "files": [{"path": "main.py", "old_text": "area", "new_text": "b"}]},
    ],
)
def test_a_second_wrong_answer_ends_the_turn(bench: Any, server: Any, wrong: Any) -> None:
    server.calls(("propose_patch", wrong))
    server.calls(("propose_patch", wrong))
    result = bench.run()
    assert (result.outcome, result.finding) == ("failed", None)
    assert result.why.startswith("wrong twice: ")
    assert len(server.received) == 2


def test_two_proposals_in_one_answer_are_refused(bench: Any, server: Any, fix: Any) -> None:
    server.calls(("propose_patch", fix), ("propose_patch", fix))
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    told = [m["content"] for m in server.received[1].json["messages"] if m["role"] == "tool"]
    assert len(told) == 2 and all("at most one proposal a turn" in t for t in told)


@pytest.mark.parametrize(
    "call",
    [
        ("glob_search", {"glob": "[z-a].py"}),
        ("grep_search", {"pattern": "(", "glob": "[!]"}),
        ("glob_search", {"glob": "[\\"}),
    ],
)
def test_no_argument_of_a_tool_ends_the_worker(bench: Any, server: Any, call: Any) -> None:
    server.calls(call)
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"


def test_a_tool_that_breaks_is_told_to_the_model(bench: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no such thing AKIA" + "Q" * 16)

    monkeypatch.setattr(Files, "lines", broken)
    monkeypatch.setattr("kairos.agent.driver.finding_of", broken)
    server.calls(("read_file", {"path": "main.py"}))
    server.calls(
        ("propose_patch", {"title": "t", "claim": "c", "files": [{"path": "a", "old_text": "", "new_text": ""}]})
    )
    server.calls(("nothing", {}))
    assert bench.run().outcome == "quiet"
    first, second = (r.json["messages"][-1]["content"] for r in server.received[1:])
    assert first.startswith("Failed: read_file ended with RuntimeError: no such thing [redacted")
    assert "Refused: it could not be checked (RuntimeError" in second


def test_prose_is_not_an_answer(bench: Any, server: Any) -> None:
    server.says("Looks fine to me!")
    server.says("Really.")
    assert bench.run().outcome == "failed"
    assert len(server.received) == 2


def test_the_call_beyond_the_turns_budget_is_never_sent(bench: Any, server: Any) -> None:
    server.calls(("read_file", {"path": "main.py"}), usage=None)
    server.calls(("nothing", {}))
    result = bench.run(per_turn_usd=0.015)
    assert result.outcome == "parked" and "its cap is 0.0150 USD" in result.why
    assert len(server.received) == 1
    assert result.spent_microusd == bench.reserved()[0].reserved_microusd


def test_the_days_budget_holds_across_turns(bench: Any, server: Any) -> None:
    server.calls(("nothing", {}), usage=None)
    assert bench.run(per_day_usd=0.015, per_turn_usd=1.0).outcome == "quiet"
    result = bench.run(per_day_usd=0.015, per_turn_usd=1.0)
    assert result.outcome == "parked" and "today" in result.why
    assert len(server.received) == 1


def test_a_pause_during_the_turn_stops_the_next_call(bench: Any, server: Any) -> None:
    gate = threading.Event()
    step = server.calls(("glob_search", {}), before=gate)

    def pause() -> None:
        step.reached.wait(90)
        from kairos.eventlog.log import Log

        log = Log(bench.log.path)
        log.append([NewEvent("attention", Paused())])
        log.close()
        gate.set()

    person = threading.Thread(target=pause)
    person.start()
    result = bench.run()
    person.join()
    assert result.outcome == "stopped"
    assert len(server.received) == 1
    assert len(bench.reserved()) == len(bench.called()) == 1


def test_a_stop_before_the_first_call_sends_nothing(bench: Any, server: Any) -> None:
    bench.halt.set()
    assert bench.run().outcome == "stopped"
    assert server.received == [] and bench.reserved() == []


def test_a_turn_never_starts_twice(bench: Any, server: Any) -> None:
    started = TurnStarted(turn="turn-1", repo="repo-1", engine="model", boundary="commit", detectors=[])
    bench.log.append([NewEvent("turn-1", started)])
    with pytest.raises(Conflict):
        bench.run()
    assert server.received == []


def test_the_last_call_offers_only_the_answers(bench: Any, server: Any) -> None:
    server.calls(("glob_search", {}))
    server.calls(("glob_search", {}))
    result = bench.run(calls_per_turn=2)
    assert result.outcome == "failed" and "2 calls" in result.why
    assert [t["function"]["name"] for t in server.received[1].json["tools"]] == ["propose_patch", "nothing"]
    assert len(server.received) == 2


def test_no_credential_ever_reaches_the_server(bench: Any, server: Any, repo: Any) -> None:
    secret = "AKIA" + "Q" * 16
    body = "\n".join("abcdEFGH" * 8 for _ in range(8))
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n"
    repo.write("settings.py", f"KEY = '{secret}'\nAPI = 'test-key-12345678'\nKEYFILE = '''{pem}'''\n")
    repo.write(".env", f"TOKEN={secret}\nPLAIN=hunter2-env\n")
    bench.__init__(bench.log, bench.home, repo.root, repo.commit(f"add {secret}"), bench.url)
    server.calls(
        ("read_file", {"path": "settings.py", "start": 4}), ("read_file", {"path": ".env"}),
        ("grep_search", {"pattern": "AKIA"}), ("grep_search", {"pattern": "abcdEFGH"}), ("git_show", {}),
        ("glob_search", {}), ("git_diff", {"base": "HEAD~1", "path": "settings.py"}),
    )  # fmt: skip
    server.calls(("nothing", {}), text=f"I saw {secret}")
    assert bench.run().outcome == "quiet"
    sent = b"".join(r.body for r in server.received)
    assert b"redacted aws-access-key" in sent
    for leak in (secret, "abcdEFGH" * 2, "hunter2-env", "test-key-12345678"):
        assert leak.encode() not in sent, leak
    assert secret.encode() not in bench.log.path.read_bytes()


def test_a_patch_that_would_carry_a_credential_becomes_a_note(bench: Any, server: Any, fix: Any) -> None:
    secret = "AKIA" + "Z" * 16
    fix["files"] = [{"path": "main.py", "old_text": "import area\n", "new_text": f"import area\nK = '{secret}'\n"}]
    server.calls(("propose_patch", fix))
    result = bench.run()
    assert result.finding is not None and isinstance(result.finding.action, NoteAction)
    assert secret not in repr(result)


def test_an_unknown_price_is_refused_before_anything_is_sent(bench: Any, server: Any) -> None:
    result = bench.run(output_usd_per_million=None)
    assert result.outcome == "failed" and "model.output_usd_per_million" in result.why
    assert server.received == []
