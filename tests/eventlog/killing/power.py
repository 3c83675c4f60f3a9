"""What is on the disk after a power cut: of each file what was synced last, of each folder the names that were.

The worst case: whatever was not synced is lost. (A kill is the best case: nothing written is lost.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from stepper import Call

SYNCS = ("fsync", "fdatasync")


@dataclass
class Disk:
    """Folders as names and inodes, files as content by inode, under a root."""

    root: Path
    names: dict[Path, dict[str, int]] = field(default_factory=dict)
    content: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def synced(cls, root: Path) -> Disk:
        """All that is there now."""
        disk = cls(root)
        for path in (root, *sorted(root.rglob("*"))):
            disk.sync(path)
        return disk

    def sync(self, path: Path) -> None:
        if path.is_dir():
            self.names[path] = {p.name: p.stat().st_ino for p in path.iterdir()}
            for folder in (p for p in path.iterdir() if p.is_dir()):
                self.names.setdefault(folder, {})
        elif path.is_file():
            self.content[path.stat().st_ino] = path.read_bytes()

    def told(self, call: Call) -> bool:
        """Notes what a call will make durable; whether it will."""
        path = Path(call.path)
        if call.name not in SYNCS or not path.is_relative_to(self.root):
            return False
        self.sync(path)
        return True

    def copy(self) -> Disk:
        return Disk(self.root, {p: dict(n) for p, n in self.names.items()}, dict(self.content))

    def restore(self, root: Path) -> None:
        """Writes what survived to a new folder. The index of the write-ahead log is made anew by whoever opens it."""
        self._restore(self.root, root)

    def _restore(self, old: Path, new: Path) -> None:
        new.mkdir()
        for name, inode in self.names.get(old, {}).items():
            if old / name in self.names:
                self._restore(old / name, new / name)
            elif not name.endswith("-shm"):
                (new / name).write_bytes(self.content.get(inode, b""))
