"""The messages of a turn: credentials cut from each, ids unique, arguments always an object, bounded in size."""

from __future__ import annotations

import json

import pytest

from kairos.agent.conversation import COMPACTED, REQUEST_AT_MOST, Conversation
from kairos.agent.outputs import ToolCall
from kairos.agent.trouble import Answer

CREDENTIAL = "AKIA" + "Q3EXAMPLE7ZLMN4T"


def conversation(*opening: str) -> Conversation:
    return Conversation([{"role": "user", "content": text} for text in opening], lambda t: t.replace("my-key", "[key]"))


def answer(text: str, *calls: ToolCall) -> Answer:
    return Answer(text=text, calls=list(calls), usage=None)


def test_every_message_is_cut_of_credentials_and_of_the_users_own_key() -> None:
    talk = conversation(f"opening {CREDENTIAL} my-key")
    talk.say(f"said {CREDENTIAL} my-key")
    talk.reply("c1", f"replied {CREDENTIAL} my-key")
    call = ToolCall("c2", "read_file", json.dumps({"path": f"{CREDENTIAL} my-key"}))
    talk.answered(answer(f"answered {CREDENTIAL} my-key", call))
    sent = json.dumps(talk.messages)
    assert CREDENTIAL not in sent and "my-key" not in sent and sent.count("[key]") == 5


def test_calls_with_one_id_get_different_ones_and_the_message_says_the_same() -> None:
    talk = conversation()
    calls = talk.answered(answer("", *(ToolCall("same", "grep", "{}") for _ in range(3))))
    ids = [c.id for c in calls]
    assert len(set(ids)) == 3 and ids[0] == "same"
    assert [c["id"] for c in talk.messages[-1]["tool_calls"]] == ids
    assert talk.messages[-1]["content"] is None


@pytest.mark.parametrize(
    "arguments", ["", "{", "[1]", '"text"', "null", '{"a": "' + "x" * 16_000 + '"}', "[" * 100_000, '{"a": "\ud800"}']
)
def test_arguments_go_back_as_a_json_object_whatever_came(arguments: str) -> None:
    talk = conversation()
    talk.answered(answer("", ToolCall("c", "grep", arguments)))
    assert isinstance(json.loads(talk.messages[-1]["tool_calls"][0]["function"]["arguments"]), dict)


def test_a_tool_name_goes_back_in_letters_that_servers_take() -> None:
    talk = conversation()
    talk.answered(answer("", *(ToolCall(str(n), name, "{}") for n, name in enumerate(("a b/ü", "", "x" * 99)))))
    names = [c["function"]["name"] for c in talk.messages[-1]["tool_calls"]]
    assert names == ["a_b__", "unknown", "x" * 64]


def test_replies_fit_into_what_room_the_request_has() -> None:
    talk = conversation("x" * 50_000)
    talk.reply("1", "y" * 200_000)
    talk.reply("2", "z" * 200_000)
    assert talk.measure([], "m")[0] < REQUEST_AT_MOST
    assert "has read all it may" in talk.messages[-1]["content"]


def test_old_results_make_room_for_new_ones_and_no_call_loses_its_result() -> None:
    talk = conversation("look")
    for turn in range(12):
        calls = talk.answered(answer("", ToolCall(f"a{turn}", "grep", "{}"), ToolCall(f"b{turn}", "grep", "{}")))
        for call in calls:
            talk.reply(call.id, f"{call.id} " + "y" * 15_000)
        assert talk.measure([], "m")[0] < REQUEST_AT_MOST
    made = [c["id"] for m in talk.messages if m["role"] == "assistant" for c in m["tool_calls"]]
    replied = {m["tool_call_id"]: m["content"] for m in talk.messages if m["role"] == "tool"}
    assert list(replied) == made
    kept = [id_ for id_, text in replied.items() if text != COMPACTED]
    assert kept == made[-len(kept) :] and len(kept) >= 6
    assert all(replied[id_].startswith(f"{id_} y") for id_ in kept)


def test_the_measure_bounds_the_bytes_and_names_the_request() -> None:
    talk = conversation("größe")
    tokens, name = talk.measure([{"name": "grep"}], "m")
    assert tokens >= len("größe".encode())
    assert len({name, talk.measure([], "m")[1], talk.measure([{"name": "grep"}], "n")[1]}) == 3
    assert talk.measure([{"name": "grep"}], "m") == (tokens, name)


def test_text_that_is_no_text_can_still_be_sent() -> None:
    talk = conversation("half \ud800 a pair, a byte \udce9")
    assert talk.messages[0]["content"] == "half \\ud800 a pair, a byte \\udce9"
