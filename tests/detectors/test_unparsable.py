"""A file that parsed before the commit and does not now; other dialects, templates and fixtures are left alone."""

from __future__ import annotations

import pytest

from kairos.detectors.unparsable import Unparsable, problem_in


def look(scene):
    return list(Unparsable().look(scene))


@pytest.mark.parametrize(
    ("path", "before", "after", "said"),
    [
        ("a.json", '{"a": 1}\n', '{"a": 1\n', "Expecting"),
        ("a.json", '{"a": 1}\n', '{"a": 1 "b": 2}\n', "Expecting"),
        ("a.json", "[1]\n", "<<<<<<< HEAD\n[1]\n", "Expecting"),
        ("pyproject.toml", 'a = "1"\n', 'a = "1\n', "line 1"),
        ("pyproject.toml", "a = 1\n", "a = 1\na = 2\n", "overwrite"),
        ("Cargo.lock", "a = 1\n", "a =\n", "line 1"),
        ("ci.yml", "a: [1]\n", "a: [1\nb: 2\n", "line"),
        ("ci.yaml", "a:\n  b: 1\n", "a:\n\tb: 1\n", "line 2"),
    ],
)
def test_what_broke_is_said_with_its_place(repo, see, path, before, after, said):
    if problem_in(path) is None:
        pytest.skip("PyYAML is not installed")
    repo.write(path, before)
    repo.commit()
    repo.write(path, after)
    repo.commit()
    (found,) = look(see("commit"))
    assert found.title == f"{path} no longer parses" and said in found.claim
    repo.write(path, after + "\n")
    repo.commit()
    assert look(see("commit")) == []  # it was broken before


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.json", '{"a": 1}\n', '{"a": 2}\n'),
        ("tsconfig.json", '{"a": 1}\n', '{\n  // why\n  "a": "http://x", /* b */\n}\n'),
        ("a.json", "[1]\n", "[1, /* c */ ]\n"),
        ("a.json", "[1]\n", "\ufeff[1]\n"),
        ("a.json", "[1]\n", "[1]\n[2]\n"),
        ("a.json", "[1]\n", "[{{ number }}]\n"),
        ("a.json", "[1]\n", "[" * 100_000),
        ("tests/data/a.json", "[1]\n", "[1\n"),
        ("node_modules/a.json", "[1]\n", "[1\n"),
        ("a.toml", "a = 1\n", "a = {{ cookiecutter.a }}\n"),
        ("chart.yml", "a: 1\n", "{{- if .Values }}\na: 1\n{{- end }}\n"),
        ("a.yml", "a: !x 1\n", "a: !unknown {b: *c}\n---\nd\n"),
        ("a.txt", "{}", "{"),
    ],
)
def test_what_another_reader_accepts_is_left_alone(repo, see, path, before, after):
    repo.write(path, before)
    repo.commit()
    repo.write(path, after)
    repo.commit()
    assert look(see("commit")) == []


def test_a_new_file_was_never_fine(repo, see):
    repo.write("a.json", "{")
    repo.commit()
    assert look(see("commit")) == []


def test_a_renamed_file_is_compared_with_what_it_was(repo, see):
    lines = "".join(f' "{n}": {n},\n' for n in range(40))
    repo.write("a.json", f'{{\n{lines} "last": 1}}\n')
    repo.commit()
    repo.git("mv", "a.json", "b.json")
    repo.write("b.json", f'{{\n{lines} "last": 1\n')
    repo.commit()
    assert [f.title for f in look(see("commit"))] == ["b.json no longer parses"]


@pytest.mark.parametrize("name", ["a.json", "a.toml", "a.yml"])
@pytest.mark.parametrize(
    "piece", ['"\\', "/*", "${", "[", "{", "[*a,", "{a: ", "__A", "@a", ", ", "a.", "- ", "//", '"a": ', "[[],", "[? "]
)
def test_a_hostile_file_takes_linear_time(name, piece):
    """Nothing here measures time: what is not linear does not end within the time limit of a test."""
    find = problem_in(name)
    if find is None:
        pytest.skip("PyYAML is not installed")
    found = find(piece * ((1 << 20) // len(piece)))
    assert found is None or found


@pytest.mark.parametrize("text", ["[1, ${env}", '{"a": "${A}" "b"', "[1 @NAME@", "{__NAME__"])
def test_templates_in_other_forms_are_left_alone(text):
    find = problem_in("a.json")
    assert find is not None and find(text) is None
    assert find("[1 ${" + "x" * 500 + "}") is not None


def test_yaml_deeper_than_anybody_writes_is_not_judged():
    find = problem_in("a.yml")
    if find is None:
        pytest.skip("PyYAML is not installed")
    assert find("[" * 20 + "]" * 20) is None and find("[" * 20) is not None
    assert find("[" * 200) is None
