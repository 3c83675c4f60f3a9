from __future__ import annotations

from pathlib import Path

from kairos.eventlog.views.repositories import Repository
from kairos.sensing.root import why_lost


def test_a_root_is_lost_when_it_is_gone_or_another_directory_is_in_its_place(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    found = root.stat()
    trusted = Repository(id="r", root=str(root), dev=found.st_dev, ino=found.st_ino, trusted_at=1)
    assert why_lost(trusted) is None
    root.rename(tmp_path / "away")
    assert why_lost(trusted) == "gone"
    root.symlink_to("away")
    assert why_lost(trusted) == "replaced"
    root.unlink()
    root.mkdir()
    assert why_lost(trusted) == "replaced"
    root.rmdir()
    root.write_text("x")
    assert why_lost(trusted) == "replaced"
    root.unlink()
    (tmp_path / "away").rename(root)
    assert why_lost(trusted) is None
