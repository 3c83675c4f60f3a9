"""What a turn with a model may call."""

from __future__ import annotations

import msgspec

from kairos.desk.records.system import ToolOut


def tools() -> list[ToolOut]:
    """Every tool, with its level and the JSON Schema of its arguments."""
    from kairos.agent.tools.catalogue import catalogue

    return msgspec.convert(catalogue(), list[ToolOut])
