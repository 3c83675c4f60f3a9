"""Says from a failed check's output what the sandbox does not provide. Only a guess for a person to read: it is asked
when the check fails without the patch too, and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_TAIL = 64 * 1024
"""So many last characters of an output are looked at."""


class Lack(NamedTuple):
    """Something that a command may miss in the sandbox: what it is, what to do, and how its absence shows."""

    what: str
    remedy: str
    signs: re.Pattern[str]


def _lack(what: str, remedy: str, *signs: str) -> Lack:
    return Lack(what, remedy, re.compile("|".join(signs), re.IGNORECASE | re.MULTILINE))


TERMINALS = _lack(
    "pseudo-terminals", "this kernel gives the sandbox none", r"\bpty\b", r"/dev/pts\b", r"/dev/ptmx\b", r"\bopenpty\b",
    r"\bforkpty\b", r"\bposix_openpt\b",
)  # fmt: skip
_LACKS = (
    _lack(
        "the network", "checks run without one; serve from a UNIX socket, or leave these tests out",
        r"temporary failure in name resolution", r"could not resolve host", r"name or service not known",
        r"network is unreachable", r"getaddrinfo", r"\bENOTFOUND\b", r"\bEAI_AGAIN\b", r"no route to host",
        r"socket[^\n]{0,200}operation not permitted", r"operation not permitted[^\n]{0,200}socket",
        r"socket\.py[^\0]{0,400}operation not permitted", r"\blisten E(PERM|ACCES)\b", r"bind[^\n]{0,80}(EPERM|EACCES)",
    ),
    _lack(
        "a debugger's view of other processes", "ptrace is refused", r"\bptrace\b",
        r"LeakSanitizer has encountered a fatal error",
    ),
    _lack(
        "namespaces inside the sandbox", "they are refused", r"\bunshare\b", r"clone_newuser", r"no usable sandbox",
        r"\bbwrap\b", r"creating new namespace",
    ),
    _lack(
        "a system call", "memfd_create and io_uring, among others, are refused", r"function not implemented",
        r"\bENOSYS\b", r"\bmemfd_create\b", r"\bio_uring\w*\b",
    ),
    _lack(
        "the system's services", "no bus, no container daemon and no init run in the sandbox", r"\bdocker\.sock\b",
        r"docker daemon", r"dbus", r"\bsystemd\b[^\n]{0,80}(not|fail)", r"cannot open display",
        r"\bdisplay\b[^\n]{0,40}not set",
    ),
    _lack(
        "more room", "it is limited: memory_mb of this check, and 256 MB of changes", r"no space left on device",
        r"disk quota exceeded", r"cannot allocate memory", r"\bMemoryError\b", r"resource temporarily unavailable",
    ),
    _lack(
        "a program or library of yours", "name its directory in read_roots of this check", r"command not found",
        r": not found$", r"no such file or directory: '?/(home|opt|srv|mnt)/", r"kairos: cannot run ",
        r"error while loading shared libraries",
    ),
    _lack("a writable system", "only the tree, /tmp and the home directory are", r"read-only file system"),
)  # fmt: skip


def lacking(output: str, missing: Sequence[str] = ()) -> list[Lack]:
    """What a failed command may have missed, most telling first. `missing`: the optional layers that its sandbox does
    not have, as `ConfinedRun.missing` names them."""
    text = output[-_TAIL:]
    rest = [lack for lack in _LACKS if lack.signs.search(text)]
    return [TERMINALS, *rest] if "terminals" in missing and TERMINALS.signs.search(text) else rest


def sentence(found: Sequence[Lack]) -> str:
    """A sentence for a card; empty if nothing was found."""
    if not found:
        return ""
    named = "; ".join(f"{lack.what} ({lack.remedy})" for lack in found[:3])
    return f"it could perhaps not run here because the sandbox does not provide {named}"
