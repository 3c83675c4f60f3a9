"""Policy: rules over an action give allow, ask or deny; the strictest wins; without a matching rule the answer is ask.

Rules are written by a person and kept outside every repository. Each may have examples of what it must and must not
match; they are checked at load, and one wrong example makes the whole file invalid. Built-in refusals cannot be
overridden by an allow rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from kairos.domain.action import MODES, Action, CommandAction, NoteAction, PatchAction
from kairos.domain.events.proposals import Risk
from kairos.domain.globs import matches_any
from kairos.domain.inert import shown
from kairos.domain.risk import RANK
from kairos.errors import UsageError

Effect = Literal["allow", "ask", "deny"]
Mode = Literal["observe", "suggest", "auto"]
Kind = Literal["patch", "command", "note"]
BUILT_IN = "built-in@1"
_STRICT: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}
_IGNORED_IN_NAMES = {
    ord(c): None for c in "\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
} | dict.fromkeys((*range(8234, 8239), *range(8298, 8304)))


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every table of the policy file: an unknown key is refused."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of an action that rules match. `repo`: the root directory or the repository's id."""

    kind: Kind
    paths: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    detector: str = ""
    repos: tuple[str, ...] = ()
    risk: Risk = "low"


class Example(_Strict, frozen=True, kw_only=True):
    """A case a rule must match or must not."""

    expect: Literal["match", "no-match"]
    kind: Kind = "patch"
    paths: list[str] = []
    argv: list[str] = []
    detector: str = ""
    repo: str = ""
    risk: Risk = "low"

    def subject(self) -> Subject:
        return Subject(
            kind=self.kind, paths=tuple(self.paths), argv=tuple(self.argv), detector=self.detector,
            repos=(self.repo,), risk=self.risk,
        )  # fmt: skip


class Rule(_Strict, frozen=True, kw_only=True):
    """One rule. An absent condition matches everything. `paths`, `detectors` and `repos` are patterns. An `allow`
    matches an action only if it matches all of its paths; `ask` and `deny` match if they match one of them."""

    name: str
    effect: Effect
    kind: Kind | None = None
    paths: list[str] = []
    detectors: list[str] = []
    repos: list[str] = []
    argv_prefix: list[str] = []
    max_risk: Risk | None = None
    min_risk: Risk | None = None
    examples: list[Example] = []

    def matches(self, subject: Subject) -> bool:
        if self.kind is not None and self.kind != subject.kind:
            return False
        if self.max_risk is not None and RANK[subject.risk] > RANK[self.max_risk]:
            return False
        if self.min_risk is not None and RANK[subject.risk] < RANK[self.min_risk]:
            return False
        if self.detectors and not matches_any(self.detectors, subject.detector):
            return False
        if self.repos and not any(matches_any(self.repos, r) or r in self.repos for r in subject.repos):
            return False
        if self.argv_prefix and list(subject.argv[: len(self.argv_prefix)]) != self.argv_prefix:
            return False
        if not self.paths:
            return True
        cautious = self.effect != "allow"
        named = [matches_any(self.paths, path, fold=cautious) for path in subject.paths]
        return any(named) if cautious else bool(named) and all(named)


class Verdict(msgspec.Struct, frozen=True):
    """The decision of the policy, and the rule that made it."""

    effect: Effect
    rule: str
    why: str = ""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one person. mode: observe (only notes are proposed), suggest (every action asks), auto (an allow
    rule approves actions of low or medium risk)."""

    mode: Mode = "suggest"
    rules: tuple[Rule, ...] = ()

    @property
    def version(self) -> str:
        """The digest of mode and rules; an approval binds to it."""
        from hashlib import sha256  # loads OpenSSL, which is too slow for a quick command

        return sha256(BUILT_IN.encode() + msgspec.json.encode(self)).hexdigest()[:16]

    def decide(self, action: Action, *, risk: Risk, detector: str = "", repo: str = "", root: str = "") -> Verdict:
        """The verdict on an action: the strictest of all rules that match it."""
        refused = refusal(action)
        if refused:
            return Verdict("deny", BUILT_IN, refused)
        subject = subject_of(action, risk=risk, detector=detector, repos=(repo, root))
        found: Verdict | None = None
        for rule in self.rules:
            if rule.matches(subject) and (found is None or _STRICT[rule.effect] > _STRICT[found.effect]):
                found = Verdict(rule.effect, rule.name, f"your rule `{rule.name}` says {rule.effect}")
        if found is not None and found.effect == "deny":
            return found
        if self.mode == "observe" and not isinstance(action, NoteAction):
            return Verdict("deny", "mode:observe", "the mode is observe: nothing is proposed")
        if found is None or found.effect == "ask":
            return found or Verdict("ask", "default")
        if self.mode != "auto":
            return Verdict("ask", f"mode:{self.mode}", f"`{found.rule}` allows it, but the mode is {self.mode}")
        if RANK[risk] >= RANK["high"]:
            return Verdict("ask", "risk", f"{risk} risk always asks, whatever a rule allows")
        if isinstance(action, NoteAction):
            return Verdict("ask", "note", "a note is for a person to read")
        return found


def subject_of(action: Action, *, risk: Risk, detector: str = "", repos: tuple[str, ...] = ()) -> Subject:
    """The subject that rules match for an action."""
    if isinstance(action, PatchAction):
        paths = tuple(e.fs for e in action.edits)
        return Subject(kind="patch", paths=paths, detector=detector, repos=repos, risk=risk)
    if isinstance(action, CommandAction):
        return Subject(kind="command", argv=tuple(action.argv), detector=detector, repos=repos, risk=risk)
    return Subject(kind="note", detector=detector, repos=repos, risk=risk)


def refusal(action: Action) -> str:
    """Why an action can never be allowed, empty if it can."""
    if isinstance(action, CommandAction):
        return "" if action.argv and not any("\0" in a for a in action.argv) else "the command is empty or holds NUL"
    if isinstance(action, NoteAction):
        return ""
    if not action.edits:
        return "the patch changes nothing"
    seen: set[str] = set()
    for change in action.edits:
        why = unsafe_path(change.fs)
        if why:
            return f"'{shown(change.fs)}' {why}"
        if change.fs in seen:
            return f"'{shown(change.fs)}' is changed twice"
        seen.add(change.fs)
        for state in (change.before, change.after):
            if state is not None and state.mode not in MODES:
                return f"'{shown(change.fs)}' would not be a regular file of mode 644 or 755"
        if change.before == change.after:
            return f"'{shown(change.fs)}' is not changed"
    for path in seen:
        parts = path.split("/")
        if any("/".join(parts[:n]) in seen for n in range(1, len(parts))):
            return f"'{shown(path)}' lies under another changed file"
    return ""


def unsafe_path(path: str) -> str:
    """Why a path may never be written, empty if it may: outside the root, or a name that git or a file system could
    treat as `.git` (letter case, `git~1`, trailing dots and spaces, ignored characters, streams)."""
    if not path or path.startswith("/"):
        return "is not a path inside the repository"
    if "\0" in path:
        return "holds NUL"
    for name in path.split("/"):
        if name in ("", ".", ".."):
            return "is not a plain path inside the repository"
        if len(name.encode("utf-8", "surrogateescape")) > 255:
            return "has a name that is too long"
        if any(_git_like(part) for part in name.split("\\")):
            return "is part of git's own directory, or could be taken for it"
        if name.startswith(".kairos-") and name.endswith(".tmp"):
            return "is a temporary name of Kairos"
    return ""


class PolicyFile(_Strict, frozen=True, kw_only=True):
    """policy.toml as a whole."""

    mode: Mode = "suggest"
    rule: list[Rule] = []

    def policy(self) -> Policy:
        return Policy(mode=self.mode, rules=tuple(self.rule))


def faults(rules: Sequence[Rule]) -> list[str]:
    """The errors of rules that their types do not show: names that are missing or used twice, examples that fail."""
    names = [rule.name for rule in rules]
    found = [f"each rule needs a name of its own: `{n}`" for n in dict.fromkeys(names) if not n or names.count(n) > 1]
    for rule in rules:
        for number, example in enumerate(rule.examples, 1):
            if rule.matches(example.subject()) != (example.expect == "match"):
                found.append(f"rule `{rule.name}`: example {number} should be a {example.expect} and is not")
    return found


def parse(data: dict[str, Any], source: str) -> Policy:
    """A parsed policy.toml. UsageError (2) for a wrong key or value, a name used twice, or an example that fails."""
    try:
        file = msgspec.convert(data, PolicyFile)
        if found := faults(file.rule):
            raise ValueError("; ".join(found))
    except (msgspec.ValidationError, ValueError) as error:
        raise UsageError(f"{source}: {error}", "No rule of it is used until it is corrected.") from error
    return file.policy()


def _git_like(name: str) -> bool:
    plain = name.translate(_IGNORED_IN_NAMES).casefold().split(":", 1)[0].rstrip(". ")
    return plain == ".git" or (plain.startswith("git~") and plain[4:].isdigit())
