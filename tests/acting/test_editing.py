"""A person's change of a patch is recorded once, against the tree as it is."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.acting import editing
from kairos.domain.patch_text import applied, printed
from kairos.errors import Stale


def test_the_digest_that_was_read_is_the_one_that_is_edited(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    pending = bench.verified(bench.patch({"a.txt": "two\n"}))
    base = editing.base_of(bench.log, pending)
    assert base == {"a.txt": b"one\n"}
    text = printed(pending.raised.action.edits, base).replace("+two", "+three")

    def make(action: Any, base: Any, read: Any) -> Any:
        return applied(text, read, action.repo), "you edited the patch"

    with pytest.raises(Stale, match="revised"):
        editing.revise_patch(bench.log, bench.home, pending.id, "0" * 64, make)
    done = editing.revise_patch(bench.log, bench.home, pending.id, pending.raised.digest, make)
    assert done.proposal.edited == pending.raised.digest
    assert bench.log.at(done.position).origin == "user"
    with pytest.raises(Stale):
        editing.revise_patch(bench.log, bench.home, pending.id, pending.raised.digest, make)


def test_a_decided_proposal_is_not_edited(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    approved = bench.approved(bench.patch({"a.txt": "two\n"}))
    with pytest.raises(Stale, match="approved"):
        editing.revise_patch(bench.log, bench.home, approved.id, approved.raised.digest, lambda a, b, r: (a, "x"))
