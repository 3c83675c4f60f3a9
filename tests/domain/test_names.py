"""A path goes into the log and comes back as the same bytes, whatever they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kairos.domain.inert import as_text, quoted
from kairos.domain.names import Name, name_fields

BYTES = st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw)


@given(BYTES)
@example(b"caf\xe9")
@example("café".encode())
def test_a_path_comes_back_byte_for_byte(raw: bytes) -> None:
    fs = os.fsdecode(raw)
    name = Name(**name_fields(fs))
    assert os.fsencode(name.fs) == raw
    assert (name.path is None) == (not _is_utf8(raw))


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("fields", [{}, {"path": "a", "path_b64": "YQ=="}])
def test_a_name_is_one_of_two_forms(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Name(**fields)


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800")
@example("a\udce9b")
def test_text_of_a_path_can_always_be_stored(text: str) -> None:
    assert len(as_text(text).encode("utf-8")) >= len(text)


def test_text_of_a_path_shows_undecodable_bytes() -> None:
    assert as_text("caf\udce9") == "caf\\xe9"
    assert as_text("café\n") == "café\n"


NAMES = ["plain.txt", "with space", 'a"b', "tab\there", "line\nbreak", "back\\slash", "caf\udce9", "\x01\x7f", "bell\a"]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_quoted_so_that_git_reads_the_same_name(name: str, tmp_path: Path, repo: Any) -> None:
    patch = f"--- /dev/null\n+++ {quoted(f'b/{name}')}\n@@ -0,0 +1 @@\n+x\n"
    subprocess.run(["git", "apply"], cwd=repo.root, input=os.fsencode(patch), check=True, capture_output=True)
    made = {p.name for p in repo.root.iterdir()} - {".git", "README.md"}
    assert made == {name}


def test_letters_of_any_script_need_no_quotes() -> None:
    assert quoted("größe/файл.txt") == "größe/файл.txt"
