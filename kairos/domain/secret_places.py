"""Where a text may contain a secret: tokens with a known format, names that indicate a secret, places in commands and
URLs.

Each pattern takes time linear in the text: repetition is bounded or possessive, or the match fails within the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from kairos.domain.secret_values import is_header, is_login, is_mixed_token, is_token, never


class SecretRule(NamedTuple):
    """`hints`: one of these literals is in every text that can match. Group 1 is the value."""

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    live: Callable[[str], bool]
    """Whether the value is reported as a finding, rather than only redacted."""


def _rule(kind: str, hints: str, pattern: str, live: Callable[[str], bool] = is_token) -> SecretRule:
    return SecretRule(kind, tuple(hints.split()), re.compile(pattern), live)


_L, _R = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
RULES = (
    _rule("aws-access-key", "AKIA ASIA", rf"{_L}((?:AKIA|ASIA)[0-9A-Z]{{16}}){_R}"),
    _rule("github-token", "gh", rf"{_L}(gh[pousr]_[A-Za-z0-9]{{36,}}+)"),
    _rule("github-token", "github_pat_", rf"{_L}(github_pat_[A-Za-z0-9_]{{50,}}+)"),
    _rule("gitlab-token", "gl", rf"{_L}(gl(?:pat|ptt|dt|rt|cbt|ft|soat)-[A-Za-z0-9_-]{{20,}}+)"),
    _rule("slack-token", "xox", rf"{_L}(xox[abeoprs]-[A-Za-z0-9-]{{10,}}+)"),
    _rule("slack-webhook", "hooks.slack.com", r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9_/+-]{20,}+)"),
    _rule("stripe-key", "k_live_", rf"{_L}([sr]k_live_[A-Za-z0-9]{{16,}}+)"),
    _rule("stripe-key", "k_test_ whsec_", rf"{_L}((?:[sr]k_test_|whsec_)[A-Za-z0-9]{{16,}}+)", never),
    _rule("google-api-key", "AIza", rf"{_L}(AIza[0-9A-Za-z_-]{{35}})(?![\w-])"),
    _rule("anthropic-key", "sk-ant-", r"(?<![A-Za-z0-9_-])(sk-ant-[A-Za-z0-9_-]{16,}+)"),
    _rule("openai-key", "sk-", r"(?<![A-Za-z0-9_-])(sk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}+)", is_mixed_token),
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
ASSIGNED = re.compile(
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
URL = re.compile(r"://([^\s/:@\"'<>`]{0,128}+):([^\s/@\"'<>`]{1,1024}+)@([\w.-]{0,255}+)")
PLACES = (
    SecretRule("credential", ("password",), _NETRC, is_login),
    SecretRule("credential", ('"auths"',), _DOCKER, is_header),
    SecretRule("credential", ("--",), _FLAG, never),
    SecretRule("credential", ("-u",), _USER, is_login),
    SecretRule("credential", ("bearer", "basic"), _BEARER, is_header),
)
"""Values recognised by the text before them. The hints are matched against the text in lower case."""
NAMES = ("pass", "pwd", "secret", "token", "credential", "key", "authorization")
"""Every text that assigns a value to a secret-named key contains one of these in lower case."""
OPTION = re.compile(rf"(?i)--?(?:[a-z0-9]{{1,16}}-){{0,3}}(?:{_KEYWORD}|pass)|-u|--user")
ANY_OPTION = re.compile(r"--?[A-Za-z][\w-]*+(?:=.*)?", re.DOTALL)
_QUOTED = r"(?:\\?\"(?P<d>[^\"\\\n]{4,}+)|'(?P<s>[^'\n]{4,}+)"
_VALUE = rf"{_QUOTED}|(?P<bare>[^\s\"'`,;<>()]{{4,}}+))"
CUT_ONLY = tuple(
    re.compile("(?i)" + pattern)
    for pattern in (
        rf"{_KEYWORD}[\w-]{{0,40}}+(?:[ \t][^<>\n]{{0,200}}+)?>[ \t]{{0,40}}+(?P<text>[^<>\n]{{4,}}+)</",
        rf"set_?{_KEYWORD}\w{{0,40}}+[ \t]{{0,4}}+\([ \t]{{0,4}}+{_QUOTED})",
        rf"{_KEYWORD}[\w-]{{0,40}}+[\"']\]?[ \t]{{0,4}}+[,=:][ \t]{{0,4}}+{_QUOTED})",
        rf"(?<=[_.-])pass\\?[\"'`]?[ \t]{{0,4}}+(?:=>|:=|==?|:)[ \t]{{0,4}}+{_VALUE}",
        rf"(?<![\w.-])pass\\?[\"'`]?[ \t]{{0,4}}+(?:=(?!=)|:(?=[ \t]{{0,4}}[\"']))[ \t]{{0,4}}+{_VALUE}",
        r"\bauthorization[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+[\"']?[a-z-]{1,32}+[ \t]{1,4}+(?=[^\s\"']{0,256}[0-9])"
        r"(?P<text>[^\s\"'`,;]{4,}+)",
    )
)
"""Redacted before storing, but not reported: `<password>…</password>`, `setPassword("…")`, `"SECRET_KEY", "…"`,
`config["password"] = "…"`, `DB_PASS=…`, `pass: "…"`, `Authorization: token …`."""
BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
BODY = re.compile(r"(?:(?:\s|\\[rn])*+[A-Za-z0-9+/=]{16,}+)*+")
