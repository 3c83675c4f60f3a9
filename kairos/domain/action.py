"""The exact thing to do: a patch, a command or a note; its canonical bytes and its digest.

What a person reads is a rendering of these values and nothing else, so approving the digest approves the text.
"""

from __future__ import annotations

import msgspec

from kairos.domain.differences import ChangedLines, diff_lines, differences
from kairos.domain.inert import as_text, quoted
from kairos.domain.names import Name, name_fields

MODES = (0o644, 0o755)


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """A regular file: SHA-256 of its content (hex), size in bytes, permission bits 0o644 or 0o755."""

    sha: str
    size: int
    mode: int


class Hunk(msgspec.Struct, frozen=True, kw_only=True):
    """Lines `old` (with their line ends) at 0-based line `start` of the old file become `new`."""

    start: int
    old: list[str]
    new: list[str]


class FileEdit(Name, frozen=True, kw_only=True, omit_defaults=True):
    """One file before and after. `before` None: created; `after` None: deleted."""

    before: FileState | None
    after: FileState | None
    hunks: list[Hunk]


class PatchAction(msgspec.Struct, frozen=True, kw_only=True, tag="patch", tag_field="kind"):
    """Change text files of one repository, all or nothing."""

    repo: str
    edits: list[FileEdit]


class CommandAction(msgspec.Struct, frozen=True, kw_only=True, tag="command", tag_field="kind"):
    """Run `argv` in a scratch tree of the repository, confined."""

    repo: str
    argv: list[str]


class NoteAction(msgspec.Struct, frozen=True, kw_only=True, tag="note", tag_field="kind"):
    """Something worth knowing; approving it acknowledges it and does nothing."""

    repo: str
    text: str


Action = PatchAction | CommandAction | NoteAction


class Effects(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the action touches, computed by code: lines added and removed, files, commands, network."""

    files: list[str] = []
    added: int = 0
    removed: int = 0
    commands: list[list[str]] = []
    network: bool = False
    reversible: bool = True


def content_sha(content: bytes) -> str:
    """SHA-256 of file content, hex."""
    from hashlib import sha256  # imported here because it is slow to load and most commands do not hash

    return sha256(content).hexdigest()


def file_state(content: bytes, mode: int) -> FileState:
    """The state of a regular file; permission bits are normalised to 0o644 or 0o755 as git does."""
    return FileState(sha=content_sha(content), size=len(content), mode=0o755 if mode & 0o100 else 0o644)


def edit(fs_path: str, before: tuple[bytes, int] | None, after: tuple[bytes, int] | None) -> FileEdit:
    """The edit that turns `before` (content, mode) into `after`; contents must be UTF-8 text. ValueError."""
    old = lines_of(before[0]) if before else []
    new = lines_of(after[0]) if after else []
    hunks = [
        Hunk(start=d.start, old=old[d.start : d.end], new=new[d.new_start : d.new_end]) for d in differences(old, new)
    ]
    return FileEdit(
        **name_fields(fs_path),
        before=file_state(*before) if before else None,
        after=file_state(*after) if after else None,
        hunks=hunks,
    )


def apply_edit(change: FileEdit, content: bytes | None) -> bytes | None:
    """The content after `change`, given the content before (None: no file).

    ValueError if the content is not exactly the one the edit was made from, or the result does not match `after`.
    """
    found = None if content is None else content_sha(content)
    wanted = change.before.sha if change.before else None
    if found != wanted:
        raise ValueError("the file is not the one the patch was made from")
    if change.after is None:
        return None
    lines, at = lines_of(content or b""), 0
    parts: list[str] = []
    for hunk in change.hunks:
        end = hunk.start + len(hunk.old)
        if hunk.start < at or lines[hunk.start : end] != hunk.old:
            raise ValueError("a hunk does not fit its place")
        parts += [*lines[at : hunk.start], *hunk.new]
        at = end
    result = "".join([*parts, *lines[at:]]).encode("utf-8")
    if content_sha(result) != change.after.sha:
        raise ValueError("the patch does not give the promised content")
    return result


def headers(change: FileEdit) -> tuple[str, str]:
    """The names in the two header lines of a diff, quoted so that no name can be mistaken for another line."""
    source = quoted(f"a/{change.fs}") if change.before else "/dev/null"
    return source, quoted(f"b/{change.fs}") if change.after else "/dev/null"


def unified(change: FileEdit, before: bytes | None, context: int = 3) -> str:
    """The hunks as a unified diff for people. The context lines are taken from `before`."""
    after = apply_edit(change, before)
    found, grown = [], 0
    for hunk in change.hunks:
        start = hunk.start + grown
        found.append(ChangedLines(hunk.start, hunk.start + len(hunk.old), start, start + len(hunk.new)))
        grown += len(hunk.new) - len(hunk.old)
    return "".join(diff_lines(lines_of(before or b""), lines_of(after or b""), found, headers(change), context))


def canonical(action: Action) -> bytes:
    """The canonical bytes of an action: JSON with fields in declaration order and no spaces."""
    return msgspec.json.encode(action)


def digest(action: Action, effects: Effects, policy_version: str) -> str:
    """What an approval binds to: hash(action bytes with base hashes and modes, effects, policy version)."""
    from hashlib import sha256

    h = sha256()
    for part in (canonical(action), msgspec.json.encode(effects), policy_version.encode()):
        h.update(len(part).to_bytes(8, "little"))
        h.update(part)
    return h.hexdigest()


def effects_of(action: Action) -> Effects:
    """The effects of an action, from its bytes alone."""
    if isinstance(action, NoteAction):
        return Effects()
    if isinstance(action, CommandAction):
        return Effects(commands=[action.argv])
    return Effects(
        files=sorted(as_text(e.fs) for e in action.edits),
        added=sum(len(h.new) for e in action.edits for h in e.hunks),
        removed=sum(len(h.old) for e in action.edits for h in e.hunks),
    )


def lines_of(content: bytes) -> list[str]:
    """Lines with their ends; only \\n ends a line, so that other breaks stay inside their line. UnicodeDecodeError."""
    text = content.decode("utf-8")
    parts = text.split("\n")
    lines = [part + "\n" for part in parts[:-1]]
    if parts[-1]:
        lines.append(parts[-1])
    return lines
