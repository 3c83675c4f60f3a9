"""Whatever the detectors, a memory and the gate say of a file, forgetting the file leaves nothing of it in the log."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest

from kairos.acting.worktree import NotPlain, WorkTree
from kairos.detectors.looking import ALL
from kairos.domain import events as ev
from kairos.domain.finding import Finding
from kairos.domain.inert import as_text, code_span
from kairos.domain.policy import Policy
from kairos.domain.raising import raise_findings
from kairos.eventlog.cold.forgetting import forget_paths
from kairos.eventlog.cold.verify import verify_log
from kairos.eventlog.log import Log
from kairos.eventlog.record import NewEvent
from kairos.memory.sentences import sentence

AWS = "AKIAQ3EGRT5HZX7WLMNP"
HEAD, TAIL = "Qzhead", "Qztail"
FOLDER = "f" * 100 + "/"
MIDDLES = {
    "plain": "",
    "as long as a name can be": "m" * (255 - len(HEAD + TAIL)),
    "in deep folders": f"/{FOLDER * 3}",
    "line ends": "a\nb\r\tc\n",
    "not UTF-8": os.fsdecode(b"\xff\xe9 caf\xe9"),
    "bidi, ANSI and fillers": "\u202e\x1b[31m\u200b\u3164\ufe0f",
    "quotes": "it's \"so\"",
    "backslashes": "a\\b\\n",
    "Markdown": "`a` *b* [c](d) <e>",
    "long and not UTF-8": os.fsdecode(b"\xff" * 60) + "\n" * 60,
}  # fmt: skip


def found(repo: Any, see: Any, path: str) -> list[Finding]:
    """What each detector says of a file that is all they look for."""
    repo.write(path, f"x = 1\nAWS={AWS}\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> side\n")
    scenes = [see("baseline"), see("burst", path)]
    repo.git("add", "--", f":(literal){path}")
    said = [f for scene in [*scenes, see("burst", path)] for detector in ALL for f in detector.look(scene)]
    repo.commit("it")
    return said + [f for scene in (see("commit"), see("baseline")) for detector in ALL for f in detector.look(scene)]


def said_of(path: str, findings: list[Finding], tree: WorkTree) -> list[ev.Event]:
    """Events that tell of a file in words."""
    names = ev.name_fields(path)
    told: list[ev.Event] = [
        ev.FilesChanged(repo="r", burst="b", part=1, parts=1, changes=[ev.Change(kind="created", **names)]),
        ev.MemoryInvalidated(id="m", why="dead_reference", detail=f"{code_span(path)} is not in HEAD"),
        ev.ProposalStale(id="p", paths=[as_text(path)]),
        ev.Undone(id="p", execution="p-1", kept=[as_text(path)]),
    ]
    for finding in findings:
        told += [
            ev.FindingListed(repo="r", key=finding.key, detector=finding.detector, title=finding.title),
            ev.AttentionHeld(repo="r", subject=finding.key, why=finding.claim, rule="x@1"),
            ev.DreamRejected(dream="d", why="; ".join(finding.unchecked)),
        ]
    for kind, other in (("co-change", "b.py"), ("rename", "c.py")):
        memory = ev.Memory(
            id="m",
            repo="r",
            kind=kind,
            subject=as_text(path),
            predicate="p",
            value=other,
            text="",
            cites=[1],
            support=3.0,
        )  # type: ignore[arg-type]
        told.append(ev.DreamRejected(dream="d", why=sentence(memory)))
    with pytest.raises(NotPlain) as refused:
        tree.read(path)
    told.append(ev.ProposalVerified(id="p", digest="d", ok=False, why=refused.value.message))
    return told


def left(log: Log) -> list[str]:
    marks = [HEAD.encode(), TAIL.encode()]
    return [
        r.topic for r in log.reader().rows()
        if any(m in part for m in marks for part in (r.payload or b"", *decoded(r.payload or b"")))
    ]  # fmt: skip


def decoded(payload: bytes) -> list[bytes]:
    """The bytes of base64 texts in a payload."""
    out = []
    for text in payload.split(b'"'):
        try:
            out.append(base64.b64decode(text, validate=True))
        except ValueError:
            continue
    return out


@pytest.mark.parametrize("middle", MIDDLES)
def test_no_word_about_a_forgotten_file_is_left(log: Log, repo: Any, see: Any, middle: str) -> None:
    path = f"src/{HEAD}{MIDDLES[middle]}{TAIL}"
    findings = found(repo, see, path)
    assert {f.detector for f in findings} >= {"secret", "conflict-marker"}
    stat = repo.root.stat()
    tree = WorkTree(repo.root, (stat.st_dev, stat.st_ino))
    (repo.root / path).unlink()
    (repo.root / path).symlink_to("a.py")
    words = said_of(path, findings, tree)
    raised = raise_findings(
        findings, known=(), taken=(), listed=(), repo=findings[0].action.repo, turn="t", boundary="commit",
        policy=Policy(), now=1, expire_us=10,
    )  # fmt: skip
    assert raised
    for new in [NewEvent("r", event) for event in [*words, *raised]]:
        log.append([new])
    assert len(left(log)) > 10
    forget_paths(log, f"**/*{HEAD}*{'/**' if '/' in MIDDLES[middle] else ''}", "private", "user")
    assert left(log) == []
    assert verify_log(log).problems == []
