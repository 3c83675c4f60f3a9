"""What is cut from the log, what is worth a word, and that neither takes long on hostile text.

Nothing here measures time: what is not linear does not end within the time limit of a test.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kairos.domain.secrets import find, label, redact, redact_all, scan

B62 = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fR3uX6iL9oAzbYcX"
HEX40 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
LIVE = {
    "aws-access-key": "AKIAQ3EGRT5HZX7WLMNP",
    "github-token": "ghp_" + B62[:36],
    "gitlab-token": "glpat-" + B62[:20],
    "slack-token": "xoxb-123456789012-" + B62[:24],
    "stripe-key": "sk_live_" + B62[:24],
    "google-api-key": "AIza" + B62[:35],
    "anthropic-key": "sk-ant-api03-" + B62[:40],
    "openai-key": "sk-proj-" + B62[:40],
    "npm-token": "npm_" + B62[:36],
    "pypi-token": "pypi-AgEIcHlwaS5vcmc" + B62,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
}
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + ("MIIEpAIBAAKCAQEA7bq9Zx3kLmN0pQrStUvWxYz1234567890abcdefGHIJKLMN\n" * 3)
CUT = [
    ("password = 'hunter2'", "hunter2"),
    ("DB_PASSWORD=correcthorse", "correcthorse"),
    ('{"api_key": "abcd efgh"}', "abcd efgh"),
    ("token: 9f8e7d6c5b4a", "9f8e7d6c5b4a"),
    (f"secret_key = {HEX40}", HEX40),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"),
    ("postgres://bob:s3cr3tpw@db.host.io/x", "s3cr3tpw"),
    ("curl -u bob:s3cr3tpw https://x", "s3cr3tpw"),
    ("deploy --api-token s3cr3tpw now", "s3cr3tpw"),
    ("Authorization: Bearer abcdef0123456789abcdef", "abcdef0123456789abcdef"),
    (KEY, "MIIEpAIBAAKCAQEA7bq9"),
    (KEY + "-----END RSA PRIVATE KEY-----", "MIIEpAIBAAKCAQEA7bq9"),
    ("password=" + "a1" * 5000, "a1a1"),
    ("DB_PASS=hunter2", "hunter2"),
    ("smtp.pass: s3cr3tpw", "s3cr3tpw"),
    ('auth: { user: "bot", pass: "hunter" }', "hunter"),
    ("mysql_pass='a b c d'", "a b c d"),
    ("<password>hunter</password>", "hunter"),
    ("<db:apiKey id='1'>s3cr3tpw</db:apiKey>", "s3cr3tpw"),
    ('ds.setPassword("hunter");', "hunter"),
    ("set_token('s3cr3tpw')", "s3cr3tpw"),
    ("define( 'DB_PASSWORD', 's3cr3tpw' );", "s3cr3tpw"),
    ('config["password"] = "hunter"', "hunter"),
    ('os.environ.get("SECRET_KEY", "s3cr3tpw")', "s3cr3tpw"),
    ("Authorization: token s3cr3tpw", "s3cr3tpw"),
    ("ghp_" + B62 * 40, B62),
]


@pytest.mark.parametrize("kind", sorted(LIVE))
def test_every_known_token_is_found_in_code_and_cut(kind):
    for text in (f'x = "{LIVE[kind]}"', f"echo {LIVE[kind]}", f"KEY={LIVE[kind]}\n", LIVE[kind]):
        assert LIVE[kind] not in redact(text)
        assert any(text[m.start : m.end] in LIVE[kind] for m in find(text, for_detection=True)), text
    assert [m.kind for m in find(f"({LIVE[kind]})", for_detection=True)] == [kind]


@pytest.mark.parametrize(("text", "value"), CUT)
def test_values_given_to_secret_names_are_cut(text, value):
    assert value not in redact(text)
    assert "[redacted " in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        'password = "Tr0ub4dor&3x"',
        f'api_key = "{B62[:32]}"',
        f"API_TOKEN={B62[:24]}",
        f"client_secret: {B62[:24]}\n",
        f'"access_token": "{HEX40}"',
        "DATABASE_URL=postgres://app:x9Kq2mLw7Z@db.internal.io:5432/app",
        KEY + "-----END RSA PRIVATE KEY-----\n",
    ],
)
def test_live_looking_values_are_worth_a_word(text):
    assert find(text, for_detection=True)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        'password = "changeme"',
        'password = "<your password>"',
        "password: ${DB_PASSWORD}",
        "token = os.environ['TOKEN']",
        "token = self.tokens.next_token(1)",
        "token: ${{ secrets.GITHUB_TOKEN }}",
        "secret: str = field(default='')",
        'token = "550e8400-e29b-41d4-a716-446655440000"',
        '"integrity": "sha512-' + B62 * 2 + '=="',
        f'  "sha256:{HEX40}24charactersofmorehex00",',
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + B62[:38] + " ada@host",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----",
        "Look for -----BEGIN PRIVATE KEY----- in the file.",
        "max_tokens = 4096\ntoken_count: 123456\ntokenizer = 'bert-base-uncased-v2'",
        "password_file = '/run/secrets/db_password_2024'",
        f"password_hash = '{B62}'",
        "postgres://postgres:postgres@localhost:5432/test",
        "redis://user:p4ssw0rd99@cache:6379",
        "https://user:${TOKEN}@github.com/o/r",
        "sk-loading-indicator-container-wide",
        'secret_name = "my-app-secret-v2"',
        'token = "test-token-1234"',
        "api_key = get_key(name='primary-key-2')",
        'password = f"{user}-{suffix}1A"',
        "TOKEN_KIND: super::super::v2::Foundation9::Kind7",
        'token = "[-!#$%&0-9a-zA-Z]+xyz"',
        "token_mode = 'oauth2_token_exchange_v2'",
        'PasswordLastUsed: "2016-09-08T21:47:36Z"',
        "credential: CohereV2ChatResponseUsageTokens",
        'dsn = "SERVER=%s;PORT=%d;UID=%s;PWD=%s;CHARSET=UTF8;TDS_VERSION=8.0;TEXTSIZE=10000" % given',
        "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
        "K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;",
        "\t<data>\n\tzzQE7uNeX/YC98iTns6OhpoyrIDHQONyPnc6cNcaOjp7HaMvPG/9uf2uHdAf/bnfel6M\n\t</data>",
    ],
)
def test_placeholders_and_code_that_names_a_secret_are_left(text):
    assert find(text, for_detection=True) == []


@pytest.mark.parametrize(
    "text",
    [
        HEX40,
        f"commit {HEX40}\nparent {'0123456789abcdef' * 4}",
        "sha256:" + "0123456789abcdef" * 4,
        "src/secrets/token.py:12",
        "The secret detector looked at config/token.yml and tests/password_test.py",
        "password file: /etc/app/password.txt",
        "token=/run/secrets/token",
        "detector=stale-reference@1 tokens=0",
        "fix(token): accept longer names",
        "AWS key in config/dev.env, staged",
        "550e8400-e29b-41d4-a716-446655440000",
        "--- PASS: TestLogin2 (0.00s)\nPASS: test_a1",
        "12 tests pass, by-pass: enabled, pass == 12345",
        'x.get("token", "none") or f("password", "required")',
        "fix authorization: handle an empty header",
        "set_token(user_token1)",
        "compass: north1",
    ],
)
def test_paths_ids_and_prose_survive(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        'password="[redacted credential]s3cr3tpw"',
        "--token [redacted credential]s3cr3tpw",
        "machine h login bob password [redacted jwt]s3cr3tpw",
        "https://u:[redacted jwt]s3cr3tpw@db.host.io/",
    ],
)
def test_a_value_is_cut_wherever_it_is_joined_to_a_mark(text):
    assert "s3cr3tpw" not in redact(text)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("machine h login bob password s3cr3tpw", "machine h login bob password [redacted credential]"),
        ('"a": "[redacted jwt] and [redacted jwt]"', '"a": "[redacted jwt] and [redacted jwt]"'),
        ('token="[redacted jwt] [redacted jwt]"', 'token="[redacted jwt] [redacted jwt]"'),
        ("--token s3cr3tpw[redacted jwt]", "--token [redacted credential]"),
    ],
)
def test_a_mark_is_no_value(text, clean):
    assert redact(text) == clean
    assert find(clean) == []


@pytest.mark.parametrize("before", ["--token ", "machine h login bob password ", "password=", "Bearer ", "-u bob:"])
def test_a_value_of_any_length_is_cut_to_its_end(before):
    assert redact(before + "aB3d" * 5_000) == f"{before}[redacted credential]"


@pytest.mark.parametrize(
    ("argv", "clean"),
    [
        (["--token", "x"], ["--token", "[redacted credential]"]),
        (["--db-password", "a b c"], ["--db-password", "[redacted credential]"]),
        (["-u", "bob:pw"], ["-u", "bob:[redacted credential]"]),
        (["--api-key=s3cr3tpw"], ["--api-key=[redacted credential]"]),
        (["sh", "-c", "x --token s3cr3tpw"], ["sh", "-c", "x --token [redacted credential]"]),
        (["env", "DB_PASS=hunter2", "x"], ["env", "DB_PASS=[redacted credential]", "x"]),
        (["--token", "[redacted jwt]s"], ["--token", "[redacted credential]"]),
    ],
)
def test_in_a_command_what_follows_a_secret_option_is_cut(argv, clean):
    assert redact_all(argv) == clean
    assert redact_all(clean) == clean


@pytest.mark.parametrize(
    "argv",
    [
        ["--token", "$TOKEN"],
        ["--token", "--verbose"],
        ["--password-file", "x"],
        ["--token", "/run/secrets/token"],
        ["-u", "www-data"],
        ["-u", "1000:1000"],
        ["pytest", "-k", "token", "tests/test_token.py"],
        ["--token"],
        [],
    ],
)
def test_in_a_command_the_rest_is_kept(argv):
    assert redact_all(argv) == argv


_PIECES = [
    *LIVE.values(), *(c[0] for c in CUT), "password", "token", "=", ":", '"', "'", " ", "\n", "[redacted jwt]", "[",
    "]", "://", "@", "/", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "--secret ", "AKIA", "ghp_",
    "eyJ", ".", "-u ", "machine ", "login ", "password ", "machine h login b password ", "bearer ",
    "basic ", '"auths" "auth":', "${", "{", "}", "<", "\\", "`", "s3cr3tpw", "x" * 20, "-", "_", "|", ";",
    "[redacted ", "\uffff", "pass", "<password>", "</password>", "setPassword(", "Authorization: token ", ",", "]",
]  # fmt: skip
_SOME = st.lists(st.sampled_from(_PIECES), min_size=2, max_size=6).flatmap(
    lambda some: st.lists(st.sampled_from(some), max_size=16).map("".join)
)


@settings(max_examples=600, deadline=None)
@given(_SOME | st.lists(st.sampled_from(_PIECES) | st.text(max_size=6), max_size=12).map("".join))
def test_what_was_redacted_holds_nothing_more_to_find(text):
    clean = redact(text)
    assert find(clean) == []
    assert redact(clean) == clean


@settings(max_examples=200, deadline=None)
@given(_SOME | st.text(max_size=80))
def test_matches_are_ordered_and_disjoint_and_each_takes_something_away(text):
    found = find(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(m.start < m.end <= len(text) for m in found)
    marks = [m.span() for m in re.finditer(r"\[redacted [a-z0-9-]{1,40}\]", text)]
    for m in found:
        assert sum(min(b, m.end) - max(a, m.start) for a, b in marks if a < m.end and b > m.start) < m.end - m.start


@settings(max_examples=300, deadline=None)
@given(st.lists(_SOME | st.sampled_from(["--token", "-u", "--password", "a:b"]), max_size=6))
def test_a_command_that_was_redacted_holds_nothing_more_to_find(argv):
    clean = redact_all(argv)
    assert redact_all(clean) == clean
    assert all(find(word) == [] for word in clean)


@settings(max_examples=600, deadline=None)
@given(_SOME | st.lists(st.sampled_from(_PIECES) | st.text(max_size=6), max_size=12).map("".join))
@example("token: 9f8e7d6c5b4axoxb-123456789012-aB3dE6gH9jK2mN5pQ8sT1vW4token: 9f8e7d6c5b4aAKIAQ3EGRT5HZX7WLMNP")
def test_redaction_finds_whatever_the_detector_finds(text):
    redacted = find(text)
    for m in find(text, for_detection=True):
        assert any(r.start <= m.start and m.end <= r.end for r in redacted), (m, redacted)


LENGTH = 250_000
HOSTILE = [
    "a", "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n\n\n", 'token="', "token=",
    "password", "token -_", "://", "://a:b", "--token ", "--a-b-c-", "bearer aaaaaaaaaaaaaaaaa ", "sk-", "sk-a", "SG.",
    "\n", " ", '"', "\\n", "-u a:", "token=/a", "AKIA", "token:" + "ab." * 500 + "! ", "secret: " + "a-" * 500 + "! ",
    "token=" + "/a" * 500 + "! ", "[redacted x]", "password = '" + "Aa1" * 100 + "'", "machine a login a password ",
    "machine a login ", "password = '1a" + "[" * 500 + "'", "password = '1a" + "a_" * 200 + "!'", "_" * 50 + "!",
    "[redacted ", "password = '" + "{" * 300 + "1aA'", 'token="$x token=\'', "password>", "<password>a</password>",
    "<password ", "setpassword(", "token'", "token','", "x.pass=", " pass: '", "authorization: a ",
    "authorization: token aaaa", "set_token('",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=range(len(HOSTILE)))
def test_much_hostile_text_of_one_piece_is_read_to_its_end(piece):
    text = (piece * (LENGTH // len(piece) + 1))[:LENGTH]
    assert find(redact(text)) == []
    find(text, for_detection=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE, *_PIECES]), min_size=2, max_size=8), st.integers(1, 5_000))
def test_much_hostile_text_of_several_pieces_is_read_to_its_end(pieces, each):
    """Each piece is first repeated, then all of it: a long beginning that many ends do not fit, and the other way."""
    whole = "".join(p * max(1, each // len(p)) for p in pieces)
    text = (whole * (LENGTH // len(whole) + 1))[:LENGTH]
    clean = redact(text)
    assert find(clean) == []
    find(text, for_detection=True)


def test_positions_are_characters_and_lone_surrogates_are_kept():
    text = f"caf\u00e9 \U0001f511 \udce9 KEY={LIVE['aws-access-key']} \u00fc"
    (found,) = find(text, for_detection=True)
    assert text[found.start : found.end] == LIVE["aws-access-key"]
    assert redact(text) == "caf\u00e9 \U0001f511 \udce9 KEY=[redacted aws-access-key] \u00fc"


def test_a_match_says_how_sure_it_is():
    def sure(path, text):
        return [h.confidence for h in scan(path, text.encode()).held]

    assert sure("a.env", f"X={LIVE['github-token']}\n") == ["high"]
    assert sure("a.py", 'password = "hgfd65kjh"\n') == []
    assert sure("a.py", f'SENDGRID_KEY = "{B62[:32]}"\n') == ["medium"]
    assert sure("a.py", "sk_" + f"test_{B62[:24]}\n") == []
    assert label("aws-access-key") == "AWS key"


@pytest.mark.parametrize(
    ("path", "held"),
    [("t/unit/keys.py", 0), ("funtests/keys.py", 0), ("testproj/keys.py", 0), ("src/t.py", 1), ("latest/keys.py", 1)],
)  # fmt: skip
def test_a_key_that_tests_were_given_is_left(path, held):
    text = KEY + "-----END RSA PRIVATE KEY-----\n"
    assert len(scan(path, text.encode()).held) == held


def test_a_value_within_a_connection_string_ends_with_it():
    assert (
        redact(f"SERVER=db;UID=sa;PWD={B62[:20]};CHARSET=UTF8")
        == "SERVER=db;UID=sa;PWD=[redacted credential];CHARSET=UTF8"
    )
    assert find(f'x = "UID=sa;PWD={B62[:20]};CHARSET=UTF8"', for_detection=True)


def test_binary_content_is_told_from_a_clean_text():
    assert scan("a", b"\0\1\2" * 99)[:2] == (False, [])
    assert scan("a", b"hello\n")[:2] == (True, [])
    assert [h.line for h in scan("a.env", f"A=1\nTOKEN={B62[:24]}\n".encode("utf-16-le")).held] == [2]


@pytest.mark.parametrize("word", ["gitleaks:allow", "pragma: allowlist secret", "kairos:allow"])
def test_a_persons_word_that_a_line_holds_no_secret_is_taken(word):
    line = f'API_KEY = "{B62[:32]}"'
    assert scan("a.py", f"{line}\n# {word}\n".encode()).held
    assert scan("a.py", f"{line}  # {word}\n".encode()).held == []
    assert find(f"{line}  # {word}"), "redaction takes nobody's word"
