"""Where a value may stand beside its name, in the languages that people use, and where it is none."""

from __future__ import annotations

import pytest

from kairos.domain.secrets import redact, scan

VALUE, PASSWORD = "u8jzPde0IgxLd6GncfBAepfJBd0Kh8oO", "Xq7u8jzPde0I" + "!k2"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.lua", f"local password = [[{PASSWORD}]]\n"),
        ("a.lua", f"cfg.api_key = [==[{VALUE}]==]\n"),
        ("a.lua", f"return {{ password = [[{PASSWORD}]], user = 'x' }}\n"),
        ("a.erl", f'{{password, "{PASSWORD}"}}.\n'),
        ("sys.config", f'[{{app, [{{api_key, <<"{VALUE}">>}}]}}].\n'),
        ("a.ex", f'[{{:password, "{PASSWORD}"}}]\n'),
        ("a.py", f'password = (\n    "{PASSWORD}"\n)\n'),
        ("a.py", f'API_KEY = (\n    "{VALUE[:9]}"\n    "{VALUE[9:]}"\n)\n'),
        ("a.py", f'password = \\\n    "{PASSWORD}"\n'),
        ("a.py", f'password = """\\\n{PASSWORD}"""\n'),
        ("a.py", f'password: str | None = "{PASSWORD}"\n'),
        ("a.js", f'const apiKey = "{VALUE[:9]}" +\n  "{VALUE[9:]}";\n'),
        ("a.java", f'String password =\n    "{PASSWORD}";\n'),
        ("a.pl", f"my $password = q{{{PASSWORD}}};\n"),
        ("a.rb", f"password = %q({PASSWORD})\n"),
        ("a.rs", f'const API_KEY: &str = r#"{VALUE}"#;\n'),
        ("a.r", f'password <- "{PASSWORD}"\n'),
        ("a.xml", f"<password>\n  {PASSWORD}\n</password>\n"),
        ("a.yml", f"password: !str {PASSWORD}\n"),
        ("a.yml", f"{{user: x, password: {PASSWORD}}}\n"),
        ("a.yml", f"command:\n- --api-key\n- {VALUE}\n"),
        ("a.py", f'requests.get(url, auth=("bob", "{PASSWORD}"))\n'),
        ("NOTES.md", f"Log in with `password={PASSWORD}` please\n"),
        ("README.md", f"- **Password:** `{PASSWORD}`\n"),
    ],
)
def test_a_value_is_found_however_a_language_delimits_it(path: str, text: str) -> None:
    held = scan(f"src/{path}", text.encode()).held
    assert len(held) == 1 and (held[0].confidence == "medium" or not path.endswith(".md"))
    assert not any(value in redact(text) for value in (PASSWORD, VALUE, VALUE[9:]))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'password = (\n    "required"\n)\n'),
        ("a.py", f'password = None\n"{VALUE}"\n'),
        ("a.py", f'token = "next"\n\n"{VALUE}"\n'),
        ("a.lua", "local password = [[]]\nlocal token = [[ the token ]]\n"),
        ("a.js", 'const { token, "x-id2": id } = headers;\n'),
        ("a.c", "token->value = list->key2;\n"),
        ("a.py", "def f(password: str, name: str = 'q7ZpX2mK9vLt4RwB8nYc'):\n"),
        ("a.py", "password: str | None = None\n"),
        ("a.yml", "{token: next, limit: 20}\n"),
        ("a.conf", "password required pam_unix2.so\n"),
        ("guide.md", f"# Use\n\n```sh\nlogin --password {PASSWORD}\n```\n"),
        ("guide.md", f"Use:\n\n    password = {PASSWORD}\n"),
        ("docs/guide.md", f"Log in with `password={PASSWORD}`.\n"),
    ],
)
def test_what_stands_beside_a_name_or_in_an_example_is_no_value(path: str, text: str) -> None:
    assert scan(f"src/{path}", text.encode()).held == []
