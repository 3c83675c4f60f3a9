"""A home is its owner's alone: refused while others can write there, made private under any umask."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairos.durable import replace_file
from kairos.errors import Denied, UsageError
from kairos.home import Home, find_home
from kairos.privacy import exposures, make_private, open_private
from kairos.settings import load_config

STRANGER = 54_321


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def whole(home: Home) -> Home:
    """A home in which everything is that ever is."""
    home.config_file.write_text("")
    home.policy_file.write_text("")
    for file in (home.log, home.daemon_lock, home.exec_lock, home.run / "dream.lock", home.status_file):
        file.touch()
    home.salt()
    for folder in (home.segments, home.undo):
        folder.mkdir()
    return home


FOLDERS = ("config", "data", "run", "segments", "undo", "scratch", "memory")
FILES = ("config_file", "policy_file", "log", "daemon_lock", "exec_lock", "status_file")


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a path somebody else's: really, where the tests may do that, else by being somebody else ourselves."""
    if os.geteuid() == 0:
        os.chown(path, STRANGER, -1, follow_symlinks=False)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)


def test_a_private_home_is_accepted(whole: Home) -> None:
    assert whole.exposures() == []
    assert find_home() == whole


@pytest.mark.parametrize("mode", [0o777, 0o702, 0o720, 0o770, 0o775])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_others_can_write_is_refused_with_the_command_that_mends_it(
    whole: Home, name: str, mode: int
) -> None:
    folder = getattr(whole, name)
    folder.chmod(mode)
    with pytest.raises(Denied) as caught:
        find_home()
    assert (caught.value.code, str(folder) in caught.value.message) == (6, True)
    assert f"`chmod go-w {folder}`" in caught.value.hint
    assert load_mended(caught.value.hint) == whole


def load_mended(hint: str) -> Home:
    """The home, after the command in the hint was run."""
    command = hint.split("`")[1]
    assert os.system(command) == 0
    return find_home()


@pytest.mark.parametrize("mode", [0o666, 0o602, 0o622, 0o646])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_others_can_write_is_refused(whole: Home, name: str, mode: int) -> None:
    file = getattr(whole, name)
    file.chmod(mode)
    with pytest.raises(Denied, match="can be written by others") as caught:
        find_home()
    assert load_mended(caught.value.hint) == whole


@pytest.mark.parametrize("name", [*FOLDERS, *FILES])
def test_what_belongs_to_somebody_else_is_refused(whole: Home, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(getattr(whole, name), monkeypatch)
    with pytest.raises(Denied, match="belongs to another user"):
        find_home()


@pytest.mark.parametrize("name", ["config_file", "policy_file", "log"])
def test_a_link_to_a_file_of_somebody_else_is_refused(
    whole: Home, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, link = tmp_path / "theirs", getattr(whole, name)
    theirs.write_text("")
    link.unlink()
    link.symlink_to(theirs)
    assert whole.exposures() == []
    give_away(theirs, monkeypatch)
    with pytest.raises(Denied, match="belongs to another user"):
        find_home()


def test_a_link_through_a_folder_that_others_can_write_is_refused(whole: Home, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/mine.toml").write_text("")
    (tmp_path / "shared").chmod(0o777)
    whole.config_file.unlink()
    whole.config_file.symlink_to(tmp_path / "shared/mine.toml")
    with pytest.raises(Denied, match="shared"):
        find_home()


def test_a_link_to_a_file_of_ones_own_is_followed_and_kept(whole: Home, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir(mode=0o755)
    mine = tmp_path / "dotfiles/kairos.toml"
    mine.write_text("[attention]\nper_day = 9\n")
    whole.config_file.unlink()
    whole.config_file.symlink_to("../dotfiles/kairos.toml")
    assert load_config(find_home()).attention.per_day == 9


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_above_in_which_others_could_swap_the_home_is_refused(tmp_path: Path, made: bool) -> None:
    above = tmp_path / "above"
    above.mkdir()
    if made:
        find_home(str(above / "home")).prepare()
    above.chmod(0o777)
    with pytest.raises(Denied) as caught:
        find_home(str(above / "home"))
    assert f"`chmod go-w {above}`" in caught.value.hint
    above.chmod(0o1777)  # as /tmp: nobody can rename what is not theirs
    assert find_home(str(above / "home")).exposures() == []


def test_a_folder_above_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    above = tmp_path / "above"
    above.mkdir()
    give_away(above, monkeypatch)
    with pytest.raises(Denied, match="belongs to another user"):
        find_home(str(above / "home"))


def test_a_link_that_somebody_else_made_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find_home(str(tmp_path / "mine")).prepare()
    (tmp_path / "link").symlink_to("mine")
    assert find_home(str(tmp_path / "link")).exposures() == []
    give_away(tmp_path / "link", monkeypatch)
    with pytest.raises(Denied):
        find_home(str(tmp_path / "link"))


def test_a_circle_of_links_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(UsageError, match="circle"):
        find_home(str(tmp_path / "a/home"))


class Names:
    """What the system's tables of users and groups say: this user, and one group."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, user: str, group: str, members: list[str], gid: int) -> None:
        owner = pwd.struct_passwd((user, "x", os.geteuid(), gid, "", "/", "/bin/sh"))
        monkeypatch.setattr(pwd, "getpwuid", lambda uid: owner)
        monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((group, "x", gid, members)))


@pytest.mark.parametrize(
    ("group", "members", "primary", "accepted"),
    [
        ("ada", [], True, True), ("ada", ["ada"], True, True), ("ada", ["ada", "bob"], True, False),
        ("staff", [], True, False), ("ada", [], False, False),
    ],
)  # fmt: skip
def test_a_group_may_write_a_file_only_if_it_is_the_owner_alone(
    whole: Home, monkeypatch: pytest.MonkeyPatch, group: str, members: list[str], primary: bool, accepted: bool
) -> None:
    whole.config_file.chmod(0o664)
    gid = whole.config_file.stat().st_gid
    Names(monkeypatch, "ada", group, members, gid if primary else gid + 1)
    assert (whole.exposures() == []) is accepted


def test_a_home_is_found_below_a_home_directory_that_the_users_own_group_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = tmp_path / "ada"
    ada.mkdir()
    ada.chmod(0o775)
    Names(monkeypatch, "ada", "ada", [], ada.stat().st_gid)
    assert find_home(str(ada / ".kairos")).exposures() == []
    Names(monkeypatch, "ada", "ada", ["bob"], ada.stat().st_gid)
    with pytest.raises(Denied):
        find_home(str(ada / ".kairos"))


def test_what_is_made_is_private_under_any_umask(tmp_path: Path, umask: int) -> None:
    home = find_home(str(tmp_path / "a/b/home"))
    home.prepare()
    home.salt()
    replace_file(home.config_file, b"")
    os.close(open_private(home.daemon_lock, os.O_RDWR))
    made = [tmp_path / "a", *(tmp_path / "a").rglob("*")]
    assert len(made) > 8
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert home.exposures() == []


def test_a_private_folder_leaves_those_alone_that_are_there(tmp_path: Path) -> None:
    tmp_path.joinpath("there").mkdir()
    tmp_path.joinpath("there").chmod(0o755)
    make_private(tmp_path / "there/new/newer")
    make_private(tmp_path / "there")
    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "there/new").stat().st_mode) == 0o700


def test_a_file_in_place_of_a_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        make_private(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        make_private(tmp_path / "file/folder")


def test_what_is_not_there_exposes_nothing(tmp_path: Path) -> None:
    assert exposures([tmp_path / "none/home"], [tmp_path / "none/home/log"], [tmp_path / "none/config.toml"]) == []
