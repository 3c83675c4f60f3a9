"""A patch as a text that a person can edit, and back: unified diffs with git's headers. Pure.

Reading trusts no count: like `git apply --recount` it counts the lines of a hunk itself. A hunk must fit the file where
it says, or at exactly one other place. Renames, copies and binary patches are refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kairos.domain.action import FileEdit, PatchAction, edit, lines_of, unified
from kairos.domain.inert import quoted, shown
from kairos.domain.policy import unsafe_path

MOST_BYTES, MOST_FILES = 8 << 20, 1_000
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,\d{1,9})? \+\d{1,9}(?:,\d{1,9})? @@")
_MODE = re.compile(r"(old|new|deleted file|new file) mode (100644|100755)")
_REFUSED = ("rename ", "copy ", "similarity ", "dissimilarity ", "Binary files", "GIT binary patch", "Submodule ")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
Read = Callable[[str], "tuple[bytes, int] | None"]
"""The content and mode of a file of the tree, None if there is none; raises if it must not be read."""


class PatchError(ValueError):
    """The text is not a patch, or one that does not fit; the message says where."""


class PatchHunk(NamedTuple):
    """The lines of a hunk before and after, with their ends; `start`: its line in the old file, from 0; `line`: its
    line in the text."""

    start: int
    old: list[str]
    new: list[str]
    line: int


class PatchedFile(NamedTuple):
    """One file of a patch. `mode`: the one it gets, None to keep it."""

    path: str
    creates: bool
    deletes: bool
    mode: int | None
    hunks: list[PatchHunk]


def printed(edits: Sequence[FileEdit], contents: Mapping[str, bytes]) -> str:
    """The patch as text. `contents`: the file of each path before, which must be the one it was made from.
    ValueError."""
    return "".join(_printed(change, contents.get(change.fs)) for change in edits)


def _printed(change: FileEdit, before: bytes | None) -> str:
    head = f"diff --git {quoted(f'a/{change.fs}')} {quoted(f'b/{change.fs}')}\n"
    if change.before is None and change.after is not None:
        head += f"new file mode {0o100000 | change.after.mode:o}\n"
    elif change.before is not None and change.after is None:
        head += f"deleted file mode {0o100000 | change.before.mode:o}\n"
    elif change.before is not None and change.after is not None and change.before.mode != change.after.mode:
        head += f"old mode {0o100000 | change.before.mode:o}\nnew mode {0o100000 | change.after.mode:o}\n"
    return head + unified(change, before)


def applied(text: str, read: Read, repo: str) -> PatchAction:
    """The exact action that a patch text means on the present tree; files that it does not change are left out.
    PatchError."""
    files = parsed(text)
    edits = [change for file in files if (change := _applied(file, read)) is not None]
    return PatchAction(repo=repo, edits=sorted(edits, key=lambda e: e.fs))


def parsed(text: str) -> list[PatchedFile]:
    """The files of a patch text. PatchError."""
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise PatchError(f"it is longer than {MOST_BYTES >> 20} MiB")
    if "\0" in text:
        raise PatchError("it contains a NUL character")
    files = [_file(block) for block in _blocks(text.split("\n"))]
    paths = [file.path for file in files]
    twice = next((path for path in paths if paths.count(path) > 1), None) if len(paths) <= MOST_FILES else None
    if len(paths) > MOST_FILES:
        raise PatchError(f"it has more than {MOST_FILES} files")
    if twice is not None:
        raise PatchError(f"{shown(twice)} occurs in it twice")
    return files


class _Line(NamedTuple):
    at: int
    text: str


def _blocks(lines: Sequence[str]) -> Iterator[list[_Line]]:
    """The lines of each file; comments are left out. In a text with `diff --git` lines, only these begin a file, so
    that a removed line `-- a` is none."""
    by_git = any(line.startswith("diff --git ") for line in lines)
    block: list[_Line] = []
    for at, line in enumerate(lines):
        if line.startswith("#"):
            continue
        after = lines[at + 1] if at + 1 < len(lines) else ""
        begins = line.startswith("diff --git ") if by_git else line.startswith("--- ") and after.startswith("+++ ")
        if begins and block:
            yield block
            block = []
        if begins or block:
            block.append(_Line(at + 1, line))
        elif line.strip():
            raise PatchError(f"line {at + 1} is not part of a patch: {shown(line)}")
    if block:
        yield block


def _file(block: Sequence[_Line]) -> PatchedFile:
    names: dict[str, str | None] = {}
    mode, hunks = None, []
    body = next((n for n, line in enumerate(block) if line.text.startswith("@@")), len(block))
    for at, text in block[:body]:
        if text.startswith(_REFUSED):
            raise PatchError(f"line {at}: renames, copies and binary patches are not supported")
        if (found := _MODE.fullmatch(text.rstrip("\r"))) is not None:
            mode = int(found[2], 8) & 0o777 if found[1].startswith("new") else mode
        elif text.startswith(("--- ", "+++ ")):
            names[text[:3]] = _name(text[4:], at)
        elif text.startswith("diff --git "):
            names["git"] = _name_of_both(text.removeprefix("diff --git "), at)
        elif text.strip() and not text.startswith(("index ", "old mode", "deleted file mode")):
            raise PatchError(f"line {at} is not part of a patch: {shown(text)}")
    deleted = any(line.text.startswith("deleted file mode") for line in block[:body])
    created = any(line.text.startswith("new file mode") for line in block[:body])
    old, new = names.get("---", names.get("git")), names.get("+++", names.get("git"))
    deletes, creates = deleted or ("+++" in names and new is None), created or ("---" in names and old is None)
    path = new if new is not None else old
    if path is None or (old is not None and new is not None and old != new):
        raise PatchError(f"line {block[0].at}: the names before and after differ")
    if (why := unsafe_path(path)) != "":
        raise PatchError(f"line {block[0].at}: {shown(path)} {why}")
    if creates and deletes:
        raise PatchError(f"line {block[0].at}: {shown(path)} is created and deleted")
    hunks = list(_hunks(block[body:]))
    if not hunks and not (mode is not None or creates or deletes):
        raise PatchError(f"line {block[0].at}: {shown(path)} is not changed")
    return PatchedFile(path, creates, deletes, mode, hunks)


def _hunks(lines: Sequence[_Line]) -> Iterator[PatchHunk]:
    begins = [n for n, line in enumerate(lines) if line.text.startswith("@@")]
    for begin, end in zip(begins, [*begins[1:], len(lines)], strict=False):
        head = _HUNK.match(lines[begin].text)
        if head is None:
            raise PatchError(f"line {lines[begin].at} is not the header of a hunk: {shown(lines[begin].text)}")
        body = list(lines[begin + 1 : end])
        while body and not body[-1].text.strip():
            body.pop()  # an empty line at the end is a context line at most
        old: list[str] = []
        new: list[str] = []
        last: tuple[list[str], ...] = ()
        for at, text in body:
            last = _take(at, text, old, new, last)
        yield PatchHunk(max(0, int(head[1]) - bool(old)), old, new, lines[begin].at)


def _take(at: int, text: str, old: list[str], new: list[str], last: tuple[list[str], ...]) -> tuple[list[str], ...]:
    """Adds a line of a hunk to the side or sides that it belongs to, and returns these; a backslash takes the line end
    from the line before, which belongs to the sides `last`."""
    sides = {" ": (old, new), "": (old, new), "-": (old,), "+": (new,)}.get(text[:1])
    if text.startswith("\\") and last:
        for side in last:
            side[-1] = side[-1].removesuffix("\n")
        return ()
    if sides is None:
        raise PatchError(f"line {at} begins with none of space, + and -: {shown(text)}")
    for side in sides:
        if side and not side[-1].endswith("\n"):
            raise PatchError(f"line {at} follows a line without a line end")
        side.append(f"{text[1:]}\n")
    return sides


def _name(text: str, at: int) -> str | None:
    """A name behind `---` or `+++`, without its a/ or b/; None for /dev/null."""
    text = text.rstrip("\r")
    name = _unquoted(text, at)[0] if text.startswith('"') else text.partition("\t")[0].rstrip()
    return None if name == "/dev/null" else _below(name, at)


def _name_of_both(text: str, at: int) -> str | None:
    """The name in `a/NAME b/NAME`, None if it cannot be told."""
    text = text.rstrip("\r")
    if text.startswith('"'):
        first, rest = _unquoted(text, at)
        second = _unquoted(rest.strip(), at)[0] if rest.strip().startswith('"') else rest.strip()
    else:
        first, second = text[: len(text) // 2], text[len(text) // 2 + 1 :]
    first, second = _below(first, at), _below(second, at)
    return first if first == second else None


def _below(name: str, at: int) -> str:
    """The name without its first folder, which is a/ or b/ in every patch."""
    prefix, slash, rest = name.partition("/")
    if not slash or not prefix or not rest:
        raise PatchError(f"line {at}: `{shown(name)}` does not begin with a/ or b/")
    return rest


def _unquoted(text: str, at: int) -> tuple[str, str]:
    """A name in quotes with C escapes, as git writes it, and what follows it."""
    raw, n = bytearray(), 1
    while n < len(text) and text[n] != '"':
        if text[n] != "\\":
            raw += os.fsencode(text[n])
            n += 1
        elif (octal := re.match(r"[0-3][0-7]{2}", text[n + 1 : n + 4])) is not None:
            raw.append(int(octal[0], 8))
            n += 4
        elif text[n + 1 : n + 2] in _ESCAPES:
            raw += _ESCAPES[text[n + 1]].encode()
            n += 2
        else:
            break
    if n >= len(text) or text[n] != '"':
        raise PatchError(f"line {at}: a quoted name is not closed")
    return os.fsdecode(bytes(raw)), text[n + 1 :]


def _applied(file: PatchedFile, read: Read) -> FileEdit | None:
    before = read(file.path)
    if file.creates and before is not None:
        raise PatchError(f"{shown(file.path)} exists already")
    if not file.creates and before is None:
        raise PatchError(f"{shown(file.path)} is not in the tree")
    content, mode = before if before is not None else (b"", 0o644)
    try:
        after = _content(file, content).encode("utf-8")
        if file.deletes:
            if after:
                raise PatchError(f"{shown(file.path)} is deleted, but not all of its lines are removed")
            return edit(file.path, before, None)
        change = edit(file.path, before, (after, mode if file.mode is None else file.mode))
    except UnicodeError:
        raise PatchError(f"{shown(file.path)} is not UTF-8 text") from None
    return None if change.before == change.after else change


def _content(file: PatchedFile, before: bytes) -> str:
    """The text of a file after its hunks."""
    lines = lines_of(before)
    out: list[str] = []
    at = 0
    for hunk in file.hunks:
        place = _place(lines, hunk, at)
        if place is None:
            raise PatchError(f"the hunk at line {hunk.line} does not fit {shown(file.path)}")
        out += [*lines[at:place], *hunk.new]
        at = place + len(hunk.old)
    out += lines[at:]
    if any(not line.endswith("\n") for line in out[:-1]):
        raise PatchError(f"a line in the middle of {shown(file.path)} would have no line end")
    return "".join(out)


def _place(lines: list[str], hunk: PatchHunk, least: int) -> int | None:
    """Where the old lines of a hunk stand, from line `least` on: where it says, else the only other place."""
    size = len(hunk.old)
    if least <= hunk.start <= len(lines) - size and lines[hunk.start : hunk.start + size] == hunk.old:
        return hunk.start
    if not hunk.old:
        return None
    places = [
        n for n in range(least, len(lines) - size + 1) if lines[n] == hunk.old[0] and lines[n : n + size] == hunk.old
    ]
    return places[0] if len(places) == 1 else None
