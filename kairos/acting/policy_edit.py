"""Adds and removes one rule in the text of a policy.toml; comments, order and layout of the rest stay."""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.domain.policy import Rule
from kairos.errors import NotFound, UsageError

_HINT = "Edit it by hand."


def with_rule(text: str, rule: Rule, source: str) -> str:
    """The text with a rule at its end. UsageError for a layout that cannot be edited."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import AoT

    try:
        document = tomlkit.parse(text)
        rules = document.get("rule")
        if rules is None:
            rules = tomlkit.aot()
            document.append("rule", rules)
        if not isinstance(rules, AoT):
            raise UsageError(f"{source}: `rule` is not written as [[rule]] tables", _HINT)
        rules.append(_table(rule))
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, LookupError) as error:
        raise UsageError(f"{source} cannot be edited: {error}", _HINT) from error


def without_rule(text: str, name: str, source: str) -> str:
    """The text without the rule of this name. NotFound if there is none, UsageError for a layout that cannot be
    edited."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import AoT

    try:
        document = tomlkit.parse(text)
        rules = document.get("rule")
        if rules is None:
            raise NotFound(f"there is no rule `{name}`", "`kairos policy ls` lists them.")
        if not isinstance(rules, AoT):
            raise UsageError(f"{source}: `rule` is not written as [[rule]] tables", _HINT)
        places = [number for number, table in enumerate(rules.body) if table.get("name") == name]
        if not places:
            raise NotFound(f"there is no rule `{name}`", "`kairos policy ls` lists them.")
        for number in reversed(places):
            del rules[number]
        if not rules.body:
            document.remove("rule")
        return tomlkit.dumps(document)
    except (TOMLKitError, ValueError, TypeError, LookupError) as error:
        raise UsageError(f"{source} cannot be edited: {error}", _HINT) from error


def _table(rule: Rule) -> Any:
    import tomlkit

    table = tomlkit.table()
    for key, value in msgspec.to_builtins(rule).items():
        if key != "examples":
            table.add(key, value)
    examples = tomlkit.array().multiline(True)
    for example in msgspec.to_builtins(rule.examples):
        inline = tomlkit.inline_table()
        inline.update(example)
        examples.append(inline)
    table.add("examples", examples)
    return table
