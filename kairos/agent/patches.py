"""Checks whether a patch proposed by the model applies to the tree, and converts it to an exact action."""

from __future__ import annotations

import hashlib

from kairos.agent.outputs import REVIEW, Assignment
from kairos.agent.repository_files import DIFFED_AT_MOST, Files
from kairos.domain.action import Action, FileEdit, NoteAction, PatchAction, edit
from kairos.domain.basis import basis_of
from kairos.domain.finding import READ_UNTRUSTED, Finding, model_says
from kairos.domain.inert import shown
from kairos.domain.secrets import find, redact
from kairos.domain.turn import Patch
from kairos.repo.beneath import Unreadable

VERSION = 1
TITLE_AT_MOST, CLAIM_AT_MOST = 80, 1_000


class Unfit(Exception):
    """The patch cannot be accepted; the message tells the model why."""


def finding_of(patch: Patch, files: Files, assignment: Assignment, spent_microusd: int) -> Finding:
    """Converts the patch to a finding. Unfit unless it applies exactly to tracked text files.

    A patch that contains a credential becomes a note without it."""
    edits = _edits(patch, files)
    action: Action = PatchAction(repo=assignment.repo, edits=edits)
    seen = _seen(patch, files)
    title = model_says(_line(patch.title, TITLE_AT_MOST))
    claim = model_says(f"{_line(patch.title, TITLE_AT_MOST).rstrip('.')}. {_line(patch.claim, CLAIM_AT_MOST)}")
    places = [f"{e.fs}\0{''.join(h.old)}" for e in edits for h in e.hunks]
    base = "".join(f"{e.fs}\0{e.before.sha if e.before else ''}\0" for e in edits)
    if any(find("".join(lines)) for e in edits for h in e.hunks for lines in (h.old, h.new)):
        names = ", ".join(shown(e.fs) for e in edits)
        action = NoteAction(repo=assignment.repo, text=f"{claim} The patch of {names} would carry a credential.")
    kind, failure = assignment.kind or REVIEW, assignment.failure
    about = f"{patch.files[0].path}:{_short(*places)}" if failure is None else f"{failure.check}:{failure.cases[0]}"
    return Finding(
        detector=kind,
        version=VERSION,
        key=f"{kind}:{about}",
        former_keys=[f"{kind}:{patch.files[0].path}:{_short(base)}"] if failure is None else [],
        fingerprint=sorted({_short(place) for place in places}),
        basis=basis_of(present=[e.fs for e in edits]),
        title=title,
        claim=f"{claim} What it quotes stands in {', '.join(seen)}." if seen else claim,
        action=action,
        evidence=list(dict.fromkeys([assignment.cause, *assignment.evidence])),
        engine="model",
        unchecked=["a model says this: its reasoning was not checked, only that the patch applies", READ_UNTRUSTED],
        cost_microusd=spent_microusd,
    )


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _edits(patch: Patch, files: Files) -> list[FileEdit]:
    before: dict[str, tuple[bytes, int]] = {}
    after: dict[str, str] = {}
    for change in patch.files:
        path = change.path
        if path not in files.tracked:
            raise Unfit(f"{shown(path)} is not a tracked text file of the repository")
        if path not in before:
            before[path], after[path] = _text(files, path)
        after[path] = _replaced(after[path], change.old_text, change.new_text, path)
    edits = []
    for path in sorted(before):
        try:
            content = after[path].encode("utf-8")
        except UnicodeEncodeError as error:
            raise Unfit(f"the new text of {shown(path)} is not valid Unicode") from error
        if content == before[path][0]:
            raise Unfit(f"{shown(path)} would not change")
        edits.append(edit(path, before[path], (content, before[path][1])))
    return edits


def _text(files: Files, path: str) -> tuple[tuple[bytes, int], str]:
    try:
        found = files.raw(path)
        content, mode = found.data, found.mode
        text = content.decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        raise Unfit(f"{shown(path)} is not a readable text file") from error
    if "\0" in text or len(content) > DIFFED_AT_MOST:
        raise Unfit(f"{shown(path)} is not a text file of sane size")
    return (content, mode), text


def _replaced(text: str, old: str, new: str, path: str) -> str:
    if "\r\n" in text and "\r" not in old:
        old, new = old.replace("\n", "\r\n"), new.replace("\r\n", "\n").replace("\n", "\r\n")
    if not old:
        raise Unfit("old_text is empty")
    times = text.count(old)
    if times != 1:
        raise Unfit(
            f"old_text occurs {times} times in {shown(path)}, not exactly once: copy more of the lines around it"
        )
    if "\0" in new or new.count("[redacted ") > old.count("[redacted "):
        raise Unfit("new_text holds what must not be written")
    return text.replace(old, new)


def _seen(patch: Patch, files: Files) -> list[str]:
    """The place of each quote, as path:line. Unfit if a quote does not occur."""
    places = []
    for quote in patch.evidence:
        try:
            text = files.text(quote.path)
        except Unreadable as why:
            raise Unfit(f"evidence: {shown(quote.path)}: {why}") from why
        wanted = quote.text.strip()
        if not wanted or wanted not in text:
            raise Unfit(f"evidence: that text does not occur in {shown(quote.path)}")
        places.append(f"{shown(quote.path)}:{text[: text.index(wanted)].count(chr(10)) + 1}")
    return list(dict.fromkeys(places))


def _line(text: str, limit: int) -> str:
    """The model's text on one line: without control characters or credentials, at most `limit` characters."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in redact(text)).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
