"""What looks like a credential and is none: what passed in a test, an example, a scanner's rule; and what is one."""

from __future__ import annotations

import pytest

from kairos.domain.secrets import scan

B62 = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fR3uX6iL9oAzbYcX"
HEX40 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + ("MIIEpAIBAAKCAQEA7bq9Zx3kLmN0pQrStUvWxYz1234567890abcdefGHIJKLMN\n" * 3)
TOKENS = {
    "github-token": "ghp_" + B62[:36],
    "slack-token": "xoxb-123456789012-" + B62[:24],
    "aws-access-key": "AKIAQ3EGRT5HZX7WLMNP",
}
OUTCOMES = [
    "=== RUN   TestLexerV2\n--- PASS: TestLexerV2_Unicode12 (0.00s)\n",
    "    --- PASS: TestServe/case#01_HTTP2-Key9 (12.34s)\n",
    "PASS: tests/sha256-v2.sh 3 - HKDF32Key\n",
    "PASS: gcc.dg/torture/pr12345-2.c   -O2  (test for excess errors)\n",
    "[PASS: Render2Texture_Key9x]\n",
    "ok 1 - pass: Key2Value3_Test (3 ms)\n",
    "  Pass: ForwardLit2_ShadowCaster9\n",
    "pass: loop-Unroll2.v3-Vectorize9\n",
    "# pass: 12\n# fail: 0\n",
    "pass: 12\nPass: 3/12a\n",
    "** PASS: Suite_2.Case_17b [0.12s]\n",
    "FAIL: TestV2_Key12\nok: TestV2_Key12\n",
    "password: Passwort\npassword: Mot2Passe_Oublie\n",
]
PASSWORDS = [
    ("run.go.txt", "user: bob\npass: Xq7aB3dE6gH!k2\n"),
    ("compose.yml", "environment:\n  PASS: Xq7aB3dE6gH!k2\n"),
    ("compose.yml", "environment:\n  - PASS=Xq7aB3dE6gH!k2\n"),
    ("mail.js", "auth: { user: 'bot', pass: 'Xq7aB3dE6gH!k2' }\n"),
    ("a.py", "# login bob, pass: Xq7aB3dE6gH!k2\n"),
    ("app.yml", "smtp:\n  pass: aB3dE6gH9jK2mN5pQ8sT\n"),
    ("a.json", '{"pass": "Tr0ub4dor&3xyz9"}\n'),
    ("notes.md.txt", "- pass: Xq7aB3dE6gH!k2\n"),
    ("a.env", "PASS=Tr0ub4dor&3xyz9\n"),
    ("a.conf", "pass: Xq7aB3dE6gH!k2 # 90s\n"),
]


@pytest.mark.parametrize("path", ["a.log", "a.txt", "a.go", "out"])
@pytest.mark.parametrize("text", OUTCOMES)
def test_what_passed_in_a_test_is_no_password(path, text):
    assert scan(path, text.encode()).held == []


@pytest.mark.parametrize(("path", "text"), PASSWORDS)
def test_a_password_after_the_word_pass_is_found(path, text):
    assert [h.kind for h in scan(path, text.encode()).held] == ["credential"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("rules.rs", f'("GitHub", "^ghp_[a-zA-Z0-9]{{36}}$", "{TOKENS["github-token"]}"),\n'),
        ("rules.py", f'SLACK = r"xoxb-\\d{{12}}-\\d{{12}}-\\w+"\nEXAMPLE = "{TOKENS["slack-token"]}"\n'),
        ("rules.toml", f"regex = 'AKIA[0-9A-Z]{{16}}'\nexample = '{TOKENS['aws-access-key']}'\n"),
        ("a.py", f"    >>> login(password='Xq7aB3dE6gH!k2')\n    >>> connect(token='{B62[:32]}')\n"),
        ("a.rs", f'/// client.token("{B62[:32]}");\n//! api_key = "{B62[:32]}"\n'),
        ("a.rs", 'headers.insert("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");\n'),
        ("a.kt", 'const val BASE_64_CREDENTIALS = "dXNlcm5hbWU6cGFzc3dvcmQ="\n'),
        ("a.py", "KEY = 'sk-ant-api03-1234567890'\nTOKEN = 'xoxb-test-token'\n"),
        ("a.ts", 'key = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJzIiwicm9sZSI6ImFub24ifQ.' + B62[:43] + '"\n'),
        ("a.rs", '.header("sec-websocket-key", "6D69KGBOr4Re+Nj6zx9aQA==")\n'),
        ("sign.sh", f"APPLICATION_KEY_IDENT={HEX40.upper()}\n"),
        ("db.json", '{"password": "MySuperHanaPwd123!"}\n'),
        ("caddytest/server.key", KEY + "-----END RSA PRIVATE KEY-----\n"),
        ("certs/web.localhost.key", KEY + "-----END RSA PRIVATE KEY-----\n"),
        ("Godeps/_workspace/src/a.go", 'secret = "aB3dE6gH9jK2mN5pQ8sT1v=="\n'),
    ],
)
def test_what_is_written_as_an_example_is_left(path, text):
    assert scan(path, text.encode()).held == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.rs", f'const TOKEN: &str = "{TOKENS["github-token"]}"; // begins with ghp_\n'),
        ("a.py", f"print('>>> ')\ntoken = '{B62[:32]}'\n"),
        ("a.sh", "curl -H 'Authorization: Basic Ym9iOmFCM2RFNmdIOWpLMm1ONXBROHNU' https://api.corp.net\n"),
        ("a.ts", 'key = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJzIiwicm9sZSI6ImFkbWluIn0.' + B62[:43] + '"\n'),
        ("attest/server.key", KEY + "-----END RSA PRIVATE KEY-----\n"),
        ("a.py", "slack = 'xoxb-123456789012-" + B62[:24] + "'\n"),
    ],
)
def test_what_only_looks_like_an_example_is_found(path, text):
    assert len(scan(path, text.encode()).held) == 1
