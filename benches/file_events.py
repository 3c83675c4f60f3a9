"""The peer of `agent_events`: an agent's events in one JSON file each, as the OpenHands Software Agent SDK has them.

Written from its published design (arXiv 2511.03690) and the layout of its public source: a store that keeps every path
beneath its root and its last contents in memory; `events/event-00000-ID.json`, listed and matched by name to build an
index; each file read as text and validated by pydantic, where a `kind` names the class: once for the event, once more
for the action or the observation inside it.
"""

from __future__ import annotations

import inspect
import os
import re
from abc import ABC
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, computed_field, field_validator, model_validator

ROOT = "root"
NAME = re.compile(r"^event-(?P<index>\d{5,})-(?P<id>[0-9a-fA-F\-]{8,})\.json$")


class Kinded(BaseModel):
    """A model that tells its class. Data for an abstract one is read as the class it names."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kinds: ClassVar[dict[str, type[Kinded]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.kinds[cls.__name__] = cls

    @computed_field  # type: ignore[prop-decorator]
    @property
    def kind(self) -> str:
        return type(self).__name__

    @model_validator(mode="wrap")
    @classmethod
    def _as_named(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if isinstance(data, cls):
            return data
        if not (inspect.isabstract(cls) or ABC in cls.__bases__):
            if any(name != "kind" and field.alias == "kind" for name, field in cls.model_fields.items()):
                return handler(data)  # what a tool calls its own argument `kind`
            data.pop("kind", None)
            return handler(data)
        named = cls.kinds[data.pop("kind", None)]
        if not issubclass(named, cls):
            raise ValueError(f"{named.__name__} is no {cls.__name__}")
        return named.model_validate(data)


class Text(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    cache_prompt: bool = False
    type: Literal["text"] = "text"
    text: str


class Image(BaseModel):
    cache_prompt: bool = False
    type: Literal["image"] = "image"
    image_urls: list[str]


class ToolCall(BaseModel):
    """What the model asked for; `arguments` is JSON in a text."""

    id: str
    name: str
    arguments: str
    origin: Literal["completion", "responses"]


class Action(Kinded, ABC):
    pass


class TerminalAction(Action):
    command: str
    is_input: bool = False
    timeout: float | None = None
    reset: bool = False


class Observation(Kinded, ABC):
    content: list[Text | Image] = []
    is_error: bool = False


class Metadata(BaseModel):
    exit_code: int = -1
    pid: int = -1
    working_dir: str | None = None
    prefix: str = ""
    suffix: str = ""


class TerminalObservation(Observation):
    command: str | None
    exit_code: int | None = None
    timeout: bool = False
    metadata: Metadata


class Event(Kinded, ABC):
    id: str
    timestamp: str
    source: Literal["agent", "user", "environment"]
    parent_id: str | None = None

    @field_validator("id")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value == ROOT:
            raise ValueError(f"{ROOT} is the parent of the first event, not an event")
        return value


class ActionEvent(Event):
    thought: list[Text]
    action: Action | None = None
    tool_name: str
    tool_call_id: str
    tool_call: ToolCall
    llm_response_id: str
    security_risk: Literal["UNKNOWN", "LOW", "MEDIUM", "HIGH"] = "UNKNOWN"
    summary: str | None = None


class ObservationEvent(Event):
    tool_name: str
    tool_call_id: str
    observation: Observation
    action_id: str


class SystemPromptEvent(Event):
    system_prompt: Text


class Files:
    """Texts by path beneath a root, the last of them also in memory."""

    def __init__(self, root: str, entries: int = 500, memory: int = 20 << 20) -> None:
        self._root = os.path.abspath(root)
        self._last: OrderedDict[str, str] = OrderedDict()
        self._entries, self._memory, self._held = entries, memory, 0

    def _full(self, path: str) -> str:
        full = os.path.abspath(os.path.normpath(os.path.join(self._root, path)))
        if os.path.commonpath([self._root, full]) != self._root:
            raise ValueError(f"{path} leads out of {self._root}")
        return full

    def names(self, folder: str) -> list[str]:
        found = [os.path.join(folder, name) for name in os.listdir(self._full(folder))]
        return [path + "/" if os.path.isdir(self._full(path)) else path for path in found]

    def read(self, path: str) -> str:
        full = self._full(path)
        if full in self._last:
            self._last.move_to_end(full)
            return self._last[full]
        if not os.path.exists(full):
            raise FileNotFoundError(path)
        with open(full, encoding="utf-8") as file:
            text = file.read()
        self._last[full] = text
        self._held += len(text)
        while self._held > self._memory or len(self._last) > self._entries:
            self._held -= len(self._last.popitem(last=False)[1])
        return text


def replay(root: str) -> Iterator[Event]:
    """Every event of the store, in order, from nothing in memory."""
    files = Files(root)
    index = {}
    for path in files.names("events"):
        if match := NAME.match(path.rpartition("/")[2]):
            index[int(match["index"])] = match["id"]
    for number in range(len(index)):
        yield Event.model_validate_json(files.read(f"events/event-{number:05d}-{index[number]}.json"))
