"""A proposal is tried before anybody is asked, and what was not tried is said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.acting import confine
from kairos.acting.verifier import verify
from kairos.domain.action import Hunk, NoteAction
from kairos.domain.policy import parse
from kairos.errors import Stale, TryAgain
from kairos.settings import Check, Config

CHECK = ["/bin/sh", "-c", "grep -q two a.txt"]


def checked(bench: Any, command: list[str]) -> None:
    bench.config = Config(check={str(bench.root): Check(command=command, seconds=30)})


@pytest.fixture
def sandbox(bench: Any) -> None:
    if confine.tier(bench.home.scratch).name not in ("T2", "T3"):
        pytest.skip("this machine cannot confine commands")


def test_a_patch_that_applies_is_pending_and_says_that_nothing_was_run(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.state == "pending"
    assert p.verified is not None
    assert p.verified.ok
    assert "no check command" in p.verified.why
    assert (repo.root / "a.txt").read_text() == "one\n"


def test_a_note_needs_no_trial(bench: Any) -> None:
    assert bench.verified(NoteAction(repo=bench.repo, text="x")).state == "pending"


def test_a_patch_that_does_not_give_what_it_promises_is_withdrawn(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    action = bench.patch({"a.txt": "two\n"})
    lying = msgspec.structs.replace(action.edits[0], hunks=[Hunk(start=0, old=["one\n"], new=["evil\n"])])
    p = bench.verified(msgspec.structs.replace(action, edits=[lying]))
    assert p.state == "withdrawn"
    assert "does not apply" in p.why


def test_a_base_that_moved_already_is_stale(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    raised = bench.raised(bench.patch({"a.txt": "two\n"}))
    repo.write("a.txt", "mine\n")
    assert verify(bench.log, bench.home, bench.config, raised, bench.root).state == "stale"


def test_verifying_twice_a_closed_proposal_adds_nothing(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    done = bench.executed({"a.txt": "two\n"})
    head = bench.log.head()
    verify(bench.log, bench.home, bench.config, done, bench.root)
    assert bench.log.head() == head


def test_the_users_check_runs_on_the_patched_view_only(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, CHECK)
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None
    assert (p.state, p.verified.exit, p.verified.check) == ("pending", 0, CHECK)
    assert (repo.root / "a.txt").read_text() == "one\n"


@pytest.mark.parametrize("exits", [0, 3])
def test_a_secret_of_the_check_command_is_used_and_never_stored(
    bench: Any, repo: Any, sandbox: None, exits: int
) -> None:
    repo.write("a.txt", "one\n")
    command = ["/bin/sh", "-c", f'test "$2" = "o w l" || exit 9; exit {exits}', "x", "--token", "o w l"]
    checked(bench, command)
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None and p.verified.exit == exits, "the real value was given"
    assert p.verified.check == [*command[:-3], "x", "--token", "[redacted credential]"]
    stored = b"".join(f.read_bytes() for f in bench.log.path.parent.rglob("*") if f.is_file())
    assert b"--token" in stored and stored.count(b"o w l") == stored.count(b'= \\"o w l'), "only where it is compared"


def test_a_secret_that_the_output_is_cut_in_is_cut_whole(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "one\n")
    body = "A" * 63 + "\\n"
    key = f"-----BEGIN RSA PRIVATE KEY-----\\n{body * 200}-----END RSA PRIVATE KEY-----"
    checked(bench, ["/bin/sh", "-c", f"printf -- '{key}\\nend'; exit 3"])
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None
    assert p.verified.output == "[redacted private-key]\nend"


def test_a_check_that_fails_only_with_the_patch_withdraws_it(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "two\n")
    checked(bench, CHECK)
    p = bench.verified(bench.patch({"a.txt": "three\n"}))
    assert p.state == "withdrawn"
    assert p.why.startswith("your check command fails with the patch")


def test_a_check_that_fails_without_the_patch_too_is_only_mentioned(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, ["/bin/sh", "-c", "echo broken; exit 3"])
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None
    assert (p.state, p.verified.exit) == ("pending", 3)
    assert "without it too" in p.verified.why
    assert "broken" in p.verified.output


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("python3 -c 'import socket; socket.socket().bind((\"127.0.0.1\", 0))'", "the network"),
        ("no-such-runner-anywhere --all", "a program or library of yours"),
        ("echo > /etc/x", "a writable system"),
        ("python3 -c 'import os; os.memfd_create(\"x\")'", "a system call"),
        ("head -c 300M /dev/zero > big", "more room"),
        ("echo wrong; exit 1", None),
    ],
)
def test_what_the_sandbox_does_not_provide_is_not_blamed_on_the_patch(
    bench: Any, repo: Any, sandbox: None, command: str, named: str | None
) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, ["/bin/sh", "-c", command])
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None and p.state == "pending"
    assert "without it too" in p.verified.why
    assert ("could perhaps not run here" in p.verified.why) == (named is not None)
    assert (named or "") in p.verified.why


def test_a_patch_that_brings_a_socket_is_blamed_for_it(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("t.py", "pass\n")
    checked(bench, ["/usr/bin/env", "python3", "t.py"])
    p = bench.verified(bench.patch({"t.py": "import socket; socket.socket()\n"}))
    assert p.state == "withdrawn" and p.why.startswith("your check command fails with the patch")


def test_without_a_sandbox_the_check_is_not_run_and_the_proposal_says_so(
    bench: Any, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree that holds the person's home cannot be confined."""
    repo.write("a.txt", "one\n")
    (repo.root / "me").mkdir()
    monkeypatch.setenv("HOME", str(repo.root / "me"))
    checked(bench, ["/bin/sh", "-c", "true"])
    p = bench.verified(bench.patch({"a.txt": "two\n"}), policy=allowing(bench))
    assert p.verified is not None
    assert (p.state, p.verified.exit) == ("pending", None)
    assert "not run" in p.verified.why


def test_a_scratch_tree_that_cannot_be_made_is_tried_again(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, CHECK)
    raised = bench.raised(bench.patch({"a.txt": "two\n"}))
    bench.home.scratch.rmdir()
    bench.home.scratch.write_text("in the way")
    with pytest.raises(TryAgain):
        verify(bench.log, bench.home, bench.config, raised, bench.root)
    assert bench.of(raised.id).state == "raised"


ALLOW = """mode = "auto"
[[rule]]
name = "text"
effect = "allow"
kind = "patch"
paths = ["*.txt"]
"""


def allowing(bench: Any) -> Any:
    import tomllib

    bench.home.policy_file.write_text(ALLOW)
    return parse(tomllib.loads(ALLOW), "policy.toml")


def test_an_allow_rule_of_the_person_approves_after_verification(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}), policy=allowing(bench))
    assert p.state == "approved"
    assert p.approved is not None
    assert p.approved.by == "rule:text"
    assert bench.execute(p).state == "executed"


def test_an_allow_rule_never_approves_high_risk_or_what_a_check_speaks_against(
    bench: Any, repo: Any, sandbox: None
) -> None:
    policy = allowing(bench)
    repo.write("a.txt", "one\n")
    executable = bench.verified(bench.patch({"a.txt": ("two\n", 0o755)}), policy=policy)
    assert (executable.raised.risk, executable.state) == ("high", "pending")
    checked(bench, ["/bin/false"])
    assert bench.verified(bench.patch({"a.txt": "two\n"}), policy=policy).state == "pending"


def test_an_allow_rule_written_after_raising_does_not_approve(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    raised = bench.raised(bench.patch({"a.txt": "two\n"}))
    allowing(bench)
    assert verify(bench.log, bench.home, bench.config, raised, bench.root).state == "pending"


def test_what_policy_denies_by_now_is_withdrawn(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    raised = bench.raised(bench.patch({"a.txt": "two\n"}))
    bench.home.policy_file.write_text('[[rule]]\nname = "no"\neffect = "deny"\n')
    p = verify(bench.log, bench.home, bench.config, raised, bench.root)
    assert (p.state, p.why) == ("withdrawn", "your rule `no` says deny")


def test_a_rule_that_is_taken_back_before_the_run_no_longer_says_yes(bench: Any, repo: Any) -> None:
    repo.write("a.txt", "one\n")
    p = bench.verified(bench.patch({"a.txt": "two\n"}), policy=allowing(bench))
    bench.home.policy_file.unlink()
    with pytest.raises(Stale, match="no longer allows"):
        bench.execute(p)
    assert (bench.of(p.id).state, (repo.root / "a.txt").read_text()) == ("pending", "one\n")


def test_a_passing_check_says_how_it_ended_before(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, ["/bin/sh", "-c", "grep -c two a.txt"])
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None
    assert (p.verified.exit, p.verified.output) == (0, "1\n")
    assert (p.verified.before_exit, p.verified.before_output) == (1, "0\n")


def test_a_failing_check_always_says_how_it_ended_before(bench: Any, repo: Any, sandbox: None) -> None:
    repo.write("a.txt", "one\n")
    checked(bench, ["/bin/sh", "-c", "exit 3"])
    p = bench.verified(bench.patch({"a.txt": "two\n"}))
    assert p.verified is not None
    assert (p.verified.exit, p.verified.before_exit) == (3, 3)
