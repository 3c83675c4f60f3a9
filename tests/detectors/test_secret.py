"""Live-looking values before they leave the machine; the value itself is nowhere in what is said."""

from __future__ import annotations

import json
import os

import msgspec
import pytest

from kairos.detectors.secret import Secret
from kairos.domain.secrets import redact, scan

AWS = "AKIAQ3EGRT5HZX7WLMNP"
GENERIC = "q7ZpX2mK9vLt4RwB8nYc"


def look(scene):
    return list(Secret().look(scene))


def said(findings):
    return "\n".join(f.title for f in findings)


@pytest.fixture
def pushed(repo, tmp_path):
    """Pushes what is committed to a remote."""

    def push():
        if not (tmp_path / "remote").exists():
            repo.git("init", "-q", "--bare", str(tmp_path / "remote"))
            repo.git("remote", "add", "origin", str(tmp_path / "remote"))
        repo.git("push", "-q", "origin", "main")

    return push


def test_a_staged_key_is_found_and_never_repeated(repo, see):
    repo.write("config/dev.env", f"# dev\nREGION=eu\nAWS_ID={AWS}\n")
    repo.git("add", "config/dev.env")
    (found,) = look(see("burst", "config/dev.env"))
    assert found.title == "AWS key in config/dev.env, staged"
    assert found.urgent
    assert found.evidence == [200]
    text = json.dumps(msgspec.to_builtins(found))
    assert AWS not in text
    assert "config/dev.env:3" in found.action.text
    assert ".gitignore" in found.action.text
    for words in (found.title, found.claim, found.action.text):
        assert redact(words) == words


def test_an_untracked_file_is_found_only_while_nothing_ignores_it(repo, see):
    repo.write("new/.env", f"TOKEN={GENERIC}\n")
    assert "untracked and not ignored" in said(look(see("burst", "new/.env")))
    assert "untracked and not ignored" in said(look(see("baseline")))
    repo.write(".gitignore", ".env\n")
    assert look(see("burst", "new/.env")) == []
    assert look(see("baseline")) == []


def test_a_committed_unpushed_key_is_urgent_even_after_it_left_the_tree(repo, see, pushed):
    pushed()
    repo.write("app.py", f'KEY = "{AWS}"\n')
    oid = repo.commit("oops")
    (found,) = look(see("commit"))
    assert found.urgent
    assert found.title == f"AWS key in app.py, committed in commit {oid[:12]} and not pushed"
    assert found.evidence == [100, 101]
    repo.write("app.py", "KEY = None\n")
    repo.commit("remove")
    assert look(see("commit")) == []
    assert [f.key for f in look(see("commit", commits=2))] == [found.key]
    assert [f.urgent for f in look(see("baseline"))] == [True]


def test_what_is_unsure_is_not_urgent_and_what_is_only_in_the_tree_can_wait(repo, see):
    repo.write("app.py", f'SENDGRID_KEY = "{GENERIC}{GENERIC[:8]}"\n')
    (found,) = look(see("burst", "app.py"))
    assert (found.urgent, found.at_least) == (False, "medium")
    repo.git("add", "app.py")
    (found,) = look(see("burst", "app.py"))
    assert (found.urgent, found.at_least) == (False, "medium")
    repo.write("app.py", f'AWS = "{AWS}"\n')
    repo.git("rm", "-q", "-f", "--cached", "app.py")
    (found,) = look(see("burst", "app.py"))
    assert (found.urgent, found.at_least) == (False, "high")


def test_pushed_history_is_not_raised(repo, see, pushed):
    repo.write("app.py", f'KEY = "{AWS}"\n')
    repo.commit("oops")
    pushed()
    assert look(see("commit")) == []
    assert look(see("baseline")) == []


def test_an_edit_beside_a_value_that_was_there_before_is_not_news(repo, see, pushed):
    repo.write("app.py", f'KEY = "{AWS}"\n')
    repo.commit("oops")
    pushed()
    repo.write("app.py", f'# more\nKEY = "{AWS}"\n')
    repo.git("add", "app.py")
    assert look(see("burst", "app.py")) == []
    repo.commit("more")
    assert look(see("commit")) == []


def test_a_merge_brings_in_nothing_that_a_parent_had(repo, see, pushed):
    repo.write("app.py", f'KEY = "{AWS}"\n')
    repo.commit("oops")
    pushed()
    repo.git("checkout", "-q", "-b", "side", "HEAD~1")
    repo.write("b.txt", "b\n")
    repo.commit("side")
    repo.git("merge", "-q", "--no-edit", "main")
    assert look(see("baseline")) == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (
            "a.env",
            "AWS=AKIAIOSFODNN7EXAMPLE\nTOKEN=changeme\nPASSWORD=${PASSWORD}\nKEY=<token>\nAPI_KEY=xxxxxxxxxxxxxxxx\n",
        ),
        ("tests/test_login.py", f'password = "{GENERIC}"\n'),
        (".env.example", f"TOKEN={GENERIC}\n"),
        ("package-lock.json", f'"token": "{GENERIC}", "integrity": "sha512-{GENERIC * 4}=="\n'),
        ("id.pub", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{GENERIC} a@b\n"),
        ("ids.json", '{"token": "550e8400-e29b-41d4-a716-446655440000"}\n'),
        ("rules.json", '{"password": "minLength8MaxLength64"}\n'),
        ("blob.bin", b"\0" + AWS.encode()),
        ("build/__pycache__/x.txt", AWS),
        ("node_modules/x/a.js", f'password = "{GENERIC}"\n'),
        ("vendor/x/a.env", f"TOKEN={GENERIC}\n"),
        ("src/test-fixtures/a.env", f"TOKEN={GENERIC}\n"),
    ],
)
def test_what_is_no_secret_is_left_alone(repo, see, path, content):
    repo.write(path, content)
    assert look(see("baseline")) == []
    if "__pycache__" not in path:
        repo.git("add", path)
        assert look(see("burst", path)) == []


@pytest.mark.parametrize("folder", ["node_modules/x", "vendor", "third_party/a", ".venv/lib/site-packages/b"])
def test_a_token_of_an_issuer_that_git_tracks_in_code_of_others_is_said(repo, see, folder):
    repo.write(f"{folder}/settings.py", f'KEY = "{AWS}"\npassword = "{GENERIC}"\n')
    repo.git("add", "-f", ".")
    (staged,) = look(see("burst"))
    assert staged.title == f"AWS key in {folder}/settings.py, staged"
    assert any("folder of others' code" in words for words in staged.unchecked)
    repo.commit("vendored")
    assert [f.key for f in look(see("commit"))] == [staged.key]


def test_a_real_token_in_a_test_is_still_said(repo, see):
    repo.write("tests/test_login.py", f'x = "{AWS}"\n')
    repo.git("add", ".")
    assert len(look(see("burst"))) == 1


def test_before_the_first_commit_the_index_is_read(tmp_path, see, repo):
    repo.git("update-ref", "-d", "HEAD")
    repo.write("a.env", f"AWS={AWS}\n")
    repo.git("add", ".")
    assert "staged" in said(look(see("burst", "a.env")))


def test_several_values_in_one_file_are_one_finding(repo, see):
    repo.write("a.env", f"AWS={AWS}\nTOKEN={GENERIC}\n")
    repo.git("add", ".")
    (found,) = look(see("burst", "a.env"))
    assert found.title == "2 credentials in a.env, staged"
    assert "a.env:1 AWS key" in found.action.text
    assert "a.env:2 credential" in found.action.text


def test_another_value_is_another_finding_and_no_key_can_be_guessed_without_the_salt(repo, see):
    def key(value, salt=b"salt", before=""):
        repo.write("a.env", f"{before}AWS={value}\n")
        repo.git("add", ".")
        (found,) = look(see("burst", "a.env", salt=salt))
        return found.key

    one = key("AKIAQ3EGRT5HZX7WLMNP")
    assert key("AKIAQ3EGRT5HZX7WLMNP", before="# moved\n") == one
    assert key("AKIAZ9YXWV8UTSR7QPON") != one
    assert key("AKIAQ3EGRT5HZX7WLMNP", salt=b"another home") != one


@pytest.mark.parametrize(
    "content",
    [
        f"A=1\r\nTOKEN={GENERIC}\r\n".encode(),
        f"\ufeffTOKEN={GENERIC}\n".encode(),
        f"A=1\r\nTOKEN={GENERIC}\r\n".encode("utf-16"),
        "\ufeff".encode("utf-16-be") + f"TOKEN={GENERIC}\n".encode("utf-16-be"),
    ],
)
def test_line_ends_and_wide_characters_hide_nothing(repo, see, content):
    repo.write("a.env", content)
    repo.git("add", ".")
    (found,) = look(see("burst", "a.env"))
    assert found.title == "credential in a.env, staged"


def test_an_unstaged_edit_is_left_until_it_is_staged(repo, see, pushed):
    repo.write("a.env", "A=1\n")
    repo.commit("a")
    pushed()
    repo.write("a.env", f"A=1\nTOKEN={GENERIC}\n")
    assert look(see("burst", "a.env")) == []
    repo.git("add", ".")
    repo.write("a.env", "A=1\n")
    assert "staged" in said(look(see("burst", "a.env")))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("app.ts", f'const apiKey: string = "{GENERIC}";\n'),
        ("app.rs", f'const API_KEY: &str = "{GENERIC}";\n'),
        ("app.cs", f'"Server=db;User Id=sa;Password={GENERIC}!;"\n'),
        ("app.sh", f"curl -H 'Authorization: Bearer {GENERIC}{GENERIC}' https://api.internal/\n"),
        ("call.sh", f"curl -u admin:{GENERIC} https://api.internal/\n"),
        ("netrc", f"machine git.internal login bob password {GENERIC}\n"),
        ("config.json", f'{{"auths": {{"ghcr.io": {{"auth": "{GENERIC}{GENERIC}"}}}}}}\n'),
    ],
)
def test_values_are_known_by_their_place_too(repo, see, path, content):
    repo.write(path, content)
    assert len(look(see("baseline"))) == 1


def test_hostile_names_links_and_sizes_are_inert(repo, see, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text(f"AWS={AWS}\n")
    (repo.root / "link.env").symlink_to(outside)
    (repo.root / "dir").symlink_to(tmp_path)
    os.mkfifo(repo.root / "pipe.env")
    repo.write("big.env", f"AWS={AWS}\n" + "x" * (2 << 20))
    repo.write("e\x1b[2J\n\u202e.env", f"AWS={AWS}\n")
    repo.write(os.fsdecode(b"caf\xe9.env"), b"\xff\xfe AWS=" + AWS.encode() + b"\n")
    found = look(see("baseline"))
    assert len(found) == 2
    for finding in found:
        assert finding.title.isprintable()
        msgspec.json.encode(finding)


@pytest.mark.parametrize(
    ("path", "made_up"),
    [
        ("tests/a.env", True),
        ("src/Docs/a.env", True),
        ("test_a.py", True),
        ("src/a_test.go", True),
        ("src/a.spec.ts", True),
        ("README.md", True),
        (".env.example", True),
        ("src/contests/a.env", False),
        ("src/latest.py", False),
        ("a_test.d/b.env", False),
        ("a_test." * 50_000 + "/b.env", False),
        ("/" * 300_000 + "b.env", False),
    ],
    ids=range(12),
)
def test_tests_and_examples_are_known_by_a_name_of_any_length(path, made_up):
    held = scan(path, f"TOKEN={GENERIC}\n".encode()).held
    assert (held == []) is made_up
