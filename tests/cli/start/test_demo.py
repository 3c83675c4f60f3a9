"""`demo`: a whole day, offline."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from kairos.desk.records.system import DemoOut


def test_the_demo_goes_from_an_edit_to_a_dream_in_half_a_minute(kairos_apart: Any) -> None:
    said = kairos_apart("demo", "--json")
    assert said.code == 0, said.err
    demo = msgspec.convert(json.loads(said.out)["data"], DemoOut)
    assert demo.ok and demo.seconds < 30
    assert any(step.startswith("kairos undo") for step in demo.steps)
    assert "kairos dream" in demo.steps
