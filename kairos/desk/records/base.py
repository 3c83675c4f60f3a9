"""The base class of all records."""

from __future__ import annotations

import msgspec


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record that a script may rely on. Times are RFC 3339 UTC with microseconds."""
