"""Reading a person's policy.toml, which lives outside every repository."""

from __future__ import annotations

import tomllib
from pathlib import Path

from kairos.domain.policy import Policy, parse
from kairos.errors import UsageError
from kairos.privacy import exposures, refuse


def load_policy(path: Path) -> Policy:
    """The policy of a file; the default (everything asks) when there is none. UsageError (2): refused whole. Denied (6)
    while others can write it."""
    refuse(exposures([path.parent], [], [path]))
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Policy()
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, a number of thousands of digits, or too deep
        raise UsageError(f"{path} is not TOML: {error}", "No rule of it is used until it is corrected.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Check its permissions.") from error
    return parse(data, str(path))
