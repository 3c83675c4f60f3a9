"""Generated files get a rule, large ones a note, everything else nothing."""

from __future__ import annotations

import os

import pytest

from kairos.detectors.ignore_artifact import IgnoreArtifact
from kairos.domain.action import NoteAction, PatchAction


def look(scene):
    return list(IgnoreArtifact().look(scene))


def untracked(repo):
    return repo.git("ls-files", "--others", "--exclude-standard")


def test_generated_files_get_one_patch_that_makes_git_ignore_them(repo, see, apply):
    repo.write("src/__pycache__/a.cpython-311.pyc", b"\0")
    repo.write("src/a.py", "")
    repo.write(".DS_Store", b"\0")
    repo.write("node_modules/x/index.js", "")
    repo.write("deep/new/debug.log", "")
    repo.git("add", "src/a.py")
    (found,) = look(see("baseline"))
    assert found.title == "Ignore *.log, .DS_Store, __pycache__/ and 1 more"
    apply(found)
    assert (repo.root / ".gitignore").read_text() == "*.log\n.DS_Store\n__pycache__/\nnode_modules/\n"
    assert untracked(repo) == ".gitignore"
    assert look(see("baseline")) == []


@pytest.mark.parametrize(
    ("now", "after"),
    [
        ("*.tmp\n", "*.tmp\n.DS_Store\n"),
        ("*.tmp", "*.tmp\n.DS_Store\n"),
        ("*.tmp\r\nx\r\n", "*.tmp\r\nx\r\n.DS_Store\r\n"),
        ("a\r\n*.tmp", "a\r\n*.tmp\r\n.DS_Store\r\n"),
        ("", ".DS_Store\n"),
    ],
)
def test_the_existing_file_keeps_its_line_ends(repo, see, apply, now, after):
    repo.write(".gitignore", now)
    repo.write(".DS_Store", b"")
    (found,) = look(see("burst", ".DS_Store"))
    apply(found)
    assert (repo.root / ".gitignore").read_bytes().decode() == after


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"target/CACHEDIR.TAG": "", "target/x": ""}, "/target/"),
        ({"crate/Cargo.toml": "", "crate/target/debug/x": ""}, "/crate/target/"),
        ({"pyproject.toml": "", "dist/x.whl": ""}, "/dist/"),
        ({"env/pyvenv.cfg": "", "env/bin/python": ""}, "/env/"),
        ({"a[1]/setup.py": "", "a[1]/build/lib/x.py": ""}, "/a\\[1]/build/"),
        ({"pkg.egg-info/PKG-INFO": ""}, "*.egg-info/"),
    ],
)
def test_directories_that_need_a_witness_are_anchored(repo, see, apply, files, rule):
    for path, content in files.items():
        repo.write(path, content)
    (found,) = look(see("manual"))
    apply(found)
    assert (repo.root / ".gitignore").read_text() == rule + "\n"
    assert look(see("manual")) == []


@pytest.mark.parametrize(
    "path",
    ["target/notes.md", "dist/readme.txt", "build/plan.txt", "env/settings.py", "logs.md", "data.bin", "lib/logger.py",
     "coverage/readme.md", "model.obj", "catalog"],
)  # fmt: skip
def test_what_a_person_may_have_made_is_left_alone(repo, see, path):
    repo.write(path, "x\n")
    assert look(see("baseline")) == []
    assert look(see("burst", path)) == []


def test_tracked_ignored_and_kept_files_are_left_alone(repo, see):
    repo.write("kept.log", "x")
    repo.git("add", "kept.log")
    repo.write(".gitignore", "*.log\n!wanted.log\nout/\n")
    repo.write("other.log", "x")
    repo.write("wanted.log", "x")
    repo.write("out/x.pyc", "x")
    repo.git("add", ".gitignore")
    assert look(see("baseline")) == []


def test_a_large_file_of_unknown_name_becomes_a_note(repo, see):
    with (repo.root / "dump.bin").open("wb") as file:
        file.truncate(11 << 20)
    (found,) = look(see("burst", "dump.bin"))
    assert isinstance(found.action, NoteAction)
    assert found.title == "dump.bin is 11 MiB and neither tracked nor ignored"
    assert "MiB" not in found.claim + found.action.text  # the title says it, once
    assert look(see("burst", "other.bin")) == []


def test_a_gitignore_that_is_no_plain_text_becomes_a_note(repo, see, tmp_path):
    (tmp_path / "rules").write_text("x\n")
    (repo.root / ".gitignore").symlink_to(tmp_path / "rules")
    repo.write("a.pyc", b"")
    (found,) = look(see("baseline"))
    assert isinstance(found.action, NoteAction)
    (repo.root / ".gitignore").unlink()
    repo.write(".gitignore", b"caf\xe9\n")
    (found,) = look(see("baseline"))
    assert isinstance(found.action, NoteAction)


def test_hostile_names_never_write_a_rule_of_their_own(repo, see):
    repo.write("Cargo.toml", "")
    repo.write("x\n*\n/target/CACHEDIR.TAG", "")
    repo.write("e\x1b[31m.log", "")
    repo.write(os.fsdecode(b"\xff.log"), "")
    (found,) = look(see("baseline"))
    assert isinstance(found.action, PatchAction)
    assert found.action.edits[0].hunks[0].new == ["*.log\n"]
    assert found.claim.isprintable()


def test_an_embedded_repository_is_not_entered(repo, see):
    repo.git("init", "-q", str(repo.root / "inner"))
    repo.write("inner/a.log", "")
    assert look(see("baseline")) == []


BUILT = [
    ({"setup.py": "", "build/bdist.linux-x86_64/x": "", "build/lib/p/a.py": ""}, "/build/"),
    ({"package.json": "{}", "dist/app.4f2a9c1b.js": "", "dist/index.html": ""}, "/dist/"),
    ({"package.json": '{"main": "./dist/index.js"}', "dist/index.js": ""}, "/dist/"),
    ({"package.json": "{}", "build/index.html": "", "build/static/js/main.js": ""}, "/build/"),
    ({"web/package.json": "{}", "web/dist/a.js": "", "web/dist/a.js.map": ""}, "/web/dist/"),
    ({"pyproject.toml": "", "build/CMakeCache.txt": ""}, "/build/"),
]


@pytest.mark.parametrize(("files", "rule"), BUILT)
def test_the_output_of_a_build_is_known_by_what_it_holds(repo, see, apply, files, rule):
    for path, content in files.items():
        repo.write(path, content)
    repo.git("add", "-f", next(iter(files)))
    (found,) = look(see("manual"))
    apply(found)
    assert (repo.root / ".gitignore").read_text() == rule + "\n"


def test_compiled_scripts_are_known_by_their_sources(repo, see):
    repo.write("package.json", "{}")
    repo.write("src/index.ts", "")
    repo.git("add", ".")
    repo.write("dist/index.js", "")
    assert len(look(see("manual"))) == 1
    repo.write("dist/other.js", "")
    assert look(see("manual")) == [], "it has no source"


@pytest.mark.parametrize(
    "files",
    [
        {"build/webpack.config.js": "module.exports = {}\n"},
        {"build/Makefile": "all:\n"},
        {"build/release.sh": "#!/bin/sh\n"},
        {"build/webpack.base.conf.js": "", "build/app.min.js": ""},
        {"dist/README.md": "", "dist/pkg.spec": ""},
        {"build/icons/app.svg": "", "build/entitlements.plist": ""},
        {"tests/fixtures/access.log": "GET / 200\n"},
        {"spec/data/a.o": "", "examples/run.log": "", "testdata/A.class": ""},
        {"pkg/test/resources/server.log": ""},
    ],
)
def test_what_is_source_or_a_fixture_is_left_alone(repo, see, files):
    repo.write("package.json", "{}\n")
    repo.commit()
    for path, content in files.items():
        repo.write(path, content)
    assert look(see("manual")) == []
    assert look(see("burst", *files, kind="created")) == []


@pytest.mark.parametrize(
    ("kept", "new"),
    [
        ("logs/install.log", "other/new.log"),
        ("vendor/node_modules/x/index.js", "node_modules/y/index.js"),
        ("build/tools/gen.py", "build/lib/a.py"),
        ("dist/bundle.js", "dist/bundle.js.map"),
        ("native/blob.o", "native/more.o"),
        ("fixtures/pkg.egg-info/PKG-INFO", "src/pkg.egg-info/PKG-INFO"),
    ],
)
def test_a_rule_that_would_cover_something_tracked_is_not_proposed(repo, see, kept, new):
    repo.write("package.json", "{}\n")
    repo.write(kept, "x\n")
    repo.git("add", "-f", ".")
    repo.commit()
    repo.write(new, "x\n")
    assert look(see("manual")) == []


def test_environments_and_built_documentation_are_known_by_what_is_in_them(repo, see):
    repo.write("docs/conf.py", "x\n")
    repo.write("mkdocs.yml", "x\n")
    repo.commit()
    repo.write("my-env/pyvenv.cfg", "home = /usr\n")
    repo.write("my-env/bin/python", "x")
    repo.write("docs/_build/html/objects.inv", "x")
    repo.write("site/index.html", "x")
    repo.write("site/sitemap.xml", "x")
    repo.write("other/site/index.html", "x")
    (found,) = IgnoreArtifact().look(see("idle_return"))
    assert found.title == "Ignore /docs/_build/, /my-env/ and /site/"


def test_what_tests_keep_as_built_is_left_alone(repo, see):
    repo.write("tests/fixtures/app/pyproject.toml", "[project]\n")
    repo.commit()
    repo.write("tests/fixtures/app/dist/app-1.0-py3-none-any.whl", "x")
    repo.write("tests/fixtures/app/app.egg-info/PKG-INFO", "x")
    repo.write("tests/fixtures/env/pyvenv.cfg", "x")
    assert list(IgnoreArtifact().look(see("idle_return"))) == []


@pytest.mark.parametrize(
    "files",
    [
        {"bower.json": "{}"},
        {"component.json": "{}"},
        {"action.yml": "runs: {using: node20, main: dist/index.js}"},
        {".gitignore": "dist/*.map\n"},
        {".gitignore": "# builds\n/dist/*.gz\nnode_modules\n"},
        {".gitignore": "!dist/app.js\n"},
        {"app.min.js": "x"},
        {"old/app.min.js": "x"},
    ],
)
def test_builds_that_are_meant_to_be_committed_are_left_alone(repo, see, files):
    for path, text in {"package.json": '{"main": "dist/app.js"}', **files}.items():
        repo.write(path, text)
    repo.commit()
    repo.write("dist/app.js", "x")
    repo.write("dist/app.min.js", "x")
    assert look(see("baseline")) == []


@pytest.mark.parametrize("rules", ["node_modules\n", "distribution/x\n", "dist.old/\n", "lib/dist/*.map\n"])
def test_a_build_is_still_told_beside_rules_for_other_things(repo, see, rules):
    repo.write("package.json", '{"main": "dist/app.js"}')
    repo.write(".gitignore", rules)
    repo.commit()
    repo.write("dist/app.min.js", "x")
    (found,) = look(see("baseline"))
    assert found.title == "Ignore /dist/"
