"""The import paths of Go packages follow where they stand as whole words, outside of Go."""

from __future__ import annotations

import pytest

from kairos.detectors.stale_reference.detector import StaleReference

FILES = {
    "go.mod": "module example.com/me/it\n",
    "src/tui/a.go": "package tui\n\nfunc A() {}\n\nvar Version = 1\n",
    "src/tui/sub/b.go": "package sub\n\nfunc B() {}\n",
    "main.go": 'package main\n\nimport "example.com/me/it/src/tui"\n\nfunc main() { tui.A() }\n',
}
MOVES = [("src/tui/a.go", "src/term/a.go"), ("src/tui/sub/b.go", "src/term/sub/b.go")]
OLD, NEW = "example.com/me/it/src/tui", "example.com/me/it/src/term"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("Makefile", f"test:\n\tgo test -v \\\n\t\t{OLD} \\\n\t\texample.com/me/it/src/tuition"),
        ("Makefile", f"\tgo test {OLD}/... {OLD}/sub"),
        ("build.sh", f"go build -ldflags '-X {OLD}.Version=$V'"),
        ("build.sh", f'go build -ldflags "-X={OLD}/sub.Name=1" -coverpkg={OLD},{OLD}/sub ./...'),
        ("Dockerfile", f"RUN go install {OLD}@latest"),
        ("ci.yml", f"run: go vet {OLD}."),
        ("codecov.yml", f"ignore:\n  - {OLD}/a.go"),
        ("conf.json", f'{{"packages": ["{OLD}", "{OLD}/"]}}'),
    ],
)
def test_a_whole_import_path_follows(applied, text, path, line):
    applied({**FILES, path: line + "\n"}, MOVES)
    assert text(path) == line.replace("src/tui", "src/term").replace("src/termtion", "src/tuition") + "\n"


@pytest.mark.parametrize(
    "line",
    [
        f"go get other.{OLD}", f"go get {OLD}tion", f"go get {OLD}-x", "go get example.com/me/it/src",
        f"curl https://{OLD}tion", f"go get $X{OLD}", f"go get {OLD}/other",
    ],
)  # fmt: skip
def test_what_is_only_alike_stays(applied, text, line):
    applied({**FILES, "build.sh": line + "\n"}, MOVES)
    assert text("build.sh") == line + "\n"


def test_a_version_that_exists_keeps_its_path_and_is_told(applied, text):
    (found,) = applied({**FILES, "build.sh": f"go install {OLD}@v1.2.3\n"}, MOVES)
    assert text("build.sh") == f"go install {OLD}@v1.2.3\n"
    assert "build.sh:1 was left alone: `@v1.2.3` is a version that may have the old path" in found.unchecked


def test_a_package_that_was_divided_is_told(applied, text):
    files = {**FILES, "src/tui/c.go": "package tui\n\nfunc C() { _ = 1 }\n", "build.sh": f"go vet {OLD}\n",
             "x.md": "[a](src/tui/a.go)\n"}  # fmt: skip
    (found,) = applied(files, [("src/tui/a.go", "src/term/a.go"), ("src/tui/c.go", "src/text/c.go")])
    assert text("build.sh") == f"go vet {OLD}\n"
    assert "build.sh:1 was left alone: its package was divided" in found.unchecked


def test_a_deleted_package_is_named_in_a_note(repo, see):
    for path, content in {**FILES, "build.sh": f"go vet {OLD}/sub\n"}.items():
        repo.write(path, content)
    repo.commit()
    repo.git("rm", "-q", "src/tui/sub/b.go")
    repo.git("commit", "-qm", "rm")
    (found,) = StaleReference().look(see("commit"))
    assert "build.sh:1" in found.action.text


def test_an_import_path_that_no_search_reads_is_told_with_its_place(applied):
    files = {**FILES, "doc.md": f"It is in {OLD}, see https://pkg.go.dev/{OLD}#A.\n",
             "x.go": f"package main\n\n// See {OLD}.\nvar x = 1\n"}  # fmt: skip
    (found,) = applied(files, MOVES)
    told = [words for words in found.unchecked if OLD in words]
    assert [words.partition(" ")[0] for words in told] == ["doc.md:1", "x.go:3"]
