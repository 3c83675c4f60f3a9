"""Credential-like values in text: where they are, and the text without them.

Two strengths from one table. `redact` errs on the side of cutting: what it passes is stored for ever. Detection
(`for_detection`) errs on the side of silence: placeholders, examples and code that merely names a secret are left.
Paths, git object ids and SHA-256 digests are never cut unless they are assigned to a secret-named key.

Time is linear in the text. Repetition in a pattern is bounded or possessive, or fails within the value that it
judges; a text is searched a fixed number of times.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple


class SecretMatch(NamedTuple):
    """A credential-like value at text[start:end]; `kind` names the rule."""

    kind: str
    start: int
    end: int


class _Rule(NamedTuple):
    """`hints`: one of these literals is in every text that can match. Group 1 is the value."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    live: Callable[[str], bool]
    """Whether the value is worth a word, rather than only worth cutting."""


_MARK = re.compile(r"\[redacted [a-z0-9-]{1,40}\]")
_BLANK = "\uffff"
"""Stands for each character of a mark while a text is searched: no name, no white space, no end of a value."""
_ROUNDS = 8
_EXAMPLE = re.compile(
    r"(?i)example|placeholder|change[-_]?me|redacted|x{4}|\*{3}|\.{3}|your[-_]?|dummy|fake|sample|0{8}|(.)\1{7}"
    r"|123456789(?:0|a)b|abcdefgh|not[-_]?real|deadbeef"
)
_ORDINARY = re.compile(
    r"(?i)123456|abcdef|foobar|replace|insert|todo|fixme|0{6}"
    r"|^(?:test|secret|pass(?:word|wd)?|passw0rd|admin|root|guest|default|postgres|mysql|hunter)[\d!]{0,4}$"
)
_REFERENCE = re.compile(
    r"^(?:\$\{?\w.*|\$\(.*|%[\w.]+%|%\(.*|%[sdr]|\{\{.*|\{.*\}|<[^>]*>?|\*+|null|none|nil|undefined|true|false|yes|no|str|string|"
    r"int|bool|bytes|object|any|optional|required|self\..*|this\..*|os\.environ.*|process\.env.*|getenv.*|env[.(:].*|"
    r"secrets\..*|vault:.*|ref[+:].*|arn:.*|https?://.*)$",
    re.IGNORECASE,
)
_PATH = re.compile(
    r"^(?:(?:\.{1,2}|~)?/[\w.@+-]+(?:/[\w.@+-]*)+|(?:\.{1,2}|~)/[\w.@+-]+|[\w.@+-]+(?:/[\w.@+-]+)*\.[a-z]{1,5})$"
)
_UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", re.IGNORECASE)
_WORDS = re.compile(
    r"^_*(?:[A-Za-z]{2,}\d{0,2}|[A-Za-z]\d{0,2}|\d{1,4}[A-Za-z]{0,2})"
    r"(?:[-_. :/]+(?:[A-Za-z]{2,}\d{0,2}|[A-Za-z]\d{0,2}|\d{1,4}[A-Za-z]{0,2}))*_*$"
)
_HUMPS = re.compile(r"^(?:[A-Z]?[a-z]{2,}+\d{0,3}+)++$")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\d(?:[T ]|$)")
_IDENTIFIER = re.compile(r"^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|^[A-Za-z_]+\d{0,2}$")


def _entropy(value: str) -> float:
    """Shannon entropy in bits per character of the value's own distribution."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


def _token(value: str) -> bool:
    """A token with a telling prefix is live unless it is written as an example."""
    return not _EXAMPLE.search(value) and len(set(value)) >= 9


def _mixed_token(value: str) -> bool:
    """For prefixes that ordinary words share: digits and both cases must be there too."""
    return _token(value) and all(any(test(c) for c in value) for test in (str.isdigit, str.isupper, str.islower))


def _never(value: str) -> bool:
    return False


def _rule(kind: str, hints: str, pattern: str, live: Callable[[str], bool] = _token) -> _Rule:
    return _Rule(kind, tuple(hints.split()), re.compile(pattern), live)


_L, _R = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_RULES = (
    _rule("aws-access-key", "AKIA ASIA", rf"{_L}((?:AKIA|ASIA)[0-9A-Z]{{16}}){_R}"),
    _rule("github-token", "gh", rf"{_L}(gh[pousr]_[A-Za-z0-9]{{36,}}+)"),
    _rule("github-token", "github_pat_", rf"{_L}(github_pat_[A-Za-z0-9_]{{50,}}+)"),
    _rule("gitlab-token", "gl", rf"{_L}(gl(?:pat|ptt|dt|rt|cbt|ft|soat)-[A-Za-z0-9_-]{{20,}}+)"),
    _rule("slack-token", "xox", rf"{_L}(xox[abeoprs]-[A-Za-z0-9-]{{10,}}+)"),
    _rule("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9_/+-]{20,}+)"),
    _rule("stripe-key", "k_live_", rf"{_L}([sr]k_live_[A-Za-z0-9]{{16,}}+)"),
    _rule("stripe-key", "k_test_ whsec_", rf"{_L}((?:[sr]k_test_|whsec_)[A-Za-z0-9]{{16,}}+)", _never),
    _rule("google-api-key", "AIza", rf"{_L}(AIza[0-9A-Za-z_-]{{35}})(?![\w-])"),
    _rule("anthropic-key", "sk-ant-", r"(?<![A-Za-z0-9_-])(sk-ant-[A-Za-z0-9_-]{16,}+)"),
    _rule("openai-key", "sk-", r"(?<![A-Za-z0-9_-])(sk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}+)", _mixed_token),
    _rule("npm-token", "npm_", rf"{_L}(npm_[A-Za-z0-9]{{36,}}+)"),
    _rule("pypi-token", "pypi-", rf"{_L}(pypi-[A-Za-z0-9_-]{{50,}}+)"),
    _rule("huggingface-token", "hf_", rf"{_L}(hf_[A-Za-z0-9]{{30,}}+)"),
    _rule("sendgrid-key", "SG.", rf"{_L}(SG\.[A-Za-z0-9_-]{{16,64}}\.[A-Za-z0-9_-]{{16,}}+)"),
    _rule("digitalocean-token", "do", rf"{_L}(do[opr]_v1_[a-f0-9]{{64}}){_R}"),
    _rule("vault-token", "hvs.", rf"{_L}(hv[bs]\.[A-Za-z0-9_-]{{24,}}+)"),
    _rule("shopify-token", "shp", rf"{_L}(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}){_R}"),
    _rule("databricks-token", "dapi", rf"{_L}(dapi[a-f0-9]{{32}}){_R}"),
    _rule("linear-key", "lin_api_", rf"{_L}(lin_api_[A-Za-z0-9]{{32,}}+)"),
    _rule("docker-token", "dckr_", rf"{_L}(dckr_[op]at_[A-Za-z0-9_-]{{20,}}+)"),
    _rule("grafana-token", "gl", rf"{_L}(gl(?:sa|c)_[A-Za-z0-9_]{{32,}}+)"),
    _rule("atlassian-token", "ATATT3", rf"{_L}(ATATT3[A-Za-z0-9_=-]{{60,}}+)"),
    _rule("jwt", "eyJ", r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+)"),
    _rule("age-key", "AGE-SECRET-KEY-1", r"(AGE-SECRET-KEY-1[A-Z0-9]{40,}+)"),
)  # fmt: skip

_KEYWORD = (
    r"(?:pass(?:word|wd|phrase|wort)|pwd|secret|token|credential|api[_-]?key|access[_-]?key|auth[_-]?key|account[_-]?key"
    r"|signing[_-]?key|encryption[_-]?key|private[_-]?key|master[_-]?key)"
)
_TYPE = r"(?:[ \t]{0,4}:[ \t]{0,4}&?(?:'static[ \t])?(?:Final\[str\]|Final|string|str)(?=[ \t]{0,4}=))?"
"""`apiKey: string = …`, `API_KEY: &str = …`."""
_ASSIGNED = re.compile(
    rf"(?i)(?P<key>{_KEYWORD}[A-Za-z0-9_-]{{0,40}}+)"
    rf"(?P<gap>\\?[\"'`]?{_TYPE}[ \t]{{0,40}}+(?:=>|:=|==?|:)[ \t]{{0,40}}+)"
    r"(?:[rbuf]{1,2}(?=[\"']))?"
    r"(?:\\?\"(?P<d>[^\"\\\n]{4,}+)|'(?P<s>[^'\n]{4,}+)|`(?P<b>[^`\n]{4,}+)"
    r"|(?P<bare>[^\s\"'`,;()<>{}\[\]|\\]{4,}+))"
)
_FLAG = re.compile(rf"(?i)(?<![\w-])--(?:[a-z0-9]{{1,16}}-){{0,3}}{_KEYWORD}[ \t]++(?!-)[\"']?([^\s\"'`\[\]]{{4,}}+)")
_USER = re.compile(r"(?<!\S)(?:-u|--user)[ =][\"']?[^\s:\"']{1,64}:([^\s\"'\[\]]{4,}+)")
_BEARER = re.compile(
    r"(?i)(?<![a-z0-9])(?:bearer|basic)[ \t]{1,8}(?=[A-Za-z._~+/=-]{0,256}[0-9])([A-Za-z0-9._~+/=-]{16,}+)"
)
_NETRC = re.compile(r"\bmachine\s{1,9}+\S{1,255}+\s{1,9}+login\s{1,9}+\S{1,255}+\s{1,9}+password\s{1,9}+(\S{6,}+)")
_DOCKER = re.compile(r"\"auth\"[ \t]{0,9}:[ \t]{0,9}\"([A-Za-z0-9+/=]{20,}+)\"")
_URL = re.compile(r"://([^\s/:@\"'<>`]{0,128}+):([^\s/@\"'<>`]{1,1024}+)@([\w.-]{0,255}+)")
_NOT_A_VALUE = re.compile(
    r"(?i)(?:file|path|dir|ur[il]|host|name|type|ids?|count|limit|ttl|expir\w*|len|length|size|field|header|regex|pattern"
    r"|env|var|param|prefix|suffix|hash|sha\d*|digest|fingerprint|checksum|i[sz](?:er|e|ed|ation)|class|policy|hint|label"
    r"|version|kind|usage|reset|required|enabled)s?$"
)
_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BODY = re.compile(r"(?:(?:\s|\\[rn])*+[A-Za-z0-9+/=]{16,}+)*+")


def find(text: str, *, for_detection: bool = False) -> list[SecretMatch]:
    """Every credential-like value, in order, not overlapping. With `for_detection` only live-looking ones.

    Marks of an earlier redaction are no values, but what is joined to one may be."""
    blanked = _MARK.sub(lambda mark: _BLANK * len(mark[0]), text)
    out: list[SecretMatch] = []
    for match in sorted(_all(blanked, for_detection), key=lambda m: (m.start, -m.end)):
        if not out or match.start >= out[-1].end:
            out.append(match)
        elif match.end > out[-1].end:
            out[-1] = out[-1]._replace(end=match.end)
    return out


def redact(text: str) -> str:
    """The text with each credential-like value replaced by [redacted <kind>]; `find` finds nothing in it.

    A cut can change what the text around it looks like, so the rest is searched again, a few times at most: a text
    that is made to show a new value after each cut is cut whole."""
    for _ in range(_ROUNDS):
        found = find(text)
        if not found:
            return text
        text = _without(text, found)
    return "[redacted text]" if find(text) else text


def _without(text: str, found: list[SecretMatch]) -> str:
    parts, last = [], 0
    for match in found:
        parts += [text[last : match.start], f"[redacted {match.kind}]"]
        last = match.end
    return "".join(parts) + text[last:]


def _all(text: str, strict: bool) -> Iterator[SecretMatch]:
    for rule in _RULES:
        if any(hint in text for hint in rule.hints):
            for m in rule.pattern.finditer(text):
                if not strict or rule.live(m[1]):
                    yield SecretMatch(rule.kind, *m.span(1))
    if "-----BEGIN " in text:
        yield from _private_keys(text, strict)
    if "://" in text:
        for m in _URL.finditer(text):
            if not _inert(m[2]) and (not strict or _live_url(m[1], m[2], m[3])):
                yield SecretMatch("url-password", *m.span(2))
    yield from _assigned(text, strict)
    for hint, pattern in (("password", _NETRC), ('"auths"', _DOCKER), ("", _FLAG), ("", _USER), ("", _BEARER)):
        if hint in text:
            for m in pattern.finditer(text):
                if not _inert(m[1]) and not m[1].isdigit() and (not strict or _live_credential(pattern, m[1])):
                    yield SecretMatch("credential", *m.span(1))


def _private_keys(text: str, strict: bool) -> Iterator[SecretMatch]:
    """Blocks from BEGIN to END; without an END (a cut text) as far as the body looks like one."""
    ends = [m.span() for m in _END.finditer(text)]
    at, last = 0, 0
    for begin in _BEGIN.finditer(text):
        if begin.start() < last:
            continue
        while at < len(ends) and ends[at][0] < begin.end():
            at += 1
        body = _BODY.match(text, begin.end())
        stop = body.end() if body else begin.end()
        if at < len(ends) and ends[at][0] - begin.end() <= 1 << 16:
            stop = ends[at][1]
        last = stop
        inside = text[begin.end() : stop]
        if not strict or (len(inside) >= 64 and _BODY.search(inside) and not _EXAMPLE.search(inside[:40])):
            yield SecretMatch("private-key", begin.start(), stop)


def _assigned(text: str, strict: bool) -> Iterator[SecretMatch]:
    """Values given to a name that says secret: `password = "…"`, `API_KEY=…`, `"token": "…"`."""
    for m in _ASSIGNED.finditer(text):
        group = m.lastgroup or "bare"
        value, start, end = m[group], m.start(group), m.end(group)
        if _inert(value):
            continue
        if not strict:
            if group != "bare" or _cuttable(m["gap"], value):
                yield SecretMatch("credential", start, end)
        elif _live_assignment(text, m, group, value):
            yield SecretMatch("credential", start, end)


def _inert(value: str) -> bool:
    """Not a value at all: cut already, or a reference to where the value is kept, or a path."""
    rest = value.replace(_BLANK, "").strip()
    return not rest or bool(_REFERENCE.match(rest) or _is_path(rest))


def _is_path(value: str) -> bool:
    return bool(_PATH.match(value)) and not any(
        len(p) >= 16 and _entropy(p) > 3.5 and re.search(r"\d", p) for p in value.split("/")
    )


def _cuttable(gap: str, value: str) -> bool:
    """An unquoted value: after a colon prose is common, so it must look less like a word."""
    if "=" in gap:
        return True
    return len(value) >= 6 and not re.fullmatch(r"[A-Z]?[a-z]+(?:[-_./][a-z]+)*[.:!?]?", value)


def _live_assignment(text: str, m: re.Match[str], group: str, value: str) -> bool:
    key, gap = m["key"], m["gap"]
    if _NOT_A_VALUE.search(key) or any(c.isspace() for c in value) or len(value) > 512:
        return False
    if (
        _EXAMPLE.search(value)
        or _ORDINARY.search(value)
        or _UUID.match(value)
        or _WORDS.match(value)
        or _MOMENT.match(value)
        or _HUMPS.match(value)
    ):
        return False
    digits, letters = any(c.isdigit() for c in value), any(c.isalpha() for c in value)
    if not (digits and letters):
        return False
    if "::" in value or "[" in value[: value.rfind("]") + 1]:
        return False
    if group == "bare":
        if sum(c.isdigit() for c in value) < 2:
            return False  # A name in code has a digit at most.
        spaced = gap.strip() != gap and ":" not in gap
        linked = text[m.start() - 1 : m.start()] == ";"  # A part of a connection string, which may end with one.
        if text[m.end() : m.end() + 1] not in ("", "\n", "\r", " ", "\t", *(";\"'" if linked else ())):
            return False
        if _IDENTIFIER.match(value):
            return False
        if spaced and not re.fullmatch(r"[A-Za-z0-9+/=_-]{16,}", value):
            return False
    elif re.search(r"[{}<>()]|\$\w", value) and not (len(value) >= 40 and _entropy(value) >= 4.3):
        return False
    classes = sum(any(test(c) for c in value) for test in (str.islower, str.isupper, str.isdigit)) + (
        not value.isalnum()
    )
    if key.lower().startswith(("pass", "pwd")):
        return len(value) >= 8 and classes >= 3 and _entropy(value) >= 2.75
    hexadecimal = re.fullmatch(r"[0-9a-fA-F]+", value) is not None
    return len(value) >= (24 if hexadecimal else 16) and _entropy(value) >= (3.0 if hexadecimal else 3.3)


def _live_credential(pattern: re.Pattern[str], value: str) -> bool:
    """A credential known by its place in a command, a header or a login file, not by the name it is given."""
    if _EXAMPLE.search(value) or _ORDINARY.search(value) or _WORDS.match(value) or _HUMPS.match(value):
        return False
    mixed = all(any(test(c) for c in value) for test in (str.isdigit, str.isupper, str.islower))
    if pattern in (_NETRC, _USER):
        return len(value) >= 8 and mixed and re.search(r"[{}<>$%(]", value) is None
    return pattern is not _FLAG and mixed and len(value) >= 24 and _entropy(value) >= 3.7


def _live_url(user: str, password: str, host: str) -> bool:
    if _EXAMPLE.search(password) or _ORDINARY.search(password) or password == user or len(password) < 6:
        return False
    if re.fullmatch(r"[a-z]+", password) or (
        re.search(r"[{}$%<>*]", password) and not re.search(r"%[0-9A-F]{2}", password)
    ):
        return False
    local = host in ("localhost", "127.0.0.1", "0.0.0.0") or "." not in host
    return not local and not re.search(r"(?:^|\.)example\.(?:com|org|net)$|\.(?:invalid|test|example|local)$", host)
