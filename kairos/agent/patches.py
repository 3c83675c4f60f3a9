"""Checks whether a patch proposed by the model applies to the tree, and converts it to an exact action."""

from __future__ import annotations

import hashlib
import os

from kairos.agent.edited_text import replaced
from kairos.agent.outputs import FILES_AT_MOST, REVIEW, TEXT_AT_MOST, Assignment
from kairos.agent.repository_files import DIFFED_AT_MOST, Files
from kairos.agent.scratch_tree import File, ScratchTree
from kairos.agent.tools.scratch import ScratchTools
from kairos.domain.action import Action, FileEdit, NoteAction, PatchAction, edit
from kairos.domain.basis import basis_of
from kairos.domain.finding import READ_UNTRUSTED, Finding, model_says
from kairos.domain.inert import shown
from kairos.domain.secrets import find, redact
from kairos.domain.turn import FileChange, Patch
from kairos.repo.beneath import Unreadable

VERSION = 1
TITLE_AT_MOST, CLAIM_AT_MOST = 80, 1_000


class Unfit(Exception):
    """The patch cannot be accepted; the message tells the model why."""


def finding_of(
    patch: Patch, files: Files, assignment: Assignment, spent_microusd: int, scratch: ScratchTools | None = None
) -> Finding:
    """Converts the patch, with what the turn changed in its scratch tree, to one finding. Unfit unless it applies
    exactly to the text files of the work tree.

    A patch that contains a credential becomes a note without it."""
    edits = _edits(patch, files, scratch)
    action: Action = PatchAction(repo=assignment.repo, edits=edits)
    seen = _seen(patch, files)
    ran = scratch.checked() if scratch is not None and not patch.files else []
    title = model_says(_line(patch.title, TITLE_AT_MOST))
    claim = model_says(f"{_line(patch.title, TITLE_AT_MOST).rstrip('.')}. {_line(patch.claim, CLAIM_AT_MOST)}")
    places = [f"{e.fs}\0{''.join(h.old)}" for e in edits for h in e.hunks]
    base = "".join(f"{e.fs}\0{e.before.sha if e.before else ''}\0" for e in edits)
    if any(find("".join(lines)) for e in edits for h in e.hunks for lines in (h.old, h.new)):
        names = ", ".join(shown(e.fs) for e in edits)
        action = NoteAction(repo=assignment.repo, text=f"{claim} The patch of {names} would carry a credential.")
    kind, failure = assignment.kind or REVIEW, assignment.failure
    first = patch.files[0].path if patch.files else edits[0].fs
    about = f"{first}:{_short(*places)}" if failure is None else f"{failure.check}:{failure.cases[0]}"
    return Finding(
        detector=kind,
        version=VERSION,
        key=f"{kind}:{about}",
        former_keys=[f"{kind}:{first}:{_short(base)}"] if failure is None else [],
        fingerprint=sorted({_short(place) for place in places}),
        basis=basis_of(
            present=[e.fs for e in edits if e.before is not None], absent=[e.fs for e in edits if e.before is None]
        ),
        title=title,
        claim=" ".join([claim, *([f"What it quotes stands in {', '.join(seen)}."] if seen else []), *ran]),
        action=action,
        evidence=list(dict.fromkeys([assignment.cause, *assignment.evidence])),
        engine="model",
        unchecked=["a model says this: its reasoning was not checked, only that the patch applies", READ_UNTRUSTED],
        cost_microusd=spent_microusd,
    )


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _edits(patch: Patch, files: Files, scratch: ScratchTools | None) -> list[FileEdit]:
    """What the scratch tree has otherwise than the work tree, and the changes of the patch on top of it."""
    before: dict[str, File | None] = {}
    after: dict[str, File | None] = {}
    if scratch is not None:
        for path, file in scratch.settled().items():
            before[path], after[path] = _present(files, scratch.tree, path), file
    for change in patch.files:
        path = change.path
        if path not in after:
            if path not in files.tracked:
                raise Unfit(f"{shown(path)} is not a tracked text file of the repository")
            before[path] = after[path] = _file(files, path)
        after[path] = _changed(after[path], change)
    if not after:
        raise Unfit("nothing is changed, neither in `files` nor in the scratch tree")
    if len(after) > FILES_AT_MOST:
        raise Unfit(f"{len(after)} files are changed, more than {FILES_AT_MOST}: put back what is not needed")
    edits = []
    for path in sorted(after):
        if before[path] == after[path]:
            raise Unfit(f"{shown(path)} would not change")
        try:
            edits.append(edit(path, before[path], after[path]))
        except ValueError as error:
            raise Unfit(f"{shown(path)} is not a text file") from error
    if sum(len(line) for e in edits for h in e.hunks for line in (*h.old, *h.new)) > 2 * TEXT_AT_MOST:
        raise Unfit("the patch is too long to be read by a person")
    return edits


def _present(files: Files, tree: ScratchTree, path: str) -> File | None:
    """The file of the work tree, which must be the one of the commit that the scratch tree was made of."""
    base = tree.base(path)
    if base is None:
        if os.path.lexists(files.git.root / path):
            raise Unfit(f"{shown(path)} is there already in the work tree")
        return None
    try:
        found = files.raw(path)
    except Unreadable as error:
        raise Unfit(f"{shown(path)} is not in the work tree as it is in the commit") from error
    if found.data != base[0]:
        raise Unfit(f"{shown(path)} was changed in the work tree since the commit that the turn is about")
    return found.data, found.mode


def _file(files: Files, path: str) -> File:
    try:
        found = files.raw(path)
        text = found.data.decode("utf-8")
    except (Unreadable, UnicodeDecodeError) as error:
        raise Unfit(f"{shown(path)} is not a readable text file") from error
    if "\0" in text or len(found.data) > DIFFED_AT_MOST:
        raise Unfit(f"{shown(path)} is not a text file of sane size")
    return found.data, found.mode


def _changed(file: File | None, change: FileChange) -> File:
    """The file with `new_text` in the place of `old_text`."""
    path, old, new = change.path, change.old_text, change.new_text
    if file is None:
        raise Unfit(f"{shown(path)} is removed in the scratch tree")
    if "\0" in new or new.count("[redacted ") > old.count("[redacted "):
        raise Unfit("new_text holds what must not be written")
    try:
        return replaced(file[0].decode("utf-8"), old, new).encode("utf-8"), file[1]
    except UnicodeEncodeError as error:
        raise Unfit(f"the new text of {shown(path)} is not valid Unicode") from error
    except ValueError as error:
        raise Unfit(f"{shown(path)}: {error}") from error


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
