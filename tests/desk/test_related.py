"""What is related now, and what was related then."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.desk.desk import Desk
from kairos.desk.reading import repositories
from kairos.desk.related import related_now, related_then
from kairos.desk.remembering import claims
from kairos.errors import KairosError, UsageError


@pytest.fixture
def oids(commit: Any, repo: Any) -> list[str]:
    """Three commits of pay and billing; then pay is removed and tax comes with billing, three times."""
    made = [commit("pay.py", "billing.py") for _ in range(3)]
    repo.git("rm", "-q", "pay.py")
    return made + [commit("tax.py", "billing.py") for _ in range(3)]


def test_what_is_gone_is_related_to_nothing_any_more(desk: Desk, seeded: Any, oids: list[str]) -> None:
    here = repositories(desk).by_id[seeded.id]
    assert [r.path for r in related_now(desk.log, claims(desk), here, ["billing.py"], 5)] == ["tax.py"]
    assert related_now(desk.log, claims(desk), here, ["billing.py"], 0) == []


@pytest.mark.parametrize("of", ["commit", "name", "day"])
def test_the_past_answers_with_what_was_known_then(
    desk: Desk, seeded: Any, repo: Any, oids: list[str], of: str
) -> None:
    repo.git("tag", "old", oids[2])
    moment = {"commit": oids[2], "name": "old", "day": "2023-11-17"}[of]
    here = repositories(desk).by_id[seeded.id]
    assert [r.path for r in related_then(desk.log, here, ["billing.py"], 5, moment)] == ["pay.py"]


@pytest.mark.parametrize("moment", ["2023-99-01", "2023-11-17T99:00"])
def test_what_looks_like_a_time_and_is_none_is_refused(desk: Desk, seeded: Any, oids: list[str], moment: str) -> None:
    with pytest.raises(UsageError):
        related_then(desk.log, repositories(desk).by_id[seeded.id], ["billing.py"], 5, moment)


@pytest.mark.parametrize("moment", ["--output=/tmp/x", "no-such-branch", "f" * 40])
def test_what_is_no_commit_is_refused_and_never_an_option_of_git(
    desk: Desk, seeded: Any, oids: list[str], moment: str
) -> None:
    with pytest.raises(KairosError):
        related_then(desk.log, repositories(desk).by_id[seeded.id], ["billing.py"], 5, moment)
