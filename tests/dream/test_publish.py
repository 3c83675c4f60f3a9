from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kairos.domain.events import IndexPublished, MemoryFileEdited

if TYPE_CHECKING:
    from conftest import Life
else:
    Life = Any


def index_of(life: Life) -> Path:
    return Path(life.home.memory) / "MEMORY.md"


def edits(life: Life) -> list[tuple[str, str, str]]:
    found = [r.event for r in life.log.read(topics={"MemoryFileEdited"})]
    return [(e.file, e.what, e.kept) for e in found if isinstance(e, MemoryFileEdited)]


def test_the_log_knows_the_hash_of_what_was_published(life: Life) -> None:
    life.dream()
    [published] = [r.event for r in life.log.read(topics={"IndexPublished"})]
    raw = index_of(life).read_bytes()
    assert published == IndexPublished(hash=hashlib.sha256(raw).hexdigest(), bytes=len(raw), lines=raw.count(b"\n"))


def test_a_file_edited_by_hand_is_kept_and_told(life: Life) -> None:
    life.dream()
    good = life.files()
    index_of(life).write_text("my own notes\n")
    [change] = life.dream()
    assert (change["type"], change["data"]["kept"]) == ("MemoryFileEdited", "MEMORY.edited.md")
    assert life.files() == {**good, "MEMORY.edited.md": b"my own notes\n"}
    assert edits(life) == [("MEMORY.md", "edited", "MEMORY.edited.md")]
    assert life.dream() == []


def test_every_edit_is_kept_under_a_name_of_its_own(life: Life) -> None:
    life.dream()
    for text in ("one\n", "two\n", "one\n"):
        index_of(life).write_text(text)
        life.dream()
    kept = {name: text for name, text in life.files().items() if "edited" in name}
    assert kept == {"MEMORY.edited.md": b"one\n", "MEMORY.edited-1.md": b"two\n"}


def test_a_topic_file_edited_by_hand_is_kept_too(life: Life) -> None:
    life.dream()
    [topic] = [name for name in life.files() if name.endswith("co-change.md")]
    (life.home.memory / topic).write_text("mine\n")
    life.dream()
    assert life.files()[topic.replace("co-change.md", "co-change.edited.md")] == b"mine\n"


def test_a_deleted_file_is_noticed_once_and_returns_only_with_news(life: Life) -> None:
    life.dream()
    index_of(life).unlink()
    assert [c["data"]["what"] for c in life.dream()] == ["deleted"]
    assert not index_of(life).exists()
    assert life.dream() == [] and not index_of(life).exists()
    for _ in range(3):
        life.change("x.py", "y.py")
    life.dream()
    assert "`x.py`" in life.index()
    assert edits(life) == [("MEMORY.md", "deleted", "")]


def test_a_deleted_file_that_a_person_writes_anew_is_theirs(life: Life) -> None:
    life.dream()
    index_of(life).unlink()
    life.dream()
    index_of(life).write_text("theirs\n")
    life.dream()
    assert life.files()["MEMORY.edited.md"] == b"theirs\n"


def test_a_publication_that_never_happened_is_made_up_for(life: Life) -> None:
    life.dream()
    good = life.files()
    with_rows = life.log.view("dream/files")
    from kairos.eventlog.record import Drop

    life.log.append([], writes=[Drop("dream/files", key) for key in with_rows])
    index_of(life).unlink()
    assert life.dream() == []
    assert life.files() == good
