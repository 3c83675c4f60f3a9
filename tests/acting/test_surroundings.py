"""A confined command finds a constructed environment: interpreters it may read, and nothing of the caller's secrets."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kairos.acting.surroundings import SYSTEM_PATH, environment_for, home_directory, interpreter_roots, search_path


def test_nothing_is_inherited_that_was_not_chosen(tmp_path: Path) -> None:
    given = {
        "PATH": "/usr/bin", "TZ": "UTC", "AWS_SECRET_ACCESS_KEY": "x", "HTTPS_PROXY": "x", "GIT_DIR": "/x",
        "LD_PRELOAD": "/x.so", "PYTHONPATH": "/x", "SSH_AUTH_SOCK": "/x", "HOME": "/home/ada",
    }  # fmt: skip
    made = environment_for(given, tmp_path, [])
    assert set(made) == {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "PYTHONDONTWRITEBYTECODE",
        "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "TZ",
    }  # fmt: skip
    assert (made["HOME"], made["TZ"]) == (str(tmp_path), "UTC")


def test_the_search_path_holds_what_the_command_can_see_and_the_system(tmp_path: Path) -> None:
    seen, hidden = tmp_path / "seen", tmp_path / "hidden"
    (seen / "bin").mkdir(parents=True)
    hidden.mkdir()
    (tmp_path / "way").symlink_to(hidden)
    (seen / "out").symlink_to(hidden)
    path = f"{seen}/bin:{hidden}:{tmp_path}/way:{seen}/out:relative:.::/usr/bin:{seen}/bin"
    made = environment_for({"PATH": path}, tmp_path, [seen])
    assert made["PATH"].split(":") == [f"{seen}/bin", *dict.fromkeys(("/usr/bin", *SYSTEM_PATH))]


def test_a_pointer_is_inherited_where_it_names_a_visible_place(tmp_path: Path) -> None:
    given = {"RUSTUP_HOME": f"{tmp_path}/rust", "JAVA_HOME": "/nowhere/java", "GOROOT": "", "PYENV_ROOT": "relative"}
    made = environment_for(given, tmp_path, [tmp_path / "rust"])
    assert {name for name in made if name in given} == {"RUSTUP_HOME"}


@pytest.mark.parametrize("home", ["/", "/usr", "/usr/lib/x", "/proc", "/dev/shm/..", ""])
def test_a_home_that_would_cover_the_system_is_put_elsewhere(home: str) -> None:
    assert home_directory({"HOME": home}) == Path("/tmp")


def test_a_home_is_where_links_lead(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert home_directory({"HOME": str(tmp_path / "link")}) == (tmp_path / "real").resolve()
    assert home_directory({}) == Path("/tmp")


def test_toolchains_of_the_home_and_of_the_path_are_readable_but_no_credentials(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for place in (mine / ".cargo/bin", mine / ".cargo/registry", mine / ".ssh", other / ".pyenv/shims"):
        place.mkdir(parents=True)
    (mine / ".cargo/credentials.toml").write_text("x")
    roots = interpreter_roots({"PATH": f"/usr/bin:{other}/.pyenv/shims:relative/.nvm/x"}, mine)
    assert {mine / ".cargo/bin", mine / ".cargo/registry", other / ".pyenv"} <= set(roots)
    assert not any(
        (mine / hidden).is_relative_to(root) for root in roots for hidden in (".ssh", ".cargo/credentials.toml")
    )
    base = Path(sys.base_prefix).resolve()
    assert any(base.is_relative_to(root) for root in (*roots, Path("/usr")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter everything")
def test_what_may_not_be_entered_is_not_there(tmp_path: Path) -> None:
    (tmp_path / ".pyenv").mkdir(mode=0)
    assert tmp_path / ".pyenv" not in interpreter_roots({}, tmp_path)


def test_a_search_for_a_program_sees_what_a_command_may_read(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    given = {"PATH": f"{tmp_path}/tools:/usr/bin", "HOME": str(tmp_path / "home")}
    assert search_path(given, []).split(":")[0] == "/usr/bin"
    assert search_path(given, [tmp_path / "tools"]).split(":")[0] == f"{tmp_path}/tools"
