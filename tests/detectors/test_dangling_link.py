"""A committed link that leads nowhere; what may be made, fetched or lies outside is left alone."""

from __future__ import annotations

from kairos.detectors.dangling_link import DanglingLink


def look(scene):
    return list(DanglingLink().look(scene))


def test_a_link_to_nothing_is_said_once_and_lives_until_its_target_is_there(repo, see):
    (repo.root / "link").symlink_to("no/where")
    repo.commit()
    (found,) = look(see("commit"))
    assert found.title == "1 symbolic link leads nowhere: link" and "leads to no/where" in found.action.text
    assert [f.key for f in look(see("baseline"))] == [found.key]
    repo.write("no/where", "x")
    repo.commit()
    assert look(see("baseline")) == []


def test_what_may_be_right_is_left_alone(repo, see):
    repo.write(".gitignore", "build/\n")
    repo.write(".gitmodules", '[submodule "s"]\n\tpath = vendor/s\n\turl = x\n')
    repo.write("d/f", "x")
    targets = {
        "good": "d/f", "folder": "d", "absolute": "/no/where", "outside": "../../no/where", "made": "build/out",
        "module": "vendor/s/file", "odd": "a\nb",
    }  # fmt: skip
    for name, target in targets.items():
        (repo.root / name).symlink_to(target)
    (repo.root / "tests/data").mkdir(parents=True)
    (repo.root / "tests/data/dead").symlink_to("nothing")
    repo.commit()
    assert look(see("commit")) == []


def test_an_old_link_is_not_said_at_a_commit_that_does_not_touch_it(repo, see):
    (repo.root / "link").symlink_to("no/where")
    repo.commit()
    repo.write("x", "y")
    repo.commit()
    assert look(see("commit")) == []


def test_a_link_through_a_linked_folder_leads_where_a_system_leads_it(repo, see):
    repo.write(".gitignore", "build/\n")
    repo.write("real/deep/file", "x\n")
    repo.write("top", "x\n")
    (repo.root / "folder").symlink_to("real/deep")
    for name, target in {
        "through": "folder/file", "up": "folder/../deep/file", "not-top": "folder/../top", "out": "folder/../../../x",
        "no": "folder/none", "circle": "circle", "made": "made-dir/out", "made-dir": "build",
    }.items():  # fmt: skip
        (repo.root / name).symlink_to(target)
    repo.commit()
    (found,) = look(see("commit"))
    said = [line.split()[0] for line in found.action.text.splitlines()[1:]]
    assert said == ["circle", "no", "not-top"]


def test_a_target_beyond_a_link_in_the_work_tree_is_no_failure(repo, see):
    (repo.root / "sub").mkdir()
    (repo.root / "sub/away").symlink_to("/usr")
    (repo.root / ".git/info/exclude").write_text("sub/away\n")
    (repo.root / "link").symlink_to("sub/away/none")
    repo.commit()
    assert look(see("commit")) == []
