"""The tools of a model on the repository of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kairos.agent.repository_files import Files
from kairos.agent.tools.reading import Tools


@pytest.fixture
def run(repo: Any, files_of: Callable[[Any], Files]) -> Callable[..., str]:
    """Calls one tool by its name and arguments; one thing is remembered."""
    return lambda tool, **arguments: Tools(files_of(repo), ["tests follow main.py"]).run(tool, arguments)
