"""Makes msgspec build the type information of every struct while there is only one thread.

msgspec (0.22) builds this information at the first decoding of a struct and publishes it before it is complete: if two
threads decode the same struct for the first time at the same moment, the process crashes.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec


def prime() -> int:
    """Prepares every imported struct and its field types; returns how many. Call it before starting any thread."""
    found: list[type[msgspec.Struct]] = [msgspec.Struct]
    for cls in found:
        found += cls.__subclasses__()
    for cls in found[1:]:
        with suppress(TypeError):  # a union of untagged structs, which cannot be decoded
            msgspec.json.Decoder(cls)
    return len(found) - 1
