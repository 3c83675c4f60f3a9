"""A desk on the private home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from kairos.desk.desk import Desk
from kairos.home import Home


@pytest.fixture
def desk(home: Home) -> Iterator[Desk]:
    with closing(Desk()) as opened:
        yield opened
