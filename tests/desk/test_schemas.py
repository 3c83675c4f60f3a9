"""The schemas in docs are in step with the records."""

from __future__ import annotations

from pathlib import Path

from kairos.desk.schemas import schemas

DOCS = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_schemas_in_docs_are_in_step_with_the_code() -> None:
    assert {p.name: p.read_bytes() for p in DOCS.iterdir()} == schemas()
