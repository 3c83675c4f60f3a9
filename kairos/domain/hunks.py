"""The hunks of a patch as a person picks them: in groups as a diff shows them, each of which can be split. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kairos.domain.action import FileEdit, Hunk, PatchAction, edit, lines_of, unified
from kairos.domain.patch_text import printed

CONTEXT = 3


class HunkGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Hunks of one file that are picked together. `whole`: they are all of the file, or it has none: it is created,
    deleted or changes its mode only."""

    edit: FileEdit
    hunks: list[Hunk]
    whole: bool = False


def groups(action: PatchAction) -> list[HunkGroup]:
    """The groups of a patch: hunks whose context lines touch are one group. A created or deleted file is one group."""
    found: list[HunkGroup] = []
    for change in action.edits:
        if change.before is None or change.after is None or not change.hunks:
            found.append(HunkGroup(edit=change, hunks=change.hunks, whole=True))
            continue
        near: list[Hunk] = []
        for hunk in change.hunks:
            if near and hunk.start - (near[-1].start + len(near[-1].old)) > 2 * CONTEXT:
                found.append(HunkGroup(edit=change, hunks=near))
                near = []
            near = [*near, hunk]
        found.append(HunkGroup(edit=change, hunks=near))
    return found


def split(group: HunkGroup) -> list[HunkGroup]:
    """A group for each of its hunks; the group alone if it cannot be split."""
    if group.whole or len(group.hunks) < 2:
        return [group]
    return [msgspec.structs.replace(group, hunks=[hunk]) for hunk in group.hunks]


def picked(action: PatchAction, taken: Sequence[HunkGroup], contents: Mapping[str, bytes]) -> PatchAction:
    """The patch with only these groups. `contents`: the files before. A change of mode goes with any hunk of its file.
    ValueError if groups overlap or a file is not the one that the patch was made from."""
    edits = []
    for change in action.edits:
        mine = [group for group in taken if group.edit == change]
        if any(group.whole for group in mine):
            edits.append(change)
        elif mine:
            before = contents[change.fs]
            hunks = sorted((hunk for group in mine for hunk in group.hunks), key=lambda h: h.start)
            edits.append(_with(change, before, hunks))
    return PatchAction(repo=action.repo, edits=[e for e in edits if e.before != e.after])


def group_text(group: HunkGroup, contents: Mapping[str, bytes]) -> str:
    """The group as a unified diff; with git's headers, so that it can be edited and read again."""
    before = contents.get(group.edit.fs)
    shown = group.edit if group.whole else _with(group.edit, before or b"", group.hunks)
    return printed([shown], contents)


def short_text(group: HunkGroup, contents: Mapping[str, bytes]) -> str:
    """The group as a unified diff without git's header line."""
    before = contents.get(group.edit.fs)
    return unified(group.edit if group.whole else _with(group.edit, before or b"", group.hunks), before)


def _with(change: FileEdit, before: bytes, hunks: Sequence[Hunk]) -> FileEdit:
    """The edit of a file with these hunks only."""
    lines = lines_of(before)
    out: list[str] = []
    at = 0
    for hunk in hunks:
        end = hunk.start + len(hunk.old)
        if hunk.start < at or lines[hunk.start : end] != hunk.old:
            raise ValueError("hunks overlap, or do not fit the file")
        out += [*lines[at : hunk.start], *hunk.new]
        at = end
    after = "".join([*out, *lines[at:]]).encode("utf-8")
    assert change.before is not None and change.after is not None
    return edit(change.fs, (before, change.before.mode), (after, change.after.mode))
