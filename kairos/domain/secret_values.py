"""Whether a value in a place where a secret may be is one: to be redacted, or also to be reported."""

from __future__ import annotations

import math
import re
from collections import Counter

BLANK = "\uffff"
"""Replaces each character of a redaction mark while a text is searched: it is not part of a name, not white space and
does not end a value."""
EXAMPLE = re.compile(
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
_NOT_A_VALUE = re.compile(
    r"(?i)(?:file|path|dir|ur[il]|host|name|type|ids?|count|limit|ttl|expir\w*|len|length|size|field|header|regex|pattern"
    r"|env|var|param|prefix|suffix|hash|sha\d*|digest|fingerprint|checksum|i[sz](?:er|e|ed|ation)|class|policy|hint|label"
    r"|version|kind|usage|reset|required|enabled)s?$"
)


def _entropy(value: str) -> float:
    """Shannon entropy in bits per character of the value's own distribution."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


def is_token(value: str) -> bool:
    """Whether a token with a known prefix is live, that is, not written as an example."""
    return not EXAMPLE.search(value) and len(set(value)) >= 9


def is_mixed_token(value: str) -> bool:
    """As `is_token`, for prefixes that ordinary words share: the value must contain digits and both letter cases."""
    return is_token(value) and all(any(test(c) for c in value) for test in (str.isdigit, str.isupper, str.islower))


def never(value: str) -> bool:
    """For values that are only redacted, never reported."""
    return False


def inert(value: str) -> bool:
    """Whether it is not a secret value: already redacted, a reference to where the value is kept, or a path."""
    rest = value.replace(BLANK, "").strip()
    return not rest or bool(_REFERENCE.match(rest) or _is_path(rest))


def _is_path(value: str) -> bool:
    return bool(_PATH.match(value)) and not any(
        len(p) >= 16 and _entropy(p) > 3.5 and re.search(r"\d", p) for p in value.split("/")
    )


def cuttable(gap: str, value: str) -> bool:
    """Whether an unquoted value is redacted. Prose is common after a colon, so there it must look less like a word."""
    if "=" in gap:
        return True
    return len(value) >= 6 and not re.fullmatch(r"[A-Z]?[a-z]+(?:[-_./][a-z]+)*[.:!?]?", value)


def live_assignment(text: str, m: re.Match[str], group: str, value: str) -> bool:
    """Whether a value assigned to a secret-named key is reported. `group`: how it is quoted."""
    key, gap = m["key"], m["gap"]
    if _NOT_A_VALUE.search(key) or any(c.isspace() for c in value) or len(value) > 512:
        return False
    if (
        EXAMPLE.search(value)
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
            return False  # A name in code has at most one digit.
        spaced = gap.strip() != gap and ":" not in gap
        linked = text[m.start() - 1 : m.start()] == ";"  # A part of a connection string, which may end with `;`.
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


def is_login(value: str) -> bool:
    """Whether a value in the place of a password in a command or a login file is one."""
    return _is_mixed(value) and len(value) >= 8 and re.search(r"[{}<>$%(]", value) is None


def is_header(value: str) -> bool:
    """Whether a value in the place of a credential in a header is one."""
    return _is_mixed(value) and len(value) >= 24 and _entropy(value) >= 3.7


def _is_mixed(value: str) -> bool:
    """Whether a value has digits and both letter cases and is neither words nor an example."""
    if EXAMPLE.search(value) or _ORDINARY.search(value) or _WORDS.match(value) or _HUMPS.match(value):
        return False
    return all(any(test(c) for c in value) for test in (str.isdigit, str.isupper, str.islower))


def live_url(user: str, password: str, host: str) -> bool:
    """Whether a password in a URL is reported."""
    if EXAMPLE.search(password) or _ORDINARY.search(password) or password == user or len(password) < 6:
        return False
    if re.fullmatch(r"[a-z]+", password) or (
        re.search(r"[{}$%<>*]", password) and not re.search(r"%[0-9A-F]{2}", password)
    ):
        return False
    local = host in ("localhost", "127.0.0.1", "0.0.0.0") or "." not in host
    return not local and not re.search(r"(?:^|\.)example\.(?:com|org|net)$|\.(?:invalid|test|example|local)$", host)
