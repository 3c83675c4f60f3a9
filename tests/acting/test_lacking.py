"""What a check missed in the sandbox is guessed from its output, for a person to read."""

from __future__ import annotations

import pytest

from kairos.acting.lacking import lacking, sentence

TOLD = {
    "the network": [
        "socket.gaierror: [Errno -3] Temporary failure in name resolution",
        "curl: (6) Could not resolve host: example.org",
        "Error: getaddrinfo ENOTFOUND registry.example.org",
        "dial tcp 10.0.0.1:80: connect: network is unreachable",
        '  File "/usr/lib/python3.11/socket.py", line 232, in __init__\n    _socket.socket.__init__(self)\n'
        "PermissionError: [Errno 1] Operation not permitted",
        "Error: listen EPERM: operation not permitted 127.0.0.1:3000",
    ],
    "a debugger's view of other processes": [
        "==12==LeakSanitizer has encountered a fatal error.",
        "strace: ptrace(PTRACE_SEIZE): Operation not permitted",
    ],
    "namespaces inside the sandbox": [
        "unshare: unshare failed: Operation not permitted",
        "bwrap: Creating new namespace",
    ],
    "a system call": ["OSError: [Errno 38] Function not implemented", "io_uring_setup failed: ENOSYS"],
    "the system's services": [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
        "qt: could not open: cannot open display :0",
    ],
    "more room": ["write error: No space left on device", "MemoryError", "fork: Resource temporarily unavailable"],
    "a program or library of yours": [
        "make: 1: sh: poetry: not found",
        "bash: line 1: cargo-nextest: command not found",
        "kairos: cannot run tox",
    ],
    "a writable system": ["touch: cannot touch '/var/lib/x': Read-only file system"],
}
CASES = [(what, output) for what, outputs in TOLD.items() for output in outputs]


@pytest.mark.parametrize(("what", "output"), CASES)
def test_what_is_missing_is_named(what: str, output: str) -> None:
    found = lacking(f"collected 3 items\n{output}\n1 failed\n")
    assert what in [lack.what for lack in found]
    assert what in sentence(found) and found[0].remedy


@pytest.mark.parametrize(
    "output",
    [
        "", "FAILED tests/test_a.py::test_b - assert 1 == 2", "PermissionError: [Errno 13] Permission denied: 'a'",
        "error[E0425]: cannot find value `x` in this scope", "ModuleNotFoundError: No module named 'billing'",
        "404 not found in the cache of pages", "empty", "test_pty passed",
    ],
)  # fmt: skip
def test_an_ordinary_failure_names_nothing(output: str) -> None:
    assert lacking(output) == [] and sentence([]) == ""


@pytest.mark.parametrize(
    "output", ["OSError: out of pty devices", "forkpty() failed", "open /dev/ptmx: no such file or directory"]
)
def test_terminals_are_named_only_where_the_sandbox_has_none(output: str) -> None:
    assert [lack.what for lack in lacking(output, ("cgroup", "terminals"))][:1] == ["pseudo-terminals"]
    assert "pseudo-terminals" not in [lack.what for lack in lacking(output, ("cgroup",))]


def test_a_long_output_is_read_at_its_end_and_takes_little_time() -> None:
    assert lacking("no space left on device\n" + "x" * 100_000) == []
    assert lacking("socket " * 200_000 + "\nnetwork is unreachable")[0].what == "the network"
