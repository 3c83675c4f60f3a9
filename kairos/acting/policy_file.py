"""Reads a person's policy.toml, which is kept outside every repository. All its errors are reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kairos.domain.policy import Policy, PolicyFile, Rule, faults, parse
from kairos.errors import UsageError
from kairos.home import read_toml
from kairos.privacy import exposures, refuse

if TYPE_CHECKING:
    from kairos.contract import Fault

_HINT = "No rule of it is used until it is corrected."


def load_policy(path: Path) -> Policy:
    """The policy in a file; the default (ask for everything) if there is no file. UsageError (2) if any part is wrong:
    no rule is used then. Denied (6) while other users can write to it."""
    refuse(exposures([path.parent], [], [path]))
    data = read_toml(path)
    try:
        return parse(data, str(path))
    except UsageError as error:
        raise _everything_wrong(path, data) or error from error


def wrong_in(data: dict[str, Any]) -> list[Fault]:
    """Every wrong key, value, name and example of a parsed policy.toml."""
    from kairos.contract import Fault, problems  # slow to import, and not needed for a valid file

    found = problems(data, PolicyFile)
    return found + [Fault("rule", what, "") for what in faults(_rules_of(data))]


def _everything_wrong(path: Path, data: dict[str, Any]) -> UsageError | None:
    """An error that lists everything that is wrong in a file; None if nothing is."""
    from kairos.contract import refusal

    found = wrong_in(data)
    return refusal(str(path), found, _HINT, path.read_text("utf-8")) if found else None


def _rules_of(data: dict[str, Any]) -> list[Rule]:
    """The rules that are valid by themselves."""
    rules = []
    for one in data.get("rule", []) if isinstance(data.get("rule"), list) else []:
        try:
            rules.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError:
            continue  # reported by `problems`
    return rules
