"""Reading a person's policy.toml, which lives outside every repository. What is wrong with it is said all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from kairos.domain.policy import Policy, PolicyFile, Rule, faults, parse
from kairos.errors import UsageError
from kairos.home import read_toml
from kairos.privacy import exposures, refuse

_HINT = "No rule of it is used until it is corrected."


def load_policy(path: Path) -> Policy:
    """The policy of a file; the default (everything asks) when there is none. UsageError (2): refused whole. Denied
    (6) while others can write it."""
    refuse(exposures([path.parent], [], [path]))
    data = read_toml(path)
    try:
        return parse(data, str(path))
    except UsageError as error:
        raise _everything_wrong(path, data) or error from error


def _everything_wrong(path: Path, data: dict[str, Any]) -> UsageError | None:
    """Every wrong key, value, name and example of a file."""
    from kairos.contract import Fault, problems, refusal  # takes longer to import than a right file needs

    found = problems(data, PolicyFile)
    found += [Fault("rule", what, "") for what in faults(_rules_of(data))]
    return refusal(str(path), found, _HINT) if found else None


def _rules_of(data: dict[str, Any]) -> list[Rule]:
    """The rules that are in order by themselves."""
    rules = []
    for one in data.get("rule", []) if isinstance(data.get("rule"), list) else []:
        try:
            rules.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError:
            continue  # what is wrong with it is found by its form
    return rules
