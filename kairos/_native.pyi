"""The Rust floor. Paths are raw bytes as the operating system has them; hashes are 32 bytes (BLAKE3)."""

__version__: str

# -- chain: the event log's hash chain ---------------------------------------------------------------

def extend_chain(previous: bytes, records: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """For each (header, payload): (leaf, link), the first linked to `previous` (32 bytes)."""

def blake3_hash(data: bytes) -> bytes:
    """BLAKE3 of `data`."""
