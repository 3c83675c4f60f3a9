"""Changing a proposal's patch: as a text, by picking hunks, and trying it now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from kairos.desk.deciding import decided
from kairos.desk.desk import Desk
from kairos.desk.reading import inbox, repositories
from kairos.desk.records.proposals import EditedOut
from kairos.desk.units import count
from kairos.domain import hunks
from kairos.domain.action import PatchAction
from kairos.domain.hunks import HunkGroup
from kairos.domain.patch_text import MOST_BYTES, PatchError, Read, applied, printed
from kairos.domain.proposal import Proposal
from kairos.errors import UsageError

_HELP = """# The patch of {id}: {title}
# Change lines that begin with +, leave out hunks or files, add others. Counts in @@ lines need not be right.
# Lines that begin with # are left out. To change nothing, leave it as it is; an empty patch is refused.
"""


def patch_to_edit(desk: Desk, proposal: Proposal) -> str:
    """The patch as a text that `edit_patch` reads again. UsageError if it is no patch, Stale (5) if its base moved."""
    action = proposal.raised.action
    base = base_of(desk, proposal)
    assert isinstance(action, PatchAction)
    title = "".join(c if c.isprintable() else " " for c in proposal.raised.title)
    return _HELP.format(id=proposal.id, title=title) + printed(action.edits, base)


def base_of(desk: Desk, proposal: Proposal) -> dict[str, bytes]:
    """The files that the patch of a proposal was made from. UsageError, Stale (5)."""
    from kairos.acting.editing import base_of as read

    return read(desk.log, proposal)


def edit_patch(desk: Desk, proposal: Proposal, text: str) -> EditedOut:
    """Replaces the patch by the one in a text, under a new digest; `changed` is empty if it is the same. UsageError
    says where the text is wrong, and that nothing was changed."""

    def make(action: PatchAction, base: Mapping[str, bytes], read: Read) -> tuple[PatchAction, str]:
        try:
            return applied(text, read, action.repo), "you edited the patch"
        except PatchError as error:
            raise UsageError(f"the patch was not taken: {error}", "Nothing was changed; edit it again.") from error

    return _revised(desk, proposal, make)


def keep_hunks(desk: Desk, proposal: Proposal, taken: Sequence[HunkGroup], dropped: int) -> EditedOut:
    """Leaves only these hunks in the patch, under a new digest. The others are dropped; they are proposed again only if
    their evidence changes."""

    def make(action: PatchAction, base: Mapping[str, bytes], read: Read) -> tuple[PatchAction, str]:
        try:
            return hunks.picked(action, taken, base), f"you kept {len(taken)} and dropped {count(dropped, 'hunk')}"
        except ValueError as error:
            raise UsageError(f"the hunks do not fit together: {error}", "Pick them again.") from error

    return _revised(desk, proposal, make)


def edited_group(group: HunkGroup, text: str, base: Mapping[str, bytes]) -> HunkGroup:
    """The group as a person edited it. UsageError if the text is not one hunk or more of the same file."""
    path = group.edit.fs
    mode = group.edit.before.mode if group.edit.before is not None else 0o644
    try:
        action = applied(text, lambda name: (base[path], mode) if name == path and path in base else None, "")
    except PatchError as error:
        raise UsageError(f"the hunk was not taken: {error}", "Edit it again.") from error
    if [e.fs for e in action.edits] != [path]:
        raise UsageError("the hunk was not taken: it must change its own file", "Edit it again.")
    return HunkGroup(edit=group.edit, hunks=action.edits[0].hunks)


def read_patch(path: Path) -> str:
    """The text of a patch file. UsageError if it cannot be read or is no text."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise UsageError(f"{path} is longer than {MOST_BYTES >> 20} MiB", "Name a file with the patch.")
        return raw.decode("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "Name a file with the patch.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text", "Name a file with the patch.") from error


def try_now(desk: Desk, proposal: Proposal) -> Proposal:
    """Tries the action in a scratch tree now, with and without it, and records the result. TryAgain (75)."""
    from kairos.acting.verifier import verify

    root = Path(repositories(desk).by_id[proposal.raised.repo].root)
    return verify(desk.log, desk.home, desk.config, proposal, root)


def check_of(desk: Desk, proposal: Proposal) -> list[str]:
    """The check command with which proposals of the repository are tried; empty if there is none."""
    from kairos.acting.checking import for_proposals

    root = Path(repositories(desk).by_id[proposal.raised.repo].root)
    found = for_proposals(desk.log, desk.config, proposal.raised.repo, root)
    return list(found.command) if found is not None else []


def _revised(desk: Desk, proposal: Proposal, make: object) -> EditedOut:
    from kairos.acting.editing import revise_patch

    before = proposal.raised.digest
    done = revise_patch(desk.log, desk.home, proposal.id, before, make)  # type: ignore[arg-type]
    after = done.proposal.raised
    changed = inbox(desk).proposals[proposal.id].why if after.digest != before else ""
    state = decided(desk, proposal.id)
    return EditedOut(
        id=proposal.id, state=state.state, digest=after.digest, was=before, changed=changed, files=after.effects.files,
        positions=[done.position] if changed else [],
    )  # fmt: skip
