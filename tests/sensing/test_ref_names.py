"""A secret in the name of a ref is not stored, and the ref is still told apart from every other one."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.domain.events import GitMoved
from kairos.sensing.observing import load_refs, refs_row
from kairos.sensing.ref_names import RefNames
from kairos.sensing.refs import RefSnapshot

ONE, TWO = "ghp_" + "a1B2" * 9, "ghp_" + "c3D4" * 9


def names(told: list[Any]) -> set[str]:
    return {move.name for r in told if isinstance(r.event, GitMoved) for move in r.event.refs}


def stored(watch: Any) -> bytes:
    """Everything that the folder of the log holds, byte for byte."""
    return b"".join(p.read_bytes() for p in watch.log.path.parent.rglob("*") if p.is_file())


@pytest.mark.parametrize("command", [("branch",), ("tag",), ("update-ref", "refs/remotes/{}/main", "HEAD")])
def test_two_refs_with_secrets_in_their_names_stay_two_and_no_secret_is_stored(
    watch: Any, repo: Any, command: tuple[str, ...]
) -> None:
    verb, *rest = command
    told = []
    for token in (ONE, TWO):
        arguments = [word.format(token) for word in rest] or [f"fix-{token}"]
        told += watch.told(lambda arguments=arguments: repo.git(verb, *arguments))
    held = names(told)
    assert len(held) == 2
    assert all("[redacted github-token]" in name for name in held)
    assert ONE.encode() not in stored(watch) and TWO.encode() not in stored(watch)


def test_checked_out_renamed_and_moved_branches_are_told_once_each_across_restarts(watch: Any, repo: Any) -> None:
    repo.git("branch", f"fix-{ONE}")
    repo.git("branch", f"fix-{TWO}")
    before = {n for n in names(watch.start()) if n != "HEAD"}
    assert len(before) == 2
    assert watch.start() == [], "nothing is told twice"
    told = watch.told(lambda: repo.git("checkout", "-q", f"fix-{ONE}"))
    assert [r.event.what for r in told] == ["checkout"]
    assert told[0].event.head in before and "[redacted github-token]" in told[0].event.note
    told = watch.told(lambda: repo.commit("on it"))
    assert names(told) == {"HEAD", told[0].event.head}
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-m", f"fix-{TWO}", f"other-{TWO}")
    moves = [m for r in watch.start() if isinstance(r.event, GitMoved) for m in r.event.refs if m.name != "HEAD"]
    assert len(moves) == 2
    assert next(m.name for m in moves if m.new is None) in before
    assert ONE.encode() not in stored(watch) and TWO.encode() not in stored(watch)


def test_a_snapshot_of_an_earlier_version_tells_nothing_anew(watch: Any, repo: Any) -> None:
    repo.git("branch", f"fix-{ONE}")
    watch.start()
    there = load_refs(watch.log, watch.id)
    assert there is not None
    raw = {name if "redacted" not in name else f"refs/heads/fix-{ONE}": oid for name, oid in there.refs.items()}
    earlier = RefSnapshot(head=there.head, head_oid=there.head_oid, refs=raw)
    watch.log.append([], writes=[refs_row(watch.id, earlier)])
    assert watch.start() == []


def test_a_push_is_told_as_one_though_the_name_is_held_otherwise(watch: Any, repo: Any, tmp_path: Any) -> None:
    repo.git("init", "-q", "--bare", str(tmp_path / "remote"))
    repo.git("remote", "add", "origin", str(tmp_path / "remote"))
    repo.git("branch", f"fix-{ONE}")
    watch.start()
    told = watch.told(lambda: repo.git("push", "-q", "origin", f"fix-{ONE}"))
    assert [r.event.what for r in told] == ["other"], "as of any other branch"


def test_names_without_a_secret_are_held_as_they_are() -> None:
    snapshot = RefSnapshot(head="refs/heads/main", refs={"refs/heads/main": "a" * 40, "refs/tags/token-1": "b" * 40})
    assert RefNames(b"salt").held(snapshot) is snapshot


def test_the_hash_rests_on_the_salt_and_on_the_whole_name() -> None:
    def held(name: str, salt: bytes = b"salt") -> str:
        (found,) = RefNames(salt).held(RefSnapshot(refs={name: "a" * 40})).refs
        return found

    one = held(f"refs/heads/{ONE}")
    assert one == held(f"refs/heads/{ONE}")
    assert one != held(f"refs/heads/{TWO}")
    assert one != held(f"refs/heads/{ONE}", b"another home")
    assert held(one) == one
