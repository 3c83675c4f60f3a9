"""A person's policy: reading its rules, adding and removing one, and asking what an action would get."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from kairos.acting.policy_edit import with_rule, without_rule
from kairos.acting.policy_file import load_policy, wrong_in
from kairos.desk.desk import Desk, of_one_moment
from kairos.desk.reading import proposal_of, repositories
from kairos.desk.records.policy import PolicyOut, PolicyTestOut, RuleChangedOut, RuleOut
from kairos.domain.action import Action, CommandAction, NoteAction, PatchAction, edit
from kairos.domain.events.proposals import Risk
from kairos.domain.globs import matches_any
from kairos.domain.policy import Example, Kind, Policy, Rule, Subject, parse, subject_of
from kairos.durable import replace_file
from kairos.errors import UsageError
from kairos.eventlog.views.repositories import Repository

_FILE_MODE = 0o644


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An action as a person describes it: files that it would change, or a command."""

    paths: Sequence[str] = ()
    argv: Sequence[str] = ()
    detector: str = ""
    risk: Risk = "low"

    @property
    def kind(self) -> Kind:
        return "command" if self.argv else "patch" if self.paths else "note"

    def action(self, repo: str) -> Action:
        """An action like it. UsageError for paths and a command at once."""
        if self.argv and self.paths:
            raise UsageError("an action changes files or runs a command", "Give --path or the command, not both.")
        if self.argv:
            return CommandAction(repo=repo, argv=list(self.argv))
        if self.paths:
            return PatchAction(repo=repo, edits=[edit(p, None, (b"", _FILE_MODE)) for p in self.paths])
        return NoteAction(repo=repo, text="")


def policy(desk: Desk, only: Repository | None) -> PolicyOut:
    """The mode and the rules, in the order of the file; those that concern one repository if one is given. UsageError
    names everything wrong in the file."""
    found = _loaded(desk)
    rules = [rule for rule in found.rules if only is None or _concerns(rule, only)]
    return PolicyOut(
        path=str(desk.home.policy_file), mode=found.mode, version=found.version, rules=[_out(rule) for rule in rules]
    )


def allow(
    desk: Desk,
    name: str,
    case: Case,
    *,
    only: Repository | None = None,
    max_risk: Risk | None = None,
    examples: Sequence[str] = (),
) -> RuleChangedOut:
    """Adds a rule that allows actions like `case`, whose paths are patterns, with examples that prove it. `examples`:
    paths that it must match; without them one is derived. UsageError if it allows everything or proves nothing."""
    if not name.strip():
        raise UsageError("a rule needs a name", "It is what `kairos why` will cite.")
    if case.kind == "note":
        raise UsageError("a rule that allows everything is never written here", "Give --path, or a command after --.")
    rule = Rule(
        name=name, effect="allow", kind=case.kind, paths=list(case.paths),
        detectors=[case.detector] if case.detector else [], repos=[only.root] if only is not None else [],
        argv_prefix=list(case.argv), max_risk=max_risk,
    )  # fmt: skip
    rule = msgspec.structs.replace(rule, examples=_examples(rule, examples))
    mode = _loaded(desk).mode
    _change(desk, lambda before: with_rule(before, rule, str(desk.home.policy_file)))
    return RuleChangedOut(path=str(desk.home.policy_file), mode=mode, rule=_out(rule))


def revoke(desk: Desk, name: str) -> RuleChangedOut:
    """Removes the rule of this name. NotFound (4), UsageError."""
    after = _change(desk, lambda before: without_rule(before, name, str(desk.home.policy_file)))
    mode = parse(_data(after), "").mode if not wrong_in(_data(after)) else "suggest"
    return RuleChangedOut(path=str(desk.home.policy_file), mode=mode, rule=None)


@of_one_moment
def verdict_on_proposal(desk: Desk, prefix: str, only: Repository | None) -> PolicyTestOut:
    """What the policy says now of a proposal, and by which rule. NotFound (4), UsageError."""
    raised = proposal_of(desk, prefix, only).raised
    repository = repositories(desk).by_id.get(raised.repo)
    root = repository.root if repository is not None else ""
    return _tested(
        _loaded(desk), raised.action, risk=raised.risk, detector=raised.detector, repo=raised.repo, root=root
    )


def verdict_on_case(desk: Desk, case: Case, only: Repository | None) -> PolicyTestOut:
    """What the policy would say of an action, and by which rule. UsageError."""
    repo, root = (only.id, only.root) if only is not None else ("", "")
    return _tested(_loaded(desk), case.action(repo), risk=case.risk, detector=case.detector, repo=repo, root=root)


def _tested(policy: Policy, action: Action, *, risk: Risk, detector: str, repo: str, root: str) -> PolicyTestOut:
    verdict = policy.decide(action, risk=risk, detector=detector, repo=repo, root=root)
    subject = subject_of(action, risk=risk, detector=detector, repos=(repo, root))
    return PolicyTestOut(
        effect=verdict.effect, rule=verdict.rule, why=verdict.why, mode=policy.mode, kind=subject.kind, risk=risk,
        matched=[rule.name for rule in policy.rules if rule.matches(subject)],
    )  # fmt: skip


def _examples(rule: Rule, given: Sequence[str]) -> list[Example]:
    """Examples that prove a rule: what it must match, and one thing beside it that it must not. UsageError if an
    example does not hold."""
    detector = rule.detectors[0] if rule.detectors else ""
    repo = rule.repos[0] if rule.repos else ""
    risk: Risk = rule.max_risk or "low"

    def example(expect: Any, paths: list[str], argv: list[str]) -> Example:
        return Example(
            expect=expect, kind=rule.kind or "patch", paths=paths, argv=argv, detector=detector, repo=repo, risk=risk
        )

    if rule.kind == "command":
        found = [example("match", [], rule.argv_prefix), example("no-match", [], ["another", *rule.argv_prefix])]
    else:
        paths = list(given) or [_like(pattern) for pattern in rule.paths]
        found = [example("match", [path], []) for path in paths]
        found += [
            example("no-match", [path], []) for path in ["kairos-no-such-folder/file"] if not _matches(rule, path)
        ]
    for one in found:
        if rule.matches(one.subject()) != (one.expect == "match"):
            raise UsageError(
                f"the rule does not match {one.paths or one.argv}",
                "Give --example PATH with a path that it must match.",
            )
    return found


def _matches(rule: Rule, path: str) -> bool:
    return matches_any(rule.paths, path)


def _like(pattern: str) -> str:
    """A path that a simple pattern matches."""
    return pattern.replace("**", "a/b").replace("*", "a").replace("?", "a").lstrip("/")


def _concerns(rule: Rule, repository: Repository) -> bool:
    subject = Subject(kind=rule.kind or "patch", repos=(repository.id, repository.root))
    return not rule.repos or any(matches_any(rule.repos, r) or r in rule.repos for r in subject.repos)


def _loaded(desk: Desk) -> Policy:
    return load_policy(desk.home.policy_file)


def _text(desk: Desk) -> str:
    try:
        return desk.home.policy_file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"{desk.home.policy_file} cannot be read: {reason}", "Check its permissions.") from error


def _data(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def _change(desk: Desk, made: Callable[[str], str]) -> str:
    """Replaces the policy by what `made` makes of it, and returns that. Two commands at once change it one after the
    other. UsageError, and nothing is written, if it would have an error that it did not have before."""
    _sound(desk, made)  # what is refused makes no home
    with desk.home.configuring():
        after = _sound(desk, made)
        replace_file(desk.home.policy_file.resolve(), after.encode())
    return after


def _sound(desk: Desk, made: Callable[[str], str]) -> str:
    before = _text(desk)
    after = made(before)
    had = wrong_in(_data(before))
    left = [fault for fault in wrong_in(_data(after)) if fault not in had]
    if left:
        raise UsageError(f"{desk.home.policy_file}: {left[0].what}", "Nothing was changed.")
    return after


def _out(rule: Rule) -> RuleOut:
    return RuleOut(
        name=rule.name, effect=rule.effect, kind=rule.kind, paths=rule.paths, detectors=rule.detectors,
        repos=rule.repos, argv_prefix=rule.argv_prefix, max_risk=rule.max_risk, min_risk=rule.min_risk,
        examples=len(rule.examples),
    )  # fmt: skip
