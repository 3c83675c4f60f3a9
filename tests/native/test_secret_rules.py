"""Every rule of the table finds its own examples, redacts them, and leaves those that must not be reported."""

from __future__ import annotations

import base64
import random
import re
import string
import tomllib
from pathlib import Path

import pytest

from kairos.domain.secrets import find, redact, scan

RULES = Path(__file__).parents[2] / "native/secrets/rules"
ALPHABETS = {
    "b62": string.ascii_letters + string.digits,
    "up": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "hex": "0123456789abcdef",
    "d": string.digits,
    "low": string.ascii_lowercase + string.digits,
}


def expand(template: str) -> str:
    """The example with made-up characters in place of `{b62 36}`, `{uuid}`, `{pem 6}`: the same for one template."""
    chance = random.Random(template)

    def some(alphabet: str, n: int) -> str:
        return "".join(chance.choice(ALPHABETS[alphabet]) for _ in range(n))

    def made(m: re.Match[str]) -> str:
        name, _, n = m[1].partition(" ")
        if name.startswith("uuid"):
            h = some("hex", 32)
            return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{h[16:20]}-{h[20:]}"
        if name == "pem":
            body = "\n".join(some("b62", 64) for _ in range(int(n)))
            key = "-----BEGIN " + f"PRIVATE KEY-----\n{body}\n-----END " + "PRIVATE KEY-----\n"
            return base64.b64encode(key.encode()).decode()
        return some(name, int(n))

    return re.sub(r"\{((?:b62|up|hex|d|low|pem) \d+|uuid4?)\}", made, template)


def rules() -> list[tuple[str, dict[str, list[str]]]]:
    books = [(path.stem, tomllib.loads(path.read_text())) for path in sorted(RULES.glob("*.toml"))]
    return [
        (f"{stem}:{rule.get('kind', rule.get('name'))}:{i}", rule)
        for stem, book in books
        for i, rule in enumerate([*book.get("rule", []), *book.get("place", [])])
    ]


ALL = rules()


@pytest.mark.parametrize("rule", [r for _, r in ALL], ids=[name for name, _ in ALL])
def test_a_rule_keeps_its_examples(rule):
    assert rule["unlike"], "each rule says what it must not find"
    assert rule["match"] or rule["confidence"] == "low"
    for example in map(expand, rule["match"]):
        if rule.get("settings"):
            assert scan("src/app.conf", example.encode()).held, example
            assert not scan("src/app.py", example.encode()).held, example
            continue
        found = find(example, for_detection=True)
        assert found, example
        assert "kind" not in rule or rule["kind"] in {m.kind for m in found}, (example, found)
        clean = redact(example)
        assert all(example[m.start : m.end] not in clean for m in found)
    for example in map(expand, rule["unlike"]):
        assert find(example, for_detection=True) == [], example
        assert not rule.get("settings") or not scan("src/app.conf", example.encode()).held, example


def test_the_table_is_large_and_no_example_is_a_credential_as_it_is_written():
    assert len(ALL) > 100
    for path in RULES.glob("*.toml"):
        assert find(path.read_text(), for_detection=True) == []
